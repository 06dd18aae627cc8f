"""`order_by`: events of one key go one behind the other, those of different keys side by side."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import fieldpost as fp

_USERS = 8


_PATIENCE_S = 10.0


class Watch:
    """A service that notes when each request began and ended, and what of a key overlapped.

    Its answers wait until two requests have met that may meet: two of different keys, or with
    `same_key` two of one. Where the client never sends two at once that takes `_PATIENCE_S`,
    once, and the test tells.
    """

    def __init__(
        self, answer: Any = lambda _body, _times: (204, {}), *, same_key: bool = False
    ) -> None:
        self.order: dict[str, list[str]] = defaultdict(list)  # key -> what arrived, repeats too
        self.overlaps: list[str] = []
        self.most_at_once = 0
        self._at_work: set[str] = set()
        self._times: dict[str, int] = defaultdict(int)
        self._lock = threading.Condition()
        self._same_key = same_key
        self._answer = answer
        watch = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, headers = watch.take(body)
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, body: dict[str, Any]) -> tuple[int, dict[str, str]]:
        key, what = body["user"], body["what"]
        with self._lock:
            if key in self._at_work:
                self.overlaps.append(what)
            self._at_work.add(key)
            self.most_at_once = max(self.most_at_once, len(self._at_work))
            self._times[what] += 1
            self.order[key].append(what)
            told = self._answer(body, self._times[what])
            self._lock.notify_all()
            self._lock.wait_for(self._have_met, max(0.0, self._patient_until - time.monotonic()))
        time.sleep(0.005)  # so that more than the first two can meet
        with self._lock:
            self._at_work.discard(key)
        return told

    def _have_met(self) -> bool:
        return bool(self.overlaps) if self._same_key else self.most_at_once > 1

    def __enter__(self) -> Watch:
        self._patient_until = time.monotonic() + _PATIENCE_S
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def write(folder: Path, url: str, delivery: str = "", order: str = "{'@path': $.userId}") -> Path:
    """Two subscriptions, one for a user's identify and one for their track."""
    path = folder / "hook.yaml"
    body = "{user: {'@path': $.userId}, what: {'@template': '{{type}}-{{n}}'}}"
    subscriptions = "".join(
        f"  - {{name: {kind}, filter: 'type = \"{kind}\"', url: '{url}/in', body: {body}}}\n"
        for kind in ("identify", "track")
    )
    path.write_text(
        f"name: hook\ntype: webhook\norder_by: {order}\nsubscriptions:\n{subscriptions}"
        f"delivery: {{retry: {{wait_initial_s: 0.02, wait_max_s: 0.05}}{delivery}}}\n"
    )
    return path


def events(folder: Path, rounds: int) -> tuple[Path, dict[str, list[str]]]:
    """An identify and three tracks of each user, over and over; and what must arrive for each."""
    wanted: dict[str, list[str]] = defaultdict(list)
    lines = []
    for n in range(rounds):
        for kind in ("identify", "track") if n % 2 else ("track", "identify"):
            for user in (f"u{i}" for i in range(_USERS)):
                name = f"{user}.{n}"
                lines.append({"type": kind, "userId": user, "n": name, "messageId": kind + name})
                wanted[user].append(f"{kind}-{name}")
    path = folder / "events.ndjson"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path, wanted


def without_repeats(arrived: list[str]) -> list[str]:
    return [what for i, what in enumerate(arrived) if not i or arrived[i - 1] != what]


def answers_badly(body: dict[str, Any], times: int) -> tuple[int, dict[str, str]]:
    """The first try of every third: 429 with a wait, 503, or a cut connection."""
    number = sum(map(ord, body["what"]))
    if times > 1 or number % 3:
        return 204, {}
    return [(429, {"Retry-After": "0.01"}), (503, {}), (0, {})][number // 3 % 3]


@pytest.mark.parametrize("answer", [lambda _body, _times: (204, {}), answers_badly])
def test_a_key_keeps_its_order_over_subscriptions_whatever_is_answered(
    tmp_path: Path, answer: Any
) -> None:
    file, wanted = events(tmp_path, 12)
    with Watch(answer) as watch:
        path = write(tmp_path, watch.url, ", on_unconfirmed: resend, max_in_flight: 8")
        report = fp.Destination.from_file(path).deliver(file, progress=False)
    assert report["delivered"] == 12 * 2 * _USERS
    assert watch.overlaps == []
    assert watch.most_at_once > 1, "different keys go side by side"
    assert {user: without_repeats(all_) for user, all_ in watch.order.items()} == wanted


def test_what_may_be_delivered_does_not_stop_those_behind_it(tmp_path: Path) -> None:
    file, wanted = events(tmp_path, 6)
    with Watch(lambda _body, times: (0, {}) if times == 1 else (204, {})) as watch:
        path = write(tmp_path, watch.url, ", breaker: {doubts: 0}")
        report = fp.Destination.from_file(path).deliver(file, progress=False)
    assert report["unconfirmed"] == 6 * 2 * _USERS
    assert watch.order == wanted


def test_functions_may_make_the_key(tmp_path: Path) -> None:
    file, wanted = events(tmp_path, 6)
    (tmp_path / "f.py").write_text(
        "def on_track(event, settings):\n    event['k'] = event['userId']\n    return event\n"
        "on_identify = on_track\n"
    )
    with Watch() as watch:
        path = write(tmp_path, watch.url, order="{'@path': $.k}")
        path.write_text(path.read_text() + "functions: f.py\n")
        report = fp.Destination.from_file(path).deliver(file, progress=False)
    assert report["delivered"] == 6 * 2 * _USERS
    assert watch.overlaps == [] and watch.order == wanted


def test_without_a_key_nothing_waits_for_another(tmp_path: Path) -> None:
    file, _wanted = events(tmp_path, 12)
    with Watch(same_key=True) as watch:
        path = write(tmp_path, watch.url, order="null")
        fp.Destination.from_file(path).deliver(file, progress=False)
    assert watch.overlaps, "two of one user were on their way at once"


def test_a_mistake_in_order_by_is_told_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, "http://127.0.0.1:9", order="$.userId")
    with pytest.raises(fp.ConfigError) as told:
        fp.Destination.from_file(path)
    assert '{"@path": "$.userId"}' in str(told.value)
    path = write(tmp_path, "http://127.0.0.1:9", order="{'@pth': $.userId}")
    (mistake,) = fp.Destination.from_file(path).check().errors
    assert (mistake.path, mistake.line) == ("$.order_by", 3)
    with pytest.raises(fp.ConfigError) as told:
        fp.Destination.from_file(path).deliver(events(tmp_path, 1)[0], progress=False)
    assert str(told.value).count("@pth") == 1
