"""Query options: "Query data using the Web API". An unknown option is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from ..model import Collection, Column, Schema, Single, Table
from ..refusal import bad_query, not_here_yet, unknown_property
from .filter import Sql, filtered
from .page import position

EVERYTHING = Sql("1")
EXPANSION = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<options>.*)\))?\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Expansion:
    """A navigation property to show inside the row, with the columns of its own rows."""

    through: Single | Collection
    table: Table
    columns: tuple[Column, ...]
    context: str


@dataclass(slots=True)
class Query:
    """What a read wants of one table."""

    table: Table
    columns: tuple[Column, ...]
    named: list[str] = field(default_factory=list)
    expansions: list[Expansion] = field(default_factory=list)
    condition: Sql = EVERYTHING
    order: str = ""
    top: int | None = None
    count: bool = False
    start: int = 0

    @property
    def context(self) -> str:
        """What `$metadata#accounts(...)` says about the selection."""
        parts = [*self.named, *(expansion.context for expansion in self.expansions)]
        return f"{self.table.entity_set}({','.join(parts)})" if parts else self.table.entity_set


def parsed_query(text: str, table: Table, schema: Schema) -> Query:
    """The query of a query string; raises `Refusal`."""
    query = Query(table, _all_columns(table))
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name.startswith("$"):
            option = OPTIONS.get(name)
            if option is None:
                raise bad_query(f"The query parameter {name} is not supported")
            option(query, value, schema)
    if query.top is not None and any(isinstance(e.through, Collection) for e in query.expansions):
        raise bad_query("$top cannot be combined with $expand of a collection.")
    return query


def _all_columns(table: Table) -> tuple[Column, ...]:
    return tuple(table.columns.values())


def _selected(text: str, table: Table) -> tuple[tuple[Column, ...], list[str]]:
    """The columns of a `$select`, the key always among them, and their names as given."""
    names = [name.strip() for name in text.split(",")]
    if names == ["*"]:
        return _all_columns(table), []
    for name in names:
        if name not in table.columns:
            raise unknown_property(name, table.name)
    wanted = dict.fromkeys([table.key, *names])
    return tuple(table.columns[name] for name in wanted), names


def _select(query: Query, text: str, schema: Schema) -> None:
    query.columns, query.named = _selected(text, query.table)


def _expand(query: Query, text: str, schema: Schema) -> None:
    query.expansions = [_expanded(part, query.table, schema) for part in _split_outside(text)]


def _split_outside(text: str) -> list[str]:
    """The parts between commas that stand outside of brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _expanded(text: str, table: Table, schema: Schema) -> Expansion:
    match = EXPANSION.fullmatch(text)
    if match is None:
        raise bad_query(f"Syntax error in $expand: '{text}'.")
    name, options = match["name"], match["options"]
    through = table.singles.get(name) or table.collections.get(name)
    if through is None:
        raise unknown_property(name, table.name)
    target = schema.tables[through.target]
    columns, named = _all_columns(target), list[str]()
    if options is not None:
        option, _, value = options.partition("=")
        if option.strip() != "$select" or ";" in value or "(" in value:
            raise not_here_yet(f"'{options}' inside $expand")
        columns, named = _selected(value, target)
    return Expansion(through, target, columns, f"{name}({','.join(named)})")


def _narrow(query: Query, text: str, schema: Schema) -> None:
    query.condition = filtered(text, query.table)


def _sort(query: Query, text: str, schema: Schema) -> None:
    terms = [_sort_term(part, query.table) for part in text.split(",")]
    query.order = ",".join(terms) + ","


def _sort_term(text: str, table: Table) -> str:
    words = text.split()
    if not 1 <= len(words) <= 2 or words[1:] not in ([], ["asc"], ["desc"]):
        raise bad_query(f"Syntax error in $orderby: '{text}'.")
    column = table.columns.get(words[0])
    if column is None:
        raise unknown_property(words[0], table.name)
    kept = f'fold("{column.name}")' if column.edm == "Edm.String" else f'"{column.name}"'
    return f"{kept} {words[1] if len(words) == 2 else 'asc'}"


def _limit(query: Query, text: str, schema: Schema) -> None:
    if not text.isascii() or not text.isdigit() or int(text) == 0 or len(text) > 9:
        raise bad_query(f"Invalid value '{text}' for $top query option found.")
    query.top = int(text)


def _counted(query: Query, text: str, schema: Schema) -> None:
    if text not in ("true", "false"):
        raise bad_query(f"Invalid value '{text}' for $count query option found.")
    query.count = text == "true"


def _resumed(query: Query, text: str, schema: Schema) -> None:
    query.start = position(text)


def _refuse_skip(query: Query, text: str, schema: Schema) -> None:
    raise bad_query("Skip Clause is not supported in CRM")


OPTIONS: dict[str, Callable[[Query, str, Schema], None]] = {
    "$select": _select,
    "$filter": _narrow,
    "$orderby": _sort,
    "$top": _limit,
    "$count": _counted,
    "$expand": _expand,
    "$skiptoken": _resumed,
    "$skip": _refuse_skip,
}
