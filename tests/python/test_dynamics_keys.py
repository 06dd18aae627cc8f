"""Alternate keys of an environment's own table: whatever an event holds, the right row is meant."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAD = "action: {action}\ntable: new_ticket\n"
BY_TEXT = 'key: {new_key: {"@path": "$.k"}}\nbody: {new_name: {"@path": "$.n"}}\n'
HOSTILE = [
    "'",
    "''",
    "a'),x=('",
    "a,b=(c)",
    '"',
    "é",
    "a b",
    "(1)",
    "$1",
    "=",
    "@x",
    "a;b",
    "~",
    "[]",
]
REFUSED = ["a/b", "<", ">", "*", "100%", "a&b", "a:b", "\\", "?", "a+b", "#1", "a\nb", "\x00"]


@pytest.fixture
def tickets(sales):
    """A destination that knows the environment's own tables."""
    sales.subscribe(HEAD.format(action="upsert") + BY_TEXT)
    path = sales.destination.config.file
    command = [sys.executable, "-m", "fieldpost", "schema", "pull", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    sales.subscriptions.clear()
    return sales


def test_a_text_means_its_row_and_no_other(tickets):
    tickets.subscribe(HEAD.format(action="upsert") + BY_TEXT)
    for text in HOSTILE:
        effects = [tickets.one({"k": text, "n": n})["effect"] for n in ("1", "2")]
        assert effects == ["created", "updated"], text
    kept = sorted(row["new_key"] for row in tickets.rows("new_tickets", "new_key"))
    assert kept == sorted(HOSTILE)
    for text in REFUSED:
        row = tickets.one({"k": text, "n": "x"})
        assert (row["outcome"], row["code"]) == ("invalid", "E516"), text
    assert len(tickets.rows("new_tickets")) == len(HOSTILE)


def test_a_value_of_another_type_than_its_key_column_stops_no_other_event(tickets):
    tickets.subscribe(HEAD.format(action="upsert") + BY_TEXT, when="type = 'identify'")
    place = 'key: {new_region: {"@path": "$.r"}, new_code: {"@path": "$.c"}}\n'
    tickets.subscribe(HEAD.format(action="delete") + place, when="type = 'track'")
    keys = [12, True, 1.5]
    rows = tickets.deliver(*({"type": "identify", "k": key, "n": "x"} for key in keys))
    places = [("EU", "7"), ("EU", 7.5), ("EU", 2**31), ("EU", False), (5, 7)]
    rows += tickets.deliver(*({"r": region, "c": code} for region, code in places))
    assert [(row["outcome"], row["code"]) for row in rows] == [("invalid", "E517")] * 8
    assert "new_code is no whole number" in rows[3]["message"]
    assert "@string" in rows[0]["action_needed"]
    assert tickets.one({"type": "identify", "k": "12", "n": "x"})["effect"] == "created"
    assert tickets.one({"r": "EU", "c": -7})["effect"] == "unchanged"


def test_a_row_that_a_key_made_tells_its_id(tickets):
    tickets.subscribe(HEAD.format(action="upsert") + BY_TEXT)
    row = tickets.one({"k": "a", "n": "x"})
    assert tickets.get(f"new_tickets({row['record_id']})?$select=new_key")["new_key"] == "a"


@pytest.mark.parametrize("more", ["", "on_create: {new_notes: n}"])
def test_racing_upserts_by_an_alternate_key_both_arrive(tickets, more):
    tickets.subscribe(HEAD.format(action="upsert") + BY_TEXT + more)
    tickets.control("races", {"table": "new_ticket", "times": 1})
    rows = tickets.deliver(*({"k": "a", "n": str(n)} for n in range(2)))
    assert [row["outcome"] for row in rows] == ["delivered"] * 2, rows
    assert len(tickets.rows("new_tickets")) == 1


def test_a_key_of_several_columns_and_of_a_lookup(tickets):
    account = 'action: upsert\ntable: account\nkey: {"@path": "$.a"}\nbody: {name: x}'
    tickets.subscribe(account, when="type = 'group'")
    tickets.subscribe(
        HEAD.format(action="upsert")
        + 'key: {_new_accountid_value: {"@path": "$.id"}, new_n: {"@path": "$.n"}}\n'
        + "body: {new_name: x}",
        when="type = 'track'",
    )
    made = tickets.one({"type": "group", "a": "acme"})
    event = {"id": made["record_id"], "n": 5}
    assert [tickets.one(event)["effect"] for _ in range(2)] == ["created", "updated"]
    [row] = tickets.rows("new_tickets", "new_n,_new_accountid_value")
    assert (row["new_n"], row["_new_accountid_value"]) == (5, made["record_id"])


def test_a_bind_by_an_alternate_key(tickets):
    tickets.subscribe(HEAD.format(action="upsert") + BY_TEXT, when="type = 'identify'")
    tie = 'key: {new_key: {"@path": "$.k"}}\n'
    tickets.subscribe(
        HEAD.format(action="associate") + tie + "relationship: new_ticket_contact\n"
        'to: {table: contact, key: {"@path": "$.who"}}',
        when="type = 'track'",
    )
    contact = 'action: upsert\ntable: contact\nkey: {"@path": "$.who"}\nbody: {lastname: x}'
    tickets.subscribe(contact, when="type = 'identify'")
    event = {"k": "o'brien (1)", "n": "x", "who": "w"}
    tickets.deliver(event | {"type": "identify"})
    assert [tickets.one(event)["effect"] for _ in range(2)] == ["updated", "unchanged"]
