"""What a subscription to Dynamics 365 must say and cannot say: every mistake has its place."""

from __future__ import annotations

import pytest

from fieldpost.check import check
from fieldpost.config import parse
from fieldpost.errors import ConfigError

HEAD = """\
name: d
type: dynamics365
url: https://org.crm.dynamics.com
auth: {type: bearer, token: {env: T}}
subscriptions:
  - name: s
"""
UPSERT = """\
action: upsert
table: account
key: {"@path": "$.userId"}
body: {name: x}
"""
TIE = """\
action: associate
table: account
key: a
relationship: contact_customer_accounts
to: {table: contact, key: {contactid: {"@path": "$.id"}}}
"""


def told(text: str, head: str = HEAD) -> list[tuple[str, str]]:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    try:
        found = check(parse(head + lines, "d.yaml", {"T": "t"})).errors
    except ConfigError as error:
        found = error.mistakes
    place = "$.subscriptions[0]."
    assert all(one.line and one.hint is not None for one in found)
    return [(one.code, one.path.removeprefix(place)) for one in found]


@pytest.mark.parametrize(
    "text",
    [
        UPSERT,
        UPSERT + "nulls: {clear: [fax]}\non_create: {fax: '1'}\nbypass: [flows]",
        UPSERT + 'if_match: "*"\nduplicate_detection: true',
        UPSERT + """if_match: 'W/"123"'""",
        UPSERT + 'impersonate: {user: {"@path": "$.who"}}',
        UPSERT + "impersonate: 2ed6657d-e927-568b-95e1-2665a8aea6a2",
        UPSERT.replace("upsert", "update") + "nulls: clear",
        "action: delete\ntable: account\nkey: {accountid: 2ed6657d-e927-568b-95e1-2665a8aea6a2}",
        TIE,
        TIE.replace("associate", "disassociate"),
    ],
)
def test_what_is_right_is_taken(text):
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("action: upsert", [("E111", "table"), ("E111", "key"), ("E111", "body")]),
        ("action: delete\ntable: account\nkey: a\nbody: {}", [("E115", "body")]),
        (TIE + "nulls: omit", [("E115", "nulls")]),
        (TIE + "truncate: name", [("E115", "truncate")]),
        (
            "action: delete\ntable: account\nkey: a\nchoices: {industrycode: omit}\ndate_zone: UTC",
            [("E115", "choices"), ("E115", "date_zone")],
        ),
        (
            "action: create\ntable: account\nbody: {name: x}\nkey: a\nif_match: '*'",
            [("E115", "key"), ("E115", "if_match")],
        ),
        (UPSERT.replace('{"@path": "$.userId"}', "{}"), [("E113", "key")]),
        (UPSERT.replace('{"@path": "$.userId"}', "[a]"), [("E112", "key")]),
        (UPSERT.replace('{"@path": "$.userId"}', '{"a,b": 1}'), [("E113", "key.a,b")]),
        (UPSERT.replace("@path", "@pth"), [("E201", "key")]),
        (UPSERT + "nulls: none", [("E113", "nulls")]),
        (UPSERT + "nulls: {clear: []}", [("E113", "nulls")]),
        (UPSERT + "bypass: [all]", [("E113", "bypass[0]")]),
        (UPSERT + "on_create: {name: y}", [("E114", "on_create.name")]),
        (UPSERT + "on_create: {fax: y}\nif_match: '*'", [("E115", "on_create")]),
        (UPSERT + "if_match: newest", [("E113", "if_match")]),
        (UPSERT + "if_match: W/123", [("E113", "if_match")]),
        (UPSERT + "on_create: {fax: {'@pth': x}}", [("E201", "on_create.fax")]),
        (UPSERT + "impersonate: me", [("E113", "impersonate")]),
        (UPSERT + "impersonate: {name: me}", [("E113", "impersonate")]),
        (UPSERT + "impersonate: {user: me}", [("E113", "impersonate.user")]),
        (TIE.replace("contact_customer_accounts", "a/b"), [("E113", "relationship")]),
        (TIE.replace("@path", "@pth"), [("E201", "to.key.contactid")]),
        (
            TIE.replace("table: contact", "tabel: contact"),
            [("E111", "to.table"), ("E110", "to.tabel")],
        ),
        (UPSERT.replace("{name: x}", '{a: {"@bind": {key: b}}}'), [("E205", "body.a.@bind")]),
        (
            UPSERT.replace("{name: x}", '{a: {"@bind": {table: 1, key: b}}}'),
            [("E203", "body.a.@bind.table")],
        ),
    ],
)
def test_each_mistake_has_its_place(text, mistakes):
    assert sorted(told(text)) == sorted(mistakes)


def test_a_webhook_knows_no_rows():
    head = "name: w\ntype: webhook\nsubscriptions:\n  - name: s\n"
    text = 'url: https://example.com/\nkey: a\nbody: {a: [{b: {"@bind": {table: t, key: 1}}}]}'
    assert told(text, head) == [("E115", "key"), ("E115", "body.a[0].b.@bind")]


def test_a_row_is_taken_out_of_a_collection_by_its_id_or_a_business_key():
    untie = TIE.replace("associate", "disassociate")
    alternate = untie.replace("contactid:", "emailaddress1:")
    assert told(untie) == []
    assert told(untie.replace('{contactid: {"@path": "$.id"}}', '{"@path": "$.id"}')) == []
    assert ("E280", "to.key") in told(alternate)
    assert "E280" not in [code for code, _ in told(alternate.replace("disassociate", "associate"))]
