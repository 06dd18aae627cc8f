"""Bodies against the schema, offline: every name and literal, each finding with its place."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

import fieldpost as fp
from environment_schema import own_schema

HEAD = """\
name: d
type: dynamics365
url: https://org.example
auth: {type: bearer, token: {env: T}}
"""
RECIPE: dict[str, Any] = {
    "name": {"@path": "$.properties.company"},
    "primarycontactid": {
        "firstname": {"@path": "$.properties.first"},
        "lastname": {"@path": "$.properties.last"},
    },
    "opportunity_customer_accounts": [
        {
            "name": {"@template": "Opportunity of {{properties.company}}"},
            "Opportunity_Tasks": [{"subject": "Task of the opportunity"}],
        }
    ],
}


@pytest.fixture(autouse=True)
def _token(monkeypatch) -> None:
    monkeypatch.setenv("T", "token")


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("schema")
    own_schema().save(folder / "dynamics.schema.json")
    return folder


def checked(
    folder: Path,
    body: Any,
    *,
    own: bool = True,
    table: str = "account",
    more: str = "",
    action: str = "create",
) -> fp.CheckResult:
    """The result of a check, with the schema of the folder or with the standard tables."""
    text = HEAD + ("schema: dynamics.schema.json\n" if own else "")
    written = body if isinstance(body, str) else json.dumps(body)
    text += f"subscriptions:\n- name: a\n  action: {action}\n  table: {table}\n{more}"
    text += f"  body: {written}\n" if body is not None else ""
    file = folder / "d.yaml"
    file.write_text(text)
    return fp.check_file(file)


def told(some: list[fp.Mistake]) -> list[tuple[str, str]]:
    return [(one.code, one.path.removeprefix("$.subscriptions[0].body")) for one in some]


# -- the recipe, with each of its names wrong


def names_in(document: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of all names that are no directives."""
    found: list[tuple[str | int, ...]] = []
    if isinstance(document, dict):
        for key, one in document.items():
            if not key.startswith("@"):
                found += [(*path, key), *names_in(one, (*path, key))]
    elif isinstance(document, list):
        for index, one in enumerate(document):
            found += names_in(one, (*path, index))
    return found


def swapped(name: str, at: int) -> str:
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def misspellings(name: str) -> set[str]:
    every = range(len(name))
    return {
        name.lower(),
        name.upper(),
        name.swapcase(),
        name.capitalize(),
        *(name[:i] + name[i + 1 :] for i in every),
        *(name[:i] + name[i] + name[i:] for i in every),
        *(swapped(name, i) for i in every[:-1]),
    } - {name}


def renamed(document: Any, path: tuple[str | int, ...], name: str) -> Any:
    """A copy with another name at a place."""
    if isinstance(document, list):
        copy = list(document)
        assert isinstance(path[0], int)
        copy[path[0]] = renamed(document[path[0]], path[1:], name)
        return copy
    if len(path) == 1:
        return {name if key == path[0] else key: one for key, one in document.items()}
    return {**document, path[0]: renamed(document[path[0]], path[1:], name)}


CASES = [
    pytest.param(path, wrong, id=f"{'.'.join(map(str, path))}-as-{wrong}")
    for path in names_in(RECIPE)
    for wrong in sorted(misspellings(str(path[-1])))
]


@pytest.mark.parametrize(("path", "wrong"), CASES)
def test_each_name_of_the_recipe_miscased_or_misspelled_is_named(folder, path, wrong):
    result = checked(folder, renamed(RECIPE, path, wrong))
    assert len(result.errors) == 1
    assert f'"{wrong}"' in result.errors[0].message
    assert result.errors[0].hint == f'did you mean "{path[-1]}"?'
    assert result.errors[0].code == ("E263" if wrong.lower() == path[-1].lower() else "E262")


@pytest.mark.parametrize(("path", "wrong"), CASES)
def test_the_same_without_a_pull_is_told_by_the_standard_tables(folder, path, wrong):
    result = checked(folder, renamed(RECIPE, path, wrong), own=False)
    if wrong.lower() == str(path[-1]).lower():
        assert [one.code for one in result.errors] == ["E263"]
        assert result.errors[0].hint == f'did you mean "{path[-1]}"?'
    else:
        assert result.errors == [] and [one.code for one in result.warnings] == ["E262"]
        assert f'did you mean "{path[-1]}"' in result.warnings[0].hint
        assert "schema pull" in result.warnings[0].hint


def test_there_are_hundreds_of_such_cases():
    assert len(names_in(RECIPE)) == 8 and len(CASES) > 250


@pytest.mark.parametrize("own", [True, False])
def test_the_recipe_itself_is_right(folder, own):
    result = checked(folder, RECIPE, own=own)
    assert (result.errors, result.warnings) == ([], [])


@pytest.mark.parametrize(
    ("own", "name", "codes"),
    [
        (True, "primaryContactId", ["E263", "E262"]),
        (False, "primaryContactId", ["E263"]),
        (True, "primarycontctid", ["E262", "E262"]),
        (False, "primarycontctid", []),
    ],
)
def test_names_below_a_wrong_name_are_looked_at_where_it_is_clear(folder, own, name, codes):
    body = {name: {"firstname": {"@path": "$.a"}, "lastnam": {"@path": "$.b"}}}
    result = checked(folder, body, own=own)
    assert [one.code for one in result.errors] == codes
    below = [one for one in (*result.errors, *result.warnings) if one.path.endswith(".lastnam")]
    assert [one.hint.startswith('did you mean "lastname"?') for one in below] == (
        [] if name == "primarycontctid" and not own else [True]
    )


def test_rows_below_a_wrong_collection_are_looked_at(folder):
    body = {"Opportunity_customer_accounts": [{"nme": "a"}, {"name": "b"}]}
    result = checked(folder, body)
    assert [one.path.split(".body")[1] for one in result.errors] == [
        ".Opportunity_customer_accounts",
        ".Opportunity_customer_accounts[0].nme",
    ]


def test_a_finding_points_at_the_name_in_the_file(folder):
    body = "{name: a, primarycontactid: {firstname: b,\n      lastNmae: c}}"
    result = checked(folder, body)
    assert [(e.code, e.line, e.column) for e in result.errors] == [("E262", 11, 7)]
    assert result.errors[0].path == "$.subscriptions[0].body.primarycontactid.lastNmae"


def test_nothing_is_asked_of_anybody(folder, monkeypatch):
    def refuse(*_arguments: object) -> None:
        raise AssertionError("a check opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert checked(folder, RECIPE)


def test_all_is_told_at_once_and_in_the_order_of_the_file(folder):
    body = {"nmae": "x", "revenue": "12", "donotemail": "true", "primarycontactid": "abc"}
    result = checked(folder, body)
    assert told(result.errors) == [
        ("E262", ".nmae"),
        ("E267", ".revenue"),
        ("E267", ".donotemail"),
        ("E264", ".primarycontactid"),
    ]


# -- one mistake each: body, code, where, a part of the hint

TICKET = {"new_name": "a"}
MISTAKES = [
    ({"customerid": "x"}, "opportunity", "E264", ".customerid", "customerid_account: {"),
    ({"_customerid_value": "x"}, "opportunity", "E264", "._customerid_value", "customerid_con"),
    ({"primarycontactid": "x"}, "account", "E264", ".primarycontactid", '"table": "contact"'),
    (
        {"primarycontactid": {"@template": "{{a}}"}},
        "account",
        "E264",
        ".primarycontactid.@template",
        "@bind",
    ),
    ({"customerid@odata.bind": "/a(b)"}, "opportunity", "E264", "", "customerid_account@odata"),
    ({"primaryContactId@odata.bind": "/a(b)"}, "account", "E263", "", "primarycontactid"),
    ({"name@odata.bind": "/a(b)"}, "account", "E262", "", ""),
    ({"revenue": "12"}, "account", "E267", ".revenue", "without quotes"),
    ({"revenue": True}, "account", "E267", ".revenue", ""),
    ({"numberofemployees": 1.5}, "account", "E267", ".numberofemployees", "fraction"),
    ({"numberofemployees": 5000000000}, "account", "E269", ".numberofemployees", ""),
    ({"numberofemployees": -1}, "account", "E269", ".numberofemployees", ""),
    ({"revenue": -0.01}, "account", "E269", ".revenue", ""),
    ({"donotemail": "true"}, "account", "E267", ".donotemail", "without quotes"),
    ({"donotemail": 1}, "account", "E267", ".donotemail", ""),
    ({"name": 12}, "account", "E267", ".name", "quotes"),
    ({"name": {"a": "b"}}, "account", "E267", ".name", ""),
    ({"name": "x" * 161}, "account", "E268", ".name", "truncate: [name]"),
    ({"name": "😀" * 81}, "account", "E268", ".name", "truncate"),
    ({"industrycode": 34}, "account", "E270", ".industrycode", "1 Accounting"),
    ({"industrycode": "Acounting"}, "account", "E270", ".industrycode", '"Accounting"'),
    ({"industrycode": True}, "account", "E267", ".industrycode", ""),
    ({"createdon": "2026-03-01T00:00:00Z"}, "account", "E271", ".createdon", "overridden"),
    ({"fullname": "Ada"}, "contact", "E271", ".fullname", "leave it out"),
    ({"createdby@odata.bind": None}, "account", "E271", "", "leave it out"),
    ({"new_tier": 1}, "new_ticket", "E272", "", "add new_name"),
    ({"new_name": None}, "new_ticket", "E272", "", "add new_name"),
    ({"birthdate": "2026-03-01T10:00:00Z"}, "contact", "E275", ".birthdate", "date alone"),
    ({"birthdate": "2026-02-30"}, "contact", "E267", ".birthdate", ""),
    ({"birthdate": "1.3.2026"}, "contact", "E267", ".birthdate", ""),
    ({"scheduledend": "2026-03-01"}, "task", "E267", ".scheduledend", "T00:00:00Z"),
    ({"accountid": "abc"}, "account", "E267", ".accountid", ""),
    ({"primarycontactid": [{"lastname": "a"}]}, "account", "E267", ".primarycontactid", "without"),
    ({"opportunity_customer_accounts": {"name": "a"}}, "account", "E267", "", "a list of rows"),
    ({"opportunity_customer_accounts": ["a"]}, "account", "E267", "", "an object"),
    ({"primarycontactid@odata.bind": "/accounts(ID)"}, "account", "E265", "", "/contacts(…)"),
    ({"primarycontactid@odata.bind": "/contact(ID)"}, "account", "E265", "", '"contacts"'),
    ({"primarycontactid@odata.bind": "/Contacts(ID)"}, "account", "E265", "", '"contacts"'),
    ({"primarycontactid@odata.bind": "contacts"}, "account", "E265", "", "@bind"),
    ({"primarycontactid@odata.bind": "/contacts('a')"}, "account", "E265", "", "@bind"),
    (
        {"primarycontactid@odata.bind": {"@template": "/accounts({{id}})"}},
        "account",
        "E265",
        "",
        "/contacts",
    ),
    ({"customerid_account@odata.bind": "/contacts(ID)"}, "opportunity", "E265", "", "customerid_c"),
    ({"Account_Tasks@odata.bind": "/tasks(ID)"}, "account", "E265", "", "in a list"),
    ({"ownerid@odata.bind": "/contacts(ID)"}, "account", "E265", "", ""),
    ({"estimatedclosedate": {"@number": "x"}}, "opportunity", "E267", "", "@date"),
    ({"numberofemployees": {"@template": "{{n}}"}}, "account", "E267", "", "@number"),
    ({"numberofemployees": {"@date": {"@path": "$.a"}}}, "account", "E267", "", "@number"),
    ({"donotemail": {"@template": "{{n}}"}}, "account", "E267", "", "@boolean"),
    ({"scheduledend": {"@number": 1}}, "task", "E267", "", "@date"),
    (
        {"scheduledend": {"@date": {"value": {"@path": "$.a"}, "to": "date"}}},
        "task",
        "E267",
        "",
        "to: date",
    ),
    ({"revenue": {"@literal": "12"}}, "account", "E267", ".revenue.@literal", ""),
    ({"revenue": {"@default": [{"@path": "$.a"}, "0"]}}, "account", "E267", "", ""),
    (
        {"revenue": {"@if": {"exists": {"@path": "$.a"}, "then": 1, "else": "no"}}},
        "account",
        "E267",
        ".revenue.@if.else",
        "",
    ),
    (
        {"industrycode": {"@lookup": {"value": {"@path": "$.a"}, "table": {"x": 1, "y": 99}}}},
        "account",
        "E270",
        ".industrycode.@lookup.table.y",
        "",
    ),
    ({"new_topics": "1,2", **TICKET}, "new_ticket", "E270", ".new_topics", "1 Price"),
    ({"new_topics": 3, **TICKET}, "new_ticket", "E267", ".new_topics", "quotes"),
    (
        {"opportunity_customer_accounts": {"@arrayPath": ["$.d", {"nme": {"@path": "$.t"}}]}},
        "account",
        "E262",
        ".opportunity_customer_accounts.@arrayPath[1].nme",
        '"name"',
    ),
    (
        {"@merge": {"direction": "right", "objects": [{"@path": "$.a"}, {"nme": "x"}]}},
        "account",
        "E262",
        ".@merge.objects[1].nme",
        '"name"',
    ),
    ({"new_Tickets": [{"new_tier": 1}]}, "account", "E272", ".new_Tickets[0]", "new_name"),
    ({"new_tickets": [TICKET]}, "account", "E263", ".new_tickets", "new_Tickets"),
    ({"new_accountid": "x", **TICKET}, "new_ticket", "E264", "", "new_AccountId: {"),
]


@pytest.mark.parametrize(("body", "table", "code", "where", "hint"), MISTAKES)
def test_a_mistake_is_told_with_its_place_and_what_to_do(folder, body, table, code, where, hint):
    written = json.dumps(body).replace("ID", "6f1e7c36-8a33-4b0a-9d52-000000000001")
    result = checked(folder, written, table=table)
    assert [one.code for one in result.errors] == [code]
    assert result.errors[0].path.startswith(f"$.subscriptions[0].body{where}")
    assert hint in result.errors[0].hint
    assert result.errors[0].line == 10 + ("@" in table)
    assert not any(str(one) in result.errors[0].message for one in ("😀", "2026-03-01T10"))


FINE = [
    ({"name": {"@path": "$.a"}, "revenue": {"@path": "$.b"}, "donotemail": True}, "account"),
    ({"name": None, "revenue": None, "primarycontactid": None}, "account"),
    ({"revenue": 1e14, "numberofemployees": 1000000000}, "account"),
    ({"industrycode": "accounting ", "customertypecode": {"@template": "{{a}}"}}, "account"),
    ({"accountid": "6F1E7C36-8a33-4b0a-9d52-000000000001"}, "account"),
    ({"accountid": {"@uuid": ["a", {"@path": "$.b"}]}}, "account"),
    ({"name": "x" * 160, "description": {"@json": {"mode": "encode", "value": 1}}}, "account"),
    ({"name": "😀" * 80}, "account"),
    ({"birthdate": {"@date": {"value": {"@path": "$.a"}, "to": "date"}}}, "contact"),
    ({"birthdate": "2026-02-28"}, "contact"),
    ({"scheduledend": "2026-03-01T10:00:00+02:00", "subject": "x"}, "task"),
    ({"overriddencreatedon": {"@path": "$.timestamp"}}, "account"),
    ({"@@odata.type": "#Microsoft.Dynamics.CRM.account", "name": "x"}, "account"),
    ({"primarycontactid@odata.bind": "/contacts(ID)"}, "account"),
    ({"primarycontactid@odata.bind": "contacts(contactid=ID)"}, "account"),
    ({"primarycontactid@odata.bind": {"@template": "/contacts({{contact}})"}}, "account"),
    ({"ownerid@odata.bind": "/teams(ID)"}, "account"),
    ({"Account_Tasks@odata.bind": ["/tasks(ID)"]}, "account"),
    ({"opportunity_customer_accounts": {"@path": "$.deals"}}, "account"),
    ({"@path": "$.body"}, "account"),
    ({"new_name": "a", "new_AccountId": {"name": "b"}, "new_tier": "gold"}, "new_ticket"),
    ({"new_name": "a", "new_topics": "1,Quality"}, "new_ticket"),
    ({"@merge": {"direction": "right", "objects": [{"@path": "$.a"}, TICKET]}}, "new_ticket"),
    (
        {
            "subject": "x",
            "email_activity_parties": [
                {"partyid_contact@odata.bind": "/contacts(ID)", "participationtypemask": 2}
            ],
        },
        "email",
    ),
    ({"regardingobjectid_account_task@odata.bind": "/accounts(ID)", "subject": "x"}, "task"),
]


@pytest.mark.parametrize(("body", "table"), FINE)
def test_what_the_service_takes_is_not_complained_of(folder, body, table):
    written = json.dumps(body).replace("ID", "6f1e7c36-8a33-4b0a-9d52-000000000001")
    result = checked(folder, written, table=table)
    assert (result.errors, result.warnings) == ([], [])


WARNINGS = [
    ({"primarycontactid": {"@path": "$.contact"}}, "account", "E264", '"table": "contact"'),
    ({"ownerid": {"@path": "$.owner"}}, "account", "E264", '"table": "team"'),
    ({"name": {"@number": {"@path": "$.a"}}}, "account", "E267", "@string"),
    ({"birthdate": {"@path": "$.born"}}, "contact", "E278", "date_zone"),
    ({"birthdate": {"@date": {"@path": "$.born"}}}, "contact", "E278", "date_zone"),
    (
        {"Account_Tasks": [{"subject": "a", "regardingobjectid_account_task": None}]},
        "account",
        "E276",
        "leave regardingobjectid_account_task out",
    ),
    (
        {"opportunity_customer_accounts": [{"customerid_contact": {"lastname": "a"}}]},
        "account",
        "E276",
        "leave customerid_contact out",
    ),
]


@pytest.mark.parametrize(("body", "table", "code", "hint"), WARNINGS)
def test_what_may_be_right_is_a_warning(folder, body, table, code, hint):
    result = checked(folder, body, table=table)
    assert result.errors == []
    assert [one.code for one in result.warnings] == [code]
    assert hint in result.warnings[0].hint


def test_without_a_pull_lengths_and_choices_are_warnings_and_types_errors(folder):
    body = {"name": "x" * 161, "industrycode": 99, "revenue": "12", "cr1_custom": 1}
    result = checked(folder, body, own=False)
    assert told(result.errors) == [("E267", ".revenue")]
    assert [one.code for one in result.warnings] == ["E268", "E270", "E262"]
    assert all("schema pull" in one.hint for one in result.warnings)


def test_a_table_that_was_not_pulled_is_told_and_its_rows_are_left_alone(folder):
    for body, table, place in (
        ({"anything": 1}, "new_log", ""),
        ({"new_name": "a", "new_Log": {"anything": 1}}, "new_ticket", ".new_Log"),
    ):
        result = checked(folder, body, table=table)
        assert result.errors == [] and told(result.warnings) == [("E279", place)]
        assert "schema pull" in result.warnings[0].hint


# -- conversions


def test_what_is_said_of_labels_lengths_and_zones_counts(folder):
    more = "  choices: {industrycode: omit}\n  truncate: [name]\n  date_zone: Europe/Berlin\n"
    body = {"industrycode": "None of these", "name": "x" * 200}
    result = checked(folder, body, more=more)
    assert (result.errors, result.warnings) == ([], [])
    result = checked(folder, {"birthdate": {"@path": "$.b"}}, table="contact", more=more)
    assert [one.code for one in result.errors] == ["E277", "E277"]  # industrycode, name
    assert result.warnings == []


@pytest.mark.parametrize(
    ("more", "code", "path", "hint"),
    [
        ("  choices: {industrycde: omit}\n", "E277", ".choices.industrycde", '"industrycode"?'),
        ("  truncate: [nam]\n", "E277", ".truncate[0]", '"name"?'),
        ("  choices: {name: omit}\n", "E277", ".choices.name", "remove it"),
        ("  choices: {industrycode: 99}\n", "E270", ".choices.industrycode", ""),
        ("  choices: {industrycode: maybe}\n", "E113", ".choices.industrycode", ""),
        ("  truncate: [revenue]\n", "E277", ".truncate[0]", "remove it"),
        ("  truncate: revenue\n", "E277", ".truncate", "remove it"),
        ("  date_zone: Europe/Berln\n", "E277", ".date_zone", "Europe/Berlin"),
    ],
)
def test_a_conversion_that_fits_no_column_is_told(folder, more, code, path, hint):
    result = checked(folder, {"name": "a"}, more=more)
    assert [(one.code, one.path) for one in result.errors] == [(code, f"$.subscriptions[0]{path}")]
    assert hint in result.errors[0].hint


# -- the file


def test_a_schema_that_cannot_be_read_is_one_mistake_at_its_key(folder, tmp_path):
    (tmp_path / "dynamics.schema.json").write_text("{")
    result = checked(tmp_path, {"nme": "a"})
    assert [(one.code, one.path, one.line) for one in result.errors] == [("E260", "$.schema", 5)]
    assert "schema pull" in result.errors[0].hint
    (tmp_path / "dynamics.schema.json").unlink()
    assert [one.code for one in checked(tmp_path, {"nme": "a"}).errors] == ["E260"]


def test_with_a_schema_of_its_own_a_wrong_body_is_not_delivered(folder, monkeypatch):
    monkeypatch.setenv("T", "token")
    checked(folder, {"nme": "a"})
    destination = fp.Destination.from_file(folder / "d.yaml")
    (folder / "events.ndjson").write_text('{"messageId": "1", "type": "track"}\n')
    with pytest.raises(fp.ConfigError, match="E262"):
        destination.deliver(folder / "events.ndjson")
    assert not destination.check()


def test_a_webhook_has_no_schema(tmp_path):
    text = "name: w\ntype: webhook\nurl: https://example.com/\nschema: a.json\n"
    text += "subscriptions: [{name: a, body: {a: 1}, truncate: [a], choices: {a: omit}}]\n"
    (tmp_path / "w.yaml").write_text(text)
    found = fp.check_file(tmp_path / "w.yaml").errors
    assert [(one.code, one.path) for one in found] == [
        ("E115", "$.schema"),
        ("E115", "$.subscriptions[0].truncate"),
        ("E115", "$.subscriptions[0].choices"),
    ]


# -- the keys of other actions

UPDATES = [
    ("nulls: {clear: [telephone1, primarycontactid]}", []),
    ("nulls: {clear: [telephon1]}", [("E262", ".nulls.clear[0]")]),
    ("nulls: {clear: [Telephone1]}", [("E263", ".nulls.clear[0]")]),
    ("on_create: {industrycode: Consulting}", []),
    ("on_create: {industrycode: Consultng}", [("E270", ".on_create.industrycode")]),
    ("on_create: {primarycontactid: {lastname: a}}", []),
]


@pytest.mark.parametrize(("more", "wanted"), UPDATES)
def test_the_other_columns_of_an_upsert_are_checked_too(folder, more, wanted):
    result = checked(
        folder, {"name": "a"}, more=f'  key: {{"@path": $.a}}\n  {more}\n', action="upsert"
    )
    assert [
        (one.code, one.path.removeprefix("$.subscriptions[0]")) for one in result.errors
    ] == wanted


TIES = [
    ("contact_customer_accounts", "contact", []),
    ("new_tickets", "new_ticket", [("E263", ".relationship")]),
    ("contact_customer_account", "contact", [("E262", ".relationship")]),
    ("primarycontactid", "contact", [("E265", ".relationship")]),
    ("contact_customer_accounts", "lead", [("E265", ".relationship")]),
]


@pytest.mark.parametrize(("relationship", "to", "wanted"), TIES)
def test_rows_are_tied_by_a_collection_that_leads_there(folder, relationship, to, wanted):
    more = '  key: {"@path": $.a}\n'
    more += f'  relationship: {relationship}\n  to: {{table: {to}, key: {{"@path": $.b}}}}\n'
    result = checked(folder, None, more=more, action="associate")
    assert [
        (one.code, one.path.removeprefix("$.subscriptions[0]")) for one in result.errors
    ] == wanted


def test_the_keys_of_both_rows_are_alternate_keys(folder):
    more = "  key: {accountnumber: A-1}\n  relationship: new_Tickets\n"
    more += "  to: {table: new_ticket, key: {new_name: A/1, new_accountid: b}}\n"
    result = checked(folder, None, more=more, action="associate")
    assert [(one.code, one.path.removeprefix("$.subscriptions[0]")) for one in result.errors] == [
        ("E273", ".key"),
        ("E274", ".to.key.new_name"),
    ]


@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ("", ["E281"]),
        ('  order_by: {"@path": "$.userId"}\n', []),
        ("  order_by: null\n", ["E281"]),
    ],
)
@pytest.mark.parametrize("ordered", [False, True])
def test_an_upsert_in_two_steps_without_an_order_is_warned_of(folder, more, warned, ordered):
    text = HEAD + ('order_by: {"@path": "$.userId"}\n' if ordered else "")
    text += (
        "subscriptions:\n- name: a\n  action: upsert\n  table: account\n  key: x\n"
        f"  body: {{name: a}}\n  on_create: {{fax: b}}\n{more}"
    )
    (folder / "ordered.yaml").write_text(text)
    result = fp.check_file(folder / "ordered.yaml")
    told = [(one.code, one.path) for one in result.warnings]
    wanted = [] if ordered and not more else warned
    assert told == [(code, "$.subscriptions[0].on_create") for code in wanted]
    assert all("order_by" in one.hint and one.line for one in result.warnings)
    assert result.errors == []


def test_a_schema_beside_the_file_is_found_without_being_named(folder, tmp_path):
    own_schema().save(tmp_path / "d.schema.json")
    result = checked(tmp_path, {"nmae": "a", "new_Tickets": [TICKET]}, own=False)
    assert told(result.errors) == [("E262", ".nmae")] and result.warnings == []
    (tmp_path / "d.schema.json").rename(tmp_path / "other.schema.json")
    result = checked(tmp_path, {"nmae": "a"}, own=False)
    assert result.errors == [] and [one.code for one in result.warnings] == ["E262"]
