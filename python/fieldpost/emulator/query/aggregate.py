"""`$apply`: filter, groupby and aggregate, as "Aggregate data using OData" shows them."""

from __future__ import annotations

import re
from typing import Any

from ..model import Column, Schema, Table
from ..model.column import Number
from ..refusal import bad_query
from ..store import Rows
from .annotation import FORMATTED, Wanted, formatted
from .filter import Asker, Scope, Sql, Translation, filtered
from .options import EVERYTHING, split_outside

STEP = re.compile(r"\s*(?P<name>\w+)\((?P<inside>.*)\)\s*", re.DOTALL)
TERM = re.compile(r"\s*(?P<path>[\w/$]+)(?:\s+with\s+(?P<how>\w+))?\s+as\s+(?P<alias>\w+)\s*")
METHODS = {
    "sum": "sum({})",
    "average": "avg({})",
    "min": "min({})",
    "max": "max({})",
    "countdistinct": "count(DISTINCT {})",
}

Row = dict[str, Any]


class Aggregation:
    """One `$apply` over one table. Call inside a transaction."""

    def __init__(self, rows: Rows, schema: Schema, asker: Asker, table: Table) -> None:
        self._rows = rows
        self._schema = schema
        self._asker = asker
        self._table = table
        self._condition: Sql = EVERYTHING
        self._shown: list[tuple[str, str, Column | None]] = []
        self._groups: list[str] = []

    def rows(self, text: str, before: Sql, order: str | None, wanted: Wanted) -> list[Row]:
        """The rows of the result; `before` is the request's own `$filter`."""
        self._condition = before
        for step in split_outside(text, "/"):
            self._step(step)
        if not self._shown:
            raise bad_query("$apply needs groupby or aggregate.")
        names = ", ".join(f'{sql} AS "{alias}"' for alias, sql, _ in self._shown)
        sql = f'SELECT {names} FROM "{self._table.name}" t0 WHERE {self._condition.text}'
        if self._groups:
            sql += f" GROUP BY {', '.join(self._groups)}"
        if order:
            sql += f" ORDER BY {self._ordered(order)}"
        found = self._rows.raw(sql, self._condition.values)
        return [self._row(values, FORMATTED in wanted) for values in found]

    def _row(self, values: tuple[Any, ...], worded: bool) -> Row:
        row: Row = {}
        for (alias, _, column), value in zip(self._shown, values, strict=True):
            row[alias] = value if column is None or value is None else column.shown(value)
            words = _words(column, value) if worded else None
            if words is not None:
                row[f"{alias}@{FORMATTED}"] = words
        return row

    def _step(self, text: str) -> None:
        match = STEP.fullmatch(text)
        name = match["name"] if match else ""
        inside = match["inside"] if match else ""
        if name == "filter":
            more = filtered(inside, self._table, self._schema, self._asker, {})
            joined = f"({self._condition.text}) AND ({more.text})"
            self._condition = Sql(joined, (*self._condition.values, *more.values))
        elif name == "aggregate":
            for term in split_outside(inside, ","):
                self._aggregate(term)
        elif name == "groupby":
            self._group(split_outside(inside, ","))
        else:
            raise bad_query(f"The transformation '{text}' in $apply is not supported.")

    def _group(self, parts: list[str]) -> None:
        names = parts[0].strip().removeprefix("(").removesuffix(")")
        for name in (name.strip() for name in names.split(",")):
            column, sql = self._reached(name)
            self._shown.append((name.replace("/", "_"), sql, column))
            self._groups.append(sql)
        for step in parts[1:]:
            self._step(step)

    def _aggregate(self, term: str) -> None:
        match = TERM.fullmatch(term)
        if match is None:
            raise bad_query(f"Syntax error in $apply: '{term}'.")
        if match["path"] == "$count":
            self._shown.append((match["alias"], "count(*)", None))
            return
        method = METHODS.get(match["how"] or "")
        if method is None:
            raise bad_query(f"The aggregation method '{match['how']}' is not supported.")
        column, sql = self._reached(match["path"])
        counted = match["how"] == "countdistinct"
        if match["how"] == "average" and isinstance(column, Number):
            sql, column_shown = f"{sql} / 1e{column.places}", None
        else:
            column_shown = None if counted else column
        self._shown.append((match["alias"], method.format(sql), column_shown))

    def _reached(self, name: str) -> tuple[Column, str]:
        scope = Scope(self._table, "t0")
        reached = Translation(self._schema, self._asker).reached(tuple(name.split("/")), scope)
        return reached.column, reached.sql

    def _ordered(self, text: str) -> str:
        known = {alias for alias, _, _ in self._shown}
        terms = []
        for part in text.split(","):
            words = part.split()
            if words[0] not in known or words[1:] not in ([], ["asc"], ["desc"]):
                raise bad_query(f"Syntax error in $orderby: '{part}'.")
            terms.append(f'"{words[0]}" {" ".join(words[1:])}')
        return ", ".join(terms)


def _words(column: Column | None, value: Any) -> str | None:
    """A value of a group, or a result of no column's type, as people read it."""
    if column is not None:
        return formatted(column, value)
    return None if value is None else f"{value:,}"
