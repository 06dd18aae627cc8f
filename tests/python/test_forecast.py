"""The plan of a preview: how long a delivery takes, and which limit decides it."""

from __future__ import annotations

import pytest

from fieldpost.config import parse
from fieldpost.forecast import Load, forecast


def planned(records, delivery="{}", latency_s=None, used_today=0, **more):
    text = (
        "name: d\ntype: dynamics365\nurl: https://org.crm.dynamics.com\nauth: {type: none}\n"
        "subscriptions: [{name: s, action: create, table: account, body: {name: a}}]\n"
        f"delivery: {delivery}\n"
    )
    load = Load(records, **{"operations": records} | more)
    return forecast(parse(text, "d.yaml"), load, latency_s, 4, used_today)


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
        (100_000, "{batching: auto, max_in_flight: 4}", "concurrency", 750.0),
        (100_000, "{batching: bulk, execution: {seconds: 100}}", "execution time", 8700.0),
        (
            100_000,
            "{batching: bulk, execution: {seconds: 100}, rate_share: 0.5}",
            "execution time",
            17700.0,
        ),
        (100_000, "{batching: auto, requests_per_day: 40000}", "requests per day", 172800.0),
        (40_000, "{batching: auto, requests_per_day: 40000}", "concurrency", 75.0),
    ],
)
def test_the_plan_of_packs_keeps_to_what_the_file_allows(records, delivery, limit, duration_s):
    plan = planned(records, delivery)
    assert plan.requests == records / 100
    assert (plan.binding_limit, plan.duration_s) == (limit, duration_s)


@pytest.mark.parametrize(
    ("operations", "used_today", "days"),
    [
        (40_000, 0, 0),
        (40_001, 0, 1),
        (80_000, 0, 1),
        (80_001, 0, 2),
        (40_000, 1, 1),
        (10_000, 40_000, 1),
        (10_000, 90_000, 1),
        (0, 40_000, 0),
    ],
)
def test_a_day_s_cap_counts_every_operation_and_those_of_today(operations, used_today, days):
    """Each part of a batch or of a change set counts, however many requests they come in."""
    delivery = "{batching: auto, requests_per_day: 40000}"
    plan = planned(1000, delivery, 0.001, used_today, operations=operations)
    (day,) = [one for one in plan.limits if one.name == "requests per day"]
    assert day.seconds == days * 86_400
    assert day.allows == f"40,000, {max(0, 40_000 - used_today):,} of them left today"
    assert (plan.binding_limit == "requests per day") == (days > 0)
    assert plan.operations == operations


def test_the_service_s_limits_are_those_that_it_documents():
    """6,000 requests and 1,200 s of execution in any 300 s, and 52 at once, per user."""
    plan = planned(60_000, "{max_in_flight: 64}", 0.5)
    told = {one.name: (one.allows, one.seconds) for one in plan.limits}
    assert told == {
        "requests per window": ("6,000 in 300 s", (60_000 - 6_000) / 6_000 * 300),
        "execution time": ("1,200 s in 300 s", (30_000 - 1_200) / 1_200 * 300),
        "concurrency": ("52 at once", 30_000 / 52),
    }
    assert (plan.binding_limit, plan.duration_s) == ("execution time", 7200.0)


@pytest.mark.parametrize(("batching", "requests"), [("off", 1500), ("auto", 15)])
def test_second_requests_are_counted_as_often_as_they_were_seen(batching, requests):
    plan = planned(
        1000, f"{{batching: {batching}}}", operations=4000, again=0.5, more_operations=4000
    )
    assert (plan.records, plan.requests, plan.operations) == (1000, requests, 6000)


def test_what_is_refused_before_sending_is_told():
    assert "; refused before sending: 7" in str(planned(10, refused=7))
    assert str(planned(0, refused=7)) == "nothing to send; refused before sending: 7"
    assert str(planned(0)) == "nothing to send"


def test_one_request_takes_as_long_as_it_takes():
    plan = planned(1, "{max_in_flight: 16}", 0.2)
    assert plan.duration_s == 0.2
    assert str(plan).startswith("1 request for 1 record, about 0.2 s")
