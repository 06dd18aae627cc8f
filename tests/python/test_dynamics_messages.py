"""Messages to Dynamics 365: opportunities won and lost, leads qualified, owners, states."""

from __future__ import annotations

from typing import Any

import pytest
from sales import Sales

import fieldpost as fp

DEAL = """\
action: upsert
table: opportunity
key: {"@path": "$.deal"}
body: {name: {"@path": "$.deal"}}
"""
WIN = """\
action: win_opportunity
key: {"@path": "$.deal"}
status: 3
body: {subject: {"@template": "Won {{deal}}"}, actualrevenue: {"@path": "$.revenue"}}
"""
LOSE = """\
action: lose_opportunity
key: {"@path": "$.deal"}
status: {"@path": "$.reason"}
"""
LEAD = """\
action: upsert
table: lead
key: {"@path": "$.lead"}
body: {subject: {"@path": "$.lead"}, lastname: L, companyname: C}
"""
QUALIFY = """\
action: qualify_lead
key: {"@path": "$.lead"}
make: [account, contact, opportunity]
"""
ACCOUNT = """\
action: upsert
table: account
key: {"@path": "$.userId"}
body: {name: {"@path": "$.userId"}}
"""
STATE = """\
action: set_state
table: account
key: {"@path": "$.userId"}
statecode: {"@path": "$.state"}
statuscode: {"@path": "$.reason"}
"""
ASSIGN = """\
action: assign
table: account
key: {"@path": "$.userId"}
owner: {table: systemuser, key: {systemuserid: {"@path": "$.seller"}}}
"""
LOST = {"when": "after", "close": True}


@pytest.fixture
def sales(sales_anew: Sales) -> Sales:
    return sales_anew


def closed(sales: Sales) -> list[int]:
    """How often each opportunity was closed, by the service's own count of the activities."""
    deals = [row["_opportunityid_value"] for row in sales.rows("opportunitycloses")]
    return [deals.count(one) for one in dict.fromkeys(deals)]


def opened(sales: Sales, *deals: str) -> None:
    sales.subscribe(DEAL, when="type = 'identify'")
    sales.deliver(*({"type": "identify", "deal": deal} for deal in deals))


def test_an_opportunity_is_won_with_the_activity_that_closes_it(sales: Sales) -> None:
    opened(sales, "D-7")
    sales.subscribe(WIN, when="type = 'track'")
    row = sales.one({"deal": "D-7", "revenue": 12.5})
    assert (row["outcome"], row["effect"], row["http_status"]) == ("delivered", "updated", 204)
    [deal] = sales.rows("opportunities", "opportunityid,statecode,statuscode,actualvalue")
    assert (deal["statecode"], deal["statuscode"], deal["actualvalue"]) == (1, 3, 12.5)
    assert row["record_id"] == deal["opportunityid"]
    [activity] = sales.rows("opportunitycloses")
    assert (activity["subject"], activity["statecode"]) == ("Won D-7", 1)
    assert activity["_opportunityid_value"] == deal["opportunityid"]


def test_an_opportunity_that_is_won_already_is_unchanged(sales: Sales) -> None:
    opened(sales, "D-7")
    sales.subscribe(WIN, when="type = 'track'")
    effects = [sales.one({"deal": "D-7"})["effect"] for _ in range(2)]
    assert effects == ["updated", "unchanged"]
    assert closed(sales) == [1]


def test_an_opportunity_that_is_lost_for_another_reason_is_rejected(sales: Sales) -> None:
    opened(sales, "D-7")
    sales.subscribe(LOSE, when="type = 'track'")
    assert sales.one({"deal": "D-7", "reason": "Canceled"})["effect"] == "updated"
    assert sales.one({"deal": "D-7", "reason": 4})["effect"] == "unchanged"
    assert sales.one({"deal": "D-7"})["effect"] == "unchanged"  # any reason will do
    row = sales.one({"deal": "D-7", "reason": 5})
    assert (row["outcome"], row["code"]) == ("rejected", "E423")
    assert row["action_needed"].startswith("record:")
    assert closed(sales) == [1]


def test_a_reason_of_another_state_is_rejected_in_the_service_s_words(sales: Sales) -> None:
    opened(sales, "D-7")
    sales.subscribe(LOSE, when="type = 'track'")
    row = sales.one({"deal": "D-7", "reason": 3})
    assert (row["outcome"], row["code"]) == ("rejected", "0x80048408")
    assert closed(sales) == []
    for junk in ("Nonsense", 1.5, True):
        row = sales.one({"deal": "D-7", "reason": junk})
        assert (row["outcome"], row["code"][0]) == ("invalid", "E"), junk


@pytest.mark.parametrize("batching", ["off", "batch", "auto"])
@pytest.mark.parametrize("lost", [{"close": True}, {"close": "middle"}, {"status": 502}])
def test_a_lost_answer_is_asked_about_before_it_is_sent_again(
    sales: Sales, batching: str, lost: dict[str, Any]
) -> None:
    opened(sales, "A", "B", "C")
    sales.subscribe(WIN, when="type = 'track'")
    sales.delivery = sales.delivery.replace("{max", f"{{batching: {batching}, max")
    path = "WinOpportunity" if batching == "off" else "batch"
    sales.control("faults", [{"match": {"path": path}, "when": "after"} | lost])
    rows = sales.deliver(*({"deal": deal} for deal in "ABC"))
    assert [(row["outcome"], row["effect"]) for row in rows] == [("delivered", "updated")] * 3
    assert closed(sales) == [1, 1, 1]
    if batching == "off":
        assert sales.sent("WinOpportunity") == 3  # the lost one went out once


def test_a_request_that_did_not_arrive_is_sent_again(sales: Sales) -> None:
    opened(sales, "A")
    sales.subscribe(WIN, when="type = 'track'")
    sales.control("faults", [{"match": {"path": "Win"}, "when": "before", "close": True}])
    assert sales.one({"deal": "A"})["effect"] == "updated"
    assert closed(sales) == [1]


def test_an_opportunity_that_is_not_there_is_rejected(sales: Sales) -> None:
    sales.subscribe(WIN)
    row = sales.one({"deal": "nowhere"})
    assert (row["outcome"], row["code"]) == ("rejected", "0x80040217")


def test_a_wrong_name_in_the_closing_activity_pauses_the_subscription(sales: Sales) -> None:
    opened(sales, "A")
    sales.subscribe(WIN.replace("subject:", "subjekt:"), when="type = 'track'")
    row = sales.one({"deal": "A"})
    assert (row["outcome"], row["code"]) == ("waiting", "0x80048d19")


def test_a_lead_is_qualified_once(sales: Sales) -> None:
    sales.subscribe(LEAD, when="type = 'identify'")
    sales.subscribe(QUALIFY, when="type = 'track'")
    sales.one({"type": "identify", "lead": "L-1"})
    sales.control("faults", [LOST | {"match": {"path": "QualifyLead"}}])
    row = sales.one({"lead": "L-1"})
    assert (row["outcome"], row["effect"]) == ("delivered", "updated")
    assert sales.one({"lead": "L-1"})["effect"] == "unchanged"
    for table in ("account", "contact", "opportunity"):
        assert [one["created"] for one in sales.commits(table)] == [1], table
    [lead] = sales.rows("leads", "statecode,statuscode")
    assert (lead["statecode"], lead["statuscode"]) == (1, 3)


def test_a_lead_becomes_what_the_file_says(sales: Sales) -> None:
    sales.subscribe(LEAD, when="type = 'identify'")
    sales.subscribe(
        QUALIFY.replace("[account, contact, opportunity]", "contact"), when="type = 'track'"
    )
    sales.one({"type": "identify", "lead": "L-1"})
    assert sales.one({"lead": "L-1"})["outcome"] == "delivered"
    assert len(sales.commits("contact")) == 1
    assert sales.commits("account") == sales.commits("opportunity") == []


@pytest.mark.parametrize("batching", ["off", "bulk"])
def test_states_and_owners_are_updates_of_those_columns(sales: Sales, batching: str) -> None:
    sales.subscribe(ACCOUNT, when="type = 'identify'")
    sales.subscribe(STATE, name="state", when="event = 'state'")
    sales.subscribe(ASSIGN, name="owner", when="event = 'owner'")
    sales.delivery = sales.delivery.replace("{max", f"{{batching: {batching}, max")
    sales.deliver(*({"type": "identify", "userId": one} for one in "ab"))
    seller = sales.call(
        "POST", "systemusers", {"firstname": "S", "lastname": "T"}, Prefer="return=representation"
    )["systemuserid"]
    events = [{"event": "state", "userId": one, "state": "Inactive"} for one in "ab"]
    events += [{"event": "owner", "userId": one, "seller": seller} for one in "ab"]
    rows = sales.deliver(*events)
    assert [(row["outcome"], row["effect"]) for row in rows] == [("delivered", "updated")] * 4
    accounts = sales.rows("accounts", "statecode,statuscode,_ownerid_value")
    assert [(a["statecode"], a["statuscode"], a["_ownerid_value"]) for a in accounts] == [
        (1, 2, seller)
    ] * 2


def test_a_missing_state_or_owner_is_invalid(sales: Sales) -> None:
    sales.subscribe(STATE, name="state", when="event = 'state'")
    sales.subscribe(ASSIGN, name="owner", when="event = 'owner'")
    row = sales.one({"event": "state", "userId": "a"})
    assert (row["outcome"], row["code"]) == ("invalid", "E421")
    row = sales.one({"event": "owner", "userId": "a"})
    assert (row["outcome"], row["code"]) == ("invalid", "E517")
    gone = sales.one({"event": "state", "userId": "nobody", "state": 1})
    assert (gone["outcome"], gone["code"]) == ("rejected", "0x80040217")


def test_an_owner_that_cannot_own_is_one_event_s_fault(sales: Sales) -> None:
    sales.subscribe(ACCOUNT, when="type = 'identify'")
    sales.subscribe(ASSIGN, when="type = 'track'")
    sales.one({"type": "identify", "userId": "a"})
    fault = {"match": {"path": "/accounts"}, "status": 400, "code": "0x80040229", "message": "No."}
    sales.control("faults", [fault])
    seller = "5d1e0000-0000-4000-8000-000000000001"
    rows = sales.deliver(*({"userId": "a", "seller": seller} for _ in range(2)))
    assert sorted(row["outcome"] for row in rows) == ["delivered", "rejected"]


def test_a_diff_foretells_messages(sales: Sales) -> None:
    opened(sales, "open", "won", "lost")
    sales.subscribe(WIN, when="type = 'track'")
    sales.subscribe(LOSE, when="type = 'page'")
    sales.one({"deal": "won"})
    sales.one({"type": "page", "deal": "lost"})
    events = [
        {"type": "track", "messageId": f"d{n}", "deal": deal}
        for n, deal in enumerate(("open", "won", "lost", "nowhere", "open"))
    ]
    told = sales.destination.preview(events, diff=True)
    effects = [row.effect for row in told.rows]
    assert effects == ["update", "nothing", "refuse", "refuse", "nothing"]
    assert [(c.field, c.before, c.after) for c in told.rows[0].changes] == [
        ("statecode", 0, 1),
        ("statuscode", 1, 3),
    ]


def test_a_preview_shows_the_exact_message(sales: Sales) -> None:
    sales.subscribe(WIN)
    [row] = sales.destination.preview([{"messageId": "p", "deal": "D", "revenue": 12.50}])
    assert (row.method, row.url.rpartition("/")[2]) == ("POST", "WinOpportunity")
    assert '"Status":3' in row.body
    assert '"subject":"Won D"' in row.body
    assert '"activityid"' not in row.body


CHECKED = [
    (WIN.replace("status: 3", "status: 4"), "E284"),
    (WIN.replace("key:", "table: account\nkey:"), "E115"),
    (WIN.replace("subject:", "Subject:"), "E263"),
    (LOSE.replace('{"@path": "$.reason"}', "Won"), "E284"),
    (QUALIFY.replace("contact,", "contract,"), "E113"),
    (QUALIFY.replace("make:", "makes:"), "E111"),
    (STATE.replace('{"@path": "$.state"}', "Gone"), "E270"),
    (STATE.replace('{"@path": "$.state"}', "1").replace('{"@path": "$.reason"}', "1"), "E284"),
    (
        STATE.replace("table: account", "table: opportunity").replace(
            '{"@path": "$.state"}', "Won"
        ),
        "E283",
    ),
    (ASSIGN.replace("table: systemuser", "table: contact"), "E265"),
    (ASSIGN.replace("table: systemuser", "table: sistemuser"), "E119"),
    (ASSIGN.replace("owner:", "to:"), "E111"),
]


@pytest.mark.parametrize(("subscription", "code"), CHECKED)
def test_a_check_judges_messages_offline(sales: Sales, subscription: str, code: str) -> None:
    sales.subscribe(subscription)
    try:
        result = sales.destination.check()
        found = [*result.errors, *result.warnings]
    except fp.ConfigError as error:
        found = error.mistakes
    assert code in {one.code for one in found}, found
    assert all(one.line for one in found if one.code == code)


@pytest.mark.parametrize("subscription", [WIN, LOSE, QUALIFY, STATE, ASSIGN])
def test_a_check_finds_nothing_wrong_with_messages_that_fit(
    sales: Sales, subscription: str
) -> None:
    sales.subscribe(subscription)
    result = sales.destination.check()
    assert (result.errors, result.warnings) == ([], [])
