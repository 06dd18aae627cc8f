"""The whole walk over real sockets: files in, account trees in the emulator, outcomes kept."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import fieldpost as fp
from fieldpost.emulator import Emulator
from postgres_server import wait_until
from recipe import BODY, FIELDPOST, OUTCOMES, Recipe


@pytest.mark.parametrize("form", ["dynamics", "webhook"])
def test_each_event_has_one_outcome_and_each_tree_is_made_once(recipe, form):
    file = getattr(recipe, form)()
    counts = recipe.deliver(file, recipe.events(), expect=4)
    assert (counts["received"], counts["delivered"], counts["invalid"]) == (40, 10, 4)
    assert recipe.trees_are_whole(10)


@pytest.mark.parametrize("form", ["dynamics", "webhook"])
def test_the_same_events_in_another_file_and_order_send_nothing(recipe, form):
    file = getattr(recipe, form)()
    recipe.deliver(file, recipe.events(), expect=4)
    sent = recipe.control("requests")["requests"]
    again = recipe.deliver(file, recipe.events(name="b.ndjson", reverse=True), expect=4)
    assert (again["delivered"], again["already_delivered"]) == (0, 10)
    now = recipe.control("requests")["requests"]
    assert {k: n for k, n in now.items() if "accounts" in k} == {
        k: n for k, n in sent.items() if "accounts" in k
    }
    status = json.loads(recipe.run("status", file, "--output", "json").stdout)
    assert status["received"] == sum(status[outcome] for outcome in OUTCOMES)
    # An event counts once however often it was read; a broken line is its place and its bytes.
    assert (status["filtered"], status["delivered"], status["invalid"]) == (26, 10, 8)


def test_with_and_without_the_function_the_trees_are_the_same(recipe):
    events = recipe.events()
    bodies = []
    for file in (recipe.dynamics(), recipe.webhook()):
        rows = fp.Destination.from_file(file).preview(events, limit=40)
        sent = [json.loads(row.body) for row in rows if row.outcome == "would send"]
        bodies.append([without_ids(body) for body in sent])
    assert len(bodies[0]) == 10
    assert bodies[0] == bodies[1]


def without_ids(tree):
    keys = ("accountid", "contactid", "opportunityid", "activityid")
    if isinstance(tree, list):
        return [without_ids(one) for one in tree]
    if isinstance(tree, dict):
        return {key: without_ids(value) for key, value in tree.items() if key not in keys}
    return tree


def killed_after(recipe, file, events, accounts):
    """Kill a delivery once so many accounts are there; True if it was still at work."""
    recipe.control("limits", {"request_ms": 30})  # so that it is
    child = subprocess.Popen(
        [*FIELDPOST, "deliver", str(file), str(events)],
        env=recipe.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: child.poll() is not None or len(recipe.commits()) >= accounts, 60)
    at_work = child.poll() is None
    child.kill()
    child.wait(60)
    recipe.control("limits", {"request_ms": 0})
    return at_work


def test_a_killed_run_is_finished_by_the_next_one(recipe):
    file, events = recipe.dynamics(), recipe.events(2000)
    assert killed_after(recipe, file, events, 20)
    assert killed_after(recipe, file, events, len(recipe.commits()) + 20)
    recipe.deliver(file, events, expect=4)
    assert recipe.trees_are_whole(500)
    status = json.loads(recipe.run("status", file, "--output", "json").stdout)
    assert status["received"] == 2000 == sum(status[outcome] for outcome in OUTCOMES)
    assert (status["delivered"], status["invalid"], status["waiting"]) == (500, 200, 0)


def test_a_killed_webhook_run_doubles_nothing_and_says_what_it_does_not_know(recipe):
    file, events = recipe.webhook(), recipe.events(2000)
    assert killed_after(recipe, file, events, 20)
    counts = recipe.deliver(file, events, expect=4)
    assert counts["unconfirmed"] <= 2 * 4
    assert counts["already_delivered"] + counts["delivered"] + counts["unconfirmed"] == 500
    created = [row["created"] for row in recipe.commits()]
    assert set(created) == {1}
    assert 500 - counts["unconfirmed"] <= len(created) <= 500
    rows = fp.Destination.from_file(file).outcomes("outcome = 'unconfirmed'")
    assert all(row["action_needed"] for row in rows)


def cut_after_commit(recipe, times):
    match = {"method": "POST", "path": ".*/accounts"}
    recipe.control("faults", [{"match": match, "times": times, "when": "after", "close": True}])


def test_a_lost_answer_is_looked_up_and_not_sent_twice(recipe):
    cut_after_commit(recipe, 3)
    counts = recipe.deliver(recipe.dynamics(), recipe.events(), expect=4)
    assert (counts["delivered"], counts["unconfirmed"]) == (10, 0)
    assert recipe.trees_are_whole(10)


def test_the_last_question_is_asked_until_it_is_answered(recipe):
    cut_after_commit(recipe, 1)
    create, read = ({"method": method, "path": "/accounts"} for method in ("POST", "GET"))
    refused = {"match": create, "times": 5, "status": 500}  # after that it would be rejected
    busy = {"match": read, "times": 2, "status": 503}
    cut = {"match": read, "when": "after", "close": True}
    recipe.control("faults", [refused, busy, cut])
    counts = recipe.deliver(recipe.dynamics(), recipe.events(1), expect=0)
    assert (counts["delivered"], counts["unconfirmed"]) == (1, 0)
    faults = recipe.control("faults")["faults"]
    assert [one["hits"] for one in faults] == [1, 5, 2, 1]
    assert recipe.trees_are_whole(1)


def test_a_lost_answer_of_a_webhook_is_held_unconfirmed(recipe):
    cut_after_commit(recipe, 3)
    file, events = recipe.webhook(), recipe.events()
    counts = recipe.deliver(file, events, expect=4)
    assert (counts["delivered"], counts["unconfirmed"]) == (7, 3)
    again = recipe.deliver(file, events, expect=4)
    assert (again["already_delivered"], again["unconfirmed"]) == (7, 3)
    assert recipe.trees_are_whole(10)


def test_a_token_revoked_in_mid_run_is_replaced(recipe):
    file, events = recipe.dynamics(), recipe.events(2000)
    revoked = threading.Event()

    def revoke(report):
        if report["delivered"] > 20 and not revoked.is_set():
            revoked.set()
            recipe.control("tokens", {"revoke": True})

    report = fp.Destination.from_file(file).deliver(events, progress=revoke)
    assert revoked.is_set()
    assert report["delivered"] == 500
    assert recipe.control("requests")["tokens_issued"] == 2
    assert recipe.trees_are_whole(500)


def test_a_wait_that_the_service_asks_for_is_kept(recipe):
    match = {"method": "POST", "path": ".*/accounts"}
    fault = {"match": match, "times": 2, "status": 429, "retry_after_s": 1, "code": "0x80072322"}
    recipe.control("faults", [fault | {"message": "slow down", "when": "before"}])
    began = time.monotonic()
    counts = recipe.deliver(recipe.dynamics(), recipe.events(), expect=4)
    assert counts["delivered"] == 10
    assert time.monotonic() - began >= 1


def test_what_the_service_refuses_is_rejected_with_its_words(recipe):
    body = BODY.replace('{"@path": "$.properties.company"}', '{"@template": "%s"}' % ("x" * 161))
    file, events = recipe.dynamics(body), recipe.events()
    counts = recipe.deliver(file, events, expect=4)
    assert counts["rejected"] == 10
    [row] = fp.Destination.from_file(file).outcomes(event_id="m-0")
    assert (row["outcome"], row["http_status"], row["code"]) == ("rejected", 400, "0x80044331")
    assert "name" in row["message"]
    assert row["action_needed"]
    assert row["line"] == 1
    # A verdict stands: the next run does not send it again.
    sent = recipe.control("requests")["total"]
    assert recipe.deliver(file, events, expect=4)["rejected"] == 10
    assert recipe.control("requests")["total"] - sent <= 1  # a token


def test_two_runs_at_once_send_nothing_twice(recipe):
    file, events = recipe.webhook(), recipe.events(1200)
    command = [*FIELDPOST, "deliver", str(file), str(events), "--output", "json"]
    runs = [
        subprocess.Popen(command, env=recipe.environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [json.loads(run.communicate(timeout=60)[0]) for run in runs]
    assert sum(counts["delivered"] for counts in told) == 300
    for counts in told:
        assert counts["received"] == 1200 == sum(counts[outcome] for outcome in OUTCOMES)
    assert recipe.trees_are_whole(300)


def test_an_interrupted_run_settles_and_goes_on_later(recipe):
    file, events = recipe.webhook(), recipe.events(4000)
    recipe.control("limits", {"request_ms": 30})
    child = subprocess.Popen(
        [*FIELDPOST, "deliver", str(file), str(events), "--output", "json"],
        env=recipe.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    wait_until(lambda: len(recipe.commits()) >= 20 or child.poll() is not None, 60)
    child.send_signal(signal.SIGINT)
    counts = json.loads(child.communicate(timeout=60)[0])
    recipe.control("limits", {"request_ms": 0})
    assert child.returncode == 130
    assert counts["unconfirmed"] == 0
    assert counts["delivered"] == len(recipe.commits()) < 1000
    assert recipe.deliver(file, events, expect=4)["delivered"] == 1000 - counts["delivered"]
    assert recipe.trees_are_whole(1000)


def test_an_event_twice_in_one_file_is_sent_once(recipe):
    events = recipe.events(8)
    events.write_text(events.read_text() * 3)
    counts = recipe.deliver(recipe.dynamics(), events, expect=0)
    assert (counts["received"], counts["delivered"], counts["already_delivered"]) == (24, 2, 4)
    assert recipe.trees_are_whole(2)


def test_standard_input_needs_an_event_id(recipe):
    file = recipe.dynamics()
    events = recipe.events().read_text()
    command = [*FIELDPOST, "deliver", str(file), "-", "--output", "json"]
    options = {"env": recipe.environment, "input": events, "text": True, "capture_output": True}
    refused = subprocess.run(command, check=False, timeout=60, **options)
    assert refused.returncode == 2
    assert "event_id" in refused.stderr
    recipe.dynamics(extra='event_id: {"@path": "$.messageId"}\n')
    told = subprocess.run(command, check=False, timeout=60, **options)
    assert json.loads(told.stdout)["delivered"] == 10


def test_a_list_of_dicts_is_delivered_from_python(recipe):
    file = recipe.dynamics(extra="event_id: content\n")
    event = {"type": "track", "event": "Account Created", "properties": {"company": "A"}}
    destination = fp.Destination.from_file(file)
    assert destination.deliver([event, {"type": "page"}, event])["delivered"] == 1
    report = destination.deliver([event])
    assert report["already_delivered"] == 1
    assert "<table>" in report._repr_html_()


def test_tls_needs_the_authority(tmp_path):
    with Emulator(tls=True) as emulator:
        made = Recipe(tmp_path, emulator)
        file, events = made.dynamics(), made.events()
        assert made.deliver(file, events, expect=4)["delivered"] == 10
        file.write_text(file.read_text().replace("ca_file", "# ca_file"))
        told = made.run("test-connection", file)
        assert told.returncode == 5
        assert "ca_file" in told.stdout


def test_an_api_key_travels_in_its_own_header(recipe, monkeypatch):
    seen = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(dict(self.headers))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("KEY", "k-1")
    file = recipe.write(
        "key.yaml",
        "name: key\ntype: webhook\nauth: {type: api_key, header: X-Api-Key, value: {env: KEY}}\n"
        f"subscriptions: [{{name: all, url: 'http://127.0.0.1:{server.server_address[1]}/in'}}]\n",
    )
    try:
        report = fp.Destination.from_file(file).deliver(recipe.events(3))
    finally:
        server.shutdown()
        server.server_close()
    assert report["delivered"] == 3
    assert [headers["X-Api-Key"] for headers in seen] == ["k-1"] * 3
    assert not any("Authorization" in headers for headers in seen)
