"""The kinds of columns: what each takes from JSON, how SQLite keeps it, how it is shown again.

``stored`` raises `Mismatch` where the JSON value is not of the column's Edm type (the service's
deserialiser refuses such a body as a whole) and `Refusal` where the type is right and the value is
not (the row's validation refuses it). Rules: "Column data types" and "Web API types and operations"
in the Dataverse developer guide.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import orjson

from ..refusal import out_of_range, too_long, unknown_choice

INT32 = 2**31
RANGE_OF_INTEGER = "0x8004432f"
RANGE_OF_NUMBER = "0x80044330"


class Mismatch(Exception):
    """A JSON value that is not of the column's Edm type."""

    def __init__(self, value: object, edm: str) -> None:
        quoted = _literal(value)
        super().__init__(f"Cannot convert the literal '{quoted}' to the expected type '{edm}'.")


class TextForNumber(Mismatch):
    """A text where the column takes a number beyond 53 bits or a decimal one.

    The words are those of OData's own reader, which takes texts only from who asks for them with
    IEEE754Compatible.
    """

    def __init__(self, value: object, edm: str) -> None:
        super().__init__(value, edm)
        self.args = (
            f"Cannot convert a value to target type '{edm}' because of conflict between input "
            "format string/number and parameter 'IEEE754Compatible' false/true.",
        )


def _literal(value: object) -> str:
    """The value as the service quotes it in a message."""
    if isinstance(value, str | Decimal):
        return str(value)
    return orjson.dumps(value, default=str).decode()


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table. A read-only one ignores what a body says about it."""

    name: str
    read_only: bool = False
    default: Any = None
    required: bool = False

    edm = "Edm.String"
    affinity = "TEXT"

    def stored(self, value: Any, table: str) -> Any:
        """The SQLite value for a JSON value other than null."""
        raise NotImplementedError

    def shown(self, stored: Any) -> Any:
        """What orjson writes for a stored value other than null."""
        return stored


@dataclass(frozen=True, kw_only=True)
class Text(Column):
    """Text and memo; length counts UTF-16 units, and the empty string is null."""

    limit: int
    memo: bool = False

    def stored(self, value: Any, table: str) -> str | None:
        """See `Column`."""
        if not isinstance(value, str):
            raise Mismatch(value, self.edm)
        if _utf16_length(value) > self.limit:
            raise too_long(self.name, table, self.limit)
        return value or None


def _utf16_length(text: str) -> int:
    """Characters as the service counts them: one outside the basic plane is two."""
    try:
        return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        raise Mismatch(text, "Edm.String") from None


@dataclass(frozen=True, kw_only=True)
class Integer(Column):
    """A whole number of 32 bits within the bounds of the column."""

    low: int = -INT32
    high: int = INT32 - 1

    edm = "Edm.Int32"
    affinity = "INTEGER"

    def stored(self, value: Any, table: str) -> int:
        """See `Column`."""
        number = whole(value)
        if not self.low <= number <= self.high:
            raise out_of_range(RANGE_OF_INTEGER, self.name, table)
        return number


def whole(value: Any) -> int:
    """A JSON number, or digits in a string: the service takes both for Edm.Int32."""
    if isinstance(value, str) and value.lstrip("-").isascii() and value.lstrip("-").isdigit():
        value = int(value) if len(value) < 12 else INT32
    if isinstance(value, bool) or not isinstance(value, int) or not -INT32 <= value < INT32:
        raise Mismatch(value, "Edm.Int32")
    return value


@dataclass(frozen=True, kw_only=True)
class BigInteger(Column):
    """Only `versionnumber`; the service writes it, nobody else."""

    edm = "Edm.Int64"
    affinity = "INTEGER"


@dataclass(frozen=True, kw_only=True)
class Choice(Column):
    """A number out of a defined set; labels are never taken."""

    options: tuple[int, ...]
    labels: Mapping[int, str] = field(default_factory=dict)

    edm = "Edm.Int32"
    affinity = "INTEGER"

    def stored(self, value: Any, table: str) -> int:
        """See `Column`."""
        number = whole(value)
        if number not in self.options:
            accepted = ",".join(map(str, sorted(self.options)))
            raise unknown_choice(number, self.name, table, accepted)
        return number


@dataclass(frozen=True, kw_only=True)
class MultiChoice(Column):
    """Several numbers out of a defined set, as text: "1,3,4"; their order is not kept."""

    options: tuple[int, ...]
    labels: Mapping[int, str] = field(default_factory=dict)

    def stored(self, value: Any, table: str) -> str | None:
        """See `Column`."""
        if not isinstance(value, str):
            raise Mismatch(value, self.edm)
        try:
            numbers = sorted({int(part) for part in value.split(",") if part.strip()})
        except ValueError:
            raise Mismatch(value, "Edm.Int32") from None
        for number in numbers:
            if number not in self.options:
                accepted = ",".join(map(str, sorted(self.options)))
                raise unknown_choice(number, self.name, table, accepted)
        return ",".join(map(str, numbers)) or None


@dataclass(frozen=True, kw_only=True)
class Boolean(Column):
    """true or false, nothing that looks like it."""

    edm = "Edm.Boolean"
    affinity = "INTEGER"

    def stored(self, value: Any, table: str) -> int:
        """See `Column`."""
        if not isinstance(value, bool):
            raise Mismatch(value, self.edm)
        return int(value)

    def shown(self, stored: Any) -> bool:
        """See `Column`."""
        return bool(stored)


@dataclass(frozen=True, kw_only=True)
class Number(Column):
    """A decimal, kept as a whole number of 1/10^places so that no digit is ever lost."""

    low: Decimal
    high: Decimal
    places: int

    edm = "Edm.Decimal"
    affinity = "INTEGER"

    def stored(self, value: Any, table: str) -> int:
        """See `Column`."""
        if isinstance(value, str):
            raise TextForNumber(value, self.edm)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Mismatch(value, self.edm)
        number = Decimal(value)
        if not self.low <= number <= self.high:
            raise out_of_range(RANGE_OF_NUMBER, self.name, table)
        return self.scaled(self.rounded(number))

    def rounded(self, number: Decimal) -> Decimal:
        """The number at the precision of the column."""
        return number.quantize(Decimal(1).scaleb(-self.places), ROUND_HALF_UP)

    def scaled(self, number: Decimal) -> int:
        """The number as it is kept."""
        return int(number.scaleb(self.places))

    def shown(self, stored: Any) -> orjson.Fragment:
        """See `Column`."""
        return orjson.Fragment(format(Decimal(stored).scaleb(-self.places), "f"))


@dataclass(frozen=True, kw_only=True)
class Money(Number):
    """Rounded to the currency's precision, shown with four decimals."""

    places: int = 4
    precision: int = 2

    def rounded(self, number: Decimal) -> Decimal:
        """The number at the precision of the column."""
        return number.quantize(Decimal(1).scaleb(-self.precision), ROUND_HALF_UP)

    @property
    def base(self) -> str:
        """The read-only companion in the organisation's currency."""
        return f"{self.name}_base"


@dataclass(frozen=True, kw_only=True)
class Float(Column):
    """A double within the bounds of the column."""

    low: float
    high: float

    edm = "Edm.Double"
    affinity = "REAL"

    def stored(self, value: Any, table: str) -> float:
        """See `Column`."""
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Mismatch(value, self.edm)
        if not self.low <= value <= self.high:
            raise out_of_range(RANGE_OF_NUMBER, self.name, table)
        return float(value)


@dataclass(frozen=True, kw_only=True)
class Guid(Column):
    """36 characters without braces; any case in, lower case out."""

    edm = "Edm.Guid"

    def stored(self, value: Any, table: str) -> str:
        """See `Column`."""
        return guid(value)


def guid(value: Any) -> str:
    """The id in lower case; raises `Mismatch`."""
    try:
        if isinstance(value, str) and len(value) == 36:
            parsed = str(uuid.UUID(value))
            if parsed == value.lower():
                return parsed
    except ValueError:
        pass
    raise Mismatch(value, "Edm.Guid")


@dataclass(frozen=True, kw_only=True)
class Lookup(Guid):
    """`_x_value`: the id of the row that navigation property x points at."""

    read_only: bool = True
    targets: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        """Whether it may point at rows of more than one table."""
        return len(self.targets) > 1 or self.targets == ("principal",)

    @property
    def attribute(self) -> str:
        """The logical name: `_x_value` is how OData shows the column `x`."""
        return self.name[1:].removesuffix("_value")

    @property
    def kind(self) -> str:
        """The hidden column that keeps which table it points at, where there are several."""
        return self.name.removesuffix("_value") + "_table"
