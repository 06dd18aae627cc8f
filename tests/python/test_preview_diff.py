"""`preview --diff`: what requests would do to the rows as they are, and how long it takes."""

from __future__ import annotations

import json

import pytest

import fieldpost as fp
from fieldpost.config import parse
from fieldpost.dynamics.current_rows import CurrentRows
from fieldpost.dynamics.operation import Reader
from fieldpost.dynamics.schema import Schema
from fieldpost.dynamics.web_api import Found
from fieldpost.forecast import forecast


def diffed(recipe, source, *options, expect=0):
    told = recipe.run("preview", recipe.dynamics(), source, "--diff", "--output", "json", *options)
    assert told.returncode == expect, told.stderr
    return json.loads(told.stdout)


def requests_seen(recipe):
    return recipe.control("requests")["requests"]


def test_new_rows_are_created_field_by_field(recipe):
    told = diffed(recipe, recipe.events(40))
    assert told["counts"] == {"create": 5, "update": 0, "delete": 0, "nothing": 0, "refuse": 0}
    row = told["rows"][0]
    assert (row["effect"], row["method"]) == ("create", "POST")
    assert row["changes"] == [
        {"field": "name", "before": None, "after": "Firm 0"},
        {"field": "primarycontactid.firstname", "before": None, "after": "Jo"},
        {"field": "primarycontactid.lastname", "before": None, "after": "S0"},
        {
            "field": "opportunity_customer_accounts[0].name",
            "before": None,
            "after": "Opportunity associated to Firm 0",
        },
        {
            "field": "opportunity_customer_accounts[0].Opportunity_Tasks[0].subject",
            "before": None,
            "after": "Task associated to opportunity",
        },
    ]
    assert recipe.control("commits")["commits"] == []


def test_rows_that_are_there_are_left_alone(recipe):
    assert recipe.deliver(recipe.dynamics(), recipe.events(8))["delivered"] == 2
    told = diffed(recipe, recipe.events(40), "--limit", "100")
    # Every tenth line is broken.
    assert told["counts"] == {"create": 8, "update": 0, "delete": 0, "nothing": 2, "refuse": 4}
    assert [row["effect"] for row in told["rows"]][:3] == ["nothing", "nothing", "create"]
    # The plan is of what is still to be sent.
    assert told["plan"]["records"] == told["plan"]["requests"] == 8
    assert told["plan"]["measured"] is True


def test_a_child_that_is_there_without_its_root_makes_a_refusal(recipe):
    assert recipe.deliver(recipe.dynamics(), recipe.events(4))["delivered"] == 1
    [account] = recipe.commits()
    recipe.control("rows", {"table": "account", "id": account["id"], "delete": True})
    told = diffed(recipe, recipe.events(4))
    assert told["counts"]["refuse"] == 1
    assert told["rows"][0]["code"] == "0x80040237"


def test_many_rows_take_few_requests(recipe):
    told = diffed(recipe, recipe.events(1000), "--limit", "200")
    assert told["counts"]["create"] == 200
    assert told["reads"] == 8  # 800 rows by 100
    assert sum(requests_seen(recipe).get(f"POST /api/data/v9.2/{n}", 0) for n in ("accounts",)) == 0
    assert told["plan"]["records"] == 250


def test_a_name_that_is_not_there_is_a_refusal_in_the_services_words(recipe):
    body = '      nmae: {"@path": "$.properties.company"}\n'
    file = recipe.dynamics(body)
    told = recipe.run("preview", file, recipe.events(4), "--diff", "--output", "json")
    row = json.loads(told.stdout)["rows"][0]
    assert row["effect"] == "refuse"
    assert "nmae" in row["message"]


def test_an_empty_body_makes_a_row_without_values(recipe):
    file = recipe.dynamics('      name: {"@path": "$.properties.gone"}\n')
    run = recipe.run("preview", file, recipe.events(4), "--diff", "--output", "json")
    told = json.loads(run.stdout)
    assert [row["outcome"] for row in told["rows"]] == ["would send"]
    assert told["rows"][0]["changes"] == []


def test_it_is_shown_to_people(recipe, monkeypatch):
    told = recipe.run("preview", recipe.dynamics(), recipe.events(40), "--diff", "--limit", "20")
    assert told.returncode == 0
    assert "name: – → 'Firm 0'" in told.stdout
    assert "14 compared: 10 create, 4 refuse" in told.stdout
    assert "… and 9 more" in told.stdout
    assert "concurrency" in told.stdout
    shown = fp.Destination.from_file(recipe.dynamics()).preview(recipe.events(8), diff=True)
    assert isinstance(shown, fp.PreviewDiff)
    assert "<td>Firm 0</td>" in shown._repr_html_()


def test_a_webhook_has_nothing_to_compare_with(recipe):
    told = recipe.run("preview", recipe.webhook(), recipe.events(4), "--diff")
    assert told.returncode == 2
    assert "E173" in told.stderr


def test_a_wrong_secret_is_a_sign_in_error(recipe):
    recipe.environment["SECRET"] = "wrong"
    told = recipe.run("preview", recipe.dynamics(), recipe.events(4), "--diff")
    assert told.returncode == 3


def test_a_service_that_asks_to_wait_is_waited_for(recipe):
    fault = {"match": {"path": "batch$"}, "status": 429, "retry_after_s": 0, "times": 1}
    recipe.control("faults", fault)
    told = diffed(recipe, recipe.events(4))
    assert told["counts"]["create"] == 1
    assert told["reads"] == 2


@pytest.mark.parametrize(("status", "code", "exit_code"), [(403, "E605", 3), (400, "E505", 5)])
def test_rows_that_cannot_be_read_are_told_with_what_to_do(recipe, status, code, exit_code):
    recipe.control("faults", {"match": {"path": "batch$"}, "status": status, "times": 1})
    told = recipe.run("preview", recipe.dynamics(), recipe.events(4), "--diff")
    assert told.returncode == exit_code and told.stdout == ""
    assert f"{code} HTTP {status}" in told.stderr and "test-connection" in told.stderr


# What the requests of other actions would do, read from the requests themselves -------------------

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
        found = {path: self._rows.get(path.partition("?")[0]) for path in paths}
        return {path: Found(200, row) if row else Found(404, {}) for path, row in found.items()}


def effect_of(rows, *requests):
    """The last request's effect, after those before it."""
    api = Rows(rows)
    current, reader = CurrentRows(api, TABLES), Reader(TABLES)
    read = [reader.operations(*one) for one in requests]
    current.load(operation for some in read for operation in some)
    return [current.effect(some) for some in read][-1], api.asked


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
    told, _ = effect_of({f"accounts({ID})": row}, patch(values))
    assert told.effect == ("update" if changes else "nothing")
    seen = [tuple(one)[: len(changes[0])] for one in told.changes]
    assert seen == changes


def test_only_what_is_written_is_asked_for():
    values = {"name": "A", "primarycontactid@odata.bind": f"/contacts({OTHER})"}
    values["Account_Tasks@odata.bind"] = [f"/tasks({OTHER})"]
    _, asked = effect_of({}, patch(values))
    expand = "$expand=primarycontactid($select=contactid)"
    assert asked == [f"accounts({ID})?$select=name&{expand}"]


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
        told.append(current.effect(some).effect)
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
            "refuse",
        ),
        (False, ("POST", f"{BASE}accounts", {}, '{"name": "no id"}'), "create"),
    ],
)
def test_each_form_has_its_effect(there, request_, effect):
    rows = {f"accounts({ID})": {"name": "Old"}} if there else {}
    assert effect_of(rows, request_)[0].effect == effect


def test_a_request_is_judged_by_what_those_before_it_leave():
    first, again = patch({"name": "A"}), patch({"name": "A"})
    assert effect_of({}, first, again)[0].effect == "nothing"
    gone = ("DELETE", f"{BASE}accounts({ID})", {}, "")
    assert effect_of({}, first, gone, again)[0].effect == "create"


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
    told, _ = effect_of(rows, one)
    assert told.effect == "update"
    assert [change.field for change in told.changes] == ["name", "subject"]
    # Its marker is there: it was carried out before.
    told, _ = effect_of(rows | {f"tasks({OTHER})": {"subject": "Call"}}, one)
    assert (told.effect, told.changes) == ("nothing", ())


def test_a_bulk_message_is_one_operation_for_each_row():
    targets = [
        {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": row_id, "name": "A"}
        for row_id in (ID, OTHER)
    ]
    url = f"{BASE}accounts/Microsoft.Dynamics.CRM.UpsertMultiple"
    told, asked = effect_of(
        {f"accounts({ID})": {"name": "A"}}, ("POST", url, {}, json.dumps({"Targets": targets}))
    )
    assert len(asked) == 2
    assert [(one.field, one.after) for one in told.changes] == [("name", "A")]


# The plan -----------------------------------------------------------------------------------------


def planned(records, delivery="{}", latency_s=None):
    text = (
        "name: d\ntype: dynamics365\nurl: https://org.crm.dynamics.com\nauth: {type: none}\n"
        "subscriptions: [{name: s, action: create, table: account, body: {name: a}}]\n"
        f"delivery: {delivery}\n"
    )
    return forecast(parse(text, "d.yaml"), records, latency_s, 4)


@pytest.mark.parametrize(
    ("records", "delivery", "latency_s", "limit", "duration_s"),
    [
        (1600, "{max_in_flight: 16}", 0.1, "concurrency", 10.0),
        (66000, "{max_in_flight: 64}", 0.01, "requests per window", 3000.0),
        (66000, "{max_in_flight: 64}", 1.0, "execution time", 16200.0),
        (1200, "{rate: {requests: 100, window_s: 10}}", 0.01, "requests per window", 110.0),
        (1200, "{rate: {requests: 100, window_s: 10}, rate_share: 0.5}", 0.01, None, 230.0),
        (0, "{}", None, "requests per window", 0.0),
    ],
)
def test_the_plan_names_the_limit_that_binds(records, delivery, latency_s, limit, duration_s):
    plan = planned(records, delivery, latency_s)
    assert plan.duration_s == duration_s
    assert limit in (None, plan.binding_limit)
    assert plan.requests == records
    assert len(plan.to_dict()["limits"]) == 3


@pytest.mark.parametrize(
    ("records", "delivery", "limit", "duration_s"),
    [
        (100_000, "{batching: auto, max_in_flight: 4}", "concurrency", 500.0),
        (100_000, "{batching: bulk, execution: {seconds: 100}}", "execution time", 5700.0),
        (
            100_000,
            "{batching: bulk, execution: {seconds: 100}, rate_share: 0.5}",
            "execution time",
            11700.0,
        ),
        (100_000, "{batching: auto, requests_per_day: 40000}", "requests per day", 172800.0),
        (40_000, "{batching: auto, requests_per_day: 40000}", "concurrency", 50.0),
    ],
)
def test_the_plan_of_packs_keeps_to_what_the_file_allows(records, delivery, limit, duration_s):
    plan = planned(records, delivery)
    assert plan.requests == records / 100
    assert (plan.binding_limit, plan.duration_s) == (limit, duration_s)
