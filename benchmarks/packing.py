"""Accounts per second into a service that limits requests and execution time, packed and not.

    ./dev bench packing [--windows 2] [--trees]

The service is the emulator, in a process of its own: 600 requests and 120 s of execution in any
30 s, 52 requests at once. A single create takes 40 ms of execution, a bulk message 20 ms and 5 ms
for each row, a row nested in a create 5 ms more; answers wait as long. What is measured begins
after the first window, when what was saved up is spent. "share of the limit": of the requests
where these bind, else of the execution time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import fieldpost as fp

WINDOW_S = 30.0
SPACED_S = 30.5  # what is sent in a burst is sent again so much later: a window and its margin
LIMITS = {
    "requests": 600,
    "execution_s": 120,
    "concurrency": 52,
    "window_s": WINDOW_S,
    "request_ms": 40,
    "row_ms": 5,
    "bulk_request_ms": 20,
    "bulk_row_ms": 5,
}
FLAT = {"name": {"@path": "$.properties.company"}}
TREE = FLAT | {
    "primarycontactid": {
        "firstname": {"@path": "$.properties.first"},
        "lastname": {"@path": "$.properties.last"},
    },
    "opportunity_customer_accounts": [
        {
            "name": {"@template": "Opportunity of {{properties.company}}"},
            "Opportunity_Tasks": [{"subject": "Task of the opportunity"}],
        }
    ],
}


class Seen(NamedTuple):
    """What came of a run at one moment. execution_s: of all that was accepted."""

    at_s: float
    delivered: int
    accepted: int
    refused: int
    impatient: int


@contextlib.contextmanager
def emulator() -> Iterator[dict[str, Any]]:
    """A service with the limits; what it told of itself."""
    command = [sys.executable, "-m", "fieldpost", "emulator"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what it tells people
    )
    try:
        assert process.stdout is not None
        details = json.loads(process.stdout.readline())
        ask(details, "limits", LIMITS)
        yield details
    finally:
        process.terminate()
        process.wait(20)


def ask(details: dict[str, Any], verb: str, order: Any = None) -> Any:
    """The control channel's answer."""
    data = None if order is None else json.dumps(order).encode()
    request = urllib.request.Request(f"{details['control_url']}/{verb}", data)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def destination(
    details: dict[str, Any], folder: Path, batching: str, body: Any, in_flight: int
) -> fp.Destination:
    """Accounts to that service, within what it gives."""
    os.environ["BENCH_ID"] = details["client_id"]
    os.environ["BENCH_SECRET"] = details["client_secret"]
    document = {
        "name": "packing",
        "type": "dynamics365",
        "url": details["url"],
        "auth": {
            "type": "oauth2",
            "grant": "client_credentials",
            "token_url": details["token_url"],
            "client_id": {"env": "BENCH_ID"},
            "client_secret": {"env": "BENCH_SECRET"},
            "scope": details["scope"],
        },
        "subscriptions": [
            {"name": "accounts", "action": "create", "table": "account", "body": body}
        ],
        "delivery": {
            "batching": batching,
            "max_in_flight": in_flight,
            "rate": {"requests": LIMITS["requests"], "window_s": WINDOW_S},
            "execution": {"seconds": LIMITS["execution_s"], "window_s": WINDOW_S},
        },
    }
    return fp.Destination.from_text(json.dumps(document), str(folder / "packing.yaml"))


def write_events(path: Path, count: int) -> None:
    """As many sign-ups."""
    with path.open("w") as file:
        for n in range(count):
            properties = {"company": f"Company {n}", "first": "Ada", "last": f"Lovelace {n}"}
            event = {"type": "track", "messageId": f"m-{n}", "properties": properties}
            file.write(json.dumps(event) + "\n")


def watch(details: dict[str, Any], ledger: Path, seen: list[Seen], over: threading.Event) -> None:
    """Look twice a second."""
    while not over.wait(0.5):
        told = ask(details, "limits")
        with contextlib.closing(sqlite3.connect(ledger, timeout=10)) as store:
            sql = "SELECT count(*) FROM outcomes WHERE outcome = 'delivered'"
            (delivered,) = store.execute(sql).fetchone()
        counts = [told[name] for name in ("accepted", "refused", "impatient")]
        seen.append(Seen(time.monotonic(), delivered, *counts))


def run(batching: str, body: Any, events: int, windows: int, in_flight: int) -> list[Seen]:
    """What was seen of one way to send, from the end of the first window on."""
    with tempfile.TemporaryDirectory() as name, emulator() as details:
        folder = Path(name)
        write_events(folder / "events.ndjson", events)
        target = destination(details, folder, batching, body, in_flight)
        seen: list[Seen] = []
        over = threading.Event()
        looking = (details, folder / "packing.ledger.db", seen, over)
        watcher = threading.Thread(target=watch, args=looking)
        began_s = time.monotonic()
        watcher.start()
        for_s = WINDOW_S + SPACED_S * windows + 2
        report = target.deliver(str(folder / "events.ndjson"), for_s=for_s, progress=False)
        over.set()
        watcher.join()
        if report.stopped is None:
            sys.exit(f"{batching}: {events} events were too few for {for_s:g} s")
    steady = [one for one in seen if one.at_s - began_s >= WINDOW_S]
    return [one for one in steady if one.at_s - steady[0].at_s <= SPACED_S * windows + 0.5]


def figures(seen: list[Seen], rows: int, bulk: bool) -> tuple[float, float, int, int]:
    """(accounts per second, share of the limit, refused, sent during a wait)."""
    first, last = seen[0], seen[-1]
    seconds = last.at_s - first.at_s
    accounts = last.delivered - first.delivered
    requests = last.accepted - first.accepted
    if bulk:
        execution_s = (
            requests * LIMITS["bulk_request_ms"] + accounts * LIMITS["bulk_row_ms"]
        ) / 1000
    else:
        execution_s = accounts * (LIMITS["request_ms"] + (rows - 1) * LIMITS["row_ms"]) / 1000
    share = max(
        requests / (LIMITS["requests"] * seconds / WINDOW_S),
        execution_s / (LIMITS["execution_s"] * seconds / WINDOW_S),
    )
    return accounts / seconds, share, seen[-1].refused, seen[-1].impatient


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=2, help="of 30 s, behind the first")
    parser.add_argument("--in-flight", type=int, default=52)
    parser.add_argument("--trees", action="store_true", help="only the trees of four rows")
    wishes = parser.parse_args()
    windows, in_flight = wishes.windows, wishes.in_flight
    seconds = int(WINDOW_S * (windows + 2))
    ways = [
        ("flat, one request each", "off", FLAT, 1, 60 * seconds),
        ("flat, auto", "auto", FLAT, 1, 1200 * seconds),
        ("trees of four, one request each", "off", TREE, 4, 60 * seconds),
        ("trees of four, auto ($batch)", "auto", TREE, 4, 150 * seconds),
    ]
    print(f"{'':34}{'accounts/s':>12}{'of the limit':>14}{'429':>6}{'impatient':>11}{'x':>8}")
    base = 0.0
    for title, batching, body, rows, events in ways[2:] if wishes.trees else ways:
        seen = run(batching, body, events, windows, in_flight)
        bulk = batching == "auto" and rows == 1
        rate, share, refused, impatient = figures(seen, rows, bulk)
        base = rate if batching == "off" else base
        row = f"{title:34}{rate:12.1f}{share:14.1%}{refused:6}{impatient:11}{rate / base:8.1f}"
        print(row, flush=True)


if __name__ == "__main__":
    main()
