"""The unit cases of a destination, as they are written: `tests:` in its file or in one beside it.

    tests:
      - name: a sign-up becomes an account
        event: {type: track, event: Account Created, properties: {company: Acme}}
        expect: {body: {name: Acme}}

The file beside `dynamics.yaml` is `dynamics.tests.yaml`. docs/testing.md has every key.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import json_text
from .config_values import Reading
from .errors import Mistake, SourceError
from .event_file import read_events
from .nearest_name import meant_or_all
from .yaml_text import NotYaml, YamlText
from .yaml_text import Path as Place

OUTCOMES = ("filtered", "dropped", "invalid", "rejected")
EXPECTATIONS = ("body", "request", *OUTCOMES)
REQUEST_PARTS = ("method", "url", "headers", "body")
_KEYS = ("name", "event", "events", "file", "settings", "subscription", "expect")
_GIVEN = ("event", "events", "file")


@dataclass(frozen=True)
class Expectation:
    """What becomes of one event: kind is one of EXPECTATIONS, value what is written behind it."""

    kind: str
    value: Any


@dataclass(frozen=True)
class WrittenCase:
    """One case: events as JSON lines, and for each of them what is expected."""

    name: str
    events: tuple[bytes, ...]
    expectations: tuple[Expectation, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    subscription: str | None = None


def beside(file: str) -> Path:
    """The file of unit cases beside a destination's."""
    path = Path(file)
    return path.with_name(f"{path.stem}.tests.yaml")


def written_cases(reading: Reading) -> tuple[list[WrittenCase], list[Mistake]]:
    """The cases of a destination and what is wrong with them; those of its own file come first."""
    names = _subscription_names(reading.resolved)
    own = _Cases(reading.places, reading.directory, names)
    if isinstance(reading.places.data, dict):
        own.read(reading.places.data.get("tests"))
    other = beside(reading.name)
    if not other.is_file():
        return own.cases, own.mistakes
    try:
        places = YamlText(other.read_text(encoding="utf-8-sig"))
    except NotYaml as error:
        return own.cases, [*own.mistakes, dataclasses.replace(error.mistake, file=other.name)]
    except (OSError, UnicodeDecodeError):
        told = Mistake("E158", "the file of unit cases cannot be read", file=other.name)
        return own.cases, [*own.mistakes, told]
    more = _Cases(places, reading.directory, names, {one.name for one in own.cases})
    more.read_file()
    named = [dataclasses.replace(one, file=other.name) for one in more.mistakes]
    return [*own.cases, *more.cases], [*own.mistakes, *named]


def _subscription_names(data: Any) -> list[str]:
    listed = data.get("subscriptions") if isinstance(data, dict) else None
    rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [one["name"] for one in rows if isinstance(one.get("name"), str)]


class _Cases:
    """The cases of one text."""

    def __init__(
        self,
        places: YamlText,
        folder: Path,
        subscriptions: list[str],
        taken: set[str] | None = None,
    ) -> None:
        self.places, self.folder, self.subscriptions = places, folder, subscriptions
        self.cases: list[WrittenCase] = []
        self.mistakes: list[Mistake] = []
        self._taken = taken or set()

    def read_file(self) -> None:
        """A text that holds nothing but cases."""
        self.mistakes += self.places.mistakes
        data = self.places.data
        if not isinstance(data, dict) or "tests" not in data:
            self._tell("E111", 'the key "tests" is missing', (), "begin with tests:")
            return
        self._unknown_keys(data, ("tests",), ())
        self.read(data["tests"])

    def read(self, listed: Any) -> None:
        """The list below `tests:`; the model of the destination file refuses what is no list."""
        if not isinstance(listed, list):
            if listed is not None or "tests" in self.places.data:
                hint = "begin each with - name:"
                self._tell("E112", "expected a list of cases", ("tests",), hint)
            return
        for index, one in enumerate(listed):
            before = len(self.mistakes)
            case = self._case(one, ("tests", index))
            if case is not None and len(self.mistakes) == before:
                self.cases.append(case)

    def _case(self, one: Any, place: Place) -> WrittenCase | None:
        if not isinstance(one, dict):
            self._tell("E112", "expected a case: a mapping of keys and values", place)
            return None
        self._unknown_keys(one, _KEYS, place)
        name = self._name(one, place)
        events = self._events(one, place)
        expectations = self._expectations(one, place, len(events))
        settings = one.get("settings", {})
        if not isinstance(settings, dict):
            self._tell("E112", "expected a mapping of keys and values", (*place, "settings"))
        subscription = self._subscription(one, place)
        return WrittenCase(name, tuple(events), expectations, settings, subscription)

    def _name(self, one: dict[str, Any], place: Place) -> str:
        name = one.get("name")
        if not isinstance(name, str) or not name.strip():
            code, told = ("E112", "expected a text") if "name" in one else _missing("name")
            self._tell(code, told, (*place, "name"), "say what the case shows")
            return ""
        if name in self._taken:
            hint = "give each case a name of its own"
            self._tell("E114", "another case has this name already", (*place, "name"), hint)
        self._taken.add(name)
        return name

    def _subscription(self, one: dict[str, Any], place: Place) -> str | None:
        named = one.get("subscription")
        if named is not None and named not in self.subscriptions:
            hint = meant_or_all(str(named), self.subscriptions)
            at = (*place, "subscription")
            self._tell("E157", "no subscription of this destination has this name", at, hint)
        return named if isinstance(named, str) else None

    def _events(self, one: dict[str, Any], place: Place) -> list[bytes]:
        given = [key for key in _GIVEN if key in one]
        if len(given) != 1:
            told = "a case takes one of event, events and file"
            hint = "such as event: {type: track, event: Signed Up}"
            self._tell("E155", told, (*place, given[1]) if given else place, hint)
            return []
        (kind,) = given
        value, at = one[kind], (*place, kind)
        if kind == "file":
            return self._lines(value, at)
        if kind == "events" and (not isinstance(value, list) or not value):
            self._tell("E112", "expected a list of events", at, "or write event: for a single one")
            return []
        listed = value if kind == "events" else [value]
        for index, event in enumerate(listed):
            if not isinstance(event, dict):
                where = (*at, index) if kind == "events" else at
                hint = "write events: for a list of them" if isinstance(event, list) else ""
                self._tell("E112", "expected an event: a mapping of keys and values", where, hint)
        return [json_text.write(event) for event in listed]

    def _lines(self, written: Any, place: Place) -> list[bytes]:
        if not isinstance(written, str):
            self._tell("E112", "expected the path of a file with one event a line", place)
            return []
        try:
            found = read_events(self.folder / written)
        except SourceError as error:
            hint = "the path is relative to the destination file"
            self._tell("E158", f"the events cannot be read: {error.message}", place, hint)
            return []
        if not found:
            self._tell("E158", "the file holds no event", place)
        return found

    def _expectations(
        self, one: dict[str, Any], place: Place, count: int
    ) -> tuple[Expectation, ...]:
        at = (*place, "expect")
        if "expect" not in one:
            hint = "such as expect: {body: {name: Acme}}, or expect: filtered"
            self._tell("E156", "the case expects nothing", place, hint)
            return ()
        written = one["expect"]
        listed = written if isinstance(written, list) else [written] * max(count, 1)
        if isinstance(written, list) and count and len(listed) != count:
            told = f"{count} events, but {len(listed)} expectations"
            hint = "write one for each event, in order, or a single one without a list for all"
            self._tell("E159", told, at, hint)
        if not isinstance(written, list):
            return (self._expectation(written, at),) * max(count, 1)
        return tuple(self._expectation(each, (*at, i)) for i, each in enumerate(listed))

    def _expectation(self, written: Any, place: Place) -> Expectation:
        if isinstance(written, str) and written in OUTCOMES:
            return Expectation(written, True)
        if not isinstance(written, dict) or not written:
            told = "expected one of " + ", ".join(EXPECTATIONS)
            hint = meant_or_all(written, OUTCOMES) if isinstance(written, str) else ""
            self._tell("E156", told, place, hint or "such as expect: {body: {name: Acme}}")
            return Expectation("filtered", True)
        self._unknown_keys(written, EXPECTATIONS, place)
        kinds = [key for key in written if key in EXPECTATIONS]
        if len(kinds) > 1:
            told = f"expected one thing, not {' and '.join(kinds)}"
            hint = "request: {body: …} has both" if set(kinds) == {"body", "request"} else ""
            self._tell("E156", told, (*place, kinds[1]), hint)
        for kind in kinds[:1]:
            self._check_value(kind, written[kind], (*place, kind))
            return Expectation(kind, written[kind])
        return Expectation("filtered", True)

    def _check_value(self, kind: str, value: Any, place: Place) -> None:
        if kind == "request":
            if not isinstance(value, dict) or not value:
                self._tell("E112", f"expected a mapping of {', '.join(REQUEST_PARTS)}", place)
                return
            self._unknown_keys(value, REQUEST_PARTS, place)
            if not isinstance(value.get("headers", {}), dict):
                at = (*place, "headers")
                self._tell("E112", "expected a mapping of names and texts", at)
        elif kind == "filtered" and value is not True:
            self._tell("E113", "expected true", place, "write expect: filtered")
        elif kind in OUTCOMES and value is not True and not _is_code(value):
            self._tell("E113", "expected true or a code", place, f"such as {kind}: E403")

    def _unknown_keys(self, one: dict[str, Any], known: tuple[str, ...], place: Place) -> None:
        for key in one:
            if key not in known:
                at = (*place, key)
                told = self.places.mistake(
                    "E110", f'unknown key "{key}"', at, meant_or_all(key, known)
                )
                line, column = self.places.locate_key(at)
                self.mistakes.append(dataclasses.replace(told, line=line, column=column))

    def _tell(self, code: str, message: str, place: Place, hint: str = "") -> None:
        self.mistakes.append(self.places.mistake(code, message, place, hint))


def _missing(key: str) -> tuple[str, str]:
    return "E111", f'the key "{key}" is missing'


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"E\d{3}", value) is not None
