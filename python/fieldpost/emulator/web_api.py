"""The Web API itself: address and method → rows, inside one transaction per request.

Rules: "Compose HTTP requests and handle errors", "Create a table row using the Web API" and "Update
and delete table rows using the Web API" in the Dataverse developer guide.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.types import Receive, Scope, Send

from .answer import Answer, Header, document, header, refusal_answer
from .model import Schema, Table
from .model.moment import written
from .query import Query, Reader, parsed_query
from .records import Commit, Condition, Node, PayloadReader, Writer, parsed
from .records.reference import row_key
from .records.write import BUSINESS_UNIT, ORGANIZATION, USER
from .refusal import (
    Refusal,
    bad_payload,
    missing_row,
    no_such_resource,
    not_here_yet,
    unknown_segment,
    wrong_media_type,
    wrong_method,
)
from .request import Preferences, Request, headers_of, whole_body
from .sign_in import Tokens
from .store import Change, Database

PATH = "/api/data/v9.2"
VERSION = "9.2.24112.00000"

log = logging.getLogger(__name__)

# Constant until throttling is emulated. The comma in the seconds is the service's own.
STANDING: list[Header] = [
    (b"odata-version", b"4.0"),
    (b"cache-control", b"no-cache"),
    (b"x-ms-ratelimit-burst-remaining-xrm-requests", b"5999"),
    (b"x-ms-ratelimit-time-remaining-xrm-requests", b"1,199.84"),
    (b"x-ms-dop-hint", b"4"),
    (b"set-cookie", b"ARRAffinity=emulator; Path=/; HttpOnly"),
]
FUNCTIONS = {"WhoAmI", "RetrieveVersion"}
LATER = {"$batch", "$metadata", "EntityDefinitions"}


class WebApi:
    """An ASGI application, mounted at `PATH`. Requests are carried out one at a time."""

    def __init__(
        self,
        schema: Schema,
        database: Database,
        reader: Reader,
        writer: Writer,
        tokens: Tokens,
        url: str,
        clock: Callable[[], float],
    ) -> None:
        self._schema = schema
        self._database = database
        self._reader = reader
        self._writer = writer
        self._tokens = tokens
        self._base = url + PATH
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with the headers that every answer has."""
        body = await whole_body(receive)
        if body is None:
            return
        path = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/")
        query = scope["query_string"].decode("latin-1")
        request = Request(scope["method"], path, query, headers_of(scope), body)
        answer = self.answer(request)
        own_id = request.service_id.encode()
        ids = [(b"x-ms-service-request-id", own_id), (b"req_id", own_id)]
        answer.headers = [*answer.headers, *STANDING, *ids]
        await answer.send(send)

    def answer(self, request: Request) -> Answer:
        """Carry the request out, or say why not; never raises."""
        if not self._tokens.valid(request.headers.get("authorization")):
            return self._tokens.challenge()
        try:
            with self._database.transaction():
                return self._routed(request)
        except Refusal as refusal:
            return refusal_answer(refusal)
        except RecursionError:
            return refusal_answer(bad_payload("", "The depth limit for entries was exceeded."))
        except Exception:
            log.exception("the emulator failed on %s %s", request.method, request.path)
            return refusal_answer(Refusal(500, "0x80040216", "An unexpected error occurred."))

    def _routed(self, request: Request) -> Answer:
        first, _, rest = request.path.partition("/")
        segment, bracket, key = first.partition("(")
        table = self._schema.sets.get(segment)
        if table is None:
            return self._unbound(request, first)
        if rest:
            raise not_here_yet(f"the address '{request.path}'")
        if not bracket:
            return self._on_set(request, table)
        if not key.endswith(")"):
            raise unknown_segment(first)
        return self._on_row(request, table, row_key(key[:-1], table))

    def _unbound(self, request: Request, first: str) -> Answer:
        name = first.removesuffix("()")
        if name.partition("(")[0] in LATER:
            raise not_here_yet(f"'{name}'")
        if name and name not in FUNCTIONS:
            raise unknown_segment(name.partition("(")[0])
        if request.method != "GET":
            raise no_such_resource(f"{self._base}/{request.path}")
        return {"": self._service_document, "WhoAmI": self._who_am_i}.get(name, self._version)()

    def _service_document(self) -> Answer:
        sets = [{"name": s, "kind": "EntitySet", "url": s} for s in self._schema.sets]
        return document(200, {"@odata.context": f"{self._base}/$metadata", "value": sets})

    def _who_am_i(self) -> Answer:
        ids = {"BusinessUnitId": BUSINESS_UNIT, "UserId": USER, "OrganizationId": ORGANIZATION}
        return document(200, {"@odata.context": self._response_type("WhoAmI"), **ids})

    def _version(self) -> Answer:
        context = self._response_type("RetrieveVersion")
        return document(200, {"@odata.context": context, "Version": VERSION})

    def _response_type(self, function: str) -> str:
        return f"{self._base}/$metadata#Microsoft.Dynamics.CRM.{function}Response"

    def _on_set(self, request: Request, table: Table) -> Answer:
        if request.method == "GET":
            return self._list(request, table)
        if request.method == "POST":
            return self._create(request, table)
        raise wrong_method(request.method)

    def _on_row(self, request: Request, table: Table, row_id: str) -> Answer:
        if request.method == "GET":
            return self._get(request, table, row_id)
        if request.method == "PATCH":
            return self._upsert(request, table, row_id)
        if request.method == "DELETE":
            condition = Condition.of(request.headers)
            self._writer.delete(table, row_id, condition, self._commit(request))
            return Answer(204)
        raise wrong_method(request.method)

    def _list(self, request: Request, table: Table) -> Answer:
        page_size = Preferences.of(request).page_size
        query = parsed_query(request.query, table, self._schema)
        page = self._reader.page(query, request.query, page_size)
        applied = [_applied_preference(f"odata.maxpagesize={page_size}")] if page_size else []
        return document(200, page, *applied)

    def _get(self, request: Request, table: Table, row_id: str) -> Answer:
        condition = Condition.of(request.headers)
        query = parsed_query(request.query, table, self._schema)
        answer = self._represented(200, query, row_id)
        version = next((v.decode() for n, v in answer.headers if n == b"etag"), None)
        if condition.none_match == version is not None and not query.expansions:
            return Answer(304, [header(b"etag", version)])
        return answer

    def _represented(self, status: int, query: Query, row_id: str, *headers: Header) -> Answer:
        row = self._reader.one(query, row_id)
        if row is None:
            raise missing_row(query.table.name, row_id)
        version = [header(b"etag", row["@odata.etag"])] if "@odata.etag" in row else []
        return document(status, row, *version, *headers)

    def _create(self, request: Request, table: Table) -> Answer:
        query = parsed_query(request.query, table, self._schema)
        node = self._payload(request, table, deep=True)
        row_id = self._writer.create(node, self._commit(request))
        return self._written(request, query, row_id, Change.CREATED)

    def _upsert(self, request: Request, table: Table, row_id: str) -> Answer:
        condition = Condition.of(request.headers)
        query = parsed_query(request.query, table, self._schema)
        node = self._payload(request, table, deep=False)
        if node.values.get(table.key) not in (None, row_id):
            raise Refusal(400, "0x80040203", "The id in the body is not the id in the address.")
        change = self._writer.upsert(node, row_id, condition, self._commit(request))
        return self._written(request, query, row_id, change)

    def _written(self, request: Request, query: Query, row_id: str, change: Change) -> Answer:
        if Preferences.of(request).representation:
            status = 201 if change is Change.CREATED else 200
            applied = _applied_preference("return=representation")
            return self._represented(status, query, row_id, applied)
        address = f"{self._base}/{query.table.entity_set}({row_id})"
        return Answer(204, [header(b"odata-entityid", address)])

    def _payload(self, request: Request, table: Table, *, deep: bool) -> Node:
        media_type = request.headers.get("content-type", "")
        if media_type.partition(";")[0].strip().lower() != "application/json":
            raise wrong_media_type(media_type)
        body = parsed(request.body, table.entity_set)
        reader = PayloadReader(self._schema, self._base, table.entity_set, deep=deep)
        return reader.read(table, body)

    def _commit(self, request: Request) -> Commit:
        moment = written(datetime.fromtimestamp(self._clock(), UTC))
        return Commit(request.request_id, moment)


def _applied_preference(text: str) -> Header:
    return header(b"preference-applied", text)
