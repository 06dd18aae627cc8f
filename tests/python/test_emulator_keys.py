"""Alternate keys, references, many-to-many, duplicate rules. E ids are those of the emulator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id  # noqa: F401

TICKET = "new_tickets(new_key='{}')"


def test_E51_an_upsert_by_alternate_key_fills_the_key(api: Api) -> None:
    answer = api.patch(TICKET.format("A"), {"new_n": 1})
    assert answer.status_code == 204
    assert answer.headers["OData-EntityId"] == f"{api.base}/{TICKET.format('A')}"
    row = api.row(TICKET.format("A"))
    assert (row["new_key"], row["new_n"]) == ("A", 1)
    assert api.patch(TICKET.format("a"), {"new_n": 2}).status_code == 204
    [commit] = api.commits()
    assert (commit["created"], commit["updated"]) == (1, 1)


def test_E51_return_representation_tells_created_from_updated(api: Api) -> None:
    statuses = [
        api.patch(TICKET.format("A"), {}, Prefer="return=representation").status_code
        for _ in range(2)
    ]
    assert statuses == [201, 200]


def test_E51_a_key_has_several_columns_in_any_order(api: Api) -> None:
    api.created("new_tickets", {"new_region": "EU", "new_code": 5, "new_n": 7})
    for key in ("new_region='EU',new_code=5", "new_code=5,new_region='eu'"):
        assert api.row(f"new_tickets({key})")["new_n"] == 7
    refused(api.get("new_tickets(new_code=5)"), 400, "0x80060888")


def test_E51_a_key_may_hold_a_lookup(api: Api) -> None:
    account = api.created("accounts", {})
    key = f"new_tickets(_new_accountid_value={account},new_n=3)"
    body = {"new_AccountId@odata.bind": f"/accounts({account})", "new_n": 3}
    ticket = api.created("new_tickets", body)
    assert api.row(key)["new_ticketid"] == ticket


def test_E52_on_a_create_the_body_wins(api: Api) -> None:
    assert api.patch(TICKET.format("A"), {"new_key": "B", "new_n": 1}).status_code == 204
    assert api.get(TICKET.format("A")).status_code == 404
    assert api.row(TICKET.format("B"))["new_n"] == 1


def test_E52_on_an_update_the_address_wins(api: Api) -> None:
    api.patch(TICKET.format("A"), {})
    assert api.patch(TICKET.format("A"), {"new_key": "B", "new_n": 2}).status_code == 204
    assert api.row(TICKET.format("A"))["new_n"] == 2


def test_E53_a_second_row_with_the_values_of_a_key_is_412(api: Api) -> None:
    api.created("new_tickets", {"new_key": "A<b>"})
    annotated = 'odata.include-annotations="*"'
    answer = api.post("new_tickets", {"new_key": "A<b>"}, Prefer=annotated)
    refused(answer, 412, "0x80060892", "Entity Key new_ticket_key violated.", "new_key")
    detail = "@Microsoft.PowerApps.CDS.ErrorDetails.DuplicateAttributes"
    assert answer.json()["error"][detail] == "<new_key>A&lt;b&gt;</new_key>"
    assert detail not in api.post("new_tickets", {"new_key": "a<B>"}).json()["error"]
    assert len(api.commits()) == 1
    assert [api.post("new_tickets", {}).status_code for _ in range(2)] == [204, 204]


def test_E53_an_update_may_not_take_a_key_either(api: Api) -> None:
    api.created("new_tickets", {"new_key": "A"})
    other = api.created("new_tickets", {"new_key": "B"})
    refused(api.patch(f"new_tickets({other})", {"new_key": "A"}), 412, "0x80060892")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_E54_no_row_with_these_values_is_404(api: Api, method: str) -> None:
    answer = api.send(method, TICKET.format("none"))
    refused(answer, 404, "0x80060891", "does not exist in new_ticket entity")


def test_E54_if_match_star_and_binds_say_the_same(api: Api) -> None:
    refused(api.patch(TICKET.format("none"), {}, If_Match="*"), 404, "0x80060891")
    reading = {"new_AccountId@odata.bind": "/accounts(name='x')"}
    refused(api.post("new_readings", reading), 400, "0x80060888")


def test_E56_quotes_are_doubled_and_slashes_break(api: Api) -> None:
    api.created("new_tickets", {"new_key": "O'Brien ü"})
    assert api.get("new_tickets(new_key='O''Brien%20%C3%BC')").status_code == 200
    assert api.get("new_tickets(new_key=%27O%27%27Brien%20%C3%BC%27)").status_code == 200
    api.created("new_tickets", {"new_key": "a/b"})
    assert api.get("new_tickets(new_key='a%2Fb')").status_code in (400, 404)


def test_E51_a_key_value_must_fit_its_column_where_it_becomes_one(api: Api) -> None:
    long, far = f"new_tickets(new_key='{'x' * 101}')", "new_tickets(new_region='EU',new_code=-7)"
    for path, code in ((long, "0x80044331"), (far, "0x8004432f")):
        refused(api.get(path), 404, "0x80060891")
        refused(api.send("PATCH", path, {"new_name": "x"}), 400, code)
        refused(api.send("PATCH", path, {"new_name": "x"}, If_Match="*"), 404, "0x80060891")
        refused(api.delete(path), 404, "0x80060891")
    for text in ("99999999999", "7.5", "EU", "true", "'7'"):
        refused(api.get(f"new_tickets(new_region='EU',new_code={text})"), 400, "0x80060888")
    assert api.commits() == []


def test_a_key_whose_index_is_not_ready_is_none(api: Api) -> None:
    api.created("new_tickets", {"new_key": "A"})
    order = {"table": "new_ticket", "column": "new_ticket_key", "key_status": "Pending"}
    api.control("POST", "schema", order)
    refused(api.get(TICKET.format("A")), 400, "0x80060888")
    api.control("DELETE", "schema")
    assert api.get(TICKET.format("A")).status_code == 200


def test_E57_two_upserts_race_for_a_new_key(api: Api) -> None:
    api.control("POST", "races", {"table": "new_ticket"})
    with Api(api.emulator) as other, ThreadPoolExecutor(2) as pool:
        first = pool.submit(api.patch, TICKET.format("A"), {"new_n": 1})
        second = pool.submit(other.patch, TICKET.format("A"), {"new_n": 2})
        answers = sorted((first.result(), second.result()), key=lambda a: a.status_code)
    assert [answer.status_code for answer in answers] == [204, 412]
    assert answers[1].json()["error"]["code"] == "0x80060892"
    assert api.patch(TICKET.format("A"), {"new_n": 2}).status_code == 204
    [commit] = api.commits()
    assert (commit["created"], commit["updated"]) == (1, 1)


def deal_of(api: Api) -> tuple[str, str]:
    account = api.created("accounts", {"accountid": row_id(1)})
    deal = api.created("opportunities", {"opportunityid": row_id(2)})
    return account, deal


def test_E58_a_reference_puts_a_row_into_a_collection(api: Api) -> None:
    account, deal = deal_of(api)
    path = f"accounts({account})/opportunity_customer_accounts/$ref"
    relative = api.post(path, {"@odata.id": f"opportunities({deal})"})
    assert relative.status_code == 400
    full = {"@odata.id": f"{api.base}/opportunities({deal})"}
    assert api.post(path, full).status_code == 204
    assert api.row(f"opportunities({deal})")["_customerid_value"] == account
    assert api.row(path)["value"] == [{"@odata.id": f"{api.base}/opportunities({deal})"}]


@pytest.mark.parametrize("form", ["({})/$ref", "/$ref?$id={}"])
def test_E58_a_row_is_taken_out_of_a_collection(api: Api, form: str) -> None:
    account, deal = deal_of(api)
    path = f"accounts({account})/opportunity_customer_accounts"
    api.post(f"{path}/$ref", {"@odata.id": f"{api.base}/opportunities({deal})"})
    inside = deal if form.startswith("(") else f"{api.base}/opportunities({deal})"
    assert api.delete(path + form.format(inside)).status_code == 204
    assert api.row(f"opportunities({deal})")["_customerid_value"] is None
    assert api.delete(path + form.format(inside)).status_code == 404


def test_E59_a_single_reference_is_set_and_cleared(api: Api) -> None:
    account, deal = deal_of(api)
    path = f"opportunities({deal})/customerid_account/$ref"
    assert (
        api.send("PUT", path, {"@odata.id": f"{api.base}/accounts({account})"}).status_code == 204
    )
    assert api.row(path)["@odata.id"] == f"{api.base}/accounts({account})"
    assert api.delete(path).status_code == 204
    assert api.row(f"opportunities({deal})")["_customerid_value"] is None


def pair(api: Api) -> tuple[str, dict[str, str]]:
    account = api.created("accounts", {"name": "A"})
    lead = api.created("leads", {"subject": "L"})
    path = f"accounts({account})/accountleads_association"
    return path, {"@odata.id": f"{api.base}/leads({lead})"}


def test_E59_a_reference_that_is_not_set_has_no_address(api: Api) -> None:
    api.created("accounts", {"accountid": row_id(1), "name": "A"})
    customer = {"customerid_account@odata.bind": f"/accounts({row_id(1)})"}
    api.created("opportunities", {"opportunityid": row_id(2), "name": "O", **customer})
    deal = f"opportunities({row_id(2)})"
    shown = api.row(f"{deal}/customerid_account/$ref")["@odata.id"]
    assert shown == f"{api.base}/accounts({row_id(1)})"
    for path in (f"{deal}/customerid_contact/$ref", f"accounts({row_id(1)})/primarycontactid/$ref"):
        answer = api.get(path)
        assert (answer.status_code, answer.content) == (204, b"")


def test_E60_a_pair_is_made_once(api: Api) -> None:
    path, reference = pair(api)
    assert api.post(f"{path}/$ref", reference).status_code == 204
    refused(api.post(f"{path}/$ref", reference), 412, "0x80040237", "Cannot insert duplicate key.")
    [lead] = api.row(f"{path}?$select=subject")["value"]
    assert lead["subject"] == "L"
    back = api.row(f"leads({lead['leadid']})?$expand=accountleads_association($select=name)")
    assert [row["name"] for row in back["accountleads_association"]] == ["A"]
    found = api.row("accounts?$filter=accountleads_association/any(l:l/subject eq 'L')")
    assert [row["name"] for row in found["value"]] == ["A"]
    assert api.delete(f"{path}({lead['leadid']})/$ref").status_code == 204
    assert api.row(path)["value"] == []


@pytest.mark.parametrize("on", [True, False])
def test_E60_V9_rows_nest_in_many_to_many(api: Api, on: bool) -> None:
    api.control("POST", "switches", {"V9": on})
    answer = api.post("accounts", {"accountleads_association": [{"subject": "L"}]})
    assert answer.status_code == (204 if on else 400)
    assert len(api.commits()) == (2 if on else 0)


def test_E62_duplicates_are_detected_where_asked(api: Api) -> None:
    api.control("POST", "duplicate_rules", {"table": "account", "columns": ["name"]})
    api.created("accounts", {"name": "Acme"})
    asked = {"MSCRM.SuppressDuplicateDetection": "false"}
    refused(api.post("accounts", {"name": "ACME"}, **asked), 412, "0x80040333")
    assert api.post("accounts", {"name": "ACME"}).status_code == 204
    assert api.post("accounts", {"name": "Other"}, **asked).status_code == 204


def test_E43_an_email_has_parties(api: Api) -> None:
    user = api.row("WhoAmI")["UserId"]
    contact = api.created("contacts", {"lastname": "S"})
    parties: list[dict[str, Any]] = [
        {"partyid_systemuser@odata.bind": f"/systemusers({user})", "participationtypemask": 1},
        {"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 2},
        {"addressused": "x@y.z", "participationtypemask": 3},
    ]
    email = api.created("emails", {"subject": "Hi", "email_activity_parties": parties})
    row = api.row(f"emails({email})?$expand=email_activity_parties")
    found = [
        (p["participationtypemask"], p["_partyid_value"]) for p in row["email_activity_parties"]
    ]
    assert found == [(1, user), (2, contact), (3, None)]
    replaced = {"value": parties[1:2]}
    path = f"emails({email})/email_activity_parties"
    assert api.send("PUT", path, replaced).status_code == 204
    assert [p["_partyid_value"] for p in api.row(path)["value"]] == [contact]
    assert api.delete(f"emails({email})").status_code == 204
    assert api.row("activityparties")["value"] == []


def test_activities_are_seen_together(api: Api) -> None:
    account = api.created("accounts", {"name": "A"})
    for kind in ("task", "email", "phonecall", "appointment"):
        bind = {f"regardingobjectid_account_{kind}@odata.bind": f"/accounts({account})"}
        api.created(f"{kind}s", {"subject": kind, **bind})
    rows = api.row("activitypointers?$select=subject,activitytypecode&$orderby=subject")["value"]
    assert [row["activitytypecode"] for row in rows] == [
        "appointment",
        "email",
        "phonecall",
        "task",
    ]
    expanded = api.row(f"accounts({account})?$expand=Account_ActivityPointers($select=subject)")
    assert len(expanded["Account_ActivityPointers"]) == 4
    assert api.post("activitypointers", {"subject": "S"}).status_code == 405
    noted = {"subject": "N", "objectid_task@odata.bind": f"/tasks({rows[3]['activityid']})"}
    api.created("annotations", noted)
    assert api.row(f"tasks({rows[3]['activityid']})/Task_Annotation")["value"][0]["subject"] == "N"
