"""Whether what stands at a column's place fits the column: type, length, range, choice, date."""

from __future__ import annotations

import re
import uuid
from datetime import date
from typing import Any

from ..nearest_name import meant
from ..yaml_text import Path
from .body_findings import BodyFindings, listed, quoted
from .body_part import Part
from .conversions import Conversions
from .schema import Column, text_length

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INT32 = range(-(2**31), 2**31)
_TEXTS = ("text", "moment", "date", "uuid")
_EXPECTED = {
    "text": "a text",
    "memo": "a text",
    "whole": "a whole number",
    "big": "a whole number",
    "decimal": "a number",
    "float": "a number",
    "money": "a number",
    "boolean": "true or false",
    "choice": "a number or a label of the choice",
    "choices": 'numbers in a text, such as "1,3"',
    "moment": "a time, such as 2026-03-01T09:30:00Z",
    "date": "a date, such as 2026-03-01",
    "id": "a UUID of 36 characters",
    "binary": "a text in base64",
}


class ColumnCheck:
    """Checks the parts of one column at a time."""

    def __init__(self, findings: BodyFindings, conversions: Conversions) -> None:
        self._found, self._conversions = findings, conversions

    def check(self, column: Column, part: Part) -> None:
        """Tell what is wrong with one part at a column's place."""
        if part.is_null or column.type == "other":
            return
        if column.type == "date" and part.kind in ("unknown", "text", "moment"):
            self._cut(column, part)
        if part.kind == "unknown":
            return
        if part.kind == "list" and column.type == "choices":
            return
        if part.kind in ("row", "list", "bind"):
            self._mismatch(column, part, "no navigation property has this name")
        elif part.kind == "literal":
            self._literal(column, part.value, part.path)
        else:
            self._typed(column, part)

    def _mismatch(self, column: Column, part: Part, hint: str = "") -> None:
        self._found.wrong("E267", _told(column), part.path, hint)

    def _cut(self, column: Column, part: Part) -> None:
        """A time that comes from an event is cut to a date: in which zone?"""
        if not self._conversions.date_zone:
            told = f"a time would be cut to the date of {quoted(column.name)} in UTC"
            self._found.doubtful("E278", told, part.path, "name the zone: date_zone: UTC")

    # -- values written out

    def _literal(self, column: Column, value: Any, path: Path) -> None:
        check = {
            "text": self._text,
            "memo": self._text,
            "choice": self._choice,
            "choices": self._choices,
            "boolean": self._boolean,
            "moment": self._moment,
            "date": self._date,
            "id": self._id,
            "binary": self._text,
        }.get(column.type, self._number)
        check(column, value, path)

    def _refuse(self, column: Column, path: Path, hint: str = "") -> None:
        self._found.wrong("E267", _told(column), path, hint)

    def _text(self, column: Column, value: Any, path: Path) -> None:
        if not isinstance(value, str):
            self._refuse(column, path, "put it in quotes")
            return
        length = text_length(value)
        limit = column.max_length
        if limit is not None and length > limit and not self._conversions.truncates(column.name):
            told = f"a text of {length} characters where {quoted(column.name)} takes {limit}"
            hint = f"shorten it, or write truncate: [{column.name}]"
            self._found.in_schema("E268", told, path, hint)

    def _number(self, column: Column, value: Any, path: Path) -> None:
        whole = column.type in ("whole", "big")
        if isinstance(value, bool) or not isinstance(value, int | float):
            hint = "write it without quotes" if isinstance(value, str) else ""
            self._refuse(column, path, hint)
        elif whole and value != int(value):
            self._refuse(column, path, "write it without a fraction")
        elif column.type == "whole" and int(value) not in _INT32:
            self._found.wrong("E269", f"{quoted(column.name)} takes 32 bits", path)
        elif not column.holds(value):
            told = f"{quoted(column.name)} takes {column.low:,.15g} to {column.high:,.15g}"
            self._found.in_schema("E269", told, path)

    def _choice(self, column: Column, value: Any, path: Path) -> None:
        if isinstance(value, bool) or not isinstance(value, int | str):
            self._refuse(column, path)
        elif column.choices and not self._is_option(column, value):
            self._no_such_choice(column, value, path)

    def _is_option(self, column: Column, value: int | str) -> bool:
        if isinstance(value, int):
            return value in column.choices
        return column.has_label(value) or self._conversions.otherwise(column)

    def _no_such_choice(self, column: Column, value: int | str, path: Path) -> None:
        hint = meant(value, column.labels) if isinstance(value, str) else ""
        accepted = listed(f"{number} {label}" for number, label in column.choices.items())
        told = f"{quoted(column.name)} has no such choice"
        self._found.in_schema("E270", told, path, f"{hint} there are {accepted}".strip())

    def _choices(self, column: Column, value: Any, path: Path) -> None:
        if not isinstance(value, str):
            self._refuse(column, path, "put it in quotes")
            return
        for one in filter(None, map(str.strip, value.split(","))) if column.choices else ():
            option = int(one) if re.fullmatch(r"-?[0-9]{1,10}", one) else one
            if not self._is_option(column, option):
                self._no_such_choice(column, option, path)

    def _boolean(self, column: Column, value: Any, path: Path) -> None:
        if not isinstance(value, bool):
            hint = "write it without quotes" if value in ("true", "false") else ""
            self._refuse(column, path, hint)

    def _moment(self, column: Column, value: Any, path: Path) -> None:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            is_day = isinstance(value, str) and _DAY.fullmatch(value)
            self._refuse(column, path, "add the time: T00:00:00Z" if is_day else "")

    def _date(self, column: Column, value: Any, path: Path) -> None:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            told = f"a time where {quoted(column.name)} takes a date"
            self._found.wrong("E275", told, path, "write the date alone, such as 2026-03-01")
        elif not isinstance(value, str) or not _is_day(value):
            self._refuse(column, path)

    def _id(self, column: Column, value: Any, path: Path) -> None:
        if not is_uuid(value):
            self._refuse(column, path)

    # -- values whose type is known

    def _typed(self, column: Column, part: Part) -> None:
        kind, type_ = part.kind, column.type
        if type_ in ("text", "memo", "choices", "binary"):
            if kind in ("number", "boolean"):
                hint = 'write {"@string": …} around it'
                self._found.doubtful("E267", _told(column), part.path, hint)
        elif type_ in ("whole", "big", "decimal", "float", "money"):
            if kind != "number":
                self._mismatch(column, part, 'write {"@number": …} around it')
        elif type_ == "boolean":
            if kind != "boolean":
                self._mismatch(column, part, 'write {"@boolean": …} around it')
        elif type_ == "choice":
            if kind in ("boolean", "moment", "date", "uuid"):
                self._mismatch(column, part)
        else:
            self._typed_time_or_id(column, part)

    def _typed_time_or_id(self, column: Column, part: Part) -> None:
        kind = part.kind
        if column.type == "id":
            if kind not in ("text", "uuid"):
                self._mismatch(column, part, 'such as {"@uuid": […]}')
        elif kind in ("number", "boolean", "uuid"):
            self._mismatch(column, part, 'write {"@date": …} around it')
        elif column.type == "moment" and kind == "date":
            self._mismatch(column, part, "leave to: date out")


def _told(column: Column) -> str:
    expected = _EXPECTED.get(column.type, "another value")
    return f"{quoted(column.name)} ({column.edm}) takes {expected}"


def _is_day(value: str) -> bool:
    try:
        return bool(_DAY.fullmatch(value)) and date.fromisoformat(value) is not None
    except ValueError:
        return False


def is_uuid(value: Any) -> bool:
    """Whether a value is a UUID of 36 characters, as the service takes it."""
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False
