"""Query options: "Query data using the Web API". An unknown option is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from ..model import Association, Collection, Column, Schema, Single, Table
from ..refusal import Refusal, bad_query, unknown_property
from .filter import Asker, Scope, Sql, Translation, filtered
from .page import position
from .syntax import Parser, Path

EVERYTHING = Sql("1")
EXPANSION = re.compile(
    r"\s*(?P<name>\w+)(?:/(?P<cast>[\w.]+))?(?P<ref>/\$ref)?\s*(?:\((?P<options>.*)\))?\s*",
    re.DOTALL,
)
READABLE = "$(),'/:@*;="  # stay as they are in a next link
NESTED = {"$select", "$filter", "$orderby", "$top", "$expand", "$count"}
KNOWN = NESTED | {"$skiptoken", "$deltatoken", "$apply"}


@dataclass(frozen=True, slots=True)
class Expansion:
    """A navigation property to show inside the row, and what to read on its other side."""

    through: Single | Collection | Association
    query: Query
    reference: bool = False


@dataclass(slots=True)
class Query:
    """What a read wants of one table.

    `page_size` is what the request prefers; `text` are the options again, for the next link of an
    expanded collection.
    """

    table: Table
    columns: tuple[Column, ...]
    named: list[str] = field(default_factory=list)
    expansions: list[Expansion] = field(default_factory=list)
    condition: Sql = EVERYTHING
    order: str = ""
    top: int | None = None
    count: bool = False
    start: int = 0
    apply: str | None = None
    page_size: int | None = None
    text: str = ""

    def in_pages(self, page_size: int | None) -> Query:
        """The same query, its collections and theirs cut into pages of this size."""
        self.page_size = page_size
        for expansion in self.expansions:
            expansion.query.in_pages(page_size)
        return self

    @property
    def context(self) -> str:
        """What `$metadata#accounts(...)` says about the selection."""
        return f"{self.table.entity_set}{self.shape}"

    @property
    def shape(self) -> str:
        """The selection in brackets, empty where all columns are shown."""
        nested = [f"{e.through.name}{e.query.shape or '()'}" for e in self.expansions]
        parts = [*self.named, *nested]
        return f"({','.join(parts)})" if parts else ""


def parsed_query(text: str, table: Table, schema: Schema, asker: Asker) -> Query:
    """The query of a query string; raises `Refusal`."""
    pairs = parse_qsl(text, keep_blank_values=True)
    if any(name == "sql" for name, _ in pairs):
        raise Refusal(501, "", "fieldpost emulator: queries in SQL are not emulated.")
    aliases = {name: value for name, value in pairs if name.startswith("@")}
    options = {name: value for name, value in pairs if name.startswith("$")}
    query = Options(schema, asker, aliases).query(table, options)
    collections = any(not isinstance(e.through, Single) for e in query.expansions)
    if query.top is not None and collections:
        raise bad_query("$top cannot be combined with $expand of a collection.")
    return query


class Options:
    """Reads options of one request, those inside of `$expand` too."""

    def __init__(self, schema: Schema, asker: Asker, aliases: Mapping[str, str]) -> None:
        self._schema = schema
        self._asker = asker
        self._aliases = aliases

    def query(
        self, table: Table, options: Mapping[str, str], known: set[str] | None = None
    ) -> Query:
        """The query that these options make."""
        query = Query(table, tuple(table.columns.values()))
        for name in options:
            if name == "$skip":
                raise bad_query("Skip Clause is not supported in CRM")
            if name not in (known or KNOWN):
                raise bad_query(f"The query parameter {name} is not supported")
        if "$select" in options:
            query.columns, query.named = selected(options["$select"], table)
        if "$expand" in options:
            parts = split_outside(options["$expand"], ",")
            query.expansions = [self._expanded(part, table) for part in parts]
        if "$filter" in options:
            query.condition = filtered(
                options["$filter"], table, self._schema, self._asker, self._aliases
            )
        if "$orderby" in options and "$apply" not in options:
            query.order = self._sorted(options["$orderby"], table)
        query.top = _limit(options["$top"]) if "$top" in options else None
        query.count = _counted(options["$count"]) if "$count" in options else False
        query.start = position(options["$skiptoken"]) if "$skiptoken" in options else 0
        query.apply = options.get("$apply")
        return query

    def _expanded(self, text: str, table: Table) -> Expansion:
        match = EXPANSION.fullmatch(text)
        if match is None:
            raise bad_query(f"Syntax error in $expand: '{text}'.")
        name, inner = match["name"], match["options"]
        member = table.members.get(name)
        if not isinstance(member, Single | Collection | Association):
            raise unknown_property(name, table.name)
        target = self._schema.tables[member.target]
        options = dict[str, str]()
        for part in split_outside(inner, ";") if inner else []:
            option, _, value = part.partition("=")
            options[option.strip()] = value
        reference = match["ref"] is not None
        if reference:
            options["$select"] = target.key
        query = self.query(target, options, NESTED)
        query.text = "&".join(f"{n}={quote(v, safe=READABLE)}" for n, v in options.items())
        return Expansion(member, query, reference)

    def _sorted(self, text: str, table: Table) -> str:
        return "".join(self._sort_term(part, table) + "," for part in text.split(","))

    def _sort_term(self, text: str, table: Table) -> str:
        words = text.split()
        if not 1 <= len(words) <= 2 or words[1:] not in ([], ["asc"], ["desc"]):
            raise bad_query(f"Syntax error in $orderby: '{text}'.")
        path = Path(tuple(words[0].split("/")))
        reached = Translation(self._schema, self._asker).reached(path.names, Scope(table, "t0"))
        text_like = reached.column.edm == "Edm.String"
        kept = f"fold({reached.sql})" if text_like else reached.sql
        return f"{kept} {words[1] if len(words) == 2 else 'asc'}"


def selected(text: str, table: Table) -> tuple[tuple[Column, ...], list[str]]:
    """The columns of a `$select`, the key always among them, and their names as given."""
    names = [name.strip() for name in text.split(",")]
    if names == ["*"]:
        return tuple(table.columns.values()), []
    for name in names:
        if name not in table.members:
            raise unknown_property(name, table.name)
    wanted = dict.fromkeys([table.key, *(name for name in names if name in table.columns)])
    return tuple(table.columns[name] for name in wanted), names


def split_outside(text: str, mark: str) -> list[str]:
    """The parts between marks that stand outside of brackets and quotes."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == "'"
        if not quoted:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == mark and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()]


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0 or len(text) > 9:
        raise bad_query(f"Invalid value '{text}' for $top query option found.")
    return int(text)


def _counted(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise bad_query(f"Invalid value '{text}' for $count query option found.")
    return text.lower() == "true"


def literal_of(text: str, aliases: Mapping[str, str]) -> str:
    """A value as an argument of a function gives it, without its quotes."""
    return Parser(text, aliases).literal().text
