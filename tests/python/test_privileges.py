"""Which privileges a subscription needs, read from its documents."""

from __future__ import annotations

import pytest

from fieldpost.dynamics.privileges import Wanted, needs
from fieldpost.dynamics.schema import Schema

TABLES = Schema.standard().tables
COMPANY = {"@path": "$.company"}


def needed(action, body=None, table="account", **more):
    found = needs(Wanted("s", action, table, (body,), **more), TABLES)
    assert len(found) == len(set(found))
    return {f"{need.verb} {need.table}" for need in found}


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ("create", {"Create account", "Read account"}),
        ("upsert", {"Create account", "Write account", "Read account"}),
        ("update", {"Write account", "Read account"}),
        ("delete", {"Delete account", "Read account"}),
    ],
)
def test_an_action_needs_its_verbs(action, wanted):
    assert needed(action, {"name": COMPANY}) == wanted


@pytest.mark.parametrize(
    "body",
    [
        {"primarycontactid@odata.bind": "/contacts(1)"},
        {"primarycontactid": {"@bind": {"table": "contact", "key": COMPANY}}},
    ],
)
def test_a_bind_needs_both_ends_of_the_lookup(body):
    assert needed("update", body) == {
        "Write account",
        "Read account",
        "Append account",
        "AppendTo contact",
    }


@pytest.mark.parametrize(
    "deals",
    [
        [{"name": "a"}, {"name": "b"}],
        {"@arrayPath": ["$.deals", {"name": "a"}]},
        {"@if": {"exists": COMPANY, "then": [{"name": "a"}]}},
    ],
)
def test_nested_rows_are_made_and_point_back(deals):
    assert needed("create", {"opportunity_customer_accounts": deals}) == {
        "Create account",
        "Read account",
        "Append opportunity",
        "AppendTo account",
        "Create opportunity",
        "Read opportunity",
    }


def test_rows_nested_in_an_upsert_are_upserted():
    assert "Write contact" in needed("upsert", {"primarycontactid": {"lastname": "L"}})


def test_an_owner_is_assigned():
    assert "Assign account" in needed("create", {"ownerid@odata.bind": "/teams(1)"})


def test_a_body_that_an_event_decides_needs_what_the_table_needs():
    assert needed("create", {"@path": "$.body"}) == {"Create account", "Read account"}
    assert needed("create", None) == {"Create account", "Read account"}


@pytest.mark.parametrize(
    ("relationship", "to", "ends"),
    [
        ("contact_customer_accounts", "contact", {"Append contact", "AppendTo account"}),
        ("primarycontactid", "contact", {"Append account", "AppendTo contact"}),
    ],
)
def test_an_association_needs_both_ends(relationship, to, ends):
    for action in ("associate", "disassociate"):
        assert needed(action, relationship=relationship, to=to) == {"Read account", *ends}


def test_a_name_that_is_not_there_needs_nothing():
    assert needed("create", {"nothing": {"name": "a"}, "@@odata.type": "x"}) == {
        "Create account",
        "Read account",
    }
