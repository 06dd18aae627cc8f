"""Counts, latencies and failures of a run, for people and for scripts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .errors import Mistake
from .html_table import html_table
from .latencies import Latencies

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
    "ignored",
)
# What somebody has to look at.
FAILURES = ("invalid", "rejected", "expired", "unconfirmed", "waiting")

_TRIED = ("delivered", "rejected", "expired", "unconfirmed", "waiting")


class Stopped(NamedTuple):
    """Why a run ended before its source did: a stable code, and words."""

    code: str
    message: str


class OpenBreaker(NamedTuple):
    """A target that answered only failures, so that it is probed with one record at a time.

    target: scheme, host and port. since: when the failures began; next_probe: when the next probe
    is due; both in Unix seconds. reason: the code of the last failure, with words where they are
    ours.
    """

    target: str
    since: float
    next_probe: float
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As reports and `status` tell it."""
        moments = {"since": moment(self.since), "next_probe": moment(self.next_probe)}
        return {"target": self.target, **moments, "reason": self.reason}

    def __str__(self) -> str:
        wait_s = max(0.0, self.next_probe - time.time())
        due = f"in {wait_s:.0f} s" if wait_s >= 1 else "now"
        since = time.strftime("%H:%M:%S", time.localtime(self.since))
        return f"{self.target} fails since {since} ({self.reason}); next probe {due}"


def moment(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC, to the millisecond."""
    told = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")


class Paused(NamedTuple):
    """Why nothing more is sent of a subscription while others go on, and who can change it."""

    code: str
    message: str
    action_needed: str


class Trouble(NamedTuple):
    """Why the last try that another one follows came to nothing."""

    code: str
    message: str


class Counts:
    """Events of one subscription by outcome; they add up to what was received.

    paused: why its events end as `waiting`, where every request of it would fail.
    """

    def __init__(self, by_outcome: dict[str, int] | None = None) -> None:
        self.by_outcome: Counter[str] = Counter(by_outcome or {})
        self.paused: Paused | None = None

    def add(self, outcome: str, events: int = 1) -> None:
        """Count events."""
        self.by_outcome[outcome] += events

    @property
    def received(self) -> int:
        """All events of the subscription."""
        return sum(self.by_outcome.values())

    @property
    def tried(self) -> int:
        """Events that were to be sent."""
        return sum(self.by_outcome[name] for name in _TRIED)

    def __getitem__(self, outcome: str) -> int:
        return self.by_outcome[outcome]

    def to_dict(self) -> dict[str, int]:
        """`received` and each outcome."""
        return {"received": self.received} | {name: self.by_outcome[name] for name in OUTCOMES}


class Failures:
    """Events that were not delivered: what, why, what to do.

    At most 1,000 of those that the report counts and the ledger holds; `outcomes` lists all.
    """

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
    """What a run came to: every event that it read, whether decided now or by an earlier run.

    subscriptions: counts by subscription name. stopped: why the run ended before its source did.
    duration_s: seconds of wall time. dry_run: nothing was sent or written; what would have been
    sent is counted as `waiting`. requests: on the wire, sign-in not among them. attempts: tries of
    records, by subscription. latencies: of what this run decided, first start to last answer, by
    subscription. throttled_s: how long nothing could start because the destination asked for a
    wait; held_s: how long that goes on from now. by_place: events that only their place in a
    source tells apart, so that an edited or renamed file sends them again. retries: tries that
    another one follows; trouble: why the last of them came to nothing, None when things go well
    again. groups: failures by reason, the most frequent first, each with a sample and what to do.
    breakers: targets that answer only failures now, or did when the run ended. warnings: what the
    source had to tell besides its events.
    """

    run: str
    destination: str
    received: int = 0
    subscriptions: dict[str, Counts] = field(default_factory=dict)
    duration_s: float = 0.0
    stopped: Stopped | None = None
    interrupted: bool = False
    failures: Failures = field(default_factory=lambda: Failures([]))
    dry_run: bool = False
    requests: int = 0
    attempts: dict[str, int] = field(default_factory=dict)
    latencies: dict[str, Latencies] = field(default_factory=dict)
    throttled_s: float = 0.0
    held_s: float = 0.0
    by_place: int = 0
    retries: int = 0
    trouble: Trouble | None = None
    groups: list[dict[str, Any]] = field(default_factory=list)
    breakers: list[OpenBreaker] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)

    def __getitem__(self, outcome: str) -> int:
        """Events with that outcome, over all subscriptions."""
        return sum(counts[outcome] for counts in self.subscriptions.values())

    def pause(self, paused: Iterable[tuple[int, str, str, str]]) -> None:
        """Note subscriptions by their place, and why. Where no other had anything to send, that is
        what stopped the run."""
        counts = list(self.subscriptions.values())
        for subscription, *why in paused:
            counts[subscription].paused = Paused(*why)
        given_up = [one.paused for one in counts if one.paused is not None]
        others = any(one.tried for one in counts if one.paused is None)
        if given_up and not others and self.stopped is None:
            self.stopped = Stopped(given_up[0].code, given_up[0].message)

    @property
    def failed(self) -> int:
        """Events that somebody has to look at, over all subscriptions: those of this run, and
        those that stand from earlier runs and were read again."""
        return sum(self[outcome] for outcome in FAILURES)

    @property
    def failed_share(self) -> float:
        """`failed` as a share, 0 to 1, of what was neither filtered nor dropped."""
        wanted = sum(self[name] for name in OUTCOMES if name not in ("filtered", "dropped"))
        return self.failed / wanted if wanted else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The report as `deliver --output json` prints it."""
        return {
            "run": self.run,
            "destination": self.destination,
            "received": self.received,
            **{outcome: self[outcome] for outcome in OUTCOMES},
            "subscriptions": {
                name: counts.to_dict() | _pause_of(counts)
                for name, counts in self.subscriptions.items()
            },
            "duration_s": round(self.duration_s, 3),
            "requests": self.requests,
            "attempts": sum(self.attempts.values()),
            "latency_ms": Latencies.sum(self.latencies.values()).to_dict(),
            "throttled_s": round(self.throttled_s, 3),
            "stopped": self.stopped._asdict() if self.stopped else None,
            "breakers": [one.to_dict() for one in self.breakers],
            "interrupted": self.interrupted,
            "dry_run": self.dry_run,
            "by_place": self.by_place,
            "warnings": [_warning(one) for one in self.warnings],
            "failures": self.groups,
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


def _warning(one: Mistake) -> dict[str, Any]:
    told = {"code": one.code, "message": one.message, "hint": one.hint}
    return told | {"source": one.file, "line": one.line}


def _pause_of(counts: Counts) -> dict[str, Any]:
    return {} if counts.paused is None else {"paused": counts.paused._asdict()}


@dataclass(frozen=True)
class LastRun:
    """The newest run of a destination.

    started, ended: Unix seconds; ended None: it is at work, or was killed. counts: events by
    outcome, {} where it did not end.
    """

    run: str
    verb: str
    started: float
    ended: float | None
    is_live: bool
    counts: dict[str, int]
    stopped: Stopped | None

    def to_dict(self) -> dict[str, Any]:
        """As `status --output json` prints it."""
        return {
            "run": self.run,
            "verb": self.verb,
            "started": moment(self.started),
            "ended": None if self.ended is None else moment(self.ended),
            "at_work": self.is_live,
            "counts": self.counts,
            "stopped": self.stopped._asdict() if self.stopped else None,
        }

    def __str__(self) -> str:
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.started))
        if self.ended is None:
            how = (
                "is at work" if self.is_live else "was killed; what it had begun is taken up again"
            )
        else:
            how = f"took {self.ended - self.started:.1f} s"
        told = ", ".join(f"{number:,} {name}" for name, number in self.counts.items() if number)
        why = f"; stopped: {' '.join(self.stopped)}" if self.stopped else ""
        return (
            f"{self.run} ({self.verb}) began {began}, {how}" + (f": {told}" if told else "") + why
        )


@dataclass(frozen=True)
class DestinationStanding:
    """A destination as its file and its newest run have it, beside its counts.

    addresses: where its subscriptions send, without queries and what came by reference. disabled:
    subscriptions that are not enabled. ledger: where it is, without a password.
    """

    type: str
    addresses: list[str]
    enabled: bool
    disabled: list[str]
    ledger: str
    has_ledger: bool
    last_run: LastRun | None

    def to_dict(self) -> dict[str, Any]:
        """As `status --output json` prints it, beside the counts."""
        return {
            "type": self.type,
            "addresses": self.addresses,
            "enabled": self.enabled,
            "disabled_subscriptions": self.disabled,
            "ledger": self.ledger,
            "last_run": None if self.last_run is None else self.last_run.to_dict(),
        }

    def rows(self) -> list[list[str]]:
        """The same in words: what, and how it is."""
        off = f"; off: {', '.join(self.disabled)}" if self.disabled else ""
        made = "" if self.has_ledger else " (not there yet: nothing was delivered)"
        return [
            ["state", ("enabled" if self.enabled else "disabled: `deliver` refuses") + off],
            *(["address", one] for one in self.addresses),
            ["ledger", self.ledger + made],
            ["last run", "none" if self.last_run is None else str(self.last_run)],
        ]


@dataclass
class Status:
    """Where the ledger's events stand, each once, by its current outcome.

    operations_today: what was asked of a Dynamics 365 since midnight UTC as this user, as its daily
    entitlement counts; None for other destinations. breakers: what runs at work found failing.
    standing: what the file says, and the newest run.
    """

    destination: str
    subscriptions: dict[str, Counts]
    operations_today: int | None = None
    breakers: list[OpenBreaker] = field(default_factory=list)
    standing: DestinationStanding | None = None

    @property
    def failed(self) -> int:
        """Events that somebody has to look at, over all subscriptions."""
        return sum(one[name] for one in self.subscriptions.values() for name in FAILURES)

    def to_dict(self) -> dict[str, Any]:
        """The counts as `status --output json` prints them."""
        counts = self.subscriptions.values()
        return {
            "destination": self.destination,
            "received": max((one.received for one in counts), default=0),
            **{outcome: sum(one[outcome] for one in counts) for outcome in OUTCOMES},
            "subscriptions": {name: one.to_dict() for name, one in self.subscriptions.items()},
            "operations_today": self.operations_today,
            "breakers": [one.to_dict() for one in self.breakers],
            **({} if self.standing is None else self.standing.to_dict()),
        }

    def _repr_html_(self) -> str:
        head = "" if self.standing is None else html_table(("", ""), self.standing.rows())
        return head + Report("", self.destination, 0, self.subscriptions)._repr_html_()
