"""`$batch`: several requests in one, in order, and change sets that happen whole or not at all.

"Execute batch operations using the Web API". What a part does is up to the `answer` it is given.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import orjson

from .answer import Answer, header, refusal_answer
from .fault import Faults
from .multipart import (
    EnvelopeError,
    Part,
    PartRequest,
    boundary_of,
    envelope,
    nested,
    parts_of,
    request_of,
    written,
)
from .records import content
from .refusal import Refusal, bad_payload, bad_query
from .request import Request
from .store import Database
from .switches import Switches

DEFAULT_LIMIT = 1000
PATH = "/api/data/v9.2/"


@dataclass(slots=True)
class BatchLimit:
    """How many parts a batch may have; one environment was seen with 250."""

    parts: int = DEFAULT_LIMIT


class Undone(Exception):
    """Leaves a transaction so that it is rolled back."""

    def __init__(self, answer: Answer, content_id: str | None) -> None:
        super().__init__()
        self.answer, self.content_id = answer, content_id


class Batch:
    """Carries out one batch. `answer` does one request, inside a transaction of ours."""

    def __init__(
        self,
        database: Database,
        faults: Faults,
        switches: Switches,
        limit: BatchLimit,
        answer: Callable[[Request], Answer],
    ) -> None:
        self._database = database
        self._faults = faults
        self._switches = switches
        self._limit = limit
        self._answer = answer
        self._outer: Request | None = None

    def answer(self, request: Request) -> Answer:
        """The answer to the whole batch."""
        self._outer = request
        boundary = boundary_of(request.headers.get("content-type", ""))
        if boundary is None:
            raise bad_payload("", "The content type of a batch is multipart/mixed with a boundary.")
        try:
            parts = parts_of(request.body, boundary, closed=True)
            if len(parts) > self._limit.parts:
                return self._too_many()
            return self._answered(parts, request.preferences.continue_on_error)
        except EnvelopeError:
            return self._unreadable(request)

    def _answered(self, parts: list[Part], go_on: bool) -> Answer:
        written_parts: list[bytes] = []
        status = 200
        # A change set that cannot be read spoils the whole batch before anything has run.
        planned = [(part, self._planned(part)) for part in parts]
        for part, inner in planned:
            if inner is None:
                answer = self._alone(request_of(part), None)
                written_parts.append(written(answer, part.content_id))
                failed = answer.status >= 400
                failure = answer.status
            else:
                failed, failure, text = self._change_set(inner)
                written_parts.append(text)
            if failed and not go_on:
                status = failure
                if not self._switches.V4:
                    del written_parts[:-1]
                break
        return _multipart(status, written_parts)

    def _planned(self, part: Part) -> list[Part] | None:
        """The parts of a change set; None where the part is one request."""
        if part.boundary is None:
            request_of(part)
            return None
        parts = parts_of(part.content, part.boundary, closed=False)
        if len(parts) > self._limit.parts:
            raise EnvelopeError
        if any(inner.boundary is not None for inner in parts):
            raise EnvelopeError
        for inner in parts:
            request_of(inner)
        return parts

    def _too_many(self) -> Answer:
        message = (
            "The current batch message contains too many parts. A maximum number of "
            f"'{self._limit.parts}' query operations and change sets are allowed in a batch "
            "message."
        )
        body = {
            "Message": "An error has occurred.",
            "ExceptionMessage": message,
            "ExceptionType": "Microsoft.OData.ODataException",
            "StackTrace": "",
        }
        kind = header(b"content-type", "application/json; charset=utf-8")
        return Answer(400, [kind], orjson.dumps(body))

    def _unreadable(self, request: Request) -> Answer:
        refusal = Refusal(
            400,
            "0x80048d19",
            "Error identified in Payload provided by the user for Entity :'', For more information "
            "on this error please follow this help link "
            "https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : "
            "System.ArgumentException: Stream was not readable.",
        )
        answer = refusal_answer(refusal)
        own = [header(b"req_id", request.service_id), header(b"odata-version", "4.0")]
        answer.headers += own
        return _multipart(400, [written(answer, None)])

    def _alone(self, inner: PartRequest, contents: dict[str, str] | None) -> Answer:
        """One request in a transaction of its own."""
        try:
            with self._database.transaction():
                answer = self._part(inner, contents)
                if answer.status >= 400:
                    raise Undone(answer, None)
                return answer
        except Undone as undone:
            return undone.answer

    def _change_set(self, parts: list[Part]) -> tuple[bool, int, bytes]:
        """Whether it failed, with which status, and its part of the answer."""
        boundary = f"changesetresponse_{uuid.uuid4()}"
        contents: dict[str, str] = {}
        try:
            with self._database.transaction():
                done = [self._in_change_set(part, contents) for part in parts]
        except Undone as undone:
            failing = written(undone.answer, undone.content_id)
            return True, undone.answer.status, nested([failing], boundary)
        return False, 200, nested(done, boundary)

    def _in_change_set(self, part: Part, contents: dict[str, str]) -> bytes:
        inner = request_of(part)
        answer = self._refused_in_change_set(part, inner) or self._part(inner, contents)
        if answer.status >= 400:
            raise Undone(answer, part.content_id)
        location = next((v for n, v in answer.headers if n == b"odata-entityid"), None)
        if location is not None:
            answer.headers.append((b"location", location))
        address = location.decode("latin-1") if location is not None else answer.row
        if address and part.content_id is not None:
            contents[part.content_id] = address
        return written(answer, part.content_id)

    def _refused_in_change_set(self, part: Part, inner: PartRequest) -> Answer | None:
        if inner.method == "GET":
            code = "0x80060888" if self._switches.V17 else "0x80048d19"
            message = "A GET operation is not allowed in a change set."
            return refusal_answer(Refusal(400, code, message))
        if part.content_id is None and not self._switches.V5:
            message = "The Content-ID header is missing in a part of a change set."
            return refusal_answer(Refusal(400, "0x80060888", message))
        return None

    def _part(self, inner: PartRequest, contents: dict[str, str] | None) -> Answer:
        assert self._outer is not None
        try:
            target = _resolved(inner.target, contents)
        except Refusal as refusal:
            return refusal_answer(refusal)
        path, query = _split(target)
        if path == "$batch":
            return refusal_answer(bad_query("A batch is not allowed in a batch."))
        fault = self._faults.take_part(inner.method, PATH + path)
        if fault is not None:
            return fault.answer(path)
        outer = self._outer
        kept = {n: v for n, v in outer.headers.items() if n not in ("content-type", "prefer")}
        # What only makes sense for the batch as a whole stays outside.
        for name in ("if-match", "if-none-match", "content-length"):
            kept.pop(name, None)
        request = Request(
            inner.method,
            path,
            query,
            {**kept, **inner.headers},
            inner.body,
            outer.service_id,
            contents,
        )
        answer = self._answer(request)
        outer.cost_ms += request.cost_ms
        answer.headers = [*answer.headers, (b"odata-version", b"4.0")]
        return answer


def _resolved(target: str, contents: dict[str, str] | None) -> str:
    """The address of a part, a ``$1`` at its beginning replaced."""
    relative = target.removeprefix(PATH).removeprefix("/")
    if not relative.startswith("$") or relative.startswith(("$batch", "$metadata")):
        return target
    reference, slash, rest = relative.partition("/")
    return content(reference, contents) + slash + rest


def _split(target: str) -> tuple[str, str]:
    """Path within the Web API and query of an address in any of its three forms."""
    parts = urlsplit(target)
    path = unquote(parts.path)
    start = path.find("/api/data/v9.")
    if start >= 0:
        path = path[start + 1 :].partition("/")[2].partition("/")[2].partition("/")[2]
    return path.removeprefix("/"), parts.query


def _multipart(status: int, parts: list[bytes]) -> Answer:
    boundary = f"batchresponse_{uuid.uuid4()}"
    kind = header(b"content-type", f"multipart/mixed; boundary={boundary}")
    return Answer(status, [kind], envelope(parts, boundary))
