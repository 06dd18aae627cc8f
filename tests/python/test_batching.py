"""Several records in one request: what arrives, and what one answer says of each of them."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fieldpost as fp
from recording_server import Received, RecordingServer


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as started:
        yield started


def events(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"messageId": f"m-{n}", "n": n, **more} for n in range(count)]


def open_destination(
    server: RecordingServer, folder: Path, batch: Any, head: str = "", **subscription: Any
) -> fp.Destination:
    one = {"name": "A", "url": server.url, "body": {"n": {"@path": "$.n"}}, "batch": batch}
    text = f"name: Hook\ntype: webhook\nevent_id: {{'@path': '$.messageId'}}\n{head}"
    text += f"subscriptions: {json.dumps([one | subscription])}\n"
    return fp.Destination.from_text(text, str(folder / "hook.yaml"))


def deliver(
    server: RecordingServer, folder: Path, batch: Any, rows: list[Any], head: str = "", **more: Any
) -> tuple[fp.Report, dict[str, dict[str, Any]]]:
    destination = open_destination(server, folder, batch, head, **more)
    report = destination.deliver(rows, progress=False)
    assert report.received == len(rows)
    return report, {row["event_id"]: row for row in destination.outcomes()}


def numbers(server: RecordingServer) -> list[list[int]]:
    return [[one["n"] for one in json.loads(request.body)] for request in server.requests]


def answering(decide: Any) -> Any:
    """An answer of one status for each record, under `results`."""

    def answer(received: Received) -> Any:
        told = [decide(one["n"]) for one in json.loads(received.body)]
        return 207, {}, json.dumps({"results": told}).encode()

    return answer


def test_records_go_together_as_a_list(server: RecordingServer, tmp_path: Path) -> None:
    report, rows = deliver(server, tmp_path, {"max_records": 10}, events(35))
    assert report["delivered"] == 35
    assert sorted(n for one in numbers(server) for n in one) == list(range(35))
    assert sorted(len(one) for one in numbers(server)) == [5, 10, 10, 10]
    assert {row["http_status"] for row in rows.values()} == {200}
    again, _rows = deliver(server, tmp_path, {"max_records": 10}, events(36))
    assert (again["already_delivered"], numbers(server)[-1]) == (35, [35])


def test_the_list_stands_where_it_is_wanted(server: RecordingServer, tmp_path: Path) -> None:
    batch = {"at": "$.data.rows", "body": {"columns": ["n"], "data": {"kind": "ü"}}}
    deliver(server, tmp_path, batch, events(2))
    (request,) = server.requests
    wanted = {"columns": ["n"], "data": {"kind": "ü", "rows": [{"n": 0}, {"n": 1}]}}
    assert json.loads(request.body) == wanted


def test_only_what_is_alike_goes_together(server: RecordingServer, tmp_path: Path) -> None:
    others = [one | {"messageId": f"b{one['n']}"} for one in events(6, kind="b")]
    rows = events(6, kind="a") + others
    url = {"@template": server.url + "/{{kind}}"}
    headers = {"X-Odd": {"@if": {"exists": {"@path": "$.odd"}, "then": "1", "else": "0"}}}
    rows += [{"messageId": "c", "n": 9, "kind": "a", "odd": 1}]
    report, _rows = deliver(server, tmp_path, {}, rows, url=url, headers=headers)
    assert report["delivered"] == 13
    seen = [(one.path, one.headers["x-odd"], len(json.loads(one.body))) for one in server.requests]
    assert sorted(seen) == [("/a", "0", 6), ("/a", "1", 1), ("/b", "0", 6)]


def test_a_batch_has_at_most_so_many_bytes(server: RecordingServer, tmp_path: Path) -> None:
    report, _rows = deliver(server, tmp_path, {"max_bytes": 30}, events(9))
    assert report["delivered"] == 9
    assert max(len(one) for one in numbers(server)) == 4  # of {"n":0}, seven bytes each


def test_each_record_has_its_own_verdict(server: RecordingServer, tmp_path: Path) -> None:
    tries: dict[int, int] = {}

    def decide(n: int) -> dict[str, Any]:
        tries[n] = tries.get(n, 0) + 1
        if n == 3:
            return {"status": 422, "error": {"message": "no such thing"}}
        return {"status": 503 if n in (1, 5) and tries[n] < 3 else 201}

    server.answer = answering(decide)
    head = "delivery: {retry: {wait_initial_s: 0.01}}\n"
    report, rows = deliver(server, tmp_path, {"verdicts": "$.results"}, events(8), head)
    assert (report["delivered"], report["rejected"]) == (7, 1)
    assert tries == {n: 3 if n in (1, 5) else 1 for n in range(8)}
    refused = rows["m-3"]
    assert (refused["code"], refused["message"]) == ("http_422", "no such thing")
    assert (refused["http_status"], rows["m-5"]["attempts"]) == (422, 3)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"results":[{"status":200}]}', b'{"results":[{"status":"ok"},{"status":200}]}',
     b'{"results":[200,200]}', b"<html>"],
)  # fmt: skip
def test_an_answer_that_does_not_tell_of_each_is_unconfirmed(
    server: RecordingServer, tmp_path: Path, body: bytes
) -> None:
    server.answer = lambda _: (207, {}, body)
    report, rows = deliver(server, tmp_path, {"verdicts": "results"}, events(2))
    assert (report["unconfirmed"], len(server.requests)) == (2, 1)
    assert {row["code"] for row in rows.values()} == {"E505"}


def test_a_207_is_read_as_a_list_by_itself(server: RecordingServer, tmp_path: Path) -> None:
    server.answer = lambda _: (207, {}, b'[{"status":200},{"status":400,"message":"m"}]')
    report, rows = deliver(server, tmp_path, {}, events(2))
    assert (report["delivered"], rows["m-1"]["outcome"]) == (1, "rejected")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_bad_record_does_not_take_the_others_with_it(
    server: RecordingServer, tmp_path: Path, status: int
) -> None:
    def answer(received: Received) -> Any:
        bad = any(one["n"] in (4, 11) for one in json.loads(received.body))
        return (status if bad else 200), {}, b"{}"

    server.answer = answer
    report, rows = deliver(server, tmp_path, {"max_records": 16}, events(16))
    assert (report["delivered"], report["rejected"]) == (14, 2)
    rejected = {key for key, row in rows.items() if row["outcome"] == "rejected"}
    assert rejected == {"m-4", "m-11"}
    assert len(server.requests) <= 17


def test_a_refusal_that_is_nobodys_fault_is_not_taken_apart(
    server: RecordingServer, tmp_path: Path
) -> None:
    server.answer = lambda _: (404, {}, b"")
    report, _rows = deliver(server, tmp_path, {}, events(5))
    assert (report["rejected"], len(server.requests)) == (5, 1)


def test_a_busy_answer_is_tried_again_together(server: RecordingServer, tmp_path: Path) -> None:
    statuses = iter((429, 200, 200, 200, 200, 200))
    server.answer = lambda _: (next(statuses), {"Retry-After": "0"}, b"")
    head = "delivery: {retry: {wait_initial_s: 0.01}}\n"
    report, rows = deliver(server, tmp_path, {}, events(5), head)
    assert report["delivered"] == 5
    assert {row["attempts"] for row in rows.values()} == {2}
    assert len(server.requests) <= 6


def test_a_lost_answer_leaves_each_record_unconfirmed(
    server: RecordingServer, tmp_path: Path
) -> None:
    server.answer = lambda _: None
    report, rows = deliver(server, tmp_path, {}, events(4))
    assert (report["unconfirmed"], len(server.requests)) == (4, 1)
    assert {row["code"] for row in rows.values()} == {"E503"}


def test_a_new_token_sends_all_of_them_again(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "old")

    def answer(received: Received) -> Any:
        monkeypatch.setenv("TOKEN", "new")
        return (200 if received.headers["authorization"] == "Bearer new" else 401), {}, b"{}"

    server.answer = answer
    head = "auth: {type: bearer, token: {env: TOKEN}}\n"
    report, _rows = deliver(server, tmp_path, {}, events(4), head)
    assert (report["delivered"], numbers(server)) == (4, [[0, 1, 2, 3]] * 2)


def test_no_more_requests_are_on_the_wire_than_allowed(
    server: RecordingServer, tmp_path: Path
) -> None:
    import threading
    import time

    now, most, lock = [0], [0], threading.Lock()

    def answer(_received: Received) -> Any:
        time.sleep(0.005)
        return 200, {}, b"{}"

    server.answer = answer
    before = server.take

    def take(received: Received) -> Any:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        try:
            return before(received)
        finally:
            with lock:
                now[0] -= 1

    server.take = take  # type: ignore[method-assign]
    head = "delivery: {max_in_flight: 3}\n"
    report, _rows = deliver(server, tmp_path, {"max_records": 5}, events(200), head)
    assert (report["delivered"], most[0] <= 3) == (200, True)
    assert max(len(one) for one in numbers(server)) <= 5


def test_the_signature_is_over_the_whole_body(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARED", "s")
    deliver(server, tmp_path, {}, events(3), "signing: {segment: {env: SHARED}}\n")
    (request,) = server.requests
    wanted = hmac.new(b"s", request.body, hashlib.sha1).hexdigest()
    assert request.headers["x-signature"] == wanted


def test_batching_on_means_every_subscription(server: RecordingServer, tmp_path: Path) -> None:
    head = "delivery: {batching: on}\n"
    report, _rows = deliver(server, tmp_path, None, events(5), head)
    assert (report["delivered"], numbers(server)) == (5, [[0, 1, 2, 3, 4]])


def test_a_preview_shows_the_list(server: RecordingServer, tmp_path: Path) -> None:
    (row,) = open_destination(server, tmp_path, {"at": "rows"}).preview(events(1))
    assert json.loads(row.body or "") == {"rows": [{"n": 0}]}


@pytest.mark.parametrize(
    ("head", "batch", "more"),
    [
        ("idempotency_key: true\n", {}, {}),
        ("", {}, {"method": "GET"}),
        ("", {}, {"headers": {"Content-Type": "text/plain"}}),
        ("", {"body": {"a": 1}}, {}),
    ],
)
def test_what_cannot_go_together_is_a_mistake(
    server: RecordingServer, tmp_path: Path, head: str, batch: Any, more: dict[str, Any]
) -> None:
    with pytest.raises(fp.ConfigError, match="E186"):
        open_destination(server, tmp_path, batch, head, **more)
