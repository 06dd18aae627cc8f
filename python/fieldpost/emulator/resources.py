"""Rows over HTTP: entity sets, rows, their columns, their navigation properties, references."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import orjson

from .address import Segment
from .answer import Answer, Header, document, header
from .model import Association, Collection, Column, Single, Table
from .query import Query, changes
from .query.fetch import Fetch
from .query.filter import Sql
from .records import Condition, RowKey, content, referenced, row_key, shown_id
from .refusal import (
    Refusal,
    bad_payload,
    bad_query,
    missing_row,
    unknown_segment,
    unparsed_reference,
    wrong_method,
)
from .request import Preferences
from .service import Call, applied
from .session import session_version
from .store import Change

FETCH = ("fetchXml=", "fetchxml=")


class Resources:
    """Answers for one request each; call inside a transaction."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._request = call.request
        self._service = call.service
        self._preferences: Preferences = call.request.preferences

    def answer(self, table: Table, path: list[Segment]) -> Answer:
        """What the request says about the table or what lies behind it."""
        first, *rest = path
        if first.inside is None:
            if not rest:
                return self._on_set(table)
            if rest[0].name == "$count" and len(rest) == 1:
                return self._count(table)
            raise unknown_segment(rest[0].name)
        key = self._in_partition(row_key(first.inside, table))
        return self._beyond(table, key, rest) if rest else self._on_row(table, key)

    def _in_partition(self, key: RowKey) -> RowKey:
        """Of an elastic table a read and a delete may name the partition as an option."""
        partition = dict(parse_qsl(self._request.query)).get("partitionId")
        if not key.table.elastic or partition is None or self._request.method == "PATCH":
            return key
        return replace(key, partition=partition)

    # Sets and rows ------------------------------------------------------------------------------

    def _on_set(self, table: Table) -> Answer:
        if self._request.method == "GET":
            return self._list(table)
        if self._request.method == "POST":
            return self._create(table)
        raise wrong_method(self._request.method)

    def _on_row(self, table: Table, key: RowKey) -> Answer:
        method = self._request.method
        if method == "GET":
            return self._get(table, key)
        if method == "PATCH":
            return self._upsert(table, key)
        if method == "DELETE":
            condition = Condition.of(self._request.headers)
            self._service.writer.delete(table, key, condition, self._call.commit)
            return Answer(204)
        raise wrong_method(method)

    def _list(self, table: Table, where: Sql | None = None, address: str | None = None) -> Answer:
        self._call.commit.allow("Read", table)
        if any(part.startswith(FETCH) for part in self._request.query.split("&")):
            return Fetch(self._service.rows, self._service.schema, self._call.asker).answer(
                table, self._request.query, self._service.base, self._preferences
            )
        since = changes.since_of(self._request.query)
        if self._preferences.track_changes or since is not None:
            return self._changed(table, since)
        query = self._call.query(table)
        if where is not None:
            condition = query.condition
            query.condition = Sql(
                f"({where.text}) AND ({condition.text})", (*where.values, *condition.values)
            )
        if query.apply is not None:
            return self._call.aggregated(query)
        size, wanted = self._preferences.page_size, self._preferences.annotations
        page = self._service.reader.page(query, self._request.query, size, wanted, address)
        sized = f"odata.maxpagesize={size}" if size else ""
        return document(200, page, *applied(sized, self._annotations_applied()))

    def _changed(self, table: Table, since: int | None) -> Answer:
        changes.check(table, self._request.query)
        query = changes.narrowed(self._call.query(table), since)
        page = self._service.reader.page(
            query, self._request.query, None, self._preferences.annotations
        )
        told = changes.tracked(
            page,
            table,
            self._request.query,
            since,
            self._service.ledger,
            (self._service.base, self._call.commit.moment),
        )
        return document(200, told, *applied("odata.track-changes", self._annotations_applied()))

    def _annotations_applied(self) -> str:
        text = self._preferences.annotations_text
        return f'odata.include-annotations="{text}"' if text else ""

    def _count(self, table: Table, where: Sql | None = None) -> Answer:
        query = self._call.query(table)
        condition = query.condition
        if where is not None:
            text = f"({where.text}) AND ({condition.text})"
            condition = Sql(text, (*where.values, *condition.values))
        count = min(self._service.rows.count(table, condition.text, condition.values), 5000)
        return Answer(200, [(b"content-type", b"text/plain")], str(count).encode())

    def _get(self, table: Table, key: RowKey) -> Answer:
        self._call.commit.allow("Read", table)
        condition = Condition.of(self._request.headers)
        query = self._call.query(table)
        row_id = key.need(self._service.rows)
        if self._is_behind(table, row_id):
            raise key.missing()
        answer = self._represented(200, query, row_id)
        version = next((v.decode() for n, v in answer.headers if n == b"etag"), None)
        plain = not query.expansions and not self._preferences.annotations
        if condition.none_match == version is not None and plain:
            return Answer(304, [header(b"etag", version)])
        return answer

    def _is_behind(self, table: Table, row_id: str) -> bool:
        """An elastic row that was written later than what the session of the request has seen."""
        if not table.elastic or self._service.switches.V18:
            return False
        seen = session_version(self._request.headers.get("mscrm.sessiontoken"))
        row = self._service.rows.get(table, row_id, ("versionnumber",)) or {}
        return bool(row.get("versionnumber", 0) > seen)

    def _represented(self, status: int, query: Query, row_id: str, *headers: Header) -> Answer:
        row = self._service.reader.one(query, row_id, self._preferences.annotations)
        if row is None:
            raise missing_row(query.table.name, row_id)
        version = [header(b"etag", row["@odata.etag"])] if "@odata.etag" in row else []
        annotations = applied(self._annotations_applied()) if status == 200 and not headers else []
        return document(status, row, *version, *headers, *annotations)

    def _create(self, table: Table, bound: dict[str, Any] | None = None) -> Answer:
        query = self._call.query(table)
        node = self._call.node(table, self._call.body(table.entity_set), deep=True)
        row_id = self._service.writer.create(node, self._call.commit, bound)
        return self._written(query, row_id, shown_id(row_id), Change.CREATED)

    def _upsert(self, table: Table, key: RowKey) -> Answer:
        condition = Condition.of(self._request.headers)
        query = self._call.query(table)
        node = self._call.node(table, self._call.body(table.entity_set), deep=False)
        if key.row_id and node.values.get(table.key) not in (None, key.row_id):
            raise Refusal(400, "0x80040203", "The id in the body is not the id in the address.")
        change, row_id = self._service.writer.upsert(
            node, key, condition, self._call.commit, absent=self._request.absent
        )
        # An upsert by an alternate key repeats that key as it was written, not the id.
        by_id = key.row_id and not key.partition
        shown = (
            shown_id(row_id) if by_id else self._request.path.partition("(")[2].removesuffix(")")
        )
        return self._written(query, row_id, shown, change)

    def _written(self, query: Query, row_id: str, shown: str, change: Change) -> Answer:
        if self._preferences.representation:
            status = 201 if change is Change.CREATED else 200
            preferences = applied("return=representation", self._annotations_applied())
            answer = self._represented(status, query, row_id, *preferences)
            answer.row = f"{self._service.base}/{query.table.entity_set}({shown_id(row_id)})"
            return answer
        return Answer(204, [self._call.entity_id(query.table, shown)])

    # Behind a row -------------------------------------------------------------------------------

    def _beyond(self, table: Table, key: RowKey, rest: list[Segment]) -> Answer:
        name, *more = rest
        if name.name.startswith("Microsoft.Dynamics.CRM."):  # a cast to a subtype
            cast = self._service.schema.tables.get(
                name.name.removeprefix("Microsoft.Dynamics.CRM.")
            )
            if cast is None:
                raise unknown_segment(name.name)
            inner = RowKey(cast, key.need(self._service.rows))
            return self._beyond(cast, inner, more) if more else self._on_row(cast, inner)
        member = table.members.get(name.name)
        if isinstance(member, Column) and name.inside is None:
            return self._on_column(table, key, member, more)
        if isinstance(member, Single) and name.inside is None:
            return self._on_single(table, key, member, more)
        if isinstance(member, Collection | Association):
            return self._on_collection(table, key, member, name, more)
        raise unknown_segment(name.name)

    def _on_column(self, table: Table, key: RowKey, column: Column, more: list[Segment]) -> Answer:
        raw = bool(more) and more[0].name == "$value"
        if more and not raw:
            raise unknown_segment(more[0].name)
        row_id, method = key.need(self._service.rows), self._request.method
        if method in ("PUT", "PATCH"):
            body = self._call.body(table.entity_set)
            self._set_column(table, row_id, column, body.get("value"))
            return Answer(204)
        if method == "DELETE":
            self._set_column(table, row_id, column, None)
            return Answer(204)
        if method != "GET":
            raise wrong_method(method)
        kept = (self._service.rows.get(table, row_id, (column.name,)) or {})[column.name]
        if kept is None:
            return Answer(204)
        value = column.shown(kept)
        if raw:
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            return Answer(200, [(b"content-type", b"text/plain")], text.encode())
        context = f"{self._service.base}/$metadata#{table.entity_set}({row_id})/{column.name}"
        return document(200, {"@odata.context": context, "value": value})

    def _set_column(self, table: Table, row_id: str, column: Column, value: Any) -> None:
        node = self._call.node(table, {column.name: value}, deep=False)
        current = self._service.writer.current(table, row_id) or {}
        self._service.writer.update(node, row_id, node.values, current, self._call.commit)

    def _on_single(self, table: Table, key: RowKey, single: Single, more: list[Segment]) -> Answer:
        row_id = key.need(self._service.rows)
        is_reference = bool(more) and more[0].name == "$ref"
        if is_reference and self._request.method != "GET":
            return self._single_reference(table, row_id, single)
        lookup = single.lookup
        names = [lookup.name, lookup.kind] if lookup.several else [lookup.name]
        row = self._service.rows.get(table, row_id, names) or {}
        target = self._service.schema.tables[single.target]
        kinds = self._service.schema.kinds(single.target)
        pointed = row[lookup.name]
        if pointed is None or (lookup.several and row[lookup.kind] not in kinds):
            return Answer(204)
        if is_reference:
            address = f"{self._service.base}/{target.entity_set}({pointed})"
            context = f"{self._service.base}/$metadata#$ref"
            return document(200, {"@odata.context": context, "@odata.id": address})
        inner = RowKey(target, pointed)
        return self._beyond(target, inner, more) if more else self._on_row(target, inner)

    def _single_reference(self, table: Table, row_id: str, single: Single) -> Answer:
        writer, method = self._service.writer, self._request.method
        if method == "PUT":
            key = self._reference(table, single.target)
            writer.point(table, row_id, single, key, self._call.commit)
        elif method == "DELETE":
            writer.point(table, row_id, single, None, self._call.commit)
        else:
            raise wrong_method(method)
        return Answer(204)

    def _reference(self, table: Table, target: str) -> RowKey:
        """The row that the body's `@odata.id` names; only a full address will do."""
        address = self._call.body(table.entity_set).get("@odata.id")
        if isinstance(address, str) and address.startswith("$"):
            address = content(address, self._request.contents)
        if not isinstance(address, str) or not address.startswith(("http://", "https://")):
            raise bad_query("Invalid URI: The format of the URI could not be determined.")
        start = address.find("/api/data/")
        relative = "/".join(address[start + 1 :].split("/")[3:]) if start >= 0 else address
        key = referenced(relative, self._service.schema, self._service.base)
        if not self._service.schema.fits(key.table, target):
            raise bad_payload(table.entity_set, f"'{key.table.name}' is not a '{target}'.")
        return key

    def _on_collection(
        self,
        table: Table,
        key: RowKey,
        member: Collection | Association,
        name: Segment,
        more: list[Segment],
    ) -> Answer:
        row_id = key.need(self._service.rows)
        target = self._service.schema.tables[member.target]
        if more and more[0].name == "$ref":
            return self._collection_reference(table, row_id, member, name)
        if more and more[0].name == "$count":
            return self._count(target, self._within(table, row_id, member))
        if name.inside is not None:
            inner = row_key(name.inside, target)
            return self._beyond(target, inner, more) if more else self._on_row(target, inner)
        if self._request.method == "GET":
            address = f"{self._service.base}/{table.entity_set}({row_id})/{member.name}"
            return self._list(target, self._within(table, row_id, member), address)
        if self._request.method == "POST" and isinstance(member, Collection):
            lookup = member.single.lookup
            bound = {lookup.name: row_id} | ({lookup.kind: table.name} if lookup.several else {})
            return self._create(target, bound)
        if self._request.method == "PUT" and member.target == "activityparty":
            return self._replace_parties(table, row_id, member)
        raise wrong_method(self._request.method)

    def _within(self, table: Table, row_id: str, member: Collection | Association) -> Sql:
        """The condition of being in a collection of a row."""
        if isinstance(member, Association):
            key = self._service.schema.tables[member.target].key
            inner = f'SELECT {member.far} FROM "{member.pairs}" WHERE {member.near} = ?'
            return Sql(f't0."{key}" IN ({inner})', (row_id,))
        lookup = member.single.lookup
        text = f't0."{lookup.name}" = ?'
        values: tuple[str, ...] = (row_id,)
        if lookup.several:
            kinds = self._service.schema.kinds(member.single.target)
            text += f' AND t0."{lookup.kind}" IN ({",".join("?" * len(kinds))})'
            values = (*values, *kinds)
        return Sql(text, values)

    def _replace_parties(
        self, table: Table, row_id: str, member: Collection | Association
    ) -> Answer:
        bodies = self._call.body(table.entity_set).get("value")
        if not isinstance(bodies, list) or not isinstance(member, Collection):
            raise bad_payload(table.entity_set, "An array of objects was expected for 'value'.")
        parties = self._service.schema.tables[member.target]
        nodes = [self._call.node(parties, body, deep=True) for body in bodies]
        self._service.writer.replace_parties(member, row_id, nodes, self._call.commit)
        return Answer(204)

    def _collection_reference(
        self, table: Table, row_id: str, member: Collection | Association, name: Segment
    ) -> Answer:
        writer, method = self._service.writer, self._request.method
        if method == "POST":
            other = self._reference(table, member.target).need(self._service.rows)
            writer.add(member, table, row_id, other, self._call.commit)
            return Answer(204)
        if method == "GET":
            return self._references(table, row_id, member)
        if method != "DELETE":
            raise wrong_method(method)
        other_key = self._removed(member, name)
        if not writer.remove(member, row_id, other_key.need(self._service.rows), self._call.commit):
            raise other_key.missing()
        return Answer(204)

    def _removed(self, member: Collection | Association, name: Segment) -> RowKey:
        """The row to take out: in brackets, or in the option `$id`."""
        target = self._service.schema.tables[member.target]
        if name.inside is not None:
            return row_key(name.inside, target)
        options = dict(parse_qsl(self._request.query))
        if "$id" not in options:
            raise unparsed_reference()
        address = options["$id"]
        start = address.find("/api/data/")
        relative = "/".join(address[start + 1 :].split("/")[3:]) if start >= 0 else address
        return referenced(relative, self._service.schema, self._service.base)

    def _references(self, table: Table, row_id: str, member: Collection | Association) -> Answer:
        target = self._service.schema.tables[member.target]
        where = self._within(table, row_id, member)
        ids = self._service.rows.ids(target, where.text, where.values, 5000)
        base = self._service.base
        value = [{"@odata.id": f"{base}/{target.entity_set}({other})"} for other in ids]
        return document(
            200, {"@odata.context": f"{base}/$metadata#Collection($ref)", "value": value}
        )
