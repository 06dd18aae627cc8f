"""JSON by the standard library: exact, valid UTF-8, no NaN; and what the core wrote, read."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from .errors import EventError
from .yaml_text import Path, path_text

_SURROGATE = re.compile("[\ud800-\udfff]")


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
