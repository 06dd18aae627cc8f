"""Runs as Prometheus metrics (extra `prometheus`): a collector, or a file for the node exporter.

metrics = fp.PrometheusMetrics()
REGISTRY.register(metrics)                      # a process that stays: numbers add up over runs
destination.deliver(source, observers=[metrics])

fp.PrometheusMetrics("/var/lib/node_exporter/fieldpost.prom")      # or a file, kept up to date
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .config import id_of
from .errors import ConfigError, FieldpostError, Mistake
from .latencies import Latencies, bound_ms
from .own_file import replace, standing, try_to_replace
from .report import OUTCOMES, Report

_FILE_EVERY_S = 5.0
_DESTINATION = ("destination",)
_BUCKETS_TOLD = 8  # one for each doubling is enough of a histogram
_MODE = 0o644  # of a new file: the node exporter is another user
_BEGINNING = b"# HELP fieldpost_"  # of every file that was written here
_AT, _SUCCESS = "fieldpost_last_run_timestamp_seconds", "fieldpost_last_run_success"


class PrometheusMetrics:
    """An observer of runs, one after the other or side by side, and a collector for a registry.

    path: a text file that is rewritten while a run is at work and at its end, always whole; raises
    ConfigError (E741) where it cannot be, or where something else stands. Of a run that could not
    begin only its failure is written: the numbers of the run before stay.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        try:
            import prometheus_client
            from prometheus_client import metrics_core
        except ImportError:
            hint = "pip install 'fieldpost[prometheus]'"
            raise FieldpostError("E740", "the extra prometheus is missing", "", hint) from None
        self._client: Any = prometheus_client
        self._core: Any = metrics_core
        self._path = None if path is None else _writable(Path(path))
        self._next_s = 0.0
        self._lock = threading.Lock()
        self._done = _Numbers()
        self._at_work: dict[str, _Numbers] = {}  # by run

    # -- the observer

    def began(self, report: Report, verb: str) -> None:
        """A run begins."""
        self._take(report)

    def advanced(self, report: Report) -> None:
        """Take over its numbers; write the file now and then."""
        self._take(report)
        now_s = time.monotonic()
        if self._path is not None and now_s >= self._next_s:
            self._next_s = now_s + _FILE_EVERY_S
            self.write(self._path)

    def ended(self, report: Report, error: BaseException | None) -> None:
        """Add its numbers to those of all runs before."""
        if not report.run:
            self._note_failure(report.destination)
            return
        numbers = _Numbers.of(report)
        numbers.ended[report.destination] = (time.time(), report.duration_s, _result(report, error))
        with self._lock:
            self._at_work.pop(report.run, None)
            self._done = self._done.plus(numbers)
        if self._path is not None:
            self.write(self._path)

    def could_not_begin(self, file: str | os.PathLike[str]) -> None:
        """Tell that no run of this destination file began: it cannot be read, or has mistakes."""
        self._note_failure(id_of(file))

    def _note_failure(self, destination: str) -> None:
        end = (time.time(), 0.0, False)
        with self._lock:
            self._at_work.pop("", None)
            self._done.ended[destination] = end
        if self._path is not None:
            told = _Told(self._path, {_AT: end[0], _SUCCESS: 0.0}, destination)
            self._write(self._path, told if told.families else self)

    def _take(self, report: Report) -> None:
        numbers = _Numbers.of(report)
        with self._lock:
            self._at_work[report.run] = numbers

    # -- the collector

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the numbers as text; a reader sees the old file or the new one."""
        self._write(Path(path), self)

    def _write(self, path: Path, collector: Any) -> None:
        registry = self._client.CollectorRegistry()
        registry.register(collector)
        replace(path, self._client.generate_latest(registry), _MODE)

    def collect(self) -> Iterator[Any]:
        """The metric families, as a registry asks for them."""
        with self._lock:
            numbers, runs = self._done, Counter(dict.fromkeys(self._done.requests, 0))
            runs.update(self._destinations())
            breakers: Counter[tuple[str]] = Counter(dict.fromkeys(runs, 0))
            for one in self._at_work.values():
                numbers = numbers.plus(one)
                breakers |= one.breakers
        yield self._counter(
            "fieldpost_outcomes",
            "Events by what became of them",
            ("destination", "subscription", "outcome"),
            numbers.outcomes,
        )
        pair = ("destination", "subscription")
        yield self._counter("fieldpost_attempts", "Tries of records", pair, numbers.attempts)
        told = "Requests on the wire"
        yield self._counter("fieldpost_requests", told, _DESTINATION, numbers.requests)
        told = "Time of waits that the destination asked for"
        yield self._counter("fieldpost_throttled_seconds", told, _DESTINATION, numbers.throttled_s)
        told = "First start of a record to its last answer"
        family = self._core.HistogramMetricFamily("fieldpost_latency_seconds", told, labels=pair)
        for labels, latencies in sorted(numbers.latencies.items()):
            buckets, total_s = _buckets(latencies)
            family.add_metric(labels, buckets, total_s)
        yield family
        yield self._gauge("fieldpost_runs_at_work", "Runs that deliver now", _DESTINATION, runs)
        told = "Targets that answer only failures and are probed"
        yield self._gauge("fieldpost_breakers_open", told, _DESTINATION, breakers)
        yield from self._ends(numbers)

    def _destinations(self) -> Iterator[tuple[str]]:
        for one in self._at_work.values():
            yield from ((destination,) for (destination,) in one.requests)

    def _ends(self, numbers: _Numbers) -> Iterator[Any]:
        ends = {(name,): end for name, end in numbers.ended.items()}
        at = {labels: end[0] for labels, end in ends.items()}
        took = {labels: end[1] for labels, end in ends.items()}
        good = {labels: float(end[2]) for labels, end in ends.items()}
        told = "When the last run ended"
        yield self._gauge(_AT, told, _DESTINATION, at)
        told = "How long the last run took"
        yield self._gauge("fieldpost_last_run_duration_seconds", told, _DESTINATION, took)
        told = "1: the last run read its source to the end and nothing failed"
        yield self._gauge(_SUCCESS, told, _DESTINATION, good)

    def _counter(self, name: str, told: str, labels: tuple[str, ...], values: Any) -> Any:
        family = self._core.CounterMetricFamily(name, told, labels=labels)
        return _filled(family, values)

    def _gauge(self, name: str, told: str, labels: tuple[str, ...], values: Any) -> Any:
        family = self._core.GaugeMetricFamily(name, told, labels=labels)
        return _filled(family, values)


class _Numbers:
    """What one run, or several, came to, by labels."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str, str]] = Counter()
        self.attempts: Counter[tuple[str, str]] = Counter()
        self.requests: Counter[tuple[str]] = Counter()
        self.throttled_s: dict[tuple[str], float] = {}
        self.latencies: dict[tuple[str, str], Latencies] = {}
        self.breakers: Counter[tuple[str]] = Counter()  # of a run at work
        self.ended: dict[str, tuple[float, float, bool]] = {}

    @classmethod
    def of(cls, report: Report) -> _Numbers:
        """A copy of a report's numbers."""
        numbers, name = cls(), report.destination
        for subscription, counts in report.subscriptions.items():
            for outcome in OUTCOMES:
                numbers.outcomes[name, subscription, outcome] = counts[outcome]
            numbers.attempts[name, subscription] = report.attempts.get(subscription, 0)
            found = report.latencies.get(subscription, Latencies())
            numbers.latencies[name, subscription] = found
        numbers.requests[(name,)] = report.requests
        numbers.breakers[(name,)] = len(report.breakers)
        numbers.throttled_s[(name,)] = report.throttled_s
        return numbers

    def plus(self, other: _Numbers) -> _Numbers:
        """Both together; of each destination the later end."""
        total = _Numbers()
        for one in (self, other):
            total.outcomes.update(one.outcomes)
            total.attempts.update(one.attempts)
            total.requests.update(one.requests)
            for labels, seconds in one.throttled_s.items():
                total.throttled_s[labels] = total.throttled_s.get(labels, 0.0) + seconds
            for pair, latencies in one.latencies.items():
                both = [total.latencies.get(pair, Latencies()), latencies]
                total.latencies[pair] = Latencies.sum(both)
            total.ended |= one.ended
        return total


class _Told:
    """A collector of what a file of metrics says, but for some values of one destination."""

    def __init__(self, path: Path, values: dict[str, float], destination: str) -> None:
        self.families = [self._changed(one, values, destination) for one in _families(path)]

    def collect(self) -> Iterator[Any]:
        """The metric families, as a registry asks for them."""
        return iter(self.families)

    @staticmethod
    def _changed(family: Any, values: dict[str, float], destination: str) -> Any:
        if family.name in values:
            labels = {"destination": destination}
            family.samples = [one for one in family.samples if one.labels != labels]
            family.add_sample(family.name, labels, values[family.name])
        return family


def _families(path: Path) -> list[Any]:
    from prometheus_client.parser import text_string_to_metric_families

    try:
        return list(text_string_to_metric_families(path.read_text()))
    except (OSError, ValueError):  # not there yet, or no longer what was written
        return []


def _writable(path: Path) -> Path:
    if not path.parent.is_dir():
        why = f"there is no folder {path.parent}"
    elif not (why := _obstacle(path)):
        return path
    hint = "name a file of its own, in a folder where it may be written beside itself and moved"
    raise ConfigError(
        [Mistake("E741", f"no metrics can be written there: {why}", hint=hint)], str(path)
    )


def _obstacle(path: Path) -> str:
    try:
        if standing(path):
            with path.open("rb") as file:
                if file.read(len(_BEGINNING)) not in (b"", _BEGINNING):
                    return "another file stands there"
        try_to_replace(path)
    except OSError as error:
        return error.strerror or "it cannot be written"
    return ""


def _result(report: Report, error: BaseException | None) -> bool:
    return error is None and not (report.stopped or report.interrupted or report.failed)


def _filled(family: Any, values: Any) -> Any:
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _buckets(latencies: Latencies) -> tuple[list[tuple[str, float]], float]:
    """(bound in seconds, records up to it) of a histogram, and about how long all took."""
    buckets: list[tuple[str, float]] = []
    total_s = sum(ms / 1000 * n for ms, n in latencies.since(Latencies()))
    counts = latencies.counts
    for bucket in range(0, len(counts), _BUCKETS_TOLD):
        buckets.append((repr(bound_ms(bucket) / 1000), sum(counts[: bucket + 1])))
    return [*buckets, ("+Inf", len(latencies))], total_s
