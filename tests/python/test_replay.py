"""What people do after a run: look at failures, replay, settle; and the ways to deliver less."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter

import pytest

import fieldpost as fp
from recipe import FIELDPOST, OUTCOMES
from recording_server import RecordingServer
from service import Service, events


@pytest.fixture
def service():
    with Service() as made:
        yield made


def refuses_odd(body):
    return 400 if body["n"] % 2 else 200


def run(*arguments, **environment):
    return subprocess.run(
        [*FIELDPOST, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
        check=False,
    )


def told(completed, expect=0):
    assert completed.returncode == expect, completed.stderr
    return json.loads(completed.stdout)


def test_failures_say_what_how_often_and_what_to_do(service, tmp_path):
    service.answer = refuses_odd
    file = service.destination(tmp_path)
    source = events(tmp_path, 10)
    source.write_text(source.read_text() + "broken\n")
    told(run("deliver", file, source, "-o", "json"), 4)
    rejected, invalid = told(run("failures", file, "-o", "json"))
    assert (rejected["count"], rejected["outcome"], rejected["http_status"]) == (5, "rejected", 400)
    assert rejected["sample"]["source"] == str(source)
    assert (invalid["count"], invalid["code"]) == (1, "E401")
    assert "author of the data" in invalid["action_needed"]
    text = run("failures", file).stdout
    assert "5 rejected" in text
    assert "author of the data" in text


def test_replay_maps_anew_with_todays_document(service, tmp_path):
    service.answer = refuses_odd
    file, source = service.destination(tmp_path), events(tmp_path, 10)
    told(run("deliver", file, source, "-o", "json"), 4)
    source.unlink()  # the letters are enough
    service.answer = lambda _body: 200
    before = len(service.bodies)
    service.destination(tmp_path, body='{n: {"@path": "$.n"}, fixed: true}')
    chosen = ("replay", file, "--where", "outcome = 'rejected'", "-o", "json")
    planned = told(run(*chosen, "--dry-run"))
    assert (planned["dry_run"], planned["waiting"], planned["received"]) == (True, 5, 5)
    assert len(service.bodies) == before
    report = told(run(*chosen))
    assert (report["received"], report["delivered"]) == (5, 5)
    assert service.bodies[before:] and all(body["fixed"] for body in service.bodies[before:])
    status = told(run("status", file, "-o", "json"))
    assert (status["delivered"], status["received"]) == (10, 10)
    versions = {row["mapping"] for row in fp.Destination.from_file(file).outcomes()}
    assert len(versions) == 2
    again = told(run(*chosen))
    assert again["received"] == 0


def test_replay_sends_the_recorded_body_when_asked(service, tmp_path):
    service.answer = refuses_odd
    body = '{n: {"@path": "$.n"}, big: 12345678901234567890123, list: [1, {a: null}]}'
    file, source = service.destination(tmp_path, body=body), events(tmp_path, 4)
    destination = fp.Destination.from_file(file)
    destination.deliver(source)
    first = [body for body in service.bodies if body["n"] % 2]
    service.answer = lambda _body: 200
    service.destination(tmp_path, body="{other: 1}")
    service.bodies.clear()
    report = fp.Destination.from_file(file).replay("outcome = 'rejected'", recorded=True)
    assert report["delivered"] == 2
    assert sorted(service.bodies, key=str) == sorted(first, key=str)


def test_recorded_addresses_and_headers_are_those_of_then(service, tmp_path):
    service.answer = refuses_odd
    url = f'{{"@template": "{service.url}/in/{{{{n}}}}"}}'
    file, source = service.destination(tmp_path, url=url), events(tmp_path, 4)
    fp.Destination.from_file(file).deliver(source)
    service.answer = lambda _body: 200
    service.paths.clear()
    report = fp.Destination.from_file(file).replay("1 = 1", recorded=True)
    assert (report["delivered"], report["already_delivered"]) == (2, 2)
    assert sorted(service.paths) == ["/in/1", "/in/3"]


def test_an_invalid_event_is_replayed_once_the_mapping_can_take_it(service, tmp_path):
    function = tmp_path / "f.py"
    function.write_text("def on_track(event, settings):\n    raise ValueError\n")
    file = service.destination(tmp_path, more="functions: f.py\n")
    source = events(tmp_path, 3)
    source.write_text(source.read_text() + "broken\n")
    assert fp.Destination.from_file(file).deliver(source)["invalid"] == 4
    function.write_text("def on_track(event, settings):\n    event['n'] += 100\n    return event\n")
    report = fp.Destination.from_file(file).replay("outcome = 'invalid'")
    assert (report.received, report["delivered"]) == (4, 3)
    assert sorted(body["n"] for body in service.bodies) == [100, 101, 102]
    assert report["waiting"] == 1  # the broken line can only come from its source
    service.bodies.clear()
    assert fp.Destination.from_file(file).deliver(source)["already_delivered"] == 3
    assert service.bodies == []


def test_what_was_not_kept_waits_for_its_source(service, tmp_path):
    service.answer = refuses_odd
    file = service.destination(tmp_path, delivery="keep: none")
    source = events(tmp_path, 4)
    destination = fp.Destination.from_file(file)
    destination.deliver(source)
    service.answer = lambda _body: 200
    report = destination.replay("outcome = 'rejected'")
    assert (report.received, report["waiting"]) == (2, 2)
    assert {row["code"] for row in destination.outcomes("outcome = 'waiting'")} == {"E735"}
    report = destination.deliver(source)
    assert (report["delivered"], report["already_delivered"]) == (2, 2)


def test_named_fields_stay_out_of_the_ledger(service, tmp_path):
    service.answer = lambda _body: 400
    mapping = '{n: {"@path": "$.n"}, to: {"@template": "<{{traits.email}}>"}}'
    delivery = "redact: [traits.email]"
    file = service.destination(tmp_path, delivery=delivery, body=mapping)
    source = events(tmp_path, 4)
    destination = fp.Destination.from_file(file)
    assert destination.deliver(source)["rejected"] == 4
    assert any("user1@example.com" in body["to"] for body in service.bodies)
    for part in tmp_path.glob("hook.ledger.db*"):
        assert b"@example.com" not in part.read_bytes()
    # What was taken out cannot be sent: the source is read again instead.
    service.answer = lambda _body: 200
    service.bodies.clear()
    assert destination.replay("outcome = 'rejected'")["waiting"] == 4
    assert destination.deliver(source)["delivered"] == 4
    assert all("@example.com" in body["to"] for body in service.bodies)


UNREADABLE = {
    "a number too long for Python": '"n":1,"long":' + "9" * 5000,
    "nested too deeply for Python": '"n":1,"deep":' + "[" * 1000 + "]" * 1000,
    "a key that stands twice": '"n":1,"traits":{"email":"other@example.com"}',
    "a key that stands twice, and last without the field": '"n":1,"traits":{}',
    "a key that stands twice within": '"n":1,"context":{"ip":"1","ip":"2"}',
}


@pytest.mark.parametrize("odd", UNREADABLE)
def test_an_event_whose_fields_cannot_be_read_leaves_nothing_of_them(service, tmp_path, odd):
    def echo(received):
        return 400, {}, b'{"error": {"message": "user1@example.com is odd"}}'

    with RecordingServer(echo) as server:
        mapping = '{all: {"@path": "$."}}'
        more = "redact: [traits.email], keep: all"
        file = service.destination(tmp_path, url=f"'{server.url}/in'", body=mapping, delivery=more)
        source = tmp_path / "odd.ndjson"
        kept = '"type":"track","messageId":"m","traits":{"email":"user1@example.com"}'
        source.write_text("{" + f"{kept},{UNREADABLE[odd]}" + "}\n")
        destination = fp.Destination.from_file(file)
        assert destination.deliver(source)["rejected"] == 1
        assert b"user1@example.com" in server.requests[0].body
    [row] = destination.outcomes()
    assert "@example.com" not in row["message"]
    for part in tmp_path.glob("hook.ledger.db*"):
        assert b"@example.com" not in part.read_bytes()


@pytest.mark.parametrize("recorded", [True, False])
def test_what_was_redacted_waits_for_its_source_in_either_form(service, tmp_path, recorded):
    service.answer = refuses_odd
    more = "redact: traits.email, retry: {wait_initial_s: 0.01}"
    file, source = service.destination(tmp_path, delivery=more), events(tmp_path, 4)
    destination = fp.Destination.from_file(file)
    destination.deliver(source)
    service.answer = lambda _body: 200
    report = destination.replay("outcome = 'rejected'", recorded=recorded)
    assert (report["waiting"], report["rejected"], len(service.bodies)) == (2, 0, 4)
    assert {row["code"] for row in destination.outcomes("outcome = 'waiting'")} == {"E735"}
    assert destination.deliver(source)["delivered"] == 2


def test_named_fields_stay_out_of_what_a_pause_says(service, tmp_path):
    def echo(received):
        email = json.loads(received.body)["to"]
        return 403, {}, json.dumps({"error": {"message": f"{email} may not"}}).encode()

    with RecordingServer(echo) as server:
        delivery = "{redact: [traits.email], keep: none, max_in_flight: 8}"
        mapping = '{n: {"@path": "$.n"}, to: {"@path": "$.traits.email"}}'
        file = service.destination(tmp_path, url=f"'{server.url}/in'", body=mapping)
        text = file.read_text().replace("{retry: {wait_initial_s: 0.01}}", delivery)
        file.write_text(text)
        run_told = run("deliver", file, events(tmp_path, 40), "-o", "json")
    assert run_told.returncode == 5, run_told.stderr
    report = json.loads(run_told.stdout)
    assert report["stopped"]["code"] == "http_403"
    rows = list(fp.Destination.from_file(file).outcomes("outcome = 'waiting'"))
    assert rows
    assert {row["message"] for row in rows} <= {
        '{"error": {"message": "*** may not"}}',
        "the destination is paused: http_403",
    }
    assert "@example.com" not in run_told.stdout + run_told.stderr
    for part in tmp_path.glob("hook.ledger.db*"):
        assert b"@example.com" not in part.read_bytes()


def test_everything_can_be_kept_and_taken_up_where_that_is_safe(recipe):
    extra = recipe.dynamics().read_text().replace("delivery: {", "delivery: {keep: all, ")
    file = recipe.write("dynamics.yaml", extra)
    recipe.deliver(file, recipe.events(), expect=4)
    report = fp.Destination.from_file(file).replay("outcome = 'delivered'")
    assert (report["delivered"], report["already_delivered"]) == (10, 0)
    assert recipe.trees_are_whole(10)


def test_what_is_delivered_and_was_not_kept_is_not_taken_up(recipe):
    file = recipe.dynamics()
    recipe.deliver(file, recipe.events(), expect=4)
    report = fp.Destination.from_file(file).replay("outcome = 'delivered'")
    assert (report["delivered"], report["already_delivered"]) == (0, 10)


def test_delivered_events_are_sent_again_where_that_is_safe(recipe):
    file, source = recipe.dynamics(), recipe.events()
    recipe.deliver(file, source, expect=4)
    counts = recipe.deliver(file, source, "--again", expect=4)
    assert (counts["delivered"], counts["already_delivered"]) == (10, 0)
    assert recipe.trees_are_whole(10)
    refused = recipe.run("deliver", recipe.webhook(), source, "--again")
    assert refused.returncode == 2
    assert "E171" in refused.stderr


def test_rows_of_a_replayed_event_keep_their_ids(recipe):
    """An event without an id is known by its place; replayed, it makes the same rows."""
    match = {"method": "POST", "path": ".*/accounts"}
    fault = {"match": match, "times": 1, "status": 400, "code": "0x1", "message": "no"}
    recipe.control("faults", [fault | {"when": "after"}])
    file, source = recipe.dynamics(), recipe.events(4)
    source.write_text(source.read_text().replace('"messageId": "m-0"', '"x": 1'))
    assert recipe.deliver(file, source, expect=4)["rejected"] == 1
    report = fp.Destination.from_file(file).replay("outcome = 'rejected'")
    assert report["delivered"] == 1
    assert recipe.trees_are_whole(1)


def test_somebody_settles_what_is_unconfirmed(service, tmp_path):
    service.answer = lambda body: 0 if body["n"] < 2 else 200
    file, source = service.destination(tmp_path), events(tmp_path, 4)
    assert told(run("deliver", file, source, "-o", "json"), 4)["unconfirmed"] == 2
    settled = told(
        run("settle", file, "--where", "event_id = 'm0'", "--as", "delivered", "-o", "json")
    )
    assert (settled["settled"], settled["as"]) == (1, "delivered")
    run("settle", file, "--where", "outcome = 'unconfirmed'", "--as", "rejected")
    counts = told(run("deliver", file, source, "-o", "json"), 4)
    assert (counts["already_delivered"], counts["rejected"]) == (3, 1)
    [row] = fp.Destination.from_file(file).outcomes(event_id="m0")
    assert "settled by" in row["message"]
    assert run("settle", file, "--where", "1 = 1", "--as", "sent").returncode == 2


def test_an_empty_condition_of_a_verb_is_refused_and_changes_nothing(service, tmp_path):
    service.answer = lambda body: 0 if body["n"] < 2 else 422
    file, source = service.destination(tmp_path), events(tmp_path, 4)
    run("deliver", file, source)
    before = told(run("status", file, "-o", "json"))
    sent = len(service.bodies)
    for where in ([], ["--where", ""], ["--where", " "], ["--where", "1=1", "--all"]):
        for verb in (["settle", file, "--as", "delivered"], ["replay", file]):
            asked = run(*verb, *where)
            assert (asked.returncode, "E703" in asked.stderr) == (2, True), (verb, where)
    assert run("outcomes", file, "--where", "").returncode == 2
    misspelt = run("settle", file, "--where", "\"otcome\" <> 'delivered'", "--as", "delivered")
    assert (misspelt.returncode, '"outcome"' in misspelt.stderr) == (2, True)
    assert told(run("status", file, "-o", "json")) == before
    assert len(service.bodies) == sent


def test_all_is_said_in_words_and_a_dry_run_counts_first(service, tmp_path):
    service.answer = lambda _body: 422
    file, source = service.destination(tmp_path), events(tmp_path, 4)
    run("deliver", file, source)
    assert run("replay", file, "--all", "--dry-run").stdout.startswith("4 fit the condition\n")
    tried = run("settle", file, "--where", "line < 3", "--as", "delivered", "--dry-run")
    assert tried.stdout.startswith("2 would be settled")
    assert told(run("settle", file, "--all", "--as", "delivered", "-o", "json"))["settled"] == 4


def test_replay_sends_what_is_unconfirmed_when_somebody_asks(service, tmp_path):
    service.answer = lambda body: 0
    file, source = service.destination(tmp_path), events(tmp_path, 2)
    destination = fp.Destination.from_file(file)
    assert destination.deliver(source)["unconfirmed"] == 2
    service.answer = lambda _body: 200
    assert destination.replay("event_id = 'm1'")["delivered"] == 1
    assert Counter(body["n"] for body in service.bodies) == {0: 1, 1: 2}


def test_a_limit_reads_so_many_events(service, tmp_path):
    file, source = service.destination(tmp_path), events(tmp_path, 50)
    source.write_text("\n\n" + source.read_text())
    counts = told(run("deliver", file, source, "--limit", "7", "-o", "json"))
    assert (counts["received"], counts["delivered"]) == (7, 7)
    counts = told(run("deliver", file, source, "--limit", "9", "-o", "json"))
    assert (counts["delivered"], counts["already_delivered"]) == (2, 7)
    assert sorted(body["n"] for body in service.bodies) == list(range(9))


def test_a_dry_run_sends_and_writes_nothing(service, tmp_path):
    file, source = service.destination(tmp_path), events(tmp_path, 5)
    source.write_text(source.read_text() * 2)
    counts = told(run("deliver", file, source, "--dry-run", "-o", "json"))
    assert (counts["waiting"], counts["already_delivered"], counts["received"]) == (5, 5, 10)
    assert counts["dry_run"] is True
    assert not (tmp_path / "hook.ledger.db").exists()
    fp.Destination.from_file(file).deliver(source, limit=2)
    counts = told(run("deliver", file, source, "--dry-run", "-o", "json"))
    assert (counts["waiting"], counts["already_delivered"]) == (3, 7)
    assert len(service.bodies) == 2
    assert "would be sent" in run("deliver", file, source, "--dry-run").stdout


@pytest.mark.parametrize(("tolerate", "code"), [("50%", 0), ("0.5", 0), ("49%", 4), ("x", 2)])
def test_a_share_of_failures_can_be_tolerated(service, tmp_path, tolerate, code):
    service.answer = refuses_odd
    file, source = service.destination(tmp_path), events(tmp_path, 10)
    told = run("deliver", file, source, "--tolerate", tolerate)
    assert told.returncode == code, told.stderr


def test_a_run_ends_when_its_time_is_over_and_the_next_goes_on(service, tmp_path):
    def slow(_body):
        time.sleep(0.1)
        return 200

    service.answer = slow
    file = service.destination(tmp_path, delivery="max_in_flight: 2")
    source = events(tmp_path, 40)
    counts = told(run("deliver", file, source, "--for", "1s", "-o", "json"), 4)
    assert counts["stopped"]["code"] == "E731"
    assert counts["waiting"] == 40 - counts["delivered"]
    service.answer = lambda _body: 200
    rest = told(run("deliver", file, source, "-o", "json"))
    assert rest["delivered"] == counts["waiting"]
    assert sorted(body["n"] for body in service.bodies) == list(range(40))


def test_a_run_ends_when_too_much_fails(service, tmp_path):
    service.answer = refuses_odd
    file = service.destination(tmp_path, delivery="stop_when: 20%, max_in_flight: 2")
    source = events(tmp_path, 400)
    counts = told(run("deliver", file, source, "-o", "json"), 4)
    assert counts["stopped"]["code"] == "E732"
    assert 5 <= counts["rejected"] < 50
    assert counts["received"] == 400 == sum(counts[name] for name in OUTCOMES)
    assert counts["waiting"] > 300
    service.answer = lambda _body: 200
    rest = told(run("deliver", file, source, "-o", "json"), 4)
    assert rest["delivered"] == counts["waiting"]


def test_a_service_that_is_down_for_all_stops_the_run(service, tmp_path):
    service.answer = lambda _body: 503
    file = service.destination(
        tmp_path, delivery="max_in_flight: 2, retry: {max_elapsed_s: 0.05, wait_initial_s: 0.01}"
    )
    source = events(tmp_path, 200)
    counts = told(run("deliver", file, source, "-o", "json"), 5)
    assert counts["stopped"]["code"] in ("E532", "E733")
    assert counts["expired"] < 30
    service.answer = lambda _body: 200
    code = 4 if counts["expired"] else 0
    assert told(run("deliver", file, source, "-o", "json"), code)["delivered"] == counts["waiting"]
    assert told(run("replay", file, "--where", "outcome = 'expired'", "-o", "json"))["waiting"] == 0
    assert told(run("status", file, "-o", "json"))["delivered"] == 200


def test_the_report_of_a_later_run_lists_what_stands(service, tmp_path):
    service.answer = refuses_odd
    file, source = service.destination(tmp_path), events(tmp_path, 6)
    destination = fp.Destination.from_file(file)
    first = destination.deliver(source)
    second = destination.deliver(source)
    assert first.failed == len(first.failures) == second.failed == len(second.failures) == 3
    assert {row["event_id"] for row in second.failures} == {"m1", "m3", "m5"}


def test_a_run_keeps_its_airflow_run(service, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "accounts")
    monkeypatch.setenv("AIRFLOW_CTX_DAG_RUN_ID", "manual__1")
    destination = fp.Destination.from_file(service.destination(tmp_path))
    destination.deliver(events(tmp_path, 1))
    with destination._ledger() as ledger:
        [[airflow, user]] = ledger._rows('SELECT airflow, "user" FROM runs')
    assert json.loads(airflow) == {"dag_id": "accounts", "dag_run_id": "manual__1"}
    assert user


def test_pruning_says_what_is_lost(service, tmp_path):
    file, source = service.destination(tmp_path), events(tmp_path, 3)
    told(run("deliver", file, source, "-o", "json"))
    kept = told(run("ledger", "prune", file, "--older-than", "1d", "-o", "json"))
    assert kept["events"] == 0
    gone = told(run("ledger", "prune", file, "--older-than", "0s", "-o", "json"))
    assert (gone["events"], gone["outcomes"]) == (3, {"delivered": 3})
    assert "sent again" in gone["lost"]
    assert told(run("deliver", file, source, "-o", "json"))["delivered"] == 3
    assert run("ledger", "prune", file, "--older-than", "soon").returncode == 2


def test_a_backup_is_a_ledger(service, tmp_path):
    file, source = service.destination(tmp_path), events(tmp_path, 3)
    assert run("ledger", "backup", file, tmp_path / "copy.db").returncode == 2
    told(run("deliver", file, source, "-o", "json"))
    assert run("ledger", "backup", file, tmp_path / "copy.db").returncode == 0
    status = told(run("status", file, "--ledger", tmp_path / "copy.db", "-o", "json"))
    assert status["delivered"] == 3
    assert "schema" in run("ledger", "migrate", file).stdout


@pytest.mark.parametrize("way", ["itself", "a link to it"])
def test_a_ledger_is_not_copied_onto_itself(service, tmp_path, way):
    destination = fp.Destination.from_file(service.destination(tmp_path))
    destination.deliver(events(tmp_path, 3))
    ledger = tmp_path / "hook.ledger.db"
    before = ledger.stat().st_ino
    copy = ledger
    if way == "a link to it":
        copy = tmp_path / "link.db"
        copy.symlink_to(ledger)
    with pytest.raises(fp.LedgerError, match="E728"):
        destination.backup(copy)
    assert (ledger.stat().st_ino, destination.status().to_dict()["delivered"]) == (before, 3)


def test_a_dry_run_settles_nothing(service, tmp_path):
    service.answer = refuses_odd
    file, source = service.destination(tmp_path), events(tmp_path, 6)
    fp.Destination.from_file(file).deliver(source)
    asked = ("settle", file, "--where", "outcome = 'rejected'", "--as", "delivered")
    dry = told(run(*asked, "--dry-run", "-o", "json"))
    assert dry == {"settled": 3, "as": "delivered", "dry_run": True}
    assert "3 would be settled as delivered" in run(*asked, "--dry-run").stdout
    assert told(run(*asked, "-o", "json")) == {"settled": 3, "as": "delivered", "dry_run": False}
    assert told(run("status", file, "-o", "json"))["delivered"] == 6


def test_what_reads_the_ledger_needs_no_variable_that_only_sending_needs(service, tmp_path):
    auth = "auth: {type: basic, username: {env: NO_SUCH_USER}, password: {env: NO_SUCH}}\n"
    file, source = service.destination(tmp_path, more=auth), events(tmp_path, 2)
    secrets = {"NO_SUCH_USER": "u", "NO_SUCH": "p"}
    told(run("deliver", file, source, "-o", "json", **secrets))
    assert told(run("status", file, "-o", "json"))["delivered"] == 2
    assert len(run("outcomes", file, "-o", "json").stdout.splitlines()) == 2
    assert told(run("failures", file, "-o", "json")) == []
    refused = run("deliver", file, source)
    assert refused.returncode == 2
    assert "NO_SUCH_USER" in refused.stderr
    checked = run("check", file)
    assert checked.returncode == 0 and checked.stdout.count("warning E121") == 2


def test_an_address_from_the_environment_is_needed_even_to_read(service, tmp_path):
    file = service.destination(tmp_path, url="{env: HOOK_URL}")
    source = events(tmp_path, 2)
    where = {"HOOK_URL": f"{service.url}/in"}
    told(run("deliver", file, source, "-o", "json", **where))
    assert told(run("status", file, "-o", "json", **where))["delivered"] == 2
    assert "HOOK_URL" in run("status", file).stderr


def test_what_a_busy_service_refuses_at_first_is_delivered_in_the_same_run(service, tmp_path):
    """More records wait for their next try than a dispatcher holds: the run holds them."""
    seen = Counter()

    def busy_at_first(body):
        seen[body["n"]] += 1
        return 503 if seen[body["n"]] == 1 else 200

    service.answer = busy_at_first
    delivery = "max_in_flight: 2, retry: {wait_initial_s: 0.5, wait_max_s: 1}"
    file, source = service.destination(tmp_path, delivery=delivery), events(tmp_path, 60)
    report = fp.Destination.from_file(file).deliver(source)
    assert (report["delivered"], report["waiting"]) == (60, 0)
    assert set(seen.values()) == {2}
    rows = fp.Destination.from_file(file).outcomes()
    assert {row["attempts"] for row in rows} == {2}


def test_a_replayed_event_goes_through_todays_transforms_and_functions(service, tmp_path):
    service.answer = lambda _body: 400
    body = '{seen: {"@path": "$.seen"}}'
    file, source = service.destination(tmp_path, body=body), events(tmp_path, 2)
    fp.Destination.from_file(file).deliver(source)
    (tmp_path / "f.py").write_text(
        "def on_track(event, settings):\n    event['seen'] = sorted(event)\n    return event\n"
    )
    edited = file.read_text().replace(
        "{name: all,", '{name: all, transforms: [{drop_properties: {"": [n]}}],'
    )
    file.write_text(edited + "functions: f.py\n")
    service.answer = lambda _body: 200
    service.bodies.clear()
    assert fp.Destination.from_file(file).replay("1 = 1")["delivered"] == 2
    assert service.bodies == [{"seen": ["messageId", "traits", "type"]}] * 2
