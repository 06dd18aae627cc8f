"""Each mistake gets a clear message, a place, a hint and its exit code; the rest goes on."""

from __future__ import annotations

import json
import os

import pytest


def test_the_unknown_is_told_with_line_and_did_you_mean(recipe):
    file = recipe.dynamics()
    text = file.read_text().replace("enabled:", "enabld:").replace('"@path"', '"@pth"', 1)
    file.write_text(text)
    told = recipe.run("check", file, "--output", "json")
    assert told.returncode == 2
    errors = json.loads(told.stdout)["errors"]
    assert any("enabled" in e["hint"] and e["line"] == 3 for e in errors), errors


def test_mistakes_of_mappings_and_filters_have_their_places(recipe):
    file = recipe.dynamics()
    text = file.read_text().replace('"@path"', '"@pth"', 1).replace(" and event", " && event")
    file.write_text(text)
    told = recipe.run("check", file, "--output", "json")
    assert told.returncode == 2
    by_code = {e["code"]: e for e in json.loads(told.stdout)["errors"]}
    lines = text.splitlines()
    assert "@pth" in lines[by_code["E201"]["line"] - 1]
    assert "&&" in lines[by_code["E301"]["line"] - 1]
    assert '"@path"' in by_code["E201"]["hint"]
    assert recipe.run("deliver", file, recipe.events()).returncode == 2
    assert recipe.commits() == []


def test_a_missing_secret_is_named(recipe):
    file = recipe.dynamics()
    del recipe.environment["SECRET"]
    told = recipe.run("deliver", file, recipe.events())
    assert told.returncode == 2
    assert "SECRET" in told.stderr


@pytest.mark.parametrize("verb", ["test-connection", "deliver"])
def test_a_wrong_secret_is_a_sign_in_fault(recipe, verb):
    arguments = [recipe.events()] if verb == "deliver" else []
    told = recipe.run(verb, recipe.dynamics(), *arguments, SECRET="planted-wrong-secret")
    assert told.returncode == 3
    everything = told.stdout + told.stderr
    assert "AADSTS7000215" in everything
    assert "secret" in everything
    assert "planted-wrong-secret" not in everything


def test_an_unreachable_host_is_told(recipe):
    file = recipe.dynamics()
    recipe.write("none.yaml", file.read_text().replace("auth: ", "auth: {type: none}\nsettings: "))
    recipe.emulator.stop()
    recipe.emulator.stop = lambda: None
    for name in ("none.yaml", "dynamics.yaml"):
        told = recipe.run("test-connection", recipe.folder / name, "--output", "json")
        assert told.returncode == 5
        failed = [s for s in json.loads(told.stdout)["steps"] if s["ok"] is False]
        assert failed
        assert failed[0]["hint"]
    told = recipe.run("deliver", file, recipe.events())
    assert told.returncode == 5


def test_a_disabled_destination_refuses_and_says_what_to_do(recipe):
    file = recipe.dynamics()
    told = recipe.run("disable", file, "--output", "json")
    assert told.returncode == 0
    assert json.loads(told.stdout) == {"destination": "recipe-dynamics365", "enabled": False}
    told = recipe.run("deliver", file, recipe.events())
    assert told.returncode == 2
    assert "fieldpost enable" in told.stderr
    assert recipe.commits() == []
    told = recipe.run("enable", file)
    assert told.returncode == 0 and told.stdout.strip().endswith("dynamics.yaml: enabled")
    assert recipe.deliver(file, recipe.events(), expect=4)["delivered"] == 10


FAULTY = """
def on_track(event, settings):
    n = int(event["messageId"].split("-")[1])
    if n == 0:
        raise ValueError("a value of the event: " + event["properties"]["company"])
    if n == 4:
        return ["garbage"]
    if n == 8:
        return {"body": {1, 2}}
    if n == 12:
        return None
    if n == 16:
        event["body"] = None
        return event
    if n == 20:
        return event
    event["body"] = {"name": event["properties"]["company"]}
    return event
"""


def test_a_faulty_function_costs_only_its_own_events(recipe):
    file = recipe.webhook()
    recipe.write("accounts.py", FAULTY)
    counts = recipe.deliver(file, recipe.events(), expect=4)
    assert (counts["delivered"], counts["dropped"]) == (4, 1)
    rows = recipe.run("outcomes", file, "--output", "json").stdout.splitlines()
    by_id = {row["event_id"]: row for row in map(json.loads, rows)}
    assert by_id["m-0"]["code"] == "E411"
    assert "accounts.py:5" in by_id["m-0"]["message"]
    assert "Firm" not in by_id["m-0"]["message"]
    assert by_id["m-4"]["code"] == by_id["m-8"]["code"] == "E412"
    assert by_id["m-12"]["outcome"] == "dropped"
    assert by_id["m-20"]["code"] == "E403"  # the body is undefined
    assert by_id["m-20"]["outcome"] == "invalid"


def test_a_ledger_that_cannot_be_written_stops_before_anything_is_sent(recipe):
    told = recipe.run(
        "deliver", recipe.dynamics(), recipe.events(), "--ledger", "/proc/none/ledger.db"
    )
    assert told.returncode == 2
    assert "E701" in told.stderr
    assert "--ledger" in told.stderr
    assert recipe.commits() == []


def test_a_ledger_of_a_newer_version_is_refused(recipe):
    import sqlite3

    arguments = ("deliver", recipe.dynamics(), recipe.events(), "--ledger", "new.db")
    recipe.run(*arguments, "--limit", "1")
    with sqlite3.connect(recipe.folder / "new.db") as db:
        db.execute("PRAGMA user_version=999")
    db.close()
    told = recipe.run(*arguments)
    assert told.returncode == 2
    assert "newer" in told.stderr


def test_a_file_that_is_not_there_is_told(recipe):
    told = recipe.run("deliver", recipe.dynamics(), "nothing-*.ndjson")
    assert told.returncode == 2
    assert "nothing-*.ndjson" in told.stderr


def test_a_question_that_is_no_sql_is_told(recipe):
    file = recipe.dynamics()
    recipe.deliver(file, recipe.events(), expect=4)
    told = recipe.run("outcomes", file, "--where", "outcom = 1")
    assert told.returncode == 2
    assert "E703" in told.stderr
    drop = recipe.run("outcomes", file, "--where", "1) ; DROP TABLE outcomes; --")
    assert drop.returncode == 2
    assert len(recipe.run("outcomes", file, "--output", "json").stdout.splitlines()) == 14


def test_any_bytes_are_lines_with_outcomes(recipe):
    good = recipe._line(0).encode()
    lines = [
        b"\x00\x01",
        b"\xef\xbb\xbf{}",
        b'{"type":"\xff"}',
        b"[" * 5000,
        b'{"a":' * 3000,
        b'"text"',
        good,
        b"null",
        b'{"type": "track", "event": "Account Cre',
    ]
    path = recipe.folder / "bytes.ndjson"
    path.write_bytes(b"\r\n".join(lines))
    counts = recipe.deliver(recipe.dynamics(), path, expect=4)
    assert (counts["received"], counts["delivered"], counts["invalid"]) == (9, 1, 7)
    assert counts["filtered"] == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_file_is_not_disabled_in_silence(recipe):
    file = recipe.dynamics()
    file.chmod(0o400)
    recipe.folder.chmod(0o500)
    told = recipe.run("disable", file)
    recipe.folder.chmod(0o700)
    assert told.returncode == 2
