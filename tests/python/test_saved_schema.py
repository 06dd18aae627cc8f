"""The schema of a live environment: pulled over HTTP, kept, shown, compared."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex

import pytest

import fieldpost as fp
from fieldpost.destination_schema import findings
from fieldpost.dynamics.schema import Schema
from fieldpost.dynamics.web_api import WebApi
from fieldpost.inquiry import Inquiry
from recording_server import RecordingServer

TICKETS = """\
      new_name: {"@path": "$.properties.company"}
      new_tier: gold
      new_AccountId: {name: {"@path": "$.properties.company"}}
"""


def tickets(recipe, body=TICKETS, extra=""):
    file = recipe.dynamics(body, extra)
    file.write_text(file.read_text().replace("table: account", "table: new_ticket"))
    return file


def pulled(recipe, file, *arguments):
    told = recipe.run("schema", "pull", file, *arguments, "--output", "json")
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def signed_in(recipe, *sleep):
    inquiry = Inquiry(fp.Destination.from_file(recipe.dynamics()).config, *sleep)
    inquiry.sign_in()
    return WebApi(recipe.emulator.url, inquiry)


def drift(recipe, **order):
    recipe.control("schema", order)


def requests(recipe):
    return recipe.control("requests")["total"]


def test_a_pull_reads_the_tables_that_the_bodies_reach(recipe):
    file = recipe.dynamics()
    told = pulled(recipe, file)
    assert told["tables"] == ["account", "contact", "opportunity", "task"]
    assert (told["changed"], told["add"]) == (True, "schema: dynamics.schema.json")
    assert told["environment"] == recipe.emulator.url and told["version"]
    schema = Schema.load(recipe.folder / "dynamics.schema.json")
    assert schema.table("lead").partial and schema.table("lead").entity_set == "leads"
    assert schema.table("task").base == "activitypointer"
    assert schema.table("task").columns["subject"].max_length == 200
    assert schema.table("opportunity").columns["opportunityratingcode"].labels["Warm"] == 2
    assert recipe.commits() == []


def test_a_pulled_schema_makes_the_recipe_right_and_each_name_sure(recipe):
    file = recipe.dynamics(extra="schema: dynamics.schema.json\n")
    pulled(recipe, file)
    checked = json.loads(recipe.run("check", file, "--output", "json").stdout)
    assert checked == {"errors": [], "warnings": []}
    file.write_text(file.read_text().replace("firstname", "firstnam"))
    [mistake] = json.loads(recipe.run("check", file, "--output", "json").stdout)["errors"]
    assert (mistake["code"], mistake["hint"]) == ("E262", 'did you mean "firstname"?')


def test_names_that_are_gone_are_told_where_a_run_pauses_because_of_them(recipe):
    file = recipe.dynamics(extra="schema: dynamics.schema.json\n")
    pulled(recipe, file)
    drift(recipe, table="contact", column="firstname", drop=True)
    report = json.loads(recipe.run("deliver", file, recipe.events(4), "--output", "json").stdout)
    paused = report["subscriptions"]["New account"]["paused"]
    assert paused["code"] == "0x80048d19"
    assert "gone since the schema was pulled: contact.firstname;" in paused["action_needed"]
    # What it tells to do can be done as it stands, and shows the place.
    told = {}
    for command in re.findall("`fieldpost ([^`]+)`", paused["action_needed"]):
        run = recipe.run(*shlex.split(command))
        told[" ".join(command.split()[:-1])] = (run.returncode, run.stdout + run.stderr)
    assert [(name, code) for name, (code, _text) in told.items()] == [
        ("schema diff", 4),
        ("schema pull", 0),
        ("check", 2),
    ]
    assert "firstname" in told["schema diff"][1] and "New account" in told["schema diff"][1]
    assert f"{file}:" in told["check"][1] and "firstname" in told["check"][1]


def test_a_pause_because_of_names_says_how_to_look_where_nothing_was_pulled(recipe):
    drift(recipe, table="contact", column="firstname", drop=True)
    file = recipe.dynamics()
    before = requests(recipe)
    report = json.loads(recipe.run("deliver", file, recipe.events(5), "--output", "json").stdout)
    paused = report["subscriptions"]["New account"]["paused"]
    assert "gone" not in paused["action_needed"]
    for verb in ("schema pull", "check"):
        assert f"`fieldpost {verb} {file}`" in paused["action_needed"]
    assert requests(recipe) - before < 8  # nothing was asked about the tables


def test_a_pull_of_what_did_not_change_asks_for_the_version_alone(recipe):
    file = recipe.dynamics()
    pulled(recipe, file)
    before = requests(recipe)
    assert pulled(recipe, file)["changed"] is False
    assert requests(recipe) == before + 2  # and for a token
    drift(recipe, table="account", column="new_rank", add={"type": "integer"})
    assert pulled(recipe, file)["changed"] is True
    text = (recipe.folder / "dynamics.schema.json").read_text()
    assert '"new_rank": {"type": "whole"' in text


def test_a_pull_can_be_told_of_more_tables_and_keeps_them(recipe):
    file = recipe.dynamics(extra="schema: own.json\n")
    assert "lead" in pulled(recipe, file, "--table", "lead")["tables"]
    drift(recipe, table="account", column="new_rank", add={"type": "integer"})
    assert "lead" in pulled(recipe, file)["tables"]
    told = recipe.run("schema", "pull", file, "--table", "leed")
    assert told.returncode == 2 and 'did you mean "lead"?' in told.stderr


def test_all_tables_can_be_pulled(recipe):
    told = pulled(recipe, recipe.dynamics(), "--all")
    assert {"email", "systemuser", "new_ticket", "transactioncurrency"} <= set(told["tables"])


def test_a_table_of_ones_own_is_checked_and_delivered_by_its_schema(recipe):
    file = tickets(recipe)
    told = recipe.run("check", file)
    assert told.returncode == 2 and "schema pull" in told.stdout
    assert pulled(recipe, file)["tables"] == ["account", "new_ticket"]
    file = tickets(recipe, TICKETS.replace("gold", "100000002"), "schema: dynamics.schema.json\n")
    assert recipe.run("check", file).returncode == 0
    assert recipe.deliver(file, recipe.events(), expect=4)["delivered"] == 10
    assert [row["created"] for row in recipe.commits("new_ticket")] == [1] * 10
    assert [row["created"] for row in recipe.commits("account")] == [1] * 10


def test_the_keys_and_the_required_columns_of_an_environment_are_known(recipe):
    file = tickets(recipe)
    pulled(recipe, file, "--table", "campaign")
    schema = Schema.load(recipe.folder / "dynamics.schema.json")
    keys = {key.columns for key in schema.table("new_ticket").keys.values()}
    assert keys == {("new_key",), ("new_region", "new_code"), ("new_accountid", "new_n")}
    assert schema.table("campaign").columns["name"].required
    required = [c.name for c in schema.table("account").columns.values() if c.required]
    assert required == []


# -- show


def test_a_table_is_shown_without_any_environment(recipe):
    told = recipe.run("schema", "show", "account")
    assert told.returncode == 0
    lines = [" ".join(line.split()) for line in told.stdout.splitlines()]
    assert "account: set accounts, key accountid" in lines
    assert "name text up to 160" in lines
    assert "revenue money 0 to 100,000,000,000,000" in lines
    assert "opportunity_customer_accounts many of opportunity customerid_account" in lines
    assert "primarycontactid one of contact account_primary_contact" in lines


def test_a_table_is_shown_for_scripts(recipe):
    document = json.loads(recipe.run("schema", "show", "task", "--output", "json").stdout)
    columns = {one["name"]: one for one in document["columns"]}
    assert columns["subject"]["max_length"] == 200
    assert columns["scheduledend"]["edm"] == "Edm.DateTimeOffset"
    assert columns["prioritycode"]["choices"][0] == {"value": 0, "label": "Low"}
    navigation = {one["name"]: one for one in document["navigation"]}
    assert navigation["regardingobjectid_account_task"]["partner"] == "Account_Tasks"
    assert document["entity_set"] == "tasks" and document["keys"] == []


def test_a_table_is_shown_of_a_destination_or_of_a_file(recipe):
    file = tickets(recipe, extra="schema: dynamics.schema.json\n")
    pulled(recipe, file)
    for where in (file, recipe.folder / "dynamics.schema.json"):
        told = recipe.run("schema", "show", "new_ticket", where)
        assert "key new_ticket_key: new_key" in told.stdout
    told = recipe.run("schema", "show", "contact", file)
    assert told.returncode == 2 and "there are account, new_ticket" in told.stderr


# -- diff


def test_a_diff_tells_what_changed_and_what_it_breaks(recipe):
    file = recipe.dynamics(extra="schema: dynamics.schema.json\n")
    pulled(recipe, file)
    told = recipe.run("schema", "diff", file)
    assert (told.returncode, told.stdout) == (0, "nothing changed\n")
    drift(recipe, table="account", column="websiteurl", length=50)
    told = recipe.run("schema", "diff", file)
    assert told.returncode == 0
    assert told.stdout == "column account.websiteurl: max_length 200 → 50\n"
    drift(recipe, table="contact", column="lastname", drop=True)
    told = recipe.run("schema", "diff", file, "--output", "json")
    assert told.returncode == 4
    document = json.loads(told.stdout)
    texts = [one["text"] for one in document["changes"]]
    assert texts == [
        "column account.websiteurl: max_length 200 → 50",
        "column contact.lastname removed",
    ]
    [broken] = document["broken"]["New account"]
    assert broken["code"] == "E262" and broken["path"].endswith("primarycontactid.lastname")
    assert "breaks New account" in recipe.run("schema", "diff", file).stdout


def test_a_diff_does_not_tell_of_what_was_wrong_before(recipe):
    body = '      industrycode: Acounting\n      nam: {"@path": "$.a"}\n'
    file = recipe.dynamics(body, "schema: dynamics.schema.json\n")
    pulled(recipe, file)
    schema = Schema.load(recipe.folder / "dynamics.schema.json")
    account = schema.tables["account"]
    columns = {name: one for name, one in account.columns.items() if name != "name"}
    code = columns["industrycode"]
    columns["industrycode"] = dataclasses.replace(code, choices={**code.choices, 990: "More"})
    columns["nbm"] = dataclasses.replace(code, name="nbm")
    changed = {**schema.tables, "account": dataclasses.replace(account, columns=columns)}
    Schema(changed, schema.environment, "9").save(recipe.folder / "other.json")
    hints = [
        [one.hint for one in findings(fp.Destination.from_file(file).config.reading, one).mistakes]
        for one in (schema, Schema.load(recipe.folder / "other.json"))
    ]
    assert hints[0] != hints[1]
    told = recipe.run("schema", "diff", file, "other.json", "--output", "json")
    assert told.returncode == 0, told.stdout
    document = json.loads(told.stdout)
    assert len(document["changes"]) == 3 and document["broken"] == {}


def test_a_diff_with_a_saved_file_asks_nobody(recipe):
    file = recipe.dynamics(extra="schema: dynamics.schema.json\n")
    pulled(recipe, file)
    schema = Schema.load(recipe.folder / "dynamics.schema.json")
    account = schema.tables["account"]
    columns = {name: one for name, one in account.columns.items() if name != "name"}
    changed = {**schema.tables, "account": dataclasses.replace(account, columns=columns)}
    del changed["task"]
    Schema(changed, schema.environment, "9").save(recipe.folder / "other.json")
    before = requests(recipe)
    told = recipe.run("schema", "diff", file, "other.json")
    assert requests(recipe) == before
    assert told.returncode == 4
    assert "column account.name removed" in told.stdout and "table task removed" in told.stdout


def test_a_change_of_a_choice_is_told_by_its_label(recipe):
    file = recipe.dynamics(extra="schema: dynamics.schema.json\n")
    schema = Schema.standard()
    Schema(schema.tables, "https://a.example").save(recipe.folder / "dynamics.schema.json")
    task = schema.tables["task"]
    priority = dataclasses.replace(task.columns["prioritycode"], choices={0: "Low", 1: "Usual"})
    changed = dataclasses.replace(task, columns={**task.columns, "prioritycode": priority})
    other = Schema({**schema.tables, "task": changed}, "https://a.example")
    told = fp.Destination.from_file(file).saved_schema.diff(other)
    assert told and [str(one) for one in told.changes] == [
        "column task.prioritycode: choice 1 Normal → Usual",
        "column task.prioritycode: choice 2 High → nothing",
    ]


def test_a_diff_without_a_saved_schema_tells_what_to_do(recipe):
    told = recipe.run("schema", "diff", recipe.dynamics())
    assert told.returncode == 2 and "schema pull" in told.stderr


# -- trouble on the way


def test_a_pull_into_a_folder_that_is_not_there_is_told(recipe):
    file = recipe.dynamics(extra="schema: none/dynamics.schema.json\n")
    told = recipe.run("schema", "pull", file)
    assert told.returncode == 2, told.stderr
    assert "E260" in told.stderr
    assert "none/dynamics.schema.json" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_webhook_has_no_schema_to_pull(recipe):
    told = recipe.run("schema", "pull", recipe.webhook())
    assert told.returncode == 2 and "E115" in told.stderr


def test_an_environment_that_is_not_there_is_told_as_such(recipe):
    file = recipe.dynamics()
    file.write_text(
        file.read_text().replace(f"url: {recipe.emulator.url}\nsub", "url: http://127.0.0.1:9\nsub")
    )
    told = recipe.run("schema", "pull", file)
    assert told.returncode == 5 and "E501" in told.stderr
    assert not (recipe.folder / "dynamics.schema.json").exists()


def test_a_refused_sign_in_is_told_as_such(recipe):
    told = recipe.run("schema", "pull", recipe.dynamics(), SECRET="wrong")
    assert told.returncode == 3


@pytest.mark.parametrize(("fault", "waited"), [({"retry_after_s": 7}, [7.0]), ({}, [1.0])])
def test_a_busy_service_is_asked_again_when_it_says(recipe, fault, waited):
    status = 429 if fault else 503
    recipe.control("faults", {"match": {"path": "WhoAmI"}, "status": status, "times": 1, **fault})
    slept = []
    api = signed_in(recipe, slept.append)
    assert json.loads(api.read("WhoAmI"))["UserId"]
    assert slept == waited


def test_a_service_that_stays_busy_is_given_up(recipe):
    recipe.control("faults", {"match": {"path": "WhoAmI"}, "status": 503, "times": 5})
    slept = []
    api = signed_in(recipe, slept.append)
    with pytest.raises(fp.FieldpostError, match="E505 HTTP 503"):
        api.read("WhoAmI")
    assert slept == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("answer", [None, (500, {}, b"")])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_lost_answer_and_a_failure_are_asked_again_where_it_only_reads(recipe, answer, method):
    def failing(_received):
        return answer if len(server.requests) == 1 else (200, {}, b"{}")

    slept = []
    config = fp.Destination.from_file(recipe.dynamics()).config
    with RecordingServer(failing) as server:
        told = Inquiry(config, slept.append).ask(method, server.url)
    again = method == "GET"
    assert told.status == (200 if again else answer[0] if answer else 0)
    assert (len(server.requests), slept) == ((2, [1.0]) if again else (1, []))


def test_a_pull_survives_a_lost_connection(recipe):
    cut = {"match": {"path": "EntityDefinitions"}, "times": 1, "close": True}
    recipe.control("faults", [cut])
    pulled(recipe, recipe.dynamics())


def test_what_cannot_be_reached_is_asked_once(recipe):
    slept = []
    config = fp.Destination.from_file(recipe.dynamics()).config
    told = Inquiry(config, slept.append).ask("GET", "http://127.0.0.1:9/")
    assert (told.fault, slept) == ("unreachable", [])


def test_a_token_that_ran_out_is_replaced_once(recipe):
    recipe.control("faults", {"match": {"path": "WhoAmI"}, "status": 401, "times": 1})
    api = signed_in(recipe)
    assert json.loads(api.read("WhoAmI"))["UserId"]
    recipe.control("faults", {"match": {"path": "WhoAmI"}, "status": 401, "times": 2})
    with pytest.raises(fp.AuthError, match="E605"):
        api.read("WhoAmI")


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b"[]", b""])
def test_an_answer_that_is_no_metadata_is_told(recipe, body):
    with RecordingServer(lambda _: (200, {}, body)) as server:
        file = recipe.dynamics()
        written = file.read_text().replace(f"url: {recipe.emulator.url}\n", f"url: {server.url}\n")
        file.write_text(written)
        told = recipe.run("schema", "pull", file)
    assert told.returncode == 2 and "E261" in told.stderr


def test_a_file_that_is_no_schema_is_not_written_over_and_says_what_to_do(recipe):
    file = recipe.dynamics()
    recipe.write("dynamics.schema.json", "{broken")
    for words in (["check"], ["schema", "pull"], ["schema", "diff"]):
        told = recipe.run(*words, file)
        assert told.returncode == 2
        assert "E260" in told.stdout + told.stderr
        assert "delete it and write it anew: `fieldpost schema pull" in told.stdout + told.stderr
    assert (recipe.folder / "dynamics.schema.json").read_text() == "{broken"
    (recipe.folder / "dynamics.schema.json").unlink()
    told = recipe.run("schema", "diff", file)
    assert (told.returncode, f"`fieldpost schema pull {file}`" in told.stderr) == (2, True)


def test_a_table_that_is_misspelt_is_suggested(recipe):
    told = recipe.run("schema", "show", "acount")
    assert told.returncode == 2
    assert 'did you mean "account"?' in told.stderr
