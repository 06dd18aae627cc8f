"""Creates, updates, upserts and deletes: what the service itself adds to a row, and in which order.

Each call belongs inside one transaction of the caller; a refusal in the middle undoes all of it.
Every change is entered in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..model import Association, Collection, Schema, Single, Table
from ..plugin import PlugIns
from ..refusal import (
    Refusal,
    closed_by_message,
    date_in_the_future,
    duplicate_detected,
    duplicate_key,
    key_violated,
    missing_required,
    no_optimistic_locking,
    wrong_method,
    wrong_status,
)
from ..store import Change, DuplicateRow, Ledger, Rows
from ..switches import Switches
from .commit import Commit
from .condition import Condition
from .derived import fill_changed, fill_derived, fill_status, known_columns
from .key import PARTITION, RowKey, kept_id
from .payload import Node

CLOSING = {1: "WinOpportunity", 2: "LoseOpportunity"}


class Writer:
    """Writes rows, and the ledger with them."""

    def __init__(
        self,
        schema: Schema,
        rows: Rows,
        ledger: Ledger,
        plug_ins: PlugIns,
        switches: Switches,
        new_id: Callable[[], str],
    ) -> None:
        self._schema = schema
        self._rows = rows
        self._ledger = ledger
        self._plug_ins = plug_ins
        self._switches = switches
        self._new_id = new_id
        self.duplicate_rules: list[tuple[str, tuple[str, ...]]] = []

    # Creating -----------------------------------------------------------------------------------

    def create(
        self,
        node: Node,
        commit: Commit,
        implied: Mapping[str, Any] | None = None,
        *,
        nested: bool = False,
    ) -> str:
        """The id of the new row. What it points at comes first, what points at it comes last."""
        table = node.table
        _writable(table)
        if table.elastic and (node.singles or node.collections):
            raise Refusal(
                400,
                "0x80040265",
                "Cannot create related entities. Create has to be called individually for each "
                "entity.",
            )
        commit.allow("Create", table)
        given = node.values.get(table.key)
        row_id: str = given if given and (self._switches.V1 or not nested) else self._new_id()
        if table.elastic:
            node.values[PARTITION] = node.values.get(PARTITION) or row_id
        links = self._linked(node, commit)
        for single, child in node.singles:
            commit.attach(table, child.table)
            links |= self._pointing(single, self.create(child, commit, nested=True), child.table)
        values = _owned(table, commit) | node.values | links | dict(implied or {})
        values[table.key] = row_id
        self._fill_new(table, values, row_id, commit)
        self._before(table, "Create", values, row_id, commit)
        kept = self._insert(table, values, commit)
        self._create_dependants(node, row_id, commit)
        return kept

    def _insert(self, table: Table, values: dict[str, Any], commit: Commit) -> str:
        row_id = kept_id(table, values[table.key], values.get(PARTITION))
        values[table.kept_key] = row_id
        if not self._switches.V15 and self._ledger.deleted(table.name, row_id):
            raise duplicate_key()
        version = self._ledger.enter(table.name, row_id, Change.CREATED, commit.request_id)
        if "versionnumber" in table.columns:
            values["versionnumber"] = version
        try:
            self._rows.insert(table, values)
        except DuplicateRow as duplicate:
            raise _duplicate(table, duplicate, values) from None
        commit.created.add(row_id)
        commit.rows += 1
        return row_id

    def _create_dependants(self, node: Node, row_id: str, commit: Commit) -> None:
        for member, children in node.collections:
            for child in children:
                if isinstance(member, Association):
                    self.pair(member, row_id, self.create(child, commit, nested=True))
                else:
                    commit.attach(child.table, node.table)
                    implied = self._pointing(member.single, row_id, node.table)
                    self.create(child, commit, implied, nested=True)
        for member, key in node.additions:
            self.add(member, node.table, row_id, self._found(key, commit), commit)

    def _linked(self, node: Node, commit: Commit) -> dict[str, Any]:
        """The columns of the links that a body asks for, the rows at their ends looked up."""
        values: dict[str, Any] = {}
        for single, key in node.links:
            if single.read_only:
                continue
            row_id = None if key is None else self._found(key, commit)
            if row_id is None and single.lookup.name in values:
                continue
            if key is not None:
                commit.attach(node.table, key.table)
            values |= self._pointing(single, row_id, key.table if key else None)
        return values

    def _found(self, key: RowKey, commit: Commit) -> str:
        """The id of a row that a bind names."""
        found = key.find(self._rows)
        hidden = commit.in_change_set and not self._switches.V11 and found in commit.created
        if found is None or hidden:
            if not self._switches.V2:
                raise Refusal(400, "0x80040203", "The bound record does not exist.")
            raise key.missing()
        return found

    def _pointing(
        self, single: Single, row_id: str | None, table: Table | None = None
    ) -> dict[str, Any]:
        """The columns that make a lookup point at a row; setting one target clears the others."""
        lookup = single.lookup
        values: dict[str, Any] = {lookup.name: row_id}
        kind: str | None = None
        if row_id is not None:
            kind = table.name if table and not table.union else None
            kind = kind or self._rows.kind(self._schema.tables[single.target], row_id)
        if lookup.several:
            values[lookup.kind] = kind
        if lookup.name == "_ownerid_value":
            values["_owninguser_value"] = row_id if kind == "systemuser" else None
            values["_owningteam_value"] = row_id if kind == "team" else None
        return values

    # Changing -----------------------------------------------------------------------------------

    def upsert(
        self, node: Node, key: RowKey, condition: Condition, commit: Commit, *, absent: bool = False
    ) -> tuple[Change, str]:
        """Update the row, or create it under this key where there is none.

        `absent` is what another request of a race saw before: it is believed.
        """
        table = node.table
        _writable(table)
        _lockable(table, condition)
        row_id = None if absent else key.find(self._rows)
        current = row_id and self._rows.get(table, row_id, tuple(known_columns(table)))
        if commit.in_change_set and not self._switches.V12:
            condition = Condition(condition.match, None)
        condition.check(current["versionnumber"] if current else None, key)
        if not current or row_id is None:
            node.values = {**key.written(), **node.values}
            if key.row_id is not None:
                node.values[table.key] = key.row_id
            if key.partition:
                node.values.setdefault(PARTITION, key.partition)
            return Change.CREATED, self.create(node, commit)
        values = {name: value for name, value in node.values.items() if name != table.key}
        for name in key.values or {}:
            values.pop(name, None)
        if table.elastic:
            values.pop(PARTITION, None)
            values = _emptied(table, condition) | values
        self.update(node, row_id, values, current, commit)
        return Change.UPDATED, row_id

    def update(
        self,
        node: Node,
        row_id: str,
        values: dict[str, Any],
        current: Mapping[str, Any],
        commit: Commit,
    ) -> None:
        """Change a row that is there."""
        table = node.table
        commit.allow("Write", table)
        values.pop("overriddencreatedon", None)  # the service takes it on create only
        values |= self._linked(node, commit)
        fill_changed(table, values, current, row_id)
        _check_closing(table, values, commit)
        self._before(table, "Update", {**current, **values}, row_id, commit)
        self.change(table, row_id, values, commit)

    def current(self, table: Table, row_id: str) -> dict[str, Any] | None:
        """What an update must know of the row as it is."""
        return self._rows.get(table, row_id, tuple(known_columns(table)))

    def change(self, table: Table, row_id: str, values: dict[str, Any], commit: Commit) -> None:
        """Write these columns, and that they were written."""
        version = self._ledger.enter(table.name, row_id, Change.UPDATED, commit.request_id)
        stamp = {"modifiedon": commit.moment, "versionnumber": version, **commit.author}
        stamp = {name: value for name, value in stamp.items() if name in table.columns}
        try:
            self._rows.update(table, row_id, values | stamp)
        except DuplicateRow as duplicate:
            raise _duplicate(table, duplicate, values) from None
        commit.rows += 1

    def delete(self, table: Table, key: RowKey, condition: Condition, commit: Commit) -> None:
        """Delete the row; lookups that pointed at it become empty."""
        _writable(table)
        _lockable(table, condition)
        commit.allow("Delete", table)
        row_id = key.need(self._rows)
        current = self._rows.get(table, row_id, tuple(known_columns(table)))
        condition.check(current.get("versionnumber") if current else None, key)
        self._before(table, "Delete", current or {}, row_id, commit, checked=False)
        if table.activity:
            self._delete_parties(row_id, commit)
        self._rows.unlink(table, row_id)
        self._rows.delete(table, row_id)
        self._ledger.enter(table.name, row_id, Change.DELETED, commit.request_id)
        commit.rows += 1

    def _delete_parties(self, activity_id: str, commit: Commit) -> None:
        parties = self._schema.tables["activityparty"]
        for row_id in self._rows.ids(parties, 't0."_activityid_value" = ?', (activity_id,), 10**6):
            self._rows.delete(parties, row_id)
            self._ledger.enter(parties.name, row_id, Change.DELETED, commit.request_id)

    def replace_parties(
        self, collection: Collection, row_id: str, nodes: Iterable[Node], commit: Commit
    ) -> None:
        """The parties of an activity become these: the one collection that an update may set."""
        self._delete_parties(row_id, commit)
        activity = self._schema.tables[collection.single.target]
        for node in nodes:
            self.create(node, commit, self._pointing(collection.single, row_id, activity))

    # Associating --------------------------------------------------------------------------------

    def add(
        self,
        member: Collection | Association,
        table: Table,
        row_id: str,
        other_id: str,
        commit: Commit,
    ) -> None:
        """Put a row into a collection of another."""
        if isinstance(member, Association):
            self.pair(member, row_id, other_id)
            return
        target = self._schema.tables[member.target]
        values = self._pointing(member.single, row_id, table)
        other = self._schema.tables[self._rows.kind(target, other_id) or target.name]
        commit.attach(other, table)
        self.change(other, other_id, values, commit)

    def pair(self, association: Association, near_id: str, far_id: str) -> None:
        """Associate two rows of a many-to-many relationship."""
        try:
            self._rows.pair(association, near_id, far_id)
        except DuplicateRow:
            raise Refusal(412, "0x80040237", "Cannot insert duplicate key.") from None

    def remove(
        self, member: Collection | Association, row_id: str, other_id: str, commit: Commit
    ) -> bool:
        """Take a row out of a collection of another; whether it was in it."""
        if isinstance(member, Association):
            return self._rows.unpair(member, row_id, other_id)
        target = self._schema.tables[member.target]
        lookup = member.single.lookup
        table = self._schema.tables[self._rows.kind(target, other_id) or target.name]
        row = self._rows.get(table, other_id, (lookup.name,))
        if row is None or row[lookup.name] != row_id:
            return False
        self.change(table, other_id, self._pointing(member.single, None), commit)
        return True

    def point(
        self, table: Table, row_id: str, single: Single, key: RowKey | None, commit: Commit
    ) -> None:
        """Set or clear a single-valued navigation property."""
        other_id = None if key is None else self._found(key, commit)
        if key is not None:
            commit.attach(table, key.table)
        values = self._pointing(single, other_id, key.table if key else None)
        self.change(table, row_id, values, commit)

    # What every write goes through --------------------------------------------------------------

    def _before(
        self,
        table: Table,
        message: str,
        values: Mapping[str, Any],
        row_id: str,
        commit: Commit,
        *,
        checked: bool = True,
    ) -> None:
        if checked and commit.detect_duplicates:
            self._detect_duplicates(table, values, row_id)
        if not commit.bypass_logic:
            self._plug_ins.run(table.name, message, values)

    def _detect_duplicates(self, table: Table, values: Mapping[str, Any], row_id: str) -> None:
        for name, columns in self.duplicate_rules:
            wanted = [values.get(column) for column in columns]
            if name != table.name or any(value is None for value in wanted):
                continue
            where = " AND ".join(f'fold(t0."{column}") = fold(?)' for column in columns)
            if [found for found in self._rows.ids(table, where, wanted, 2) if found != row_id]:
                raise duplicate_detected()

    def _fill_new(self, table: Table, values: dict[str, Any], row_id: str, commit: Commit) -> None:
        if "createdon" in table.columns:
            _check_past(values.get("overriddencreatedon"), commit)
            values["createdon"] = values.get("overriddencreatedon") or commit.moment
            values["modifiedon"] = commit.moment
        for name in ("ownerid",) if table.base == "principal" else ():
            values[name] = row_id
        if table.states:
            _check_closing(table, values, commit)
            _check_first_state(table, values, row_id, commit)
            fill_status(table, values, 0, None, row_id)
        for column in table.columns.values():
            if column.required and values.get(column.name) is None:
                raise missing_required(column.name)
        fill_derived(table, values, values)


def _owned(table: Table, commit: Commit) -> dict[str, Any]:
    """What a new row says about its owner and its author."""
    user = commit.user
    values: dict[str, Any] = {
        "_createdby_value": user.id,
        "_createdonbehalfby_value": commit.on_behalf_of,
        **commit.author,
    }
    if "_ownerid_value" in table.columns:
        values |= {
            "_ownerid_value": user.id,
            "_ownerid_table": "systemuser",
            "_owninguser_value": user.id,
            "_owningbusinessunit_value": user.business_unit,
        }
    return values if "_createdby_value" in table.columns else {}


def _emptied(table: Table, condition: Condition) -> dict[str, Any]:
    """An upsert without a condition replaces the whole row: what it does not say is gone."""
    if condition.match is not None:
        return {}
    kept = {table.key, PARTITION, "statecode", "statuscode", "overriddencreatedon"}
    lost = {c.name: c.default for c in table.columns.values() if not c.read_only} | {
        single.lookup.name: None for single in table.singles.values() if not single.read_only
    }
    return {name: value for name, value in lost.items() if name not in kept | {"_ownerid_value"}}


def _check_closing(table: Table, values: Mapping[str, Any], commit: Commit) -> None:
    """An opportunity is won and lost by messages alone."""
    message = CLOSING.get(values.get("statecode") or 0)
    if table.name == "opportunity" and message and not commit.by_message:
        assert table.states
        raise closed_by_message(table.name, table.states.labels[values["statecode"]], message)


def _check_first_state(
    table: Table, values: Mapping[str, Any], row_id: str, commit: Commit
) -> None:
    """A new row is in its first state, whatever its body says."""
    state = values.get("statecode") or 0
    assert table.states
    if state and not commit.by_message:
        status = values.get("statuscode") or table.states.first(state)
        raise wrong_status(status, table.states.labels[0], table.name, row_id)


def _check_past(created: str | None, commit: Commit) -> None:
    if created is not None and created > commit.moment:
        raise date_in_the_future()


def _writable(table: Table) -> None:
    if table.fixed or table.union:
        raise wrong_method("POST, PATCH or DELETE")


def _lockable(table: Table, condition: Condition) -> None:
    locks = table.locks_optimistically and not table.elastic
    if condition.match not in (None, "*") and not locks:
        raise no_optimistic_locking(table.name)


def _duplicate(table: Table, duplicate: DuplicateRow, values: Mapping[str, Any]) -> Refusal:
    key = table.keys.get(duplicate.key or "")
    if key is None:
        return duplicate_key()
    kept = {c: c if c in table.columns else f"_{c}_value" for c in key.columns}
    return key_violated(key.name, {name: values.get(kept[name], "") for name in key.columns})
