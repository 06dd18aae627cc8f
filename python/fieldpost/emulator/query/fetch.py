"""FetchXML: "Query data using FetchXml". One entity, its links, conditions, order, aggregates.

Columns are named as the Web API names them: a lookup `x` is shown as `_x_value`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ..answer import Answer, document
from ..model import Column, Mismatch, Schema, Table
from ..records.condition import etag
from ..refusal import Refusal, bad_query
from ..store import Rows
from .annotation import FORMATTED, formatted
from .filter import Asker, Reached, Sql, comparable, compared
from .function import QUERY_FUNCTIONS, Called
from .syntax import Literal

if TYPE_CHECKING:
    from ..request import Preferences

COMPARISONS = {"eq": "eq", "ne": "ne", "neq": "ne", "gt": "gt", "ge": "ge", "lt": "lt", "le": "le"}
FUNCTIONS = {
    "eq-userid": "EqualUserId",
    "ne-userid": "NotEqualUserId",
    "eq-businessid": "EqualBusinessId",
    "on": "On",
    "not-on": "NotOn",
    "on-or-after": "OnOrAfter",
    "on-or-before": "OnOrBefore",
    "begins-with": "BeginsWith",
    "not-begin-with": "DoesNotBeginWith",
    "ends-with": "EndsWith",
    "not-end-with": "DoesNotEndWith",
    "in": "In",
    "not-in": "NotIn",
    "between": "Between",
    "not-between": "NotBetween",
    "contain-values": "ContainValues",
    "not-contain-values": "DoesNotContainValues",
    "today": "Today",
    "yesterday": "Yesterday",
    "tomorrow": "Tomorrow",
    "last-seven-days": "Last7Days",
    "next-seven-days": "Next7Days",
    **{f"{t}-{u}": f"{t.title()}{u.title()}" for t in ("last", "this", "next")
       for u in ("week", "month", "year")},
    **{f"{t}-x-{u}": f"{t.title()}X{u.title()}" for t in ("last", "next")
       for u in ("hours", "days", "weeks", "months", "years")},
    **{f"olderthan-x-{u}": f"OlderThanX{u.title()}"
       for u in ("minutes", "hours", "days", "weeks", "months", "years")},
}  # fmt: skip
AGGREGATES = {
    "count": "count(*)",
    "countcolumn": "count({})",
    "sum": "sum({})",
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
}
LARGEST = 5000
ALIAS = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Fetch:
    """One query. Call inside a transaction."""

    def __init__(self, rows: Rows, schema: Schema, asker: Asker) -> None:
        self._rows = rows
        self._schema = schema
        self._asker = asker
        self._shown: list[tuple[str, str, Column | None]] = []
        self._groups: list[str] = []
        self._joins: list[str] = []
        self._join_values: list[Any] = []
        self._conditions: list[Sql] = []
        self._orders: list[str] = []
        self._aliases: dict[str, tuple[Table, str]] = {}
        self._aggregate = False

    def answer(self, table: Table, text: str, base: str, preferences: Preferences) -> Answer:
        """The page that the query asks for."""
        options = {name.lower(): value for name, value in parse_qsl(text)}
        try:
            root = ElementTree.fromstring(options["fetchxml"])
        except ElementTree.ParseError as error:
            raise Refusal(400, "0x80040201", f"Invalid XML: {error}") from None
        entity = root.find("entity")
        if root.tag != "fetch" or entity is None or entity.get("name") != table.name:
            raise Refusal(400, "0x80041102", f"The fetch is not one of '{table.name}'.")
        _check_aliases(root)
        self._aggregate = root.get("aggregate") == "true"
        self._entity(entity, table, "t0", "")
        size = _number(root.get("count")) or preferences.page_size or LARGEST
        top, page = _number(root.get("top")), _number(root.get("page")) or 1
        limit, start = (top, 0) if top else (size, (page - 1) * size)
        sql, values = self._sql(table, root.get("distinct") == "true", limit + 1, start)
        found = self._rows.raw(sql, values)
        content = self._content(table, found[:limit], base, preferences)
        annotations = preferences.annotations
        more = len(found) > limit and not top
        if "Microsoft.Dynamics.CRM.morerecords" in annotations:
            content["@Microsoft.Dynamics.CRM.morerecords"] = more
        if more:  # clients that page by it do not all ask for it
            cookie = quote(quote(f'<cookie page="{page}"></cookie>'))
            content["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"] = (
                f'<cookie pagenumber="{page + 1}" pagingcookie="{cookie}" istracking="False" />'
            )
        if root.get("returntotalrecordcount") == "true":
            total = self._rows.raw(f"SELECT count(*) FROM ({self._sql(table)[0]})", values[:-2])
            content["@Microsoft.Dynamics.CRM.totalrecordcount"] = total[0][0]
        return document(200, content)

    def _content(
        self, table: Table, found: list[tuple[Any, ...]], base: str, preferences: Preferences
    ) -> dict[str, Any]:
        rows = []
        for values in found:
            row: dict[str, Any] = {}
            for (alias, _, column), value in zip(self._shown, values, strict=True):
                if alias == "@odata.etag":
                    row[alias] = etag(value)
                elif value is not None:
                    row[alias] = column.shown(value) if column else value
                    words = formatted(column, value) if column else None
                    if words is not None and FORMATTED in preferences.annotations:
                        row[f"{alias}@{FORMATTED}"] = words
            rows.append(row)
        return {"@odata.context": f"{base}/$metadata#{table.entity_set}", "value": rows}

    def _sql(
        self, table: Table, distinct: bool = False, limit: int | None = None, start: int = 0
    ) -> tuple[str, list[Any]]:
        names = ", ".join(f'{sql} AS "{alias}"' for alias, sql, _ in self._shown)
        where = " AND ".join(condition.text for condition in self._conditions) or "1"
        sql = (
            f'SELECT {"DISTINCT " if distinct else ""}{names} FROM "{table.name}" t0 '
            f"{' '.join(self._joins)} WHERE {where}"
        )
        if self._groups:
            sql += f" GROUP BY {', '.join(self._groups)}"
        order = list(self._orders)
        if not self._aggregate and not distinct:
            order.append(f"t0.{table.order}")
        if order:
            sql += f" ORDER BY {', '.join(order)}"
        values = [*self._join_values]
        values += [value for condition in self._conditions for value in condition.values]
        if limit is not None:
            sql += " LIMIT ? OFFSET ?"
            values += [limit, start]
        return sql, values

    def _entity(self, element: Element, table: Table, alias: str, prefix: str) -> None:
        self._aliases[element.get("alias") or table.name] = (table, alias)
        if not prefix and not self._aggregate:
            self._shown.append(("@odata.etag", 't0."versionnumber"', None))
            self._shown.append((table.key, f't0."{table.key}"', table.columns[table.key]))
        if element.find("all-attributes") is not None:
            for name in table.columns:
                self._show(table, alias, prefix, name, None)
        for child in element:
            if child.tag == "attribute":
                self._attribute(child, table, alias, prefix)
            elif child.tag == "link-entity":
                self._link(child, table, alias)
        for child in element:
            if child.tag == "filter":
                self._conditions.append(self._filter(child, table, alias))
            elif child.tag == "order":
                self._order(child, table, alias)

    def _column(self, table: Table, name: str | None) -> Column:
        column = table.columns.get(name or "") or table.columns.get(f"_{name}_value")
        if column is None:
            message = f"'{table.name}' entity doesn't contain attribute with Name = '{name}'."
            raise Refusal(400, "0x80041103", message)
        return column

    def _attribute(self, element: Element, table: Table, alias: str, prefix: str) -> None:
        name, shown = element.get("name"), element.get("alias")
        column = self._column(table, name)
        sql = f'{alias}."{column.name}"'
        if self._aggregate:
            if shown is None:
                raise bad_query("An aggregate query needs an alias for each attribute.")
            if element.get("groupby") == "true":
                self._groups.append(sql)
                self._shown.append((shown, sql, column))
            else:
                self._aggregated(element, sql, column, shown)
            return
        self._show(table, alias, prefix, column.name, shown)

    def _aggregated(self, element: Element, sql: str, column: Column, shown: str) -> None:
        how = element.get("aggregate") or ""
        pattern = AGGREGATES.get(how)
        if pattern is None:
            raise bad_query(f"Unknown aggregate '{how}'.")
        if how == "countcolumn" and element.get("distinct") == "true":
            pattern = "count(DISTINCT {})"
        counted = how in ("count", "countcolumn")
        self._shown.append((shown, pattern.format(sql), None if counted else column))

    def _show(self, table: Table, alias: str, prefix: str, name: str, shown: str | None) -> None:
        attribute = name[1:].removesuffix("_value") if name.startswith("_") else name
        label = shown or (f"{prefix}.{attribute}" if prefix else name)
        if all(known != label for known, _, _ in self._shown):
            self._shown.append((label, f'{alias}."{name}"', table.columns[name]))

    def _link(self, element: Element, table: Table, alias: str) -> None:
        name = element.get("name") or ""
        target = self._schema.tables.get(name)
        if target is None:
            raise Refusal(400, "0x80041102", f"The entity with a name = '{name}' was not found.")
        inner = f"l{len(self._joins) + 1}"
        near = self._column(table, element.get("to")).name
        far = self._column(target, element.get("from")).name
        kind = element.get("link-type", "inner")
        if kind not in ("inner", "outer"):
            raise bad_query(f"The link type '{kind}' is not supported.")
        on = f'{inner}."{far}" = {alias}."{near}"'
        position = len(self._joins)
        self._joins.append("")
        before = len(self._conditions)
        self._entity(element, target, inner, element.get("alias") or f"{name}{position + 1}")
        if kind == "outer":  # conditions of an outer link belong to the join
            for condition in self._conditions[before:]:
                on += f" AND {condition.text}"
                self._join_values += condition.values
            del self._conditions[before:]
        join = "LEFT JOIN" if kind == "outer" else "JOIN"
        self._joins[position] = f'{join} "{target.name}" {inner} ON {on}'

    def _filter(self, element: Element, table: Table, alias: str) -> Sql:
        parts = []
        for child in element:
            if child.tag == "filter":
                parts.append(self._filter(child, table, alias))
            elif child.tag == "condition":
                parts.append(self._condition(child, table, alias))
        if not parts:
            return Sql("1")
        text = f" {element.get('type', 'and').upper()} ".join(part.text for part in parts)
        return Sql(f"({text})", tuple(value for part in parts for value in part.values))

    def _condition(self, element: Element, table: Table, alias: str) -> Sql:
        if element.get("entityname"):
            table, alias = self._aliases[element.get("entityname") or ""]
        column = self._column(table, element.get("attribute"))
        reached = Reached(column, f'{alias}."{column.name}"')
        operator = element.get("operator") or ""
        value = element.get("value")
        if operator in ("null", "not-null"):
            return Sql(f"{reached.sql} IS {'NOT ' if operator == 'not-null' else ''}NULL")
        if operator in ("like", "not-like"):
            word = "NOT LIKE" if operator == "not-like" else "LIKE"
            return Sql(f"fold({reached.sql}) {word} ?", ((value or "").casefold(),))
        if operator in COMPARISONS:
            return compared(reached, COMPARISONS[operator], _literal(column, value or ""))
        function = QUERY_FUNCTIONS.get(FUNCTIONS.get(operator, ""))
        if function is None:
            raise bad_query(f"The operator '{operator}' is not supported.")
        values = [child.text or "" for child in element.findall("value")]
        arguments = {"PropertyValues": Literal("list", json.dumps(values))}
        if value is not None:
            arguments["PropertyValue"] = Literal("text", value)
        return Sql(*function(Called(column, reached.sql, arguments, self._asker)))

    def _order(self, element: Element, table: Table, alias: str) -> None:
        direction = "DESC" if element.get("descending") == "true" else "ASC"
        if element.get("alias") and self._aggregate:
            self._orders.append(f'"{element.get("alias")}" {direction}')
            return
        column = self._column(table, element.get("attribute"))
        sql = f'{alias}."{column.name}"'
        self._orders.append(f"{f'fold({sql})' if column.edm == 'Edm.String' else sql} {direction}")


def _literal(column: Column, value: str) -> Literal:
    """The text of an XML attribute as a value of the column's type."""
    kinds = {
        "Edm.String": "text",
        "Edm.Guid": "guid",
        "Edm.Boolean": "bool",
        "Edm.Date": "day",
        "Edm.DateTimeOffset": "moment" if "T" in value else "day",
    }
    kind = kinds.get(column.edm, "number")
    if kind == "bool":
        value = "true" if value.lower() in ("1", "true") else "false"
    if kind == "guid":
        value = value.strip("{}")
    literal = Literal(kind, value)
    try:
        comparable(column, literal)
    except (ArithmeticError, ValueError, Mismatch):
        raise bad_query(f"The value '{value}' is not one of '{column.name}'.") from None
    return literal


def _check_aliases(root: Element) -> None:
    """Aliases become names in SQL: nothing but letters, digits and underscores may."""
    for element in root.iter():
        alias = element.get("alias")
        if alias is not None and not ALIAS.fullmatch(alias):
            raise bad_query(f"'{alias}' is not a valid alias.")


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit() or len(text) > 9:
        raise bad_query(f"'{text}' is not a number of rows.")
    return int(text)
