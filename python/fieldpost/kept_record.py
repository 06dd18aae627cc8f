"""One record as a ledger still has it: event and request, and what is not there and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import documents, json_text
from .config import DestinationConfig
from .errors import EventError
from .ledger import Kept, Lost
from .redaction import Redaction

NEVER = (
    "the headers and the body of answers, and what came of each try: of the last one the status, "
    "the code, the service's words and the request's id are kept"
)
_LOST = {
    Lost.FIELDS: "the fields that `redact` names",
    Lost.SECRETS: "secrets, for which their references stand",
    Lost.PARTS: "secrets and parts of them, for which their references stand",
}


@dataclass(frozen=True)
class KeptRecord:
    """The parts of a record that are kept, and those that are not.

    event, body: JSON values, None where there is none. action, table, method and url: of today's
    file, the url of the event where it gives its own; "" where the file has no such subscription
    or, as the method of a Dynamics 365, where the service's protocol chooses. headers: those that
    come from the event. lacks: in words.
    """

    event: Any
    body: Any
    action: str
    table: str
    method: str
    url: str
    headers: dict[str, str]
    lacks: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As `outcomes --event-id … --output json` prints it."""
        request: dict[str, Any] = {"action": self.action, "table": self.table}
        request |= {"method": self.method, "url": self.url, "headers": self.headers}
        return {
            "event": self.event,
            "request": request | {"body": self.body} if self.body is not None else None,
            "not_kept": list(self.lacks),
        }


class KeptRecords:
    """Tells what is kept of the records of a destination."""

    def __init__(self, config: DestinationConfig) -> None:
        self._config = config
        self._subscriptions = {one.id: one for one in config.subscriptions}
        self._secrets = Redaction.of(config, secrets=False)

    def of(self, subscription: str, letter: Kept) -> KeptRecord:
        """The record of a row's letter. subscription: its id."""
        action, table, method, url = self._request(subscription)
        return KeptRecord(
            _value(letter.event),
            _value(letter.body),
            action,
            table,
            method,
            self._secrets.text(letter.url or "") or url,
            _headers(letter.headers),
            tuple(self._lacks(letter)),
        )

    def _request(self, subscription: str) -> tuple[str, str, str, str]:
        """(action, table, method, address) of a subscription, by its id."""
        one = self._subscriptions.get(subscription)
        if one is None:
            return "", "", "", ""
        method = one.method if self._config.type == "webhook" else ""
        return one.action, one.table or "", method, documents.shown_address(self._config, one)

    def _lacks(self, letter: Kept) -> list[str]:
        told = []
        if letter.event is None and letter.body is None:
            told.append("event and request: " + self._why(letter))
        elif letter.event is None or letter.body is None:
            part = "the event" if letter.event is None else "a request"
            told.append(f"{part}: there was none, or it was over 1 MiB")
        if letter.redacted:
            told.append(_LOST[Lost(letter.redacted)])
        return [*told, NEVER]

    def _why(self, letter: Kept) -> str:
        keep = self._config.delivery.keep
        if letter.outcome in (None, "waiting"):
            return "it is not decided yet; of what fails they are kept"
        if keep == "none":
            return "the file says `keep: none`; `keep: failed` or `all` keeps them from then on"
        if keep == "failed" and letter.outcome in ("delivered", "dropped", "ignored"):
            return "it did not fail; `delivery: {keep: all}` keeps them from then on"
        return "they were over 1 MiB, or another `keep` was in force when it was decided"


def _value(text: bytes | None) -> Any:
    """A JSON value, or the text where it is none."""
    if text is None:
        return None
    try:
        return json_text.read_exact(text)
    except (ValueError, EventError):
        return text.decode("utf-8", "backslashreplace")


def _headers(text: str | None) -> dict[str, str]:
    """Headers as a letter has them: a JSON object."""
    told = _value(text.encode()) if text else {}
    return told if isinstance(told, dict) else {}
