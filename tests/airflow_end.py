"""Two tasks of a real Airflow that are ended in mid run: one marked failed, one that times out.

Both deliver to a slow webhook of this process. Neither may leave an event in doubt, and the next
run sends what is left, each event once. Called by airflow.sh with a folder, in an environment with
Airflow and fieldpost; the database is migrated already.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

EVENTS = 2000
ANSWER_S = 0.3  # of the slow webhook: 2,000 events take more than a minute
TASKS = ("marked", "timed_out")
DAG = """
from datetime import datetime, timedelta, timezone

from airflow.sdk import dag, task

import fieldpost as fp


def deliver(name):
    hook = fp.Destination.from_file(f"{folder}/{name}.yaml")
    report = hook.deliver(f"{folder}/events.ndjson", progress=False)
    if report.interrupted:
        raise RuntimeError("interrupted")


@dag(dag_id="ended", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
def ended():
    @task
    def marked():
        deliver("marked")

    @task(execution_timeout=timedelta(seconds=12))
    def timed_out():
        deliver("timed_out")

    marked()
    timed_out()


folder = "FOLDER"
ended()
"""
HOOK = """
id: {name}
name: {name}
type: webhook
url: {url}/{name}
event_id: {{"@path": $.messageId}}
subscriptions: [{{name: all}}]
delivery: {{max_in_flight: 8, adaptive: false}}
"""


class Webhook:
    """Answers 204, slowly at first, and counts what came."""

    def __init__(self) -> None:
        self.wait_s = ANSWER_S
        self.came: dict[str, Counter[str]] = {name: Counter() for name in TASKS}
        self._lock = threading.Lock()
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook.take(self.path.strip("/"), json.loads(body)["messageId"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, name: str, event: str) -> None:
        with self._lock:
            self.came[name][event] += 1
        time.sleep(self.wait_s)


def until(what: str, condition: Callable[[], Any], timeout_s: float) -> Any:
    end_s = time.monotonic() + timeout_s
    while not (found := condition()):
        if time.monotonic() > end_s:
            sys.exit(f"airflow: {what}: not within {timeout_s:.0f} s")
        time.sleep(0.25)
    return found


def equal(what: str, seen: Any, expected: Any) -> None:
    if seen != expected:
        sys.exit(f"airflow: {what}: {seen}, expected {expected}")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Airflow:
    """`airflow standalone` on a free port, and its REST API."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        self._token = ""
        self._log = folder / "standalone.log"
        programs = Path(sys.executable).parent
        environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",  # it starts others by name
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self._url}/execution/",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__BASE_URL": self._url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
            "NO_PROXY": "127.0.0.1",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(programs / "airflow"), "standalone"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of the API; None while it gives none, or does not know."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}{path}", data, headers, method=method)
        if self._process.poll() is not None:
            sys.exit(f"airflow: standalone ended, see {self._log}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def begin(self) -> None:
        """Wait until the scheduler is at work and knows the DAG."""

        def token() -> bool:
            told = self.ask("GET", "/auth/token")
            self._token = told["access_token"] if told else ""
            return bool(told)

        until("the API answers", token, 300)
        until("the DAG is known", lambda: self.ask("GET", "/api/v2/dags/ended"), 300)

    def close(self) -> None:
        """End every process of its session: one that is told leaves the others."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self._processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            end_s = time.monotonic() + 10
            while any(self._processes()) and time.monotonic() < end_s:
                time.sleep(0.2)

    def _processes(self) -> Iterator[int]:
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if os.getsid(int(folder.name)) == self._process.pid:
                    yield int(folder.name)


def write(folder: Path, url: str) -> None:
    (folder / "dags").mkdir(parents=True)
    (folder / "dags" / "ended.py").write_text(DAG.replace("FOLDER", str(folder)))
    for name in TASKS:
        (folder / f"{name}.yaml").write_text(HOOK.format(name=name, url=url))
    lines = (json.dumps({"messageId": f"m{i}", "type": "track"}) + "\n" for i in range(EVENTS))
    (folder / "events.ndjson").write_text("".join(lines))


def end_of(folder: Path, name: str) -> Any:
    """The counts of its one run, once it has ended."""
    path = folder / f"{name}.ledger.db"
    if not path.exists():
        return None
    with contextlib.closing(sqlite3.connect(path)) as ledger:
        rows = ledger.execute("SELECT counts FROM runs WHERE ended IS NOT NULL").fetchall()
    return json.loads(rows[0][0]) if rows else None


def main(folder: Path) -> None:
    import fieldpost

    os.environ.pop("FIELDPOST_LEDGER", None)
    webhook = Webhook()
    write(folder, webhook.url)
    airflow = Airflow(folder)
    try:
        airflow.begin()
        run = until(
            "a run of the DAG",
            lambda: airflow.ask("POST", "/api/v2/dags/ended/dagRuns", {"logical_date": None}),
            120,
        )["dag_run_id"]
        task = f"/api/v2/dags/ended/dagRuns/{run}/taskInstances"
        until("requests of a task", lambda: webhook.came["marked"].total() > 16, 180)
        until(
            "the task is marked",
            lambda: airflow.ask("PATCH", f"{task}/marked", {"new_state": "failed"}),
            60,
        )
        ends = {
            name: until(f"the end of {name}", lambda name=name: end_of(folder, name), 120)
            for name in TASKS
        }
        for name in TASKS:
            until(
                f"{name} has failed",
                lambda name=name: (airflow.ask("GET", f"{task}/{name}") or {})["state"] == "failed",
                60,
            )
    finally:
        airflow.close()
    webhook.wait_s = 0.0
    for name, counts in ends.items():
        came = webhook.came[name]
        equal(f"{name}: interrupted", counts["interrupted"], True)
        equal(f"{name}: unconfirmed", counts["unconfirmed"], 0)
        equal(f"{name}: delivered", counts["delivered"], came.total())
        equal(f"{name}: ended before all was sent", came.total() < EVENTS, True)
        hook = fieldpost.Destination.from_file(folder / f"{name}.yaml")
        report = hook.deliver(folder / "events.ndjson", progress=False)
        equal(f"{name}: left for the next run", report["delivered"], EVENTS - counts["delivered"])
        equal(f"{name}: sent once", (len(came), set(came.values())), (EVENTS, {1}))
        print(f"airflow: {name} ended after {counts['delivered']} events, none in doubt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
