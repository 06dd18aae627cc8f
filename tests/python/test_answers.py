"""How a webhook's answers are read: `success`, `message`, redirects, waits, codings."""

from __future__ import annotations

import json
import socket
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from test_bad_answers import RawServer

import fieldpost as fp
from fieldpost.config_values import is_loopback
from fieldpost.retry_after import retry_after_s
from recording_server import RecordingServer


def deliver(
    folder: Path, server: RecordingServer, more: str = "", count: int = 1, delivery: str = "{}"
) -> dict[str, Any]:
    path = folder / "hook.yaml"
    path.write_text(
        f"name: hook\nid: hook\ntype: webhook\nurl: {server.url}/in\n{more}"
        f"subscriptions:\n  - {{name: all}}\ndelivery: {delivery}\n"
    )
    lines = "".join(f'{{"messageId": "m{n}"}}\n' for n in range(count))
    (folder / "events.ndjson").write_text(lines)
    destination = fp.Destination.from_file(path)
    destination.deliver(folder / "events.ndjson", progress=False)
    return next(iter(destination.outcomes(event_id="m0")))


def says(status: int, body: Any, **headers: str) -> RecordingServer:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RecordingServer(lambda _: (status, headers, text))


SLACK = 'success: body.ok = true\nmessage: {"@path": $.body.error}\n'


@pytest.mark.parametrize(
    ("more", "status", "body", "outcome", "message"),
    [
        (SLACK, 200, {"ok": True}, "delivered", ""),
        (SLACK, 200, {"ok": False, "error": "no_channel"}, "rejected", "no_channel"),
        (SLACK, 200, b"ok", "rejected", "ok"),
        (SLACK, 200, b"", "rejected", "HTTP 200"),
        (SLACK, 422, {"error": "no_user"}, "rejected", "no_user"),
        ("success: body.errors = null\n", 200, {"data": 1}, "delivered", ""),
        ("success: body.errors = null\n", 200, {"errors": [1]}, "rejected", '{"errors": [1]}'),
        ("success: status < 300 or status = 409\n", 409, {}, "delivered", ""),
        ("success: headers['x-state'] = \"queued\"\n", 200, {}, "rejected", "{}"),
        ("", 200, {"ok": False}, "delivered", ""),
        ("", 207, [{"status": 422, "message": "bad"}], "rejected", "bad"),
        ("", 207, {"results": [{"status": 500}]}, "unconfirmed", "the answer tells of a failure"),
        ("", 207, [{"status": 201}], "delivered", ""),
        ("", 207, b"<multistatus/>", "delivered", ""),
    ],
)
def test_success_decides_on_an_answer_and_message_has_the_words(
    tmp_path: Path, more: str, status: int, body: Any, outcome: str, message: str
) -> None:
    with says(status, body) as server:
        row = deliver(tmp_path, server, more)
    assert (row["outcome"], row["message"] or "") == (outcome, message)
    assert row["http_status"] == status or status == 207
    if outcome == "rejected" and status == 200:
        assert row["code"] == "E507"


def test_headers_are_met_by_their_names_in_lower_case(tmp_path: Path) -> None:
    with says(202, b"", **{"X-State": "queued"}) as server:
        row = deliver(tmp_path, server, "success: headers['x-state'] = \"queued\"\n")
    assert row["outcome"] == "delivered"


def test_a_subscription_has_its_own_condition_or_none(tmp_path: Path) -> None:
    path = tmp_path / "hook.yaml"
    with says(200, {"ok": False}) as server:
        path.write_text(
            f"name: hook\nid: hook\ntype: webhook\nurl: {server.url}/in\nsuccess: body.ok = true\n"
            "subscriptions:\n  - {name: file}\n  - {name: none, success: null}\n"
            "  - {name: own, success: body.ok = false}\n"
        )
        (tmp_path / "events.ndjson").write_text('{"messageId": "m"}\n')
        destination = fp.Destination.from_file(path)
        destination.deliver(tmp_path / "events.ndjson", progress=False)
        found = {row["subscription"]: row["outcome"] for row in destination.outcomes()}
    assert found == {"file": "rejected", "none": "delivered", "own": "delivered"}


def test_an_answer_that_cannot_be_read_is_none_of_success(tmp_path: Path) -> None:
    with says(200, b"zzz", **{"Content-Encoding": "br"}) as server:
        row = deliver(tmp_path, server, SLACK)
    assert (row["outcome"], row["code"]) == ("unconfirmed", "E505")


def test_records_of_a_batch_that_is_no_success_are_sent_in_smaller_ones(tmp_path: Path) -> None:
    def answer(received: Any) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, json.dumps({"ok": b'"m1"' not in received.body}).encode()

    with RecordingServer(answer) as server:
        row = deliver(tmp_path, server, SLACK, 4, "{batching: on}")
        assert row["outcome"] == "delivered"
        destination = fp.Destination.from_file(tmp_path / "hook.yaml")
        outcomes = {one["event_id"]: one["outcome"] for one in destination.outcomes()}
    assert outcomes == {
        "m0": "delivered",
        "m1": "rejected",
        "m2": "delivered",
        "m3": "delivered",
    }


@pytest.mark.parametrize(
    ("more", "code", "path"),
    [
        ("success: body.ok = \n", "E", "$.success"),
        ('message: {"@pth": $.body}\n', "E201", "$.message"),
        ("message: body.error\n", "E113", "$.message"),
    ],
)
def test_a_mistake_in_them_is_told_with_its_place(
    tmp_path: Path, more: str, code: str, path: str
) -> None:
    file = tmp_path / "hook.yaml"
    file.write_text(
        f"name: h\ntype: webhook\nurl: https://example.com\n{more}subscriptions: [{{name: a}}]\n"
    )
    (mistake,) = fp.check_file(file).errors
    assert mistake.code.startswith(code) and mistake.path.startswith(path)
    assert mistake.line == 4


def test_only_a_webhook_reads_answers_so(tmp_path: Path) -> None:
    file = tmp_path / "d.yaml"
    file.write_text(
        "name: d\ntype: dynamics365\nurl: https://contoso.crm.dynamics.com\n"
        "auth: {type: bearer, token: {env: T}}\nsuccess: status = 204\nsubscriptions:\n"
        "  - {name: a, action: delete, table: account, key: '1', message: {'@path': $.body}}\n"
    )
    paths = {one.path for one in fp.check_file(file).errors if one.code == "E115"}
    assert paths == {"$.success", "$.subscriptions[0].message"}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_told_with_where_it_leads_and_nothing_secret(
    tmp_path: Path, status: int
) -> None:
    to = {"Location": "https://new.example.com/in?token=s3cret#part"}
    with says(status, b"<html>moved</html>", **to) as server:
        row = deliver(tmp_path, server)
    assert row["message"] == f"HTTP {status} to https://new.example.com/in"


FORMS = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y")


@pytest.mark.parametrize("form", FORMS)
def test_a_date_of_retry_after_is_held_against_the_answers_own(form: str) -> None:
    for skew_s in (-7200, 0, 7200):
        now_s = time.time() + skew_s
        date = formatdate(now_s, usegmt=True)
        value = time.strftime(form, time.gmtime(int(now_s) + 30))
        assert retry_after_s(value, date) == 30
    assert 28 <= (retry_after_s(time.strftime(form, time.gmtime(time.time() + 30))) or 0) <= 30


def test_a_retry_after_that_says_nothing_is_none() -> None:
    assert [retry_after_s(one) for one in ("", None, "soon", "-1", "nan", "inf")] == [None] * 6
    assert retry_after_s("2.5") == 2.5


@pytest.mark.parametrize("skew_s", [-600, 600])
def test_a_service_with_another_clock_gets_the_wait_it_asks_for(
    tmp_path: Path, skew_s: int
) -> None:
    times: list[float] = []

    def script(connection: socket.socket) -> None:
        times.append(time.monotonic())
        now_s = int(time.time()) + skew_s
        told = f"Date: {formatdate(now_s, usegmt=True)}\r\nContent-Length: 0\r\n"
        told += f"Retry-After: {formatdate(now_s + 2, usegmt=True)}\r\n\r\n"
        status = "429 Slow" if len(times) == 1 else "200 OK"
        connection.sendall(f"HTTP/1.1 {status}\r\n{told}".encode())

    with RawServer(script) as server:
        path = tmp_path / "hook.yaml"
        path.write_text(
            f"name: hook\nid: hook\ntype: webhook\nurl: {server.url}/in\n"
            "subscriptions:\n  - {name: all}\ndelivery: {retry: {wait_initial_s: 0.01}}\n"
        )
        (tmp_path / "events.ndjson").write_text('{"messageId": "bad"}\n')
        destination = fp.Destination.from_file(path)
        report = destination.deliver(tmp_path / "events.ndjson", progress=False)
    assert report["delivered"] == 1 and len(times) == 2
    assert 1.9 < times[1] - times[0] < 30


def test_only_addresses_and_localhost_are_this_machine() -> None:
    ours = ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1", "0:0:0:0:0:0:0:1"]
    for host in [*ours, "::ffff:127.0.0.1", "::ffff:7f00:1"]:
        assert is_loopback(host), host
    for host in ("127.evil.test", "127.0.0.1.evil.test", "localhost.evil.test", "10.0.0.1", "::2"):
        assert not is_loopback(host), host


def test_an_event_cannot_name_another_machine_as_this_one(tmp_path: Path) -> None:
    path = tmp_path / "hook.yaml"
    path.write_text(
        'name: h\nid: h\ntype: webhook\nallow_hosts: "*"\n'
        'subscriptions:\n  - {name: a, url: {"@path": $.to}}\n'
    )
    (tmp_path / "e.ndjson").write_text('{"messageId": "1", "to": "http://127.evil.test/in"}\n')
    destination = fp.Destination.from_file(path)
    report = destination.deliver(tmp_path / "e.ndjson", progress=False)
    (row,) = destination.outcomes()
    assert report["invalid"] == 1 and row["code"] == "E511"
