"""The cap of a day, and change sets that it has no room for."""

from __future__ import annotations

import pytest
from sales import Sales

import fieldpost as fp

TREE = """
action: upsert
table: account
key: {"@path": $.userId}
body: {name: a, Account_Tasks: {"@path": $.tasks}}
"""


def event(user: str, tasks: int) -> dict[str, object]:
    nested = [{"subject": str(n)} for n in range(tasks)]
    return {"type": "track", "messageId": user, "userId": user, "tasks": nested}


@pytest.mark.parametrize("batching", ["off", "batch", "auto"])
def test_a_change_set_of_more_requests_than_a_day_has_is_invalid(
    sales: Sales, batching: str
) -> None:
    sales.subscribe(TREE)
    sales.delivery = f"delivery: {{batching: {batching}, requests_per_day: 10}}\n"
    some = [event("small", 1), event("large", 10), event("medium", 5)]
    dest = sales.destination
    report = dest.deliver(some)
    assert (report["delivered"], report["invalid"], report["waiting"]) == (2, 1, 0)
    assert report.stopped is None
    (row,) = dest.outcomes("outcome <> 'delivered'")
    assert (row["code"], row["event_id"], row["attempts"]) == ("E523", "large", 0)
    assert row["message"] == "the change set has 11 parts, more than the 10 requests of a day"
    assert "requests_per_day" in row["action_needed"]
    assert sum(one["table"] == "task" for one in sales.commits("task")) == 6
    # A higher cap lets it go; what was used today counts.
    sales.delivery = f"delivery: {{batching: {batching}, requests_per_day: 18}}\n"
    report = sales.destination.deliver(some)
    assert (report["delivered"], report["waiting"]) == (0, 1)
    assert report.stopped is not None and report.stopped.code == "E734"
    sales.delivery = "delivery: {requests_per_day: 19}\n"
    assert sales.destination.deliver(some)["delivered"] == 1


def test_a_preview_refuses_it_and_does_not_plan_for_it(sales: Sales) -> None:
    sales.subscribe(TREE)
    sales.delivery = "delivery: {requests_per_day: 10}\n"
    some = [event("small", 1), event("large", 10), event("medium", 5), event("other", 5)]
    told = sales.destination.preview(some, limit=10, diff=True)
    assert isinstance(told, fp.PreviewDiff)
    assert [(row.effect, row.code) for row in told.rows] == [
        ("create", ""),
        ("refuse", "E523"),
        ("create", ""),
        ("create", ""),
    ]
    plan = told.plan
    assert (plan.records, plan.requests, plan.operations, plan.refused) == (3, 3, 14, 1)
    assert (plan.binding_limit, plan.duration_s) == ("requests per day", 86_400.0)
    sales.destination.deliver(some[:1])
    told = sales.destination.preview(some, limit=10, diff=True)
    assert isinstance(told, fp.PreviewDiff)
    day = told.plan.limits[-1]
    assert (day.allows, day.seconds) == ("10, 8 of them left today", 86_400.0)
