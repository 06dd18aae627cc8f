"""How long a delivery will take, and which limit decides it.

The limits of an environment that says nothing else are those that Microsoft documents for one user
and one web server ("Service protection API limits"); `rate`, `execution` and `rate_share` of the
file win. A day's cap counts records, and is taken to be unused so far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .config import DestinationConfig
from .ledger import Ledger

REQUESTS, WINDOW_S = 6000, 300.0
EXECUTION_S = 1200.0
AT_ONCE = 52
ASSUMED_LATENCY_S = 0.15  # of a write where none was seen
# What packs of records begin with and aim at; they adapt from there.
PACK_RECORDS, PACK_LATENCY_S = 100, 2.0
_LATENCIES = 500  # so many of the newest tell how long a request takes
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Limit:
    """name: as people know it; allows: how much, in words; seconds: how long it makes a run."""

    name: str
    allows: str
    seconds: float


@dataclass(frozen=True)
class Forecast:
    """latency_s: of one request; measured: seen in earlier runs, else assumed."""

    records: int
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
        return (
            f"{self.requests:,} requests for {self.records:,} records, about {self.duration_s:,.1f}"
            f" s at {self.latency_s * 1000:,.0f} ms each ({seen}); the limit is "
            f"{self.binding_limit}"
        )


def seen_latency_s(ledger: Ledger, destination: str) -> float | None:
    """Seconds of one request in earlier runs; None where there were none."""
    if not ledger.exists():
        return None
    seen = ledger.latencies_ms(destination, _LATENCIES)
    return sum(seen) / len(seen) / 1000 if seen else None


def forecast(
    config: DestinationConfig,
    records: int,
    latency_s: float | None,
    dop_hint: int | None,
) -> Forecast:
    """Of so many records. latency_s: of one request, None where none was seen."""
    packed = config.delivery.batching not in (False, "off")
    requests = -(-records // PACK_RECORDS) if packed else records
    each_s = latency_s or (PACK_LATENCY_S if packed else ASSUMED_LATENCY_S)
    limits = tuple(_limits(config, records, requests, requests * each_s))
    binding = max(limits, key=lambda one: one.seconds)
    return Forecast(
        records,
        requests,
        round(binding.seconds, 3),
        binding.name,
        each_s,
        latency_s is not None,
        config.delivery.max_in_flight,
        dop_hint,
        limits,
    )


def _limits(
    config: DestinationConfig, records: int, requests: int, work_s: float
) -> Iterator[Limit]:
    """work_s: how long the destination works for all requests together."""
    allowed, window_s = config.budget if config.budget[0] else (REQUESTS, WINDOW_S)
    waits = max(0, requests - allowed) / allowed
    yield Limit("requests per window", f"{allowed:,} in {window_s:g} s", waits * window_s)
    given_s, window_s = config.execution if config.execution[0] else (EXECUTION_S, WINDOW_S)
    waits = max(0.0, work_s - given_s) / given_s
    yield Limit("execution time", f"{given_s:,g} s in {window_s:g} s", waits * window_s)
    at_once = min(config.delivery.max_in_flight, AT_ONCE)
    yield Limit("concurrency", f"{at_once} at once", work_s / at_once)
    cap = config.delivery.requests_per_day
    if cap is not None:
        days = max(0, -(-records // cap) - 1)
        yield Limit("requests per day", f"{cap:,} records", days * _DAY_S)
