"""Service protection, plug-ins, drift, servers, delivery. E ids are those of the emulator."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id  # noqa: F401


def limits(api: Api, **order: Any) -> None:
    api.control("POST", "limits", order)


def test_E91_one_request_too_many_is_429_and_is_not_executed(api: Api) -> None:
    limits(api, requests=5, window_s=4)
    assert {api.post("accounts", {}).status_code for _ in range(5)} == {204}
    answer = api.post("accounts", {})
    words = "Number of requests exceeded the limit of 5 over time window of 4 seconds."
    refused(answer, 429, "0x80072322", words)
    assert 1 <= int(answer.headers["Retry-After"]) <= 4
    assert len(api.commits()) == 5
    time.sleep(int(answer.headers["Retry-After"]))
    assert api.post("accounts", {}).status_code == 204
    assert api.control("GET", "limits")["impatient"] == 0


def test_E91_what_is_left_is_told(api: Api) -> None:
    limits(api, requests=20, window_s=60, execution_s=2000, dop_hint=7)
    api.get("WhoAmI")
    headers = api.get("WhoAmI").headers
    assert headers["x-ms-ratelimit-burst-remaining-xrm-requests"] == "18"
    assert headers["x-ms-ratelimit-time-remaining-xrm-requests"].startswith(("1,999.", "2,000."))
    assert headers["x-ms-dop-hint"] == "7"


def test_E92_impatience_makes_the_wait_longer(api: Api) -> None:
    limits(api, requests=1, window_s=20, grace_s=0)
    waits = [int(api.get("WhoAmI").headers.get("Retry-After", 0)) for _ in range(6)]
    assert waits[0] == 0
    assert waits[1] <= 20
    assert waits[-1] >= waits[1] + 3
    counts = api.control("GET", "limits")
    assert (counts["accepted"], counts["refused"], counts["impatient"]) == (1, 5, 4)


def test_E93_the_fifth_of_four_at_once_is_429(api: Api) -> None:
    limits(api, concurrency=4, read_ms=2000)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: api.get("WhoAmI"), range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [429]
    late = next(answer for answer in answers if answer.status_code == 429)
    refused(late, 429, "0x80072326", "Number of concurrent requests exceeded the limit of 4.")
    assert api.control("GET", "limits")["most_in_flight"] == 4


def test_E94_a_used_up_execution_budget_is_429(api: Api) -> None:
    limits(api, execution_s=0.1, window_s=60, request_ms=60)
    assert [api.post("accounts", {}).status_code for _ in range(3)] == [204, 204, 429]
    words = "exceeded limit of 100 milliseconds over time window of 60 seconds. Decrease number"
    refused(api.post("accounts", {}), 429, "0x80072321", words)


def test_costs_are_waited_for_and_counted(api: Api) -> None:
    limits(api, execution_s=10, request_ms=40, row_ms=10, bulk_request_ms=20, bulk_row_ms=5)
    start = time.monotonic()
    api.post("accounts", {"Account_Tasks": [{}, {}]})
    assert time.monotonic() - start >= 0.06
    targets = [{"@odata.type": "Microsoft.Dynamics.CRM.contact"}] * 10
    api.post("contacts/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": targets})
    left = api.get("WhoAmI").headers["x-ms-ratelimit-time-remaining-xrm-requests"]
    assert 9.80 <= float(left) <= 9.87


@pytest.mark.parametrize("on", [True, False])
def test_E91_V14_a_batch_is_one_request_or_many(api: Api, on: bool) -> None:
    api.control("POST", "switches", {"V14": on})
    limits(api, requests=10, window_s=60)
    one = (
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        "GET /api/data/v9.2/WhoAmI HTTP/1.1\r\n\r\n"
    )
    kind = "multipart/mixed; boundary=b"
    api.post("$batch", one * 5 + "--b--\r\n", Content_Type=kind)
    left = api.get("WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"]
    assert left == ("8" if on else "4")


@pytest.mark.parametrize(
    "order", [{"request": 5}, {"requests": "5"}, {"window_s": None}, [], {"requests": -1}]
)
def test_limits_that_are_not_understood_are_refused(api: Api, order: Any) -> None:
    answer = api.http.post(f"{api.emulator.control_url}/limits", json=order)
    assert answer.status_code == 400
    assert api.control("GET", "limits")["limits"]["requests"] is None


def test_E99_transient_errors_pass(api: Api) -> None:
    for status, code in ((500, "0x80044150"), (400, "0x80044151"), (400, "0x8004418d")):
        message = "Generic SQL error. Sql Number: 1205"
        api.faults({"status": status, "code": code, "message": message, "times": 2})
        for _ in range(2):
            refused(api.post("accounts", {}), status, code, "1205")
        assert api.post("accounts", {}).status_code == 204


def test_E100_a_plug_in_refuses_in_its_own_words(api: Api) -> None:
    order = {"table": "account", "refuse": "No Acme here.", "where": {"name": "Acme"}}
    api.control("POST", "plugins", order)
    refused(api.post("accounts", {"name": "Acme"}), 400, "0x80040265", "No Acme here.")
    assert api.post("accounts", {"name": "Other"}).status_code == 204
    deep = {"lastname": "S", "parentcustomerid_account": {"name": "Acme"}}
    assert api.post("contacts", deep).status_code == 400
    assert len(api.commits()) == 1
    around = {"MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync"}
    assert api.post("accounts", {"name": "Acme"}, **around).status_code == 204
    [plug_in] = api.control("GET", "plugins")["plugins"]
    assert plug_in["hits"] == 2


def test_E101_plug_ins_take_their_time_and_have_a_limit(api: Api) -> None:
    api.control("POST", "plugins", {"table": "contact", "delay_ms": 30})
    limits(api, plug_in_ms=200)

    def bulk(count: int) -> httpx.Response:
        targets = [{"@odata.type": "Microsoft.Dynamics.CRM.contact"}] * count
        return api.post("contacts/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": targets})

    refused(bulk(10), 400, "0x80081111")
    assert api.commits() == []
    start = time.monotonic()
    assert bulk(5).status_code == 200
    assert time.monotonic() - start >= 0.15


def test_E102_a_user_deletes_and_changes_rows_meanwhile(api: Api) -> None:
    path = f"accounts({row_id(1)})"
    api.patch(path, {"name": "A"})
    old = api.get(path).headers["ETag"]
    order = {"table": "account", "id": row_id(1)}
    api.control("POST", "rows", {**order, "values": {"name": "By a user"}})
    refused(api.patch(path, {"name": "B"}, If_Match=old), 412, "0x80060882")
    api.control("POST", "rows", {**order, "delete": True})
    assert api.get(path).status_code == 404
    assert api.commits()[0]["request_ids"][1:] == ["user", "user"]
    assert api.patch(path, {"name": "Back"}).status_code == 204


@pytest.mark.parametrize("on", [True, False])
def test_E102_V15_a_deleted_id_comes_back_or_not(api: Api, on: bool) -> None:
    api.control("POST", "switches", {"V15": on})
    api.created("accounts", {"accountid": row_id(1)})
    api.delete(f"accounts({row_id(1)})")
    assert api.post("accounts", {"accountid": row_id(1)}).status_code == (204 if on else 412)


def test_E104_the_schema_changes_while_it_runs(api: Api) -> None:
    api.created("accounts", {"name": "Before"})
    wanted = 'odata.include-annotations="Microsoft.Dynamics.CRM.globalmetadataversion"'
    name = "@Microsoft.Dynamics.CRM.globalmetadataversion"
    before = api.get("accounts", Prefer=wanted).json()[name]
    changes = [
        {"table": "account", "column": "new_grade", "add": {"type": "text", "length": 5}},
        {"table": "task", "column": "subject", "length": 10},
        {"table": "account", "column": "industrycode", "drop_choice": 3},
        {"table": "contact", "column": "jobtitle", "drop": True},
    ]
    api.control("POST", "schema", changes)
    assert api.get("accounts", Prefer=wanted).json()[name] != before
    assert api.post("accounts", {"new_grade": "gold"}).status_code == 204
    refused(api.post("accounts", {"new_grade": "golden"}), 400, "0x80044331")
    refused(api.post("tasks", {"subject": "x" * 11}), 400, "0x80044331", "'10'")
    refused(api.post("accounts", {"industrycode": 3}), 400, "0x8004431a")
    refused(api.post("contacts", {"jobtitle": "x"}), 400, "0x80048d19", "'jobtitle'")
    path = "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='new_grade')"
    assert api.row(path)["MaxLength"] == 5
    assert b'"new_grade"' in api.get("$metadata").content
    api.control("DELETE", "schema")
    assert api.post("accounts", {"new_grade": "gold"}).status_code == 400
    assert b'"new_grade"' not in api.get("$metadata").content


@pytest.mark.parametrize(
    "order",
    [
        {"table": "acount", "bulk": False},
        {"table": "account"},
        {"table": "account", "column": "nome", "drop": True},
        {"table": "account", "column": "name", "add": {"type": "text"}},
        {"table": "account", "column": "new_x", "add": {"type": "colour"}},
        {"table": "account", "column": "revenue", "length": 3},
    ],
)
def test_a_change_of_the_schema_that_makes_no_sense_is_refused(api: Api, order: Any) -> None:
    answer = api.http.post(f"{api.emulator.control_url}/schema", json=order)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_E105_servers_are_picked_by_cookie_else_in_turn(api: Api) -> None:
    limits(api, servers=2, requests=2, window_s=60)

    def asked(cookie: bool) -> list[int]:
        with httpx.Client() as client:
            found = []
            for _ in range(4):
                if not cookie:
                    client.cookies.clear()
                headers = {"Authorization": f"Bearer {api.token}"}
                found.append(client.get(f"{api.base}/WhoAmI", headers=headers).status_code)
            return found

    assert asked(cookie=False) == [200] * 4
    limits(api, servers=2, requests=2, window_s=60)
    assert asked(cookie=True) == [200, 200, 429, 429]


@pytest.mark.parametrize("on", [True, False])
def test_E106_a_body_has_a_largest_size(api: Api, on: bool) -> None:
    api.control("POST", "switches", {"V7": on})
    body = b'{"name":"A"}'.ljust(33 * 2**20 if on else 5 * 2**20)
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    answer = api.http.post(f"{api.base}/accounts", content=body, headers=headers)
    assert answer.status_code == (413 if on else 400)
    assert api.commits() == []


def raw(api: Api, **more: str) -> tuple[Any, bytes]:
    """Headers and body as they came."""
    host = api.emulator.url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(host, timeout=5)) as connection:
        headers = {"Authorization": f"Bearer {api.token}", **more}
        connection.request("GET", "/api/data/v9.2/WhoAmI", headers=headers)
        with connection.getresponse() as answer:
            return answer.headers, answer.read()


def test_E107_answers_come_in_every_form_that_http_has(api: Api) -> None:
    headers, whole = raw(api)
    assert int(headers["Content-Length"]) == len(whole)
    assert all(name == name.lower() for name in headers)
    api.control("POST", "answers", {"chunked": True, "byte_delay_s": 0.0001})
    headers, body = raw(api)
    assert (headers["Transfer-Encoding"], body) == ("chunked", whole)
    api.control("POST", "answers", {"chunked": False, "byte_delay_s": 0.0001, "piece_bytes": 9})
    assert raw(api)[1] == whole
    api.control("POST", "answers", {"byte_delay_s": 0, "gzip": True})
    headers, body = raw(api, **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == whole
    assert raw(api)[1] == whole


def test_E96_an_answer_can_break_off_in_the_middle(api: Api) -> None:
    order = {"match": {"method": "POST", "path": "/accounts$"}, "when": "after", "close": "middle"}
    api.faults(order)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.post("accounts", {"accountid": row_id(1)})
    assert len(api.commits()) == 1
    api.faults({"match": {"path": "/WhoAmI$"}, "when": "after", "close": "middle"})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.get("WhoAmI")


def test_switches_are_seen_and_set(api: Api) -> None:
    assert list(api.control("GET", "switches")) == [f"V{n}" for n in range(1, 19)]
    assert api.control("POST", "switches", {"V3": False})["V3"] is False
    for order in ({"V19": True}, {"V1": 1}, []):
        answer = api.http.post(f"{api.emulator.control_url}/switches", json=order)
        assert answer.status_code == 400
    api.control("POST", "reset")
    assert all(api.control("GET", "switches").values())


@pytest.mark.parametrize(
    ("switch", "body", "on", "off"),
    [
        ("V2", {"primarycontactid@odata.bind": f"/contacts({row_id(9)})"}, 404, 400),
        ("V6", {"createdon": "2024-01-01T00:00:00Z"}, 204, 400),
        ("V10", {"Account_Tasks": [{}] * 51}, 204, 400),
        ("V16", {"creditonhold": "true"}, 400, 204),
        ("V16", {"numberofemployees": 1.5}, 400, 204),
        ("V16", {"numberofemployees": "5"}, 204, 400),
    ],
)
def test_a_switch_changes_what_a_create_says(
    api: Api, switch: str, body: Any, on: int, off: int
) -> None:
    assert api.post("accounts", body).status_code == on
    api.control("POST", "switches", {switch: False})
    assert api.post("accounts", body).status_code == off


def test_V1_ids_in_nested_rows(api: Api) -> None:
    nested = {"primarycontactid": {"contactid": row_id(1)}}
    api.created("accounts", nested)
    assert api.get(f"contacts({row_id(1)})").status_code == 200
    api.control("POST", "reset")
    api.control("POST", "switches", {"V1": False})
    api.created("accounts", nested)
    assert api.get(f"contacts({row_id(1)})").status_code == 404


def test_V8_a_token_for_the_other_name(api: Api) -> None:
    other = api.emulator.url.replace("127.0.0.1", "localhost")
    token = api.sign_in(scope=f"{other}/.default").json()["access_token"]
    bearer = f"Bearer {token}"
    assert api.get("WhoAmI", Authorization=bearer).status_code == 200
    api.control("POST", "switches", {"V8": False})
    assert api.get("WhoAmI", Authorization=bearer).status_code == 401
    host = other.removeprefix("http://")
    assert api.get("WhoAmI", Authorization=bearer, Host=host).status_code == 200


def test_V13_and_V17_change_codes(api: Api) -> None:
    api.control("POST", "switches", {"V13": False, "V17": False})
    refused(api.post("accounts", {"Name": "A"}), 400, "0x0", "'Name'")
    refused(api.get("Account"), 404, "0x8006088a")
    text = api.post("accounts", "{}", Content_Type="text/plain")
    refused(text, 400, "0x80048d19")
