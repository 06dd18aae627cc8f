"""Mapping and filter side by side with others, in one run on one core: ./dev bench mapping

Every contestant does the work of workload.json over the same events. Time is what the processor
worked (two threads: what the clock says), runs are interleaved, and the best of each counts, so
that a busy machine spoils no ratio. Nothing is asserted but that all give the same bodies.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

import events as generator
import fieldpost as fp
from fieldpost import _core
from peers import by_hand

HERE = Path(__file__).resolve().parent
SLICE = 4 << 20
PACKAGES = ["@segment/actions-core@3.170.0", "liquidjs@10", "lodash@4"]
Seconds = Callable[[], float]


def timed(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> Seconds:
    """Runs `work` and gives the seconds it took."""

    def run() -> float:
        began = clock()
        work()
        return clock() - began

    return run


def program(*command: str | Path, folder: Path | None = None) -> Seconds:
    """Runs a program that prints the seconds it took."""

    def run() -> float:
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
        return float(done.stdout)

    return run


def best(contestants: dict[str, Seconds], runs: int) -> dict[str, float]:
    """The least seconds of each, taken in turns."""
    least = dict.fromkeys(contestants, float("inf"))
    for _ in range(runs):
        for name, run in contestants.items():
            least[name] = min(least[name], run())
    return least


def slices(ndjson: bytes) -> list[bytes]:
    """Whole lines, about 4 MB each."""
    parts, at = [], 0
    while at < len(ndjson):
        end = len(ndjson) if len(ndjson) - at <= SLICE else ndjson.rfind(b"\n", at, at + SLICE) + 1
        parts.append(ndjson[at:end])
        at = end
    return parts


def compiled(folder: Path) -> Path | None:
    """The peers on simdjson, built for this machine."""
    if shutil.which("g++") is None:
        return None
    source, made = HERE / "peers/simdjson.cc", folder / "simdjson"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        flags = ["-O3", "-march=native", "-std=c++20", "-DNDEBUG"]
        subprocess.run(["g++", *flags, source, "-o", made, "-lsimdjson"], check=True)
    return made


def installed(folder: Path) -> tuple[Path | None, str]:
    """A folder with Segment's engine, or why there is none."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None, "actions-core is left out: no node and npm here"
    there = folder / "node"
    if not (there / "node_modules/@segment/actions-core").exists():
        there.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(there)]
        done = subprocess.run(["npm", "install", *quiet, *PACKAGES], capture_output=True, text=True)
        if done.returncode != 0:
            return None, f"actions-core is left out: npm failed: {done.stderr.strip()[:200]}"
    return there, ""


def differing(bodies: bytes, others: bytes) -> int:
    """How many bodies are not equal as JSON with numbers as doubles."""
    left, right = bodies.splitlines(), others.splitlines()
    pairs = zip(left, right, strict=False)
    as_double = {"parse_int": float, "parse_float": float}
    unequal = sum(json.loads(a, **as_double) != json.loads(b, **as_double) for a, b in pairs)
    return unequal + abs(len(left) - len(right))


def process(plan: _core.Plan, chunks: list[_core.Chunk]) -> None:
    """Every chunk through a plan."""
    for chunk in chunks:
        plan.process(chunk)


class Bench:
    """The workload, the events and the peers."""

    def __init__(self, folder: Path, count: int, runs: int, with_node: bool) -> None:
        self.runs = runs
        self.count = count
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        ndjson = generator.ndjson(count)
        self.size = len(ndjson)
        self.file = folder / "events.ndjson"
        self.file.write_bytes(ndjson)
        self.slices = slices(ndjson)
        self.workload = HERE / "workload.json"
        work = json.loads(self.workload.read_text())
        self.document, self.query = work["mapping"], work["filter"]
        self.mapping, self.filter = fp.Mapping(self.document), fp.Filter(self.query)
        self.simdjson = compiled(folder)
        self.node, self.missing = installed(folder) if with_node else (None, "")
        self.console = Console(width=100)

    # --- what is measured

    def mapped(self, keep: fp.Filter | None = None) -> bytes:
        """The bodies, as fieldpost gives them."""
        lines = [self.mapping.apply_lines(part, filter=keep or self.filter) for part in self.slices]
        return b"".join(bytes(one.text) for one in lines)

    def run_mapping(self, keep: fp.Filter | None = None) -> None:
        """The same without putting the slices together."""
        for part in self.slices:
            self.mapping.apply_lines(part, filter=keep or self.filter)

    def run_python(self) -> list[bytes]:
        """orjson and the mapping written by hand."""
        loads, dumps, keep, body = orjson.loads, orjson.dumps, by_hand.keep, by_hand.body
        bodies = []
        for part in self.slices:
            for line in part.splitlines():
                event = loads(line)
                if keep(event):
                    bodies.append(dumps(body(event)))
        return bodies

    # --- the tables

    def all(self) -> bool:
        """Prints every table; whether all gave the same bodies."""
        self.console.print(
            f"{self.count:,} events, {self.size / self.count:,.0f} bytes each, best of {self.runs}"
        )
        same = self.compare()
        self.mappings()
        self.filters()
        self.values()
        self.subscriptions()
        self.threads()
        if self.missing:
            self.console.print(self.missing)
        if self.simdjson is None:
            self.console.print("peers on simdjson are left out: no g++ here")
        return same

    def compare(self) -> bool:
        """Every contestant's bodies against fieldpost's."""
        ours = self.mapped()
        others = {"orjson + Python": b"\n".join(self.run_python())}
        out = self.folder / "bodies.ndjson"
        if self.simdjson is not None:
            program(self.simdjson, "map", self.file, out)()
            others["hand-written C++"] = out.read_bytes()
        if self.node is not None:
            self.actions(out)()
            others["actions-core"] = out.read_bytes()
        wrong = {name: differing(ours, bodies) for name, bodies in others.items()}
        for name, count in wrong.items():
            self.console.print(f"{name}: {count} of {len(ours.splitlines()):,} bodies differ")
        return not any(wrong.values())

    def actions(self, out: Path | None = None) -> Seconds:
        """Segment's engine; runs in the folder that has it."""
        script = [HERE / "peers/actions.cjs", self.workload, self.file.resolve()]
        return program("node", *script, *([out.resolve()] if out else []), folder=self.node)

    def mappings(self) -> None:
        """The filter and the mapping, and what the bare parser costs."""
        first = fp.Filter('type = "identify"')
        contestants: dict[str, Seconds] = {"fieldpost": timed(self.run_mapping)}
        if self.simdjson is not None:
            contestants["hand-written C++ (simdjson On-Demand)"] = program(
                self.simdjson, "map", self.file
            )
            contestants["bare simdjson (to its tree, no mapping)"] = program(
                self.simdjson, "parse", self.file
            )
        contestants["orjson + hand-written Python"] = timed(self.run_python)
        if self.node is not None:
            contestants["actions-core (Node)"] = self.actions()
        contestants["fieldpost, rejected by the first field"] = timed(
            lambda: self.run_mapping(first)
        )
        self.table("Filter and mapping, lines in, lines out, one core", contestants)

    def filters(self) -> None:
        """One condition alone."""
        keep = fp.Filter('type = "identify"')
        contestants: dict[str, Seconds] = {
            "fieldpost matches_lines": timed(
                lambda: [keep.matches_lines(part) for part in self.slices]
            )
        }
        if self.simdjson is not None:
            contestants["simdjson On-Demand, one field"] = program(
                self.simdjson, "field", self.file
            )
        self.table('type = "identify" alone, one core', contestants)

    def values(self) -> None:
        """A dict in, a dict out, event by event."""
        events = [orjson.loads(line) for line in self.slices[0].splitlines()]
        self.table(
            "Mapping.apply: dict in, dict out, one core",
            {
                "fieldpost": timed(lambda: [self.mapping.apply(event) for event in events]),
                "hand-written Python": timed(lambda: [by_hand.body(event) for event in events]),
            },
            len(events),
        )

    def subscriptions(self) -> None:
        """One plan with 1, 5 and 20 subscriptions; each wants fewer events than the one before."""
        chunks = [self.chunk(part) for part in self.slices]
        plans = {str(number): self.plan(number) for number in (1, 5, 20)}
        contestants = {name: timed(partial(process, plan, chunks)) for name, plan in plans.items()}
        times = best(contestants, self.runs)
        table = Table(title="Plan.process, one core", title_justify="left")
        for name in ("subscriptions", "events/s", "time of 1", "time each, of 1"):
            table.add_column(name, justify="right")
        for number, seconds in times.items():
            ratio = seconds / times["1"]
            rate = f"{self.count / seconds:,.0f}"
            table.add_row(number, rate, f"{ratio:.2f}", f"{ratio / int(number):.2f}")
        self.console.print(table)

    def plan(self, number: int) -> _core.Plan:
        """That many subscriptions of the same mapping."""
        queries = [f"{self.query} and properties.total >= {40 + 40 * i}" for i in range(number)]
        listed = [{"filter": query, "body": self.document} for query in queries]
        return _core.Plan(json.dumps({"subscriptions": listed}))

    @staticmethod
    def chunk(part: bytes) -> _core.Chunk:
        """The same bytes as the plan takes them."""
        chunk = _core.Chunk("events.ndjson", True, len(part) + 4096)
        chunk.spare()[: len(part)] = part
        chunk.filled(len(part))
        chunk.finish()
        return chunk

    def threads(self) -> None:
        """Slices shared by two threads, each on a core of its own: a run is too short for the
        scheduler to find out that both woke up on one."""
        cores = os.sched_getaffinity(0)
        every = os.sched_getaffinity(os.getppid())
        if len(every) < 2:
            self.console.print("two threads are left out: one core here")
            return
        os.sched_setaffinity(0, every)

        def mapped(part: bytes) -> int:  # and no body is kept, as with one thread
            return len(self.mapping.apply_lines(part, self.filter))

        free = iter(sorted(every))

        def pin() -> None:
            os.sched_setaffinity(0, {next(free)})

        with ThreadPoolExecutor(2, initializer=pin) as pool:

            def shared() -> None:
                sum(pool.map(mapped, self.slices))

            clock = time.perf_counter
            contestants = {
                "two threads": timed(shared, clock),
                "one thread": timed(self.run_mapping, clock),
            }
            self.table("Filter and mapping in threads", contestants)
        os.sched_setaffinity(0, cores)

    def table(self, title: str, contestants: dict[str, Seconds], count: int = 0) -> None:
        """Runs them in turns; ratios are to the first."""
        times = best(contestants, self.runs)
        first = next(iter(times.values()))
        table = Table(title=title, title_justify="left")
        table.add_column("")
        for name in ("events/s", "MB/s", "first is faster by"):
            table.add_column(name, justify="right")
        count = count or self.count
        for name, seconds in times.items():
            speed = f"{self.size / self.count * count / seconds / 1e6:,.0f}"
            table.add_row(name, f"{count / seconds:,.0f}", speed, f"{seconds / first:.2f} x")
        self.console.print(table)


def main() -> int:
    """Prints the tables; 1 where bodies differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=7, help="of each contestant; the best counts")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    parser.add_argument("--no-node", action="store_true", help="leave Segment's own engine out")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    same = Bench(options.folder, options.events, options.runs, not options.no_node).all()
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
