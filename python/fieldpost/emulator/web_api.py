"""The Web API itself: address and method → rows, inside one transaction per request.

Rules: "Compose HTTP requests and handle errors", "Create a table row using the Web API" and "Update
and delete table rows using the Web API" in the Dataverse developer guide.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from fieldpost.visible_text import one_line

from .address import Segment, segments
from .answer import Answer, Header, document, header, refusal_answer
from .applications import Applications, impersonated
from .batch import Batch, BatchLimit
from .bulk import MESSAGES, Bulk
from .delivery import Delivery
from .fault import Faults
from .model import Table
from .model.csdl import metadata
from .operations import Operations
from .query.definitions import ROOTS, Definitions
from .race import Races
from .records import User, row_key
from .refusal import Refusal, bad_payload, no_such_resource, unknown_segment, wrong_method
from .request import Request, headers_of, whole_body
from .resources import Resources
from .service import Call, Service
from .session import session_token
from .throttle import Meter, Throttle
from .tokens import Issued, Tokens

PATH = "/api/data/v9.2"
VERSIONS = re.compile(r"/api/data/v9\.[0-2](?=/|$)")
LARGEST_BODY = 32 * 2**20
SMALLER_BODY = 4 * 2**20

log = logging.getLogger(__name__)

STANDING: list[Header] = [(b"odata-version", b"4.0"), (b"cache-control", b"no-cache")]


class WebApi:
    """An ASGI application for the paths of the API. Requests are carried out one at a time."""

    def __init__(
        self,
        service: Service,
        applications: Applications,
        tokens: Tokens,
        throttle: Throttle,
        faults: Faults,
        races: Races,
        delivery: Delivery,
    ) -> None:
        self._service = service
        self._applications = applications
        self._tokens = tokens
        self._throttle = throttle
        self._faults = faults
        self._races = races
        self._delivery = delivery
        self._metadata: tuple[int, bytes] = (0, b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with the headers that every answer has."""
        body = await whole_body(receive)
        if body is None:
            return
        path = VERSIONS.sub("", scope["path"], count=1).removeprefix("/")
        query = scope["query_string"].decode("latin-1")
        request = Request(scope["method"], path, query, headers_of(scope), body)
        server = self._throttle.server_for(request.headers.get("cookie"))
        holder = self._holder(request.headers)
        meter = self._throttle.meter(holder.client_id if holder else "", server)
        answer = await self._measured(request, holder, meter)
        answer.headers += [*STANDING, *self._throttle.headers(meter, server)]
        own_id = request.service_id.encode()
        answer.headers += [(b"x-ms-service-request-id", own_id), (b"req_id", own_id)]
        await self._delivery.send(answer, request.headers, send)

    def _holder(self, headers: Mapping[str, str]) -> Issued | None:
        holder = self._tokens.holder(headers.get("authorization"))
        if holder is None or self._service.switches.V8:
            return holder
        host = headers.get("host", "")
        return holder if holder.resource.endswith(f"//{host}") else None

    async def _measured(self, request: Request, holder: Issued | None, meter: Meter) -> Answer:
        """The answer, after the limits were asked and the cost was waited for."""
        if holder is None:
            return self._tokens.challenge()
        parts = 1
        if request.path == "$batch" and not self._service.switches.V14:
            parts = max(request.body.count(b"HTTP/1.1\r\n"), 1)
        refused = self._throttle.enter(meter, parts)
        if refused is not None:
            return refused
        start = time.perf_counter()
        spent = 0.0
        try:
            if self._races:
                await self._race(request)
            answer = self.answer(request, holder)
            spent = time.perf_counter() - start
            if request.cost_ms:
                await asyncio.sleep(max(request.cost_ms / 1000 - spent, 0))
                spent = request.cost_ms / 1000
        finally:
            self._throttle.leave(meter, spent)
        return answer

    async def _race(self, request: Request) -> None:
        """Let an upsert of a missing row wait for another one, if a race is on."""
        name, _, inside = request.path.partition("(")
        table = self._service.schema.sets.get(name)
        if request.method != "PATCH" or table is None or "/" in inside:
            return
        try:
            key = row_key(inside.removesuffix(")"), table)
        except Refusal:
            return
        with self._service.database.transaction():
            missing = key.find(self._service.rows) is None
        if missing:
            request.absent = await self._races.run(table.name)

    def answer(self, request: Request, holder: Issued) -> Answer:
        """Carry the request out, or say why not; never raises."""
        try:
            user = self._user(holder)
            self._check_size(request)
            if request.path == "$batch":
                return self._batch(request, user)
            with self._service.database.transaction():
                return self._seen(request, self._operation(request, user))
        except Refusal as refusal:
            return self._seen(request, _refused(refusal, request))
        except Exception as error:
            return self._failed(error, request)

    def _seen(self, request: Request, answer: Answer) -> Answer:
        """An answer to a write of an elastic table brings the token of its session."""
        name = request.path.partition("(")[0].partition("/")[0]
        table = self._service.schema.sets.get(name)
        if table and table.elastic and request.method in ("POST", "PATCH", "PUT"):
            token = session_token(self._service.ledger.version)
            answer.headers.append(header(b"x-ms-session-token", token))
        return answer

    def _failed(self, error: Exception, request: Request) -> Answer:
        if isinstance(error, RecursionError):
            refusal = bad_payload("", "The depth limit for entries was exceeded.")
            return _refused(refusal, request)
        asked = one_line(f"{request.method} {request.path}")
        log.error("the emulator failed on %s", asked, exc_info=error)
        return _refused(Refusal(500, "0x80040216", "An unexpected error occurred."), request)

    def _user(self, holder: Issued) -> User:
        application = self._applications.find(holder.client_id)
        if application is None:
            raise Refusal(403, "0x80072560", "The user is not a member of the organization.")
        return application.user

    def _check_size(self, request: Request) -> None:
        strict = self._service.switches.V7
        if len(request.body) > (LARGEST_BODY if strict else SMALLER_BODY):
            raise Refusal(413 if strict else 400, "", "The request entity is too large.")

    def _batch(self, request: Request, user: User) -> Answer:
        if request.method != "POST":
            raise wrong_method(request.method)
        service = self._service
        limit = BatchLimit(int(self._throttle.limits.batch_parts))
        created: set[str] = set()

        def part(inner: Request) -> Answer:
            try:
                return self._seen(inner, self._operation(inner, user, created))
            except Refusal as refusal:
                return self._seen(inner, _refused(refusal, inner))
            except Exception as error:
                return self._failed(error, inner)

        return Batch(service.database, self._faults, service.switches, limit, part).answer(request)

    def _operation(self, request: Request, user: User, created: set[str] | None = None) -> Answer:
        """One operation inside a transaction of the caller, and what it costs."""
        call = self._call(request, user)
        if request.contents is not None and created is not None:
            call.commit.in_change_set = True
            call.commit.created = created
        plug_ins = self._service.plug_ins
        plug_ins.limit_ms = self._throttle.limits.plug_in_ms
        try:
            return self._routed(call)
        finally:
            request.cost_ms += self._cost(request, call.commit.rows) + plug_ins.spent()

    def _cost(self, request: Request, rows: int) -> float:
        limits = self._throttle.limits
        if request.method == "GET":
            return limits.read_ms
        if request.path.endswith("Multiple"):
            return limits.bulk_request_ms + rows * limits.bulk_row_ms
        return limits.request_ms + max(rows - 1, 0) * limits.row_ms

    def _call(self, request: Request, caller: User) -> Call:
        """The call, on behalf of another user where a header says so."""
        headers = request.headers
        users = self._service.schema.tables["systemuser"]
        user = caller
        if "callerobjectid" in headers:
            found = self._service.rows.ids(
                users,
                "t0.azureactivedirectoryobjectid = ?",
                (headers["callerobjectid"].lower(),),
                1,
            )
            user = impersonated(caller, found[0] if found else None)
        elif "mscrmcallerid" in headers:
            wanted = headers["mscrmcallerid"].lower().strip("{}")
            known = self._service.rows.exists(users, wanted)
            user = impersonated(caller, wanted if known else None)
        return Call.of(self._service, request, user, caller)

    def _routed(self, call: Call) -> Answer:
        request = call.request
        path = segments(request.path)
        first = path[0]
        table = self._service.schema.sets.get(first.name)
        if table is not None:
            return self._on_table(call, table, path)
        if first.name in ROOTS:
            aliases = {n: v for n, v in parse_qsl(request.query) if n.startswith("@")}
            definitions = Definitions(
                self._service.schema, self._service.base, request.query, aliases
            )
            return definitions.answer(request.method, path)
        if request.path in ("", "$metadata"):
            if request.method != "GET":
                raise wrong_method(request.method)
            return self._csdl() if request.path else self._service_document()
        if len(path) > 1:
            raise unknown_segment(first.name)
        return Operations(call).unbound(first)

    def _on_table(self, call: Call, table: Table, path: list[Segment]) -> Answer:
        last = path[-1]
        name = last.name.removeprefix("Microsoft.Dynamics.CRM.")
        bound = name != last.name and name not in self._service.schema.tables
        if not bound or len(path) != 2:
            return Resources(call).answer(table, path)
        if path[0].inside is None and name in MESSAGES:
            if call.request.method != "POST":
                raise no_such_resource(f"{self._service.base}/{call.request.path}")
            return Bulk(call, table).answer(name)
        key = None if path[0].inside is None else row_key(path[0].inside, table)
        return Operations(call).bound(table, key, last)

    def _service_document(self) -> Answer:
        base = self._service.base
        sets = [{"name": s, "kind": "EntitySet", "url": s} for s in self._service.schema.sets]
        return document(200, {"@odata.context": f"{base}/$metadata", "value": sets})

    def _csdl(self) -> Answer:
        version = self._service.schema.version
        if self._metadata[0] != version:
            self._metadata = (version, metadata(self._service.schema))
        return Answer(200, [header(b"content-type", "application/xml")], self._metadata[1])


def _refused(refusal: Refusal, request: Request) -> Answer:
    annotated = bool(request.preferences.annotations)
    return refusal_answer(refusal, annotated=annotated)
