"""The tree of a filter → a SQL condition over one table, its alias `t0`.

Text compares without case, as the service does by default. Paths over single-valued navigation
become subqueries, `any` and `all` become EXISTS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..model import Association, Collection, Column, Mismatch, Schema, Single, Table
from ..model.column import Boolean, Number
from ..model.moment import Moment, utc
from ..refusal import bad_query, unknown_property
from .function import QUERY_FUNCTIONS, Called
from .syntax import (
    Comparison,
    Condition,
    Literal,
    Logic,
    Negation,
    Path,
    Quantified,
    QueryFunction,
    TextFunction,
    condition_of,
)

SIGNS = {
    "eq": ("=", "Equal"),
    "ne": ("IS NOT", "NotEqual"),
    "gt": (">", "GreaterThan"),
    "ge": (">=", "GreaterThanOrEqual"),
    "lt": ("<", "LessThan"),
    "le": ("<=", "LessThanOrEqual"),
}
MIRRORED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
PATTERNS = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}
NUMERIC = {"Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double"}
LITERALS = {
    "text": {"Edm.String"},
    "guid": {"Edm.Guid"},
    "moment": {"Edm.DateTimeOffset"},
    "day": {"Edm.Date", "Edm.DateTimeOffset"},
    "number": NUMERIC,
    "bool": {"Edm.Boolean"},
    "list": set[str](),
}
EDM_OF_LITERAL = {
    "text": "Edm.String",
    "guid": "Edm.Guid",
    "moment": "Edm.DateTimeOffset",
    "day": "Edm.Date",
    "number": "Edm.Int32",
    "bool": "Edm.Boolean",
    "list": "Collection(Edm.String)",
}


@dataclass(frozen=True, slots=True)
class Sql:
    """A condition or an expression, and the values for its question marks."""

    text: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, where and when: what functions such as EqualUserId and Today depend on."""

    user: str
    business_unit: str
    moment: datetime


@dataclass(slots=True)
class Scope:
    """A table under the name that SQL has for it, and the variables that mean other tables."""

    table: Table
    alias: str
    variables: Mapping[str, Scope] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reached:
    """A column at the end of a path, as SQL."""

    column: Column
    sql: str


def filtered(
    text: str, table: Table, schema: Schema, asker: Asker, aliases: Mapping[str, str]
) -> Sql:
    """The condition of a filter text; raises `Refusal`."""
    return Translation(schema, asker).condition(condition_of(text, aliases), Scope(table, "t0"))


class Translation:
    """From tree to SQL; gives every nested table an alias of its own."""

    def __init__(self, schema: Schema, asker: Asker) -> None:
        self._schema = schema
        self._asker = asker
        self._aliases = 0

    def condition(self, tree: Condition, scope: Scope) -> Sql:
        """The condition in this scope."""
        if isinstance(tree, Logic):
            return _joined(tree.word, [self.condition(part, scope) for part in tree.parts])
        if isinstance(tree, Negation):
            inner = self.condition(tree.part, scope)
            return Sql(f"NOT ifnull(({inner.text}), 0)", inner.values)
        if isinstance(tree, Comparison):
            return self._compared(tree, scope)
        if isinstance(tree, TextFunction):
            return self._matched(tree, scope)
        if isinstance(tree, Quantified):
            return self._quantified(tree, scope)
        if isinstance(tree, QueryFunction):
            return self._query_function(tree, scope)
        reached = self.reached(tree.names, scope)
        if not isinstance(reached.column, Boolean):
            raise bad_query("The $filter expression must evaluate to a single boolean value.")
        return Sql(f"{reached.sql} = 1")

    def reached(self, names: tuple[str, ...], scope: Scope) -> Reached:
        """The column at the end of the path."""
        if names[0] in scope.variables and len(names) > 1:
            return self.reached(names[1:], scope.variables[names[0]])
        name, *rest = names
        if not rest:
            column = scope.table.columns.get(name)
            if column is None:
                raise unknown_property(name, scope.table.name)
            return Reached(column, f'{scope.alias}."{name}"')
        if name.startswith("Microsoft.Dynamics.CRM."):
            return self.reached(tuple(rest), scope)
        single = scope.table.singles.get(name)
        if single is None:
            raise unknown_property(name, scope.table.name)
        target = self._schema.tables[single.target]
        inner = Scope(target, self._alias())
        reached = self.reached(tuple(rest), inner)
        where = f'{inner.alias}."{target.key}" = {scope.alias}."{single.lookup.name}"'
        where += _kind(single, scope.alias, self._schema)
        sql = f'(SELECT {reached.sql} FROM "{target.name}" {inner.alias} WHERE {where})'
        return Reached(reached.column, sql)

    def _alias(self) -> str:
        self._aliases += 1
        return f"n{self._aliases}"

    def _compared(self, tree: Comparison, scope: Scope) -> Sql:
        left, operator, right = tree.left, tree.operator, tree.right
        if isinstance(left, Literal):
            left, right, operator = right, left, MIRRORED.get(operator, operator)
        if isinstance(left, Literal):
            raise bad_query("A comparison of two literals is not supported.")
        reached = self.reached(left.names, scope)
        sign = SIGNS[operator][0]
        if isinstance(right, Path):
            other = self.reached(right.names, scope)
            return Sql(f"{_folded(reached)} {sign} {_folded(other)}")
        return compared(reached, operator, right)

    def _matched(self, tree: TextFunction, scope: Scope) -> Sql:
        reached = self.reached(tree.path.names, scope)
        if reached.column.edm != "Edm.String":
            raise bad_query(
                f"No function signature for the function with name '{tree.name}' matches."
            )
        return matched(reached, PATTERNS[tree.name], tree.wanted.text)

    def _quantified(self, tree: Quantified, scope: Scope) -> Sql:
        *before, last = tree.path.names
        if before and before[0] in scope.variables:
            scope, before = scope.variables[before[0]], before[1:]
        if before:
            raise bad_query("any and all take a collection of the row itself.")
        member = scope.table.collections.get(last) or scope.table.associations.get(last)
        if member is None:
            raise unknown_property(last, scope.table.name)
        inner = Scope(self._schema.tables[member.target], self._alias(), {})
        inner.variables = {**scope.variables, tree.variable: inner}
        where = Sql(self._joining(member, scope, inner))
        if tree.condition is not None:
            part = self.condition(tree.condition, inner)
            if tree.word == "all":
                part = Sql(f"NOT ifnull(({part.text}), 0)", part.values)
            where = _joined("and", [where, part])
        exists = "NOT EXISTS" if tree.word == "all" else "EXISTS"
        text = f'{exists} (SELECT 1 FROM "{inner.table.name}" {inner.alias} WHERE {where.text})'
        return Sql(text, where.values)

    def _joining(self, member: Collection | Association, scope: Scope, inner: Scope) -> str:
        near = f'{scope.alias}."{scope.table.key}"'
        if isinstance(member, Association):
            return (
                f'{inner.alias}."{inner.table.key}" IN (SELECT {member.far} FROM '
                f'"{member.pairs}" WHERE {member.near} = {near})'
            )
        return f'{inner.alias}."{member.single.lookup.name}" = {near}' + _kind(
            member.single, inner.alias, self._schema
        )

    def _query_function(self, tree: QueryFunction, scope: Scope) -> Sql:
        function = QUERY_FUNCTIONS.get(tree.name)
        if function is None:
            raise bad_query(f"An unknown function with name '{tree.name}' was found.")
        named = tree.arguments.get("PropertyName")
        if named is None:
            raise bad_query(f"The function '{tree.name}' needs the argument PropertyName.")
        names = tuple(named.text.split("/"))
        name = names[-1]
        if name not in scope.table.columns and f"_{name}_value" in scope.table.columns:
            names = (*names[:-1], f"_{name}_value")
        reached = self.reached(names, scope)
        called = Called(reached.column, reached.sql, tree.arguments, self._asker)
        return Sql(*function(called))


def _joined(word: str, parts: list[Sql]) -> Sql:
    """In halves: SQLite counts the depth of a long chain, and has a limit."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    left, right = _joined(word, parts[:middle]), _joined(word, parts[middle:])
    return Sql(f"(({left.text}) {word.upper()} ({right.text}))", (*left.values, *right.values))


def _kind(single: Single, alias: str, schema: Schema) -> str:
    """The further condition of a lookup that may point at several tables."""
    if not single.lookup.several:
        return ""
    kinds = ",".join(f"'{kind}'" for kind in schema.kinds(single.target))
    return f' AND {alias}."{single.lookup.kind}" IN ({kinds})'


def _folded(reached: Reached) -> str:
    return f"fold({reached.sql})" if reached.column.edm == "Edm.String" else reached.sql


def matched(reached: Reached, pattern: str, wanted: str) -> Sql:
    """Text that holds, begins or ends with another; case does not count."""
    escaped = re.sub(r"([%_\\])", r"\\\1", wanted.casefold())
    return Sql(f"fold({reached.sql}) LIKE ? ESCAPE '\\'", (pattern.format(escaped),))


def compared(reached: Reached, operator: str, literal: Literal) -> Sql:
    """A column against a value; raises `Refusal` where their types do not go together."""
    sign, kind = SIGNS[operator]
    column = reached.column
    if literal.kind == "null":
        texts = {"eq": f"{reached.sql} IS NULL", "ne": f"{reached.sql} IS NOT NULL"}
        return Sql(texts.get(operator, "0"))
    if column.edm not in LITERALS[literal.kind]:
        raise bad_query(
            "A binary operator with incompatible types was detected. Found operand types "
            f"'{column.edm}' and '{EDM_OF_LITERAL[literal.kind]}' for operator kind '{kind}'."
        )
    return Sql(f"{_folded(reached)} {sign} ?", (comparable(column, literal),))


def comparable(column: Column, literal: Literal) -> Any:
    """The value in the form in which the column is kept and compared."""
    if literal.kind == "text":
        return literal.text.casefold()
    if literal.kind == "number":
        number = Decimal(literal.text)
        scaled = number.scaleb(column.places) if isinstance(column, Number) else number
        return int(scaled) if scaled == int(scaled) and abs(scaled) < 2**63 else float(scaled)
    if literal.kind == "bool":
        return int(literal.text == "true")
    if literal.kind == "guid":
        return literal.text.lower()
    if literal.kind == "day":
        return f"{literal.text}T00:00:00Z" if isinstance(column, Moment) else literal.text
    try:
        return utc(literal.text, column.edm)
    except Mismatch as mismatch:
        raise bad_query(str(mismatch)) from None
