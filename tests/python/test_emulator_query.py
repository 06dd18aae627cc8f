"""Every query option, annotations, FetchXML and aggregates. E ids are those of the emulator."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id, tree  # noqa: F401

ALL = 'odata.include-annotations="*"'
FORMATTED = "OData.Community.Display.V1.FormattedValue"
CRM = "Microsoft.Dynamics.CRM"


@pytest.fixture(name="filled")
def fixture_filled(api: Api) -> Api:
    """Five accounts with contacts, tasks and amounts."""
    for n in range(1, 6):
        contact = {"contactid": row_id(10 + n), "lastname": f"Smith {n}", "firstname": "Jo"}
        tasks = [{"subject": f"Call {k}", "prioritycode": k % 3} for k in range(n)]
        body = {
            "accountid": row_id(n),
            "name": f"Firm {n}",
            "revenue": n * 1000.5,
            "numberofemployees": n,
            "industrycode": 1 + n % 2,
            "primarycontactid": contact,
            "Account_Tasks": tasks,
        }
        api.created("accounts", body)
    return api


def found(api: Api, condition: str, table: str = "accounts", column: str = "name") -> list[str]:
    path = f"{table}?$select={column}&$filter={quote(condition)}&$orderby={column}"
    return [row[column] for row in api.row(path)["value"]]


def firms(*numbers: int) -> list[str]:
    return [f"Firm {n}" for n in numbers]


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        ("primarycontactid/lastname eq 'Smith 2'", [2]),
        ("contains(primarycontactid/lastname,'SMITH') and numberofemployees gt 3", [4, 5]),
        ("Account_Tasks/any(t:t/subject eq 'Call 3')", [4, 5]),
        ("Account_Tasks/all(t:t/subject eq 'Call 0')", [1]),
        ("not Account_Tasks/any()", []),
        ("Account_Tasks/any(t:t/prioritycode eq 2 and contains(t/subject,'2'))", [3, 4, 5]),
        ("not (industrycode eq 1)", [1, 3, 5]),
        ("5 lt numberofemployees or 1 eq numberofemployees", [1]),
        ("revenue ge 4002", [4, 5]),
        ("createdon eq modifiedon and endswith(name,'3')", [3]),
        (f"{CRM}.In(PropertyName='industrycode',PropertyValues=['1','9'])", [2, 4]),
        (f"{CRM}.NotIn(PropertyName='name',PropertyValues=['firm 1','Firm 2'])", [3, 4, 5]),
        (f"{CRM}.Between(PropertyName='numberofemployees',PropertyValues=['2','3'])", [2, 3]),
        (f"{CRM}.Between(PropertyName='revenue',PropertyValues=['2001','3001.5'])", [2, 3]),
        (f"{CRM}.EqualUserId(PropertyName='ownerid') and name ne 'Firm 1'", [2, 3, 4, 5]),
        (f"{CRM}.Today(PropertyName='createdon')", [1, 2, 3, 4, 5]),
        (f"{CRM}.LastXDays(PropertyName='createdon',PropertyValue=2)", [1, 2, 3, 4, 5]),
        (f"{CRM}.OlderThanXDays(PropertyName='createdon',PropertyValue=2)", []),
        (f"{CRM}.ThisYear(PropertyName='createdon')", [1, 2, 3, 4, 5]),
        (f"{CRM}.LastMonth(PropertyName='createdon')", []),
    ],
)
def test_E26_a_filter_finds(filled: Api, condition: str, numbers: list[int]) -> None:
    assert found(filled, condition) == firms(*numbers)


@pytest.mark.parametrize(
    "condition",
    [
        "length(name) eq 3",
        "name in ('A')",
        "tolower(name) eq 'a'",
        "Account_Tasks/subject eq 'x'",
        "primarycontactid/nome eq 'x'",
        "name eq",
        "(name eq 'x'",
        "name eq 5",
        "Account_Tasks/any(t:t/nome eq 'x')",
        f"{CRM}.Unheard(PropertyName='name')",
    ],
)
def test_E23_a_filter_that_the_service_refuses(filled: Api, condition: str) -> None:
    refused(filled.get(f"accounts?$filter={quote(condition)}"), 400, "0x80060888")


@pytest.mark.parametrize(("word", "count"), [("or", 5), ("and", 0)])
def test_E26_a_filter_may_have_a_great_many_conditions(filled: Api, word: str, count: int) -> None:
    condition = f" {word} ".join(f"accountid eq {row_id(n)}" for n in range(1200))
    url = f"{filled.base}/accounts?$select=name&$filter={quote(condition)}"
    envelope = "\r\n".join(
        [
            "--b",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "",
            f"GET {url} HTTP/1.1",
            "",
            "--b--",
            "",
        ]
    )
    answer = filled.post("$batch", envelope, Content_Type="multipart/mixed; boundary=b")
    assert answer.status_code == 200, answer.text
    assert answer.text.count('"name":"Firm') == count


def test_E26_values_come_from_aliases(filled: Api) -> None:
    path = "accounts?$select=name&$filter=name eq @a or name eq @b&@a='Firm 1'&@b='Firm 2'"
    assert [row["name"] for row in filled.row(path)["value"]] == firms(1, 2)


def test_E26_several_choices_are_searched(api: Api) -> None:
    api.created("new_tickets", {"new_name": "A", "new_topics": "100000001,100000000"})
    assert api.row("new_tickets")["value"][0]["new_topics"] == "100000000,100000001"
    inside = "PropertyName='new_topics',PropertyValues=['100000001']"
    assert found(api, f"{CRM}.ContainValues({inside})", "new_tickets", "new_name") == ["A"]
    assert found(api, f"{CRM}.DoesNotContainValues({inside})", "new_tickets", "new_name") == []
    refused(api.post("new_tickets", {"new_topics": "7"}), 400, "0x8004431a")


def test_E26_rows_are_ordered_by_what_they_point_at(filled: Api) -> None:
    path = "accounts?$select=name&$orderby=primarycontactid/lastname desc&$top=2"
    assert [row["name"] for row in filled.row(path)["value"]] == firms(5, 4)


def test_E28_lookups_tell_what_they_point_at(filled: Api) -> None:
    path = f"accounts({row_id(1)})?$select=_primarycontactid_value"
    row = filled.get(path, Prefer=ALL).json()
    name = "_primarycontactid_value"
    assert row[name] == row_id(11)
    assert row[f"{name}@{FORMATTED}"] == "Jo Smith 1"
    assert row[f"{name}@{CRM}.lookuplogicalname"] == "contact"
    assert row[f"{name}@{CRM}.associatednavigationproperty"] == "primarycontactid"
    assert f"{name}@{FORMATTED}" not in filled.row(path)


def test_E28_polymorphic_lookups_tell_their_table(filled: Api) -> None:
    body = {"customerid_contact@odata.bind": f"/contacts({row_id(11)})", "name": "O"}
    deal = filled.created("opportunities", body)
    row = filled.get(f"opportunities({deal})", Prefer=ALL).json()
    assert row[f"_customerid_value@{CRM}.lookuplogicalname"] == "contact"
    assert row[f"_customerid_value@{CRM}.associatednavigationproperty"] == "customerid_contact"
    assert row[f"_ownerid_value@{CRM}.lookuplogicalname"] == "systemuser"


def test_E28_values_are_worded(filled: Api) -> None:
    moment = {"overriddencreatedon": "2024-05-01T15:04:05Z"}
    filled.created("accounts", {"accountid": row_id(9), "revenue": 1234567.5, **moment})
    only = f'odata.include-annotations="{FORMATTED}"'
    row = filled.get(f"accounts({row_id(9)})", Prefer=only).json()
    assert row[f"revenue@{FORMATTED}"] == "$1,234,567.50"
    assert row[f"createdon@{FORMATTED}"] == "5/1/2024 3:04 PM"
    assert row[f"statecode@{FORMATTED}"] == "Active"
    assert row[f"creditonhold@{FORMATTED}"] == "No"
    assert f"_ownerid_value@{CRM}.lookuplogicalname" not in row
    assert f"name@{FORMATTED}" not in row


def test_expansions_nest(filled: Api) -> None:
    inner = "$select=subject;$orderby=subject desc;$top=2;$filter=contains(subject,'Call')"
    deep = f"Account_Tasks({inner};$expand=regardingobjectid_account_task($select=name))"
    path = f"accounts?$select=name&$expand=primarycontactid($select=lastname),{deep}"
    rows = filled.row(path + "&$orderby=name")["value"]
    assert [row["primarycontactid"]["lastname"] for row in rows] == [
        f"Smith {n}" for n in range(1, 6)
    ]
    assert [task["subject"] for task in rows[4]["Account_Tasks"]] == ["Call 4", "Call 3"]
    back = rows[4]["Account_Tasks"][0]["regardingobjectid_account_task"]
    assert back["name"] == "Firm 5"
    by_reference = filled.row(f"accounts({row_id(2)})?$expand=Account_Tasks/$ref")
    assert len(by_reference["Account_Tasks"]) == 2
    assert by_reference["Account_Tasks"][0]["@odata.id"].startswith("tasks(")


def test_expanded_collections_come_in_pages_too(filled: Api) -> None:
    inner = "$select=subject;$orderby=subject desc;$expand=regardingobjectid_account_task"
    path = f"accounts({row_id(5)})?$select=name&$expand=Account_Tasks({inner})"
    row = filled.get(path, Prefer="odata.maxpagesize=2").json()
    assert [task["subject"] for task in row["Account_Tasks"]] == ["Call 4", "Call 3"]
    link = row["Account_Tasks@odata.nextLink"]
    subjects = []
    while link:
        headers = bearer(filled) | {"Prefer": "odata.maxpagesize=2"}
        page = filled.http.get(link, headers=headers).json()
        subjects += [task["subject"] for task in page["value"]]
        assert page["value"][0]["regardingobjectid_account_task"]["name"] == "Firm 5"
        link = page.get("@odata.nextLink")
    assert subjects == ["Call 2", "Call 1", "Call 0"]
    listed = filled.get("accounts?$expand=Account_Tasks", Prefer="odata.maxpagesize=3").json()
    linked = ["Account_Tasks@odata.nextLink" in row for row in listed["value"]]
    assert linked == [False, False, False]
    top = filled.get(path.replace("(subject", "(subject;$top=1"), Prefer="odata.maxpagesize=5")
    assert "Account_Tasks@odata.nextLink" not in top.json()


def test_what_lies_behind_a_row_is_read(filled: Api) -> None:
    path = f"accounts({row_id(3)})"
    assert filled.row(f"{path}/name")["value"] == "Firm 3"
    assert filled.get(f"{path}/name/$value").text == "Firm 3"
    assert filled.get(f"{path}/description").status_code == 204
    assert filled.row(f"{path}/primarycontactid?$select=lastname")["lastname"] == "Smith 3"
    tasks = filled.row(f"{path}/Account_Tasks?$select=subject&$top=2&$orderby=subject desc")
    assert [task["subject"] for task in tasks["value"]] == ["Call 2", "Call 1"]
    assert filled.get(f"{path}/Account_Tasks/$count").text == "3"
    assert filled.get("accounts/$count").text == "5"
    assert filled.get("accounts/$count?$filter=numberofemployees gt 3").text == "2"
    page = filled.get(f"{path}/Account_Tasks", Prefer="odata.maxpagesize=2").json()
    assert f"{path}/Account_Tasks?" in page["@odata.nextLink"]
    assert (
        len(filled.http.get(page["@odata.nextLink"], headers=bearer(filled)).json()["value"]) == 1
    )
    assert filled.get(f"{path}/nothing").status_code == 404


def bearer(api: Api) -> dict[str, str]:
    return {"Authorization": f"Bearer {api.token}"}


def test_a_single_column_is_written(filled: Api) -> None:
    path = f"accounts({row_id(1)})"
    assert filled.send("PUT", f"{path}/name", {"value": "X"}).status_code == 204
    assert filled.row(path)["name"] == "X"
    assert filled.delete(f"{path}/name").status_code == 204
    assert filled.row(path)["name"] is None
    assert filled.send("PUT", f"accounts({row_id(99)})/name", {"value": "X"}).status_code == 404


def test_a_row_is_created_in_a_collection(filled: Api) -> None:
    path = f"accounts({row_id(1)})/Account_Tasks"
    assert filled.post(path, {"subject": "New"}).status_code == 204
    assert filled.get(f"{path}/$count").text == "2"


def test_rows_are_counted(filled: Api) -> None:
    page = filled.get("accounts?$count=true&$top=2", Prefer=ALL).json()
    assert (page["@odata.count"], len(page["value"])) == (5, 2)
    assert page[f"@{CRM}.totalrecordcountlimitexceeded"] is False


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("aggregate($count as n,revenue with sum as total)", [{"n": 5, "total": 15007.5}]),
        ("aggregate(numberofemployees with average as mean)", [{"mean": 3.0}]),
        ("filter(numberofemployees gt 3)/aggregate($count as n)", [{"n": 2}]),
        (
            "groupby((industrycode),aggregate($count as n,numberofemployees with max as most))",
            [{"industrycode": 1, "n": 2, "most": 4}, {"industrycode": 2, "n": 3, "most": 5}],
        ),
        ("groupby((industrycode))", [{"industrycode": 1}, {"industrycode": 2}]),
    ],
)
def test_rows_are_aggregated(filled: Api, text: str, rows: list[Any]) -> None:
    assert filled.row(f"accounts?$apply={quote(text)}")["value"] == rows
    assert filled.get("accounts?$apply=topcount(2,name)").status_code == 400


def test_aggregates_are_ordered(filled: Api) -> None:
    text = quote("groupby((industrycode),aggregate($count as n))")
    rows = filled.row(f"accounts?$apply={text}&$orderby=n desc")["value"]
    assert [row["n"] for row in rows] == [3, 2]


def test_aggregates_are_worded(filled: Api) -> None:
    text = quote("groupby((industrycode),aggregate($count as n,revenue with sum as total))")
    row = filled.get(f"accounts?$apply={text}", Prefer=ALL).json()["value"][0]
    assert row[f"industrycode@{FORMATTED}"] == "Accounting"
    assert (row["n"], row[f"n@{FORMATTED}"]) == (2, "2")
    assert row[f"total@{FORMATTED}"] == "$6,003.00"


def fetch(api: Api, xml: str, table: str = "accounts", **headers: str) -> list[dict[str, Any]]:
    answer = api.get(f"{table}?fetchXml={quote(xml)}", **headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["value"])


def entity(inside: str, more: str = "") -> str:
    return f'<fetch {more}><entity name="account">{inside}</entity></fetch>'


def test_fetchxml_selects_filters_and_orders(filled: Api) -> None:
    inside = (
        '<attribute name="name"/><attribute name="primarycontactid"/>'
        '<order attribute="name" descending="true"/><filter type="or">'
        '<condition attribute="name" operator="like" value="%1"/>'
        '<condition attribute="numberofemployees" operator="in"><value>2</value></condition>'
        "</filter>"
    )
    rows = fetch(filled, entity(inside))
    assert [row["name"] for row in rows] == firms(2, 1)
    assert rows[0]["_primarycontactid_value"] == row_id(12)
    assert {"accountid", "@odata.etag"} <= rows[0].keys()


def test_fetchxml_links(filled: Api) -> None:
    link = (
        '<attribute name="name"/><link-entity name="contact" from="contactid" '
        'to="primarycontactid" alias="c" link-type="{}"><attribute name="lastname"/><filter>'
        '<condition attribute="lastname" operator="eq" value="smith 2"/></filter></link-entity>'
    )
    [row] = fetch(filled, entity(link.format("inner")))
    assert (row["name"], row["c.lastname"]) == ("Firm 2", "Smith 2")
    assert len(fetch(filled, entity(link.format("outer")))) == 5


def test_fetchxml_pages_and_aggregates(filled: Api) -> None:
    pages = [
        fetch(filled, entity('<attribute name="name"/>', f'count="2" page="{n}"'))
        for n in (1, 2, 3)
    ]
    assert [row["name"] for page in pages for row in page] == firms(1, 2, 3, 4, 5)
    xml = entity('<attribute name="name"/>', 'count="2"')
    answer = filled.get(f"accounts?fetchXml={quote(xml)}", Prefer=ALL).json()
    assert answer[f"@{CRM}.morerecords"] is True
    assert "pagenumber" in answer[f"@{CRM}.fetchxmlpagingcookie"]
    inside = (
        '<attribute name="numberofemployees" alias="most" aggregate="max"/>'
        '<attribute name="industrycode" alias="code" groupby="true"/><order alias="code"/>'
    )
    assert fetch(filled, entity(inside, 'aggregate="true"')) == [
        {"most": 4, "code": 1},
        {"most": 5, "code": 2},
    ]


def test_fetchxml_that_is_wrong_is_400(filled: Api) -> None:
    for xml, code in (
        ("<fetch>", "0x80040201"),
        (entity('<attribute name="nome"/>'), "0x80041103"),
        ('<fetch><entity name="contact"/></fetch>', "0x80041102"),
        (entity('<attribute name="name" alias="a&quot;b"/>'), "0x80060888"),
    ):
        refused(filled.get(f"accounts?fetchXml={quote(xml)}"), 400, code)


def test_tables_that_do_not_track_changes_say_so(api: Api) -> None:
    for path in ("annotations", "new_tickets"):
        refused(api.get(path, Prefer="odata.track-changes"), 400, "0x80072491")


def tracked(api: Api, link: str) -> tuple[list[tuple[str, Any]], list[str], str]:
    """(names, deleted ids, delta link) of a list whose changes are tracked."""
    answer = api.get(link.removeprefix(f"{api.base}/"), Prefer="odata.track-changes")
    assert answer.headers["Preference-Applied"] == "odata.track-changes"
    told = answer.json()
    gone = [row["id"] for row in told["value"] if row.get("reason") == "deleted"]
    names = [row["name"] for row in told["value"] if "reason" not in row]
    return names, gone, told["@odata.deltaLink"]


def test_a_delta_link_gives_what_changed_since(api: Api) -> None:
    kept, changed, lost = (api.created("accounts", {"name": name}) for name in "ABC")
    names, gone, link = tracked(api, "accounts?$select=name")
    assert (sorted(names), gone) == (["A", "B", "C"], [])
    assert "$select=name&$deltatoken=" in link
    assert tracked(api, link)[:2] == ([], [])
    api.patch(f"accounts({changed})", {"name": "B2"})
    api.delete(f"accounts({lost})")
    api.created("accounts", {"name": "D"})
    names, gone, later = tracked(api, link)
    assert (sorted(names), gone) == (["B2", "D"], [lost])
    assert tracked(api, later)[:2] == ([], [])
    # A row that came and went in between is only told as gone.
    api.delete(f"accounts({kept})")
    assert tracked(api, later)[:2] == ([], [kept])


@pytest.mark.parametrize("option", ["$filter=name eq 'A'", "$orderby=name", "$top=1"])
def test_changes_are_tracked_of_whole_tables(api: Api, option: str) -> None:
    refused(api.get(f"accounts?{option}", Prefer="odata.track-changes"), 400, "0x80060888")
    refused(api.get("accounts?$deltatoken=never"), 400, "0x80060888")


def test_older_versions_of_the_api_answer_too(api: Api) -> None:
    address = api.base.replace("v9.2", "v9.0")
    assert api.http.get(f"{address}/WhoAmI", headers=bearer(api)).status_code == 200


def test_every_E_id_has_a_test(request: pytest.FixtureRequest) -> None:
    """The list of behaviours is complete: E1 to E127, each named by at least one test."""
    import re

    names = set()
    for path in request.path.parent.glob("test_emulator*.py"):
        for name in re.findall(r"def test_(\w+)", path.read_text()):
            names |= {int(number) for number in re.findall(r"E(\d+)(?=_)", name)}
    assert names == set(range(1, 128))
