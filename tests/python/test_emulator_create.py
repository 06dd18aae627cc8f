"""Creates: single rows, trees, binds. E ids are those of the emulator's own reference."""

from __future__ import annotations

from typing import Any

import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id, tree  # noqa: F401

DUPLICATE = "A record with matching key values already exists."


def test_E15_a_create_is_204_with_the_address_of_the_row(api: Api) -> None:
    answer = api.post("accounts", {"name": "A"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["OData-Version"] == "4.0"
    address = answer.headers["OData-EntityId"]
    assert address.startswith(f"{api.base}/accounts(")
    [commit] = api.commits()
    assert address == f"{api.base}/accounts({commit['id']})"


def test_E15_an_empty_object_is_a_row(api: Api) -> None:
    assert api.row(f"contacts({api.created('contacts', {})})")["fullname"] is None


def test_E16_return_representation_is_201_with_the_row(api: Api) -> None:
    path = "accounts?$select=name"
    answer = api.post(path, {"name": "A"}, Prefer="return=representation")
    assert answer.status_code == 201
    assert answer.headers["Preference-Applied"] == "return=representation"
    assert "OData-EntityId" not in answer.headers
    body = answer.json()
    assert body["@odata.context"] == f"{api.base}/$metadata#accounts(name)/$entity"
    assert body["@odata.etag"] == answer.headers["ETag"]
    assert body.keys() == {"@odata.context", "@odata.etag", "accountid", "name"}
    assert body["name"] == "A"


def test_E16_a_bad_select_writes_nothing(api: Api) -> None:
    answer = api.post("accounts?$select=nome", {"name": "A"}, Prefer="return=representation")
    refused(answer, 400, "0x80060888", "'nome'")
    assert api.commits() == []


def test_E17_a_client_may_choose_the_id(api: Api) -> None:
    answer = api.post("accounts", {"accountid": row_id(1), "name": "A"})
    assert answer.status_code == 204
    assert answer.headers["OData-EntityId"] == f"{api.base}/accounts({row_id(1)})"


def test_E18_the_same_key_twice_is_412(api: Api) -> None:
    api.created("accounts", {"accountid": row_id(1), "name": "A"})
    again = api.post("accounts", {"accountid": row_id(1), "name": "B"})
    refused(again, 412, "0x80040237", DUPLICATE)
    assert api.row(f"accounts({row_id(1)})")["name"] == "A"
    [commit] = api.commits()
    assert (commit["created"], commit["updated"]) == (1, 0)


def test_E22_an_unknown_column_is_400_with_its_name(api: Api) -> None:
    answer = api.post("accounts", {"Name": "A"})
    refused(
        answer,
        400,
        "0x80048d19",
        "Error identified in Payload provided by the user for Entity :'accounts'",
        "Invalid property 'Name' was found in entity 'Microsoft.Dynamics.CRM.account'",
    )
    assert api.commits() == []


def test_E24_ids_compare_without_case_and_come_out_in_lower_case(api: Api) -> None:
    upper = row_id(1).upper()
    assert upper != row_id(1)
    assert api.created("accounts", {"accountid": upper}) == row_id(1)
    refused(api.post("accounts", {"accountid": row_id(1)}), 412, "0x80040237")
    assert api.row(f"accounts({upper})")["accountid"] == row_id(1)


def test_E25_a_body_that_is_not_called_json_is_415(api: Api) -> None:
    answer = api.post("accounts", '{"name":"A"}', Content_Type="text/plain")
    assert answer.status_code == 415
    charset = api.post("accounts", '{"name":"A"}', Content_Type="application/json; charset=utf-8")
    assert charset.status_code == 204


@pytest.mark.parametrize(
    "body",
    ['{"name":', "", "[]", '"A"', '{"name":NaN}', '{"name":"A","name":"B"}', '{"a":' * 5000],
)
def test_E25_a_broken_body_is_400(api: Api, body: str) -> None:
    refused(api.post("accounts", body), 400, "0x80048d19")
    assert api.commits() == []


def test_E25_a_body_that_is_not_utf8_is_400(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    answer = api.http.post(f"{api.base}/accounts", content=b'{"name":"\xff"}', headers=headers)
    refused(answer, 400, "0x80048d19")


def test_E29_an_annotation_without_a_period_is_400(api: Api) -> None:
    answer = api.post("accounts", {"@logicalName": "account", "name": "A"})
    refused(answer, 400, "0x80048d19", "'logicalName' is an invalid instance annotation name")
    dotted = {"@odata.type": "Microsoft.Dynamics.CRM.account", "name": "A"}
    assert api.post("accounts", dotted).status_code == 204


@pytest.mark.parametrize("kind", ["contact", "nothing", "Account"])
def test_E22_a_body_that_names_another_type_is_400(api: Api, kind: str) -> None:
    named = {"@odata.type": f"#Microsoft.Dynamics.CRM.{kind}"}
    refused(api.post("accounts", {**named, "name": "A"}), 400, "0x80048d19")
    nested = {"name": "A", "opportunity_customer_accounts": [{**named, "name": "O"}]}
    refused(api.post("accounts", nested), 400, "0x80048d19")
    assert api.commits() == []


def test_E30_a_tree_is_created_whole_and_linked(api: Api) -> None:
    answer = api.post("accounts", tree())
    assert answer.status_code == 204
    assert answer.headers["OData-EntityId"] == f"{api.base}/accounts({row_id(1)})"
    assert sorted(commit["id"] for commit in api.commits()) == [row_id(n) for n in range(1, 6)]
    assert api.row(f"accounts({row_id(1)})")["_primarycontactid_value"] == row_id(2)
    assert api.row(f"contacts({row_id(2)})")["fullname"] == "John Smith"
    assert api.row(f"opportunities({row_id(3)})")["_customerid_value"] == row_id(1)
    assert api.row(f"tasks({row_id(4)})")["_regardingobjectid_value"] == row_id(3)
    assert api.row(f"tasks({row_id(5)})")["_regardingobjectid_value"] == row_id(2)


def test_E30_a_tree_without_ids_gets_them_from_the_service(api: Api) -> None:
    contact = {"lastname": "S"}
    root = api.created("accounts", {"primarycontactid": contact, "Account_Tasks": [{}, {}]})
    expanded = api.row(f"accounts({root})?$expand=primarycontactid,Account_Tasks")
    assert expanded["primarycontactid"]["lastname"] == "S"
    assert len({task["activityid"] for task in expanded["Account_Tasks"]}) == 2


def test_E30_a_nested_row_may_bind_to_existing_rows(api: Api) -> None:
    old = api.created("accounts", {"name": "Old"})
    contact = {"parentcustomerid_account@odata.bind": f"/accounts({old})"}
    new = api.created("accounts", {"primarycontactid": contact})
    linked = api.row(f"accounts({new})?$expand=primarycontactid")["primarycontactid"]
    assert linked["_parentcustomerid_value"] == old


def test_E31_the_same_tree_twice_is_412_and_doubles_nothing(api: Api) -> None:
    assert api.post("accounts", tree()).status_code == 204
    refused(api.post("accounts", tree()), 412, "0x80040237", DUPLICATE)
    commits = api.commits()
    assert len(commits) == 5
    assert {(commit["created"], commit["updated"]) for commit in commits} == {(1, 0)}


@pytest.mark.parametrize("taken", [("tasks", "activityid", 4), ("contacts", "contactid", 2)])
def test_E32_one_taken_id_deep_inside_refuses_the_whole_tree(
    api: Api, taken: tuple[str, str, int]
) -> None:
    entity_set, key, number = taken
    api.created(entity_set, {key: row_id(number)})
    refused(api.post("accounts", tree()), 412, "0x80040237", DUPLICATE)
    assert [commit["id"] for commit in api.commits()] == [row_id(number)]
    assert api.get(f"accounts({row_id(1)})").status_code == 404
    assert api.get(f"opportunities({row_id(3)})").status_code == 404


def test_E32_one_id_twice_in_a_tree_is_412(api: Api) -> None:
    twins = [{"activityid": row_id(1)}, {"activityid": row_id(1).upper()}]
    refused(api.post("accounts", {"Account_Tasks": twins}), 412, "0x80040237")
    assert api.commits() == []


def test_E33_a_bad_value_on_the_third_level_leaves_nothing(api: Api) -> None:
    task = {"subject": "x" * 201}
    deal = {"name": "Deal", "Opportunity_Tasks": [task]}
    answer = api.post("accounts", tree(opportunity_customer_accounts=[deal]))
    refused(answer, 400, "0x80044331", "'subject'", "'task'", "'200'")
    assert api.commits() == []
    assert api.row("accounts")["value"] == []


def test_E34_a_navigation_name_in_the_wrong_case_is_400(api: Api) -> None:
    answer = api.post("opportunities", {"name": "O", "opportunity_Tasks": [{"subject": "S"}]})
    refused(answer, 400, "0x80048d19", "'opportunity_Tasks'", "Microsoft.Dynamics.CRM.opportunity")
    assert api.commits() == []


@pytest.mark.parametrize(
    "body",
    [
        {"primarycontactid": [{"lastname": "S"}]},
        {"Account_Tasks": {"subject": "S"}},
        {"Account_Tasks": ["S"]},
        {"name": {"firstname": "S"}},
    ],
)
def test_E34_a_nested_value_of_the_wrong_shape_is_400(api: Api, body: dict[str, Any]) -> None:
    assert api.post("accounts", body).status_code == 400
    assert api.commits() == []


@pytest.mark.parametrize("address", ["/accounts({})", "accounts({})", "{base}/accounts({})"])
def test_E36_a_bind_takes_every_form_of_address(api: Api, address: str) -> None:
    account = api.created("accounts", {"name": "A"})
    bound = address.replace("{base}", api.base).format(account)
    deal = api.created("opportunities", {"name": "O", "customerid_account@odata.bind": bound})
    assert api.row(f"opportunities({deal})")["_customerid_value"] == account


def test_E36_a_collection_binds_rows_that_exist(api: Api) -> None:
    task = api.created("tasks", {"subject": "S"})
    account = api.created("accounts", {"Account_Tasks@odata.bind": [f"/tasks({task})"]})
    assert api.row(f"tasks({task})")["_regardingobjectid_value"] == account
    [commit] = api.commits("task")
    assert (commit["created"], commit["updated"]) == (1, 1)


def test_E37_a_bind_to_a_column_instead_of_a_navigation_property_is_400(api: Api) -> None:
    account = api.created("accounts", {})
    body = {"name": "O", "customerid@odata.bind": f"/accounts({account})"}
    words = "An undeclared property 'customerid' which only has property annotations"
    refused(api.post("opportunities", body), 400, "0x80048d19", words)


def test_E38_a_bind_to_a_missing_row_is_404_and_creates_nothing(api: Api) -> None:
    body = {"name": "O", "customerid_account@odata.bind": f"/accounts({row_id(9)})"}
    words = f"Entity 'account' With Id = {row_id(9)} Does Not Exist"
    refused(api.post("opportunities", body), 404, "0x80040217", words)
    nested = {"primarycontactid": {}, "opportunity_customer_accounts": [body]}
    assert api.post("accounts", nested).status_code == 404
    assert api.commits() == []


def test_E39_a_bind_to_an_unknown_set_is_400(api: Api) -> None:
    body = {"customerid_account@odata.bind": f"/account({row_id(1)})"}
    words = "URL was not parsed due to an ODataUnrecognizedPathException."
    refused(api.post("opportunities", body), 400, "0x80060888", words)


def test_E39_a_bind_to_a_row_of_another_table_is_400(api: Api) -> None:
    contact = api.created("contacts", {})
    body = {"customerid_account@odata.bind": f"/contacts({contact})"}
    refused(api.post("opportunities", body), 400, "0x80048d19", "contact", "account")


@pytest.mark.parametrize("name", ["_customerid_value", "customerid_account"])
def test_E40_a_lookup_written_as_a_column_is_400(api: Api, name: str) -> None:
    account = api.created("accounts", {})
    words = "CRM do not support direct update of Entity Reference properties"
    refused(api.post("opportunities", {name: account}), 400, "0x80060888", words)


def test_rows_of_the_environment_can_be_bound_and_not_written(api: Api) -> None:
    user = api.row("WhoAmI")["UserId"]
    account = api.created("accounts", {"ownerid@odata.bind": f"/systemusers({user})"})
    assert api.row(f"accounts({account})")["_ownerid_value"] == user
    assert api.post("sdkmessages", {"name": "X"}).status_code == 405


@pytest.mark.parametrize(
    "body", ['{"name":"\\ud800"}', '{"\\ud800":"A"}', '{"revenue":1e9999999999}']
)
def test_E25_what_json_can_write_and_no_column_can_keep_is_400(api: Api, body: str) -> None:
    assert api.post("accounts", body).status_code == 400
    assert api.commits() == []


def test_a_tree_may_be_deep_and_has_an_end(api: Api) -> None:
    def chain(depth: int) -> str:
        return '{"parentaccountid":' * depth + "{}" + "}" * depth

    assert api.post("accounts", chain(100)).status_code == 204
    assert len(api.commits()) == 101
    refused(api.post("accounts", chain(900)), 400, "0x80048d19", "depth")
    assert len(api.commits()) == 101
