"""What answers of a Dynamics 365 lead to: the catalogue, over real sockets."""

from __future__ import annotations

import pytest

from fieldpost.cli.exit_code import of_report

CREATE = """\
action: create
table: account
body: {name: {"@path": "$.name"}, numberofemployees: {"@path": "$.staff"}}
"""
LEADS = """\
action: create
table: lead
body: {lastname: {"@path": "$.name"}}
"""
UPSERT = """\
action: upsert
table: account
key: {"@path": "$.name"}
body: {name: {"@path": "$.name"}}
"""
FORMS = {"create": CREATE, "upsert": UPSERT}


def fault(status, code, times=1, **more):
    told = {"status": status, "code": code, "message": "the service's words"}
    return {"match": {"path": "/accounts"}, "times": times, "when": "before"} | told | more


def posted(sales):
    return sum(sales.sent(f"{method} /api/data/v9.2/accounts") for method in ("POST", "PATCH"))


AGAIN = [
    (500, "0x80044150"),  # a deadlock among others
    (400, "0x80044151"),
    (400, "0x80040255"),
    (400, "0x8004ed47"),
    (400, "0x8004418d"),
    (400, "0x80081116"),
    (400, "0x80071151"),
    (503, "0x80072323"),
    (500, "0x80040216"),
    (400, "0x80044172"),
    (400, "0x80040224"),
    (404, "0x80040217"),
    (502, ""),
    (503, ""),
    (504, ""),
]


@pytest.mark.parametrize(("status", "code"), AGAIN)
@pytest.mark.parametrize("form", FORMS)
def test_what_passes_is_sent_again(sales, status, code, form):
    sales.subscribe(FORMS[form])
    sales.control("faults", [fault(status, code) if code else fault(status, code, message="")])
    row = sales.one({"name": "A"})
    if form == "upsert" and code == "0x80040217":
        assert row["outcome"] == "rejected"  # only If-Match makes a row missing there
        return
    assert (row["outcome"], row["attempts"]) == ("delivered", 2), row
    assert [one["created"] for one in sales.commits("account")] == [1]


@pytest.mark.parametrize("code", ["0x80072321", "0x80072322", "0x80072326"])
def test_a_limit_is_waited_for(sales, code):
    sales.subscribe(CREATE)
    sales.control("faults", [fault(429, code, retry_after_s=0.2)])
    assert sales.one({"name": "A"})["outcome"] == "delivered"


@pytest.mark.parametrize(
    ("status", "code", "tries"),
    [
        (500, "0x80040216", 5),
        (400, "0x80044173", 3),
        (400, "0x80081111", 2),
        (400, "0x80040224", 2),
    ],
)
def test_what_does_not_pass_is_given_up(sales, status, code, tries):
    sales.subscribe(CREATE)
    sales.control("faults", [fault(status, code, times=None)])
    row = sales.one({"name": "A"})
    assert (row["outcome"], row["code"], row["attempts"]) == ("rejected", code, tries)
    assert row["message"] == "the service's words"
    assert row["action_needed"]


RECORD = [
    (400, "0x80044331"),
    (400, "0x8004432f"),
    (400, "0x80044330"),
    (400, "0x8004431a"),
    (400, "0x80040239"),
    (400, "0x80048408"),
    (400, "0x80040233"),
    (400, "0x80040203"),
    (400, "0x80040265"),
    (403, "0x80048306"),
    (400, "0x8006089d"),
    (400, "0x80099999"),
]


@pytest.mark.parametrize(("status", "code"), RECORD)
def test_what_is_of_one_record_is_rejected_and_the_others_go_on(sales, status, code):
    sales.subscribe(CREATE)
    sales.control("faults", [fault(status, code)])
    rows = sales.deliver({"name": "A"}, {"name": "B"}, {"name": "C"})
    outcomes = sorted(row["outcome"] for row in rows)
    assert outcomes == ["delivered", "delivered", "rejected"]
    [refused] = [row for row in rows if row["outcome"] == "rejected"]
    assert (refused["code"], refused["message"]) == (code, "the service's words")
    assert refused["action_needed"]


MAPPING = [
    (404, "0x80060888"),
    (404, "0x8006088a"),
    (400, "0x80060888"),
    (400, "0x80060890"),
    (400, "0x8006088f"),
    (400, "0x8006088d"),
    (400, "0x80041102"),
    (400, "0x80041103"),
    (400, "0x80072491"),
    (400, "0x80048cfb"),
    (400, "0x80048cfc"),
    (400, "0x80040229"),
    (403, "0x8004f502"),
]


@pytest.mark.parametrize(("status", "code"), MAPPING)
def test_what_every_event_would_meet_pauses_the_subscription_alone(sales, status, code):
    sales.delivery = sales.delivery.replace("max_in_flight: 4", "max_in_flight: 1")
    sales.subscribe(CREATE, name="accounts").subscribe(LEADS, name="leads")
    sales.control("faults", [fault(status, code, times=None)])
    rows = sales.deliver(*({"name": str(n)} for n in range(4)))
    accounts = [row for row in rows if row["subscription"] == "accounts"]
    leads = [row for row in rows if row["subscription"] == "leads"]
    assert {row["outcome"] for row in accounts} == {"waiting"}
    assert {row["outcome"] for row in leads} == {"delivered"}
    assert {row["code"] for row in accounts} == {code}
    told = [row["message"] for row in accounts]
    assert told.count("the service's words") == 1
    assert told.count(f"the subscription is paused: {code}") == 3
    assert all(row["action_needed"] for row in accounts)
    assert posted(sales) == 1
    # Once the mapping is mended, the next run goes on.
    sales.control("faults", method="DELETE")
    sales.destination.deliver([{"type": "track", "messageId": "m1", "name": "0"}])
    assert next(sales.destination.outcomes(event_id="m1"))["outcome"] == "delivered"


CONNECTION = [
    ("0x80072560", {"member": False}, "application user"),
    ("0x80040225", {"disabled": True}, "enable"),
    ("0x80042f09", {"roles": 0}, "security role"),
    ("0x80040220", {"deny": ["prvCreateAccount"]}, "prvCreateAccount"),
]


@pytest.mark.parametrize(("code", "user", "hint"), CONNECTION)
def test_what_every_request_would_meet_pauses_the_run(sales, code, user, hint):
    sales.subscribe(CREATE)
    sales.control("applications", user)
    destination = sales.destination
    report = destination.deliver([{"type": "track", "messageId": f"m{n}"} for n in range(3)])
    assert report.stopped is not None
    assert report.stopped.code == code
    assert report["waiting"] == 3
    assert hint in next(destination.outcomes(event_id="m0"))["action_needed"]


@pytest.mark.parametrize("batching", ["off", "batch", "bulk", "auto"])
def test_a_missing_privilege_pauses_the_subscriptions_of_its_table_alone(sales, batching):
    sales.subscribe(CREATE, name="accounts").subscribe(LEADS, name="leads")
    sales.delivery = sales.delivery.replace("{max", f"{{batching: {batching}, max")
    sales.control("applications", {"deny": ["prvCreateAccount"]})
    destination = sales.destination
    events = [{"type": "track", "messageId": f"m{n}", "name": str(n)} for n in range(20)]
    report = destination.deliver(events)
    assert report.stopped is None
    accounts, leads = report.subscriptions["accounts"], report.subscriptions["leads"]
    assert (accounts["waiting"], leads["delivered"]) == (20, 20)
    assert leads.paused is None
    told = report.to_dict()["subscriptions"]["accounts"]["paused"]
    assert told["code"] == "0x80040220"
    assert told["action_needed"].endswith("missing privilege prvCreateAccount")
    assert "paused" not in report.to_dict()["subscriptions"]["leads"]
    sales.control("applications", {"deny": []})
    assert destination.deliver(events)["delivered"] == 20
    assert [row["created"] for row in sales.commits("account")] == [1] * 20


def test_a_run_ends_when_all_of_its_subscriptions_are_paused(sales):
    sales.subscribe(CREATE, name="accounts").subscribe(LEADS, name="leads", when="type = 'x'")
    sales.control("applications", {"deny": ["prvCreateAccount"]})
    events = ({"type": "track", "messageId": f"m{n}", "name": "A"} for n in range(9))
    report = sales.destination.deliver(events)
    assert report.stopped.code == "0x80040220"
    assert "prvCreateAccount" in report.stopped.message
    assert of_report(report) == 5
    sales.subscriptions.clear()
    sales.subscribe(TREE % "Firstname", name="wrong name")
    report = sales.destination.deliver([{"type": "track", "messageId": "t", "name": "A"}])
    assert report.stopped.code == "0x80048d19"
    assert of_report(report) == 4


def test_a_value_of_a_wrong_type_is_of_the_record(sales):
    sales.subscribe(CREATE)
    rows = sales.deliver({"name": "A", "staff": "many"}, {"name": "B", "staff": 3})
    assert [row["outcome"] for row in rows] == ["rejected", "delivered"]
    assert (rows[0]["code"], rows[0]["http_status"]) == ("0x80048d19", 400)
    assert rows[0]["request_id"]
    assert "many" in rows[0]["message"] or "Int32" in rows[0]["message"]
    assert rows[0]["action_needed"].startswith("record:")


ODD = [{"a": 1}, {}, ["a"], [{"a": 1}], []]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("form", FORMS)
def test_an_object_or_a_list_where_a_column_takes_a_text_is_of_the_record(sales, form, value):
    if form == "upsert":
        sales.subscribe(UPSERT.replace('"$.name"}', '"$.key"}', 1))
    else:
        sales.subscribe(CREATE)
    rows = sales.deliver({"key": "1", "name": value}, {"key": "2", "name": "B"})
    assert [row["outcome"] for row in rows] == ["rejected", "delivered"], rows
    assert rows[0]["code"] == "0x80048d19"
    assert rows[0]["action_needed"].startswith("record:")


@pytest.mark.parametrize("value", [{"a": 1}, ["a"]])
def test_an_object_where_a_column_below_takes_a_text_is_of_the_record(sales, value):
    sales.subscribe(
        "action: create\ntable: account\n"
        'body: {name: A, primarycontactid: {lastname: {"@path": "$.name"}}}\n'
    )
    rows = sales.deliver({"name": value}, {"name": "B"})
    assert [row["outcome"] for row in rows] == ["rejected", "delivered"], rows


@pytest.mark.parametrize("value", [{"a": 1}, ["a"]])
def test_an_object_under_a_name_that_is_not_there_is_of_the_mapping(sales, value):
    sales.subscribe('action: create\ntable: account\nbody: {nam: {"@path": "$.name"}}\n')
    row = sales.one({"name": value})
    assert (row["outcome"], row["code"]) == ("waiting", "0x80048d19")
    assert row["action_needed"].startswith("mapping:")


TREE = """\
action: create
table: account
body:
  name: {"@path": "$.name"}
  primarycontactid: {lastname: L, %s: F}
  Account_Tasks: [{subject: S, scheduleddurationminutes: {"@path": "$.minutes"}}]
"""


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_name_is_of_the_mapping_wherever_it_stands(sales, known):
    sales.subscribe(TREE % ("firstname" if known else "Firstname"))
    row = sales.one({"name": "A", "minutes": "long"})
    assert row["code"] == "0x80048d19"
    assert row["outcome"] == ("rejected" if known else "waiting")
    assert row["action_needed"].startswith("record:" if known else "mapping:")


@pytest.mark.parametrize("switch", ["V13", "V16"])
def test_a_wrong_name_is_told_with_the_switches_turned(sales, switch):
    sales.subscribe(TREE % "Firstname")
    sales.control("switches", {switch: False})
    assert sales.one({"name": "A", "minutes": 5})["outcome"] == "waiting"


def test_a_column_that_goes_in_mid_run_pauses_its_subscription(sales):
    sales.subscribe(CREATE, name="accounts").subscribe(LEADS, name="leads")
    assert {row["outcome"] for row in sales.deliver({"name": "A", "staff": 1})} == {"delivered"}
    sales.control("schema", {"table": "account", "column": "numberofemployees", "drop": True})
    rows = sales.deliver({"name": "B", "staff": 1})
    assert sorted(row["outcome"] for row in rows) == ["delivered", "waiting"]


def test_a_plug_in_speaks_for_itself(sales):
    sales.subscribe(CREATE)
    words = "Accounts named A are not wanted."
    sales.control(
        "plugins",
        {"table": "account", "messages": ["Create"], "refuse": words, "where": {"name": "A"}},
    )
    rows = sales.deliver({"name": "A"}, {"name": "B"})
    assert [row["outcome"] for row in rows] == ["rejected", "delivered"]
    assert rows[0]["message"] == words


def test_tokens_that_expire_in_mid_run_are_renewed(sales):
    sales.subscribe(UPSERT)
    destination = sales.destination
    revoked = []

    def revoke(report):
        if report["delivered"] > 20 and not revoked:
            revoked.append(True)
            sales.control("tokens", {"revoke": True})

    events = [{"type": "track", "messageId": f"m{n}", "name": f"A{n}"} for n in range(300)]
    report = destination.deliver(events, progress=revoke)
    assert revoked
    assert report["delivered"] == 300
    assert {row["created"] for row in sales.commits("account")} == {1}


@pytest.mark.parametrize("code", ["0x80040237", "0x80060892"])
def test_a_conflict_that_is_not_our_own_row_is_rejected(sales, code):
    sales.subscribe(CREATE)
    sales.control("faults", [fault(412, code)])
    row = sales.one({"name": "A"})
    assert (row["outcome"], row["code"]) == ("rejected", code)
    assert sales.sent("GET /api/data/v9.2/accounts") == 1


def test_an_upsert_that_loses_a_race_goes_once_more_and_only_once(sales):
    sales.subscribe(UPSERT)
    sales.control("faults", [fault(412, "0x80060892", times=2)])
    row = sales.one({"name": "A"})
    assert (row["outcome"], row["code"]) == ("rejected", "0x80060892")
    assert posted(sales) == 2
    assert sales.one({"name": "A"})["outcome"] == "delivered"


def test_a_row_that_a_user_deleted_stays_deleted_unless_upserted(sales):
    sales.subscribe(CREATE, when="type = 'track'").subscribe(UPSERT, when="type = 'identify'")
    made = sales.one({"name": "A"})
    kept = sales.one({"type": "identify", "name": "A"})
    for row in (made, kept):
        sales.control("rows", {"table": "account", "id": row["record_id"], "delete": True})
    destination = sales.destination
    destination.deliver([{"type": "track", "messageId": made["event_id"], "name": "A"}])
    assert sales.get(f"accounts({made['record_id']})") is None
    assert sales.one({"type": "identify", "name": "A"})["effect"] == "created"
