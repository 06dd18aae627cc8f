"""Reads: one row, lists, filters, pages, expansions. E ids as in the emulator's own reference."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id, tree  # noqa: F401


def names(
    api: Api, condition: str, entity_set: str = "accounts", column: str = "name"
) -> list[str]:
    path = f"{entity_set}?$select={column}&$filter={quote(condition)}&$orderby={column}"
    return [row[column] for row in api.row(path)["value"]]


@pytest.fixture
def people(api: Api) -> Api:
    """Five contacts, A to E."""
    for letter in "CADBE":
        api.created("contacts", {"lastname": letter})
    return api


@pytest.fixture
def companies(api: Api) -> Api:
    """Four accounts that differ in every kind of column."""
    api.created("accounts", {"accountid": row_id(1), "name": "O'Brien", "revenue": 10})
    api.created("accounts", {"name": "Acme", "revenue": 20.5, "numberofemployees": 7})
    api.created("accounts", {"name": "acme 100% new", "creditonhold": True, "telephone1": "1"})
    parent = {"parentaccountid@odata.bind": f"/accounts({row_id(1)})"}
    old = "2001-02-03T04:05:06Z"
    api.created("accounts", {"name": "Zeta", **parent, "overriddencreatedon": old})
    return api


def test_E19_a_row_is_read_by_its_id(api: Api) -> None:
    api.created("accounts", {"accountid": row_id(1), "name": "A"})
    answer = api.get(f"accounts({row_id(1)})?$select=name")
    assert answer.status_code == 200
    assert answer.headers["OData-Version"] == "4.0"
    version = answer.headers["ETag"]
    assert version.startswith('W/"')
    assert answer.json() == {
        "@odata.context": f"{api.base}/$metadata#accounts(name)/$entity",
        "@odata.etag": version,
        "accountid": row_id(1),
        "name": "A",
    }
    assert api.row(f"accounts(accountid={row_id(1)})")["name"] == "A"


def test_E20_a_missing_row_is_404(api: Api) -> None:
    words = f"Entity 'account' With Id = {row_id(1)} Does Not Exist"
    refused(api.get(f"accounts({row_id(1)})"), 404, "0x80040217", words)


@pytest.mark.parametrize("segment", ["Account", "account", "Accounts"])
def test_E21_an_unknown_set_is_404(api: Api, segment: str) -> None:
    words = f"Resource not found for the segment '{segment}'."
    refused(api.get(segment), 404, "0x80060888", words)
    refused(api.post(segment, {"name": "A"}), 404, "0x80060888", words)
    refused(api.get(f"{segment}({row_id(1)})"), 404, "0x80060888", words)


def test_E21_a_wrong_method_is_405(api: Api) -> None:
    assert api.send("PUT", "accounts", {}).status_code == 405
    assert api.post(f"accounts({row_id(1)})", {}).status_code == 405
    assert api.delete("accounts").status_code == 405


def test_E23_an_unknown_column_in_a_query_is_400(api: Api) -> None:
    words = "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.account'."
    for query in ("$select=Name", "$filter=Name eq 'A'", "$orderby=Name", "$expand=Name"):
        refused(api.get(f"accounts?{query}"), 400, "0x80060888", words)


def test_E26_a_filtered_list_has_the_chosen_columns(companies: Api) -> None:
    condition = quote("name eq 'O''Brien'")
    body = companies.row(f"accounts?$select=name&$filter={condition}&$top=2")
    assert body["@odata.context"] == f"{companies.base}/$metadata#accounts(name)"
    [row] = body["value"]
    assert row.keys() == {"@odata.etag", "accountid", "name"}
    assert row["name"] == "O'Brien"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("name eq 'ACME'", ["Acme"]),
        ("name ne 'acme'", ["acme 100% new", "O'Brien", "Zeta"]),
        ("name gt 'b'", ["O'Brien", "Zeta"]),
        ("startswith(name,'acm')", ["Acme", "acme 100% new"]),
        ("endswith(name,'NEW')", ["acme 100% new"]),
        ("contains(name,'0%')", ["acme 100% new"]),
        ("contains(name,'e%n')", []),
        ("revenue eq 20.5", ["Acme"]),
        ("revenue ge 10 and revenue lt 20.5", ["O'Brien"]),
        ("revenue eq null", ["acme 100% new", "Zeta"]),
        ("revenue ne null", ["Acme", "O'Brien"]),
        ("numberofemployees le 7", ["Acme"]),
        ("telephone1 ne '1'", ["Acme", "O'Brien", "Zeta"]),
        ("creditonhold eq true", ["acme 100% new"]),
        ("not (creditonhold eq true) and revenue eq null", ["Zeta"]),
        ("name eq 'Zeta' or name eq 'Acme' and revenue gt 100", ["Zeta"]),
        ("(name eq 'Zeta' or name eq 'Acme') and revenue gt 0", ["Acme"]),
        ("not contains(name,'e')", []),
        ("createdon lt 2001-02-03T04:05:07Z", ["Zeta"]),
        ("createdon lt 2001-02-03T05:05:07+01:00", ["Zeta"]),
        ("createdon lt 2001-02-03", []),
        ("createdon lt 2001-02-04", ["Zeta"]),
        (f"accountid eq {row_id(1).upper()}", ["O'Brien"]),
        (f"_parentaccountid_value eq {row_id(1)}", ["Zeta"]),
        (f"_parentaccountid_value ne {row_id(1)}", ["Acme", "acme 100% new", "O'Brien"]),
        (
            "_parentaccountid_value eq null and statecode eq 0 and name lt 'b'",
            ["Acme", "acme 100% new"],
        ),
    ],
)
def test_E26_a_filter_finds_what_it_says(companies: Api, condition: str, found: list[str]) -> None:
    assert names(companies, condition) == found


def test_E26_a_polymorphic_lookup_is_filtered_by_its_value(api: Api) -> None:
    api.created("accounts", tree())
    api.created("opportunities", {"name": "Other"})
    assert names(api, f"_customerid_value eq {row_id(1)}", "opportunities") == ["Deal"]


@pytest.mark.parametrize(
    "condition",
    [
        "name eq",
        "name = 'A'",
        "name eq 'A' and",
        "(name eq 'A'",
        "name eq 'A')",
        "name eq 'A",
        "name eq A",
        "name",
        "eq 'A'",
        "name eq 5",
        "revenue eq '5'",
        "accountid eq '1'",
        "creditonhold eq 1",
        "contains(revenue,'5')",
        "",
    ],
)
def test_E26_a_filter_that_makes_no_sense_is_400(api: Api, condition: str) -> None:
    refused(api.get(f"accounts?$filter={quote(condition)}"), 400, "0x80060888")


def test_E26_a_list_is_sorted_and_counted(people: Api) -> None:
    body = people.row("contacts?$select=lastname&$orderby=lastname desc&$top=2&$count=true")
    assert [row["lastname"] for row in body["value"]] == ["E", "D"]
    assert body["@odata.count"] == 5
    assert "@odata.nextLink" not in body


@pytest.mark.parametrize("option", ["$skip=1", "$search=x", "$top=-1", "$top=x", "$count=yes"])
def test_E26_an_option_that_is_not_there_is_400(api: Api, option: str) -> None:
    refused(api.get(f"accounts?{option}"), 400, "0x80060888")


def test_E27_pages_follow_the_next_link(people: Api) -> None:
    prefer = {"Prefer": "odata.maxpagesize=2"}
    path, sizes, found = "contacts?$select=lastname&$orderby=lastname", [], []
    while path:
        answer = people.get(path, **prefer)
        assert answer.headers["Preference-Applied"] == "odata.maxpagesize=2"
        body = answer.json()
        assert all({"contactid", "@odata.etag"} <= row.keys() for row in body["value"])
        sizes.append(len(body["value"]))
        found += [row["lastname"] for row in body["value"]]
        link = body.get("@odata.nextLink", "")
        assert "$skiptoken=" in link or not link
        path = link.removeprefix(f"{people.base}/")
    assert (sizes, found) == ([2, 2, 1], list("ABCDE"))


def test_E27_the_usual_page_is_5000_rows(api: Api) -> None:
    for _ in range(26):
        api.created("accounts", {"Account_Tasks": [{}] * 200})
    body = api.row("tasks?$select=activityid&$count=true")
    assert (len(body["value"]), body["@odata.count"]) == (5000, 5000)
    rest = api.row(body["@odata.nextLink"].removeprefix(f"{api.base}/"))
    assert len(rest["value"]) == 200
    assert "@odata.nextLink" not in rest


def test_E27_a_made_up_token_is_400(api: Api) -> None:
    refused(api.get("contacts?$skiptoken=abc"), 400, "0x80060888")


def test_expansions_show_one_level(api: Api) -> None:
    api.created("accounts", tree())
    path = "?$select=name&$expand=primarycontactid($select=fullname),opportunity_customer_accounts"
    row = api.row(f"accounts({row_id(1)}){path}($select=name)")
    assert row["@odata.context"].endswith(
        "#accounts(name,primarycontactid(fullname),opportunity_customer_accounts(name))/$entity"
    )
    assert row["primarycontactid"]["fullname"] == "John Smith"
    assert row["primarycontactid"]["contactid"] == row_id(2)
    [deal] = row["opportunity_customer_accounts"]
    assert deal.keys() == {"@odata.etag", "opportunityid", "name"}
    [listed] = api.row("accounts?$select=name&$expand=Account_Tasks")["value"]
    assert listed["Account_Tasks"] == []


def test_top_with_an_expanded_collection_is_400(api: Api) -> None:
    refused(api.get("accounts?$top=1&$expand=Account_Tasks"), 400, "0x80060888")


def test_E55_a_key_that_is_not_defined_is_400(api: Api) -> None:
    words = "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.account'."
    refused(api.get("accounts(accountnumber='1')"), 400, "0x80060888", words)
    refused(api.get("accounts(1)"), 400, "0x80060888")


def test_E90_every_answer_carries_the_services_headers(api: Api) -> None:
    for answer in (api.get("WhoAmI"), api.get("accounts(1)"), api.get("WhoAmI", Authorization="")):
        headers = answer.headers
        left = headers["x-ms-ratelimit-time-remaining-xrm-requests"]
        assert re.fullmatch(r"1,(199|200)\.\d\d", left), left
        assert int(headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) > 0
        assert int(headers["x-ms-dop-hint"]) > 0
        assert headers["x-ms-service-request-id"] == headers["REQ_ID"]
        assert headers["Set-Cookie"].startswith("ARRAffinity=")


def test_E103_who_am_i_and_the_version(api: Api) -> None:
    who = api.row("WhoAmI")
    context = f"{api.base}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"
    assert who.pop("@odata.context") == context
    assert who.keys() == {"BusinessUnitId", "UserId", "OrganizationId"}
    assert api.row("RetrieveVersion()")["Version"].startswith("9.2.")
    assert api.post("WhoAmI", {}).status_code == 404
    assert {"name": "accounts", "kind": "EntitySet", "url": "accounts"} in api.row("")["value"]
