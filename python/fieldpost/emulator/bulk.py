"""CreateMultiple, UpdateMultiple, UpsertMultiple, DeleteMultiple: many rows of one table at once.

"Use bulk operation messages": one transaction, the first failure undoes all and names no target.
On elastic tables there is no transaction.
"""

from __future__ import annotations

from typing import Any

from .answer import Answer, document
from .model import Table
from .records import Condition, Node, RowKey, referenced
from .refusal import Refusal, bad_payload, unknown_segment
from .service import ENTITY_TYPE, Call
from .store import Change

MESSAGES = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple")
NONE = Condition(None, None)


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
        if message == "CreateMultiple":
            return self._create(bodies)
        if message == "UpdateMultiple":
            self._update(bodies)
        elif message == "UpsertMultiple":
            self._upsert(bodies)
        elif message == "DeleteMultiple":
            self._delete(bodies)
        else:
            raise unknown_segment(message)
        return Answer(204)

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

    def _create(self, bodies: list[dict[str, Any]]) -> Answer:
        nodes = [self._node(body) for body in bodies]
        try:
            ids = [self._writer.create(node, self._call.commit) for node in nodes]
        except Refusal as refusal:
            if refusal.code != "0x80040237":
                raise
            status = 412 if self._call.service.switches.V3 else 500
            raise Refusal(status, refusal.code, "Cannot insert duplicate key.") from None
        return document(
            200, {"@odata.context": self._call.context("CreateMultipleResponse"), "Ids": ids}
        )

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
            key = RowKey(self._table, row_id)
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
            return RowKey(self._table, node.values.get(self._table.key) or self._new_id())
        service = self._call.service
        key = referenced(address, service.schema, service.base, self._call.request.contents)
        if key.table is not self._table:
            raise bad_payload(self._table.entity_set, f"'{address}' is of another table.")
        return key

    def _new_id(self) -> str:
        return self._call.service.new_id()

    def _delete(self, bodies: list[dict[str, Any]]) -> None:
        for body in bodies:
            row_id = self._id(self._node(body))
            self._writer.delete(self._table, RowKey(self._table, row_id), NONE, self._call.commit)
