"""Metrics and spans of runs through the OpenTelemetry API (extra `otel`); none without an SDK.

    name                          kind       unit        attributes
    fieldpost.outcomes            counter    {outcome}   destination, subscription, outcome
    fieldpost.attempts            counter    {attempt}   destination, subscription
    fieldpost.requests            counter    {request}   destination
    fieldpost.throttled           counter    s           destination
    fieldpost.delivery.duration   histogram  s           destination, subscription

Attributes are named fieldpost.destination and so on. Each run is a span `fieldpost deliver` (or
`fieldpost replay`) with its id, what it received and its counts.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Any

from .latencies import Latencies
from .report import OUTCOMES, Report

# What names a provider that the API is to load by itself.
_NAMED = ("OTEL_PYTHON_METER_PROVIDER", "OTEL_PYTHON_TRACER_PROVIDER")


def open_telemetry() -> Telemetry | None:
    """An observer that reports to the process's providers; None where there can be none."""
    # Importing it takes as long as a thousand records, and who sets a provider has done so.
    if "opentelemetry" not in sys.modules and not any(name in os.environ for name in _NAMED):
        return None
    try:
        from opentelemetry import metrics, trace
    except ImportError:
        return None
    return Telemetry(metrics, trace)


class Telemetry:
    """An observer of one run."""

    def __init__(self, metrics: Any, trace: Any) -> None:
        number = version("fieldpost")
        meter = metrics.get_meter("fieldpost", number)
        self._tracer = trace.get_tracer("fieldpost", number)
        self._status = (trace.Status, trace.StatusCode)
        self._outcomes = meter.create_counter(
            "fieldpost.outcomes", "{outcome}", "Events by what became of them"
        )
        self._attempts = meter.create_counter("fieldpost.attempts", "{attempt}", "Tries of records")
        self._requests = meter.create_counter(
            "fieldpost.requests", "{request}", "Requests on the wire"
        )
        self._throttled = meter.create_counter(
            "fieldpost.throttled", "s", "Time of waits that the destination asked for"
        )
        self._duration = meter.create_histogram(
            "fieldpost.delivery.duration", "s", "First start of a record to its last answer"
        )
        # Without an SDK the API hands out proxies: a record at a time would be for nothing.
        self._counts_durations = not type(self._duration).__name__.startswith(("_Proxy", "NoOp"))
        self._told: dict[tuple[str, ...], float] = {}
        self._told_latencies: dict[str, Latencies] = {}
        self._span: Any = None

    def began(self, report: Report, verb: str) -> None:
        """Open the run's span."""
        attributes = {
            "fieldpost.run": report.run,
            "fieldpost.destination": report.destination,
            "fieldpost.verb": verb,
        }
        self._span = self._tracer.start_span(f"fieldpost {verb}", attributes=attributes)

    def advanced(self, report: Report) -> None:
        """Add what came since the last time."""
        common = {"fieldpost.destination": report.destination}
        self._add(self._requests, common, "requests", now=report.requests)
        self._add(self._throttled, common, "throttled", now=report.throttled_s)
        for name, counts in report.subscriptions.items():
            of_one = common | {"fieldpost.subscription": name}
            self._add(self._attempts, of_one, "attempts", name, now=report.attempts.get(name, 0))
            for outcome in OUTCOMES:
                attributes = of_one | {"fieldpost.outcome": outcome}
                self._add(self._outcomes, attributes, name, outcome, now=counts[outcome])
            if self._counts_durations and name in report.latencies:
                self._add_durations(of_one, name, report.latencies[name])

    def _add(self, counter: Any, attributes: dict[str, str], *key: str, now: float) -> None:
        more = now - self._told.get(key, 0)
        if more > 0:
            counter.add(more, attributes)
            self._told[key] = now

    def _add_durations(self, attributes: dict[str, str], name: str, now: Latencies) -> None:
        for latency_ms, records in now.since(self._told_latencies.get(name, Latencies())):
            for _ in range(records):
                self._duration.record(latency_ms / 1000, attributes)
        self._told_latencies[name] = now

    def ended(self, report: Report, error: BaseException | None) -> None:
        """Close the span with what the run came to."""
        self.advanced(report)
        status, code = self._status
        told = {f"fieldpost.{name}": report[name] for name in OUTCOMES}
        self._span.set_attributes({"fieldpost.received": report.received, **told})
        if error is not None:
            reason = getattr(error, "code", "") or type(error).__name__
            self._span.set_status(status(code.ERROR, reason))
        elif report.stopped is not None:
            self._span.set_attribute("fieldpost.stopped", report.stopped.code)
            self._span.set_status(status(code.ERROR, report.stopped.code))
        self._span.end()
