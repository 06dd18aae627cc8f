"""How fast the ledger is: outcomes per second of both stores, and how one of a million rows opens.

    python benchmarks/ledger.py [--outcomes 1000000] [--rate-only]

Prints one JSON object per store. PostgreSQL is Debian's, in a folder of its own, with fsync on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import uuid
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fieldpost.ledger import About, Key, Ledger, Settled, Takes, Writer, open_ledger

sys.path.insert(0, str(Path(__file__).parent.parent / "tests/python"))
from postgres_server import PostgresServer, programs

ABOUT = About("deliver", "bench", "", "", "", "", "")
DONE = Settled("delivered", "created", 1, 204, "", "", "", "", "", 12.5, 0, 0)
URL = "https://example.com"
RATE_OUTCOMES = 100_000


def timed(work: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return round(time.perf_counter() - began, 3), result


def random_id(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))


def counted_id(number: int) -> str:
    """As in the events of `./dev bench dispatch`."""
    return f"m-{number}"


def keys(
    target: int, first: int, count: int, event_id: Callable[[int], str] = random_id
) -> list[Key]:
    return [
        Key(target, event_id(n), n * 7919, "a.ndjson", n, n * 500)
        for n in range(first, first + count)
    ]


def outcomes_per_second(
    ledger: Ledger, target: int, window: int, event_id: Callable[[int], str]
) -> float:
    """Claims and outcomes as a run makes them: at most `window` claims open, a writer thread.

    What a run reads and sends is there already: only the ledger is measured.
    """
    wanted = keys(target, window << 40, RATE_OUTCOMES, event_id)
    told = tuple(DONE._replace(record_id="x" * 36))[:-1]
    writer = Writer(ledger, Takes())
    settled: list[Settled] = []
    begun = opened = done = 0
    began = time.perf_counter()
    while done < RATE_OUTCOMES:
        room = min(window - opened, RATE_OUTCOMES - begun)
        part = wanted[begun : begun + room]
        begun, opened = begun + room, opened + room
        if settled or part:
            writer.put(settled, (), [(part, None)] if part else [], ())
        settled = []
        for step in writer.take(1):
            opened -= len(step.settled)
            done += len(step.settled)
            claims = [one.claim for _, given in step.claimed for one in given if one]
            settled += [Settled._make((*told, claim)) for claim in claims]
    elapsed = time.perf_counter() - began
    writer.close()
    return round(done / elapsed)


def fill(ledger: Ledger, target: int, count: int) -> None:
    """Rows as a run leaves them, in large steps, and as many events that were filtered."""
    for first in range(0, count, 20_000):
        part = keys(target, first, min(20_000, count - first))
        claims = ledger.advance((), (), part, (), Takes())
        outcomes = ("delivered",) * 98 + ("rejected", "invalid")
        settled = [
            DONE._replace(claim=one.claim, outcome=outcomes[i % 100], record_id="x" * 36)
            for i, one in enumerate(claims)
            if one
        ]
        ledger.advance(settled, (), (), (), Takes())
        hashes = array("q", range(-first - 20_000, -first)).tobytes()
        ledger.note_ended((), (), [(target, hashes)], Takes())


def measure(location: str, count: int) -> dict[str, Any]:
    told: dict[str, Any] = {"store": location.split(":")[0] if "://" in location else "sqlite"}
    ledger = open_ledger(location)
    ledger.begin_run(ABOUT)
    target = ledger.target("bench", "s", URL)
    for window in (32, 128):
        name, other = f"outcomes_per_s_window_{window}", ledger.target("bench", "rate", URL)
        told[name] = outcomes_per_second(ledger, other, window, counted_id)
        told[f"{name}_random_ids"] = outcomes_per_second(ledger, other, window, random_id)
    if count:
        told["fill_s"], _ = timed(lambda: fill(ledger, target, count))
        told["merge_filtered_s"], _ = timed(lambda: ledger.merge_filtered([target]))
        told["end_run_s"], _ = timed(lambda: ledger.end_run({}))
    ledger.close()
    if count:
        told |= reopened(location, count)
    return told


def reopened(location: str, count: int) -> dict[str, Any]:
    told: dict[str, Any] = {"outcomes": count}
    ledger = open_ledger(location)
    told["status_s"], counts = timed(lambda: ledger.counts("bench", "s", URL))
    told["counts"] = counts
    ledger.close()
    ledger = open_ledger(location)

    def ready() -> None:
        ledger.begin_run(ABOUT)
        target = ledger.target("bench", "s", URL)
        ledger.dead_runs([target])
        known = ledger.look_up(target, [key.event_id for key in keys(target, 0, 5000)])
        assert len(known) == 5000

    told["restart_ready_s"], _ = timed(ready)
    told["failures_s"], _ = timed(lambda: ledger.failures("bench"))
    chosen = ledger.outcomes("bench", "outcome = 'rejected' AND line > 5")
    told["first_of_outcomes_where_s"], _ = timed(lambda: next(chosen))
    told["all_outcomes_s"], _ = timed(lambda: sum(1 for _ in ledger.outcomes("bench")))
    ledger.close()
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outcomes", type=int, default=1_000_000)
    parser.add_argument("--rate-only", action="store_true")
    options = parser.parse_args()
    count = 0 if options.rate_only else options.outcomes
    with tempfile.TemporaryDirectory(prefix="fieldpost-bench-") as folder:
        print(json.dumps(measure(f"{folder}/ledger.db", count)), flush=True)
    if programs() is None:
        print("PostgreSQL is not installed: its figures are left out", file=sys.stderr)
        return
    server = PostgresServer(durable=True)
    try:
        server.start()
        print(json.dumps(measure(server.create("bench"), count)), flush=True)
        server.stop("fast")
    finally:
        server.remove()


if __name__ == "__main__":
    main()
