"""Reads of metadata: EntityDefinitions and what hangs off them, with their own query options.

All in memory, generated from the model for each request; there is no paging.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ..address import Segment
from ..answer import Answer, document
from ..model import Lookup, Schema, Table
from ..model.definition import (
    Definition,
    attribute_definitions,
    key_definition,
    option_set,
    table_definition,
)
from ..model.relationship import many_to_many, one_to_many
from ..refusal import Refusal, bad_query, unknown_segment, wrong_method
from .options import split_outside
from .syntax import (
    Comparison,
    Condition,
    Literal,
    Logic,
    Negation,
    Path,
    QueryFunction,
    TextFunction,
    condition_of,
)

ROOTS = {"EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions"}
CRM = "Microsoft.Dynamics.CRM."
EXPANDED = ("OptionSet", "GlobalOptionSet")


class Definitions:
    """Answers one request for metadata."""

    def __init__(self, schema: Schema, base: str, query: str, aliases: Mapping[str, str]) -> None:
        self._schema = schema
        self._base = base
        pairs = parse_qsl(query, keep_blank_values=True)
        self._options = {name: value for name, value in pairs if name.startswith("$")}
        self._aliases = aliases

    def answer(self, method: str, path: list[Segment]) -> Answer:
        """The definitions that the path names."""
        if method != "GET":
            raise wrong_method(method)
        found = self._walked(path)
        context = f"{self._base}/$metadata#{'/'.join(segment.name for segment in path)}"
        if isinstance(found, list):
            rows = self._listed(found)
            content: Definition = {"@odata.context": context}
            if self._options.get("$count") == "true":
                content["@odata.count"] = len(rows)
            return document(200, {**content, "value": rows})
        if isinstance(found, dict):
            return document(
                200, {"@odata.context": f"{context}/$entity", **self._shaped(found, self._options)}
            )
        return document(200, {"@odata.context": context, "value": found})

    def _walked(self, path: list[Segment]) -> Any:
        first, *rest = path
        if first.name == "GlobalOptionSetDefinitions":
            found: Any = self._global_option_sets()
        elif first.name == "RelationshipDefinitions":
            found = self._relationships()
        else:
            found = [self._full(table) for table in self._schema.tables.values()]
        if first.inside is not None:
            found = self._picked(found, first.inside)
        for segment in rest:
            found = self._step(found, segment)
        return found

    def _full(self, table: Table) -> Definition:
        """A definition whose expansions are made only when they are asked for."""
        definition = table_definition(self._schema, table)
        expansions: dict[str, Callable[[], list[Definition]]] = {
            "Attributes": lambda: self._attributes(table),
            "Keys": lambda: [key_definition(table, key) for key in table.keys.values()],
            "ManyToOneRelationships": lambda: [
                one_to_many(self._schema, table, single) for single in table.singles.values()
            ],
            "OneToManyRelationships": lambda: self._one_to_many(table),
            "ManyToManyRelationships": lambda: self._many_to_many(table),
        }
        return definition | {f"*{name}": made for name, made in expansions.items()}

    def _attributes(self, table: Table) -> list[Definition]:
        found = attribute_definitions(self._schema, table)
        by_name = {
            (c.attribute if isinstance(c, Lookup) else c.name): c for c in table.columns.values()
        }
        for definition in found:
            column = by_name.get(definition["LogicalName"])
            options = option_set(table, column) if column else None
            if options is not None:
                shared = options if options["IsGlobal"] else None
                definition["*OptionSet"] = _constant(options)
                definition["*GlobalOptionSet"] = _constant(shared)
        return found

    def _global_option_sets(self) -> list[Definition]:
        """Each choice that columns share, once."""
        columns = ((t, c) for t in self._schema.tables.values() for c in t.columns.values())
        found = (option_set(table, column) for table, column in columns)
        by_name = {o["Name"]: o for o in found if o is not None and o["IsGlobal"]}
        kind = "#Microsoft.Dynamics.CRM.OptionSetMetadata"
        return [{"@odata.type": kind, **by_name[name]} for name in sorted(by_name)]

    def _one_to_many(self, table: Table) -> list[Definition]:
        return [
            one_to_many(self._schema, other, single)
            for other in self._schema.tables.values()
            for single in other.singles.values()
            if single.target == table.name and single.partner
        ]

    def _many_to_many(self, table: Table) -> list[Definition]:
        return [
            many_to_many(self._schema, other, many)
            for other in self._schema.tables.values()
            for many in other.manys.values()
            if table.name in (other.name, many.other)
        ]

    def _relationships(self) -> list[Definition]:
        tables = self._schema.tables.values()
        return [
            *(one_to_many(self._schema, t, s) for t in tables for s in t.singles.values()),
            *(many_to_many(self._schema, t, m) for t in tables for m in t.manys.values()),
        ]

    def _picked(self, found: list[Definition], inside: str) -> Definition:
        """The one of a name or id."""
        name, equals, value = inside.partition("=")
        value = self._aliases.get(value.strip(), value.strip()) if equals else inside
        wanted = value.strip("'")
        name = name.strip() if equals else "MetadataId"
        for definition in found:
            if str(definition.get(name)).lower() == wanted.lower() and (
                name == "MetadataId" or definition.get(name) == wanted
            ):
                return definition
        return self._missing(wanted)

    def _missing(self, wanted: str) -> Definition:
        raise Refusal(
            404, "0x80060888", f"Could not find an entity with specified identifier: {wanted}."
        )

    def _step(self, found: Any, segment: Segment) -> Any:
        if segment.name.startswith(CRM):
            return _cast(found, segment.name)
        if isinstance(found, list) and segment.name == "$count":
            return len(found)
        if not isinstance(found, dict):
            raise unknown_segment(segment.name)
        made = found.get(f"*{segment.name}")
        if made is not None:
            rows = made()
            return self._picked(rows, segment.inside) if segment.inside is not None else rows
        if segment.name in found:
            return found[segment.name]
        raise unknown_segment(segment.name)

    def _listed(self, found: list[Definition]) -> list[Definition]:
        text = self._options.get("$filter")
        if text:
            condition = condition_of(text, self._aliases)
            found = [definition for definition in found if _true(condition, definition)]
        order = self._options.get("$orderby")
        if order:
            name, _, direction = order.strip().partition(" ")
            found = sorted(
                found, key=lambda d: str(d.get(name) or ""), reverse=direction.strip() == "desc"
            )
        top = self._options.get("$top")
        if top and top.isdigit():
            found = found[: int(top)]
        return [self._shaped(definition, self._options) for definition in found]

    def _shaped(self, definition: Definition, options: Mapping[str, str]) -> Definition:
        """What `$select` and `$expand` leave of a definition."""
        names = [n.strip() for n in options.get("$select", "").split(",") if n.strip()]
        plain = {name: value for name, value in definition.items() if not name.startswith("*")}
        unknown = [name for name in names if name not in plain and not _typed(definition)]
        if unknown:
            kind = "EntityMetadata" if "EntitySetName" in plain else "AttributeMetadata"
            raise bad_query(
                f"Could not find a property named '{unknown[0]}' on type '{CRM}{kind}'."
            )
        if names:
            kept = {name: plain[name] for name in names if name in plain}
            standing = {n: v for n, v in plain.items() if n in ("@odata.type", "MetadataId")}
            plain = {**standing, **kept}
        for part in split_outside(options.get("$expand", ""), ","):
            name, _, inside = part.strip().partition("(")
            made = definition.get(f"*{name}")
            if made is None:
                if name not in EXPANDED and not _typed(definition):
                    raise bad_query(f"Could not find a property named '{name}'.")
                continue
            plain[name] = self._expanded(made(), inside.removesuffix(")"))
        return plain

    def _expanded(self, found: Any, inside: str) -> Any:
        options = {}
        for part in split_outside(inside, ";"):
            name, _, value = part.partition("=")
            options[name.strip()] = value
        if not isinstance(found, list):
            return found if found is None else self._shaped(found, options)
        text = options.get("$filter")
        if text:
            condition = condition_of(text, self._aliases)
            found = [definition for definition in found if _true(condition, definition)]
        return [self._shaped(definition, options) for definition in found]


def _typed(definition: Definition) -> bool:
    """Whether a row may lack what other rows of its list have: attributes differ by type."""
    return "@odata.type" in definition


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def _cast(found: Any, name: str) -> Any:
    kind = f"#{name}"
    if isinstance(found, list):
        kept = [row for row in found if row.get("@odata.type") == kind]
        return [{n: v for n, v in row.items() if n != "@odata.type"} for row in kept]
    if not isinstance(found, dict) or found.get("@odata.type") != kind:
        raise Refusal(404, "0x80060888", f"The definition is not a '{name}'.")
    return found


def _at(definition: Definition, names: Iterable[str]) -> Any:
    value: Any = definition
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _value(operand: Path | Literal, definition: Definition) -> Any:
    if isinstance(operand, Path):
        return _at(definition, operand.names)
    if operand.kind == "null":
        return None
    if operand.kind == "bool":
        return operand.text == "true"
    if operand.kind == "number":
        return float(operand.text)
    return operand.text


def _true(condition: Condition, definition: Definition) -> bool:
    """Whether a definition meets a condition."""
    if isinstance(condition, Logic):
        results = (_true(part, definition) for part in condition.parts)
        return all(results) if condition.word == "and" else any(results)
    if isinstance(condition, Negation):
        return not _true(condition.part, definition)
    if isinstance(condition, Path):
        return bool(_at(definition, condition.names))
    if isinstance(condition, TextFunction):
        kept = str(_at(definition, condition.path.names) or "")
        wanted = condition.wanted.text
        tests = {
            "contains": wanted in kept,
            "startswith": kept.startswith(wanted),
            "endswith": kept.endswith(wanted),
        }
        return tests[condition.name]
    if isinstance(condition, QueryFunction):
        return _in_list(condition, definition)
    if not isinstance(condition, Comparison):
        raise bad_query("any and all are not supported for definitions.")
    return _compared(condition, definition)


def _in_list(condition: QueryFunction, definition: Definition) -> bool:
    if condition.name != "In":
        raise bad_query(f"The function '{condition.name}' is not supported for definitions.")
    name = condition.arguments["PropertyName"].text.lower()
    listed = condition.arguments["PropertyValues"].text
    wanted = [part.strip(" \"'[]") for part in listed.split(",")]
    values = {key.lower(): value for key, value in definition.items()}
    return str(values.get(name)) in wanted


def _compared(condition: Comparison, definition: Definition) -> bool:
    left, right = _value(condition.left, definition), _value(condition.right, definition)
    if condition.operator in ("eq", "ne"):
        same = str(left) == str(right) if isinstance(left, str) else left == right
        return same == (condition.operator == "eq")
    try:
        tests = {
            "gt": left > right,
            "ge": left >= right,
            "lt": left < right,
            "le": left <= right,
        }
    except TypeError:
        return False
    return bool(tests[condition.operator])
