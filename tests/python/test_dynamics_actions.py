"""What each action does to the rows of a Dynamics 365, and what a second sending of it does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

UPSERT = """\
action: upsert
table: account
key: {"@path": "$.userId"}
body:
  name: {"@path": "$.name"}
  telephone1: {"@path": "$.phone"}
"""
UPDATE = UPSERT.replace("upsert", "update")
ENTRA = "7a1f0d6e-52c1-4f0b-9d3c-1f0e8c0a9b11"
CUT = {"times": 1, "when": "after", "close": True}


def test_an_upsert_meets_in_one_row_however_the_key_is_written(sales):
    sales.subscribe(UPSERT)
    first = sales.one({"userId": "ACME-7", "name": "Acme"})
    second = sales.one({"userId": " acme-7 ", "name": "Acme AG", "phone": "1"})
    assert [first["effect"], second["effect"]] == ["created", "updated"]
    assert first["record_id"] == second["record_id"]
    [row] = sales.rows("accounts", "name,telephone1")
    assert (row["name"], row["telephone1"]) == ("Acme AG", "1")


def test_two_destinations_agree_on_the_id_of_a_key(sales):
    sales.subscribe(UPSERT)
    first = sales.one({"userId": "a"})
    sales.subscriptions.clear()
    sales.subscribe(UPSERT, name="another")
    assert sales.one({"userId": "A"})["record_id"] == first["record_id"]


def test_an_alternate_key_and_an_id_are_keys_too(sales):
    sales.subscribe(
        """\
action: upsert
table: account
key: {accountid: {"@path": "$.id"}}
body: {name: x}
"""
    )
    row_id = "2ed6657d-e927-568b-95e1-2665a8aea6a2"
    assert sales.one({"id": row_id})["record_id"] == row_id
    assert sales.get(f"accounts({row_id})?$select=name")["name"] == "x"
    assert sales.one({"id": "7"})["code"] == "E515"


def test_update_changes_only_a_row_that_is_there(sales):
    sales.subscribe(UPSERT, when="type = 'identify'").subscribe(UPDATE, when="type = 'track'")
    row = sales.one({"userId": "a", "name": "A"})
    assert (row["outcome"], row["http_status"], row["code"]) == ("rejected", 404, "0x80040217")
    assert "upsert" in row["action_needed"]
    sales.one({"type": "identify", "userId": "a", "name": "A"})
    assert sales.one({"userId": "a", "name": "B"})["effect"] == "updated"
    assert sales.rows("accounts", "name")[0]["name"] == "B"


def test_delete_is_done_where_the_row_is_gone(sales):
    sales.subscribe(UPSERT, when="type = 'identify'")
    sales.subscribe(
        'action: delete\ntable: account\nkey: {"@path": "$.userId"}', when="type = 'track'"
    )
    sales.one({"type": "identify", "userId": "a"})
    effects = [sales.one({"userId": "a"})["effect"] for _ in range(2)]
    assert effects == ["deleted", "unchanged"]
    assert sales.rows("accounts") == []


@pytest.mark.parametrize("action", ["upsert", "update", "delete"])
def test_a_key_that_an_event_lacks_makes_it_invalid(sales, action):
    body = "" if action == "delete" else "\nbody: {name: x}"
    sales.subscribe(f'action: {action}\ntable: account\nkey: {{"@path": "$.userId"}}{body}')
    for event in ({}, {"userId": ""}, {"userId": None}, {"userId": "  "}):
        row = sales.one(event)
        assert (row["outcome"], row["code"]) == ("invalid", "E517"), event
    # An event cannot choose the form of the key.
    assert sales.one({"userId": {"accountid": "x"}})["code"] == "E517"
    assert sales.commits("account") == []


NULLS = {"userId": "a", "name": "A", "phone": "1", "site": "s"}


@pytest.mark.parametrize(
    ("nulls", "kept"),
    [("omit", ("1", "s")), ("clear", (None, None)), ("{clear: [telephone1]}", (None, "s"))],
)
def test_what_is_null_is_left_out_or_cleared(sales, nulls, kept):
    sales.subscribe(UPSERT + '  websiteurl: {"@template": "{{site}}"}\n' + f"nulls: {nulls}")
    sales.one(NULLS)
    sales.one({"userId": "a", "name": "A", "phone": None})
    [row] = sales.rows("accounts", "telephone1,websiteurl")
    assert (row["telephone1"], row["websiteurl"]) == kept


def test_a_creation_leaves_out_what_is_null(sales):
    sales.subscribe('action: create\ntable: account\nbody: {name: {"@path": "$.a"}, fax: ""}')
    assert sales.one({"a": None})["effect"] == "created"


ON_CREATE = UPSERT + 'on_create: {description: {"@template": "since {{day}}"}}'


def test_columns_for_the_creation_alone_stay_as_they_were(sales):
    sales.subscribe(ON_CREATE)
    effects = [sales.one({"userId": "a", "name": n, "day": n})["effect"] for n in ("1", "2")]
    assert effects == ["created", "updated"]
    [row] = sales.rows("accounts", "name,description")
    assert (row["name"], row["description"]) == ("2", "since 1")


def test_a_creation_whose_answer_was_lost_takes_effect_once(sales):
    sales.subscribe(ON_CREATE)
    match = {"method": "PATCH", "path": "/accounts"}
    sales.control(
        "faults", [{"match": match, "when": "before", "delay_s": 0}, CUT | {"match": match}]
    )
    assert sales.one({"userId": "a", "name": "1", "day": "1"})["outcome"] == "delivered"
    [commit] = sales.commits("account")
    assert commit["created"] == 1


@pytest.mark.parametrize("more", ["", "on_create: {description: d}"])
def test_racing_upserts_both_arrive(sales, more):
    sales.subscribe(UPSERT + more)
    sales.control("races", {"table": "account", "times": 1})
    rows = sales.deliver(*({"userId": "a", "name": str(n)} for n in range(2)))
    assert [row["outcome"] for row in rows] == ["delivered"] * 2
    [commit] = sales.commits("account")
    assert commit["created"] == 1
    assert commit["updated"] >= 1


def test_if_match_makes_an_upsert_an_update(sales):
    sales.subscribe(UPSERT + 'if_match: "*"')
    row = sales.one({"userId": "a"})
    assert (row["outcome"], row["http_status"]) == ("rejected", 404)


def test_if_match_guards_a_version(sales):
    sales.subscribe(UPSERT, when="type = 'identify'")
    sales.subscribe(UPDATE + 'if_match: {"@path": "$.version"}', when="type = 'track'")
    row_id = sales.one({"type": "identify", "userId": "a", "name": "1"})["record_id"]
    version = sales.get(f"accounts({row_id})?$select=name")["@odata.etag"]
    assert sales.one({"userId": "a", "name": "2", "version": version})["effect"] == "updated"
    late = sales.one({"userId": "a", "name": "3", "version": version})
    assert (late["outcome"], late["code"]) == ("rejected", "0x80060882")
    assert late["action_needed"]
    for junk in (None, "", "7", "a\nb", 'W/"1', 'W/"1""', 5):
        row = sales.one({"userId": "a", "name": "4", "version": junk})
        assert (row["outcome"], row["code"]) == ("invalid", "E520"), junk
    assert sales.rows("accounts", "name")[0]["name"] == "2"


TREE = """\
action: upsert
table: account
key: {"@path": "$.userId"}
body:
  name: {"@path": "$.name"}
  primarycontactid: {lastname: {"@path": "$.last"}}
  opportunity_customer_accounts:
    - name: {"@template": "Deal {{name}}"}
      Opportunity_Tasks: [{subject: Call}]
  Account_Tasks: [{subject: One}, {subject: Two}]
"""
TABLES = {"account": 1, "contact": 1, "opportunity": 1, "task": 3}


def tree_is_whole(sales):
    """Every row was created once, and all hang together."""
    for table, count in TABLES.items():
        assert [row["created"] for row in sales.commits(table)] == [1] * count, table
    [account] = sales.rows("accounts", "_primarycontactid_value")
    [contact] = sales.rows("contacts", "contactid")
    [deal] = sales.rows("opportunities", "_customerid_value")
    assert account["_primarycontactid_value"] == contact["contactid"]
    assert deal["_customerid_value"] == account["accountid"]
    regarding = sorted(row["_regardingobjectid_value"] for row in sales.rows("tasks"))
    ends = [account["accountid"], account["accountid"], deal["opportunityid"]]
    return regarding == sorted(ends)


def test_a_tree_below_an_upsert_is_one_change_set(sales):
    sales.subscribe(TREE)
    event = {"userId": "a", "name": "A", "last": "L"}
    assert sales.one(event)["effect"] == "created"
    assert sales.sent("$batch") == 1
    assert tree_is_whole(sales)
    assert sales.one(event | {"messageId": "other"})["effect"] == "updated"
    assert [row["created"] for row in sales.commits("account")] == [1]
    assert len(sales.commits("task")) == 6


def test_a_tree_that_was_sent_twice_is_there_once(sales):
    sales.subscribe(TREE)
    sales.control("faults", [CUT | {"match": {"path": "batch"}, "times": 2}])
    row = sales.one({"userId": "a", "name": "A", "last": "L"})
    assert row["outcome"] == "delivered"
    assert tree_is_whole(sales)


@pytest.mark.parametrize("form", ["upsert", "on_create", "tree"])
def test_a_killed_run_is_finished_by_the_next_one(sales, form):
    count = 200
    sales.subscribe(FORMS[form])
    sales.delivery = sales.delivery.replace("max_in_flight: 4", "max_in_flight: 8")
    events = sales.folder / "events.ndjson"
    events.write_text(
        "".join(
            json.dumps(EVENT | {"type": "track", "messageId": f"e{n}", "userId": f"u{n}"}) + "\n"
            for n in range(count)
        )
    )
    destination = sales.destination
    sales.control("limits", {"request_ms": 100})  # so that it is still at work when it is killed
    child = subprocess.Popen(
        [sys.executable, "-m", "fieldpost", "deliver", destination.config.file, str(events)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while child.poll() is None and len(sales.commits("account")) < 20:
        pass
    assert child.poll() is None
    child.kill()
    child.wait(60)
    sales.control("limits", {"request_ms": 0})
    assert destination.deliver(events)["delivered"] > 0
    tables = TABLES if form == "tree" else {"account": 1}
    for table, each in tables.items():
        assert [row["created"] for row in sales.commits(table)] == [1] * count * each, table
    assert {row["outcome"] for row in destination.outcomes()} == {"delivered"}


def test_one_bad_row_of_a_tree_keeps_all_of_it_out(sales):
    sales.subscribe(TREE)
    row = sales.one({"userId": "a", "name": "A", "last": "x" * 51})
    assert (row["outcome"], row["code"]) == ("rejected", "0x80044331")
    assert all(sales.commits(table) == [] for table in TABLES)


def test_a_row_that_brings_its_id_is_updated_in_the_tree(sales):
    sales.subscribe(
        TREE.replace(
            "primarycontactid: {",
            'primarycontactid: {contactid: {"@uuid": [{"@path": "$.last"}]}, firstname: F, ',
        )
    )
    for name in ("1", "2"):
        assert sales.one({"userId": "a", "name": name, "last": "L"})["outcome"] == "delivered"
    [contact] = sales.commits("contact")
    assert (contact["created"], contact["updated"]) == (1, 1)


def test_an_update_makes_no_rows(sales):
    sales.subscribe(UPDATE + '  Account_Tasks: [{subject: {"@path": "$.name"}}]')
    row = sales.one({"userId": "a", "name": "A"})
    assert (row["outcome"], row["code"], row["attempts"]) == ("invalid", "E522", 0)
    assert "upsert" in row["action_needed"]
    assert sales.sent("batch") == sales.sent("accounts") == 0


def test_an_update_replaces_parties(sales):
    sales.subscribe(PARTIES % "upsert", when="type = 'identify'")
    other = "    - {addressused: y@example.com, participationtypemask: 4}"
    sales.subscribe(PARTIES.split("    - ")[0] % "update" + other, when="type = 'track'")
    contact = ENDS.format(table="contact", key="userId", column="lastname")
    sales.subscribe(contact, when="type = 'group'")
    for kind in ("group", "identify", "track"):
        row = sales.one({"type": kind, "userId": "u", "name": kind})
        assert row["outcome"] == "delivered", row
    [email] = sales.get("emails?$select=subject&$expand=email_activity_parties")["value"]
    assert email["subject"] == "track"
    assert [one["participationtypemask"] for one in email["email_activity_parties"]] == [4]


def test_a_tree_of_very_many_rows_is_made_once(sales):
    sales.subscribe(
        """\
action: create
table: account
body:
  name: many
  Account_Tasks: {"@arrayPath": ["$.tasks", {subject: {"@path": "$.s"}}]}
"""
    )
    sales.control("switches", {"V10": False})
    sales.control("faults", [CUT | {"match": {"path": "batch"}}])
    row = sales.one({"tasks": [{"s": str(n)} for n in range(60)]})
    assert (row["outcome"], row["effect"]) == ("delivered", "created")
    assert [one["created"] for one in sales.commits("task")] == [1] * 60


TIE = """\
action: {action}
table: contact
key: {{"@path": "$.userId"}}
relationship: {relationship}
to: {{table: {to}, key: {{"@path": "$.groupId"}}}}
"""
ENDS = """\
action: upsert
table: {table}
key: {{"@path": "$.{key}"}}
body: {{{column}: x}}
"""


def with_ends(sales, table, column):
    sales.subscribe(
        ENDS.format(table="contact", key="userId", column="lastname"), when="type = 'identify'"
    )
    sales.subscribe(
        ENDS.format(table=table, key="groupId", column=column), when="type = 'identify'"
    )
    sales.deliver({"type": "identify", "userId": "u", "groupId": "g"})


@pytest.mark.parametrize(
    ("relationship", "to", "column", "again"),
    [
        ("Contact_Tasks", "task", "subject", "updated"),
        ("contactleads_association", "lead", "lastname", "unchanged"),
    ],
)
def test_two_rows_are_tied_and_untied(sales, relationship, to, column, again):
    with_ends(sales, to, column)
    for action in ("associate", "disassociate"):
        text = TIE.format(action=action, relationship=relationship, to=to)
        sales.subscribe(text, when=f"type = '{action}'")
    event = {"userId": "u", "groupId": "g"}
    tied = [sales.one(event | {"type": "associate"})["effect"] for _ in range(2)]
    assert tied == ["updated", again]
    row_id = sales.rows("contacts", "contactid")[0]["contactid"]
    assert len(sales.get(f"contacts({row_id})/{relationship}")["value"]) == 1
    untied = [sales.one(event | {"type": "disassociate"})["effect"] for _ in range(2)]
    assert untied == ["updated", "unchanged"]
    assert sales.get(f"contacts({row_id})/{relationship}")["value"] == []


BIND = """\
action: create
table: account
body:
  name: {"@path": "$.name"}
  primarycontactid: {"@bind": {table: contact, key: %s}}
"""


def test_a_bind_ties_to_the_row_of_a_key(sales):
    contact = ENDS.format(table="contact", key="userId", column="lastname")
    sales.subscribe(contact, when="type = 'identify'")
    sales.subscribe(BIND % '{"@path": "$.userId"}', when="type = 'track'")
    made = sales.one({"type": "identify", "userId": "u"})
    assert sales.one({"userId": " U "})["outcome"] == "delivered"
    assert sales.one({"name": "without"})["outcome"] == "delivered"
    tied = [row["_primarycontactid_value"] for row in sales.rows("accounts")]
    assert sorted(tied, key=str) == sorted([made["record_id"], None], key=str)


REFUSED = ["a/b", "<", ">", "*", "100%", "a&b", "a:b", "\\", "?", "a+b", "#1", "a\nb", "\x00"]


def test_no_value_leaves_its_place_in_a_key(sales):
    sales.subscribe(
        """\
action: create
table: account
body:
  primarycontactid: {"@bind": {table: contact, key: {emailaddress1: {"@path": "$.v"}}}}
"""
    )
    for value in REFUSED:
        row = sales.one({"v": value})
        assert (row["outcome"], row["code"]) == ("invalid", "E516"), value
    [row] = sales.destination.preview([{"messageId": "p", "v": "a'),x=('"}])
    assert "emailaddress1='a%27%27%29%2Cx%3D%28%27%27'" in row.body
    assert sales.commits("account") == []


PARTIES = """\
action: %s
table: email
key: {"@path": "$.userId"}
body:
  subject: {"@path": "$.name"}
  email_activity_parties:
    - partyid_contact: {"@bind": {table: contact, key: {"@path": "$.userId"}}}
      participationtypemask: 2
    - {addressused: x@example.com, participationtypemask: 3}
"""


@pytest.mark.parametrize("action", ["create", "upsert"])
def test_an_activity_has_its_parties(sales, action):
    contact = ENDS.format(table="contact", key="userId", column="lastname")
    sales.subscribe(contact, when="type = 'identify'")
    text = PARTIES % action
    if action == "create":
        text = text.replace('key: {"@path": "$.userId"}\nbody', "body")
    sales.subscribe(text, when="type = 'track'")
    sales.one({"type": "identify", "userId": "u"})
    row = sales.one({"userId": "u", "name": "1"})
    assert row["outcome"] == "delivered", row
    masks = "$expand=email_activity_parties($select=participationtypemask)"
    [email] = sales.get(f"emails?$select=subject&{masks}")["value"]
    kinds = sorted(p["participationtypemask"] for p in email["email_activity_parties"])
    assert kinds == [2, 3]


def test_headers_say_for_whom_and_past_what(sales):
    sales.subscribe(
        UPSERT
        + """\
impersonate: {user: {"@path": "$.who"}}
bypass: [sync, async, flows]
duplicate_detection: true
"""
    )
    who = "2ed6657d-e927-568b-95e1-2665a8aea6a2"
    [row] = sales.destination.preview([{"messageId": "p", "userId": "a", "who": who}])
    headers = dict(row.headers)
    assert headers["MSCRMCallerID"] == who
    assert headers["MSCRM.BypassBusinessLogicExecution"] == "CustomSync,CustomAsync"
    assert headers["MSCRM.SuppressCallbackRegistrationExpanderJob"] == "true"
    assert headers["MSCRM.SuppressDuplicateDetection"] == "false"
    assert sales.one({"userId": "a", "who": "somebody"})["code"] == "E521"
    refused = sales.one({"userId": "a", "who": who})
    assert (refused["outcome"], refused["code"]) == ("rejected", "0x8004a110")
    assert "impersonate" in refused["action_needed"]


def test_a_user_is_named_by_the_id_of_the_directory_too(sales):
    sales.subscribe(UPSERT + 'impersonate: {"@path": "$.who"}\n')
    user = sales.call(
        "POST",
        "systemusers",
        {"firstname": "A", "lastname": "B", "azureactivedirectoryobjectid": ENTRA},
        Prefer="return=representation",
    )["systemuserid"]
    row = sales.one({"userId": "a", "name": "A", "who": ENTRA})
    assert row["outcome"] == "delivered", row
    account = sales.get(f"accounts({row['record_id']})")
    assert account["_createdby_value"] == account["_ownerid_value"] == user
    refused = sales.one({"userId": "b", "who": user})  # a systemuserid is none of the directory
    assert (refused["outcome"], refused["code"]) == ("rejected", "0x8004a110")


def test_a_row_is_untied_by_its_id(sales):
    with_ends(sales, "lead", "lastname")
    lead = sales.rows("leads", "leadid")[0]["leadid"]
    tie = TIE.replace('"@path": "$.groupId"', 'leadid: {{"@path": "$.lead"}}')
    for action in ("associate", "disassociate"):
        text = tie.format(action=action, relationship="contactleads_association", to="lead")
        sales.subscribe(text, when=f"type = '{action}'")
    for action, rows in (("associate", 1), ("disassociate", 0)):
        done = sales.one({"type": action, "userId": "u", "lead": lead})
        assert done["outcome"] == "delivered", done
        contact = sales.rows("contacts", "contactid")[0]["contactid"]
        tied = sales.get(f"contacts({contact})/contactleads_association")["value"]
        assert len(tied) == rows


def test_a_plug_in_is_bypassed_and_a_duplicate_is_found(sales):
    sales.control("plugins", {"table": "account", "messages": ["Create"], "refuse": "No."})
    sales.control("duplicate_rules", {"table": "account", "columns": ["name"]})
    sales.subscribe(UPSERT + "bypass: [sync]\nduplicate_detection: true")
    assert sales.one({"userId": "a", "name": "A"})["outcome"] == "delivered"
    row = sales.one({"userId": "b", "name": "A"})
    assert (row["outcome"], row["code"]) == ("rejected", "0x80040333")


EVENT = {"userId": "a", "name": "A", "last": "L", "day": "1"}
FORMS = {
    "create": TREE.replace("upsert", "create").replace('key: {"@path": "$.userId"}\n', ""),
    "upsert": UPSERT,
    "on_create": ON_CREATE,
    "tree": TREE,
}


@pytest.mark.parametrize("switch", [f"V{n}" for n in range(1, 18)])
@pytest.mark.parametrize("form", FORMS)
def test_every_action_holds_with_each_switch_in_its_other_position(sales, switch, form):
    sales.subscribe(FORMS[form])
    sales.control("switches", {switch: False})
    paths = ["/accounts", "batch"]
    sales.control(
        "faults",
        [CUT | {"match": {"method": m, "path": p}} for m in ("POST", "PATCH") for p in paths],
    )
    row = sales.one(EVENT)
    assert row["outcome"] == "delivered", row
    for table in TABLES:
        assert {one["created"] for one in sales.commits(table)} <= {1}
    if form in ("create", "tree"):
        assert tree_is_whole(sales)
