"""Where two JSON values differ, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .yaml_text import Path, path_text


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = _Missing()


@dataclass(frozen=True)
class Difference:
    """One field: what was expected and what is there; either may be MISSING. why: for people."""

    path: str
    expected: Any
    got: Any
    why: str = ""

    def __str__(self) -> str:
        told = f"{self.path}: expected {shown(self.expected)}, got {shown(self.got)}"
        return f"{told} ({self.why})" if self.why else told

    def to_dict(self) -> dict[str, Any]:
        """`path`, `expected`, `got`; a side that is missing has no key."""
        sides = {"expected": self.expected, "got": self.got}
        told = {"path": self.path} | {k: v for k, v in sides.items() if v is not MISSING}
        return told | ({"why": self.why} if self.why else {})


def shown(value: Any) -> str:
    """A value as JSON, or `nothing`."""
    return repr(value) if value is MISSING else json.dumps(value, ensure_ascii=False)


def differences(expected: Any, got: Any, place: Path = (), start: str = "") -> list[Difference]:
    """Every field that differs, in the order of `expected`; 1 and 1.0 are the same, 1 and true not.

    start: what the paths begin with instead of $.
    """
    return list(_differences(expected, got, place, start))


def _differences(expected: Any, got: Any, place: Path, start: str) -> Iterator[Difference]:
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in dict.fromkeys([*expected, *got]):
            sides = expected.get(key, MISSING), got.get(key, MISSING)
            yield from _differences(*sides, (*place, key), start)
    elif isinstance(expected, list) and isinstance(got, list):
        for index in range(max(len(expected), len(got))):
            one = expected[index] if index < len(expected) else MISSING
            other = got[index] if index < len(got) else MISSING
            yield from _differences(one, other, (*place, index), start)
    elif not _same(expected, got):
        path = path_text(place)
        yield Difference(start + path[1:] if start else path, expected, got)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)
