"""JSON body → checked tree of rows to be. Nothing is looked up in the database here.

Rules: "Create a table row using the Web API" (deep insert, bind), OData JSON Format 4.0. Names are
case sensitive. Faults of form win over faults of value, as in the service, where the body is
deserialised as a whole before the first row is validated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..model import Association, Collection, Column, Lookup, Mismatch, Schema, Single, Table
from ..model.column import Boolean, Integer
from ..model.moment import Day
from ..refusal import Refusal, bad_payload, deep_update, lookup_as_column
from ..switches import Switches
from .key import RowKey
from .reference import referenced

BIND = "odata.bind"
CRM = "Microsoft.Dynamics.CRM."
NESTED_LIMIT = 50


@dataclass(slots=True)
class Node:
    """One row to be: its own values, its links to rows that exist, and the rows nested in it."""

    table: Table
    values: dict[str, Any] = field(default_factory=dict)
    links: list[tuple[Single, RowKey | None]] = field(default_factory=list)
    additions: list[tuple[Collection | Association, RowKey]] = field(default_factory=list)
    singles: list[tuple[Single, Node]] = field(default_factory=list)
    collections: list[tuple[Collection | Association, list[Node]]] = field(default_factory=list)

    @property
    def nested(self) -> int:
        """How many rows are nested in it, on all levels."""
        children = [child for _, child in self.singles]
        children += [child for _, nodes in self.collections for child in nodes]
        return sum(1 + child.nested for child in children)


def parsed(body: bytes, entity_set: str) -> dict[str, Any]:
    """The body as one JSON object with exact numbers."""
    try:
        document = json.loads(
            body,
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_without_twins,
        )
    except (ValueError, ArithmeticError) as error:
        raise bad_payload(entity_set, f"Malformed JSON text from the reader: {error}") from None
    if not isinstance(document, dict):
        raise bad_payload(
            entity_set, "Malformed JSON text from the reader: an object was expected."
        )
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"An unexpected '{name}' was found.")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("Multiple properties with one name were found in an object.")
    return members


class PayloadReader:
    """Reads one body. `deep` allows rows nested in rows: creates only."""

    def __init__(
        self,
        schema: Schema,
        base: str,
        entity_set: str,
        switches: Switches,
        *,
        deep: bool,
        contents: Mapping[str, str] | None = None,
    ) -> None:
        self._schema = schema
        self._base = base
        self._set = entity_set
        self._switches = switches
        self._deep = deep
        self._contents = contents
        self._refused: Refusal | None = None

    def read(self, table: Table, body: dict[str, Any]) -> Node:
        """The tree that the body describes; raises `Refusal`."""
        node = self._node(table, body)
        if self._refused:
            raise self._refused
        if not self._switches.V10 and node.nested > NESTED_LIMIT:
            raise Refusal(400, "0x80060888", "The number of related records exceeds the limit.")
        return node

    def _node(self, table: Table, body: dict[str, Any]) -> Node:
        node = Node(table)
        for name, value in body.items():
            if "@" in name:
                self._annotated(node, name, value)
                continue
            member = table.members.get(name)
            if isinstance(member, Column):
                self._value(node, member, value)
            elif isinstance(member, Single):
                self._single(node, member, value)
            elif isinstance(member, Collection | Association):
                self._collection(node, member, value)
            else:
                raise self._invalid(name, table)
        return node

    def _value(self, node: Node, column: Column, value: Any) -> None:
        if isinstance(column, Lookup):
            raise lookup_as_column()
        if column.read_only:
            if not self._switches.V6:
                raise bad_payload(self._set, f"The property '{column.name}' is read-only.")
            return
        if not self._switches.V16:
            value = self._in_the_other_way(column, value)
        try:
            node.values[column.name] = (
                None if value is None else column.stored(value, node.table.name)
            )
        except Mismatch as mismatch:
            raise bad_payload(self._set, str(mismatch)) from None
        except Refusal as refusal:
            self._refused = self._refused or refusal

    def _in_the_other_way(self, column: Column, value: Any) -> Any:
        """A value as a service would take it that is lenient where ours is strict, and reversed."""
        if isinstance(column, Boolean) and value in ("true", "false"):
            return value == "true"
        if isinstance(column, Day) and isinstance(value, str):
            return value[:10]
        if isinstance(column, Integer) and isinstance(value, str):
            raise bad_payload(self._set, str(Mismatch(value, column.edm)))
        if isinstance(column, Integer) and isinstance(value, Decimal) and abs(value) < 2**31:
            return int(value)
        return value

    def _single(self, node: Node, single: Single, value: Any) -> None:
        if value is None:
            node.links.append((single, None))
        elif isinstance(value, dict):
            self._no_deep_update()
            node.singles.append((single, self._node(self._schema.tables[single.target], value)))
        else:
            raise lookup_as_column()

    def _collection(self, node: Node, collection: Collection | Association, value: Any) -> None:
        self._no_deep_update()
        if isinstance(collection, Association) and not self._switches.V9:
            raise bad_payload(self._set, f"Rows cannot be nested in '{collection.name}'.")
        target = self._schema.tables[collection.target]
        children = [self._node(target, child) for child in self._objects(collection.name, value)]
        node.collections.append((collection, children))

    def _objects(self, name: str, value: Any) -> Iterable[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(child, dict) for child in value):
            raise bad_payload(self._set, f"An array of objects was expected for '{name}'.")
        return value

    def _no_deep_update(self) -> None:
        if not self._deep:
            raise deep_update()

    def _annotated(self, node: Node, name: str, value: Any) -> None:
        member_name, _, annotation = name.partition("@")
        if "." not in annotation.strip("."):
            raise bad_payload(
                self._set,
                f"'{annotation}' is an invalid instance annotation name. An instance annotation "
                "name must contain a period that is not at the start or end of the name.",
            )
        if not member_name:
            if annotation == "odata.type":
                self._check_type(node.table, str(value).removeprefix("#"))
            return
        member = node.table.members.get(member_name)
        if member is None:
            raise self._undeclared(member_name)
        if annotation == BIND:
            self._bind(node, member, value)

    def _check_type(self, table: Table, declared: str) -> None:
        name = declared.removeprefix(CRM)
        if declared == name or name not in self._schema.tables:
            message = f"A type named '{declared}' could not be resolved by the model."
        elif not self._schema.fits(self._schema.tables[name], table.name):
            message = f"The type '{declared}' is not assignable to the type '{CRM}{table.name}'."
        else:
            return
        raise bad_payload(self._set, message)

    def _bind(
        self, node: Node, member: Column | Single | Collection | Association, value: Any
    ) -> None:
        if isinstance(member, Single):
            reference = None if value is None else self._reference(member.target, value)
            node.links.append((member, reference))
        elif isinstance(member, Collection | Association):
            self._no_deep_update()
            if not isinstance(value, list):
                raise bad_payload(self._set, f"An array was expected for '{member.name}@{BIND}'.")
            found = [(member, self._reference(member.target, address)) for address in value]
            node.additions.extend(found)
        else:
            raise self._undeclared(member.name)

    def _reference(self, target: str, address: Any) -> RowKey:
        reference = referenced(address, self._schema, self._base, self._contents)
        if not self._schema.fits(reference.table, target):
            raise bad_payload(
                self._set,
                f"A resource of type 'Microsoft.Dynamics.CRM.{reference.table.name}' is not "
                f"assignable to the expected type 'Microsoft.Dynamics.CRM.{target}'.",
            )
        return reference

    def _invalid(self, name: str, table: Table) -> Refusal:
        if not self._switches.V13:
            message = f"Could not find a property named '{name}' on type"
            return Refusal(400, "0x0", f"{message} 'Microsoft.Dynamics.CRM.{table.name}'.")
        return bad_payload(
            self._set,
            f"Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{table.name}'. "
            "Does not support untyped value in non-open type.",
        )

    def _undeclared(self, name: str) -> Refusal:
        return bad_payload(
            self._set,
            f"An undeclared property '{name}' which only has property annotations in the payload "
            "but no property value was found in the payload. In OData, only declared navigation "
            "properties and declared named streams can be represented as properties without "
            "values.",
        )
