"""The control channel: ledger, counters, faults. Every fault is felt over a real socket."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import struct
import time
from typing import Any

import httpx
import pytest

from emulator_client import Api, fixture_api, fixture_emulator, row_id, tree  # noqa: F401
from postgres_server import wait_until

CREATE = {"method": "POST", "path": "/accounts$"}


def test_the_ledger_names_the_requests(api: Api) -> None:
    path = f"accounts({row_id(1)})"
    api.patch(path, {"name": "A"}, x_ms_client_request_id="first")
    api.patch(path, {"name": "B"}, x_ms_client_request_id="second")
    service = api.delete(path).headers["x-ms-service-request-id"]
    assert api.commits() == [
        {
            "table": "account",
            "id": row_id(1),
            "created": 1,
            "updated": 1,
            "deleted": 1,
            "request_ids": ["first", "second", service],
        }
    ]


def test_the_ledger_can_be_asked_for_one_table(api: Api) -> None:
    api.created("accounts", tree())
    assert [commit["id"] for commit in api.commits("contact")] == [row_id(2)]
    assert {commit["table"] for commit in api.commits("task")} == {"task"}


def test_requests_are_counted_by_pattern(api: Api) -> None:
    for number in (1, 2):
        api.get(f"accounts({row_id(number)})")
    api.post("accounts", {})
    counts = api.control("GET", "requests")
    assert counts["requests"] == {
        "GET /api/data/v9.2/accounts({key})": 2,
        "POST /api/data/v9.2/accounts": 1,
    }
    assert counts["total"] == 3


def test_a_reset_empties_everything_but_tokens(api: Api) -> None:
    api.created("accounts", tree())
    api.faults({"status": 503, "times": None})
    api.control("POST", "tokens", {"lifetime_s": 3})
    api.control("POST", "reset")
    assert api.commits() == []
    assert api.control("GET", "requests")["total"] == 0
    assert api.row("accounts")["value"] == []
    assert api.sign_in().json()["expires_in"] == 3599


@pytest.mark.parametrize(
    "order",
    [
        {"statsu": 503},
        {"status": 200},
        {"status": "503"},
        {"when": "during"},
        {"close": 1},
        {"times": "two"},
        {"match": {"path": "("}},
        {"match": {"host": "x"}},
        {"code": "0x80040216"},
        {"delay_s": "1"},
        "fault",
    ],
)
def test_a_fault_that_is_not_understood_is_refused(api: Api, order: Any) -> None:
    answer = api.http.post(f"{api.emulator.control_url}/faults", json=[order])
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert api.control("GET", "faults") == {"faults": []}


def test_an_order_for_tokens_that_is_not_understood_is_refused(api: Api) -> None:
    orders: list[Any] = [{"lifetime": 3}, {"lifetime_s": "3"}, {"lifetime_s": -1}, []]
    for order in orders:
        answer = api.http.post(f"{api.emulator.control_url}/tokens", json=order)
        assert answer.status_code == 400
    assert api.http.post(f"{api.emulator.control_url}/tokens", content="{").status_code == 400


def test_E91_a_429_says_when_to_come_back_and_executes_nothing(api: Api) -> None:
    api.faults({"match": CREATE, "status": 429, "retry_after_s": 2, "times": 2})
    for _ in range(2):
        answer = api.post("accounts", {})
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
        assert answer.json()["error"]["code"] == "0x80072322"
        assert api.get("accounts").json()["value"] == []
    assert api.post("accounts", {}).status_code == 204
    [fault] = api.control("GET", "faults")["faults"]
    assert (fault["times"], fault["hits"]) == (2, 2)


def test_E9_the_token_endpoint_can_be_ill_too(api: Api) -> None:
    match = {"method": "POST", "path": "/token$"}
    api.faults({"match": match, "status": 429, "retry_after_s": 2})
    answer = api.sign_in()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert answer.json()["error"] == "temporarily_unavailable"
    assert api.sign_in().status_code == 200


@pytest.mark.parametrize(("when", "rows"), [("before", 0), ("after", 5)])
@pytest.mark.parametrize("close", [True, "reset"])
def test_E96_E97_the_connection_is_cut_before_or_after_the_commit(
    api: Api, when: str, rows: int, close: Any
) -> None:
    api.faults({"match": CREATE, "close": close, "when": when})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.post("accounts", tree())
    assert len(api.commits()) == rows
    again = api.post("accounts", tree())
    assert again.status_code == (412 if rows else 204)
    commits = api.commits()
    assert [commit["created"] for commit in commits] == [1] * 5


@pytest.mark.parametrize(("close", "felt"), [(True, b""), ("reset", ConnectionResetError)])
def test_E96_a_cut_is_an_end_or_a_reset(api: Api, close: Any, felt: Any) -> None:
    api.faults({"match": {"path": "/WhoAmI$"}, "close": close})
    host, _, port = api.emulator.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        token = f"Authorization: Bearer {api.token}"
        raw.sendall(
            f"GET /api/data/v9.2/WhoAmI HTTP/1.1\r\nHost: [::1]\r\n{token}\r\n\r\n".encode()
        )
        if felt == b"":
            assert raw.recv(1) == b""
        else:
            with pytest.raises(felt):
                raw.recv(1)


def test_E96_a_cut_connection_was_a_reused_one(api: Api) -> None:
    """The client's pool is warm, which is where silent second sends happen."""
    host = api.emulator.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=5)
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    path = "/api/data/v9.2/accounts"
    connection.request("POST", path, json.dumps({"name": "A"}), headers)
    assert connection.getresponse().read() == b""
    api.faults({"match": CREATE, "close": True, "when": "after"})
    connection.request("POST", path, json.dumps({"name": "B"}), headers)
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()
    assert len(api.commits("account")) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize(("when", "rows"), [("before", 0), ("after", 1)])
def test_E98_an_ill_server_answers_with_and_without_the_commit(
    api: Api, status: int, when: str, rows: int
) -> None:
    api.faults({"match": CREATE, "status": status, "when": when, "retry_after_s": 1})
    answer = api.post("accounts", {"name": "A"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "1")
    if status == 500:
        assert answer.json()["error"]["code"] == "0x80040216"
    else:
        assert answer.headers["Content-Type"] == "text/html"
    assert len(api.commits()) == rows


def test_E99_a_fault_has_the_words_it_was_given(api: Api) -> None:
    code, message = "0x80044150", "Generic SQL error. Sql Number: 1205"
    api.faults({"match": CREATE, "status": 500, "code": code, "message": message, "times": 2})
    for _ in range(2):
        answer = api.post("accounts", {})
        assert answer.status_code == 500
        assert answer.json() == {"error": {"code": code, "message": message}}
    assert api.post("accounts", {}).status_code == 204


def test_the_first_fault_that_matches_takes_the_request(api: Api) -> None:
    api.faults(
        {"match": {"method": "get"}, "status": 502},
        {"match": CREATE, "status": 503},
        {"match": CREATE, "status": 504},
    )
    assert [api.post("accounts", {}).status_code for _ in range(3)] == [503, 504, 204]
    assert api.get("WhoAmI").status_code == 502
    api.faults({"status": 503, "times": None})
    assert {api.get("WhoAmI").status_code for _ in range(5)} == {503}
    api.control("DELETE", "faults")
    assert api.get("WhoAmI").status_code == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_E97_a_slow_answer_is_slow_and_true(api: Api, when: str) -> None:
    api.faults({"match": CREATE, "delay_s": 0.2, "when": when})
    start = time.monotonic()
    answer = api.post("accounts", {"accountid": row_id(1)})
    assert time.monotonic() - start >= 0.2
    assert answer.headers["OData-EntityId"] == f"{api.base}/accounts({row_id(1)})"


def test_E97_others_are_served_while_one_waits(api: Api) -> None:
    api.faults({"match": CREATE, "delay_s": 120, "when": "after"})
    host, _, port = api.emulator.url.removeprefix("http://").partition(":")
    body = b'{"name":"A"}'
    head = (
        "POST /api/data/v9.2/accounts HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {api.token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(head.encode() + body)
        wait_until(api.commits)
        assert len(api.commits()) == 1
        raw.settimeout(0)
        with pytest.raises(BlockingIOError):
            raw.recv(1)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_E97_a_client_that_leaves_does_not_undo_its_request(api: Api) -> None:
    api.faults({"match": CREATE, "delay_s": 0.2, "when": "before"})
    headers = {"Authorization": f"Bearer {api.token}"}
    with pytest.raises(httpx.ReadTimeout):
        api.http.post(f"{api.base}/accounts", json={}, headers=headers, timeout=0.05)
    wait_until(api.commits)
    assert len(api.commits()) == 1


def test_a_cut_works_under_tls() -> None:
    from fieldpost.emulator import Emulator

    with Emulator(tls=True) as emulator:
        trust = ssl.create_default_context(cafile=emulator.ca_file)
        with httpx.Client(verify=trust) as client:
            order = {"match": {"path": "/token$"}, "close": "reset"}
            assert client.post(f"{emulator.control_url}/faults", json=order).status_code == 200
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                client.post(emulator.token_url, data={})
            assert client.post(emulator.token_url, data={}).status_code == 400


# Requests that a page in a browser of this machine can be made to send.
FOREIGN = {
    "a page elsewhere": {"Origin": "http://evil.example"},
    "a page without an address": {"Origin": "null"},
    "a page whose name begins like ours": {"Origin": "http://127.0.0.1.evil.example"},
    "a page whose name ends like ours": {"Origin": "https://evillocalhost"},
    "a name that leads here by now": {"Host": "evil.example"},
    "such a name with our port": {"Host": "evil.example:{port}"},
    "an address of another machine": {"Host": "192.0.2.7"},
    "a user before the name": {"Host": "localhost@evil.example"},
}
OWN = {
    "a name of this machine": {"Host": "localhost:{port}"},
    "its upper case": {"Host": "LOCALHOST"},
    "a name below it": {"Host": "org.localhost"},
    "the other loopback": {"Host": "[::1]:{port}"},
    "a page of this machine": {"Origin": "http://localhost:3000"},
    "the page of the sign-in": {"Origin": "http://127.0.0.1:{port}"},
}


def with_headers(api: Api, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """The answer to a request as a browser would send it."""
    port = api.emulator.url.rpartition(":")[2]
    own = {name: value.format(port=port) for name, value in headers.items()}
    own["Content-Type"] = "text/plain"
    return httpx.request(method, api.emulator.url + path, headers=own, content="{}")


@pytest.mark.parametrize("path", ["/_emulator/reset", "/api/data/v9.2/accounts", "/t/authorize"])
@pytest.mark.parametrize("headers", FOREIGN)
def test_a_request_of_a_foreign_page_is_refused(api: Api, headers: str, path: str) -> None:
    api.created("accounts", tree())
    answer = with_headers(api, "POST", path, FOREIGN[headers])
    assert answer.status_code == 403
    assert "is not this machine: use 127.0.0.1 or localhost" in answer.json()["error"]["message"]
    assert api.commits("account")


@pytest.mark.parametrize("headers", OWN)
def test_clients_of_this_machine_come_in(api: Api, headers: str) -> None:
    api.created("accounts", tree())
    assert with_headers(api, "POST", "/_emulator/reset", OWN[headers]).status_code == 200
    assert not api.commits("account")
    assert with_headers(api, "POST", "/api/data/v9.2/accounts", OWN[headers]).status_code == 401
