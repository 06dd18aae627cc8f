"""Short forms in which tables are declared: several columns of one kind on one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from .column import (
    BigInteger,
    Boolean,
    Choice,
    Column,
    Float,
    Guid,
    Integer,
    Lookup,
    Money,
    MultiChoice,
    Number,
    Text,
)
from .labels import labels_of
from .moment import Day, Moment
from .schema import AlternateKey, Many, Single, States, Table, states_of

FAR = Decimal("922337203685477")

Declared = Column | Single | States | Many | AlternateKey
Group = list[Declared]


def texts(limit: int, names: str, *, read_only: bool = False, required: bool = False) -> Group:
    """Text columns of one length; from 2000 characters on they are memos."""
    memo = limit >= 2000
    return [
        Text(name=name, limit=limit, memo=memo, read_only=read_only, required=required)
        for name in names.split()
    ]


def constant(name: str, value: str) -> Group:
    """A column that says the same in every row."""
    return [Text(name=name, limit=len(value), read_only=True, default=value)]


def integers(low: int, high: int, names: str) -> Group:
    """Whole numbers of one range."""
    return [Integer(name=name, low=low, high=high) for name in names.split()]


def choices(options: Iterable[int], names: str, *, default: int | None = None) -> Group:
    """Choices with the same options."""
    return [Choice(name=name, options=tuple(options), default=default) for name in names.split()]


def booleans(names: str, *, default: bool = False) -> Group:
    """Two-option columns with one default."""
    return [Boolean(name=name, default=int(default)) for name in names.split()]


def floats(low: float, high: float, names: str) -> Group:
    """Doubles of one range."""
    return [Float(name=name, low=low, high=high) for name in names.split()]


def numbers(low: int, high: int, places: int, names: str) -> Group:
    """Decimals of one range and precision."""
    bounds = Decimal(low), Decimal(high)
    return [
        Number(name=name, low=bounds[0], high=bounds[1], places=places) for name in names.split()
    ]


def moments(names: str) -> Group:
    """Dates with a time."""
    return [Moment(name=name) for name in names.split()]


def days(names: str) -> Group:
    """Dates without a time."""
    return [Day(name=name) for name in names.split()]


def money(low: Decimal | int, high: Decimal | int, names: str, *, read_only: bool = False) -> Group:
    """Amounts of one range, each with its read-only companion."""
    group: Group = []
    for name in names.split():
        column = Money(name=name, low=Decimal(low), high=Decimal(high), read_only=read_only)
        group += [column, Money(name=column.base, low=-FAR, high=FAR, read_only=True)]
    return group


def states(labels: str, statuses: dict[int, int]) -> Group:
    """`statecode` and `statuscode`: the labels of the states, and the state of each status."""
    return [*states_of(tuple(labels.split()), statuses)]


def lookup(attribute: str, /, **targets: tuple[str, str] | str) -> Group:
    """One lookup column and its navigation properties.

    ``lookup("customerid", customerid_account=("account", "opportunity_customer_accounts"))``: the
    name of each property, the table it leads to, and the collection that leads back, if any.
    """
    return _lookup(attribute, targets, read_only=False)


def system_lookup(attribute: str, table: str) -> Group:
    """A lookup that only the service sets, with one navigation property of its own name."""
    return _lookup(attribute, {attribute: table}, read_only=True)


def _lookup(
    attribute: str, targets: Mapping[str, tuple[str, str] | str], *, read_only: bool
) -> Group:
    pairs = {n: (t, None) if isinstance(t, str) else t for n, t in targets.items()}
    reached = tuple(dict.fromkeys(table for table, _ in pairs.values()))
    column = Lookup(name=f"_{attribute}_value", targets=reached)
    singles = [
        Single(name, table, column, partner, read_only) for name, (table, partner) in pairs.items()
    ]
    return [column, *singles]


def base_columns(owned: str | None = None) -> Group:
    """What every row of a user-owned table has; the service fills all of it but two.

    `owned` is the collection of the owner that leads back, where the table has one of its own.
    """
    owner = ("principal", owned) if owned else "principal"
    return [
        Moment(name="createdon", read_only=True),
        Moment(name="modifiedon", read_only=True),
        Moment(name="overriddencreatedon"),
        BigInteger(name="versionnumber", read_only=True),
        *integers(-(2**31), 2**31 - 1, "importsequencenumber"),
        Number(
            name="exchangerate", low=Decimal(0), high=Decimal(10**11), places=10, read_only=True
        ),
        *system_lookup("owningbusinessunit", "businessunit"),
        *lookup("ownerid", ownerid=owner),
        *system_lookup("createdby", "systemuser"),
        *system_lookup("modifiedby", "systemuser"),
        *system_lookup("createdonbehalfby", "systemuser"),
        *system_lookup("modifiedonbehalfby", "systemuser"),
        *system_lookup("owninguser", "systemuser"),
        *system_lookup("owningteam", "team"),
    ]


def addresses(count: int, name_limit: int = 200) -> Group:
    """The numbered address columns; their choices differ per environment and are left out."""
    group: Group = []
    for number in range(1, count + 1):
        p = f"address{number}_"
        group += texts(1000, f"{p}composite", read_only=True)
        group += texts(name_limit, f"{p}name")
        group += texts(250, f"{p}line1 {p}line2 {p}line3")
        group += texts(80, f"{p}city {p}country")
        group += texts(50, f"{p}county {p}stateorprovince {p}fax")
        group += texts(50, f"{p}telephone1 {p}telephone2 {p}telephone3")
        group += texts(20, f"{p}postalcode {p}postofficebox")
        group += texts(4, f"{p}upszone")
        group += floats(-90, 90, f"{p}latitude") + floats(-180, 180, f"{p}longitude")
        group += integers(-1500, 1500, f"{p}utcoffset")
    return group


def many(name: str, other: str, partner: str | None = None) -> Group:
    """A many-to-many relationship, declared on one of its two tables."""
    return [Many(name, other, partner or name)]


def alternate_key(name: str, columns: str) -> Group:
    """A unique set of columns by which rows can be addressed."""
    return [AlternateKey(name, tuple(columns.split()))]


def table(
    name: str,
    entity_set: str,
    key: str,
    members: Sequence[Group],
    *,
    primary_name: str | None = None,
    **traits: Any,
) -> Table:
    """A table of these members and its key; `traits` are fields of `Table`."""
    declared = [member for group in members for member in group]
    columns = {key: Guid(name=key)} | {
        c.name: _labelled(c, name) for c in declared if isinstance(c, Column)
    }
    all_states = [s for s in declared if isinstance(s, States)]
    return Table(
        name=name,
        entity_set=entity_set,
        key=key,
        columns=columns,
        singles={s.name: s for s in declared if isinstance(s, Single)},
        manys={m.name: m for m in declared if isinstance(m, Many)},
        keys={k.name: k for k in declared if isinstance(k, AlternateKey)},
        states=all_states[0] if all_states else None,
        primary_name=primary_name or ("name" if "name" in columns else None),
        **traits,
    )


def _labelled(column: Column, table_name: str) -> Column:
    if isinstance(column, Choice | MultiChoice) and not column.labels:
        return replace(column, labels=labels_of(table_name, column.name, column.options))
    return column
