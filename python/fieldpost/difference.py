"""Where two JSON values differ, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from . import json_text
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
        both = {"expected": self.expected, "got": self.got}
        told = {"path": self.path} | {k: v for k, v in both.items() if v is not MISSING}
        return told | ({"why": self.why} if self.why else {})


def shown(value: Any) -> str:
    """A value as JSON, or `nothing`."""
    return repr(value) if value is MISSING else json_text.shown(value)


def differences(expected: Any, got: Any, place: Path = (), start: str = "") -> list[Difference]:
    """Every field that differs, in the order of `expected`; 1 and 1.0 are the same, 1 and true not.

    start: what the paths begin with instead of $.
    """
    return [
        Difference(start + path_text(path)[1:] if start else path_text(path), one, other)
        for path, one, other in sides(expected, got, place)
    ]


def sides(one: Any, other: Any, place: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """(path, one side, the other) of every field that differs; either side may be MISSING."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            yield from sides(one.get(key, MISSING), other.get(key, MISSING), (*place, key))
    elif isinstance(one, list) and isinstance(other, list):
        for index in range(max(len(one), len(other))):
            yield from sides(_item(one, index), _item(other, index), (*place, index))
    elif not _same(one, other):
        yield place, one, other


def _item(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else MISSING


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)
