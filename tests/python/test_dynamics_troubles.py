"""What goes wrong in an environment while events are delivered: nothing is lost or doubled."""

from __future__ import annotations

import threading

import pytest

import fieldpost as fp
from fieldpost.report import Report

TOTAL = 40  # events that are wanted, of four times as many lines


@pytest.fixture(name="events")
def fixture_events(recipe):
    lines = [recipe._line(number) for number in range(0, 4 * TOTAL, 4)]
    return recipe.write("wanted.ndjson", "\n".join(lines) + "\n")


def delivered_then(recipe, events, what, after=10):
    """The report of a run during which `what` is done once, after so many are delivered."""
    done = threading.Event()
    recipe.control("limits", {"request_ms": 60})

    def watch(report: Report) -> None:
        if report["delivered"] >= after and not done.is_set():
            done.set()
            what()

    destination = fp.Destination.from_file(recipe.dynamics())
    report = destination.deliver(events, progress=watch)
    assert done.is_set()
    assert report.received == TOTAL
    return destination, report


def fault(**order):
    return {"match": {"method": "POST", "path": "/accounts$"}, **order}


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "0x80044150"), (400, "0x80044151"), (400, "0x80040255"), (400, "0x8004418d")],
)
def test_a_deadlock_is_tried_again(recipe, events, status, code):
    recipe.control("faults", fault(status=status, code=code, times=6))
    assert recipe.deliver(recipe.dynamics(), events)["delivered"] == TOTAL
    assert recipe.trees_are_whole(TOTAL)


def test_a_plug_ins_refusal_is_told_in_its_words_and_hits_no_other(recipe, events):
    rule = {"table": "account", "messages": ["Create"], "where": {"name": "Firm 8"}}
    recipe.control("plugins", rule | {"refuse": "Firm 8 owes us money."})
    destination = fp.Destination.from_file(recipe.dynamics())
    report = destination.deliver(events, progress=False)
    assert (report["delivered"], report["rejected"]) == (TOTAL - 1, 1)
    [failure] = report.failures
    assert failure["code"] == "0x80040265"
    assert "Firm 8 owes us money." in failure["message"]
    assert failure["action_needed"]


def test_a_refusal_deep_in_a_tree_leaves_nothing_of_it(recipe, events):
    rule = {"table": "task", "messages": ["Create"], "refuse": "No tasks today.", "times": 3}
    recipe.control("plugins", rule)
    destination = fp.Destination.from_file(recipe.dynamics())
    report = destination.deliver(events, progress=False)
    assert (report["delivered"], report["rejected"]) == (TOTAL - 3, 3)
    assert recipe.trees_are_whole(TOTAL - 3)
    assert destination.replay("code = '0x80040265'", progress=False)["delivered"] == 3
    assert recipe.trees_are_whole(TOTAL)


def test_tokens_that_end_in_mid_run_are_renewed(recipe, events):
    recipe.control("limits", {"request_ms": 100})
    recipe.control("tokens", {"lifetime_s": 1})
    assert recipe.deliver(recipe.dynamics(), events)["delivered"] == TOTAL
    assert recipe.control("requests")["tokens_issued"] > 1
    assert recipe.trees_are_whole(TOTAL)


def test_a_column_that_gets_shorter_in_mid_run_loses_nothing(recipe, events):
    shorter = {"table": "opportunity", "column": "name", "length": 5}
    destination, report = delivered_then(recipe, events, lambda: recipe.control("schema", shorter))
    assert 10 <= report["delivered"] < TOTAL
    failed = report["rejected"] + report["waiting"]
    assert failed == TOTAL - report["delivered"]
    assert {row["code"] for row in report.failures} == {"0x80044331"}
    recipe.control("schema", {"table": "opportunity", "column": "name", "length": 300})
    destination.replay("outcome = 'rejected'", progress=False)
    destination.deliver(events, progress=False)
    assert recipe.trees_are_whole(TOTAL)


def test_a_name_that_is_dropped_in_mid_run_is_the_mappings_matter(recipe, events):
    order = {"table": "contact", "column": "firstname"}
    destination, report = delivered_then(
        recipe, events, lambda: recipe.control("schema", order | {"drop": True})
    )
    assert 10 <= report["delivered"] < TOTAL
    assert {row["code"] for row in report.failures if row["code"]} <= {"0x80048d19"}
    assert report["rejected"] + report["waiting"] == TOTAL - report["delivered"]
    recipe.control("schema", order | {"add": {"type": "text", "length": 50}})
    destination.replay("outcome in ('rejected', 'waiting')", progress=False)
    destination.deliver(events, progress=False)
    assert recipe.trees_are_whole(TOTAL)


def test_a_privilege_taken_away_in_mid_run_pauses_it(recipe, events):
    destination, report = delivered_then(
        recipe, events, lambda: recipe.control("applications", {"deny": ["prvCreateActivity"]})
    )
    assert 10 <= report["delivered"] < TOTAL
    assert report["rejected"] == 0
    assert report.stopped.code == "0x80040220"
    assert "prvCreateActivity" in report.stopped.message
    recipe.control("applications", {"deny": []})
    assert destination.deliver(events, progress=False)["waiting"] == 0
    assert recipe.trees_are_whole(TOTAL)
