"""Rows as JSON: one, or a page, with one level of `$expand`. Call inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..model import Collection, Column, Single, Table
from ..records.condition import etag
from ..store import Rows
from .options import Expansion, Query
from .page import LARGEST, next_link, size

Row = dict[str, Any]


class Reader:
    """`base` is the address of the Web API, without a slash at the end."""

    def __init__(self, rows: Rows, base: str) -> None:
        self._rows = rows
        self._base = base

    def one(self, query: Query, row_id: str) -> Row | None:
        """The row with its context; None where there is none."""
        found = self._rows.get(query.table, row_id, _fetched(query))
        if found is None:
            return None
        [shown] = self._shown([found], query)
        return {"@odata.context": f"{self._base}/$metadata#{query.context}/$entity", **shown}

    def page(self, query: Query, text: str, preferred_size: int | None) -> Row:
        """One page of the list; `text` is the query string, from which the next link is made."""
        wanted = size(preferred_size)
        if query.top is not None:
            wanted = min(wanted, query.top - query.start)
        found = self._found(query, wanted)
        answer: Row = {"@odata.context": f"{self._base}/$metadata#{query.context}"}
        if query.count:
            total = self._rows.count(query.table, query.condition.text, query.condition.values)
            answer["@odata.count"] = min(total, LARGEST)
        answer["value"] = self._shown(found[:wanted], query)
        end = query.start + wanted
        if len(found) > wanted and (query.top is None or end < query.top):
            answer["@odata.nextLink"] = next_link(
                f"{self._base}/{query.table.entity_set}", text, end
            )
        return answer

    def _found(self, query: Query, wanted: int) -> list[Row]:
        # One row more than the page holds tells whether there is a next page.
        tail = f"ORDER BY {query.order} rowid LIMIT {wanted + 1} OFFSET {query.start}"
        condition = query.condition
        return self._rows.select(
            query.table, _fetched(query), condition.text, condition.values, tail
        )

    def _shown(self, rows: Sequence[Row], query: Query) -> list[Row]:
        shown = [_displayed(row, query.columns) for row in rows]
        for expansion in query.expansions:
            self._expand(expansion, query.table, rows, shown)
        return shown

    def _expand(
        self, expansion: Expansion, table: Table, rows: Sequence[Row], shown: list[Row]
    ) -> None:
        through = expansion.through
        if isinstance(through, Single):
            near, far = through.lookup.name, expansion.table.key
        else:
            near, far = table.key, through.single.lookup.name
        related = self._related(expansion, far, {row[near] for row in rows if row[near]})
        for row, target in zip(rows, shown, strict=True):
            found = related.get(row[near], []) if _points(through, row) else []
            target[through.name] = found if isinstance(through, Collection) else _first(found)

    def _related(self, expansion: Expansion, far: str, ids: set[str]) -> dict[str, list[Row]]:
        """The rows on the other side, grouped by the id that joins them."""
        table, through = expansion.table, expansion.through
        names = _unique(
            [far, "versionnumber", *(column.name for column in expansion.columns)], table
        )
        condition = f'"{far}" IN (SELECT value FROM json_each(?))'
        values = ["[" + ",".join(f'"{row_id}"' for row_id in ids) + "]"]
        if isinstance(through, Collection) and through.single.lookup.several:
            condition += f' AND "{through.single.lookup.kind}" = ?'
            values.append(through.single.target)
        related: dict[str, list[Row]] = {}
        for row in self._rows.select(table, names, condition, values, "ORDER BY rowid"):
            related.setdefault(row[far], []).append(_displayed(row, expansion.columns))
        return related


def _fetched(query: Query) -> list[str]:
    """The columns to read: those to show, the version, and what an expansion joins by."""
    names = ["versionnumber", *(column.name for column in query.columns)]
    for expansion in query.expansions:
        if isinstance(expansion.through, Single):
            lookup = expansion.through.lookup
            names += [lookup.name, lookup.kind] if lookup.several else [lookup.name]
    return _unique(names, query.table)


def _unique(names: Iterable[str], table: Table) -> list[str]:
    kinds = {lookup.kind for lookup in table.lookups}
    return [name for name in dict.fromkeys(names) if name in table.columns or name in kinds]


def _points(through: Single | Collection, row: Row) -> bool:
    """Whether a lookup of several tables points at the one that this property leads to."""
    if isinstance(through, Single) and through.lookup.several:
        return bool(row[through.lookup.kind] == through.target)
    return True


def _first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


def _displayed(row: Row, columns: Iterable[Column]) -> Row:
    shown: Row = {}
    version = row.get("versionnumber")
    if version is not None:
        shown["@odata.etag"] = etag(version)
    for column in columns:
        value = row[column.name]
        shown[column.name] = None if value is None else column.shown(value)
    return shown
