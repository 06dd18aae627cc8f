"""Rows that were made under a former spelling of the environment are found; none is made twice."""

from __future__ import annotations

import uuid

import pytest

import fieldpost as fp

NAMESPACE = uuid.UUID("d20043b0-8940-55cc-a650-3c793f71d61b")
FORMER = "https://old.crm4.dynamics.com"
UPSERT = (
    'action: upsert\ntable: {table}\nkey: {{"@path": "$.k"}}\n'
    'body: {{{column}: {{"@path": "$.n"}}}}\n'
)


def key_id(environment: str, table: str, key: str) -> str:
    """The id of a business key, as earlier releases made it of an address as it was written."""
    parts = ("key", environment, table, key)
    return str(uuid.uuid5(NAMESPACE, "".join(f"{len(one)}:{one}" for one in parts)))


@pytest.fixture(params=["off", "batch", "auto"])
def moved(sales, request):
    """A destination of an environment that had another address before."""
    sales.delivery = (
        f"delivery: {{batching: {request.param}, retry: {{wait_initial_s: 0.01}}}}\n"
        f"former_urls: [{FORMER}]\n"
    )
    return sales


def test_an_upsert_writes_on_the_row_of_a_former_id(moved):
    former = key_id(FORMER, "account", "acme")
    moved.call("POST", "accounts", {"accountid": former, "name": "before"})
    moved.subscribe(UPSERT.format(table="account", column="name"))
    rows = moved.deliver({"k": "Acme", "n": "after"}, {"k": "new", "n": "new"})
    assert [one["effect"] for one in rows] == ["updated", "created"]
    assert rows[0]["record_id"] == former
    assert rows[1]["record_id"] == key_id(moved.emulator.url, "account", "new")
    assert sorted(one["name"] for one in moved.rows("accounts", "name")) == ["after", "new"]
    again = moved.deliver({"k": "ACME", "n": "later"}, {"k": "new", "n": "later"})
    assert [one["effect"] for one in again] == ["updated", "updated"]
    assert [one["name"] for one in moved.rows("accounts", "name")] == ["later", "later"]


def test_a_row_of_todays_id_comes_before_one_of_a_former(moved):
    today, former = (key_id(one, "account", "a") for one in (moved.emulator.url, FORMER))
    for number in (today, former):
        moved.call("POST", "accounts", {"accountid": number, "name": "before"})
    moved.subscribe(UPSERT.format(table="account", column="name"))
    assert moved.one({"k": "a", "n": "after"})["record_id"] == today
    assert moved.get(f"accounts({former})?$select=name")["name"] == "before"


def test_updates_and_deletes_reach_the_row_of_a_former_id(moved):
    former = key_id(FORMER, "account", "a")
    moved.call("POST", "accounts", {"accountid": former, "name": "before"})
    moved.subscribe(
        UPSERT.format(table="account", column="name").replace("upsert", "update"),
        when="event = 'u'",
    )
    moved.subscribe('action: delete\ntable: account\nkey: {"@path": "$.k"}\n', when="event = 'd'")
    updated = moved.one({"event": "u", "k": "a", "n": "after"})
    assert (updated["outcome"], updated["record_id"]) == ("delivered", former)
    assert moved.get(f"accounts({former})?$select=name")["name"] == "after"
    assert moved.one({"event": "d", "k": "a"})["effect"] == "deleted"
    assert moved.rows("accounts") == []
    assert moved.one({"event": "u", "k": "a", "n": "x"})["outcome"] == "rejected"


def test_binds_lead_to_rows_of_former_ids_each_for_itself(moved):
    contact = key_id(FORMER, "contact", "c")
    parent = key_id(moved.emulator.url, "account", "p")
    moved.call("POST", "contacts", {"contactid": contact, "lastname": "L"})
    moved.call("POST", "accounts", {"accountid": parent, "name": "P"})
    moved.subscribe(
        "action: create\ntable: account\nbody:\n"
        '  name: {"@path": "$.n"}\n'
        '  primarycontactid: {"@bind": {table: contact, key: {"@path": "$.c"}}}\n'
        '  parentaccountid: {"@bind": {table: account, key: {"@path": "$.p"}}}\n'
    )
    row = moved.one({"n": "child", "c": "c", "p": "p"})
    assert row["outcome"] == "delivered", row
    child = moved.get(f"accounts({row['record_id']})")
    assert child["_primarycontactid_value"] == contact
    assert child["_parentaccountid_value"] == parent


def test_a_key_that_is_an_id_reaches_its_row(sales):
    contact = str(uuid.uuid4())
    sales.call("POST", "contacts", {"contactid": contact, "lastname": "L"})
    sales.subscribe(
        UPSERT.format(table="contact", column="lastname").replace("upsert", "update"),
        when="event = 'u'",
    )
    sales.subscribe(
        "action: create\ntable: account\nbody:\n"
        '  primarycontactid: {"@bind": {table: contact, key: {"@path": "$.k"}}}\n'
        '  ownerid: {"@bind": {table: systemuser, key: {"@path": "$.o"}}}\n',
        when="event = 'c'",
    )
    [owner] = sales.rows("systemusers", "systemuserid")[:1]
    assert sales.one({"event": "u", "k": contact, "n": "M"})["record_id"] == contact
    made = sales.one({"event": "c", "k": contact, "o": owner["systemuserid"]})
    assert made["outcome"] == "delivered", made
    row = sales.get(f"accounts({made['record_id']})")
    assert row["_primarycontactid_value"] == contact
    assert row["_ownerid_value"] == owner["systemuserid"]


def test_two_spellings_of_this_machine_are_one_environment(sales):
    sales.subscribe(UPSERT.format(table="account", column="name"))
    first = sales.one({"k": "a", "n": "1"})
    config = sales.destination.config
    other = sales.emulator.url.replace("127.0.0.1", "LocalHost")
    text = config.text.replace(f"url: {sales.emulator.url}\n", f"url: {other}/\n")
    assert text != config.text
    path = sales.folder / "sales.yaml"
    path.write_text(text)
    report = fp.Destination.from_file(path).deliver(
        [
            {"type": "track", "messageId": "m1", "k": "a", "n": "2"},
            {"type": "track", "messageId": "x", "k": "A", "n": "3"},
        ],
        progress=False,
    )
    told = report.to_dict()
    assert (told["already_delivered"], told["delivered"]) == (1, 1)
    [row] = sales.rows("accounts", "accountid,name")
    assert (row["accountid"], row["name"]) == (first["record_id"], "3")
