"""What a destination allows is kept, as its server counts it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import fieldpost as fp
from service import events

_TRIES = 3  # a busy machine may be late once; who does not use what is allowed is late each time


class LimitedService:
    """So many requests in any window; beyond it 429 with a Retry-After that grows.

    requests: 0 for no budget. work_s: how long it takes for each. stumbles: every so many-th
    request is answered 503.
    """

    def __init__(
        self, requests: int = 0, window_s: float = 2.0, work_s: float = 0.0, stumbles: int = 0
    ) -> None:
        self.arrivals: list[float] = []
        self.accepted: list[float] = []
        self.waits: list[tuple[float, float]] = []  # (before it was told, seconds)
        self.most_at_once = 0
        self._at_once = 0
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                wait_s, status = service._take(requests, window_s, stumbles)
                time.sleep(work_s)
                with service._lock:
                    service._at_once -= 1
                self.send_response(status)
                if wait_s:
                    self.send_header("Retry-After", str(wait_s))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128  # a connection that has to be tried again comes a second late

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/in"

    def _take(self, requests: int, window_s: float, stumbles: int) -> tuple[int, int]:
        with self._lock:
            now_s = time.monotonic()
            self.arrivals.append(now_s)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            while self._recent and self._recent[0] <= now_s - window_s:
                self._recent.popleft()
            if requests and len(self._recent) >= requests:
                wait_s = 1 + len(self.waits) // 16
                self.waits.append((now_s, wait_s))
                return wait_s, 429
            if stumbles and len(self.arrivals) % stumbles == 0:
                return 0, 503
            self._recent.append(now_s)
            self.accepted.append(now_s)
            return 0, 200

    def __enter__(self) -> LimitedService:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def destination(self, folder: Path, delivery: str) -> Path:
        path = folder / "limited.yaml"
        path.write_text(
            "name: limited\ntype: webhook\nsubscriptions:\n"
            f"  - {{name: all, filter: all, url: '{self.url}', body: {{n: {{'@path': $.n}}}}}}\n"
            f"delivery: {{{delivery}}}\n"
        )
        return path


@pytest.mark.parametrize("most", [1, 8])
def test_nothing_starts_between_an_answer_that_asks_for_a_wait_and_its_end(
    tmp_path: Path, most: int
) -> None:
    with LimitedService(20, 2.0) as service:
        file = service.destination(tmp_path, f"max_in_flight: {most}, adaptive: false")
        report = fp.Destination.from_file(file).deliver(events(tmp_path, 50), progress=False)
    assert report["delivered"] == 50
    assert service.waits
    early = [
        sum(told < arrival < told + wait for arrival in service.arrivals)
        for told, wait in service.waits
    ]
    assert max(early) <= most - 1, "only what was on its way when the answer came"


def test_a_window_that_is_configured_is_kept_and_used(tmp_path: Path) -> None:
    used = 0.0
    for number in range(_TRIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        used = max(used, _used_share(folder))
        if used >= 0.95:
            break
    assert used >= 0.95


def _used_share(folder: Path) -> float:
    """How much of 20 requests in each 2 s is used; more than 20 in any 1.5 s is refused."""
    # The server's window is shorter, so that a busy machine's delays are no fault of ours.
    with LimitedService(20, 1.5) as service:
        file = service.destination(folder, "rate: {requests: 20, window_s: 2}")
        report = fp.Destination.from_file(file).deliver(events(folder, 80), progress=False)
    assert report["delivered"] == 80
    assert service.waits == []
    began_s, ended_s = service.accepted[0], service.accepted[-1]
    # The last window's requests come at its begin, so the time is that of the windows before.
    return (len(service.accepted) - 20) / ((ended_s - began_s) * 10)


@pytest.mark.parametrize("stumbles", [0, 5])
def test_two_processes_never_have_more_in_flight_than_one_may(
    tmp_path: Path, stumbles: int
) -> None:
    with LimitedService(work_s=0.02, stumbles=stumbles) as service:
        file = service.destination(tmp_path, "max_in_flight: 6, retry: {wait_initial_s: 0.01}")
        both = [
            subprocess.Popen(
                [sys.executable, "-m", "fieldpost", "deliver", str(file), str(source)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            for source in (_own_events(tmp_path, "one"), _own_events(tmp_path, "two"))
        ]
        told = [run.communicate(timeout=60)[1] for run in both]
    assert [run.returncode for run in both] == [0, 0], told
    assert len(service.accepted) == 240
    assert 4 <= service.most_at_once <= 6


def _own_events(folder: Path, name: str) -> Path:
    path = folder / f"{name}.ndjson"
    lines = [f'{{"type": "track", "messageId": "{name}-{n}", "n": {n}}}\n' for n in range(120)]
    path.write_text("".join(lines))
    return path
