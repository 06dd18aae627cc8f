"""Tables and the two directions of every relationship, resolved when the schema is built.

An environment's schema can change while it runs: `Schema.version` rises with every change.
"""

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
class Many:
    """A many-to-many relationship as its first table declares it."""

    name: str
    other: str
    partner: str


@dataclass(frozen=True)
class Association:
    """One direction of a many-to-many: pairs of `near` and `far` ids in the table `pairs`."""

    name: str
    target: str
    partner: str
    pairs: str
    near: str
    far: str


@dataclass(frozen=True)
class AlternateKey:
    """Columns whose values together are unique. Usable while its index is active."""

    name: str
    columns: tuple[str, ...]
    status: str = "Active"


@dataclass(frozen=True)
class States:
    """A table's states by number, and the state that each status reason belongs to."""

    labels: tuple[str, ...]
    statuses: Mapping[int, int]

    def first(self, state: int) -> int:
        """The status reason that a state gets when none is given."""
        return next(status for status, of in self.statuses.items() if of == state)


Member = Column | Single | Collection | Association


@dataclass
class Table:
    """One table. `members` holds all that a body may name, `columns` all that a query may.

    With `union` it has no rows of its own: it shows those of these tables, by what they share.
    """

    name: str
    entity_set: str
    key: str
    columns: dict[str, Column]
    singles: dict[str, Single]
    states: States | None = None
    manys: dict[str, Many] = field(default_factory=dict)
    keys: dict[str, AlternateKey] = field(default_factory=dict)
    primary_name: str | None = None
    base: str | None = None
    union: tuple[str, ...] = ()
    type_code: int = 10000
    full_name: bool = False
    fixed: bool = False
    elastic: bool = False
    bulk: bool = True
    locks_optimistically: bool = True
    custom: bool = False
    collections: dict[str, Collection] = field(default_factory=dict)
    associations: dict[str, Association] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    money: dict[str, Money] = field(default_factory=dict)

    @property
    def lookups(self) -> Iterable[Lookup]:
        """The columns that point at other rows."""
        return (column for column in self.columns.values() if isinstance(column, Lookup))

    @property
    def tracks_changes(self) -> bool:
        """Whether change tracking is on, as it is by default for the standard tables of Sales."""
        return self.name in _TRACKED

    @property
    def kept_key(self) -> str:
        """The column of the database that tells rows apart, partitions included."""
        return "_row" if self.elastic else self.key

    @property
    def activity(self) -> bool:
        """Whether its rows are activities."""
        return self.base == "activitypointer"

    @property
    def order(self) -> str:
        """The column in whose order rows come when nothing else is asked."""
        return f'"{self.key}"' if self.union else "rowid"

    def link(self) -> None:
        """Fill `members` and `money`; called by the schema when every collection is known."""
        self.members = {**self.columns, **self.singles, **self.collections, **self.associations}
        self.money = {
            c.name: c for c in self.columns.values() if isinstance(c, Money) and not c.read_only
        }


_TRACKED = ("account", "contact", "lead", "opportunity", "task", "systemuser", "team")


class Schema:
    """All tables of the environment, by name and by entity set."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables = {table.name: table for table in tables}
        self.sets = {table.entity_set: table for table in self.tables.values()}
        self.version = 1
        for table in self.tables.values():
            for single in table.singles.values():
                self._add_partner(table, single)
            for many in table.manys.values():
                self._add_association(table, many)
        for table in self.tables.values():
            if table.base:
                table.collections = self.tables[table.base].collections | table.collections
            table.link()

    def _add_partner(self, table: Table, single: Single) -> None:
        if single.partner:
            collection = Collection(single.partner, table.name, single)
            self.tables[single.target].collections[single.partner] = collection

    def _add_association(self, table: Table, many: Many) -> None:
        other = self.tables[many.other]
        table.associations[many.name] = Association(
            many.name, other.name, many.partner, many.name, "one", "two"
        )
        other.associations[many.partner] = Association(
            many.partner, table.name, many.name, many.name, "two", "one"
        )

    @property
    def pairs(self) -> Iterable[str]:
        """The names of the tables that keep many-to-many pairs."""
        return (name for table in self.tables.values() for name in table.manys)

    def fits(self, table: Table, target: str) -> bool:
        """Whether a row of `table` may stand where one of `target` is asked for."""
        return target in (table.name, table.base) or target == "crmbaseentity"

    def kinds(self, target: str) -> tuple[str, ...]:
        """The tables whose rows a lookup of this target may point at."""
        return self.tables[target].union or (target,)

    def changed(self) -> None:
        """To be called after a table was changed in place."""
        self.version += 1
        for table in self.tables.values():
            table.link()


def states_of(
    labels: tuple[str, ...], statuses: Mapping[int, int]
) -> tuple[States, Choice, Choice]:
    """The states of a table together with the two columns that keep them."""
    default = States(labels, statuses)
    state = Choice(
        name="statecode",
        options=tuple(range(len(labels))),
        default=0,
        labels=dict(enumerate(labels)),
    )
    status = Choice(name="statuscode", options=tuple(statuses), default=default.first(0))
    return default, state, status
