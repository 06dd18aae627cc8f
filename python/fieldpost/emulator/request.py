"""One request to the Web API, read whole, and the preferences it states."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from starlette.types import Receive, Scope

from .query import Wanted
from .query.options import split_outside


@dataclass
class Request:
    """`path` starts after the version of the Web API; header names are lower case.

    `contents` are the addresses that the Content-IDs of a change set stand for.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    service_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    contents: dict[str, str] | None = None
    absent: bool = False
    cost_ms: float = 0.0

    @property
    def request_id(self) -> str:
        """The client's own id of the request, else the one that the service gave it."""
        return self.headers.get("x-ms-client-request-id") or self.service_id

    @cached_property
    def preferences(self) -> Preferences:
        """What the `Prefer` header asks for."""
        return Preferences.of(self.headers.get("prefer", ""))


@dataclass(frozen=True, slots=True)
class Preferences:
    """The `Prefer` header as far as it is honoured here; the rest is ignored, as it must be."""

    representation: bool = False
    page_size: int | None = None
    annotations: Wanted = field(default_factory=Wanted)
    annotations_text: str = ""
    continue_on_error: bool = False
    track_changes: bool = False

    @staticmethod
    def of(text: str) -> Preferences:
        """The preferences of a header."""
        if not text:
            return NONE
        wishes = dict(_wish(part) for part in _split(text))
        size = wishes.get("odata.maxpagesize") or wishes.get("maxpagesize") or ""
        annotations = wishes.get("odata.include-annotations", "")
        return Preferences(
            wishes.get("return") == "representation",
            int(size) if size.isascii() and size.isdigit() and int(size) > 0 else None,
            Wanted(tuple(part.strip() for part in annotations.split(",") if part.strip())),
            annotations,
            wishes.get("odata.continue-on-error", "false") in ("", "true"),
            "odata.track-changes" in wishes,
        )


NONE = Preferences()


def _split(text: str) -> list[str]:
    """Wishes are parted by commas; a value in double quotes may hold some."""
    return split_outside(text.replace('"', "'").replace(";", ","), ",")


def _wish(part: str) -> tuple[str, str]:
    name, _, value = part.strip().partition("=")
    return name.strip().lower(), value.strip().strip("'")


def headers_of(scope: Scope) -> dict[str, str]:
    """By lower case name; a repeated header becomes one list, as HTTP allows."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def whole_body(receive: Receive) -> bytes | None:
    """The body; None where the client left before its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
