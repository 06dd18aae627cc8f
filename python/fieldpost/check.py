"""Everything that is wrong with a destination file, or surprising in it; nothing is sent."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import by_place, destination_schema, documents, expressions, sign_in_check
from .client_certificate import client_certificate
from .config import DestinationConfig, Examined, examine, read_text
from .config_mistakes import ordered
from .config_values import Reading
from .errors import ConfigError, Mistake
from .event_findings import findings, with_suggestions
from .event_profile import EventProfile, profile_events
from .function_file import load_handlers
from .html_table import html_table
from .redaction import references_in
from .secrets import resolve_text
from .stand_ins import LenientReading
from .unit_case import written_cases
from .yaml_text import path_text

EVENTS_READ = 100_000  # of a sample, where nothing else is said
_NAMES = ("code", "message", "path", "line", "column", "hint", "file")


@dataclass(frozen=True)
class CheckResult:
    """Mistakes of a destination file; nothing was sent. Truthy where there are none.

    warnings: what works as for Segment but surprises, and what is probably not meant; the hint is
    the clean way to write it. events: counts over a sample of events, where one was given and the
    file has no mistakes.
    """

    errors: list[Mistake]
    warnings: list[Mistake]
    events: EventProfile | None = None

    def __bool__(self) -> bool:
        return not self.errors

    def to_dict(self) -> dict[str, Any]:
        """As `check --output json` prints them; `file` is "" for the destination's own.

        With counts of a sample under `events`, `paths`, `values` and `subscriptions`.
        """
        told: dict[str, Any] = {
            "errors": [_plain(one) for one in self.errors],
            "warnings": [_plain(one) for one in self.warnings],
        }
        return told | (self.events.to_dict() if self.events else {})

    def _repr_html_(self) -> str:
        told = [("error", one) for one in self.errors]
        told += [("warning", one) for one in self.warnings]
        rows = [
            [kind, _place(one), one.code, one.message, one.path, one.hint] for kind, one in told
        ]
        rows = rows or [["no mistakes", "", "", "", "", ""]]
        columns = ("", "line:column", "code", "what is wrong", "where", "what to do")
        return html_table(columns, rows) + (self.events._repr_html_() if self.events else "")


def check_file(
    path: str | os.PathLike[str], events: Any = None, *, limit: int = EVENTS_READ
) -> CheckResult:
    """Check a destination file, also one that cannot be loaded; its mistakes are not raised.

    events, limit: as for `Destination.check`.
    """
    name = os.fspath(path)
    try:
        text = read_text(name)
    except ConfigError as error:
        return CheckResult(error.mistakes, [])
    return _checked(examine(text, name, None, LenientReading), events, limit)


def check(config: DestinationConfig, events: Any = None, limit: int = EVENTS_READ) -> CheckResult:
    """Check a destination that was loaded. events, limit: as for `Destination.check`."""
    return _checked(
        examine(config.text, config.file, config.reading.environ, LenientReading), events, limit
    )


def _checked(examined: Examined, events: Any, limit: int) -> CheckResult:
    result, config = _result(examined), examined.config
    if events is None or not result or config is None:
        return result
    profile = with_suggestions(profile_events(config, events, limit))
    found = findings(profile)
    own = ordered([*result.warnings, *config.placed([one for one in found if not one.file])])
    return CheckResult(result.errors, [*own, *(one for one in found if one.file)], profile)


def _result(examined: Examined) -> CheckResult:
    if examined.reading is None:
        return CheckResult(examined.mistakes, [])
    reading, config = examined.reading, examined.config
    found = expressions.findings(reading)
    in_schema = destination_schema.findings(reading)
    unset, deciding = _unset(examined)
    errors = [*_own(examined), *deciding, *found.mistakes, *in_schema.mistakes]
    warned = [*unset, *found.warnings, *in_schema.warnings]
    if config is not None:
        warned += _absent_secrets(config)
        warned += config.placed(by_place.findings(config))
        sign_in = sign_in_check.findings(config)
        errors += sign_in.mistakes
        warned += sign_in.warnings
        errors += _client_mistakes(config)
        errors += _told(lambda: documents.compile_plan(config))
        errors += config.placed(documents.nameless(config))
    else:
        errors += destination_schema.unknown_tables(reading)
    functions = reading.resolved.get("functions") if isinstance(reading.resolved, dict) else None
    cases, beside = _case_mistakes(reading)
    own = ordered([*errors, *cases])
    warnings = ordered([one for one in warned if one not in errors])
    return CheckResult([*own, *beside, *_function_mistakes(functions, reading)], warnings)


def _unset(examined: Examined) -> tuple[list[Mistake], list[Mistake]]:
    """Variables that are not set: those that something stands in for, and those for which nothing
    can, since they decide what the file is."""
    reading = examined.reading
    places = [] if reading is None else reading.stood_in
    faulty = {one.path for one in examined.mistakes}
    told = [reading.not_set(path) for path in places] if reading else []
    return [one for one in told if one.path not in faulty], [
        one for one in told if one.path in faulty
    ]


def _own(examined: Examined) -> list[Mistake]:
    """The mistakes of the file itself, without those of what stands in for a variable."""
    places = [] if examined.reading is None else examined.reading.stood_in
    stood_in = {path_text(path) for path in places}
    return [one for one in examined.mistakes if one.path not in stood_in]


def _absent_secrets(config: DestinationConfig) -> list[Mistake]:
    """References to variables and files that hold no secret here; they may where it runs."""
    refs = [ref for ref, _user in references_in(config) if ref.env or ref.file]
    told = [one for ref in refs for one in _told(partial(resolve_text, ref))]
    return list(dict.fromkeys(told))


def _client_mistakes(config: DestinationConfig) -> list[Mistake]:
    """Of the client certificate; a variable that is not set here may be set where it runs."""
    shown = client_certificate(config)
    return [one for one in _told(shown.read) if one.code != "E121"] if shown else []


def _told(work: Callable[[], Any]) -> list[Mistake]:
    try:
        work()
    except ConfigError as error:
        return error.mistakes
    return []


def _case_mistakes(reading: Reading) -> tuple[list[Mistake], list[Mistake]]:
    """Of the unit cases in the file itself, and of those in the file beside it."""
    if not isinstance(reading.resolved, dict):
        return [], []
    _cases, mistakes = written_cases(reading)
    own = [one for one in mistakes if not one.file]
    return own, ordered([one for one in mistakes if one.file])


def _function_mistakes(written: Any, reading: Reading) -> list[Mistake]:
    if not isinstance(written, str) or not (reading.directory / written).is_file():
        return []
    told = _told(lambda: load_handlers(reading.directory / written))
    return [dataclasses.replace(one, file=written) for one in told]


def _plain(mistake: Mistake) -> dict[str, Any]:
    return {name: getattr(mistake, name) for name in _NAMES}


def _place(mistake: Mistake) -> str:
    place = ":".join(str(part) for part in (mistake.line, mistake.column) if part)
    return f"{mistake.file} {place}".strip()
