"""A destination looked at again and again, while runs are at work here or on other machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from . import documents
from .config import DestinationConfig
from .governor import governor_name, look_at_breaker
from .report import OUTCOMES, OpenBreaker, Status, moment

_DECIDED = tuple(outcome for outcome in OUTCOMES if outcome != "waiting")


@dataclass(frozen=True)
class Glance:
    """Where a destination stands at one moment.

    at: Unix seconds. per_second: events that got an outcome since the glance before, None at first.
    failures: as `fieldpost failures` groups them.
    """

    at: float
    status: Status
    failures: list[dict[str, Any]] = field(default_factory=list)
    per_second: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As `monitor --output json` prints it."""
        return {
            "at": moment(self.at),
            **self.status.to_dict(),
            "per_second": None if self.per_second is None else round(self.per_second, 1),
            "failures": self.failures,
        }


def glances(
    status: Callable[[], Status],
    failures: Callable[[], list[dict[str, Any]]],
    every_s: float,
    for_s: float | None,
    clock: Callable[[], float] = time.time,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Glance]:
    """A glance now and every `every_s` seconds, the last one after `for_s`; None: without end."""
    began = clock()
    before: Glance | None = None
    while True:
        now = Glance(clock(), status(), failures())
        yield replace(now, per_second=_per_second(before, now))
        left = every_s if for_s is None else began + for_s - clock()
        if left <= 0:
            return
        before = now
        wait(min(every_s, left))


def _per_second(before: Glance | None, now: Glance) -> float | None:
    if before is None or now.at <= before.at:
        return None
    return max(0, _decided(now.status) - _decided(before.status)) / (now.at - before.at)


def _decided(status: Status) -> int:
    return sum(counts[outcome] for counts in status.subscriptions.values() for outcome in _DECIDED)


def breakers_at_work(config: DestinationConfig, database: str) -> list[OpenBreaker]:
    """Targets that runs at work, here or where they meet in a database, found failing."""
    target = documents.shared_address(config)
    found = look_at_breaker(governor_name(config, target), database)
    return [OpenBreaker(target, *found)] if found is not None else []
