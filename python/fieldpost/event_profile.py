"""Counts of what a sample's events have of all that a destination looks for; nothing is sent.

The core walks each event once (`_core.Plan.profile`); here its counts get their places in the file.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from . import documents
from ._core import Chunk, Plan, Profile
from .config import DestinationConfig
from .errors import Mistake
from .functions import Functions, load_functions
from .html_table import html_table
from .likely_path import Tree, path_text
from .sources import Source, log_doubts, open_source
from .stage import cores, first_events, in_order

_TYPES = {
    "string": "text",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "object",
}
TYPE_NAMES = {**_TYPES, "null": "null", "undefined": "missing"}
_OTHERS_SHOWN = 10


@dataclass(frozen=True)
class PathCount:
    """One path of a filter, mapping, key, address or header.

    subscription: its name, None where every event is asked (event_id). place, line, column: where
    it is written. per: event, or item of a list. matching: how many were looked at (of a filter's
    path all events, else those that came to the mapping); types: how many of which, null left out.
    absent_elsewhere: where the filter takes none, how many events were looked at instead, if none
    of them has the path either. steps: from the event, None for each item; None where it starts at
    a computed value.
    """

    subscription: str | None
    place: str
    line: int | None
    column: int | None
    path: str
    is_filters: bool
    per: str
    wanted: str
    matching: int
    null: int
    missing: int
    types: dict[str, int]
    steps: tuple[str | None, ...] | None = dataclasses.field(repr=False)
    tree: Tree = dataclasses.field(repr=False)
    absent_elsewhere: int = 0
    suggestion: str | None = None

    @property
    def present(self) -> int:
        """How many have a value that is not null."""
        return sum(self.types.values())

    @property
    def type_text(self) -> str:
        """The types, and how many of which where there are several: `text 12, number 3`."""
        if len(self.types) < 2:
            return "".join(self.types)
        return ", ".join(f"{name} {count:,}" for name, count in self.types.items())

    def to_dict(self) -> dict[str, Any]:
        """As `check --output json` prints it."""
        names = ("subscription", "place", "line", "column", "path", "per", "matching")
        told = {name: getattr(self, name) for name in names}
        counts = {"present": self.present, "null": self.null, "missing": self.missing}
        more = {"types": self.types, "filter": self.is_filters, "suggestion": self.suggestion}
        return told | counts | more


@dataclass(frozen=True)
class SeenValue:
    """A value that a field has. type: text, number, boolean, list, object, null, missing."""

    type: str
    text: str
    events: int

    def __str__(self) -> str:
        if self.type == "text":
            return json.dumps(self.text, ensure_ascii=False)
        return self.text or self.type

    def to_dict(self) -> dict[str, Any]:
        """As `check --output json` prints it."""
        return {"value": str(self), "type": self.type, "events": self.events}


@dataclass(frozen=True)
class ValueCount:
    """A value that a filter compares, or a whole condition of another kind.

    text: as it is written. field: what it is compared with. events: how many have the value, or
    meet the condition. is_negated: these are the ones that "!" or "!=" keeps out. seen: the values
    of the field, the most frequent first; unseen: in how many events are values beyond the first
    thousand different ones.
    """

    subscription: str
    place: str
    line: int | None
    column: int | None
    text: str
    type: str | None
    literal: str | None
    field: str | None
    is_negated: bool
    events: int
    seen: list[SeenValue] = dataclasses.field(repr=False)
    unseen: int = 0
    suggestion: str | None = None

    @property
    def others(self) -> list[SeenValue]:
        """The most frequent values of the field but this one."""
        own = [one for one in self.seen if (one.type, one.text) != (self.type, self.literal)]
        return own[:_OTHERS_SHOWN]

    def to_dict(self) -> dict[str, Any]:
        """As `check --output json` prints it."""
        told: dict[str, Any] = {"subscription": self.subscription, "place": self.place}
        told |= {"line": self.line, "column": self.column, "field": self.field}
        told |= {"compared": self.text, "negated": self.is_negated, "events": self.events}
        others = [one.to_dict() for one in self.others]
        return told | {"others": others, "suggestion": self.suggestion}


@dataclass(frozen=True)
class SubscriptionCount:
    """How many events a subscription's filter takes, and how many of them come to its mapping."""

    name: str
    place: str
    line: int | None
    column: int | None
    events: int
    mapped: int

    def to_dict(self) -> dict[str, Any]:
        """As `check --output json` prints it."""
        return {
            name: getattr(self, name)
            for name in ("name", "place", "line", "column", "events", "mapped")
        }


@dataclass(frozen=True)
class EventProfile:
    """Counts over a sample. received: lines read; events: of them, those that are events.

    by_place: events that only their place in the source tells apart. limit: how many were to be
    read at most, 0 for all. doubts: what the source warned of.
    """

    source: str
    limit: int
    received: int
    events: int
    by_place: int
    paths: list[PathCount]
    values: list[ValueCount]
    subscriptions: list[SubscriptionCount]
    doubts: list[Mistake]
    tree: Tree = dataclasses.field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As `check --output json` prints it, under four keys."""
        return {
            "events": {
                "source": self.source,
                "limit": self.limit,
                "received": self.received,
                "invalid": self.received - self.events,
                "by_place": self.by_place,
            },
            "paths": [one.to_dict() for one in self.paths],
            "values": [one.to_dict() for one in self.values],
            "subscriptions": [one.to_dict() for one in self.subscriptions],
        }

    def _repr_html_(self) -> str:
        taken = [[one.name, one.events] for one in self.subscriptions]
        columns = ("place", "path", "of", "present", "null", "missing", "types")
        paths = [
            [_at(one), one.path, one.matching, one.present, one.null, one.missing, one.type_text]
            for one in self.paths
        ]
        values = [[_at(one), one.field or "", one.text, one.events] for one in self.values]
        return (
            html_table(("subscription", "events"), taken)
            + html_table(columns, paths)
            + html_table(("place", "field", "compared with", "events"), values)
        )


def _at(one: PathCount | ValueCount) -> str:
    return f"{one.line}:{one.column}"


def profile_events(config: DestinationConfig, source: Any, limit: int) -> EventProfile:
    """Count what the first `limit` events have (0: all of them), after functions and transforms.

    source: as for `Destination.deliver`. Raises ConfigError and SourceError.
    """
    plan, functions = documents.compile_plan(config), load_functions(config)
    opened = open_source(source, config.dialect(source))
    opened.has_place = True  # nothing is remembered: a line without an id is an event all the same
    try:
        told = _counted(plan, functions, opened, limit)
    finally:
        log_doubts(opened.doubts)
    return _Placing(config, json.loads(told)).profile(opened, limit)


def _counted(plan: Plan, functions: Functions | None, source: Source, limit: int) -> str:
    chunks = source.chunks() if limit == 0 else first_events(source.chunks(), limit)

    def work(chunk: Chunk) -> Profile:
        if functions is None:
            return plan.profile(chunk)
        counted, chosen = plan.profile(chunk, mapped=False), plan.select(chunk)
        plan.profile_changed(chosen, [functions.result(one) for one in chosen.events()], counted)
        return counted

    # A user's functions are called by one thread, in order.
    whole = plan.profile(Chunk(source.name, True))
    for one in in_order(chunks, work, 1 if functions else cores()):
        whole.merge(one)
    return whole.json()


class _Placing:
    """The core's counts of one destination, with the names and places of its file."""

    def __init__(self, config: DestinationConfig, told: dict[str, Any]) -> None:
        self._config = config
        self._told = told
        self._names = [one.name for one in documents.active(config)]

    def profile(self, source: Source, limit: int) -> EventProfile:
        """All of it."""
        told = self._told
        return EventProfile(
            source.name,
            limit,
            told["received"],
            told["events"],
            told["by_place"],
            [self._path(one) for one in told["paths"] if self._is_written(one)],
            [self._value(one) for one in told["values"]],
            list(self._subscriptions()),
            list(source.doubts),
            told["names"][0],
        )

    def _is_written(self, row: dict[str, Any]) -> bool:
        """False of the event_id that a file without one has."""
        return row["subscription"] is not None or self._config.event_id_given

    def _path(self, row: dict[str, Any]) -> PathCount:
        place, line, column = self._place(row["place"], row)
        counts, subscription = row["counts"], row["subscription"]
        absent_elsewhere = _absent(row["otherwise"])
        names = 0 if subscription is None or row["filter"] else subscription + 1
        if absent_elsewhere:
            names += len(self._names)
        types = {name: counts[kind] for kind, name in _TYPES.items() if counts[kind]}
        return PathCount(
            None if subscription is None else self._names[subscription],
            place,
            line,
            column,
            _path(row),
            row["filter"],
            "item" if row["items"] else "event",
            row["wanted"],
            sum(counts.values()),
            counts["null"],
            counts["undefined"],
            types,
            None if row["keys"] is None else tuple(row["keys"]),
            self._told["names"][names],
            absent_elsewhere,
        )

    def _value(self, row: dict[str, Any]) -> ValueCount:
        place, line, column = self._place(row["place"], row)
        term = None if row["term"] is None else self._told["terms"][row["term"]]
        seen = [
            SeenValue(TYPE_NAMES[kind], text, n) for kind, text, n in (term or {}).get("values", ())
        ]
        return ValueCount(
            self._names[row["subscription"]],
            place,
            line,
            column,
            row["text"],
            TYPE_NAMES[row["type"]] if row["type"] else None,
            row["literal"],
            term and term["text"],
            row["negated"],
            row["count"],
            seen,
            term["others"] if term else 0,
        )

    def _subscriptions(self) -> Iterator[SubscriptionCount]:
        for index, one in enumerate(self._told["subscriptions"]):
            place, line, column = self._place(f"$.subscriptions[{index}].filter", {})
            name = self._names[index]
            yield SubscriptionCount(name, place, line, column, one["taken"], one["mapped"])

    def _place(self, path: str, row: dict[str, Any]) -> tuple[str, int | None, int | None]:
        """Where something of the plan stands in the file."""
        place = documents.place_in_file(self._config, path)
        span = (row["begin"], row["end"]) if row.get("end") else None
        [found] = self._config.placed([replace(_SOMEWHERE, path=place, span=span)])
        return place, found.line, found.column


def _path(row: dict[str, Any]) -> str:
    """As a mapping writes it, from an item where it is one's; a filter's as it is written."""
    keys = row["keys"]
    if row["filter"] or keys is None:
        return str(row["path"])
    return path_text(keys[max((at + 1 for at, key in enumerate(keys) if key is None), default=0) :])


def _absent(counts: dict[str, int] | None) -> int:
    """How many were looked at, if none of them has it."""
    counts = counts or {}
    missing = counts.get("undefined", 0)
    return missing if missing == sum(counts.values()) else 0


_SOMEWHERE = Mistake("E293", "")
