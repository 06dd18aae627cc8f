"""`$filter` → a SQL condition. Grammar: "Filter rows using OData" and OData 4.0 URL Conventions.

Has: eq ne gt ge lt le, and or not, brackets, contains startswith endswith, null. Text compares
without case, as the service does by default. Has not: paths over navigation properties, any and
all, arithmetic and the service's own query functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from ..model import Column, Mismatch, Table
from ..model.column import Boolean, Number
from ..model.moment import Moment, utc
from ..refusal import bad_query, not_here_yet, unknown_property

TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>'(?:[^']|'')*')
    |(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
    |(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)
    |(?P<day>\d{4}-\d\d-\d\d)
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    |(?P<mark>[(),/])""",
    re.VERBOSE | re.ASCII,
)

OPERATORS = {
    "eq": ("=", "Equal"),
    "ne": ("IS NOT", "NotEqual"),
    "gt": (">", "GreaterThan"),
    "ge": (">=", "GreaterThanOrEqual"),
    "lt": ("<", "LessThan"),
    "le": ("<=", "LessThanOrEqual"),
}
FUNCTIONS = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}
NUMERIC = {"Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double"}
LITERALS = {
    "text": {"Edm.String"},
    "guid": {"Edm.Guid"},
    "moment": {"Edm.DateTimeOffset"},
    "day": {"Edm.Date", "Edm.DateTimeOffset"},
    "number": NUMERIC,
    "bool": {"Edm.Boolean"},
}
EDM_OF_LITERAL = {
    "text": "Edm.String",
    "guid": "Edm.Guid",
    "moment": "Edm.DateTimeOffset",
    "day": "Edm.Date",
    "number": "Edm.Int32",
    "bool": "Edm.Boolean",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a filter, its kind, and where it begins."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Sql:
    """A condition, and the values for its question marks."""

    text: str
    values: tuple[Any, ...] = ()


def filtered(text: str, table: Table) -> Sql:
    """The condition, and the values for its question marks."""
    return FilterParser(text, table).parse()


class FilterParser:
    """Recursive descent over one filter: or, and, not, brackets, comparison."""

    def __init__(self, text: str, table: Table) -> None:
        self._text = text
        self._table = table
        self._tokens = self._lexed()
        self._next = 0

    def _lexed(self) -> list[Token]:
        tokens, at = [], 0
        while at < len(self._text):
            match = TOKEN.match(self._text, at)
            if match is None:
                self._fail(at)
            if match.lastgroup != "space":
                tokens.append(Token(str(match.lastgroup), match[0], at))
            at = match.end()
        return tokens

    def _fail(self, at: int) -> NoReturn:
        raise bad_query(f"Syntax error at position {at} in '{self._text}'.")

    def _peek(self) -> Token:
        if self._next < len(self._tokens):
            return self._tokens[self._next]
        return Token("end", "", len(self._text))

    def _take(self, kind: str, text: str | None = None) -> Token | None:
        token = self._peek()
        if token.kind != kind or text not in (None, token.text):
            return None
        self._next += 1
        return token

    def _need(self, kind: str, text: str | None = None) -> Token:
        return self._take(kind, text) or self._fail(self._peek().at)

    def parse(self) -> Sql:
        """The whole filter as one condition."""
        condition = self._joined("or", lambda: self._joined("and", self._negation))
        self._need("end")
        return condition

    def _joined(self, word: str, part: Callable[[], Sql]) -> Sql:
        parts = [part()]
        while self._take("word", word):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        text = f" {word.upper()} ".join(part.text for part in parts)
        return Sql(f"({text})", tuple(value for part in parts for value in part.values))

    def _negation(self) -> Sql:
        if not self._take("word", "not"):
            return self._primary()
        inner = self._negation()
        return Sql(f"NOT ({inner.text})", inner.values)

    def _primary(self) -> Sql:
        if self._take("mark", "("):
            condition = self._joined("or", lambda: self._joined("and", self._negation))
            self._need("mark", ")")
            return condition
        token = self._peek()
        if token.kind == "word" and token.text in FUNCTIONS:
            return self._function()
        return self._comparison()

    def _function(self) -> Sql:
        name = self._need("word").text
        self._need("mark", "(")
        column = self._column(self._need("word"))
        self._need("mark", ",")
        wanted = _unquoted(self._need("text").text).casefold()
        self._need("mark", ")")
        if column.edm != "Edm.String":
            raise bad_query(f"No function signature for the function with name '{name}' matches.")
        escaped = re.sub(r"([%_\\])", r"\\\1", wanted)
        return Sql(
            f"fold(\"{column.name}\") LIKE ? ESCAPE '\\'", (FUNCTIONS[name].format(escaped),)
        )

    def _comparison(self) -> Sql:
        column = self._column(self._need("word"))
        operator = self._take("word")
        if operator is None and isinstance(column, Boolean):
            return Sql(f'"{column.name}" = 1')
        if operator is None or operator.text not in OPERATORS:
            self._fail(operator.at if operator else self._peek().at)
        return self._compared(column, operator.text, self._literal())

    def _column(self, token: Token) -> Column:
        if self._peek().text == "/" or token.text.startswith("Microsoft.Dynamics.CRM."):
            raise not_here_yet(f"'{token.text}' in $filter")
        column = self._table.columns.get(token.text)
        if column is None:
            raise unknown_property(token.text, self._table.name)
        return column

    def _literal(self) -> Token:
        token = self._peek()
        self._next += 1
        if token.kind == "word" and token.text in ("true", "false"):
            return Token("bool", token.text, token.at)
        if token.kind not in LITERALS and token.text != "null":
            self._fail(token.at)
        return token

    def _compared(self, column: Column, operator: str, token: Token) -> Sql:
        sign, kind = OPERATORS[operator]
        name = f'"{column.name}"'
        if token.text == "null":
            return Sql({"eq": f"{name} IS NULL", "ne": f"{name} IS NOT NULL"}.get(operator, "0"))
        if column.edm not in LITERALS[token.kind]:
            raise bad_query(
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{column.edm}' and '{EDM_OF_LITERAL[token.kind]}' for operator kind '{kind}'."
            )
        if token.kind == "text":
            return Sql(f"fold({name}) {sign} ?", (_unquoted(token.text).casefold(),))
        return Sql(f"{name} {sign} ?", (_comparable(column, token),))


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _comparable(column: Column, token: Token) -> Any:
    """The literal in the form in which the column is kept."""
    if token.kind == "number":
        number = Decimal(token.text)
        scaled = number.scaleb(column.places) if isinstance(column, Number) else number
        return int(scaled) if scaled == int(scaled) and abs(scaled) < 2**63 else float(scaled)
    if token.kind == "bool":
        return int(token.text == "true")
    if token.kind == "guid":
        return token.text.lower()
    if token.kind == "day":
        return f"{token.text}T00:00:00Z" if isinstance(column, Moment) else token.text
    try:
        return utc(token.text, column.edm)
    except Mismatch as mismatch:
        raise bad_query(str(mismatch)) from None
