"""How long a delivery will take, and which limit decides it.

The limits of an environment that says nothing else are those that Microsoft documents for one user
and one web server ("Service protection API limits"); `rate`, `execution` and `rate_share` of the
file win. A day's cap counts operations: each record, and each part of a change set.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ._core import Dispatcher
from .config import DestinationConfig
from .ledger import Ledger

REQUESTS, WINDOW_S = 6000, 300.0
EXECUTION_S = 1200.0
AT_ONCE = 52
ASSUMED_LATENCY_S = 0.15  # of a write where none was seen
PACK_RECORDS = 100  # that packs begin with; they adapt from there
_LATENCIES = 500  # so many of the newest tell how long a request takes
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Load:
    """What there is to send. records: events that become requests; refused: those that become none,
    by the mapping or the protocol; operations: that the destination counts for the records; again:
    the part of the records that takes a second request; more_operations: if all of them did.
    """

    records: int
    refused: int = 0
    operations: int = 0
    again: float = 0.0
    more_operations: int = 0


@dataclass(frozen=True)
class Limit:
    """name: as people know it; allows: how much, in words; seconds: how long it makes a run."""

    name: str
    allows: str
    seconds: float


@dataclass(frozen=True)
class Forecast:
    """refused: events that become no request; operations: that the destination counts in a day;
    latency_s: of one request; measured: seen in earlier runs, else assumed.
    """

    records: int
    refused: int
    operations: int
    requests: int
    duration_s: float
    binding_limit: str
    latency_s: float
    measured: bool
    max_in_flight: int
    dop_hint: int | None
    limits: tuple[Limit, ...]

    def to_dict(self) -> dict[str, Any]:
        """As `preview --diff --output json` prints it."""
        return asdict(self) | {"limits": [asdict(one) for one in self.limits]}

    def __str__(self) -> str:
        seen = "seen in earlier runs" if self.measured else "assumed"
        refused = f"; refused before sending: {self.refused:,}" if self.refused else ""
        if not self.requests:
            return f"nothing to send{refused}"
        what = f"{_counted(self.requests, 'request')} for {_counted(self.records, 'record')}"
        return (
            f"{what}, about {self.duration_s:,.1f} s at {self.latency_s * 1000:,.0f} ms each"
            f" ({seen}); the limit is {self.binding_limit}{refused}"
        )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def seen_latency_s(ledger: Ledger, destination: str) -> float | None:
    """Seconds of one request in earlier runs; None where there were none."""
    if not ledger.exists():
        return None
    seen = ledger.latencies_ms(destination, _LATENCIES)
    return sum(seen) / len(seen) / 1000 if seen else None


def forecast(
    config: DestinationConfig,
    load: Load,
    latency_s: float | None,
    dop_hint: int | None,
    used_today: int = 0,
) -> Forecast:
    """Of a load. latency_s: of one request, None where none was seen; used_today: operations."""
    packed = config.delivery.batching not in (False, "off")
    requests = load.records + math.ceil(load.records * load.again)
    operations = load.operations + math.ceil(load.more_operations * load.again)
    requests = -(-requests // PACK_RECORDS) if packed else requests
    each_s = latency_s or (Dispatcher.PACK_AIM_S if packed else ASSUMED_LATENCY_S)
    limits = (
        *_service_limits(config, requests, requests * each_s),
        *_day_limit(config, operations, used_today),
    )
    binding = max(limits, key=lambda one: one.seconds)
    return Forecast(
        load.records,
        load.refused,
        operations,
        requests,
        round(binding.seconds, 3),
        binding.name,
        each_s,
        latency_s is not None,
        config.delivery.max_in_flight,
        dop_hint,
        limits,
    )


def _service_limits(config: DestinationConfig, requests: int, work_s: float) -> Iterator[Limit]:
    """work_s: how long the destination works for all requests together."""
    allowed, window_s = config.budget if config.budget[0] else (REQUESTS, WINDOW_S)
    waits = max(0, requests - allowed) / allowed
    yield Limit("requests per window", f"{allowed:,} in {window_s:g} s", waits * window_s)
    given_s, window_s = config.execution if config.execution[0] else (EXECUTION_S, WINDOW_S)
    waits = max(0.0, work_s - given_s) / given_s
    yield Limit("execution time", f"{given_s:,g} s in {window_s:g} s", waits * window_s)
    at_once = min(config.delivery.max_in_flight, AT_ONCE)
    longest_s = max(work_s / at_once, work_s / max(1, requests))  # never less than one request
    yield Limit("concurrency", f"{at_once} at once", longest_s)


def _day_limit(config: DestinationConfig, operations: int, used_today: int) -> Iterator[Limit]:
    cap = config.delivery.requests_per_day
    if cap is not None:
        left = max(0, cap - used_today)
        days = max(0, -(-(operations - left) // cap))
        told = f"{cap:,}, {left:,} of them left today"
        yield Limit("requests per day", told, days * _DAY_S)
