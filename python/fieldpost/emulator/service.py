"""What every operation of the Web API works with, and one request among it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from .answer import Answer, Header, document, header
from .model import Schema, Table
from .model.moment import written
from .plugin import PlugIns
from .query import Aggregation, Asker, Query, Reader, parsed_query
from .records import Commit, Node, PayloadReader, User, Writer, parsed
from .refusal import bad_payload, wrong_media_type
from .request import Request
from .store import Database, Ledger, Rows
from .switches import Switches

BYPASS = ("mscrm.bypassbusinesslogicexecution", "mscrm.bypasscustompluginexecution")
ENTITY_TYPE = "Microsoft.Dynamics.CRM."


@dataclass(slots=True)
class Service:
    """The parts of one environment. `base` is the address of its Web API."""

    schema: Schema
    database: Database
    rows: Rows
    ledger: Ledger
    reader: Reader
    writer: Writer
    plug_ins: PlugIns
    switches: Switches
    base: str
    clock: Callable[[], float]
    new_id: Callable[[], str]

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.fromtimestamp(self.clock(), UTC)


@dataclass(slots=True)
class Call:
    """One request, who makes it, and the transaction's own record of it."""

    service: Service
    request: Request
    user: User
    commit: Commit
    asker: Asker = field(init=False)

    def __post_init__(self) -> None:
        self.asker = Asker(self.user.id, self.user.business_unit, self.service.now())

    @staticmethod
    def of(service: Service, request: Request, user: User, caller: User) -> Call:
        """The call of a user; `caller` is somebody else where the user is impersonated."""
        headers = request.headers
        commit = Commit(
            request.request_id,
            written(service.now()),
            user,
            on_behalf_of=caller.id if caller is not user else None,
            detect_duplicates=headers.get("mscrm.suppressduplicatedetection", "").lower()
            == "false",
            bypass_logic="sync" in headers.get(BYPASS[0], "").lower()
            or headers.get(BYPASS[1], "").lower() == "true",
        )
        return Call(service, request, user, commit)

    def query(self, table: Table) -> Query:
        """The query options of the request."""
        query = parsed_query(self.request.query, table, self.service.schema, self.asker)
        return query.in_pages(self.request.preferences.page_size)

    def aggregated(self, query: Query) -> Answer:
        """The answer to a query with `$apply`."""
        aggregation = Aggregation(self.service.rows, self.service.schema, self.asker, query.table)
        order = dict(parse_qsl(self.request.query)).get("$orderby")
        wanted = self.request.preferences.annotations
        rows = aggregation.rows(query.apply or "", query.condition, order, wanted)
        context = f"{self.service.base}/$metadata#{query.table.entity_set}"
        return document(200, {"@odata.context": context, "value": rows})

    def body(self, entity_set: str) -> dict[str, object]:
        """The body as one JSON object; raises `Refusal`."""
        media_type = self.request.headers.get("content-type", "")
        if media_type.partition(";")[0].strip().lower() != "application/json":
            if not self.service.switches.V17:
                raise bad_payload(entity_set, "Only application/json is a supported type.")
            raise wrong_media_type(media_type)
        return parsed(self.request.body, entity_set)

    def node(self, table: Table, body: dict[str, object], *, deep: bool) -> Node:
        """The tree of rows to be that a body describes."""
        return self.payload(table, deep=deep).read(table, body)

    def payload(self, table: Table, *, deep: bool) -> PayloadReader:
        """What reads bodies for this table."""
        return PayloadReader(
            self.service.schema,
            self.service.base,
            table.entity_set,
            self.service.switches,
            deep=deep,
            contents=self.request.contents,
        )

    def entity_id(self, table: Table, key: str) -> Header:
        """The header that tells a row's address."""
        return header(b"odata-entityid", f"{self.service.base}/{table.entity_set}({key})")

    def context(self, name: str) -> str:
        """The context of an answer of this type."""
        return f"{self.service.base}/$metadata#{ENTITY_TYPE}{name}"


def applied(*preferences: str) -> list[Header]:
    """The preferences that an answer followed."""
    text = ", ".join(preference for preference in preferences if preference)
    return [header(b"preference-applied", text)] if text else []
