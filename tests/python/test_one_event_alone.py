"""One event's value never stops the others of its subscription, or of its destination."""

from __future__ import annotations

from typing import Any

import pytest
from sales import Sales

CREATE = 'action: create\ntable: account\nbody:\n  name: {"@path": "$.name"}\n'
USER = "5d1e0000-0000-4000-8000-000000000001"
STRANGER = "6b1f5b80-0000-4000-8000-00000000dead"
ENTRA = "7a1f0d6e-52c1-4f0b-9d3c-1f0e8c0a9b11"


@pytest.fixture
def sales(sales_anew: Sales) -> Sales:
    return sales_anew


def named(sales: Sales, batching: str = "off") -> Sales:
    sales.delivery = sales.delivery.replace("{max", f"{{batching: {batching}, max")
    return sales


@pytest.mark.parametrize("value", ["Ada", 7, True, ["a"], {"@odata.type": "x"}])
def test_a_value_at_a_lookup_is_invalid(sales: Sales, value: Any) -> None:
    sales.subscribe(CREATE + '  primarycontactid: {"@path": "$.who"}')
    rows = sales.deliver({"name": "a", "who": value}, {"name": "b"})
    is_row = isinstance(value, dict)
    assert [row["outcome"] for row in rows] == ["rejected" if is_row else "invalid", "delivered"]
    assert is_row or rows[0]["code"] == "E426"


@pytest.mark.parametrize("who", ["Ada", "B#1')", "", "x)/leads(1"])
def test_an_address_that_an_event_spoils_is_invalid(sales: Sales, who: str) -> None:
    bind = '  "primarycontactid@odata.bind": {"@template": "/contacts({{who}})"}'
    sales.subscribe(CREATE + bind)
    contact = sales.call("POST", "contacts", {"lastname": "L"}, Prefer="return=representation")[
        "contactid"
    ]
    rows = sales.deliver({"name": "a", "who": who}, {"name": "b", "who": contact})
    assert [row["outcome"] for row in rows] == ["invalid", "delivered"]
    assert rows[0]["code"] == "E424"


@pytest.mark.parametrize("batching", ["off", "batch", "auto"])
@pytest.mark.parametrize("form", ["user", "object"])
def test_an_unknown_person_stops_nobody_else(sales: Sales, batching: str, form: str) -> None:
    who = '{user: {"@path": "$.who"}}' if form == "user" else '{"@path": "$.who"}'
    named(sales, batching).subscribe(f"impersonate: {who}\n" + CREATE)
    known = USER
    if form == "object":
        user = {"firstname": "A", "lastname": "B", "azureactivedirectoryobjectid": ENTRA}
        sales.call("POST", "systemusers", user)
        known = ENTRA
    events = [{"name": str(n), "who": STRANGER if n % 5 == 0 else known} for n in range(20)]
    rows = sales.deliver(*events)
    outcomes = [row["outcome"] for row in rows]
    assert outcomes == ["delivered" if n % 5 else "rejected" for n in range(20)]
    assert rows[0]["code"] == "0x8004a110"
    assert rows[0]["action_needed"].startswith("record:")
    assert [one["created"] for one in sales.commits("account")] == [1] * 16


def test_a_missing_right_to_act_for_others_pauses_the_subscription(sales: Sales) -> None:
    sales.subscribe('impersonate: {user: {"@path": "$.who"}}\n' + CREATE, when="type = 'track'")
    sales.subscribe(CREATE, when="type = 'page'")
    fault = {"match": {"path": "/accounts"}, "status": 403, "code": "0x8004a110", "message": "No."}
    sales.control("faults", [fault])
    row = sales.one({"name": "a", "who": USER})
    assert (row["outcome"], row["code"]) == ("waiting", "0x8004a110")
    assert sales.one({"type": "page", "name": "b"})["outcome"] == "delivered"


def test_a_person_of_the_file_is_a_mistake_of_the_file(sales: Sales) -> None:
    sales.subscribe(f"impersonate: {{user: {STRANGER}}}\n" + CREATE)
    assert sales.one({"name": "a"})["outcome"] == "waiting"


def test_a_diff_refuses_what_one_event_spoils(sales: Sales) -> None:
    sales.subscribe(CREATE + '  primarycontactid: {"@path": "$.contact"}', when="type = 'page'")
    sales.subscribe('impersonate: {user: {"@path": "$.who"}}\n' + CREATE, when="type = 'track'")
    events = [
        {"type": "page", "messageId": "1", "name": "a", "contact": "Ada"},
        {"type": "page", "messageId": "2", "name": "a"},
        {"type": "track", "messageId": "3", "name": "a", "who": STRANGER},
        {"type": "track", "messageId": "4", "name": "a", "who": USER},
    ]
    told = sales.destination.preview(events, diff=True)
    assert [row.effect for row in told.rows] == ["refuse", "create", "refuse", "create"]
    assert told.rows[2].code == "0x8004a110"


@pytest.mark.parametrize("code", ["0x80040229", "0x80048cfc"])
@pytest.mark.parametrize("by_event", [True, False])
def test_an_owner_or_currency_of_the_event_is_the_event_s_fault(
    sales: Sales, code: str, by_event: bool
) -> None:
    key = '{"@path": "$.who"}' if by_event else f'"{USER}"'
    name, table = (
        ("ownerid", "systemuser")
        if code == "0x80040229"
        else ("transactioncurrencyid", "transactioncurrency")
    )
    bind = f'{{"@bind": {{table: {table}, key: {{{table}id: {key}}}}}}}'
    sales.subscribe(CREATE + f"  {name}: {bind}")
    fault = {"match": {"path": "/accounts"}, "status": 400, "code": code, "message": "No."}
    sales.control("faults", [fault])
    row = sales.one({"name": "a", "who": USER})
    assert (row["outcome"], row["code"]) == ("rejected" if by_event else "waiting", code)


@pytest.mark.parametrize("topics", [[], [None], ["", " "], " ", " , ", ""])
def test_no_choice_among_several_empties_the_column(sales: Sales, topics: Any) -> None:
    upsert = 'action: upsert\ntable: new_ticket\nkey: {"@path": "$.no"}\n'
    sales.subscribe("action: create\ntable: account\nbody: {name: x}", when="type = 'alias'")
    sales.destination.saved_schema.pull(["new_ticket"])
    sales.subscriptions.clear()
    body = 'body: {new_name: x, new_topics: {"@path": "$.topics"}}\n'
    sales.subscribe(upsert + body, when="type = 'identify'")
    sales.subscribe(upsert + body + "nulls: {clear: [new_topics]}", when="type = 'track'")
    sales.one({"type": "identify", "no": "T1", "topics": ["Price", "Quality"]})
    sales.one({"type": "identify", "no": "T1", "topics": topics})
    assert sales.rows("new_tickets")[0]["new_topics"] == "100000000,100000001"
    assert sales.one({"no": "T1", "topics": topics})["outcome"] == "delivered"
    assert sales.rows("new_tickets")[0]["new_topics"] is None
