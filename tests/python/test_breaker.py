"""Failures that are the destination's: it is probed, and the rest waits. Over real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import fieldpost as fp
from recording_server import RecordingServer

_QUICK = "retry: {wait_initial_s: 0.1, wait_max_s: 0.4}"


def write(folder: Path, url: str, delivery: str = _QUICK, more: str = "") -> Path:
    path = folder / "hook.yaml"
    path.write_text(
        f"name: hook\nid: hook\ntype: webhook\nurl: {url}\n{more}"
        f"subscriptions: [{{name: all}}]\ndelivery: {{{delivery}}}\n"
    )
    return path


def events(folder: Path, count: int) -> Path:
    file = folder / "events.ndjson"
    lines = (json.dumps({"messageId": f"m{i}", "type": "track"}) + "\n" for i in range(count))
    file.write_text("".join(lines))
    return file


class Service:
    """Answers as long as it is told; counts what it was sent."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.tries: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        with self._lock:
            self.tries[json.loads(request.body)["messageId"]] += 1
            return self.answer(self.tries.total())  # type: ignore[no-any-return]


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}], ids=["no wait", "a wait of none"])
def test_a_service_that_only_fails_is_probed_until_it_is_well(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    well = time.monotonic() + 3
    service = Service(lambda _n: (204 if time.monotonic() > well else 503, headers, b""))
    seen = []
    with RecordingServer(service) as server:
        report = fp.Destination.from_file(write(tmp_path, server.url)).deliver(
            events(tmp_path, 300), progress=lambda told: seen.extend(told.breakers)
        )
    assert report["delivered"] == 300
    assert report.stopped is None
    assert service.tries.total() < 300 + 80
    assert {one.target for one in seen} == {server.url}
    assert seen[0].reason == "http_503"
    assert report.breakers == []


def test_status_tells_of_an_open_breaker(tmp_path: Path) -> None:
    service = Service(lambda _n: (500, {}, b"words that nobody else may read"))
    with RecordingServer(service) as server:
        dest = fp.Destination.from_file(write(tmp_path, server.url, "retry: {wait_initial_s: 5}"))
        told: list[dict[str, Any]] = []

        def look(report: fp.Report) -> None:
            if report.breakers and not told:
                told.extend(dest.status().to_dict()["breakers"])

        report = dest.deliver(events(tmp_path, 50), for_s=3, progress=look)
        assert report.to_dict()["breakers"][0]["reason"] == "http_500"
        assert dest.status().breakers == [], "nobody is at work"
    (one,) = told
    assert one["target"] == server.url
    assert one["reason"] == "http_500"
    assert one["since"] <= one["next_probe"]


def test_a_destination_that_refuses_connections_is_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    report = fp.Destination.from_file(write(tmp_path, f"http://127.0.0.1:{port}/")).deliver(
        events(tmp_path, 40), for_s=1, progress=False
    )
    assert report["waiting"] == 40
    assert report.stopped is not None
    assert report.stopped.code == "E731"
    assert report.requests < 60


def test_a_run_ends_where_its_destination_stays_ill(tmp_path: Path) -> None:
    with RecordingServer(Service(lambda _n: (500, {}, b""))) as server:
        delivery = "retry: {wait_initial_s: 0.1, wait_max_s: 0.2, max_elapsed_s: 1}"
        report = fp.Destination.from_file(write(tmp_path, server.url, delivery)).deliver(
            events(tmp_path, 200), progress=False
        )
    assert report.stopped is not None
    assert report.stopped.code in ("E532", "E733")
    assert report["waiting"] > 100
    assert report["expired"] + report["waiting"] == 200


def test_one_address_that_refuses_all_alike_leaves_them_waiting(tmp_path: Path) -> None:
    well = False
    service = Service(lambda _n: (204 if well else 404, {}, b""))
    with RecordingServer(service) as server:
        dest = fp.Destination.from_file(write(tmp_path, server.url))
        file = events(tmp_path, 200)
        report = dest.deliver(file, progress=False)
        assert report["waiting"] == 200
        assert 16 <= service.tries.total() <= 40
        assert report.stopped is not None
        assert report.stopped.code == "http_404"
        well = True
        assert dest.deliver(file, progress=False)["delivered"] == 200


def test_the_refusals_of_single_events_are_theirs(tmp_path: Path) -> None:
    service = Service(lambda n: (404 if n % 20 == 0 else 204, {}, b""))
    with RecordingServer(service) as server:
        report = fp.Destination.from_file(write(tmp_path, server.url)).deliver(
            events(tmp_path, 200), progress=False
        )
    assert (report["rejected"], report["delivered"]) == (10, 190)


def test_a_wrong_token_goes_out_with_few_requests(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TOKEN", "wrong-token")
    service = Service(lambda _n: (401, {}, b""))
    with RecordingServer(service) as server:
        more = "auth: {type: bearer, token: {env: TOKEN}}\n"
        report = fp.Destination.from_file(write(tmp_path, server.url, more=more)).deliver(
            events(tmp_path, 200), progress=False
        )
    assert report["waiting"] == 200
    assert service.tries.total() <= 2


def test_one_bad_answer_in_five_holds_nothing_back(tmp_path: Path) -> None:
    service = Service(lambda n: (500 if n % 5 == 0 else 204, {}, b""))
    opened = []
    with RecordingServer(service) as server:
        report = fp.Destination.from_file(write(tmp_path, server.url)).deliver(
            events(tmp_path, 1000), progress=lambda told: opened.extend(told.breakers)
        )
    assert report["delivered"] == 1000
    assert opened == []
    assert service.tries.total() <= 1400


def test_numbers_of_a_breaker_that_cannot_be_are_mistakes(tmp_path: Path) -> None:
    path = write(tmp_path, "https://x.example/", "breaker: {failures: -1, share: 2, doubt: 3}")
    with pytest.raises(fp.ConfigError) as caught:
        fp.Destination.from_file(path)
    assert {one.path for one in caught.value.mistakes} >= {
        "$.delivery.breaker.failures",
        "$.delivery.breaker.share",
        "$.delivery.breaker.doubt",
    }
