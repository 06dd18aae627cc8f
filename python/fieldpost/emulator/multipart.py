"""The envelope of a batch, read as strictly as the service reads it, and written as it writes it.

RFC 2046 with CRLF everywhere, the one after the closing boundary included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise

from .answer import Answer

BOUNDARY = re.compile(r"multipart/mixed\s*;.*?boundary\s*=\s*(\"[^\"]+\"|[^;\s]+)", re.I)
# An address may hold spaces: the service takes what is between the first one and the last.
REQUEST_LINE = re.compile(rb"(?P<method>[A-Z]+) (?P<target>\S.*?) HTTP/1\.[01]")


class EnvelopeError(Exception):
    """Bytes that are no batch."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its own headers, and what is inside."""

    headers: dict[str, str]
    content: bytes

    @property
    def boundary(self) -> str | None:
        """The boundary of the parts in it, where it is a change set."""
        return boundary_of(self.headers.get("content-type", ""))

    @property
    def content_id(self) -> str | None:
        """Its Content-ID."""
        return self.headers.get("content-id")


@dataclass(frozen=True, slots=True)
class PartRequest:
    """The HTTP request inside of a part."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def boundary_of(content_type: str) -> str | None:
    """The boundary that a content type names; None where it is not a multipart one."""
    match = BOUNDARY.match(content_type)
    return match[1].strip('"') if match else None


def parts_of(body: bytes, boundary: str, *, closed: bool) -> list[Part]:
    """The parts of an envelope; `closed` asks for the CRLF after the last boundary."""
    body = b"\r\n" + body
    name = re.escape(boundary.encode("latin-1"))
    # Blanks may follow a boundary; a longer word is another boundary, or text.
    marks = list(re.finditer(rb"\r\n--" + name + rb"(--)?[ \t]*(?=\r\n|\Z)", body))
    last = next((n for n, mark in enumerate(marks) if mark[1]), None)
    if last is None or (closed and marks[last].end() == len(body)):
        raise EnvelopeError
    spans = pairwise(marks[: last + 1])
    return [_part(body[start.end() : end.start()]) for start, end in spans]


def _part(piece: bytes) -> Part:
    if not piece.startswith(b"\r\n"):
        raise EnvelopeError
    head, found, content = piece[2:].partition(b"\r\n\r\n")
    if not found:
        raise EnvelopeError
    return Part(_headers(head), content)


def _headers(head: bytes) -> dict[str, str]:
    headers = {}
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not colon or b"\n" in line:
            raise EnvelopeError
        headers[name.strip().decode("latin-1").lower()] = value.strip().decode("latin-1")
    return headers


def request_of(part: Part) -> PartRequest:
    """The request in a part."""
    head, _, body = part.content.lstrip(b"\r\n").partition(b"\r\n\r\n")
    line, _, rest = head.partition(b"\r\n")
    match = REQUEST_LINE.fullmatch(line.rstrip())
    if match is None:
        raise EnvelopeError
    headers = _headers(rest.rstrip(b"\r\n")) if rest.strip() else {}
    target = match["target"].decode("latin-1")
    return PartRequest(match["method"].decode(), target, headers, body.rstrip(b"\r\n"))


def written(answer: Answer, content_id: str | None) -> bytes:
    """An answer as a part."""
    lines = [b"Content-Type: application/http", b"Content-Transfer-Encoding: binary"]
    if content_id is not None:
        lines.append(b"Content-ID: " + content_id.encode("latin-1"))
    phrase = HTTPStatus(answer.status).phrase
    lines += [b"", f"HTTP/1.1 {answer.status} {phrase}".encode()]
    lines += [NAMES.get(name, name) + b": " + value for name, value in answer.headers]
    return b"\r\n".join([*lines, b"", answer.body, b""])


NAMES = {
    b"content-type": b"Content-Type",
    b"odata-entityid": b"OData-EntityId",
    b"odata-version": b"OData-Version",
    b"location": b"Location",
    b"etag": b"ETag",
    b"preference-applied": b"Preference-Applied",
    b"retry-after": b"Retry-After",
    b"req_id": b"REQ_ID",
}


def envelope(parts: Iterable[bytes], boundary: str) -> bytes:
    """Parts between boundaries."""
    mark = b"--" + boundary.encode()
    return b"".join([mark + b"\r\n" + part for part in parts] + [mark + b"--\r\n"])


def nested(parts: Iterable[bytes], boundary: str) -> bytes:
    """A part that holds the parts of a change set."""
    head = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
    return head + envelope(parts, boundary)
