"""What an environment's tables are made of: columns, navigation and keys. No rows, no requests.

A schema comes from a live environment (`csdl.py`, `definitions.py`), from a saved file
(`schema_file.py`) or with the package (the standard tables). It is immutable; threads may share it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from ..nearest_name import meant_or_all

ColumnType = Literal[
    "text",
    "memo",
    "whole",
    "big",
    "decimal",
    "float",
    "money",
    "boolean",
    "choice",
    "choices",
    "moment",
    "date",
    "id",
    "lookup",
    "binary",
    "other",
]
EDM: dict[str, str] = {
    "text": "Edm.String",
    "memo": "Edm.String",
    "whole": "Edm.Int32",
    "big": "Edm.Int64",
    "decimal": "Edm.Decimal",
    "float": "Edm.Double",
    "money": "Edm.Decimal",
    "boolean": "Edm.Boolean",
    "choice": "Edm.Int32",
    "choices": "Edm.String",
    "moment": "Edm.DateTimeOffset",
    "date": "Edm.Date",
    "id": "Edm.Guid",
    "lookup": "Edm.Guid",
    "binary": "Edm.Binary",
    "other": "",
}


@dataclass(frozen=True)
class Column:
    """One column, as a body names it. A lookup's is `_x_value`, which is only read.

    low, high: the least and the greatest number. places: digits behind the point. behavior: of a
    date, UserLocal, TimeZoneIndependent or DateOnly. required: a create without it is refused.
    creatable, updatable: whether a value sent has an effect. targets: the tables of a lookup.
    states: of a status reason, the state that each number belongs to.
    """

    name: str
    type: ColumnType
    max_length: int | None = None
    low: float | None = None
    high: float | None = None
    places: int | None = None
    choices: Mapping[int, str] = field(default_factory=dict)
    behavior: str = ""
    required: bool = False
    creatable: bool = True
    updatable: bool = True
    targets: tuple[str, ...] = ()
    states: Mapping[int, int] = field(default_factory=dict)

    @property
    def edm(self) -> str:
        """The type in `$metadata`, such as Edm.Int32."""
        return EDM[self.type]

    @property
    def attribute(self) -> str:
        """The logical name: of `_primarycontactid_value`, primarycontactid."""
        return self.name[1:-6] if self.type == "lookup" else self.name

    def holds(self, number: float) -> bool:
        """Whether a number is within the range, if there is one."""
        return (self.low is None or number >= self.low) and (
            self.high is None or number <= self.high
        )

    @cached_property
    def labels(self) -> Mapping[str, int]:
        """The numbers of a choice by label; of two labels that are the same, the first."""
        found: dict[str, int] = {}
        for number, label in self.choices.items():
            found.setdefault(label, number)
        return found

    def has_label(self, text: str) -> bool:
        """Whether a choice has this label, in whatever case."""
        return text.strip().lower() in {label.strip().lower() for label in self.choices.values()}


@dataclass(frozen=True)
class Navigation:
    """A navigation property: one row of `target`, or a collection of them.

    partner: the property that leads back, "" where there is none. column: `_x_value` of a single
    one. many: many rows on both sides.
    """

    name: str
    target: str
    collection: bool = False
    partner: str = ""
    column: str = ""
    many: bool = False


@dataclass(frozen=True)
class Key:
    """An alternate key: logical names of columns whose values are unique together."""

    name: str
    columns: tuple[str, ...]
    status: str = "Active"

    @property
    def active(self) -> bool:
        """Whether rows can be addressed by it: its index is built."""
        return self.status == "Active"


@dataclass(frozen=True)
class Table:
    """One table. A partial one is known by name, set and key only.

    base: the table whose columns it shares (activitypointer, principal). locks: whether If-Match
    works. columns and navigation hold what is inherited, too.
    """

    name: str
    entity_set: str = ""
    key: str = ""
    base: str = ""
    title_column: str = ""
    activity: bool = False
    elastic: bool = False
    locks: bool = True
    partial: bool = False
    columns: Mapping[str, Column] = field(default_factory=dict)
    navigation: Mapping[str, Navigation] = field(default_factory=dict)
    keys: Mapping[str, Key] = field(default_factory=dict)

    @cached_property
    def lookups(self) -> Mapping[str, Column]:
        """The lookups by logical name."""
        return {one.attribute: one for one in self.columns.values() if one.type == "lookup"}

    def bindable(self, attribute: str) -> list[str]:
        """The navigation properties that set a lookup: `customerid_account`, …"""
        column = f"_{attribute}_value"
        return [one.name for one in self.navigation.values() if one.column == column]


@dataclass(frozen=True)
class Schema:
    """Tables by logical name.

    environment: the address it was read from, "" for the standard tables, which come with the
    package and know nothing of an environment's own columns. version: the environment's metadata
    version then.
    """

    tables: Mapping[str, Table]
    environment: str = ""
    version: str = ""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Schema:
        """Read a saved file; raises ConfigError (E260)."""
        from .schema_file import load

        return load(path)

    @classmethod
    def standard(cls) -> Schema:
        """The standard tables with their usual lengths and choices, as this package knows them."""
        from .schema_file import standard

        return standard()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file that `load` reads: sorted, a column to a line."""
        from .schema_file import save

        save(self, path)

    @property
    def is_standard(self) -> bool:
        """Whether it comes with the package, so that an environment may have more."""
        return not self.environment

    def table(self, name: str) -> Table | None:
        """The table of a logical name; None where it is not known."""
        return self.tables.get(name)

    @cached_property
    def sets(self) -> Mapping[str, Table]:
        """The tables by entity set."""
        return {one.entity_set: one for one in self.tables.values() if one.entity_set}

    @property
    def full_tables(self) -> Iterator[Table]:
        """The tables whose columns are known."""
        return (one for one in self.tables.values() if not one.partial)

    def fits(self, table: str, target: str) -> bool:
        """Whether a row of a table may stand where one of `target` is asked for."""
        seen: set[str] = set()
        while table and table not in seen:
            if table == target:
                return True
            seen.add(table)
            known = self.tables.get(table)
            table = known.base if known else ""
        return target == "crmbaseentity"

    def meant(self, name: str) -> str:
        """`did you mean "account"?`, or the list of what there is."""
        return meant_or_all(name, sorted(one.name for one in self.full_tables))

    def only(self, names: Iterable[str]) -> Schema:
        """These tables in full, and in part those that their navigation leads to."""
        kept = {name: self.tables[name] for name in names if name in self.tables}
        for table in list(kept.values()):
            reached = [table.base, *(one.target for one in table.navigation.values())]
            for name in (*reached, *(t for c in table.columns.values() for t in c.targets)):
                if name in self.tables and name not in kept:
                    kept[name] = slight(self.tables[name])
        for table in list(kept.values()):
            if table.base in self.tables:
                kept.setdefault(table.base, slight(self.tables[table.base]))
        return replace(self, tables=kept)


def text_length(text: str) -> int:
    """Characters as the service counts them: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def slight(table: Table) -> Table:
    """A table by name, set, key and base alone."""
    return Table(
        table.name,
        table.entity_set,
        table.key,
        table.base,
        title_column=table.title_column,
        activity=table.activity,
        elastic=table.elastic,
        locks=table.locks,
        partial=True,
    )
