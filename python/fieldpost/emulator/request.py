"""One request to the Web API, read whole, and the preferences it states."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from starlette.types import Receive, Scope


@dataclass(slots=True)
class Request:
    """`path` starts after the version of the Web API; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    service_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def request_id(self) -> str:
        """The client's own id of the request, else the one that the service gave it."""
        return self.headers.get("x-ms-client-request-id") or self.service_id


@dataclass(frozen=True, slots=True)
class Preferences:
    """The `Prefer` header as far as it is honoured here; the rest is ignored, as it must be."""

    representation: bool
    page_size: int | None

    @staticmethod
    def of(request: Request) -> Preferences:
        """The preferences of this request."""
        wishes = [wish.strip() for wish in request.headers.get("prefer", "").split(",")]
        sizes = [wish.partition("=")[2].strip('"') for wish in wishes if _is_page_size(wish)]
        page_size = int(sizes[0]) if sizes and sizes[0].isascii() and sizes[0].isdigit() else None
        return Preferences("return=representation" in wishes, page_size)


def _is_page_size(wish: str) -> bool:
    return wish.partition("=")[0] in ("odata.maxpagesize", "maxpagesize")


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
