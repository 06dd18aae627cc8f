"""Columns of time. The rules are those of "Behavior and format of the date and time column"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ..refusal import date_out_of_range
from .column import Column, Mismatch

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
FIRST = "1753-01-01"
LAST = "9999-12-30"


@dataclass(frozen=True, kw_only=True)
class Moment(Column):
    """UTC to the second; an offset is converted, none means UTC, fractions are cut."""

    edm = "Edm.DateTimeOffset"

    def stored(self, value: Any, table: str) -> str:
        """See `Column`."""
        if not isinstance(value, str) or not MOMENT.fullmatch(value):
            raise Mismatch(value, self.edm)
        text = utc(value, self.edm)
        if not FIRST <= text[:10] <= LAST:
            raise date_out_of_range()
        return text


def utc(value: str, edm: str) -> str:
    """The moment in UTC, in the form in which it is kept; raises `Mismatch`."""
    # Python 3.11 reads at most six digits of a fraction here, and the service keeps none of them.
    without_fraction = re.sub(r"\.\d+", "", value)
    try:
        moment = datetime.fromisoformat(without_fraction)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return written(moment.astimezone(UTC))
    except ValueError:
        raise Mismatch(value, edm) from None
    except OverflowError:
        raise date_out_of_range() from None


def written(moment: datetime) -> str:
    """A moment in the form in which it is kept and shown."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}".zfill(20)


@dataclass(frozen=True, kw_only=True)
class Day(Column):
    """A date without a time; a time part is refused."""

    edm = "Edm.Date"

    def stored(self, value: Any, table: str) -> str:
        """See `Column`."""
        if not isinstance(value, str) or not DAY.fullmatch(value):
            raise Mismatch(value, self.edm)
        try:
            date.fromisoformat(value)
        except ValueError:
            raise Mismatch(value, self.edm) from None
        if not FIRST <= value <= LAST:
            raise date_out_of_range()
        return value
