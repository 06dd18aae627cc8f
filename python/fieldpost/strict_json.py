"""JSON of a file that an author writes, held to what is exact: each fault has its line.

A key twice in one object, NaN, a number beyond a double's range and half of a surrogate pair are
faults; Python's own reader takes them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

_DEEPEST = 300
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")


class JsonFault(ValueError):
    """Why the text is not taken, and the line (from 1) where that stands."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(line, why)
        self.line, self.why = line, why


class _Odd(Exception):
    """Something that Python reads and we do not; a second walk finds its line."""


def parse(content: bytes) -> Any:
    """The value in a file's content, UTF-8 with or without a mark. Raises JsonFault."""
    text = _text(content)
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refused, parse_float=_number
        )
        if not _ESCAPED_HALF.search(text):
            return value
    except json.JSONDecodeError as error:
        raise JsonFault(error.lineno, f"it is no JSON ({error.msg})") from None
    except (_Odd, RecursionError, ValueError):  # ValueError: a whole number of 4,301 digits
        value = None
    for line, why in _faults(text):
        raise JsonFault(line, why)
    return value


def _text(content: bytes) -> str:
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise JsonFault(1, "it is empty")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = 1 + content.count(b"\n", 0, error.start)
        raise JsonFault(line, "it is not UTF-8") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Odd
    return found


def _refused(_constant: str) -> Any:
    raise _Odd


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _Odd
    return number


def _faults(text: str) -> Iterator[tuple[int, str]]:
    """Line and reason of each, in a text whose tokens are those of JSON."""
    inside: list[set[str] | None] = []  # the keys so far of each object, None of a list
    before = ""
    for found in _TOKEN.finditer(text):
        token = found[0]
        why = ""
        if token in ("{", "["):
            inside.append(set() if token == "{" else None)
            why = "it is nested too deeply" if len(inside) > _DEEPEST else ""
        elif token in ("}", "]"):
            inside.pop()
        elif token[0] == '"':
            keys = inside[-1] if inside and before in ("{", ",") else None
            why = _of_word(json.loads(token), keys)
        elif token not in (",", ":", "true", "false", "null"):
            why = _of_number(token)
        if why:
            yield 1 + text.count("\n", 0, found.start()), why
        before = token


def _of_word(word: str, keys: set[str] | None) -> str:
    if _HALF.search(word):
        return "half of a character (a lone surrogate)"
    if keys is None:
        return ""
    if word in keys:
        return "a key stands twice in one object"
    keys.add(word)
    return ""


def _of_number(token: str) -> str:
    if not token[-1].isdigit():
        return "a number that JSON does not have"
    return "" if len(token) <= 4300 and math.isfinite(float(token)) else "a number out of range"
