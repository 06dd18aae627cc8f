"""Elastic tables: partitions, replacing upserts, sessions. E ids: docs/emulator.md."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id  # noqa: F401

CRM = "Microsoft.Dynamics.CRM"
R1, R2, R3 = row_id(1), row_id(2), row_id(3)


def value_of(api: Api, path: str) -> Any:
    return api.row(path)["new_value"]


def test_E113_an_upsert_replaces_the_whole_row(api: Api) -> None:
    api.created("new_readings", {"new_readingid": R1, "new_name": "boiler", "new_value": 1.5})
    assert api.patch(f"new_readings({R1})", {"new_value": 2}).status_code == 204
    row = api.row(f"new_readings({R1})")
    assert (row["new_name"], row["new_value"]) == (None, 2)
    api.patch(f"new_readings({R1})", {"new_name": "pump"}, **{"If-Match": "*"})
    row = api.row(f"new_readings({R1})")
    assert (row["new_name"], row["new_value"]) == ("pump", 2)


def test_E114_an_elastic_table_compares_no_versions(api: Api) -> None:
    api.created("new_readings", {"new_readingid": R1})
    answer = api.patch(f"new_readings({R1})", {"new_value": 2}, **{"If-Match": 'W/"1"'})
    refused(answer, 400, "0x8006088d")
    answer = api.patch(f"new_readings({R1})", {"new_value": 2}, **{"If-None-Match": "*"})
    refused(answer, 412, "0x80040237")


def test_E115_a_row_is_named_by_id_and_partition(api: Api) -> None:
    for partition, value in (("a", 1), ("b", 2)):
        body = {"new_readingid": R1, "partitionid": partition, "new_value": value}
        answer = api.post("new_readings", body)
        assert answer.headers["OData-EntityId"] == f"{api.base}/new_readings({R1})"
    key = f"new_readingid={R1},partitionid="
    assert value_of(api, f"new_readings({key}'a')") == 1
    assert value_of(api, f"new_readings({key}'b')") == 2
    assert api.get(f"new_readings({R1})").status_code == 404
    refused(api.get(f"new_readings(new_readingid='{R1}',partitionid='a')"), 400, "0x80060888")
    assert api.patch(f"new_readings({key}'b')", {"new_value": 3}).status_code == 204
    assert api.patch(f"new_readings({key}'c')", {"new_value": 4}).status_code == 204
    assert value_of(api, f"new_readings({key}'a')") == 1
    assert len(api.row("new_readings")["value"]) == 3
    refused(api.post("new_readings", {"new_readingid": R1, "partitionid": "a"}), 412, "0x80040237")
    assert api.delete(f"new_readings({key}'a')").status_code == 204
    assert len(api.row("new_readings")["value"]) == 2
    own = api.created("new_readings", {"new_readingid": R2})
    assert api.row(f"new_readings({own})")["partitionid"] == own


def test_E116_a_read_and_a_delete_may_name_the_partition_as_an_option(api: Api) -> None:
    api.created("new_readings", {"new_readingid": R1, "partitionid": "a b/c", "new_value": 1})
    assert value_of(api, f"new_readings({R1})?partitionId=a%20b%2Fc&$select=new_value") == 1
    assert api.delete(f"new_readings({R1})?partitionId=other").status_code == 404
    assert api.delete(f"new_readings({R1})?partitionId=a%20b%2Fc").status_code == 204


@pytest.mark.parametrize("on", [True, False])
def test_E117_V18_a_session_shows_its_own_writes(api: Api, on: bool) -> None:
    api.control("POST", "switches", {"V18": on})
    token = api.post("new_readings", {"new_readingid": R1}).headers["x-ms-session-token"]
    path = f"new_readings({R1})?$select=new_name"
    assert api.get(path).status_code == (200 if on else 404)
    assert api.get(path, **{"MSCRM.SessionToken": token}).status_code == 200
    again = api.post("new_readings", {"new_readingid": R1})
    refused(again, 412, "0x80040237")
    assert again.headers["x-ms-session-token"]
    assert "x-ms-session-token" not in api.delete(f"new_readings({R1})").headers
    assert "x-ms-session-token" not in api.post("accounts", {}).headers


def test_E118_a_bulk_message_succeeds_in_part(api: Api) -> None:
    api.created("new_readings", {"new_readingid": R2})
    targets = [{"@odata.type": f"{CRM}.new_reading", "new_readingid": one} for one in (R1, R2, R3)]
    prefer = {"Prefer": 'odata.include-annotations="*"'}
    path = f"new_readings/{CRM}.CreateMultiple"
    answer = api.post(path, {"Targets": targets}, **prefer)
    refused(answer, 412, "0x80040237")
    [told] = [v for k, v in answer.json()["error"].items() if k.endswith("BulkApiErrorDetails")]
    assert json.loads(told) == [{"RequestIndex": 1, "Id": R2, "StatusCode": 412}]
    assert {row["new_readingid"] for row in api.row("new_readings")["value"]} == {R1, R2, R3}
    assert "BulkApiErrorDetails" not in api.post(path, {"Targets": targets}).text
    api.post(f"new_readings/{CRM}.DeleteMultiple", {"Targets": targets[:1]})
    assert len(api.row("new_readings")["value"]) == 2
