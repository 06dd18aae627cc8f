"""What differs between two schemas, table by table, in words that people can act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from .schema import Schema, Table

_PARTS = {"columns": "column", "navigation": "navigation", "keys": "key"}


@dataclass(frozen=True)
class SchemaChange:
    """One difference. kind: table, column, navigation or key; change: added, removed, changed.

    of: what changed about it, such as max_length, with the values before and after; "" for what
    was added or removed.
    """

    change: str
    kind: str
    table: str
    name: str
    of: str = ""
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        place = self.table if self.kind == "table" else f"{self.table}.{self.name}"
        if self.change != "changed":
            return f"{self.kind} {place} {self.change}"
        return f"{self.kind} {place}: {self.of} {_shown(self.before)} → {_shown(self.after)}"


def changes(old: Schema, new: Schema) -> list[SchemaChange]:
    """What is otherwise in `new`, of the tables whose columns `old` knows."""
    found: list[SchemaChange] = []
    for name in sorted(old.tables):
        before, after = old.tables[name], new.tables.get(name)
        if before.partial:
            continue
        if after is None:
            found.append(SchemaChange("removed", "table", name, name))
        elif not after.partial:
            found += _table(before, after)
    return found


def _table(before: Table, after: Table) -> Iterator[SchemaChange]:
    yield from _facts("table", before.name, before.name, before, after, (*_PARTS, "name"))
    for part, kind in _PARTS.items():
        old: Mapping[str, Any] = getattr(before, part)
        new: Mapping[str, Any] = getattr(after, part)
        for name in sorted({*old, *new}):
            if name not in new:
                yield SchemaChange("removed", kind, before.name, name)
            elif name not in old:
                yield SchemaChange("added", kind, before.name, name)
            else:
                yield from _facts(kind, before.name, name, old[name], new[name], ("name",))


def _facts(
    kind: str, table: str, name: str, before: Any, after: Any, without: tuple[str, ...]
) -> Iterator[SchemaChange]:
    for one in fields(before):
        old, new = getattr(before, one.name), getattr(after, one.name)
        if one.name not in without and old != new:
            if one.name == "states":
                if old and new:  # schemas of earlier versions do not tell them
                    yield from _numbered(table, name, "state of choice", old, new)
            elif isinstance(old, Mapping):
                yield from _numbered(table, name, "choice", old, new)
            else:
                yield SchemaChange("changed", kind, table, name, one.name, old, new)


def _numbered(
    table: str, name: str, what: str, old: Mapping[int, Any], new: Mapping[int, Any]
) -> Iterator[SchemaChange]:
    for number in sorted({*old, *new}):
        if old.get(number) != new.get(number):
            of = f"{what} {number}"
            yield SchemaChange(
                "changed", "column", table, name, of, old.get(number), new.get(number)
            )


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "nothing"
    return f"{value:,.15g}" if isinstance(value, float) else str(value)
