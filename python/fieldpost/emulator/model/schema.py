"""Tables and the two directions of every relationship, resolved once when the schema is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .column import Choice, Column, Lookup, Money


@dataclass(frozen=True)
class Single:
    """A single-valued navigation property: a row of `target`, kept in `lookup`."""

    name: str
    target: str
    lookup: Lookup
    partner: str | None
    read_only: bool = False


@dataclass(frozen=True)
class Collection:
    """A collection-valued navigation property: the rows of `target` whose `single` points here."""

    name: str
    target: str
    single: Single


@dataclass(frozen=True)
class States:
    """A table's states by number, and the state that each status reason belongs to."""

    labels: tuple[str, ...]
    statuses: Mapping[int, int]

    def first(self, state: int) -> int:
        """The status reason that a state gets when none is given."""
        return next(status for status, of in self.statuses.items() if of == state)


@dataclass
class Table:
    """One table. `members` holds all that a body may name, `columns` all that a query may."""

    name: str
    entity_set: str
    key: str
    columns: dict[str, Column]
    singles: dict[str, Single]
    states: States | None = None
    full_name: bool = False
    seeded: bool = False
    collections: dict[str, Collection] = field(default_factory=dict)
    members: dict[str, Column | Single | Collection] = field(default_factory=dict)
    money: dict[str, Money] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.money = {
            c.name: c for c in self.columns.values() if isinstance(c, Money) and not c.read_only
        }

    @property
    def lookups(self) -> Iterable[Lookup]:
        """The columns that point at other rows."""
        return (column for column in self.columns.values() if isinstance(column, Lookup))

    def link(self) -> None:
        """Fill `members`; called by the schema when every collection is known."""
        self.members = {**self.columns, **self.singles, **self.collections}


class Schema:
    """All tables of the environment, by name and by entity set."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables = {table.name: table for table in tables}
        self.sets = {table.entity_set: table for table in self.tables.values()}
        for table in self.tables.values():
            for single in table.singles.values():
                self._add_partner(table, single)
        for table in self.tables.values():
            table.link()

    def _add_partner(self, table: Table, single: Single) -> None:
        if single.partner:
            collection = Collection(single.partner, table.name, single)
            self.tables[single.target].collections[single.partner] = collection


def states_of(
    labels: tuple[str, ...], statuses: Mapping[int, int]
) -> tuple[States, Choice, Choice]:
    """The states of a table together with the two columns that keep them."""
    default = States(labels, statuses)
    state = Choice(name="statecode", options=tuple(range(len(labels))), default=0)
    status = Choice(name="statuscode", options=tuple(statuses), default=default.first(0))
    return default, state, status
