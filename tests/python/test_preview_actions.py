"""`preview --diff` and `test-connection` of upserts, updates, deletes and associations."""

from __future__ import annotations

import json

import pytest

import fieldpost as fp
from emulator_client import Api

SOMEBODY = "00000000-0000-4000-8000-00000000000c"
PERSON = 'key: {"@path": "$.userId"}'


@pytest.fixture(name="destination")
def fixture_destination(recipe, monkeypatch):
    """Makes destinations of subscriptions."""
    for name, value in recipe.environment.items():
        monkeypatch.setenv(name, value)

    def make(*subscriptions, name="dynamics.yaml", delivery="{}", more=""):
        text = recipe.head("dynamics365") + f"url: {recipe.emulator.url}\n{more}subscriptions:\n"
        for number, one in enumerate(subscriptions):
            text += f"  - {{name: s{number}, filter: all, {one}}}\n"
        text += f'delivery: {delivery}\nevent_id: {{"@path": "$.messageId"}}\n'
        return fp.Destination.from_file(recipe.write(name, text))

    return make


def upsert(body='{name: {"@path": "$.name"}}', more=""):
    return f"action: upsert, table: account, {PERSON}, body: {body}{more}"


def events(*rows):
    return [{"type": "track", "messageId": f"m{n}", **row} for n, row in enumerate(rows)]


def effects(preview):
    return [row.effect for row in preview]


def changes(preview):
    return [[tuple(change) for change in row.changes] for row in preview]


def test_an_upsert_makes_a_row_and_then_changes_what_differs(destination):
    dest = destination(upsert())
    some = events({"userId": "u1", "name": "A"}, {"userId": "u1", "name": "B"}, {"userId": "u2"})
    told = dest.preview(some, limit=10, diff=True)
    assert effects(told) == ["create", "update", "create"]
    assert changes(told)[:2] == [[("name", None, "A")], [("name", "A", "B")]]
    report = dest.deliver(some, progress=False)
    assert report["delivered"] == 3
    again = events({"userId": "u1", "name": "B"}, {"userId": "u1", "name": "C"})
    told = dest.preview(again, limit=10, diff=True)
    assert effects(told) == ["nothing", "update"]
    assert changes(told)[1] == [("name", "B", "C")]
    assert told.counts["update"] == 1


def test_what_an_upsert_foretells_is_what_it_does(destination, recipe):
    dest = destination(upsert())
    first = events({"userId": "u1", "name": "A"}, {"userId": "u2", "name": "A"})
    dest.deliver(first, progress=False)
    later = [
        {"type": "track", "messageId": f"n{n}", "userId": f"u{n}", "name": "B"} for n in range(4)
    ]
    told = dest.preview(later, limit=10, diff=True)
    dest.deliver(later, progress=False)
    rows = recipe.commits()
    assert told.counts["create"] == sum(row["updated"] == 0 for row in rows)
    assert told.counts["update"] == sum(row["updated"] == 1 for row in rows)


def test_an_update_of_a_row_that_is_not_there_is_refused(destination):
    dest = destination(f'action: update, table: account, {PERSON}, body: {{name: "B"}}')
    made = destination(upsert(), name="maker.yaml")
    made.deliver(events({"userId": "u1", "name": "A"}), progress=False)
    told = dest.preview(events({"userId": "u1"}, {"userId": "u9"}), limit=10, diff=True)
    assert effects(told) == ["update", "refuse"]
    assert told[1].code == "0x80040217"


def test_a_preview_says_invalid_as_a_delivery_does(destination):
    dest = destination(upsert('{name: {"@path": "$.name"}, industrycode: {"@path": "$.code"}}'))
    some = events({"name": "A"}, {"userId": "u", "code": "nothing"}, {"userId": "u", "name": "A"})
    shown = dest.preview(some, limit=10)
    told = [(row.outcome, row.code) for row in shown]
    assert told == [("invalid", "E517"), ("invalid", "E518"), ("would send", "")]
    diff = dest.preview(some, 10, diff=True)
    assert effects(diff) == ["refuse", "refuse", "create"]
    assert [row.requests for row in diff] == [0, 0, 1]
    assert (diff.plan.records, diff.plan.requests, diff.plan.refused) == (1, 1, 2)
    dry = dest.deliver(some, dry_run=True)
    assert (dry["invalid"], dry["waiting"]) == (2, 1)
    dest.deliver(some, progress=False)
    rows = sorted(dest.outcomes("outcome <> 'delivered'"), key=lambda row: row["code"])
    assert [(row["outcome"], row["code"]) for row in rows] == told[:2]


def test_a_delete_deletes_what_is_there(destination):
    dest = destination(f"action: delete, table: account, {PERSON}")
    made = destination(upsert(), name="maker.yaml")
    made.deliver(events({"userId": "u1", "name": "A"}), progress=False)
    told = dest.preview(events({"userId": "u1"}, {"userId": "u1"}, {"userId": "u9"}), 10, diff=True)
    assert effects(told) == ["delete", "nothing", "nothing"]


def test_a_tree_is_judged_as_a_whole(destination, recipe):
    body = '{name: {"@path": "$.name"}, Account_Tasks: [{subject: Call}]}'
    dest = destination(upsert(body))
    some = events({"userId": "u1", "name": "A"})
    told = dest.preview(some, diff=True)
    assert effects(told) == ["create"]
    assert {change[0] for change in changes(told)[0]} >= {"name"}
    assert dest.deliver(some, progress=False)["delivered"] == 1
    assert effects(dest.preview(some, diff=True)) == ["nothing"]


def test_an_association_is_shown(destination):
    one = (
        f"action: associate, table: account, {PERSON}, relationship: contact_customer_accounts,"
        ' to: {table: contact, key: {"@path": "$.contact"}}'
    )
    told = destination(one).preview(events({"userId": "u1", "contact": "c1"}), diff=True)
    assert effects(told) == ["refuse"]
    made = destination(upsert(), name="maker.yaml")
    made.deliver(events({"userId": "u1", "name": "A"}), progress=False)
    told = destination(one).preview(events({"userId": "u1", "contact": "c1"}), diff=True)
    assert effects(told) == ["refuse"]
    people = f"action: upsert, table: contact, {PERSON}, body: {{lastname: a}}"
    made = destination(people, name="maker.yaml")
    made.deliver(events({"userId": "c1", "messageId": "other"}), progress=False)
    told = destination(one).preview(events({"userId": "u1", "contact": "c1"}), diff=True)
    assert effects(told) == ["update"]


@pytest.mark.parametrize("batching", ["batch", "bulk", "auto"])
def test_packed_records_are_shown_one_by_one(destination, batching):
    dest = destination(upsert(), delivery=f"{{batching: {batching}}}")
    some = events({"userId": "u1", "name": "A"}, {"userId": "u2", "name": "A"})
    told = dest.preview(some, limit=10, diff=True)
    assert effects(told) == ["create", "create"]
    assert told.plan.requests == 1


def privileges(tested):
    return next(step for step in tested if step.name == "privileges")


@pytest.mark.parametrize(
    ("one", "denied"),
    [
        (upsert(), "prvWriteAccount"),
        (upsert(), "prvCreateAccount"),
        (upsert(more=", bypass: [sync]"), "prvBypassCustomBusinessLogic"),
        (upsert(more=f', impersonate: "{SOMEBODY}"'), "prvActOnBehalfOfAnotherUser"),
        (f"action: delete, table: account, {PERSON}", "prvDeleteAccount"),
        (f"action: update, table: account, {PERSON}, body: {{name: a}}", "prvWriteAccount"),
        (
            f"action: associate, table: account, {PERSON}, relationship: contact_customer_accounts,"
            " to: {table: contact, key: a}",
            "prvAppendContact",
        ),
    ],
)
def test_each_action_tells_the_privileges_that_it_lacks(destination, recipe, one, denied):
    dest = destination(one)
    assert privileges(dest.test_connection()).ok
    with Api(recipe.emulator) as api:
        api.control("POST", "applications", {"deny": [denied]})
    assert denied in privileges(dest.test_connection()).detail


def test_a_sample_that_changed_a_row_is_not_deleted(destination, recipe):
    dest = destination(upsert())
    dest.deliver(events({"userId": "u1", "name": "A"}), progress=False)
    sample = {"type": "track", "messageId": "sample", "userId": "u1", "name": "B"}
    tested = dest.test_connection(send=True, sample=sample, delete=True)
    seen = {step.name: step for step in tested}
    assert seen["read back"].ok
    assert seen["delete"].ok is None
    new = sample | {"messageId": "other", "userId": "u2"}
    tested = dest.test_connection(send=True, sample=new, delete=True)
    assert {step.name: step.ok for step in tested}["delete"] is True
    assert [row["deleted"] for row in recipe.commits()] in ([0, 1], [1, 0])


def test_the_command_line_shows_before_and_after(destination, recipe):
    dest = destination(upsert())
    dest.deliver(events({"userId": "u1", "name": "A"}), progress=False)
    line = json.dumps(events({"userId": "u1", "name": "B"})[0] | {"messageId": "later"})
    source = recipe.write("one.ndjson", line + "\n")
    told = recipe.run("preview", recipe.folder / "dynamics.yaml", source, "--diff")
    assert told.returncode == 0, told.stderr
    assert "name: 'A' → 'B'" in told.stdout
    assert "1 compared: 1 update" in told.stdout


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_change_set_is_shown_in_its_parts(recipe, output):
    file = recipe.dynamics()
    text = file.read_text().replace(
        "action: create", "action: upsert\n    key: {'@path': $.messageId}"
    )
    file.write_text(text)
    told = recipe.run("preview", file, recipe.events(4), "--output", output)
    assert told.returncode == 0, told.stderr
    assert "/api/data/v9.2/$batch" in told.stdout
    assert "Content-Type: application/http" in told.stdout
    assert '"Firm 0"' in told.stdout.replace("\\", "")


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_body_that_is_no_json_is_shown_as_it_is_sent(recipe, output):
    file = recipe.webhook('{"a": "x [y]", "b": 2}')
    text = file.read_text().replace(
        "    method: POST",
        "    headers: {Content-Type: application/x-www-form-urlencoded}\n    method: POST",
    )
    file.write_text(text)
    told = recipe.run("preview", file, recipe.events(4), "--output", output)
    assert told.returncode == 0, told.stderr
    assert "a=x+%5By%5D&b=2" in told.stdout


def test_refusals_are_shown_first_wherever_they_stand(destination, recipe):
    destination(f'action: update, table: account, {PERSON}, body: {{name: "B"}}')
    made = destination(upsert(), name="maker.yaml")
    made.deliver(events(*({"userId": f"u{n}", "name": "A"} for n in range(6))), progress=False)
    lines = [json.dumps(one) for one in events(*({"userId": f"u{n}"} for n in range(7)))]
    source = recipe.write("some.ndjson", "\n".join(lines) + "\n")
    file = recipe.folder / "dynamics.yaml"
    told = recipe.run("preview", file, source, "--diff", "--limit", "100")
    assert told.returncode == 0, told.stderr
    heads = [line.split() for line in told.stdout.splitlines() if line.startswith("s0 line")]
    assert [(one[2], one[-1]) for one in heads] == [
        ("7", "refuse"),
        *((str(n), "update") for n in (1, 2, 3, 4)),
    ]
    assert "7 compared: 6 update, 1 refuse" in told.stdout


def test_an_alternate_key_of_a_table_of_ones_own_is_looked_up(destination, recipe):
    one = (
        "action: upsert, table: new_ticket, key: {new_key: {'@path': $.userId}},"
        " body: {new_n: {'@path': $.n}}"
    )
    named = "schema: dynamics.schema.json\n"
    file = recipe.folder / "dynamics.yaml"
    destination(upsert())
    pulled = recipe.run("schema", "pull", file, "--table", "new_ticket", "--output", "json")
    assert pulled.returncode == 0, pulled.stderr
    dest = destination(one, more=named)
    assert dest.test_connection(), [step for step in dest.test_connection() if step.ok is False]
    some = events({"userId": "a'b c", "n": 1}, {"userId": "Ünï", "n": 1})
    assert effects(dest.preview(some, 10, diff=True)) == ["create", "create"]
    assert dest.deliver(some[1:], progress=False)["delivered"] == 1
    told = dest.preview(events({"userId": "Ünï", "n": 2}), diff=True)
    assert (effects(told), changes(told)) == (["update"], [[("new_n", 1, 2)]])


def test_where_no_event_matches_that_is_said(recipe):
    file, empty = recipe.dynamics(), recipe.write("empty.ndjson", "")
    told = recipe.run("preview", file, empty)
    assert (told.returncode, told.stdout) == (0, "no event matches\n")
    told = recipe.run("preview", file, empty, "--diff")
    assert (told.returncode, told.stdout) == (
        0,
        "0 compared: no event matches\nplan: nothing to send\n",
    )
