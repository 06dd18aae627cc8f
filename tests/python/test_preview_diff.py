"""`preview --diff`: what requests would do to the rows as they are, and how long it takes."""

from __future__ import annotations

import json

import pytest

import fieldpost as fp


def diffed(recipe, source, *options, expect=0, file=None):
    file = file or recipe.dynamics()
    told = recipe.run("preview", file, source, "--diff", "--output", "json", *options)
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
    assert told["plan"]["refused"] == 4
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


def test_what_it_refuses_for_a_value_the_service_refuses_as_well(recipe):
    columns = ("name", "numberofemployees", "revenue", "creditonhold")
    body = "".join(f'      {name}: {{"@path": "$.properties.{name}"}}\n' for name in columns)
    file = recipe.dynamics(body)
    fp.Destination.from_file(file).saved_schema.pull()
    values = [
        *({"name": "x" * 161}, {"name": 7}, {"numberofemployees": -1}, {"numberofemployees": "a"}),
        *({"revenue": 1e20}, {"revenue": "1"}, {"creditonhold": 1}),
        *({"name": "x" * 160}, {"numberofemployees": "7"}, {"revenue": 1, "creditonhold": True}),
    ]
    lines = [json.dumps(event(n, values=one)) for n, one in enumerate(values)]
    source = recipe.write("values.ndjson", "\n".join(lines) + "\n")
    told = diffed(recipe, source, "--limit", "100", file=file)
    seen = {row["event_id"]: row["code"] for row in told["rows"]}
    recipe.run("deliver", file, source)
    got = {one["event_id"]: one["code"] for one in fp.Destination.from_file(file).outcomes()}
    assert seen == got
    assert sum(1 for code in seen.values() if code) == 7


def event(number, values):
    return {
        "type": "track",
        "event": "Account Created",
        "messageId": f"m{number}",
        "properties": values,
    }


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


def test_rows_that_may_not_be_read_are_no_refusal_of_the_write(recipe):
    recipe.control("applications", {"deny": ["prvReadAccount"]})
    told = recipe.run("preview", recipe.dynamics(), recipe.events(4), "--diff")
    assert (told.returncode, told.stdout) == (3, "")
    assert "E605" in told.stderr and "prvReadAccount" in told.stderr
    assert "test-connection" in told.stderr


def test_a_row_that_is_only_bound_may_stay_unread(recipe):
    body = (
        '      name: {"@path": "$.properties.company"}\n'
        '      primarycontactid: {"@bind": {table: contact, key: {"@path": "$.messageId"}}}\n'
    )
    recipe.control("applications", {"deny": ["prvReadContact"]})
    told = diffed(recipe, recipe.events(1), file=recipe.dynamics(body))
    assert [row["effect"] for row in told["rows"]] == ["create"]
