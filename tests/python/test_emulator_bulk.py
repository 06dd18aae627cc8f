"""CreateMultiple and its kin. E ids are those of the emulator's own reference."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id  # noqa: F401

CRM = "Microsoft.Dynamics.CRM"


def bulk(
    api: Api, message: str, targets: list[Any], table: str = "contact", **headers: str
) -> httpx.Response:
    typed = [{"@odata.type": f"{CRM}.{table}", **target} for target in targets]
    return api.post(f"{table}s/{CRM}.{message}Multiple", {"Targets": typed}, **headers)


def contacts(*numbers: int, **more: Any) -> list[dict[str, Any]]:
    return [{"contactid": row_id(n), "lastname": f"S{n}", **more} for n in numbers]


def test_E82_create_multiple_answers_the_ids_in_order(api: Api) -> None:
    answer = bulk(api, "Create", contacts(3, 1, 2))
    assert answer.status_code == 200
    assert answer.json()["Ids"] == [row_id(3), row_id(1), row_id(2)]
    context = f"{api.base}/$metadata#{CRM}.CreateMultipleResponse"
    assert answer.json()["@odata.context"] == context
    assert len(api.commits("contact")) == 3


def test_E82_a_thousand_rows_are_quick(api: Api) -> None:
    assert len(bulk(api, "Create", contacts(*range(1000))).json()["Ids"]) == 1000


def test_E82_targets_bind(api: Api) -> None:
    account = api.created("accounts", {})
    bound = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    [contact] = bulk(api, "Create", [bound]).json()["Ids"]
    assert api.row(f"contacts({contact})")["_parentcustomerid_value"] == account


@pytest.mark.parametrize("on", [True, False])
def test_E83_V3_one_taken_id_refuses_all(api: Api, on: bool) -> None:
    api.control("POST", "switches", {"V3": on})
    api.created("contacts", {"contactid": row_id(2)})
    answer = bulk(api, "Create", contacts(1, 2, 3))
    refused(answer, 412 if on else 500, "0x80040237", "Cannot insert duplicate key.")
    assert len(api.commits()) == 1


def test_E83_one_bad_value_refuses_all_and_the_index_is_not_told(api: Api) -> None:
    answer = bulk(api, "Create", [*contacts(1, 2), {"lastname": "x" * 51}])
    refused(answer, 400, "0x80044331", "'lastname'")
    assert api.commits() == []


@pytest.mark.parametrize("on", [True, False])
def test_E84_V17_a_target_without_its_type_is_400(api: Api, on: bool) -> None:
    api.control("POST", "switches", {"V17": on})
    answer = api.post(f"contacts/{CRM}.CreateMultiple", {"Targets": contacts(1)})
    refused(answer, 400, "0x80048d19" if on else "0x80040203")


def test_E84_targets_are_of_one_table(api: Api) -> None:
    targets = [{"@odata.type": f"{CRM}.account", "name": "A"}]
    refused(api.post(f"contacts/{CRM}.CreateMultiple", {"Targets": targets}), 400, "0x80048d19")


def test_E85_upsert_multiple_by_id(api: Api) -> None:
    api.created("contacts", {"contactid": row_id(1), "lastname": "Old"})
    answer = bulk(api, "Upsert", contacts(1, 2))
    assert (answer.status_code, answer.content) == (204, b"")
    counts = {c["id"]: (c["created"], c["updated"]) for c in api.commits()}
    assert counts == {row_id(1): (1, 1), row_id(2): (1, 0)}


def test_E85_upsert_multiple_by_alternate_key(api: Api) -> None:
    targets = [{"@odata.id": f"new_tickets(new_key='{key}')", "new_n": 1} for key in "AB"]
    assert bulk(api, "Upsert", targets, "new_ticket").status_code == 204
    assert bulk(api, "Upsert", targets, "new_ticket").status_code == 204
    assert [(c["created"], c["updated"]) for c in api.commits()] == [(1, 1), (1, 1)]


def test_E86_the_key_column_must_not_be_repeated(api: Api) -> None:
    target = {"@odata.id": "new_tickets(new_key='A')", "new_key": "A", "new_n": 1}
    answer = bulk(api, "Upsert", [target], "new_ticket")
    refused(answer, 400, "0x80040216", "An unexpected error occurred.")
    assert api.commits() == []


def test_E87_the_same_id_twice_is_refused(api: Api) -> None:
    assert bulk(api, "Upsert", contacts(1, 1)).status_code == 412
    assert api.commits() == []


def test_E88_update_multiple_drops_the_second_of_an_id(api: Api) -> None:
    [key] = bulk(api, "Create", [{"new_n": 0}], "new_ticket").json()["Ids"]
    targets = [{"new_ticketid": key, "new_n": n} for n in (1, 2)]
    assert bulk(api, "Update", targets, "new_ticket").status_code == 204
    assert api.row(f"new_tickets({key})")["new_n"] == 1


def test_E88_update_multiple_creates_nothing(api: Api) -> None:
    refused(bulk(api, "Update", contacts(1)), 404, "0x80040217")
    assert api.commits() == []


def supported(api: Api, message: str, table: str) -> int:
    condition = quote("sdkmessageid/name eq @m and primaryobjecttypecode eq @t")
    path = f"sdkmessagefilters?$select=sdkmessagefilterid&$filter={condition}"
    return len(api.row(f"{path}&@m='{message}'&@t='{table}'")["value"])


def test_E89_a_table_without_bulk_messages_says_so(api: Api) -> None:
    assert supported(api, "CreateMultiple", "contact") == 1
    api.control("POST", "schema", {"table": "contact", "bulk": False})
    assert supported(api, "CreateMultiple", "contact") == 0
    assert supported(api, "Create", "contact") == 1
    words = "The 'CreateMultiple' method does not support entities of type 'contact'."
    refused(bulk(api, "Create", contacts(1)), 400, "0x80040800", words)
    assert supported(api, "UpdateMultiple", "account") == 1


def test_delete_multiple_is_for_elastic_tables(api: Api) -> None:
    refused(bulk(api, "Delete", contacts(1)), 400, "0x80048d0b", "not yet been implemented")
    [key] = bulk(api, "Create", [{"new_name": "R"}], "new_reading").json()["Ids"]
    assert bulk(api, "Delete", [{"new_readingid": key}], "new_reading").status_code == 204
    assert api.get(f"new_readings({key})").status_code == 404
