"""Binds and keys against the schema: tables, alternate keys, values that cannot travel."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environment_schema import own_schema
from fieldpost.dynamics.bind_check import BindCheck
from fieldpost.dynamics.body_check import BodyCheck, Mode
from fieldpost.dynamics.body_findings import BodyFindings
from fieldpost.dynamics.conversions import Conversions
from fieldpost.dynamics.row_address import RowAddress, cannot_travel, read_address
from fieldpost.dynamics.schema import Key, Schema
from fieldpost.errors import CODES
from fieldpost.yaml_text import YamlText

SCHEMA = own_schema()
ID = "6f1e7c36-8a33-4b0a-9d52-000000000001"


def found(
    body: Any, table: str = "account", mode: Mode = "create", key: Any = None
) -> BodyFindings:
    places = YamlText(json.dumps({"body": body, "key": key}).replace("ID", ID))
    findings = BodyFindings(places, is_sure=True)
    check = BodyCheck(SCHEMA, findings, Conversions())
    check.check(SCHEMA.tables[table], mode, places.data["body"], ("body",))
    check.check_key(SCHEMA.tables[table], places.data["key"], ("key",))
    return findings


def bind(table: str, key: Any) -> dict[str, Any]:
    return {"@bind": {"table": table, "key": key}}


TICKET = {"new_name": "a"}


@pytest.mark.parametrize(
    ("body", "table", "code", "path", "hint"),
    [
        ({"primarycontactid": bind("account", "k")}, "account", "E265", ".table", "/contacts(…)"),
        ({"primarycontactid": bind("contacts", "k")}, "account", "E265", ".table", '"contact"'),
        ({"primarycontactid": bind("Contact", "k")}, "account", "E265", ".table", '"contact"'),
        ({"primarycontactid": bind("contcat", "k")}, "account", "E265", ".table", '"contact"'),
        (
            {"ownerid": bind("contact", "k")},
            "account",
            "E265",
            ".table",
            "such as /systemusers(…) or /teams(…)",
        ),
        ({"primarycontactid": bind("contact", {"contactId": "ID"})}, "account", "E273", "", "tid"),
        ({"primarycontactid": bind("contact", {"contactid": "k"})}, "account", "E267", "", "key"),
        (
            {**TICKET, "new_who_account": bind("contact", "k")},
            "new_ticket",
            "E265",
            ".table",
            "new_who_contact",
        ),
        (
            {"primarycontactid": bind("contact", {"emailaddress1": "a"})},
            "account",
            "E273",
            ".key",
            "contact has none",
        ),
        ({"new_Tickets": [bind("new_ticket", {"new_name": "a"})]}, "account", "E273", ".key", "("),
        ({"new_Tickets": [bind("new_ticket", {"new_tier": 1})]}, "account", "E273", "", "Active"),
        ({"createdby": bind("systemuser", "k")}, "account", "E271", "", "leave it out"),
    ],
)
def test_a_bind_that_leads_nowhere_is_told(body, table, code, path, hint):
    told = found(body, table)
    assert [one.code for one in told.mistakes] == [code], told.mistakes
    assert told.mistakes[0].path.endswith(path) and hint in told.mistakes[0].hint


@pytest.mark.parametrize(
    ("body", "table"),
    [
        ({"ownerid": bind("systemuser", {"systemuserid": "ID"})}, "account"),
        ({"ownerid": bind("team", {"teamid": {"@path": "$.team"}})}, "account"),
        ({"ownerid": bind("systemuser", "ID")}, "account"),
        ({"primarycontactid": bind("contact", {"@path": "$.a"})}, "account"),
        ({"primarycontactid": bind("contact", "a / b")}, "account"),
        ({"primarycontactid": bind("contact", {"contactid": "ID"})}, "account"),
        (
            {
                "new_Tickets": [
                    bind("new_ticket", {"new_name": {"@path": "$.n"}, "_new_accountid_value": "ID"})
                ]
            },
            "account",
        ),
    ],
)
def test_a_bind_that_can_be_right_is_not_complained_of(body, table):
    told = found(body, table)
    assert (told.mistakes, told.warnings) == ([], [])


@pytest.mark.parametrize("letter", list("/\\#%&:<>*?+"))
def test_a_key_value_that_cannot_travel_is_told(letter):
    key = {"new_name": f"a{letter}b", "new_accountid": "ID"}
    told = found({"new_Tickets": [bind("new_ticket", key)]}).mistakes
    assert [(one.code, one.path[-13:]) for one in told] == [("E274", ".key.new_name")]
    told = found({}, "new_ticket", "upsert", key).mistakes
    assert [(one.code, one.path) for one in told] == [("E274", "$.key.new_name")]
    address = f"/new_tickets(new_name='a{letter}b',_new_accountid_value=ID)"
    told = found({"new_Tickets@odata.bind": [address]}).mistakes
    assert [one.code for one in told] == ["E274"]


@pytest.mark.parametrize(
    ("key", "codes"),
    [
        ({"accountnumber": "A"}, ["E273"]),
        ({"accountID": "ID"}, ["E273"]),
        ({"accountid": "A"}, ["E267"]),
        ({"accountid": 7}, ["E267"]),
        ({"accountid": "ID"}, []),
        ({"accountid": None}, []),
        ({"accountid": {"@template": "{{a}}"}}, []),
        ({"accountid": {"@number": {"@path": "$.a"}}}, ["E267"]),
        ({"accountid": {"@path": "$.a"}}, []),
        ({"@path": "$.domain"}, []),
        ("fixed/text", []),
    ],
)
def test_the_key_of_an_upsert_is_an_alternate_key_or_no_columns(key, codes):
    assert [one.code for one in found({"name": "a"}, "account", "upsert", key).mistakes] == codes


@pytest.mark.parametrize(
    ("table", "key", "hint"),
    [
        ("contact", {"contactId": "ID"}, 'did you mean "contactid"?'),
        ("new_ticket", {"new_nam": "a"}, 'did you mean "new_name"?'),
        ("new_ticket", {"new_topics": "a"}, "there are (new_name, new_accountid), (new_tier)"),
    ],
)
def test_a_key_that_is_none_is_told_with_what_was_meant(table, key, hint):
    [told] = found({}, table, "update", key).mistakes
    assert (told.code, told.path, told.hint) == ("E273", "$.key", hint)


def test_the_keys_of_a_table_are_told_in_one_order():
    keys = {"a": Key("a", ("new_a",)), "b": Key("b", ("new_b",))}
    hints = set()
    for some in (keys, dict(reversed(keys.items()))):
        account = dataclasses.replace(SCHEMA.tables["account"], keys=some)
        findings = BodyFindings(YamlText("key: {name: x}"), is_sure=True)
        check = BindCheck(Schema({"account": account}), findings)
        check.alternate_key(account, {"name": "x"}, ("key",))
        hints |= {one.hint for one in findings.mistakes}
    assert hints == {"there are (new_a), (new_b)"}


def test_an_update_takes_no_nested_rows_and_no_collection_binds():
    body = {
        "primarycontactid": {"lastname": "a"},
        "Account_Tasks@odata.bind": ["/tasks(ID)"],
        "Account_Annotation": [bind("annotation", {"annotationid": "ID"})],
    }
    told = found(body, mode="update").mistakes
    assert [(one.code, one.path) for one in told] == [
        ("E266", "$.body.primarycontactid"),
        ("E266", '$.body["Account_Tasks@odata.bind"]'),
        ("E266", "$.body.Account_Annotation[0].@bind"),
    ]


def test_below_an_upsert_rows_are_made_or_written_by_their_own_id():
    assert found({"primarycontactid": {"lastname": "a"}}, mode="upsert").mistakes == []
    assert found({"Account_Tasks": [{"subject": "a"}]}, mode="upsert").mistakes == []
    ticket = {"new_Tickets": [{"new_tier": 1}]}
    told = found(ticket, mode="upsert").mistakes
    assert [(one.code, one.path) for one in told] == [("E272", "$.body.new_Tickets[0]")]
    ticket["new_Tickets"][0]["new_ticketid"] = ID
    assert found(ticket, mode="upsert").mistakes == []
    below = {"new_Tickets": [{"new_ticketid": ID, "new_Missing": 1}]}
    assert [one.code for one in found(below, mode="upsert").mistakes] == ["E262"]


@pytest.mark.parametrize("mode", ["create", "update", "upsert"])
def test_parties_are_replaced_by_any_write(mode):
    parties = [{"participationtypemask": 2, "addressused": "a@b.example"}]
    body = {"subject": "a", "email_activity_parties": parties}
    assert found(body, "email", mode).mistakes == []


def test_an_update_needs_no_required_column_and_may_hold_its_own_key():
    assert found({"new_tier": 1, "new_ticketid": "ID"}, "new_ticket", "update").mistakes == []
    told = found({"overriddencreatedon": "2026-03-01T00:00:00Z"}, mode="update").mistakes
    assert [one.code for one in told] == ["E271"]


def test_the_tables_that_a_body_reaches_are_noted():
    told = found(
        {
            "primarycontactid": {"Contact_Tasks": [{"subject": "x"}]},
            "ownerid@odata.bind": "/teams(ID)",
            "originatingleadid": bind("lead", {"@path": "$.a"}),
        }
    )
    assert told.tables == {"account", "contact", "task", "team", "lead"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/contacts(abc)", RowAddress("contacts", "abc")),
        ("contacts(abc)", RowAddress("contacts", "abc")),
        ("https://o.crm.dynamics.com/api/data/v9.2/contacts(abc)", RowAddress("contacts", "abc")),
        ("/t(a='x',b=5)", RowAddress("t", "", {"a": "x", "b": "5"})),
        ("/t(a='O''Brien, (Jr)')", RowAddress("t", "", {"a": "O'Brien, (Jr)"})),
        ("/contacts", None),
        ("/contacts(a)/b", None),
        ("", None),
    ],
)
def test_an_address_is_read_as_the_service_reads_it(text, wanted):
    assert read_address(text) == wanted


def test_a_placeholder_is_a_value_that_is_not_known():
    address = read_address("/t(a='{{x}}-1',b={{y}})", is_template=True)
    assert address == RowAddress("t", "", {"a": "\0-1", "b": "\0"})
    assert not cannot_travel(ID) and cannot_travel("a&b") and not cannot_travel(5)


# -- any document at all

NAMES = st.sampled_from(
    [
        *("name", "revenue", "industrycode", "primarycontactid", "opportunity_customer_accounts"),
        *("new_Tickets", "customerid", "_ownerid_value", "ownerid@odata.bind", "createdon", "x"),
        *("@path", "@if", "@default", "@literal", "@merge", "@lookup", "@arrayPath", "@bind"),
        *("@template", "@number", "@date", "@json", "@@odata.type", "then", "else", "table", "key"),
        *("value", "objects", "default", "mode", "", "a b"),
    ]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), NAMES
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)


@given(DOCUMENTS, st.sampled_from(["create", "update", "upsert"]))
def test_no_document_breaks_the_check(document, mode):
    findings = BodyFindings(YamlText("a: b\n"), is_sure=True)
    check = BodyCheck(SCHEMA, findings, Conversions())
    for table in ("account", "new_ticket", "new_log"):
        check.check(SCHEMA.tables[table], mode, document, ("body",))
        check.check_key(SCHEMA.tables[table], document, ("key",))
        check.check_more(SCHEMA.tables[table], document, ("on_create",))
    for one in (*findings.mistakes, *findings.warnings):
        assert one.code in CODES and one.path.startswith("$")


def test_a_body_without_end_is_left_to_the_core():
    body: Any = {"lastname": "a"}
    for _ in range(200):
        body = {"parentcustomerid_account": {"primarycontactid": body}}
    findings = BodyFindings(YamlText("a: b\n"), is_sure=True)
    BodyCheck(SCHEMA, findings, Conversions()).check(
        SCHEMA.tables["contact"], "create", body, ("body",)
    )
    assert findings.mistakes == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"ownerid": {"@template": "{{a}}"}}, "$.body.ownerid.@template"),
        ({"ownerid": "ID"}, "$.body.ownerid"),
        ({"_ownerid_value": "ID"}, "$.body._ownerid_value"),
        ({"ownerid": 7}, "$.body.ownerid"),
    ],
)
def test_an_owner_as_a_column_is_told_to_be_a_user_or_a_team(body: Any, path: str) -> None:
    (told,) = found(body).mistakes
    assert (told.code, told.path) == ("E264", path)
    assert '"table": "systemuser", "key": {"systemuserid": …}' in told.hint
    assert '"table": "team", "key": {"teamid": …}' in told.hint
    assert "principal" not in told.hint


@pytest.mark.parametrize("name", ["customerid", "regardingobjectid", "objectid"])
def test_a_lookup_of_several_tables_is_told_by_its_logical_name(name: str) -> None:
    table = {"customerid": "opportunity", "regardingobjectid": "task", "objectid": "annotation"}
    (told,) = found({name: {"@path": "$.c"}}, table[name], "update").mistakes
    assert told.code == "E264"
    assert '"@bind": {"table": ' in told.hint


@pytest.mark.parametrize("name", ["principal", "owner"])
def test_a_bind_to_what_stands_for_users_and_teams_is_told(name: str) -> None:
    result = found({"ownerid": bind(name, {"ownerid": "ID"})})
    told = [*result.mistakes, *result.warnings]
    assert [(one.code, one.hint) for one in told] == [("E265", 'write "systemuser" or "team"')]


@pytest.mark.parametrize("table", ["systemuser", "transactioncurrency", "businessunit"])
def test_a_business_key_where_only_others_make_rows_is_a_warning(table: str) -> None:
    lookups = {
        "systemuser": "ownerid",
        "transactioncurrency": "transactioncurrencyid",
        "businessunit": "owningbusinessunit",
    }
    result = found({lookups[table]: bind(table, {"@path": "$.a"})})
    told = [one for one in result.warnings if one.code == "E125"]
    assert [one.path for one in told] == [f"$.body.{lookups[table]}.@bind.key"]
    assert f'{{"{table}id": …}}' in told[0].hint


@pytest.mark.parametrize(
    "key", ["ID", {"@path": "$.traits.accountid"}, {"@path": "$['accountid']"}]
)
def test_a_business_key_that_looks_like_an_id_is_a_warning(key: Any) -> None:
    result = found({"name": "a"}, "account", "update", key)
    assert [(one.code, one.path) for one in result.warnings] == [("E126", "$.key")]
    assert '{"accountid": …}' in result.warnings[0].hint


@pytest.mark.parametrize("name", ["owners", "principals"])
def test_an_address_of_owners_is_told_to_be_of_users_or_teams(name: str) -> None:
    (told,) = found({"ownerid@odata.bind": f"/{name}(ID)"}).mistakes
    assert told.code == "E265"
    assert "/systemusers(…) or /teams(…)" in told.hint
