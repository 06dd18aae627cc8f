"""`preview` of upserts with `on_create`: both requests, and what they come to."""

from __future__ import annotations

import json

import pytest
from sales import Sales

import fieldpost as fp
from recipe import Recipe

STEPS = """
action: upsert
table: account
key: {"@path": $.userId}
body: {name: {"@path": $.name}}
on_create: {fax: {"@path": $.fax}}
"""
TREE = STEPS.replace(
    "body: {",
    'body: {Account_Tasks: [{subject: Call}], primarycontactid: {lastname: {"@path": $.name}}, ',
)
ONE = {"type": "track", "messageId": "m0", "userId": "u1", "name": "A", "fax": "1"}


def one_diff(dest: fp.Destination, event: dict[str, str]) -> tuple[str, int, set[object]]:
    """(effect, requests, changes) of one event."""
    told = dest.preview([event], diff=True)
    assert isinstance(told, fp.PreviewDiff)
    (row,) = told.rows
    return row.effect, row.requests, {tuple(change) for change in row.changes}


def test_both_requests_are_shown_as_they_are_sent(sales: Sales) -> None:
    dest = sales.subscribe(STEPS).destination
    (row,) = dest.preview([ONE])
    told = row.to_dict()
    (then,) = told["then"]
    assert then["when"] == "where the row is not there"
    assert (told["method"], then["method"], then["url"]) == ("PATCH", "PATCH", told["url"])
    assert told["headers"]["If-Match"] == "*" and "If-Match" not in then["headers"]
    assert then["headers"]["If-None-Match"] == "*"
    assert (told["body"], then["body"]) == ({"name": "A"}, {"name": "A", "fax": "1"})
    assert dest.deliver([ONE])["delivered"] == 1
    assert sales.sent("PATCH") == 2


@pytest.mark.parametrize("subscription", [STEPS, TREE])
@pytest.mark.parametrize("batching", ["off", "batch", "auto"])
def test_new_rows_are_created_and_others_updated(
    sales: Sales, subscription: str, batching: str
) -> None:
    sales.delivery = f"delivery: {{batching: {batching}}}\n"
    dest = sales.subscribe(subscription).destination
    effect, requests, changes = one_diff(dest, ONE)
    assert (effect, requests) == ("create", 2)
    assert {("name", None, "A"), ("fax", None, "1")} <= changes
    plan = dest.preview([ONE], diff=True).plan
    assert dest.deliver([ONE])["delivered"] == 1
    assert dest.status().operations_today == plan.operations
    later = ONE | {"messageId": "later", "name": "B", "fax": "2"}
    effect, requests, changes = one_diff(dest, later)
    assert (effect, requests) == ("update", 1)
    assert ("name", "A", "B") in changes
    assert "fax" not in str(changes)
    assert one_diff(dest, ONE)[0] == "nothing"
    assert dest.deliver([later])["delivered"] == 1
    (row,) = sales.commits("account")
    assert row["updated"] == 1


def test_what_is_foretold_of_two_steps_is_what_they_do(sales: Sales) -> None:
    dest = sales.subscribe(STEPS).destination
    dest.deliver([ONE, ONE | {"messageId": "m1", "userId": "u2"}])
    later = [ONE | {"messageId": f"n{n}", "userId": f"u{n}", "name": "B"} for n in range(5)]
    told = dest.preview(later, limit=10, diff=True)
    assert isinstance(told, fp.PreviewDiff)
    dest.deliver(later)
    rows = sales.commits("account")
    assert told.counts["create"] == sum(row["updated"] == 0 for row in rows) == 3
    assert told.counts["update"] == sum(row["updated"] == 1 for row in rows) == 2


def test_the_command_line_says_when_the_second_request_goes(recipe: Recipe) -> None:
    body = "    on_create: {fax: '1'}\n    key: {'@path': $.messageId}\n    body:\n      name: A\n"
    file = recipe.dynamics()
    text = file.read_text().replace("action: create", "action: upsert")
    file.write_text(text[: text.index("    body:")] + body + text[text.index("delivery:") :])
    source = recipe.events(1)
    told = recipe.run("preview", file, source)
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("PATCH") == 2
    assert "then, where the row is not there" in told.stdout
    told = recipe.run("preview", file, source, "--diff")
    assert "New account line 1 m-0 create" in told.stdout
    assert "then, where the row is not there: PATCH" in told.stdout.replace("\n", " ")
    assert "fax: – → '1'" in told.stdout
    told = json.loads(recipe.run("preview", file, source, "--diff", "--output", "json").stdout)
    assert told["counts"]["create"] == 1
    assert [(row["effect"], row["requests"]) for row in told["rows"]] == [("create", 2)]


def test_a_notebook_shows_both(sales: Sales) -> None:
    dest = sales.subscribe(STEPS).destination
    assert "where the row is not there: PATCH" in dest.preview([ONE])._repr_html_()
    told = dest.preview([ONE], diff=True)._repr_html_()
    assert "then, where the row is not there: PATCH" in told and "<td>fax</td>" in told
