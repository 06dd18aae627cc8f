"""Rows and dicts as lines of JSON: what orjson writes, and what it leaves to us.

The form of each value is that of its kind in docs/sources.md, wherever it comes from; tests hold
it.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import math
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from .. import json_text
from ..errors import SourceError
from ..yaml_text import Path, path_text
from .stream import NoEvent

_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
_LEAST, _MOST = -(1 << 63), (1 << 64) - 1  # what orjson writes by itself
_TIME_UNITS = ("s", "ms", "us", "ns")


class Unwritable:
    """Stands for a value that JSON has no form for; kind: what it is, for people."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class RowWriter:
    """Writes records as lines. lost: how many moments became null, outside of the years 1 to 9999.

    Moments are ISO 8601 in UTC, decimals and whole numbers keep their digits, binary is base64.
    """

    def __init__(self) -> None:
        self.lost = 0

    def line(self, record: Any) -> bytes | NoEvent:
        """One record as a line."""
        try:
            return self._written(record) + b"\n"
        except TypeError:
            pass
        try:
            return json_text.write(record) + b"\n"  # long numbers, half characters
        except json_text.NotJson as foreign:
            deep = foreign
        try:
            return self._written(self._spelled(record, ())) + b"\n"
        except json_text.NotJson as foreign:
            return _no_event(foreign)
        except RecursionError:
            return _no_event(deep)

    def _written(self, value: Any) -> bytes:
        return orjson.dumps(value, self._foreign, _OPTIONS)

    def _spelled(self, value: Any, path: Path) -> Any:
        """A record that holds both what orjson writes alone and what it does not write.

        Raises NotJson with the first part that has no form.
        """
        if isinstance(value, dict):
            pairs = [
                _key(key, path) + b":" + self._written(self._spelled(one, (*path, str(key))))
                for key, one in value.items()
            ]
            return orjson.Fragment(b"{" + b",".join(pairs) + b"}")
        if isinstance(value, list | tuple):
            return [self._spelled(one, (*path, index)) for index, one in enumerate(value)]
        if isinstance(value, Unwritable):
            raise json_text.NotJson(value.kind, path_text(path))
        if type(value) is int and not _LEAST <= value <= _MOST:
            return orjson.Fragment(json_text.write(value))
        if isinstance(value, str):
            return orjson.Fragment(json_text.write(value))
        try:
            return orjson.Fragment(self._written(value))
        except TypeError:
            raise json_text.NotJson(type(value).__name__, path_text(path)) from None

    def _foreign(self, value: Any) -> Any:
        """What orjson cannot write by itself, in the form that every source gives it."""
        if isinstance(value, decimal.Decimal):
            return orjson.Fragment(format(value, "f")) if value.is_finite() else None
        if isinstance(value, datetime.datetime):
            return self._moment(value)
        if isinstance(value, datetime.time):
            return value.isoformat()
        if isinstance(value, datetime.timedelta):
            exact = value.as_unit("ns").value if hasattr(value, "as_unit") else None
            return duration_text(exact or value // datetime.timedelta(microseconds=1) * 1000)
        if isinstance(value, bytes | bytearray | memoryview):
            return base64.b64encode(value).decode("ascii")
        package = type(value).__module__.partition(".")[0]
        if package in _PACKAGES:
            return _PACKAGES[package](self, value)
        raise TypeError

    def _moment(self, value: datetime.datetime) -> str | None:
        """Subclasses of datetime: pandas has one with nanoseconds, and one that is no time."""
        if value != value:
            return None
        try:
            utc = value.astimezone(datetime.UTC) if value.tzinfo else value
        except (OverflowError, ValueError):
            self.lost += 1
            return None
        if not 1 <= utc.year <= 9999:
            self.lost += 1
            return None
        return utc.isoformat().replace("+00:00", "") + "Z"

    def _of_numpy(self, value: Any) -> Any:
        kind = value.dtype.kind
        if value.ndim:  # an array; its items come back here where they have to
            whole = kind in "biuUSOT" or value.dtype.char == "d"
            return value.tolist() if whole else list(value)
        if kind == "M":
            return self._numpy_moment(value)
        if kind == "m":
            return (
                None if value != value else duration_text(int(value.astype("m8[ns]").astype("i8")))
            )
        if kind == "f":
            return shortest(value)
        if kind in "cV":
            raise TypeError
        return value.item()

    def _numpy_moment(self, value: Any) -> str | None:
        if value != value:
            return None
        if not 1 <= int(value.astype("M8[Y]").astype("i8")) + 1970 <= 9999:
            self.lost += 1
            return None
        unit = str(value.dtype).partition("[")[2].rstrip("]")
        if unit in ("Y", "M", "D"):
            return str(value)
        return str(value if unit in _TIME_UNITS else value.astype("M8[s]")) + "Z"

    def _of_pandas(self, value: Any) -> Any:
        kind = type(value).__name__
        if kind == "NAType":
            return None
        if kind in ("Period", "Interval"):
            return str(value)
        if hasattr(value, "tolist") and getattr(value, "ndim", 0) == 1:  # Series, Index, arrays
            return value.tolist()
        raise TypeError

    def _of_arrow(self, value: Any) -> Any:
        if hasattr(value, "as_py"):
            return value.as_py()
        return value.to_pylist() if hasattr(value, "to_pylist") else value.to_list()


_PACKAGES: dict[str, Callable[[RowWriter, Any], Any]] = {
    "numpy": RowWriter._of_numpy,
    "pandas": RowWriter._of_pandas,
    "pyarrow": RowWriter._of_arrow,
    "polars": RowWriter._of_arrow,
}


def unlike(names: Iterable[str], source: str) -> None:
    """Raise SourceError where two columns have one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            told = f'two columns are called "{name}"'
            raise SourceError("E814", told, source, "rename one of them")
        seen.add(name)


def shortest(value: Any) -> Any:
    """A float of numpy in as few digits as tell it from its neighbours; null if not finite."""
    if not math.isfinite(value):
        return None
    if value.dtype.itemsize > 8:
        return orjson.Fragment(str(value))
    return float(str(value))


def json_value(text: str) -> Any:
    """A JSON text as the value that it is, on one line."""
    try:
        orjson.loads(text)
    except ValueError:
        return Unwritable("a text that is no JSON")
    return orjson.Fragment(text.replace("\n", " ").replace("\r", " "))


def duration_text(nanoseconds: int) -> str:
    """An ISO 8601 duration in seconds: `PT1.5S`."""
    sign, size = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    return f"{sign}PT{_seconds(size)}S"


def interval_text(months: int, days: int, nanoseconds: int) -> str:
    """An ISO 8601 duration of calendar parts, each with its own sign: `P1M2DT-3S`."""
    sign = "-" if nanoseconds < 0 else ""
    return f"P{months}M{days}DT{sign}{_seconds(abs(nanoseconds))}S"


def _seconds(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{seconds}" + (f".{rest:09}".rstrip("0") if rest else "")


def _no_event(foreign: json_text.NotJson) -> NoEvent:
    return NoEvent(f"an event holds what JSON can hold, not {foreign.kind} at {foreign.path}")


def _key(key: Any, path: Path) -> bytes:
    """A dict's key as the standard library writes it."""
    if isinstance(key, str):
        return json_text.write(key)
    if key is None or isinstance(key, bool | int | float):
        return b'"' + json_text.write(key) + b'"'
    raise json_text.NotJson(f"a key of type {type(key).__name__}", path_text(path))
