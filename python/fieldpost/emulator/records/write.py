"""Creates, updates, upserts and deletes: what the service itself adds to a row, and in which order.

Each call belongs inside one transaction of the caller; a refusal in the middle undoes all of it.
Every change is entered in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..model import Schema, Single, Table
from ..refusal import duplicate_key, missing_row, not_here_yet, wrong_status
from ..store import Change, DuplicateRow, Ledger, Rows
from .condition import Condition
from .payload import Node
from .reference import Reference

USER = "5d1e0000-0000-4000-8000-000000000001"
BUSINESS_UNIT = "5d1e0000-0000-4000-8000-000000000002"
ORGANIZATION = "5d1e0000-0000-4000-8000-000000000003"
CURRENCY = "5d1e0000-0000-4000-8000-000000000004"

ONE = 10**10  # the exchange rate 1 at the ten places of its column

OWNED = {
    "_ownerid_value": USER,
    "_owninguser_value": USER,
    "_createdby_value": USER,
    "_modifiedby_value": USER,
    "_owningbusinessunit_value": BUSINESS_UNIT,
}


@dataclass(frozen=True, slots=True)
class Commit:
    """What a change carries into the ledger and the row: who asked, and when."""

    request_id: str
    moment: str


class Writer:
    """Writes rows, and the ledger with them."""

    def __init__(
        self, schema: Schema, rows: Rows, ledger: Ledger, new_id: Callable[[], str]
    ) -> None:
        self._schema = schema
        self._rows = rows
        self._ledger = ledger
        self._new_id = new_id

    def seed(self) -> None:
        """The rows that a fresh environment has: its user and its currency."""
        users, currencies = (
            self._schema.tables["systemuser"],
            self._schema.tables["transactioncurrency"],
        )
        if self._rows.exists(users, USER):
            return
        self._rows.insert(
            users,
            {
                "systemuserid": USER,
                "fullname": "# fieldpost",
                "domainname": "fieldpost@emulator.invalid",
            },
        )
        self._rows.insert(
            currencies,
            {
                "transactioncurrencyid": CURRENCY,
                "currencyname": "US Dollar",
                "isocurrencycode": "USD",
                "currencysymbol": "$",
                "currencyprecision": 2,
            },
        )

    def create(self, node: Node, commit: Commit, implied: dict[str, Any] | None = None) -> str:
        """The id of the new row. What it points at comes first, what points at it comes last."""
        table = node.table
        _writable(table)
        row_id: str = node.values.get(table.key) or self._new_id()
        links = self._linked(node)
        for single, child in node.singles:
            links |= _pointing(single, self.create(child, commit))
        values = OWNED | node.values | links | (implied or {}) | {table.key: row_id}
        _fill_new(table, values, row_id, commit)
        self._insert(table, values, commit)
        self._create_dependants(node, row_id, commit)
        return row_id

    def _insert(self, table: Table, values: dict[str, Any], commit: Commit) -> None:
        row_id = values[table.key]
        values["versionnumber"] = self._ledger.enter(
            table.name, row_id, Change.CREATED, commit.request_id
        )
        try:
            self._rows.insert(table, values)
        except DuplicateRow:
            raise duplicate_key() from None

    def _create_dependants(self, node: Node, row_id: str, commit: Commit) -> None:
        for collection, children in node.collections:
            implied = _pointing(collection.single, row_id, node.table)
            for child in children:
                self.create(child, commit, implied)
        for collection, reference in node.additions:
            self._must_exist(reference)
            implied = _pointing(collection.single, row_id, node.table)
            self._change(reference.table, reference.row_id, implied, commit)

    def _linked(self, node: Node) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for single, reference in node.links:
            if reference is not None:
                self._must_exist(reference)
            if not single.read_only:
                values |= _pointing(single, reference.row_id if reference else None)
        return values

    def _must_exist(self, reference: Reference) -> None:
        if not self._rows.exists(reference.table, reference.row_id):
            raise missing_row(reference.table.name, reference.row_id)

    def upsert(self, node: Node, row_id: str, condition: Condition, commit: Commit) -> Change:
        """Update the row, or create it under this id where there is none."""
        table = node.table
        _writable(table)
        current = self._rows.get(table, row_id, tuple(_known_columns(table)))
        condition.check(None if current is None else current["versionnumber"], table, row_id)
        if current is None:
            node.values[table.key] = row_id
            self.create(node, commit)
            return Change.CREATED
        values = {name: value for name, value in node.values.items() if name != table.key}
        values.pop("overriddencreatedon", None)  # the service takes it on create only
        values |= self._linked(node)
        _fill_changed(table, values, current, row_id)
        self._change(table, row_id, values, commit)
        return Change.UPDATED

    def _change(self, table: Table, row_id: str, values: dict[str, Any], commit: Commit) -> None:
        version = self._ledger.enter(table.name, row_id, Change.UPDATED, commit.request_id)
        stamp = {"modifiedon": commit.moment, "_modifiedby_value": USER, "versionnumber": version}
        self._rows.update(table, row_id, values | stamp)

    def delete(self, table: Table, row_id: str, condition: Condition, commit: Commit) -> None:
        """Delete the row; lookups that pointed at it become empty."""
        _writable(table)
        current = self._rows.get(table, row_id, ("versionnumber",))
        if current is None:
            raise missing_row(table.name, row_id)
        condition.check(current["versionnumber"], table, row_id)
        self._rows.unlink(table, row_id)
        self._rows.delete(table, row_id)
        self._ledger.enter(table.name, row_id, Change.DELETED, commit.request_id)


def _writable(table: Table) -> None:
    if table.seeded:
        raise not_here_yet(f"writing to '{table.entity_set}'")


def _pointing(single: Single, row_id: str | None, target: Table | None = None) -> dict[str, Any]:
    """The columns that make a lookup point at a row; setting one target clears the others."""
    lookup = single.lookup
    values: dict[str, Any] = {lookup.name: row_id}
    if lookup.several:
        values[lookup.kind] = (target.name if target else single.target) if row_id else None
    return values


def _fill_new(table: Table, values: dict[str, Any], row_id: str, commit: Commit) -> None:
    values["createdon"] = values.get("overriddencreatedon") or commit.moment
    values["modifiedon"] = commit.moment
    if table.states:
        _fill_status(table, values, 0, None, row_id)
    _fill_derived(table, values, values)


def _fill_changed(
    table: Table, values: dict[str, Any], current: dict[str, Any], row_id: str
) -> None:
    if table.states and ("statecode" in values or "statuscode" in values):
        _fill_status(table, values, current["statecode"], current["statuscode"], row_id)
    _fill_derived(table, values, current | values)


def _fill_status(
    table: Table, values: dict[str, Any], old_state: int, old_status: int | None, row_id: str
) -> None:
    """A state without a status reason gets its first one; a reason must belong to its state."""
    assert table.states
    given = values.get("statecode")
    state: int = old_state if given is None else given
    status = values.get("statuscode")
    if status is None:
        status = old_status if state == old_state and old_status else table.states.first(state)
    if table.states.statuses[status] != state:
        raise wrong_status(status, table.states.labels[state], table.name, row_id)
    values["statecode"], values["statuscode"] = state, status


def _fill_derived(table: Table, values: dict[str, Any], whole: dict[str, Any]) -> None:
    """Full name, base amounts and currency: columns that follow from others."""
    if table.full_name and ("firstname" in values or "lastname" in values):
        parts = (whole.get("firstname"), whole.get("lastname"))
        values["fullname"] = " ".join(part for part in parts if part) or None
    for name in table.money.keys() & values.keys():
        values[table.money[name].base] = values[name]
        if values[name] is not None and whole.get("_transactioncurrencyid_value") is None:
            values |= {"_transactioncurrencyid_value": CURRENCY, "exchangerate": ONE}


def _known_columns(table: Table) -> Iterable[str]:
    """What an update must know of the row as it is."""
    names = ("versionnumber", "statecode", "statuscode", "firstname", "lastname")
    wanted = (*names, "_transactioncurrencyid_value")
    return (name for name in wanted if name in table.columns)
