"""The service's own query functions: `Microsoft.Dynamics.CRM.LastXDays(PropertyName='…',…)`.

Source: "Web API Query Function Reference". Days begin at midnight UTC, weeks on Sunday. Left out:
fiscal periods and hierarchies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..model import Column
from ..model.moment import Day, written
from ..refusal import bad_query
from .syntax import Literal

if TYPE_CHECKING:
    from .filter import Asker

Condition = tuple[str, tuple[Any, ...]]
UNITS = ("Minutes", "Hours", "Days", "Weeks", "Months", "Years")


@dataclass(frozen=True, slots=True)
class Called:
    """A function as it was called: on which column, with what, by whom."""

    column: Column
    sql: str
    arguments: Mapping[str, Literal]
    asker: Asker

    def value(self) -> str:
        """The argument PropertyValue."""
        given = self.arguments.get("PropertyValue")
        if given is None:
            raise bad_query("The function needs the argument PropertyValue.")
        return given.text

    def number(self) -> int:
        """The argument PropertyValue as a whole number."""
        try:
            return int(self.value())
        except ValueError:
            raise bad_query("PropertyValue is a whole number.") from None

    def values(self) -> list[Any]:
        """The argument PropertyValues, in the form in which the column is kept."""
        given = self.arguments.get("PropertyValues")
        try:
            values = json.loads(given.text.replace("'", '"')) if given else None
        except ValueError:
            values = None
        if not isinstance(values, list):
            raise bad_query("The function needs the argument PropertyValues, a list.")
        return [self._kept(value) for value in values]

    def _kept(self, value: Any) -> Any:
        if self.column.edm in ("Edm.Int32", "Edm.Decimal", "Edm.Double", "Edm.Int64"):
            try:
                number = float(value)
            except ValueError:
                raise bad_query(f"'{value}' is not a number.") from None
            places = getattr(self.column, "places", 0)
            return round(number * 10**places) if places else number
        if self.column.edm == "Edm.Boolean":
            return int(str(value).lower() in ("true", "1"))
        return str(value).casefold()

    @property
    def compared(self) -> str:
        """The column in the form in which it is compared."""
        texts = self.column.edm in ("Edm.String", "Edm.Guid")
        return f"fold({self.sql})" if texts else self.sql

    def between(self, first: datetime, end: datetime) -> Condition:
        """From `first` on and before `end`."""
        return f"({self.sql} >= ? AND {self.sql} < ?)", (self.moment(first), self.moment(end))

    def moment(self, moment: datetime) -> str:
        """A moment in the form in which the column keeps it."""
        return f"{moment:%Y-%m-%d}" if isinstance(self.column, Day) else written(moment)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _shifted(moment: datetime, unit: str, count: int) -> datetime:
    """The moment that many units later."""
    if unit in ("Months", "Years"):
        months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "Years" else 1)
        year, month = divmod(months, 12)
        first = moment.replace(year=year, month=month + 1, day=1)
        following = first.replace(day=28) + timedelta(days=4)
        last = following - timedelta(days=following.day)
        return first.replace(day=min(moment.day, last.day))
    return moment + count * timedelta(**{unit.lower(): 1})


def _last(unit: str) -> Callable[[Called], Condition]:
    def function(called: Called) -> Condition:
        now = called.asker.moment
        first = _shifted(now, unit, -called.number())
        first = first if unit in ("Minutes", "Hours") else _midnight(first)
        return called.between(first, now + timedelta(seconds=1))

    return function


def _next(unit: str) -> Callable[[Called], Condition]:
    def function(called: Called) -> Condition:
        now = called.asker.moment
        end = _shifted(now, unit, called.number())
        end = end if unit in ("Minutes", "Hours") else _midnight(end) + timedelta(days=1)
        return called.between(now, end)

    return function


def _older(unit: str) -> Callable[[Called], Condition]:
    def function(called: Called) -> Condition:
        end = _shifted(called.asker.moment, unit, -called.number())
        return f"{called.sql} < ?", (called.moment(end),)

    return function


def _day(offset: int, length: int = 1) -> Callable[[Called], Condition]:
    def function(called: Called) -> Condition:
        first = _midnight(called.asker.moment) + timedelta(days=offset)
        return called.between(first, first + timedelta(days=length))

    return function


def _period(unit: str, offset: int) -> Callable[[Called], Condition]:
    def function(called: Called) -> Condition:
        first = _midnight(called.asker.moment)
        if unit == "Weeks":
            first -= timedelta(days=(first.weekday() + 1) % 7)
        else:
            first = first.replace(day=1)
            first = first.replace(month=1) if unit == "Years" else first
        first = _shifted(first, unit, offset)
        return called.between(first, _shifted(first, unit, 1))

    return function


def _on(called: Called) -> Condition:
    return f"substr({called.sql}, 1, 10) = ?", (called.value()[:10],)


def _on_or(sign: str) -> Callable[[Called], Condition]:
    return lambda called: (f"substr({called.sql}, 1, 10) {sign} ?", (called.value()[:10],))


def _in(called: Called) -> Condition:
    values = called.values()
    return f"{called.compared} IN ({','.join('?' * len(values))})", tuple(values)


def _not(function: Callable[[Called], Condition]) -> Callable[[Called], Condition]:
    def opposite(called: Called) -> Condition:
        text, values = function(called)
        return f"NOT ifnull(({text}), 0)", values

    return opposite


def _between(called: Called) -> Condition:
    values = called.values()
    if len(values) != 2:
        raise bad_query("Between takes two PropertyValues.")
    return f"{called.compared} BETWEEN ? AND ?", tuple(values)


def _contains_values(called: Called) -> Condition:
    parts = [f"',' || {called.sql} || ',' LIKE ?"] * len(called.values())
    return f"({' OR '.join(parts)})", tuple(f"%,{value},%" for value in called.values())


def _user(called: Called) -> Condition:
    return f"{called.sql} = ?", (called.asker.user,)


def _business_unit(called: Called) -> Condition:
    return f"{called.sql} = ?", (called.asker.business_unit,)


def _pattern(pattern: str) -> Callable[[Called], Condition]:
    return lambda called: (
        f"fold({called.sql}) LIKE ?",
        (pattern.format(called.value().casefold()),),
    )


QUERY_FUNCTIONS: dict[str, Callable[[Called], Condition]] = {
    "In": _in,
    "NotIn": _not(_in),
    "Between": _between,
    "NotBetween": _not(_between),
    "ContainValues": _contains_values,
    "DoesNotContainValues": _not(_contains_values),
    "EqualUserId": _user,
    "NotEqualUserId": _not(_user),
    "EqualBusinessId": _business_unit,
    "NotEqualBusinessId": _not(_business_unit),
    "On": _on,
    "NotOn": _not(_on),
    "OnOrAfter": _on_or(">="),
    "OnOrBefore": _on_or("<="),
    "Today": _day(0),
    "Yesterday": _day(-1),
    "Tomorrow": _day(1),
    "Last7Days": _day(-7, 8),
    "Next7Days": _day(0, 8),
    "LastWeek": _period("Weeks", -1),
    "ThisWeek": _period("Weeks", 0),
    "NextWeek": _period("Weeks", 1),
    "LastMonth": _period("Months", -1),
    "ThisMonth": _period("Months", 0),
    "NextMonth": _period("Months", 1),
    "LastYear": _period("Years", -1),
    "ThisYear": _period("Years", 0),
    "NextYear": _period("Years", 1),
    "Contains": _pattern("%{}%"),
    "BeginsWith": _pattern("{}%"),
    "DoesNotBeginWith": _not(_pattern("{}%")),
    "EndsWith": _pattern("%{}"),
    "DoesNotEndWith": _not(_pattern("%{}")),
    **{f"LastX{unit}": _last(unit) for unit in UNITS if unit != "Minutes"},
    **{f"NextX{unit}": _next(unit) for unit in UNITS if unit != "Minutes"},
    **{f"OlderThanX{unit}": _older(unit) for unit in UNITS},
}
