"""Updates, upserts, deletes, conditions. E ids are those of the emulator's own reference."""

from __future__ import annotations

import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id  # noqa: F401


def test_E35_a_nested_row_in_a_patch_is_400(api: Api) -> None:
    account = api.created("accounts", {"name": "A"})
    words = "Deep update of navigation properties is not allowed."
    single = api.patch(f"accounts({account})", {"primarycontactid": {"firstname": "X"}})
    refused(single, 400, "0x80060888", words)
    many = api.patch(f"accounts({account})", {"name": "B", "Account_Tasks": [{}]})
    refused(many, 400, "0x80060888", words)
    assert api.row(f"accounts({account})")["name"] == "A"


def test_E41_setting_one_customer_clears_the_other(api: Api) -> None:
    account, contact = api.created("accounts", {}), api.created("contacts", {"lastname": "S"})
    body = {"customerid_account@odata.bind": f"/accounts({account})"}
    deal = api.created("opportunities", body)
    change = {"customerid_contact@odata.bind": f"/contacts({contact})"}
    assert api.patch(f"opportunities({deal})", change).status_code == 204
    row = api.row(f"opportunities({deal})?$expand=customerid_account,customerid_contact")
    assert row["_customerid_value"] == contact
    assert row["customerid_account"] is None
    assert row["customerid_contact"]["lastname"] == "S"


@pytest.mark.parametrize("name", ["customerid_account@odata.bind", "customerid_account"])
def test_E41_null_clears_a_lookup(api: Api, name: str) -> None:
    account = api.created("accounts", {})
    bind = {"customerid_account@odata.bind": f"/accounts({account})"}
    deal = api.created("opportunities", bind)
    assert api.patch(f"opportunities({deal})", {name: None}).status_code == 204
    assert api.row(f"opportunities({deal})")["_customerid_value"] is None


def test_E44_a_patch_of_a_missing_row_creates_it(api: Api) -> None:
    answer = api.patch(f"accounts({row_id(9)})", {"name": "N"})
    assert answer.status_code == 204
    assert answer.headers["OData-EntityId"] == f"{api.base}/accounts({row_id(9)})"
    assert api.row(f"accounts({row_id(9)})")["name"] == "N"
    [commit] = api.commits()
    assert (commit["id"], commit["created"], commit["updated"]) == (row_id(9), 1, 0)


def test_E45_a_patch_of_a_present_row_updates_it(api: Api) -> None:
    api.patch(f"accounts({row_id(9)})", {"name": "N", "telephone1": "1"})
    before = api.get(f"accounts({row_id(9)})").headers["ETag"]
    assert api.patch(f"accounts({row_id(9)})", {"name": "M"}).status_code == 204
    after = api.get(f"accounts({row_id(9)})")
    assert after.headers["ETag"] != before
    assert (after.json()["name"], after.json()["telephone1"]) == ("M", "1")
    [commit] = api.commits()
    assert (commit["created"], commit["updated"]) == (1, 1)


def test_E45_return_representation_tells_created_from_updated(api: Api) -> None:
    prefer = {"Prefer": "return=representation"}
    path = f"accounts({row_id(9)})?$select=name"
    assert api.patch(path, {"name": "N"}, **prefer).status_code == 201
    answer = api.patch(path, {"name": "M"}, **prefer)
    assert (answer.status_code, answer.json()["name"]) == (200, "M")


def test_E45_an_id_in_the_body_must_be_the_one_in_the_address(api: Api) -> None:
    path = f"accounts({row_id(9)})"
    assert api.patch(path, {"accountid": row_id(9), "name": "N"}).status_code == 204
    assert api.patch(path, {"accountid": row_id(8), "name": "N"}).status_code == 400


def test_E46_if_none_match_star_creates_only(api: Api) -> None:
    path = f"accounts({row_id(9)})"
    assert api.patch(path, {"name": "N"}, If_None_Match="*").status_code == 204
    refused(api.patch(path, {"name": "M"}, If_None_Match="*"), 412, "0x80040237")
    assert api.row(path)["name"] == "N"
    assert api.commits()[0]["updated"] == 0


def test_E46_if_none_match_null_demands_nothing(api: Api) -> None:
    path = f"accounts({row_id(9)})"
    for name in ("N", "M"):
        assert api.patch(path, {"name": name}, If_None_Match="null").status_code == 204


def test_E47_if_match_star_updates_only(api: Api) -> None:
    path = f"accounts({row_id(9)})"
    refused(api.patch(path, {"name": "N"}, If_Match="*"), 404, "0x80040217", row_id(9))
    assert api.commits() == []
    api.patch(path, {"name": "N"})
    assert api.patch(path, {"name": "M"}, If_Match="*").status_code == 204
    assert api.row(path)["name"] == "M"


def test_E48_an_old_version_is_412(api: Api) -> None:
    path = f"accounts({api.created('accounts', {'name': 'N'})})"
    old = api.get(path).headers["ETag"]
    assert api.patch(path, {"name": "M"}, If_Match=old).status_code == 204
    refused(api.patch(path, {"name": "L"}, If_Match=old), 412, "0x80060882")
    refused(api.patch(path, {"name": "L"}, If_Match="7"), 400, "0x80060883")
    assert api.row(path)["name"] == "M"


def test_E49_an_unchanged_row_is_304(api: Api) -> None:
    path = f"accounts({api.created('accounts', {'name': 'N'})})"
    version = api.get(path).headers["ETag"]
    answer = api.get(path, If_None_Match=version)
    assert (answer.status_code, answer.content) == (304, b"")
    api.patch(path, {"name": "M"})
    assert api.get(path, If_None_Match=version).status_code == 200


def test_E50_a_delete_is_204_and_then_404(api: Api) -> None:
    path = f"accounts({row_id(9)})"
    api.patch(path, {"name": "N"})
    refused(api.delete(path, If_Match='W/"0"'), 412, "0x80060882")
    assert api.delete(path).status_code == 204
    refused(api.delete(path), 404, "0x80040217", row_id(9))
    [commit] = api.commits()
    assert (commit["created"], commit["deleted"]) == (1, 1)


def test_E50_a_deleted_row_leaves_no_dangling_lookup(api: Api) -> None:
    account = api.created("accounts", {})
    bind = {"customerid_account@odata.bind": f"/accounts({account})"}
    deal = api.created("opportunities", bind)
    api.delete(f"accounts({account})")
    assert api.row(f"opportunities({deal})")["_customerid_value"] is None


def test_E61_a_status_must_belong_to_its_state(api: Api) -> None:
    deal = api.created("opportunities", {"name": "O"})
    answer = api.patch(f"opportunities({deal})", {"statecode": 1, "statuscode": 1})
    words = f"State.Won on opportunity with Id {deal}."
    refused(answer, 400, "0x80048408", "1 is not a valid status code for state code", words)
    lead = api.created("leads", {"lastname": "L"})
    assert api.patch(f"leads({lead})", {"statecode": 2}).status_code == 204
    row = api.row(f"leads({lead})?$select=statecode,statuscode")
    assert (row["statecode"], row["statuscode"]) == (2, 4)


def test_a_patch_keeps_the_full_name_true(api: Api) -> None:
    contact = api.created("contacts", {"firstname": "John", "lastname": "Smith"})
    api.patch(f"contacts({contact})", {"lastname": "Jones"})
    assert api.row(f"contacts({contact})")["fullname"] == "John Jones"


def test_rows_of_two_tables_may_share_an_id(api: Api) -> None:
    api.created("accounts", {"accountid": row_id(1)})
    api.created("contacts", {"contactid": row_id(1)})
    bind = {"customerid_account@odata.bind": f"/accounts({row_id(1)})"}
    deal = api.created("opportunities", bind)
    path = f"opportunities({deal})?$expand=customerid_account,customerid_contact"
    assert api.row(path)["customerid_contact"] is None
    assert api.row(path)["customerid_account"]["accountid"] == row_id(1)
    deals = "$expand=opportunity_customer_contacts"
    assert api.row(f"contacts({row_id(1)})?{deals}")["opportunity_customer_contacts"] == []
    api.delete(f"contacts({row_id(1)})")
    assert api.row(path)["_customerid_value"] == row_id(1)
