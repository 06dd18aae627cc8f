"""Rows and dicts as lines of JSON: what orjson writes, and what it leaves to us."""

from __future__ import annotations

import base64
import datetime
import decimal
from collections.abc import Iterable
from typing import Any

import orjson

from .. import json_text
from ..errors import SourceError
from .stream import NoEvent

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def event_line(record: Any) -> bytes | NoEvent:
    """One record as a line."""
    try:
        return orjson.dumps(record, _foreign, _OPTIONS | orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        pass
    try:
        return json_text.write(record) + b"\n"
    except json_text.NotJson as foreign:
        return NoEvent(f"an event holds what JSON can hold, not {foreign.kind} at {foreign.path}")


def unlike(names: Iterable[str], source: str) -> None:
    """Raise SourceError where two columns have one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            told = f'two columns are called "{name}"'
            raise SourceError("E814", told, source, "rename one of them")
        seen.add(name)


def _foreign(value: Any) -> Any:
    """What orjson cannot write by itself, in the form that every source gives it."""
    if isinstance(value, decimal.Decimal):
        return orjson.Fragment(format(value, "f")) if value.is_finite() else None
    if isinstance(value, datetime.datetime):
        return _moment(value)
    if isinstance(value, datetime.timedelta):
        exact = value.as_unit("ns").value if hasattr(value, "as_unit") else None
        return duration_text(exact or value // datetime.timedelta(microseconds=1) * 1000)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if type(value).__name__ == "NAType":
        return None
    raise TypeError


def _moment(value: datetime.datetime) -> str | None:
    """A subclass of datetime: pandas has one with nanoseconds, and one that is no time at all."""
    if value != value:
        return None
    utc = value.astimezone(datetime.UTC) if value.tzinfo else value
    return utc.isoformat().replace("+00:00", "") + "Z"


def duration_text(nanoseconds: int) -> str:
    """An ISO 8601 duration in seconds: `PT1.5S`."""
    sign, size = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    seconds, rest = divmod(size, 1_000_000_000)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"{sign}PT{seconds}{fraction}S"
