"""What would be sent, shown and not sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self, TypeVar

from . import json_text
from ._core import Batch, CallFault, Dispatcher
from .config import DestinationConfig
from .config_values import EnvText
from .documents import active, dispatcher_document
from .errors import EventError
from .html_table import html_table
from .redaction import Redaction


@dataclass(frozen=True)
class FollowingRequest:
    """A request that takes the place of the one before it. when: after which answer, in words."""

    when: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def of(cls, request: dict[str, Any]) -> FollowingRequest:
        """A request as the core describes it."""
        return cls(request["when"], *_parts(request))

    def without(self, secrets: Redaction) -> FollowingRequest:
        """The same with *** in place of what came by reference."""
        return replace(self, **_hidden(self, secrets))

    def to_dict(self) -> dict[str, Any]:
        """As `preview --output json` prints it."""
        return asdict(self) | {"headers": dict(self.headers), "body": _value(self.body)}


@dataclass(frozen=True)
class PreviewRow:
    """One event for one subscription: the exact request, or why there is none.

    body: JSON text, or the parts of a change set. then: requests of which each takes the place of
    the one before it, after the answer that it names. record_id: of the row that the event is
    about, where it is known. Credentials are not part of a preview, and what came by reference is
    shown as ***.
    """

    subscription: str
    event_id: str
    line: int
    outcome: str  # "would send", "invalid" or "dropped"
    method: str = ""
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    code: str = ""
    message: str = ""
    record_id: str = ""
    then: tuple[FollowingRequest, ...] = ()

    @classmethod
    def of(cls, subscription: str, event_id: str, line: int, request: dict[str, Any]) -> PreviewRow:
        """A row for a request as the core describes it."""
        then = tuple(FollowingRequest.of(one) for one in request["then"])
        head = (subscription, event_id, line, "would send", *_parts(request))
        return cls(*head, record_id=request["record_id"], then=then)

    def without(self, secrets: Redaction) -> Self:
        """The same with *** in place of what came by reference."""
        then = tuple(one.without(secrets) for one in self.then)
        message = secrets.text(self.message)
        return replace(self, **_hidden(self, secrets), message=message, then=then)

    def to_dict(self) -> dict[str, Any]:
        """The row as `preview --output json` prints it; the body as JSON value if it is one."""
        row = asdict(self) | {"headers": dict(self.headers), "body": _value(self.body)}
        return row | {"then": [one.to_dict() for one in self.then]}


def _parts(request: dict[str, Any]) -> tuple[str, str, tuple[tuple[str, str], ...], str]:
    """Method, url, headers and body; those whose reprs could show a secret do not."""
    body = bytes(request["body"] or b"").decode("utf-8", "replace")
    headers = tuple((name, EnvText(value)) for name, value in request["headers"])
    return request["method"], EnvText(request["url"]), headers, EnvText(body)


def _hidden(row: PreviewRow | FollowingRequest, secrets: Redaction) -> dict[str, Any]:
    return {
        "url": secrets.text(row.url),
        "headers": secrets.headers(row.headers),
        "body": secrets.body(row.body),
    }


def _value(body: str) -> Any:
    """A body as JSON value if it is one; None where there is none."""
    try:
        return json_text.read_exact(body) if body else None
    except (ValueError, EventError):  # the parts of a change set, a form, plain text
        return body


class Preview:
    """Rows of a preview, shown as a table in a notebook."""

    rows: Sequence[PreviewRow]

    def __init__(self, rows: Sequence[PreviewRow]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[PreviewRow]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> PreviewRow:
        return self.rows[index]

    def __repr__(self) -> str:
        return f"<Preview: {len(self.rows)} rows>"

    def _repr_html_(self) -> str:
        columns = ("subscription", "event_id", "line", "outcome", "request", "body")
        cells = []
        for row in self.rows:
            request = f"{row.method} {row.url}"
            told = row.body or f"{row.code} {row.message}"
            cells.append([row.subscription, row.event_id, row.line, row.outcome, request, told])
            for one in row.then:
                request = f"{one.when}: {one.method} {one.url}"
                cells.append(["", "", "", "", request, one.body])
        return html_table(columns, cells)


Row = TypeVar("Row", bound=PreviewRow)


class Previewer:
    """Makes the rows of a preview, batch by batch."""

    def __init__(self, config: DestinationConfig) -> None:
        self._names = [one.name for one in active(config)]
        self._secrets = Redaction.of(config, secrets=False)
        self._dispatcher = Dispatcher(json.dumps(dispatcher_document(config)))

    def rows(self, batch: Batch, limit: int) -> list[PreviewRow]:
        """The first so many rows of a batch, in the order of their lines, as they are sent."""
        rows = [
            self._row(batch, index, sub, event_id, line)
            for index, (sub, event_id, _hash, line, _offset) in enumerate(batch.keys()[:limit])
        ]
        for sub, event_id, _hash, line, _offset, outcome, code, message in batch.ended():
            if len(rows) < limit:
                told = (outcome, "", "", (), "", code, message)
                rows.append(PreviewRow(self._names[sub], event_id, line, *told))
        return sorted(rows, key=lambda row: row.line)

    def _row(self, batch: Batch, index: int, sub: int, event_id: str, line: int) -> PreviewRow:
        try:
            request = self._dispatcher.preview(batch, index)
        except CallFault as fault:
            code, message, _hint = fault.args
            told = ("invalid", "", "", (), "", code, message)
            return PreviewRow(self._names[sub], event_id, line, *told)
        return PreviewRow.of(self._names[sub], event_id, line, request)

    def shown(self, rows: Sequence[Row]) -> list[Row]:
        """Rows for people: with *** in place of what came by reference."""
        return [one.without(self._secrets) for one in rows]
