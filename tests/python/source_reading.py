"""Reads a source to its end: bodies with their places, what is invalid, and how it broke."""

from __future__ import annotations

import decimal
import json
from typing import Any

from fieldpost._core import Plan
from fieldpost.errors import SourceError
from fieldpost.sources import Source, open_source

PLAN = json.dumps(
    {
        "event_id": {"@path": "$.id"},
        "subscriptions": [{"filter": "all", "body": {"@path": "$."}, "body_required": True}],
    }
)


class Reading:
    """All that a source gives: bodies with their places, what is invalid, and how it broke."""

    def __init__(self, source: Source) -> None:
        self.bodies: list[Any] = []
        self.texts: list[bytes] = []
        self.places: list[tuple[int, int]] = []
        self.invalid: list[tuple[int, str]] = []
        self.error: SourceError | None = None
        plan = Plan(PLAN)
        try:
            for chunk in source.chunks():
                batch = plan.process(chunk)
                batch.explain(chunk)
                for index, key in enumerate(batch.keys()):
                    self.texts.append(batch.body(index))
                    self.bodies.append(json.loads(self.texts[-1], parse_float=decimal.Decimal))
                    self.places.append((key[3], key[4]))
                self.invalid += [(row[3], row[6]) for row in batch.ended()]
        except SourceError as error:
            self.error = error

    @property
    def ids(self) -> list[Any]:
        return [body["id"] for body in self.bodies]


def read(given: Any) -> Reading:
    """A source that has no fault."""
    reading = Reading(open_source(given))
    assert reading.error is None
    return reading


def broken(given: Any) -> tuple[Reading, SourceError]:
    """A source that has one."""
    reading = Reading(open_source(given))
    assert reading.error is not None
    return reading, reading.error
