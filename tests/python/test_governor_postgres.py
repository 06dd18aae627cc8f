"""Machines that share a target through the database of their ledger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fieldpost.governor import look_at_breaker
from fieldpost.governor.opening import Opening
from fieldpost.governor.postgres import PostgresGovernor
from fieldpost.governor.share import Load
from postgres_server import PostgresServer, programs, wait_until

pytestmark = pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.stop()
    server.remove()


@pytest.fixture
def database(server: PostgresServer, request: pytest.FixtureRequest) -> str:
    import psycopg

    address = server.create(request.node.name[:60])
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("CREATE SCHEMA fieldpost")  # as the ledger does
    return address


class Machine:
    """A governor, and what its dispatcher does."""

    def __init__(self, address: str, most: int = 16, requests: int = 0, window_s: float = 1.0):
        self.governor = PostgresGovernor(address, "ab" * 16, most, requests, window_s)
        self.load = Load()

    @property
    def calls(self) -> int:
        return self.governor.share(self.load).calls

    @property
    def may_start(self) -> int:
        return (self.governor.share(self.load).starts or 0) - self.load.started


@pytest.fixture
def machines(database: str) -> Iterator[Any]:
    made: list[Machine] = []

    def make(*limits: Any) -> Machine:
        made.append(Machine(database, *limits))
        return made[-1]

    yield make
    for one in made:
        one.governor.close()


def test_one_alone_has_everything(machines: Any) -> None:
    one = machines(16, 20, 2.0)
    assert (one.calls, one.may_start) == (16, 20)


def test_two_divide_what_is_in_flight_and_only_when_it_has_ended(machines: Any) -> None:
    one = machines()
    assert one.calls == 16
    one.load = Load(in_flight=16)
    one.governor.share(one.load)
    two = machines()
    assert two.calls == 0, "all are out"
    wait_until(lambda: one.calls == 8)
    one.load = Load(in_flight=11)
    wait_until(lambda: one.calls + two.calls > 8 and two.calls == 5)
    one.load = Load(in_flight=3)
    wait_until(lambda: (one.calls, two.calls) == (8, 8))
    two.governor.close()
    wait_until(lambda: one.calls == 16)
    two.governor = PostgresGovernor(two.governor._address, "ab" * 16, 16, 0, 1.0)


def test_a_budget_is_never_given_twice(machines: Any) -> None:
    one = machines(16, 20, 1000.0)
    assert one.may_start == 20
    one.load = Load(started=4)
    two = machines(16, 20, 1000.0)
    assert two.may_start == 0, "the other may start all of it yet"
    wait_until(lambda: one.may_start <= 10 and two.may_start > 0)
    assert one.may_start + two.may_start <= 16
    one.load = Load(started=4 + one.may_start)
    wait_until(lambda: one.may_start + two.may_start <= 6)


def test_what_is_on_offer_counts_as_taken(machines: Any) -> None:
    """A share may be taken over while the exchange that lowers it is at work."""
    one = machines(16, 20, 1000.0)
    exchange, late = one.governor._exchange, threading.Event()

    def exchanged(db: Any) -> None:
        if late.is_set():
            return exchange(db)
        seen = one.governor._unpublished()
        one.governor._unpublished = lambda: seen
        taken_over.append(one.may_start)
        exchange(db)
        del one.governor._unpublished
        return late.set()

    taken_over: list[int] = []
    two = machines(16, 20, 1000.0)
    one.governor._exchange = exchanged
    assert late.wait(60) and taken_over == [20]
    three = machines(16, 20, 1000.0)
    assert (two.may_start, three.may_start) == (0, 0), "all of it may be started yet"


def test_what_was_used_is_free_after_a_window(machines: Any) -> None:
    one = machines(16, 20, 0.5)
    began = time.monotonic()
    one.load = Load(started=20)
    assert one.may_start == 0
    wait_until(lambda: one.may_start == 20)
    assert time.monotonic() - began >= 0.5


def test_a_wait_is_everybody_s(machines: Any) -> None:
    one, two = machines(), machines()
    one.load = Load(held_s=60.0)
    began = time.monotonic()
    one.governor.share(one.load)
    wait_until(lambda: two.governor.share(two.load).hold_s > 0)
    hold_s = two.governor.share(two.load).hold_s
    assert 60.0 - (time.monotonic() - began) - 0.1 <= hold_s <= 60.1


def test_a_governor_that_cannot_begin_leaves_no_session(database: str, machines: Any) -> None:
    import psycopg

    machines()
    sessions = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fieldpost governor'"
        " AND datname = current_database()"
    )
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("ALTER TABLE fieldpost.governor_waits RENAME COLUMN until TO till")
        with pytest.raises(psycopg.errors.UndefinedColumn) as caught:
            PostgresGovernor(database, "cd" * 16, 16, 0, 1.0)
        assert caught.tb is not None  # holds on to what the governor had
        wait_until(lambda: db.execute(sessions).fetchone() == (1,))
        db.execute("ALTER TABLE fieldpost.governor_waits RENAME COLUMN till TO until")


def test_who_is_out_of_touch_starts_nothing_and_comes_back(
    machines: Any, server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    one = machines(16, 20, 2.0)
    one.load = Load(started=5)
    one.governor.share(one.load)
    server.stop()
    wait_until(lambda: one.calls == 0)
    assert one.may_start <= 0
    server.start()
    wait_until(lambda: one.calls == 16 and one.may_start == 20)
    assert "nothing starts" in caplog.text


# -- two machines: processes that share a database and nothing else


class Watched:
    """A service that notes when requests came, how many at once, and asks for a wait on demand.

    takes_s: for a request; alone_s: until both machines have been there, so that the first does
    not end before the other has begun.
    """

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.who: list[str] = []
        self.at_once: Counter[str] = Counter()  # by machine
        self.most_of: Counter[str] = Counter()
        self.most_at_once = 0
        self.wait: float | None = None
        self.takes_s, self.alone_s = 0.02, 0.3
        self.lock = threading.Lock()
        watched = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                who = body["messageId"][0]
                with watched.lock:
                    watched._take(who)
                    wait, watched.wait = watched.wait, None
                    takes_s = watched.takes_s if watched.both else watched.alone_s
                time.sleep(takes_s)
                with watched.lock:
                    watched.at_once[who] -= 1
                self.send_response(204 if wait is None else 429)
                if wait is not None:
                    self.send_header("Retry-After", f"{wait:g}")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64  # or the kernel has some connect a second later

            def handle_error(self, *_: object) -> None:
                pass  # a client that was killed

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Watched:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, who: str) -> None:
        self.times_s.append(time.monotonic())
        self.who.append(who)
        self.at_once[who] += 1
        self.most_of[who] = max(self.most_of[who], self.at_once[who])
        self.most_at_once = max(self.most_at_once, self.at_once.total())

    @property
    def both(self) -> bool:
        """Whether both machines have been there."""
        return len(self.at_once) == 2

    def most_in(self, window_s: float) -> int:
        times = self.times_s
        return max(sum(t <= one < t + window_s for one in times) for t in times)


@pytest.fixture
def service() -> Iterator[Watched]:
    with Watched() as watched:
        yield watched


def start(folder: Path, name: str, url: str, ledger: str, events: int, limits: str) -> Any:
    """A machine of its own: nothing of its state is where the other's is."""
    home = folder / name
    home.mkdir()
    (home / "hook.yaml").write_text(
        f"name: {name}\ntype: webhook\nurl: {url}/in\nsubscriptions:\n  - {{name: all}}\n"
        f"delivery: {{adaptive: false, retry: {{wait_initial_s: 0.01}}, {limits}}}\n"
        f"ledger: '{ledger}'\n"
    )
    lines = [json.dumps({"messageId": f"{name}-{n}"}) for n in range(events)]
    (home / "events.ndjson").write_text("\n".join(lines))
    command = [sys.executable, "-m", "fieldpost", "deliver", "hook.yaml", "events.ndjson"]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(home), "TMPDIR": str(home)}
    return subprocess.Popen(
        [*command, "--output", "json"],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(process: Any) -> dict[str, Any]:
    out, error = process.communicate(timeout=90)
    assert process.returncode == 0, error
    return dict(json.loads(out))


def test_two_machines_never_have_more_in_flight_than_one_may(
    tmp_path: Path, service: Watched, server: PostgresServer
) -> None:
    ledger = server.create("in_flight")
    both = [
        start(tmp_path, name, service.url, ledger, 300, "max_in_flight: 6") for name in ("a", "b")
    ]
    assert [done(one)["delivered"] for one in both] == [300, 300]
    assert service.most_at_once <= 6
    first_b = service.who.index("b")
    last_a = len(service.who) - 1 - service.who[::-1].index("a")
    assert first_b < last_a, "they were at work together"


def test_two_machines_keep_one_budget_and_one_wait(
    tmp_path: Path, service: Watched, server: PostgresServer
) -> None:
    service.takes_s, service.alone_s = 0.0, 2.0
    ledger = server.create("budget")
    limits = "max_in_flight: 8, rate: {requests: 20, window_s: 2}"
    both = [start(tmp_path, name, service.url, ledger, 60, limits) for name in ("a", "b")]
    wait_until(lambda: service.both)
    with service.lock:
        service.wait = 6.0
        asked = len(service.times_s)
    reports = [done(one) for one in both]
    assert [one["delivered"] for one in reports] == [60, 60]
    # A busy machine notes requests late; two budgets in one window show all the same.
    assert service.most_in(1.5) <= 20
    answered_s = service.times_s[asked]
    heard_s = answered_s + 2.0  # by way of the database; a busy machine takes its time
    during = [t for t in service.times_s if heard_s < t < answered_s + 6.0]
    assert during == []
    assert all(one["throttled_s"] > 2 for one in reports)


def test_a_killed_machine_s_part_comes_back(
    tmp_path: Path, service: Watched, server: PostgresServer
) -> None:
    ledger = server.create("killed")
    limits = "max_in_flight: 6"
    killed = start(tmp_path, "a", service.url, ledger, 5000, limits)
    other = start(tmp_path, "b", service.url, ledger, 500, limits)
    wait_until(lambda: service.both)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    with service.lock:
        service.most_of.clear()
    assert done(other)["delivered"] == 500
    assert service.most_of["b"] == 6, "the whole of it"


def test_an_open_breaker_is_every_machines(database: str) -> None:
    one, other = Machine(database), Machine(database)
    now = time.monotonic()
    one.load = Load(opening=Opening(now - 5, now + 60, "http_500"))
    heard: list[Opening] = []

    def hears() -> bool:
        one.governor.share(one.load)
        follow = other.governor.share(other.load).follow
        heard.extend([] if follow is None else [follow])
        return bool(heard)

    try:
        wait_until(hears)
        assert heard[0].since == pytest.approx(now - 5, abs=1)
        assert heard[0].next_probe == pytest.approx(now + 60.5, abs=1.5)
        seen = look_at_breaker("ab" * 16, database)
        assert seen is not None
        assert seen.reason == "http_500"
        assert seen.since == pytest.approx(time.time() - 5, abs=2)
        other.load = one.load
        wait_until(lambda: other.governor.share(other.load).follow is not None)
        one.load = Load()
        one.governor.share(one.load)
        wait_until(lambda: other.governor.share(other.load).release)
    finally:
        one.governor.close()
        other.governor.close()
    assert look_at_breaker("ab" * 16, database) is None, "nobody is at work"
