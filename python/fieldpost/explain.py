"""What a destination does with one event, and why: each condition, and each field of the body."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import json_text
from .bench import Bench, Got
from .config import examine, read_text
from .difference import MISSING, shown
from .errors import ConfigError, EventError, MappingError
from .filter import Explanation, Filter
from .html_table import html_table
from .mapping import Mapping
from .redaction import Redaction
from .stand_ins import LenientReading
from .yaml_text import Path as Place
from .yaml_text import parse_path, path_text


@dataclass(frozen=True)
class Origin:
    """Where one field of a body came from.

    path: in the body. written: what the mapping says there. value: what the body has, perhaps
    MISSING. reads: what the event has at each path that was read, perhaps MISSING.
    """

    path: str
    written: Any
    value: Any
    reads: dict[str, Any]
    why: str = ""

    def without(self, secrets: Redaction) -> Origin:
        """The same with *** in place of what came by reference."""
        steps = parse_path(self.path)
        name = str(steps[-1]) if steps else ""
        written, value = (secrets.value(one, name) for one in (self.written, self.value))
        reads = {path: secrets.value(one) for path, one in self.reads.items()}
        why = secrets.text(self.why)
        return replace(self, written=written, value=value, reads=reads, why=why)

    def to_dict(self) -> dict[str, Any]:
        """As `explain --output json` prints it; what is missing has no key."""
        told: dict[str, Any] = {"path": self.path, "written": self.written}
        if self.value is not MISSING:
            told["value"] = self.value
        told["reads"] = {path: one for path, one in self.reads.items() if one is not MISSING}
        told["missing"] = [path for path, one in self.reads.items() if one is MISSING]
        return told | {"why": self.why}

    def cells(self) -> list[str]:
        """Field, value, what was read."""
        read = ", ".join(f"{path} is {shown(one)}" for path, one in self.reads.items())
        return [self.path, shown(self.value), self.why or read or "as written"]


@dataclass(frozen=True)
class SubscriptionExplanation:
    """What one subscription does with the event.

    outcome: mapped, or filtered, dropped, invalid, rejected with code and message. filter: the
    verdict of each condition. body: as it would be mapped, or MISSING.
    """

    name: str
    outcome: str
    code: str
    message: str
    filter: Explanation
    body: Any
    fields: list[Origin]

    def without(self, secrets: Redaction) -> SubscriptionExplanation:
        """The same with *** in place of what came by reference."""
        fields = [one.without(secrets) for one in self.fields]
        told = {"message": secrets.text(self.message), "body": secrets.value(self.body)}
        return replace(self, fields=fields, **told)

    def to_dict(self) -> dict[str, Any]:
        """As `explain --output json` prints it."""
        told: dict[str, Any] = {"name": self.name, "outcome": self.outcome, "code": self.code}
        told |= {"message": self.message, "filter": self.filter.tree}
        if self.body is not MISSING:
            told["body"] = self.body
        return told | {"fields": [one.to_dict() for one in self.fields]}

    def __str__(self) -> str:
        lines = [f"{self.name}: {' '.join(filter(None, self._told()))}"]
        lines += [f"  {line}" for line in str(self.filter).splitlines()]
        rows = [one.cells() for one in self.fields]
        widths = [max((len(row[at]) for row in rows), default=0) for at in (0, 1)]
        lines += [
            f"  {path:<{widths[0]}}  {value:<{min(widths[1], 40)}}  {why}".rstrip()
            for path, value, why in rows
        ]
        return "\n".join(lines)

    def _told(self) -> tuple[str, str, str]:
        return self.outcome, self.code, self.message

    def _repr_html_(self) -> str:
        columns = ("subscription", "outcome", "code", "message")
        head = html_table(columns, [[self.name, *self._told()]])
        fields = [one.cells() for one in self.fields]
        body = html_table(("field", "value", "came from"), fields) if fields else ""
        return head + self.filter._repr_html_() + body


class EventExplanation:
    """What becomes of one event, by subscription, in the file's order."""

    def __init__(self, subscriptions: list[SubscriptionExplanation]) -> None:
        self.subscriptions = subscriptions

    def __iter__(self) -> Iterator[SubscriptionExplanation]:
        return iter(self.subscriptions)

    def __len__(self) -> int:
        return len(self.subscriptions)

    def __getitem__(self, index: int) -> SubscriptionExplanation:
        return self.subscriptions[index]

    def to_dict(self) -> dict[str, Any]:
        """As `explain --output json` prints it."""
        return {"subscriptions": [one.to_dict() for one in self.subscriptions]}

    def __str__(self) -> str:
        return "\n\n".join(str(one) for one in self.subscriptions)

    def __repr__(self) -> str:
        told = ", ".join(f"{one.name} {one.outcome}" for one in self.subscriptions)
        return f"<EventExplanation: {told}>"

    def _repr_html_(self) -> str:
        return "".join(one._repr_html_() for one in self.subscriptions)


def explain_file(path: str | os.PathLike[str], event: bytes) -> EventExplanation:
    """The same for a destination file; environment variables that are not set do not matter.

    event: its JSON. Raises ConfigError, and EventError where it is no event.
    """
    name = os.fspath(path)
    examined = examine(read_text(name), name, None, LenientReading)
    if examined.config is None:
        raise ConfigError(examined.mistakes, name)
    return explain(Bench(examined.config), event)


def explain(bench: Bench, event: bytes | bytearray | memoryview) -> EventExplanation:
    """What a destination does with one event's JSON; raises EventError where it is no event."""
    line = bytes(event).replace(b"\n", b" ")  # within a text JSON has none as it stands
    found = bench.outcomes(line, bench.functions({}))
    secrets = Redaction.of(bench.config, secrets=False)
    told = [_explained(got, line, bench.config.directory) for got in found]
    return EventExplanation([one.without(secrets) for one in told])


def _explained(got: Got, event: bytes, folder: Path) -> SubscriptionExplanation:
    written = got.subscription.filter
    why = Filter(written.text, written.dialect).explain(event)
    fields: list[Origin] = []
    if got.event is not None:
        document = got.subscription.body
        walk = _Walk(got.event, folder, got.body is not MISSING)
        fields = list(walk.origins({"@path": "$."} if document is None else document, got.body, ()))
    told = (got.outcome, got.code, got.message)
    return SubscriptionExplanation(got.subscription.name, *told, why, got.body, fields)


class _Walk:
    """Through a mapping, beside the event and the body it gave.

    is_whole: the body is there; otherwise each field is mapped on its own, to find what failed.
    """

    def __init__(self, event: bytes, folder: Path, is_whole: bool) -> None:
        self.event, self.folder, self.is_whole = event, folder, is_whole
        self._data = json_text.read_exact(event)

    def origins(self, document: Any, value: Any, place: Place) -> Iterator[Origin]:
        """One for each directive and each constant; value is what the body has there."""
        if isinstance(document, dict) and any(_is_directive(key) for key in document):
            yield self._origin(document, value, place)
        elif isinstance(document, dict) and document:
            for key, one in document.items():
                name = key[1:] if key.startswith("@@") else key
                yield from self.origins(one, _step(value, name), (*place, name))
        elif isinstance(document, list) and document:
            for index, one in enumerate(document):
                yield from self.origins(one, _step(value, index), (*place, index))
        else:
            yield Origin(path_text(place), document, value if self.is_whole else document, {})

    def _origin(self, document: Any, value: Any, place: Place) -> Origin:
        try:
            mapping = Mapping(document, folder=self.folder)
        except MappingError:  # it leans on what stands around it
            return Origin(path_text(place), document, value, {})
        fault = ""
        if not self.is_whole:
            value, fault = _mapped(mapping, self.event)
        reads = {path: _read(path, self.event) for path in mapping.paths if "[]" not in path}
        absent = [_absence(path, self._data) for path, one in reads.items() if one is MISSING]
        why = fault or ("; ".join(absent) if value in (MISSING, None) else "")
        return Origin(path_text(place), document, value, reads, why)


def _is_directive(key: str) -> bool:
    return key.startswith("@") and not key.startswith("@@")


def _mapped(mapping: Mapping, event: bytes) -> tuple[Any, str]:
    """What a mapping gives, perhaps MISSING, and why it cannot give anything."""
    try:
        found = mapping.apply_json(event)
        return (json_text.read_exact(found) if found else MISSING), ""
    except EventError as error:
        return MISSING, str(error)


def _read(path: str, event: bytes) -> Any:
    return _mapped(Mapping({"@path": path}), event)[0]


def _absence(path: str, event: dict[str, Any]) -> str:
    """Which step of a path leads nowhere."""
    inside: Any = event
    so_far: Place = ()
    for step in parse_path(path):
        found = _step(inside, step)
        if found is MISSING:
            where = "the event" if not so_far else path_text(so_far)
            if isinstance(inside, dict | list):
                return f"{where} has no {shown(step)}"
            return f"nothing is inside {where}, which is {_kind(inside)}"
        inside, so_far = found, (*so_far, step)
    return f"{path} is missing"


def _step(inside: Any, step: str | int) -> Any:
    if isinstance(inside, dict):
        return inside.get(str(step), MISSING)
    if isinstance(inside, list) and str(step).isdigit() and int(step) < len(inside):
        return inside[int(step)]
    return MISSING


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", str: "a text", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")
