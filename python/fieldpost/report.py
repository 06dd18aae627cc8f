"""Counts, latencies and failures of a run, for people and for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .html_table import html_table

OUTCOMES = (
    "filtered",
    "dropped",
    "invalid",
    "delivered",
    "already_delivered",
    "rejected",
    "expired",
    "unconfirmed",
    "waiting",
)
# What somebody has to look at.
FAILURES = ("invalid", "rejected", "expired", "unconfirmed", "waiting")


class Counts:
    """Events of one subscription by outcome; they add up to what was received."""

    def __init__(self, by_outcome: dict[str, int] | None = None) -> None:
        self.by_outcome: Counter[str] = Counter(by_outcome or {})

    def add(self, outcome: str, events: int = 1) -> None:
        """Count events."""
        self.by_outcome[outcome] += events

    @property
    def received(self) -> int:
        """All events of the subscription."""
        return sum(self.by_outcome.values())

    def __getitem__(self, outcome: str) -> int:
        return self.by_outcome[outcome]

    def to_dict(self) -> dict[str, int]:
        """`received` and each outcome."""
        return {"received": self.received} | {name: self.by_outcome[name] for name in OUTCOMES}


class Failures:
    """Events that were not delivered: what, why, what to do."""

    COLUMNS = (
        "subscription",
        "event_id",
        "source",
        "line",
        "outcome",
        "http_status",
        "code",
        "message",
        "action_needed",
    )

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame (pandas must be installed)."""
        import pandas  # type: ignore[import-not-found,import-untyped,unused-ignore]

        return pandas.DataFrame(self.rows, columns=list(self.rows[0]) if self.rows else None)

    def __repr__(self) -> str:
        return f"<Failures: {len(self.rows)} events>"

    def _repr_html_(self) -> str:
        return html_table(self.COLUMNS, [[row[c] for c in self.COLUMNS] for row in self.rows])


@dataclass
class Report:
    """What a run came to.

    subscriptions: counts by subscription name. stopped: code and reason where the run ended before
    its source did. duration_s: seconds of wall time.
    """

    run: str
    destination: str
    received: int = 0
    subscriptions: dict[str, Counts] = field(default_factory=dict)
    duration_s: float = 0.0
    stopped: tuple[str, str] | None = None
    interrupted: bool = False
    failures: Failures = field(default_factory=lambda: Failures([]))

    def __getitem__(self, outcome: str) -> int:
        """Events with that outcome, over all subscriptions."""
        return sum(counts[outcome] for counts in self.subscriptions.values())

    @property
    def failed(self) -> int:
        """Events that somebody has to look at, over all subscriptions."""
        return sum(self[outcome] for outcome in FAILURES)

    def to_dict(self) -> dict[str, Any]:
        """The report as `deliver --output json` prints it."""
        return {
            "run": self.run,
            "destination": self.destination,
            "received": self.received,
            **{outcome: self[outcome] for outcome in OUTCOMES},
            "subscriptions": {
                name: counts.to_dict() for name, counts in self.subscriptions.items()
            },
            "duration_s": round(self.duration_s, 3),
            "stopped": (
                {"code": self.stopped[0], "message": self.stopped[1]} if self.stopped else None
            ),
            "interrupted": self.interrupted,
        }

    def __repr__(self) -> str:
        told = ", ".join(f"{self[name]} {name}" for name in OUTCOMES if self[name])
        return f"<Report {self.run}: {self.received} received; {told or 'nothing'}>"

    def _repr_html_(self) -> str:
        rows = [
            [name, counts.received, *(counts[outcome] for outcome in OUTCOMES)]
            for name, counts in self.subscriptions.items()
        ]
        return html_table(("subscription", "received", *OUTCOMES), rows)


@dataclass
class Status:
    """Where the ledger's events stand, each once, by its current outcome."""

    destination: str
    subscriptions: dict[str, Counts]

    def to_dict(self) -> dict[str, Any]:
        """The counts as `status --output json` prints them."""
        counts = self.subscriptions.values()
        return {
            "destination": self.destination,
            "received": max((one.received for one in counts), default=0),
            **{outcome: sum(one[outcome] for one in counts) for outcome in OUTCOMES},
            "subscriptions": {name: one.to_dict() for name, one in self.subscriptions.items()},
        }

    def _repr_html_(self) -> str:
        return Report("", self.destination, 0, self.subscriptions)._repr_html_()
