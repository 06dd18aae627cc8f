"""Rows as JSON: one, or a page, with all that `$expand` nests in them. Inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..model import Association, Collection, Column, Schema, Single, Table
from ..records.condition import etag
from ..store import Rows
from .annotation import Annotator, Wanted
from .options import Expansion, Query
from .page import LARGEST, next_link, size

Row = dict[str, Any]


class Reader:
    """`base` is the address of the Web API, without a slash at the end."""

    def __init__(self, rows: Rows, schema: Schema, base: str) -> None:
        self._rows = rows
        self._schema = schema
        self._base = base

    def one(self, query: Query, row_id: str, wanted: Wanted = Wanted()) -> Row | None:  # noqa: B008
        """The row with its context; None where there is none."""
        found = self._rows.get(query.table, row_id, self._fetched(query, wanted))
        if found is None:
            return None
        [shown] = self._shown([found], query, wanted)
        context = f"{self._base}/$metadata#{query.context}/$entity"
        return {"@odata.context": context, **self._general(wanted), **shown}

    def page(
        self,
        query: Query,
        text: str,
        preferred_size: int | None,
        wanted: Wanted = Wanted(),  # noqa: B008
        address: str | None = None,
    ) -> Row:
        """One page of the list; `text` is the query string, from which the next link is made."""
        length = size(preferred_size)
        if query.top is not None:
            length = min(length, query.top - query.start)
        found = self._found(query, length, wanted)
        answer: Row = {
            "@odata.context": f"{self._base}/$metadata#{query.context}",
            **self._general(wanted),
        }
        if query.count:
            total = self._rows.count(query.table, query.condition.text, query.condition.values)
            answer["@odata.count"] = min(total, LARGEST)
            if "Microsoft.Dynamics.CRM.totalrecordcount" in wanted:
                answer["@Microsoft.Dynamics.CRM.totalrecordcount"] = min(total, LARGEST)
                exceeded = total > LARGEST
                answer["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] = exceeded
        answer["value"] = self._shown(found[:length], query, wanted)
        end = query.start + length
        if len(found) > length and (query.top is None or end < query.top):
            url = address or f"{self._base}/{query.table.entity_set}"
            answer["@odata.nextLink"] = next_link(url, text, end)
        return answer

    def _general(self, wanted: Wanted) -> Row:
        """Annotations of the answer as a whole."""
        name = "Microsoft.Dynamics.CRM.globalmetadataversion"
        return {f"@{name}": str(self._schema.version)} if name in wanted else {}

    def _found(self, query: Query, length: int, wanted: Wanted) -> list[Row]:
        # One row more than the page holds tells whether there is a next page.
        tail = f"ORDER BY {query.order} {query.table.order} LIMIT {length + 1} OFFSET {query.start}"
        return self._rows.select(
            query.table,
            self._fetched(query, wanted),
            query.condition.text,
            query.condition.values,
            tail,
        )

    def _shown(self, rows: Sequence[Row], query: Query, wanted: Wanted) -> list[Row]:
        shown = [displayed(row, query.columns) for row in rows]
        if wanted:
            annotator = Annotator(self._rows, self._schema, wanted)
            annotator.annotate(query.table, query.columns, rows, shown)
        for expansion in query.expansions:
            self._expand(expansion, query.table, rows, shown, wanted)
        return shown

    def _expand(
        self,
        expansion: Expansion,
        table: Table,
        rows: Sequence[Row],
        shown: list[Row],
        wanted: Wanted,
    ) -> None:
        through = expansion.through
        if isinstance(through, Single):
            self._expand_single(through, expansion, rows, shown, wanted)
            return
        ids = [row[table.key] for row in rows]
        if isinstance(through, Collection):
            related = self._of_collection(through, expansion.query, ids, wanted)
        else:
            related = self._of_association(through, expansion.query, ids, wanted)
        for row, target in zip(rows, shown, strict=True):
            found = related.get(row[table.key], [])
            target[through.name] = self._listed(expansion, found)
            if expansion.query.count:
                target[f"{through.name}@odata.count"] = len(found)
            length = size(expansion.query.page_size)
            if len(found[: expansion.query.top]) > length:
                url = f"{self._base}/{table.entity_set}({row[table.key]})/{through.name}"
                link = next_link(url, expansion.query.text, length)
                target[f"{through.name}@odata.nextLink"] = link

    def _listed(self, expansion: Expansion, found: list[Row]) -> list[Row]:
        query = expansion.query
        found = found[: query.top][: size(query.page_size)]
        if not expansion.reference:
            return found
        table = query.table
        return [{"@odata.id": f"{table.entity_set}({row[table.key]})"} for row in found]

    def _expand_single(
        self,
        single: Single,
        expansion: Expansion,
        rows: Sequence[Row],
        shown: list[Row],
        wanted: Wanted,
    ) -> None:
        query, lookup = expansion.query, single.lookup
        ids = [row[lookup.name] for row in rows if row[lookup.name]]
        found = self._read(query, f't0."{query.table.key}" IN ({_marks(ids)})', ids, wanted)
        by_id = {row[query.table.key]: target for row, target in zip(*found, strict=True)}
        kinds = self._schema.kinds(single.target)
        for row, target in zip(rows, shown, strict=True):
            fits = not lookup.several or row[lookup.kind] in kinds
            target[single.name] = by_id.get(row[lookup.name]) if fits else None

    def _of_collection(
        self, collection: Collection, query: Query, ids: list[str], wanted: Wanted
    ) -> dict[str, list[Row]]:
        lookup = collection.single.lookup
        where, values = f't0."{lookup.name}" IN ({_marks(ids)})', list(ids)
        if lookup.several:
            kinds = self._schema.kinds(collection.single.target)
            where += f' AND t0."{lookup.kind}" IN ({_marks(kinds)})'
            values += kinds
        related: dict[str, list[Row]] = {}
        found = self._read(query, where, values, wanted, lookup.name)
        for row, target in zip(*found, strict=True):
            related.setdefault(row[lookup.name], []).append(target)
        return related

    def _of_association(
        self, association: Association, query: Query, ids: list[str], wanted: Wanted
    ) -> dict[str, list[Row]]:
        near, far = association.near, association.far
        sql = f'SELECT {near}, {far} FROM "{association.pairs}" WHERE {near} IN ({_marks(ids)})'
        pairs = self._rows.raw(sql, ids)
        others = list({other for _, other in pairs})
        found = self._read(query, f't0."{query.table.key}" IN ({_marks(others)})', others, wanted)
        position = {row[query.table.key]: n for n, row in enumerate(found[0])}
        related: dict[str, list[Row]] = {}
        for one, other in sorted(
            (pair for pair in pairs if pair[1] in position), key=lambda pair: position[pair[1]]
        ):
            related.setdefault(one, []).append(found[1][position[other]])
        return related

    def _read(
        self, query: Query, where: str, values: Sequence[Any], wanted: Wanted, *more: str
    ) -> tuple[list[Row], list[Row]]:
        """Rows on the other side of an expansion: as they are kept, and as they are shown."""
        condition = query.condition
        names = [*self._fetched(query, wanted), *more]
        found = self._rows.select(
            query.table,
            list(dict.fromkeys(names)),
            f"({where}) AND ({condition.text})",
            (*values, *condition.values),
            f"ORDER BY {query.order} {query.table.order}",
        )
        return found, self._shown(found, query, wanted)

    def _fetched(self, query: Query, wanted: Wanted) -> list[str]:
        """The columns to read: those to show, the version, what joins and what is annotated."""
        table = query.table
        names = [table.key, "versionnumber", *(column.name for column in query.columns)]
        joined = [e.through.lookup for e in query.expansions if isinstance(e.through, Single)]
        names += [lookup.name for lookup in joined]
        names += [lookup.kind for lookup in joined if lookup.several]
        if wanted:
            shown = {column.name for column in query.columns}
            names += [x.kind for x in table.lookups if x.several and x.name in shown]
        kinds = {lookup.kind for lookup in table.lookups if lookup.several}
        return [n for n in dict.fromkeys(names) if n in table.columns or n in kinds]


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def displayed(row: Row, columns: Iterable[Column]) -> Row:
    """A kept row as it is sent."""
    shown: Row = {}
    version = row.get("versionnumber")
    if version is not None:
        shown["@odata.etag"] = etag(version)
    for column in columns:
        value = row[column.name]
        shown[column.name] = None if value is None else column.shown(value)
    return shown
