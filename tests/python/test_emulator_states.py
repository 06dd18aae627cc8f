"""States that rows may have, and what only messages change. E ids: docs/emulator.md."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id  # noqa: F401

CRM = "Microsoft.Dynamics.CRM"


def test_E108_a_new_row_is_in_its_first_state(api: Api) -> None:
    words = "2 is not a valid status code for state code AccountState.Active on account with Id"
    answer = api.post("accounts", {"name": "A", "statecode": 1, "statuscode": 2})
    refused(answer, 400, "0x80048408", words)
    refused(api.post("accounts", {"statecode": 1}), 400, "0x80048408")
    refused(api.post("accounts", {"statuscode": 2}), 400, "0x80048408")
    refused(api.post("accounts", {"Account_Tasks": [{"statecode": 1}]}), 400, "0x80048408")
    target = {"@odata.type": f"{CRM}.account", "statecode": 1}
    answer = api.post(f"accounts/{CRM}.CreateMultiple", {"Targets": [target]})
    refused(answer, 400, "0x80048408")
    assert api.commits() == []
    assert api.post("accounts", {"statecode": 0, "statuscode": 1}).status_code == 204


def test_E109_an_upsert_changes_the_state_of_a_row_that_is_there(api: Api) -> None:
    state = {"statecode": 1, "statuscode": 2}
    refused(api.patch(f"accounts({row_id(1)})", state), 400, "0x80048408")
    api.created("accounts", {"accountid": row_id(1)})
    assert api.patch(f"accounts({row_id(1)})", state).status_code == 204
    assert api.row(f"accounts({row_id(1)})")["statecode"] == 1


@pytest.mark.parametrize(("state", "message"), [(1, "WinOpportunity"), (2, "LoseOpportunity")])
def test_E110_no_column_closes_an_opportunity(api: Api, state: int, message: str) -> None:
    deal = api.created("opportunities", {"name": "O"})
    words = f"use the {message} message instead."
    refused(api.patch(f"opportunities({deal})", {"statecode": state}), 400, "0x80100005", words)
    refused(api.post("opportunities", {"statecode": state}), 400, "0x80100005", words)
    bind = {"opportunityid@odata.bind": f"/opportunities({deal})"}
    assert api.post(message, {"Status": -1, "OpportunityClose": bind}).status_code == 204
    assert api.row(f"opportunities({deal})")["statecode"] == state
    assert api.patch(f"opportunities({deal})", {"statecode": 0}).status_code == 204
    assert api.row(f"opportunities({deal})")["statecode"] == 0


def test_E111_closing_makes_an_activity_once(api: Api) -> None:
    deal = api.created("opportunities", {"name": "O"})
    bind = {"opportunityid@odata.bind": f"/opportunities({deal})"}
    closing = {"Status": 3, "OpportunityClose": {"subject": "Won", **bind}}
    refused(api.post("WinOpportunity", {**closing, "Status": 4}), 400, "0x80048408")
    unknown = {"OpportunityClose": {"subjekt": "x", **bind}}
    refused(api.post("WinOpportunity", unknown), 400, "0x80048d19", "'subjekt'")
    assert api.post("WinOpportunity", closing).status_code == 204
    refused(api.post("WinOpportunity", closing), 400, "0x80040233")
    [activity] = api.row("opportunitycloses")["value"]
    assert (activity["subject"], activity["statecode"], activity["statuscode"]) == ("Won", 1, 2)
    assert [one["created"] for one in api.commits("opportunityclose")] == [1]
    [shown] = api.row(f"opportunities({deal})/Opportunity_OpportunityClose")["value"]
    assert shown["activityid"] == activity["activityid"]


def test_E112_a_lead_is_qualified_once(api: Api) -> None:
    lead = api.created("leads", {"subject": "S", "lastname": "L"})
    order = {"CreateAccount": False, "CreateContact": True, "CreateOpportunity": False}
    path = f"leads({lead})/{CRM}.QualifyLead"
    assert api.post(path, {**order, "Status": -1}).status_code == 200
    refused(api.post(path, {**order, "Status": 3}), 400, "0x80040233")
    assert len(api.commits("contact")) == 1
    assert api.row(f"leads({lead})")["statuscode"] == 3


def test_E119_no_row_was_made_in_the_future(api: Api) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = api.post("contacts", {"overriddencreatedon": ahead})
    refused(answer, 400, "0x80040239", "System date cannot be set to a date in the future.")
    assert api.post("contacts", {"overriddencreatedon": "2020-01-01T00:00:00Z"}).status_code == 204


@pytest.mark.parametrize("key", ["A#1", quote("A#1")])
def test_E120_a_hash_ends_an_address(api: Api, key: str) -> None:
    bind = {"lastname": "L", "new_ticket_contact@odata.bind": [f"/new_tickets(new_key='{key}')"]}
    refused(api.post("contacts", bind), 400, "0x80060888")
    refused(api.get(f"new_tickets(new_key='{quote('A#1')}')"), 400, "0x80060888")


def test_E121_a_decimal_is_no_text(api: Api) -> None:
    words = "parameter 'IEEE754Compatible' false/true."
    refused(api.post("new_tickets", {"new_ratio": "8.67"}), 400, "0x80048d19", words)
    refused(api.post("new_tickets", {"new_amount": "8.67"}), 400, "0x80048d19", "'Edm.Decimal'")
    ticket = api.created("new_tickets", {"new_ratio": 8.67e-1})
    assert api.row(f"new_tickets({ticket})")["new_ratio"] == 0.87
