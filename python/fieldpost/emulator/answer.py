"""One HTTP answer, complete before its first byte leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import Send

from .refusal import Refusal, refusal_body

JSON = b"application/json; odata.metadata=minimal"

Header = tuple[bytes, bytes]


@dataclass(slots=True)
class Answer:
    """Status, headers and body; the content length is added on the way out.

    `row` is the address of the row that was written, where no header tells it.
    """

    status: int
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""
    row: str = ""

    async def send(self, send: Send) -> None:
        """Write the answer to the ASGI server."""
        headers = self.headers
        if self.status not in (204, 304):
            headers = [*headers, (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def document(status: int, content: Any, *headers: Header) -> Answer:
    """A JSON answer."""
    return Answer(status, [(b"content-type", JSON), *headers], orjson.dumps(content))


def refusal_answer(refusal: Refusal, *, annotated: bool = False) -> Answer:
    """A refusal in the shape of the service."""
    return document(refusal.status, refusal_body(refusal, annotated=annotated))


def header(name: bytes, value: str) -> Header:
    """A header as ASGI wants it."""
    return name, value.encode("latin-1")
