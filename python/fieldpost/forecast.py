"""How long a delivery will take, and which limit decides it.

The limits of an environment that says nothing else are those that Microsoft documents for one user
and one web server ("Service protection API limits"); `delivery.rate` in the file wins.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from .config import DestinationConfig
from .ledger import Ledger

REQUESTS, WINDOW_S = 6000, 300.0
EXECUTION_S = 1200.0
AT_ONCE = 52
ASSUMED_LATENCY_S = 0.15  # of a write where none was seen
# What packs of records begin with and aim at; they adapt from there.
PACK_RECORDS, PACK_LATENCY_S = 100, 2.0
_LATENCIES = 500  # so many tell how long a request takes


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
    told = ledger.outcomes(destination, "outcome = 'delivered' AND latency_ms > 0")
    seen = [row["latency_ms"] for row in islice(told, _LATENCIES)]
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
    rate, share = config.delivery.rate, config.delivery.rate_share
    allowed, window_s = (rate.requests, rate.window_s) if rate else (REQUESTS, WINDOW_S)
    allowed = max(1, int(allowed * share))
    at_once = min(config.delivery.max_in_flight, AT_ONCE)
    limits = (
        Limit(
            "requests per window",
            f"{allowed:,} in {window_s:g} s",
            max(0, requests - allowed) * window_s / allowed,
        ),
        Limit(
            "execution time",
            f"{EXECUTION_S:,.0f} s in {WINDOW_S:g} s",
            max(0.0, requests * each_s - EXECUTION_S) * WINDOW_S / EXECUTION_S,
        ),
        Limit("concurrency", f"{at_once} at once", requests * each_s / at_once),
    )
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
