"""The path of a request, cut into segments: ``accounts(<key>)/Account_Tasks/$ref``.

The path comes decoded, as it does in the service: a ``%2F`` in a key value is a slash like any.
"""

from __future__ import annotations

from dataclasses import dataclass

from .query.options import split_outside
from .refusal import unknown_segment


@dataclass(frozen=True, slots=True)
class Segment:
    """A name and what stands in brackets after it; None: no brackets."""

    name: str
    inside: str | None = None

    def arguments(self) -> dict[str, str]:
        """What is in the brackets, as the arguments of a function."""
        parts = split_outside(self.inside or "", ",")
        pairs = (part.partition("=") for part in parts)
        return {name.strip(): value.strip() for name, _, value in pairs}


def segments(path: str) -> list[Segment]:
    """The segments of a path relative to the Web API; raises `Refusal`."""
    return [_segment(part) for part in path.removesuffix("/").split("/")]


def _segment(text: str) -> Segment:
    name, bracket, inside = text.partition("(")
    if not bracket:
        return Segment(name)
    if not inside.endswith(")"):
        raise unknown_segment(text)
    return Segment(name, inside[:-1])
