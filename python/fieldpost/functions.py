"""Insert functions: a user's Python on an event, after the filters and before the mapping.

A function file has handlers `on_track(event, settings)`, `on_identify`, `on_group`, `on_page`,
`on_screen`, `on_alias` and `on_delete`. Each gets the event as a dict and returns it, changed or
not; None or `raise DropEvent("why")` drops it. An event whose type has no handler goes on as it
is (Segment's own functions stop it there).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import json_text, neighbours
from .config import DestinationConfig, SecretRef
from .errors import ConfigError
from .function_file import HANDLERS, load_handlers
from .redaction import SHORTEST
from .secrets import Secret, redact, resolve_text

__all__ = ["HANDLERS", "DropEvent", "Dropped", "Failed", "Functions", "load", "load_functions"]

Handler = Callable[[Any, Any], Any]


class DropEvent(Exception):
    """Raised by a function to drop an event; the text tells why and is kept with the outcome."""


@dataclass(frozen=True)
class Dropped:
    """The function dropped the event (outcome `dropped`)."""

    code: str
    message: str


@dataclass(frozen=True)
class Failed:
    """The function cannot handle the event (outcome `invalid`)."""

    code: str
    message: str


def load_functions(config: DestinationConfig) -> Functions | None:
    """The functions of a destination, None where it has no file of them; raises ConfigError."""
    return functions_with(config, {})


def functions_with(config: DestinationConfig, more: Mapping[str, Any]) -> Functions | None:
    """The same, with more settings laid over those of the file."""
    path = config.functions_path
    settings = _stood_in({**config.settings, **more}, config.reading.stands_in)
    return load(path, settings) if path else None


def _stood_in(part: Any, when: str) -> Any:
    """Settings in which a text such as ${KEY} stands for a secret that is not read."""
    if isinstance(part, dict):
        return {key: _stood_in(one, when) for key, one in part.items()}
    if isinstance(part, list):
        return [_stood_in(one, when) for one in part]
    if not isinstance(part, SecretRef) or when == "never":
        return part
    try:
        return resolve_text(part) if when == "missing" else _stand_in(part)
    except ConfigError:
        return _stand_in(part)


def _stand_in(ref: SecretRef) -> str:
    return f"${{{ref.env or ref.keyring or ref.airflow or Path(ref.file or '').name}}}"


def _resolved(part: Any, secrets: list[Secret]) -> Any:
    """Settings with the secrets that they refer to, which are noted."""
    if isinstance(part, dict):
        return {key: _resolved(one, secrets) for key, one in part.items()}
    if isinstance(part, list):
        return [_resolved(one, secrets) for one in part]
    if isinstance(part, SecretRef):
        part = resolve_text(part)
    if isinstance(part, Secret):
        secrets.append(part)
    return part


def load(path: Path, settings: Mapping[str, Any] | None = None) -> Functions:
    """Load a function file; raises ConfigError with every mistake in it.

    settings: what the handlers get as second argument, a fresh copy each time; references to
    secrets are read now.
    """
    return Functions(path, settings or {})


class Functions:
    """The handlers of one function file; pickles as its path and settings, without secrets."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self._settings = dict(settings)
        secrets: list[Secret] = []
        self._given = _resolved(self._settings, secrets)
        self._secrets = [one for one in secrets if len(one) >= SHORTEST]
        self._handlers: dict[str, Handler] = load_handlers(self.path)

    def __reduce__(self) -> tuple[Any, ...]:
        return Functions, (self.path, self._settings)

    @property
    def types(self) -> tuple[str, ...]:
        """The event types that have a handler."""
        return tuple(self._handlers)

    def apply(self, event_json: bytes) -> bytes | Dropped | Failed:
        """Run the handler of one event's type; the same bytes where there is none.

        Nothing that the event holds is in a message. KeyboardInterrupt passes through.
        """
        event = _read(event_json)
        if isinstance(event, Failed):
            return event
        kind = event.get("type")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            return event_json
        try:
            returned = handler(event, copy.deepcopy(self._given))
        except DropEvent as drop:
            told = _plain(redact(str(drop), self._secrets))
            return Dropped("E413", told or "the function dropped the event")
        except (Exception, SystemExit) as error:
            return Failed("E411", self._blame(handler, error))
        return self._written(handler, returned)

    def result(self, event_json: bytes) -> bytes | tuple[str, str] | tuple[str, str, str]:
        """As `apply`, in the form that `Plan.render` takes: a third member means dropped."""
        changed = self.apply(event_json)
        if isinstance(changed, bytes):
            return changed
        if isinstance(changed, Dropped):
            return changed.code, changed.message, "dropped"
        return changed.code, changed.message

    def _written(self, handler: Handler, returned: Any) -> bytes | Dropped | Failed:
        if returned is None:
            return Dropped("E413", f"{handler.__name__} returned nothing")
        if not isinstance(returned, dict):
            kind = type(returned).__name__
            return Failed("E412", f"{handler.__name__} returned {kind}, expected a dict")
        try:
            return json_text.write(returned)
        except json_text.NotJson as foreign:
            told = f"{handler.__name__} returned {foreign.kind} at {foreign.path}"
            return Failed("E412", f"{told}, which JSON cannot hold")

    def _blame(self, handler: Handler, error: BaseException) -> str:
        """Class of the exception and the innermost line of the user's files; never its text."""
        found = neighbours.place(error.__traceback__)
        if found is None:
            line = getattr(getattr(handler, "__code__", None), "co_firstlineno", 1)
            found = str(self.path), line
        name = type(error).__name__
        return f"{handler.__name__} raised {name} at {Path(found[0]).name}:{found[1]}"


def _read(event_json: bytes) -> dict[str, Any] | Failed:
    try:
        event = json.loads(event_json, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return Failed("E401", "not JSON that a function can be given")
    if not isinstance(event, dict):
        return Failed("E402", "a JSON value, but not an object")
    return event


def _plain(text: str) -> str:
    """A text that UTF-8 can hold, short enough for a report."""
    return text[:500].encode("utf-8", "backslashreplace").decode("utf-8")


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
