"""What scripts may rely on: the keys that each verb prints with --output json, and nothing else."""

from __future__ import annotations

import json

import pytest

from recipe import OUTCOMES

OUTCOME = (
    *("event_id", "source", "line", "offset", "subscription", "outcome", "effect", "attempts"),
    *("http_status", "code", "message", "action_needed", "record_id", "request_id", "latency_ms"),
    "run",
)
SECOND = """\
  - name: Pages
    filter: event = "Page Seen"
    action: create
    table: lead
    body: {subject: seen, lastname: L}
delivery:"""
CASE = """\
tests:
  - name: a company
    event: {type: track, event: Account Created, messageId: a, properties: {company: A}}
    expect: {body: {name: B}}
"""


@pytest.fixture(name="file")
def fixture_file(recipe):
    file = recipe.dynamics(extra=CASE)
    file.write_text(file.read_text().replace("delivery:", SECOND, 1))
    return file


def printed(recipe, *arguments, expect):
    told = recipe.run(*arguments, "--output", "json")
    assert told.returncode == expect, told.stderr
    return told.stdout


def counts_add_up(told, received):
    assert list(told["subscriptions"]) == ["New account", "Pages"]
    for one in told["subscriptions"].values():
        assert sum(one[name] for name in OUTCOMES) == one["received"] == received
    for name in OUTCOMES:
        assert told[name] == sum(one[name] for one in told["subscriptions"].values())
    assert told["received"] == received


def test_counts_of_a_run_and_of_the_ledger(recipe, file):
    told = json.loads(printed(recipe, "deliver", file, recipe.events(), expect=4))
    assert told["run"] and told["duration_s"] > 0
    counts_add_up(told, 40)
    assert told["delivered"] == 10 + 26 and told["invalid"] == 2 * 4
    again = json.loads(printed(recipe, "deliver", file, recipe.events(), expect=4))
    counts_add_up(again, 40)
    assert again["already_delivered"] == 36
    stands = json.loads(printed(recipe, "status", file, expect=0))
    counts_add_up(stands, 40)
    assert stands["delivered"] == 36 and stands["already_delivered"] == 0


def test_an_outcome_has_each_of_its_keys(recipe, file):
    recipe.run("deliver", file, recipe.events())
    lines = [json.loads(one) for one in printed(recipe, "outcomes", file, expect=0).splitlines()]
    assert len(lines) == 36 + 2 * 4
    assert [set(OUTCOME) - set(one) for one in lines] == [set()] * len(lines)
    where = "outcome = 'delivered' and subscription = 'New account'"
    found = printed(recipe, "outcomes", file, "--where", where, "--event-id", "m-8", expect=0)
    one = json.loads(found)
    assert (one["event_id"], one["line"], one["effect"], one["attempts"], one["http_status"]) == (
        *("m-8", 9, "created", 1, 204),
    )
    assert one["record_id"] and one["request_id"] and one["run"] and one["latency_ms"] > 0


def test_steps_cases_and_mistakes_have_each_of_their_keys(recipe, file):
    steps = json.loads(printed(recipe, "test-connection", file, expect=0))["steps"]
    assert steps and all({"name", "ok", "detail", "hint"} <= set(one) for one in steps)
    assert {one["ok"] for one in steps} == {True, None}
    [case] = json.loads(printed(recipe, "test", file, expect=4))
    assert (case["name"], case["ok"]) == ("a company", False) and case["difference"]
    file.write_text(file.read_text().replace("table: lead", "table: leed"))
    told = json.loads(printed(recipe, "check", file, expect=2))
    [mistake] = told["errors"]
    assert {"code", "message", "path", "line", "column", "hint"} <= set(mistake)
    assert mistake["line"] and told["warnings"] == []
