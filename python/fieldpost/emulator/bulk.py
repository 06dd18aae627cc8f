"""CreateMultiple, UpdateMultiple, UpsertMultiple, DeleteMultiple: many rows of one table at once.

"Use bulk operation messages": one transaction, the first failure undoes all and names no target.
On elastic tables there is no transaction: each target is carried out for itself, and what failed is
told where annotations are asked for.
"""

from __future__ import annotations

from typing import Any

import orjson

from .answer import Answer, document, refusal_answer
from .model import Table
from .records import PARTITION, Condition, Node, RowKey, referenced, shown_id
from .refusal import Refusal, bad_payload, unknown_segment
from .service import ENTITY_TYPE, Call
from .store import Change

MESSAGES = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple")
NONE = Condition(None, None)
_DETAILS = "Microsoft.PowerApps.CDS.ErrorDetails.Plugin.BulkApiErrorDetails"


class Bulk:
    """One bulk message; call inside a transaction."""

    def __init__(self, call: Call, table: Table) -> None:
        self._call = call
        self._table = table
        self._writer = call.service.writer

    def answer(self, message: str) -> Answer:
        """Carry the message out on all targets."""
        table = self._table
        if not table.bulk:
            raise Refusal(
                400,
                "0x80040800",
                f"The '{message}' method does not support entities of type '{table.name}'. "
                "MessageProcessorCache returned MessageProcessor.Empty.",
            )
        if message == "DeleteMultiple" and not table.elastic:
            raise Refusal(400, "0x80048d0b", "DeleteMultiple has not yet been implemented.")
        bodies = self._bodies()
        return self._partly(message, bodies) if table.elastic else self._done(message, bodies)

    def _done(self, message: str, bodies: list[dict[str, Any]]) -> Answer:
        if message == "CreateMultiple":
            return self._created(self._create(bodies))
        if message == "UpdateMultiple":
            self._update(bodies)
        elif message == "UpsertMultiple":
            self._upsert(bodies)
        elif message == "DeleteMultiple":
            self._delete(bodies)
        else:
            raise unknown_segment(message)
        return Answer(204)

    def _partly(self, message: str, bodies: list[dict[str, Any]]) -> Answer:
        """Each target for itself; the first refusal is the answer, whatever was done beside it."""
        ids: list[str] = []
        failures: list[tuple[int, dict[str, Any], Refusal]] = []
        for index, body in enumerate(bodies):
            try:
                with self._call.service.database.savepoint():
                    if message == "CreateMultiple":
                        ids += self._create([body])
                    else:
                        self._done(message, [body])
            except Refusal as refusal:
                failures.append((index, body, refusal))
        if failures:
            return self._failed(failures)
        return self._created(ids) if message == "CreateMultiple" else Answer(204)

    def _failed(self, failures: list[tuple[int, dict[str, Any], Refusal]]) -> Answer:
        told = [
            {"RequestIndex": index, "Id": str(body.get(self._table.key)), "StatusCode": one.status}
            for index, body, one in failures
        ]
        first = failures[0][2]
        details = {_DETAILS: orjson.dumps(told).decode(), **first.details}
        refusal = Refusal(first.status, first.code, first.message, details)
        annotated = bool(self._call.request.preferences.annotations)
        return refusal_answer(refusal, annotated=annotated)

    def _created(self, ids: list[str]) -> Answer:
        context = self._call.context("CreateMultipleResponse")
        return document(200, {"@odata.context": context, "Ids": [shown_id(one) for one in ids]})

    def _bodies(self) -> list[dict[str, Any]]:
        body = self._call.body(self._table.entity_set)
        targets = body.get("Targets")
        if not isinstance(targets, list) or not targets:
            raise bad_payload(self._table.entity_set, "The parameter 'Targets' is missing.")
        for target in targets:
            self._check_type(target)
        return targets

    def _check_type(self, target: Any) -> None:
        if not isinstance(target, dict):
            raise bad_payload(self._table.entity_set, "An object was expected in 'Targets'.")
        declared = str(target.get("@odata.type", "")).lstrip("#")
        if declared == ENTITY_TYPE + self._table.name:
            return
        if not self._call.service.switches.V17 and not declared:
            raise Refusal(400, "0x80040203", "The type of a target is missing.")
        raise bad_payload(
            self._table.entity_set,
            f"A type named '{declared}' could not be resolved by the model: each target needs the "
            f"'@odata.type' '{ENTITY_TYPE}{self._table.name}'.",
        )

    def _node(self, body: dict[str, Any]) -> Node:
        return self._call.node(self._table, body, deep=False)

    def _create(self, bodies: list[dict[str, Any]]) -> list[str]:
        nodes = [self._node(body) for body in bodies]
        try:
            return [self._writer.create(node, self._call.commit) for node in nodes]
        except Refusal as refusal:
            if refusal.code != "0x80040237":
                raise
            status = 412 if self._call.service.switches.V3 else 500
            raise Refusal(status, refusal.code, "Cannot insert duplicate key.") from None

    def _row_key(self, node: Node, row_id: str) -> RowKey:
        partition = node.values.get(PARTITION) if self._table.elastic else None
        return RowKey(self._table, row_id, None, partition)

    def _id(self, node: Node) -> str:
        row_id: str | None = node.values.get(self._table.key)
        if row_id is None:
            raise bad_payload(self._table.entity_set, f"'{self._table.key}' is missing.")
        return row_id

    def _update(self, bodies: list[dict[str, Any]]) -> None:
        """A second target of the same id is dropped without a word, as in the service."""
        done = set[str]()
        for node in [self._node(body) for body in bodies]:
            row_id = self._id(node)
            if row_id in done:
                continue
            done.add(row_id)
            key = self._row_key(node, row_id)
            self._writer.upsert(node, key, Condition("*", None), self._call.commit)

    def _upsert(self, bodies: list[dict[str, Any]]) -> None:
        done = set[object]()
        for body in bodies:
            node = self._node(body)
            key = self._key(node, body)
            change, row_id = self._writer.upsert(node, key, NONE, self._call.commit)
            if row_id in done:
                raise Refusal(412, "0x80040237", "Cannot insert duplicate key.")
            done.add(row_id)
            repeated = [name for name in key.values or {} if name in body]
            if change is Change.CREATED and repeated:
                raise Refusal(400, "0x80040216", "An unexpected error occurred.")

    def _key(self, node: Node, body: dict[str, Any]) -> RowKey:
        address = body.get("@odata.id")
        if address is None:
            return self._row_key(node, node.values.get(self._table.key) or self._new_id())
        service = self._call.service
        key = referenced(address, service.schema, service.base, self._call.request.contents)
        if key.table is not self._table:
            raise bad_payload(self._table.entity_set, f"'{address}' is of another table.")
        return key

    def _new_id(self) -> str:
        return self._call.service.new_id()

    def _delete(self, bodies: list[dict[str, Any]]) -> None:
        for body in bodies:
            node = self._node(body)
            key = self._row_key(node, self._id(node))
            self._writer.delete(self._table, key, NONE, self._call.commit)
