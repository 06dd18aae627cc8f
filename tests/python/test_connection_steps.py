"""`test-connection`: named steps, each with what to do; nothing written without --send."""

from __future__ import annotations

import json
import socket
import uuid

import pytest

import fieldpost as fp
from emulator_client import Api
from fieldpost.emulator import Emulator
from recipe import Recipe
from recording_server import RecordingServer

NAMES = ["address", "tls", "token", "who am i", "application user", "privileges", "schema"]


def steps(told):
    return {step["name"]: step for step in json.loads(told.stdout)["steps"]}


def probed(recipe, *options, file=None):
    """(exit code, steps by name)"""
    file = file or recipe.dynamics()
    told = recipe.run("test-connection", file, *options, "--output", "json")
    return told.returncode, steps(told)


def sample(recipe, company="Sample Account"):
    event = {"type": "track", "event": "Account Created", "messageId": "sample-1"}
    event["properties"] = {"company": company, "first": "John", "last": "Smith"}
    return recipe.write("sample.json", json.dumps(event))


def all_commits(recipe):
    return recipe.control("commits")["commits"]


def register(recipe, **order):
    with Api(recipe.emulator) as api:
        api.control("POST", "applications", order)


def test_the_steps_pass_and_write_nothing(recipe):
    code, seen = probed(recipe)
    assert code == 0, seen
    assert [seen[name]["ok"] for name in NAMES] == [True, None, True, True, True, True, True]
    assert seen["sample"]["ok"] is None
    assert "# fieldpost, application" in seen["application user"]["detail"]
    assert "System Administrator" in seen["application user"]["detail"]
    assert seen["privileges"]["detail"] == (
        "New account: account Create Read Append AppendTo, contact AppendTo Create Read, "
        "opportunity Append Create Read AppendTo, task Append Create Read"
    )
    code, seen = probed(recipe, file=recipe.webhook())
    assert code == 0
    assert [seen[name]["ok"] for name in NAMES] == [True, None, True, None, None, None, None]
    assert recipe.commits() == []


@pytest.mark.parametrize("name", ["acount", "new_nothere", "a' or 1 eq 1", "é & x"])
def test_a_table_that_the_environment_does_not_have_is_told(recipe, name):
    file = recipe.dynamics()
    file.write_text(file.read_text().replace("table: account", f"table: {json.dumps(name)}"))
    code, seen = probed(recipe, "--send", file=file)
    assert code == 2
    assert seen["schema"]["ok"] is False and seen["sample"]["ok"] is None
    assert (
        f"the environment has no table {json.dumps(name, ensure_ascii=False)}"
        in (seen["schema"]["detail"])
    )
    assert ('did you mean "account"' in seen["schema"]["detail"]) == (name == "acount")
    assert all_commits(recipe) == []


def test_bodies_are_held_against_the_environment_as_it_is(recipe):
    body = '      name: {"@path": "$.properties.company"}\n      new_tier: gold\n      fax: "1"\n'
    recipe.control("schema", {"table": "account", "column": "fax", "drop": True})
    code, seen = probed(recipe, file=recipe.dynamics(body))
    assert code == 2
    assert seen["schema"]["ok"] is False
    assert "new_tier" in seen["schema"]["detail"]
    assert "fax" in seen["schema"]["detail"]
    assert "schema pull" in seen["schema"]["hint"]
    add = {"type": "text", "length": 20}
    recipe.control("schema", {"table": "account", "column": "new_tier", "add": add})
    recipe.control("schema", {"table": "account", "column": "fax", "add": add})
    code, seen = probed(recipe, file=recipe.dynamics(body))
    assert code == 0, seen


def test_every_step_has_its_four_keys(recipe):
    told = recipe.run("test-connection", recipe.dynamics(), "--output", "json")
    for step in json.loads(told.stdout)["steps"]:
        assert list(step) == ["name", "ok", "detail", "hint"]


def test_nobody_answers_at_the_address(recipe):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = recipe.dynamics()
    file.write_text(
        file.read_text().replace(
            f"url: {recipe.emulator.url}\nsub", f"url: http://127.0.0.1:{port}\nsub"
        )
    )
    code, seen = probed(recipe, file=file)
    assert code == 5
    assert seen["address"]["ok"] is False
    assert "does this machine reach it" in seen["address"]["hint"]
    assert {seen[name]["ok"] for name in NAMES[1:]} == {None}


def test_a_certificate_that_nobody_trusts(tmp_path):
    with Emulator(tls=True) as emulator:
        recipe = Recipe(tmp_path, emulator)
        code, seen = probed(recipe)
        assert code == 0, seen
        assert seen["tls"]["ok"] is True
        file = recipe.dynamics()
        file.write_text(file.read_text().replace(f"ca_file: {emulator.ca_file}\n", ""))
        code, seen = probed(recipe, file=file)
    assert code == 5
    assert [seen[name]["ok"] for name in NAMES[:3]] == [True, False, None]
    assert "ca_file" in seen["tls"]["hint"]


def test_a_wrong_secret_fails_at_the_token(recipe):
    recipe.environment["SECRET"] = "wrong"
    code, seen = probed(recipe)
    assert code == 3
    assert seen["token"]["ok"] is False
    assert "7000215" in seen["token"]["detail"]
    assert seen["who am i"]["ok"] is None


@pytest.mark.parametrize(
    ("order", "detail", "hint"),
    [
        ({"member": False}, "has no application user", "New app user"),
        ({"disabled": True}, "is disabled", "enable it"),
        ({"roles": 0}, "has no security role", "Edit security roles"),
    ],
)
def test_a_user_that_may_do_nothing_is_told_apart(recipe, order, detail, hint):
    register(recipe, **order)
    code, seen = probed(recipe)
    assert code == 3
    assert [seen[name]["ok"] for name in NAMES[2:]] == [True, False, False, None, None]
    assert detail in seen["application user"]["detail"]
    assert recipe.emulator.client_id in seen["application user"]["detail"]
    assert hint in seen["application user"]["hint"]


def test_a_token_that_the_environment_does_not_take(recipe):
    file = recipe.dynamics()
    text = file.read_text()
    bearer = "auth: {type: bearer, token: {env: STALE}}\n"
    lines = [bearer if one.startswith("auth:") else one for one in text.splitlines(True)]
    file.write_text("".join(lines))
    recipe.environment["STALE"] = "of-another-environment"
    code, seen = probed(recipe, file=file)
    assert code == 3
    assert [seen[name]["ok"] for name in NAMES[2:]] == [True, False, None, None, None]
    assert "refuses the credentials" in seen["who am i"]["detail"]
    assert seen["who am i"]["hint"]


@pytest.mark.parametrize(
    ("denied", "named"),
    [
        (["prvCreateAccount"], "prvCreateAccount"),
        (["prvCreateActivity"], "prvCreateActivity"),
        (["prvAppendToOpportunity"], "prvAppendToOpportunity"),
        (["prvReadAccount", "prvAppendAccount"], "prvReadAccount, prvAppendAccount"),
    ],
)
def test_missing_privileges_are_named_before_anything_is_sent(recipe, denied, named):
    register(recipe, deny=denied)
    code, seen = probed(recipe, "--send", "--sample", sample(recipe))
    assert code == 3
    assert seen["privileges"]["ok"] is False
    assert seen["privileges"]["detail"] == f"New account lacks {named}"
    assert "security role" in seen["privileges"]["hint"]
    assert seen["sample"]["ok"] is None
    assert recipe.commits() == []
    # What the step foretells is what the service does.
    told = recipe.run("deliver", recipe.dynamics(), recipe.events(4), "--output", "json")
    assert json.loads(told.stdout)["delivered"] == 0
    assert "0x80040220" in told.stderr


def test_a_privilege_that_no_body_needs_is_not_asked_for(recipe):
    register(recipe, deny=["prvCreateLead", "prvDeleteAccount", "prvWriteContact"])
    code, seen = probed(recipe)
    assert code == 0, seen
    assert recipe.deliver(recipe.dynamics(), recipe.events(4))["delivered"] == 1


def test_privileges_that_cannot_be_asked_for_are_no_failure(recipe):
    with Api(recipe.emulator) as api:
        fault = {"match": {"path": "RetrieveUserPrivileges"}, "status": 400, "times": 5}
        api.control("POST", "faults", fault)
    code, seen = probed(recipe)
    assert code == 0
    assert seen["privileges"]["ok"] is None
    assert "--send" in seen["privileges"]["hint"]


def test_a_sample_is_sent_once_and_read_back(recipe):
    for _ in range(2):
        code, seen = probed(recipe, "--send", "--sample", sample(recipe))
        assert code == 0, seen
        assert seen["read back"]["ok"] is True
        address = seen["read back"]["detail"]
        assert address.startswith(
            f"{recipe.emulator.url}/main.aspx?etn=account&pagetype=entityrecord&id="
        )
    assert recipe.trees_are_whole(1)


def test_a_sample_is_deleted_again(recipe):
    for times in (1, 2):
        code, seen = probed(recipe, "--send", "--sample", sample(recipe), "--delete")
        assert code == 0, seen
        assert (seen["read back"]["ok"], seen["delete"]["ok"]) == (True, True)
        rows = all_commits(recipe)
        assert len(rows) == 4
        assert {(row["created"], row["deleted"]) for row in rows} == {(times, times)}


def test_a_run_delivers_the_event_of_a_sample_to_the_same_row(recipe):
    code, seen = probed(recipe, "--send", "--sample", sample(recipe))
    assert code == 0, seen
    told = recipe.deliver(recipe.dynamics(), recipe.folder / "sample.json", "--limit", 1)
    assert (told["delivered"], told["already_delivered"]) == (1, 0)
    assert recipe.trees_are_whole(1)


def test_a_run_makes_again_what_was_deleted_with_the_sample(recipe):
    code, seen = probed(recipe, "--send", "--sample", sample(recipe), "--delete")
    assert code == 0, seen
    told = recipe.deliver(recipe.dynamics(), recipe.folder / "sample.json", "--limit", 1)
    assert (told["delivered"], told["already_delivered"]) == (1, 0)
    assert sum(not row["deleted"] for row in all_commits(recipe)) == 0
    assert {(row["created"], row["deleted"]) for row in all_commits(recipe)} == {(2, 1)}


def test_a_webhook_that_would_take_a_sample_twice_gets_it_once(recipe):
    code, seen = probed(recipe, "--send", "--sample", sample(recipe), file=recipe.webhook())
    assert code == 0, seen
    told = recipe.deliver(recipe.webhook(), recipe.folder / "sample.json", "--limit", 1)
    assert (told["delivered"], told["already_delivered"]) == (0, 1)


def test_a_sample_is_read_back_and_deleted_whatever_names_it(recipe):
    event = {"type": "track", "event": "Account Created", "properties": {"no": 7, "company": "A"}}
    file = recipe.write("sample.json", json.dumps(event))
    destination = recipe.dynamics('      name: {"@path": "$.properties.company"}\n')
    destination.write_text("event_id: {'@path': $.properties.no}\n" + destination.read_text())
    code, seen = probed(recipe, "--send", "--sample", file, "--delete", file=destination)
    assert code == 0, seen
    assert (seen["read back"]["ok"], seen["delete"]["ok"]) == (True, True)


def test_rows_that_were_there_are_not_deleted_with_the_sample(recipe):
    other = recipe.deliver(recipe.dynamics(), recipe.events(8))
    assert other["delivered"] == 2
    code, seen = probed(recipe, "--send", "--sample", sample(recipe), "--delete")
    assert code == 0, seen
    assert sum(not row["deleted"] for row in all_commits(recipe)) == 8


def test_rows_that_a_run_made_are_not_deleted_with_a_sample_of_its_event(recipe):
    file = sample(recipe)
    assert recipe.deliver(recipe.dynamics(), file)["delivered"] == 1
    code, seen = probed(recipe, "--send", "--sample", file, "--delete")
    assert code == 0, seen
    assert seen["delete"]["ok"] is None
    assert "a run knows the event, which is delivered" in seen["delete"]["detail"]
    assert recipe.trees_are_whole(1)


def test_rows_that_another_ledger_made_are_not_deleted_with_a_sample(recipe):
    file = sample(recipe)
    other = recipe.folder / "other.db"
    assert recipe.deliver(recipe.dynamics(), file, "--ledger", other)["delivered"] == 1
    code, seen = probed(recipe, "--send", "--sample", file, "--delete")
    assert code == 0, seen
    assert (seen["delete"]["ok"], seen["delete"]["detail"]) == (
        None,
        "nothing that the sample made",
    )
    assert recipe.trees_are_whole(1)


def test_of_an_upsert_only_the_rows_that_were_not_there_are_deleted(recipe):
    file, account = sample(recipe), str(uuid.uuid4())
    destination = recipe.dynamics()
    text = destination.read_text().replace("action: create\n", "action: upsert\n")
    text = text.replace("    body:\n", f"    key: {{accountid: '{account}'}}\n    body:\n")
    destination.write_text(text)
    with Api(recipe.emulator) as api:
        assert api.patch(f"accounts({account})", {"name": "Was there"}).status_code == 204
    code, seen = probed(recipe, "--send", "--sample", file, "--delete", file=destination)
    assert code == 0, seen
    assert seen["delete"]["ok"] is True, seen
    assert "accounts" not in seen["delete"]["detail"]
    assert [row["deleted"] for row in recipe.commits()] == [0]
    assert [row["deleted"] for row in recipe.commits("opportunity")] == [1]


def test_a_sample_that_cannot_be_deleted_is_told(recipe):
    register(recipe, deny=["prvDeleteAccount"])
    code, seen = probed(recipe, "--send", "--sample", sample(recipe), "--delete")
    assert code == 4
    assert "prvDeleteAccount" in seen["delete"]["detail"]
    assert "by hand" in seen["delete"]["hint"]


def test_a_sample_without_send_is_only_mapped(recipe):
    code, seen = probed(recipe, "--sample", sample(recipe), file=recipe.webhook())
    assert code == 0
    assert "POST" in seen["sample"]["detail"]
    assert recipe.commits() == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[1]", "no object"),
        ("null", "no object"),
        ('{"type": "track"}\n{"type": "page"}\n', "several lines"),
        ("\n", "it is empty"),
        ("{", "no JSON"),
        (None, "No such file"),
    ],
)
def test_a_sample_is_one_object(recipe, text, why):
    file = recipe.folder / "sample.json"
    if text is not None:
        file.write_text(text)
    told = recipe.run("test-connection", recipe.dynamics(), "--sample", file)
    assert told.returncode == 2
    assert "E802" in told.stderr
    assert why in told.stderr
    assert "Traceback" not in told.stderr


def test_what_was_not_sent_is_not_deleted(recipe):
    told = recipe.run("test-connection", recipe.dynamics(), "--sample", sample(recipe), "--delete")
    assert told.returncode == 2
    assert "E174" in told.stderr
    assert "--send" in told.stderr


def test_a_sample_that_no_subscription_wants_fails(recipe):
    other = recipe.write("other.json", '{"type": "page"}')
    code, seen = probed(recipe, "--send", "--sample", other)
    assert code == 4
    assert seen["sample"]["ok"] is False


def test_a_sample_that_is_refused_fails_with_the_reason_and_goes_through_once_mended(recipe):
    long = sample(recipe, "x" * 161)
    code, seen = probed(recipe, "--send", "--sample", long)
    assert code == 4
    assert "0x80044331" in seen["sample"]["detail"]
    assert seen["sample"]["hint"]
    code, seen = probed(recipe, "--send", "--sample", sample(recipe))
    assert code == 0, seen


def test_the_steps_show_in_a_notebook(recipe, monkeypatch):
    for name, value in recipe.environment.items():
        monkeypatch.setenv(name, value)
    tested = fp.Destination.from_file(recipe.dynamics()).test_connection()
    assert tested
    assert "<td>who am i</td>" in tested._repr_html_()


def test_a_web_page_is_not_taken_for_the_web_api(recipe):
    page = (200, {"Content-Type": "text/html"}, b"<html>Sign in</html>")
    with RecordingServer(lambda _request: page) as server:
        file = recipe.dynamics()
        file.write_text(
            file.read_text().replace(f"url: {recipe.emulator.url}\n", f"url: {server.url}\n")
        )
        code, seen = probed(recipe, file=file)
        assert code == 5
        assert "none of the Web API" in seen["who am i"]["detail"]
        told = recipe.run("preview", file, recipe.events(1), "--diff")
        assert (told.returncode, told.stdout) == (5, "")
        assert "none of the Web API" in told.stderr
