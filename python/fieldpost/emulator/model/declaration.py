"""Short forms in which tables are declared: several columns of one kind on one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

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
    Number,
    Text,
)
from .moment import Day, Moment
from .schema import Single, States, Table, states_of

FAR = Decimal("922337203685477")

Declared = Column | Single | States
Group = list[Declared]


def texts(limit: int, names: str, *, read_only: bool = False) -> Group:
    """Text columns of one length."""
    return [Text(name=name, limit=limit, read_only=read_only) for name in names.split()]


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


def lookup(attribute: str, *, read_only: bool = False, **targets: tuple[str, str] | str) -> Group:
    """One lookup column and its navigation properties.

    ``lookup("customerid", customerid_account=("account", "opportunity_customer_accounts"))``: the
    name of each property, the table it leads to, and the collection that leads back, if any.
    """
    column = Lookup(name=f"_{attribute}_value", several=len(targets) > 1)
    singles = []
    for name, target in targets.items():
        table, partner = (target, None) if isinstance(target, str) else target
        singles.append(Single(name, table, column, partner, read_only))
    return [column, *singles]


def base_columns() -> Group:
    """What every row of a user-owned table has; the service fills all of it but two."""
    return [
        Moment(name="createdon", read_only=True),
        Moment(name="modifiedon", read_only=True),
        Moment(name="overriddencreatedon"),
        BigInteger(name="versionnumber", read_only=True),
        *integers(-(2**31), 2**31 - 1, "importsequencenumber"),
        Number(
            name="exchangerate", low=Decimal(0), high=Decimal(10**11), places=10, read_only=True
        ),
        Guid(name="_owningbusinessunit_value", read_only=True),
        *lookup("ownerid", ownerid="systemuser"),
        *lookup("createdby", read_only=True, createdby="systemuser"),
        *lookup("modifiedby", read_only=True, modifiedby="systemuser"),
        *lookup("owninguser", read_only=True, owninguser="systemuser"),
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


def table(
    name: str,
    entity_set: str,
    key: str,
    members: Sequence[Group],
    *,
    full_name: bool = False,
    seeded: bool = False,
) -> Table:
    """A table of these members and its key."""
    declared = [member for group in members for member in group]
    columns = {key: Guid(name=key)} | {c.name: c for c in declared if isinstance(c, Column)}
    singles = {s.name: s for s in declared if isinstance(s, Single)}
    all_states = [s for s in declared if isinstance(s, States)]
    return Table(
        name=name,
        entity_set=entity_set,
        key=key,
        columns=columns,
        singles=singles,
        states=all_states[0] if all_states else None,
        full_name=full_name,
        seeded=seeded,
    )
