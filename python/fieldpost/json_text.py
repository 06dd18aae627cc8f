"""JSON by the standard library: exact, valid UTF-8, no NaN; and what the core wrote, read.

What is shown to people and scripts has its numbers in their own digits: 19.90, 1e400, -0.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from .errors import EventError
from .yaml_text import Path, path_text

_LONGEST_INT = 4300  # digits that Python makes an int of
_SURROGATE = re.compile("[\ud800-\udfff]")


class Number(float):
    """A number of a JSON text: a float that keeps its digits, which may be more than a float has.

    text: as it was written.
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Number:
        """The number of a text."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __repr__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[type[Number], tuple[str]]:
        return Number, (self.text,)


class NotJson(Exception):
    """A value that JSON cannot hold: which type, and where."""

    def __init__(self, kind: str, path: str) -> None:
        super().__init__(kind, path)
        self.kind = kind
        self.path = path


def write(value: Any) -> bytes:
    """The value as JSON in UTF-8, whole numbers exact, lone surrogates as \\udXXX escapes.

    Raises NotJson for NaN, infinity, sets, dates and whatever else JSON does not know.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        text = ""
    if not text:
        raise NotJson(*_first_foreign(value))
    return _utf8(text)


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda one: f"\\u{ord(one[0]):04x}", text).encode("utf-8")


def read(text: str | bytes) -> Any:
    """JSON that the core wrote, as Python values. Raises EventError where Python cannot hold it: an
    event may be nested more deeply, and have longer numbers, than Python's own reader takes."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise EventError("E405", "nested too deeply to be shown") from None
    except ValueError:
        raise EventError("E409", "a whole number of too many digits to be shown") from None


def read_exact(text: str | bytes) -> Any:
    """The same with numbers that keep their digits (`Number`); whole ones are int where it can."""
    try:
        return json.loads(text, parse_float=Number, parse_int=_whole)
    except RecursionError:
        raise EventError("E405", "nested too deeply to be shown") from None


def _whole(digits: str) -> int | Number:
    return Number(digits) if digits == "-0" or len(digits) > _LONGEST_INT else int(digits)


def shown(value: Any, indent: int | None = None, *, ascii_only: bool = False) -> str:
    """A value as JSON text, however deep; what JSON has no number for (infinity, NaN) is null.

    indent: spaces of each level, one member a line; None: all on one line.
    """
    parts: list[str] = []
    todo: list[tuple[Any, int]] = [(value, 0)]
    while todo:
        one, depth = todo.pop()
        if isinstance(one, _Sign):
            parts.append(one)
        elif isinstance(one, dict | list | tuple) and one:
            todo += reversed(_inside(one, depth, indent, ascii_only))
        else:
            parts.append(_scalar(one, ascii_only))
    return "".join(parts)


class _Sign(str):
    """Text between the values."""

    __slots__ = ()


def _inside(one: Any, depth: int, indent: int | None, ascii_only: bool) -> list[tuple[Any, int]]:
    """The members of an object or a list, with the signs around them."""
    is_object = isinstance(one, dict)
    begin, end = "{}" if is_object else "[]"
    gap = "" if indent is None else "\n" + " " * indent * (depth + 1)
    between = "," + (gap or " ")
    members = one.items() if isinstance(one, dict) else enumerate(one)
    found: list[tuple[Any, int]] = []
    for key, member in members:
        name = _scalar(str(key), ascii_only) + ": " if is_object else ""
        found += [(_Sign((between if found else begin + gap) + name), 0), (member, depth + 1)]
    close = gap[: len(gap) - indent] if indent is not None else ""
    return [*found, (_Sign(close + end), 0)]


def _scalar(one: Any, ascii_only: bool) -> str:
    if isinstance(one, Number):
        return one.text
    if isinstance(one, float) and not math.isfinite(one):
        return "null"
    return json.dumps(one, ensure_ascii=ascii_only)


def _first_foreign(value: Any) -> tuple[str, str]:
    """Type and path of the first part that JSON cannot hold, searched level by level."""
    level: list[tuple[Any, Path]] = [(value, ())]
    for _depth in range(1000):
        below: list[tuple[Any, Path]] = []
        for part, path in level:
            if isinstance(part, dict):
                below += [(one, (*path, str(key))) for key, one in part.items()]
                odd = [key for key in part if not _is_plain(key)]
                if odd:
                    return f"a key of type {type(odd[0]).__name__}", path_text(path)
            elif isinstance(part, list | tuple):
                below += [(one, (*path, index)) for index, one in enumerate(part)]
            elif not _is_plain(part):
                return _kind(part), path_text(path)
        if len(below) > 100_000:
            break
        level = below
    return "something that is nested in itself or too deeply", "$"


def _is_plain(part: Any) -> bool:
    if isinstance(part, float):
        return math.isfinite(part)
    return part is None or isinstance(part, str | int)


def _kind(part: Any) -> str:
    return "a number that is not finite" if isinstance(part, float) else type(part).__name__
