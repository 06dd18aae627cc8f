"""How long records took, counted in buckets: quantiles without a list of every one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

# As Traffic in cpp/include/fieldpost/dispatcher.h has them.
_LEAST_MS = 0.1
_PER_DOUBLING = 8


def bound_ms(bucket: int) -> float:
    """The longest latency that a bucket counts."""
    return _LEAST_MS * math.exp2(bucket / _PER_DOUBLING)


class Latencies:
    """Counts by bucket; each bucket reaches 9 % further than the one before it."""

    def __init__(self, counts: Sequence[int] = ()) -> None:
        self.counts = list(counts)

    @classmethod
    def sum(cls, several: Iterable[Latencies]) -> Latencies:
        """All of them together."""
        total: list[int] = []
        for one in several:
            longer, shorter = sorted((total, one.counts), key=len, reverse=True)
            total = [n + (shorter[i] if i < len(shorter) else 0) for i, n in enumerate(longer)]
        return cls(total)

    def __len__(self) -> int:
        """How many records."""
        return sum(self.counts)

    def since(self, earlier: Latencies) -> Iterator[tuple[float, int]]:
        """(milliseconds, how many more than earlier) of each bucket with more."""
        for bucket, count in enumerate(self.counts):
            before = earlier.counts[bucket] if bucket < len(earlier.counts) else 0
            if count > before:
                yield middle_ms(bucket), count - before

    def quantile_ms(self, share: float) -> float | None:
        """The latency that so many (0 to 1) are not above, to about 5 %; None without any."""
        wanted = max(1, math.ceil(share * len(self)))
        reached = 0
        for bucket, count in enumerate(self.counts):
            reached += count
            if reached >= wanted:
                return middle_ms(bucket)
        return None

    def to_dict(self) -> dict[str, float | None]:
        """`p50`, `p95` and `p99` in milliseconds, to three digits."""
        shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
        return {name: _short(self.quantile_ms(share)) for name, share in shares.items()}


def middle_ms(bucket: int) -> float:
    """The latency that stands for a bucket: at most 5 % from any that it counts."""
    return bound_ms(bucket) / math.exp2(0.5 / _PER_DOUBLING)


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")
