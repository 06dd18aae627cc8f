"""What requests do to rows, read from the requests themselves."""

from __future__ import annotations

import json

import pytest

from fieldpost.dynamics.current_rows import CurrentRows
from fieldpost.dynamics.effect import effect_of
from fieldpost.dynamics.operation import Reader, plain_path
from fieldpost.dynamics.refused_value import refused_values
from fieldpost.dynamics.schema import Schema
from fieldpost.dynamics.web_api import Found

ID = "00000000-0000-4000-8000-00000000000a"
OTHER = "00000000-0000-4000-8000-00000000000b"
TABLES = Schema.standard().tables
BASE = "https://org.crm.dynamics.com/api/data/v9.2/"


class Rows:
    """Rows by path; what is not in it is missing."""

    def __init__(self, rows):
        self._rows = rows
        self.asked = []

    def rows(self, paths):
        self.asked += paths
        found = {path: self._rows.get(plain_path(path.partition("?")[0])) for path in paths}
        return {path: Found(200, row) if row else Found(404, {}) for path, row in found.items()}


def last_effect(rows, *requests):
    """The last request's effect, after those before it."""
    api = Rows(rows)
    current, reader = CurrentRows(api, TABLES), Reader(TABLES)
    read = [reader.operations(*one) for one in requests]
    current.load(operation for some in read for operation in some)
    return [effect_of(current, [some]) for some in read][-1], api.asked


def patch(values, path=f"accounts({ID})", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ("PATCH", BASE + path, named, json.dumps(values))


@pytest.mark.parametrize(
    ("values", "changes"),
    [
        ({"name": "New", "revenue": 5}, [("name", "Old", "New")]),
        ({"name": "Old", "revenue": 5.0}, []),
        ({"name": None}, [("name", "Old", None)]),
        ({"modified": "2024-05-01T12:00:00+02:00"}, []),
        ({"modified": "2024-05-01T12:00:01+02:00"}, [("modified", "2024-05-01T10:00:00Z")]),
        ({"creditonhold": True}, [("creditonhold", False, True)]),
        ({"numberofemployees": 0}, [("numberofemployees", None, 0)]),
        (
            {"primarycontactid@odata.bind": f"/contacts({OTHER})"},
            [("primarycontactid", f"contacts({ID})", f"contacts({OTHER})")],
        ),
        ({"primarycontactid@odata.bind": f"/contacts({ID.upper()})"}, []),
    ],
)
def test_an_upsert_of_a_row_changes_what_differs(values, changes):
    row = {
        "name": "Old",
        "revenue": 5.0,
        "modified": "2024-05-01T10:00:00Z",
        "creditonhold": False,
        "primarycontactid": {"contactid": ID},
    }
    people = {f"contacts({one})": {"contactid": one} for one in (ID, OTHER)}
    told, _ = last_effect({f"accounts({ID})": row} | people, patch(values))
    assert told.effect == ("update" if changes else "nothing")
    seen = [tuple(one)[: len(changes[0])] for one in told.changes]
    assert seen == changes


def test_only_what_is_written_is_asked_for():
    values = {"name": "A", "primarycontactid@odata.bind": f"/contacts({OTHER})"}
    values["Account_Tasks@odata.bind"] = [f"/tasks({OTHER})"]
    _, asked = last_effect({}, patch(values))
    expand = "$expand=primarycontactid($select=contactid)"
    assert asked == [
        f"accounts({ID})?$select=name&{expand}",
        f"contacts({OTHER})?$select=contactid",
        f"tasks({OTHER})?$select=activityid",
    ]


class SomeColumns(Rows):
    """Rows of which only the columns that were asked for are told."""

    def rows(self, paths):
        told = super().rows(paths)
        for path, found in told.items():
            wanted = path.partition("?$select=")[2].split(",")
            row = {name: value for name, value in found.row.items() if name in wanted}
            told[path] = Found(found.status, row)
        return told


def told_apart(rows, *requests):
    """The effects of requests that are loaded one by one, and what was asked."""
    api = SomeColumns(rows)
    current, reader = CurrentRows(api, TABLES), Reader(TABLES)
    told = []
    for one in requests:
        some = reader.operations(*one)
        current.load(some)
        told.append(effect_of(current, [some]).effect)
    return told, [path.partition("?")[2] for path in api.asked]


def test_a_row_is_asked_for_the_columns_that_were_not_asked_for_before():
    rows = {f"accounts({ID})": {"name": "Old", "fax": "1", "revenue": 5}}
    requests = [
        patch({"name": "Old"}),
        patch({"name": "Old", "fax": "1"}),
        patch({"fax": "2"}),
        patch({"fax": "2", "revenue": 5}),
        patch({"fax": "1"}),
    ]
    told, asked = told_apart(rows, *requests)
    assert told == ["nothing", "nothing", "update", "nothing", "update"]
    assert asked == ["$select=name", "$select=fax", "$select=revenue"]


def test_a_row_that_is_not_there_or_was_deleted_is_not_asked_for_again():
    gone = ("DELETE", f"{BASE}accounts({ID})", {}, "")
    made = [patch({"name": "A"}), patch({"name": "A", "fax": "1"}), patch({"fax": "1"})]
    told, asked = told_apart({}, *made)
    assert (told, asked) == (["create", "update", "nothing"], ["$select=name"])
    told, asked = told_apart({f"accounts({ID})": {"name": "A", "fax": "1"}}, gone, *made)
    assert (told, asked) == (["delete", "create", "update", "nothing"], [""])


@pytest.mark.parametrize(
    ("there", "request_", "effect"),
    [
        (False, patch({"name": "A"}), "create"),
        (False, patch({"name": "A"}, If_Match="*"), "refuse"),
        (True, patch({"name": "A"}, If_Match="*"), "update"),
        (True, patch({"name": "A"}, If_None_Match="*"), "nothing"),
        (False, patch({"name": "A"}, path="accounts(accountnumber='7')"), "create"),
        (True, ("DELETE", f"{BASE}accounts({ID})", {}, ""), "delete"),
        (False, ("DELETE", f"{BASE}accounts({ID})", {}, ""), "nothing"),
        (
            True,
            ("POST", f"{BASE}accounts({ID})/opportunity_customer_accounts/$ref", {}, "{}"),
            "update",
        ),
        (
            False,
            ("DELETE", f"{BASE}accounts({ID})/primarycontactid/$ref", {}, ""),
            "nothing",
        ),
        (False, ("POST", f"{BASE}accounts", {}, '{"name": "no id"}'), "create"),
    ],
)
def test_each_form_has_its_effect(there, request_, effect):
    rows = {f"accounts({ID})": {"name": "Old"}} if there else {}
    assert last_effect(rows, request_)[0].effect == effect


def test_a_request_is_judged_by_what_those_before_it_leave():
    first, again = patch({"name": "A"}), patch({"name": "A"})
    assert last_effect({}, first, again)[0].effect == "nothing"
    gone = ("DELETE", f"{BASE}accounts({ID})", {}, "")
    assert last_effect({}, first, gone, again)[0].effect == "create"


def change_set(*requests):
    parts = "".join(
        "--changeset_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: {number}\r\n\r\n{method} {url} HTTP/1.1\r\n"
        "Content-Type: application/json\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        + f"\r\n{body}\r\n"
        for number, (method, url, headers, body) in enumerate(requests, 1)
    )
    body = (
        "--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n"
        f"{parts}--changeset_1--\r\n--batch_1--\r\n"
    )
    headers = {"Content-Type": "multipart/mixed; boundary=batch_1"}
    return ("POST", f"{BASE}$batch", headers, body)


def test_a_change_set_is_judged_as_a_whole():
    task = patch({"subject": "Call"}, path=f"tasks({OTHER})", If_None_Match="*")
    one = change_set(patch({"name": "New"}), task)
    rows = {f"accounts({ID})": {"name": "Old"}}
    told, _ = last_effect(rows, one)
    assert told.effect == "update"
    assert [change.field for change in told.changes] == ["name", "subject"]
    # Its marker is there: it was carried out before.
    told, _ = last_effect(rows | {f"tasks({OTHER})": {"subject": "Call"}}, one)
    assert (told.effect, told.changes) == ("nothing", ())


def test_a_bulk_message_is_one_operation_for_each_row():
    targets = [
        {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": row_id, "name": "A"}
        for row_id in (ID, OTHER)
    ]
    url = f"{BASE}accounts/Microsoft.Dynamics.CRM.UpsertMultiple"
    told, asked = last_effect(
        {f"accounts({ID})": {"name": "A"}}, ("POST", url, {}, json.dumps({"Targets": targets}))
    )
    assert len(asked) == 2
    assert [(one.field, one.after) for one in told.changes] == [("name", "A")]


# Binds ------------------------------------------------------------------------------------------

BY_MAIL = "contacts(emailaddress1='a@b c')"
BOUND = {"primarycontactid@odata.bind": "/contacts(emailaddress1='a%40b%20c')"}


class Mails(Rows):
    """One contact, found by an alternate key whatever its spelling."""

    def rows(self, paths):
        told = super().rows(paths)
        mail = [path for path in paths if path.startswith("contacts(email")]
        return told | {path: Found(200, {"contactid": OTHER}) for path in mail}


@pytest.mark.parametrize(("points_at", "effect"), [(OTHER, "nothing"), (ID, "update")])
def test_a_bind_by_an_alternate_key_is_compared_by_the_row_it_finds(points_at, effect):
    api = Mails({f"accounts({ID})": {"primarycontactid": {"contactid": points_at}}})
    current = CurrentRows(api, TABLES)
    operations = Reader(TABLES).operations(*patch(BOUND))
    current.load(operations)
    told = effect_of(current, [operations])
    assert told.effect == effect
    assert [one.after for one in told.changes] == [f"contacts({OTHER})"] * len(told.changes)
    assert "contacts(emailaddress1='a%40b%20c')?$select=contactid" in api.asked


def test_a_bind_to_a_row_that_is_not_there_is_refused():
    bind = patch({"primarycontactid@odata.bind": f"/contacts({OTHER})"})
    told, _ = last_effect({f"accounts({ID})": {}}, bind)
    assert (told.effect, told.code) == ("refuse", "0x80040217")
    assert told.message == (
        f"contacts({OTHER}), which primarycontactid is bound to, does not exist"
    )
    told, _ = last_effect({f"accounts({ID})": {}}, patch(BOUND))
    assert (told.effect, told.code) == ("refuse", "0x80060891")
    assert BY_MAIL in told.message


def test_a_bind_to_a_row_that_another_request_makes_is_none_to_refuse():
    made = patch({"lastname": "A"}, path=f"contacts({OTHER})")
    bind = patch({"primarycontactid@odata.bind": f"/contacts({OTHER})"})
    for order in ((made, bind), (bind, bind, made, bind)):
        told, _ = last_effect({f"accounts({ID})": {"primarycontactid": None}}, *order)
        assert told.effect in ("update", "nothing")


def test_a_pair_is_tied_where_both_are_there():
    to = json.dumps({"@odata.id": f"{BASE}contacts({OTHER})"})
    tie = ("POST", f"{BASE}accounts({ID})/contact_customer_accounts/$ref", {}, to)
    account, contact = (
        {f"accounts({ID})": {"name": "A"}},
        {f"contacts({OTHER})": {"contactid": OTHER}},
    )
    assert last_effect(account | contact, tie)[0].effect == "update"
    assert last_effect(account, tie)[0].effect == "refuse"
    assert last_effect(contact, tie)[0].effect == "refuse"


def test_parties_that_take_the_place_of_others_are_an_update():
    body = json.dumps({"value": [{"participationtypemask": 2}]})
    parties = ("PUT", f"{BASE}emails({ID})/email_activity_parties", {}, body)
    same = patch({"subject": "A"}, path=f"emails({ID})", If_Match="*")
    told, _ = last_effect({f"emails({ID})": {"subject": "A"}}, change_set(same, parties))
    assert (told.effect, told.changes) == ("update", ())


# Two steps ----------------------------------------------------------------------------------------

UPDATE = patch({"name": "New"}, If_Match="*")
CREATE = patch({"name": "New", "fax": "1"}, If_None_Match="*")


def in_two_steps(rows, first, second, record_id=ID):
    current, reader = CurrentRows(Rows(rows), TABLES), Reader(TABLES)
    requests = [reader.operations(*one) for one in (first, second)]
    current.load(operation for one in requests for operation in one)
    return [effect_of(current, requests, record_id) for _twice in range(2)]


@pytest.mark.parametrize(
    ("row", "effect", "changes", "requests"),
    [
        (None, "create", [("name", None, "New"), ("fax", None, "1")], 2),
        ({"name": "Old", "fax": "9"}, "update", [("name", "Old", "New")], 1),
        ({"name": "New", "fax": "9"}, "nothing", [], 1),
    ],
)
def test_the_second_step_goes_where_the_first_finds_no_row(row, effect, changes, requests):
    told, again = in_two_steps({f"accounts({ID})": row} if row else {}, UPDATE, CREATE)
    assert (told.effect, [tuple(one) for one in told.changes]) == (effect, changes)
    assert told.requests == requests
    # By then it is there, and what its creation gave it stays.
    assert (again.effect, again.requests) == ("nothing", 1)


def test_a_row_of_an_alternate_key_gets_the_columns_of_the_key():
    path = "accounts(accountnumber='7')"
    steps = [
        patch({"name": "N"}, path, **one) for one in ({"If_Match": "*"}, {"If_None_Match": "*"})
    ]
    told, _ = in_two_steps({}, *steps, record_id="")
    assert [tuple(one) for one in told.changes] == [
        ("accountnumber", None, "7"),
        ("name", None, "N"),
    ]


def post(table, values):
    return ("POST", BASE + table, {}, json.dumps(values))


def test_a_tree_in_two_steps_is_judged_by_its_own_row():
    person = post("contacts", {"contactid": OTHER, "lastname": "L"})
    bind = {"primarycontactid@odata.bind": f"/contacts({OTHER})"}
    steps = [
        change_set(person, patch({"name": "New", **bind}, If_Match="*")),
        change_set(person, patch({"name": "New", "fax": "1", **bind}, If_None_Match="*")),
    ]
    told, again = in_two_steps({}, *steps)
    assert (told.effect, told.requests) == ("create", 2)
    assert [one.field for one in told.changes] == ["lastname", "name", "fax", "primarycontactid"]
    assert (again.effect, again.requests) == ("nothing", 1)
    told, _ = in_two_steps({f"accounts({ID})": {"name": "Old"}}, *steps)
    assert (told.effect, told.requests) == ("update", 1)
    # The row was deleted, and what only this record made is there: it was carried out before.
    told, _ = in_two_steps({f"contacts({OTHER})": {"lastname": "L"}}, *steps)
    assert told.effect == "nothing"


def test_what_the_service_says_of_a_row_holds_for_the_first_step():
    class Refusing(Rows):
        def rows(self, paths):
            return {path: Found(400, {}, "0x80060888", "no such column") for path in paths}

    current, reader = CurrentRows(Refusing({}), TABLES), Reader(TABLES)
    requests = [reader.operations(*one) for one in (UPDATE, CREATE)]
    current.load(operation for one in requests for operation in one)
    told = effect_of(current, requests, ID)
    assert (told.effect, told.code, told.requests) == ("refuse", "0x80060888", 1)


REFUSED = [
    ({"name": "x" * 161}, "0x80044331"),
    ({"name": "\N{GRINNING FACE}" * 81}, "0x80044331"),
    ({"numberofemployees": -1}, "0x8004432f"),
    ({"revenue": 1e20}, "0x80044330"),
    ({"industrycode": 99}, "0x8004431a"),
]
WRONG_TYPE = [
    {"name": 5},
    {"numberofemployees": "many"},
    {"numberofemployees": 1.5},
    {"revenue": "5"},
    {"creditonhold": "true"},
    {"industrycode": "Accounting"},
]
TAKEN = [
    {"name": "x" * 160},
    {"numberofemployees": "12"},
    {"revenue": 5, "creditonhold": False, "industrycode": 33},
    {"createdon": 5},
    {"new_own": 5},
    {"name": None},
]


def foretold(values, *, sure):
    """Of a new row; sure: whether the schema is the environment's own."""
    schema = Schema(TABLES, environment="https://org.crm.dynamics.com" if sure else "")
    [one] = Reader(schema.tables).operations(*patch(values))
    current = CurrentRows(Rows({}), schema.tables)
    current.load([one])
    return effect_of(current, [[one]], refused=refused_values(schema))


@pytest.mark.parametrize(("values", "code"), REFUSED)
def test_a_value_beyond_the_bounds_of_its_column_is_refused_where_they_are_sure(values, code):
    told = foretold(values, sure=True)
    assert (told.effect, told.code) == ("refuse", code)
    assert next(iter(values)) in told.message
    assert foretold(values, sure=False).effect == "create"


@pytest.mark.parametrize("values", WRONG_TYPE)
@pytest.mark.parametrize("sure", [True, False])
def test_a_value_of_a_wrong_type_is_refused(values, sure):
    told = foretold(values, sure=sure)
    assert (told.effect, told.code) == ("refuse", "0x80048d19")


@pytest.mark.parametrize("values", TAKEN)
def test_a_value_that_the_service_takes_or_ignores_is_no_refusal(values):
    assert foretold(values, sure=True).effect == "create"
