"""What is kept of a record that failed: its event and body, without the fields that must not stay.

A letter from which a field was taken out is for reading only: it cannot be sent again. What came by
reference is taken out too, and its reference stands there, so that it can be put in anew.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from .errors import CODES
from .json_text import Number, shown
from .ledger import Key, Letter, Lost, known_as
from .redaction import Redaction

_LONGEST = 1 << 20  # bytes of an event or a body; a longer one is not kept
_SHORT = 3  # characters; a shorter text is taken out only where it stands alone
_FAILED = ("invalid", "rejected", "expired", "unconfirmed")
_GONE = "***"


class Content(NamedTuple):
    """What a record was made of and what was made of it."""

    event: bytes | None
    body: bytes | None = None
    url: bytes = b""
    headers: bytes = b""


class _Unreadable(Exception):
    """Nobody knows what has to be taken out."""


class DeadLetters:
    """Decides what is kept. keep: failed, all or none; redact: paths such as traits.email.

    secrets: of the destination, which are kept nowhere.
    """

    def __init__(
        self, keep: str = "failed", redact: Sequence[str] = (), secrets: Redaction | None = None
    ) -> None:
        self._keep = keep
        self._secrets = secrets or Redaction()
        self._paths = [path.removeprefix("$.").split(".") for path in redact]

    def keeps(self, outcome: str) -> bool:
        """Whether a record with this outcome leaves a letter."""
        if self._keep == "all":
            return outcome != "waiting"
        return self._keep == "failed" and outcome in _FAILED

    def letter(self, key: Key, content: Content) -> Letter:
        """The letter of one record."""
        content, redacted = self._redacted(content)
        content, taken = self._without_secrets(content)
        return Letter(
            key.target,
            key.event_id,
            _short_enough(content.event),
            _short_enough(content.body),
            _plain(content.url),
            _plain(content.headers),
            Lost.FIELDS if redacted else taken,
            key.event_id.encode("utf-8", "surrogatepass")
            if known_as(key.event_id) != key.event_id
            else None,
        )

    def _redacted(self, content: Content) -> tuple[Content, bool]:
        """The content that may be kept; True where something was taken out of it."""
        try:
            event, values = self._redacted_event(content.event)
        except _Unreadable:
            return Content(None), True
        url, headers = _without(content.url, values), _without(content.headers, values)
        rest = Content(event, _without(content.body, values), url or b"", headers or b"")
        return rest, bool(values)

    def _without_secrets(self, content: Content) -> tuple[Content, Lost]:
        """The content with references in place of what came by them."""
        event, body, url, headers = content
        taken = [
            self._secrets.take_out(body or b"", event),
            self._secrets.take_out(url, is_address=True),
            self._secrets.take_out(headers, event),
        ]
        if not any(one.found for one in taken):
            return content, Lost.NOTHING
        texts = [one.text for one in taken]
        lost = Lost.SECRETS if all(one.whole for one in taken) else Lost.PARTS
        return Content(event, None if body is None else texts[0], *texts[1:]), lost

    @property
    def redacts(self) -> bool:
        """True where fields of events must not stay."""
        return bool(self._paths)

    def hidden(self, text: str, event: bytes | None) -> str:
        """A service's words about an event, without the fields that must not stay."""
        if not self._paths or not text:
            return text
        try:
            _, values = self._redacted_event(event)
        except _Unreadable:
            return "`redact` keeps the words about this event out, since its fields cannot be read"
        return _plain(_without(text.encode("utf-8", "surrogatepass"), values))

    def hidden_of_all(self, code: str, text: str) -> str:
        """What ended a run: a service's words may show an event, which one is not known here."""
        if not self._paths or code in CODES:
            return text
        return f"the destination is paused: {code}; `redact` keeps the service's words out of this"

    def _redacted_event(self, event: bytes | None) -> tuple[bytes | None, list[str]]:
        """The event without the fields, and what they held.

        Raises _Unreadable for an event of which Python reads less than the core (nested a thousand
        times, a number of 4,301 digits, a key twice): what its fields hold may stand in body, url
        and headers.
        """
        if event is None or not self._paths:
            return event, []
        values: list[str] = []
        try:
            data = json.loads(event, object_pairs_hook=_each_once, parse_float=Number)
            for path in self._paths:
                _take_out(data, path, values)
            rest = shown(data)
        except (ValueError, RecursionError):
            raise _Unreadable from None
        return (rest.encode("utf-8", "surrogatepass") if values else event), values


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _take_out(data: Any, path: list[str], values: list[str]) -> None:
    if isinstance(data, list):
        for one in data:
            _take_out(one, path, values)
    elif isinstance(data, dict) and path[0] in data:
        if len(path) > 1:
            _take_out(data[path[0]], path[1:], values)
        elif data[path[0]] is not None:
            _note(data[path[0]], values)
            data[path[0]] = _GONE


def _note(value: Any, values: list[str]) -> None:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            _note(one, values)
    elif isinstance(value, Number):
        values.append(value.text)
        if math.isfinite(value):
            values.append(json.dumps(value))  # as a template writes it
    elif value is not None and not isinstance(value, bool):
        values.append(value if isinstance(value, str) else json.dumps(value))


def _without(text: bytes | None, values: list[str]) -> bytes | None:
    """A text in which each value is replaced, as it is and as JSON writes it."""
    for value in sorted(set(values), key=len, reverse=True) if text else ():
        forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
        for form in forms:
            raw = form.encode("utf-8", "surrogatepass")
            if len(value) < _SHORT:
                text = (text or b"").replace(b'"' + raw + b'"', b'"' + _GONE.encode() + b'"')
            else:
                text = (text or b"").replace(raw, _GONE.encode())
    return text


def _short_enough(text: bytes | None) -> bytes | None:
    return text if text is not None and len(text) <= _LONGEST else None


def _plain(text: bytes | None) -> str:
    return (text or b"").decode("utf-8", "replace")
