"""How fast a run may go where others share its target.

Deliveries to one target as one identity share its limits, whatever destinations they belong to:
they divide the calls in flight and the requests of a window evenly, and wait together when one of
them was told to wait. Those of one machine meet at a file, those of several at the database of
their ledger. The core keeps to the numbers it is given.
"""

from __future__ import annotations

import hashlib
import logging
import time
from typing import Protocol

from .._core import Dispatcher
from ..config import DestinationConfig
from ..errors import CODES
from .host import open_host_governor
from .look import look_at_breaker
from .opening import Opening
from .share import Load, Share

__all__ = [
    "Alone",
    "Governor",
    "Load",
    "Opening",
    "Share",
    "Shared",
    "governor_name",
    "identity",
    "look_at_breaker",
    "open_governor",
    "reason_of",
]

_log = logging.getLogger(__name__)


class Governor(Protocol):
    """Tells a dispatcher how fast it may go."""

    every_s: float  # steer so often at least

    def steer(self, dispatcher: Dispatcher) -> None:
        """Exchange numbers with the dispatcher; cheap, so call it as often as the loop turns."""

    def close(self) -> None:
        """Leave: the others divide among themselves."""


class Sharing(Protocol):
    """One way to share: with a machine's processes, or with those of several."""

    every_s: float  # how often its numbers are news

    def share(self, load: Load) -> Share:
        """Tell what this process does, and hear what it may do."""

    def close(self) -> None:
        """Leave."""


def open_governor(config: DestinationConfig, target: str, database: str = "") -> Governor:
    """The governor of a run.

    target: the address whose limits are shared, without its path. database: a PostgreSQL address
    where machines meet; "" where they do not.
    """
    delivery = config.delivery
    requests, window_s = config.budget
    name = governor_name(config, target)
    limits = (name, delivery.max_in_flight, requests, window_s)
    ways: list[Sharing] = []
    try:
        ways.append(open_host_governor(*limits))
    except OSError as error:
        _log.warning("limits are not shared with other processes (%s)", error.strerror)
    if database:
        from .postgres import open_postgres_governor

        ways += open_postgres_governor(database, *limits)
    return Shared(ways) if ways else Alone()


def governor_name(config: DestinationConfig, target: str) -> str:
    """The name by which runs share a target's limits, on a machine and in a database."""
    return hashlib.sha256(f"{target}\n{identity(config)}".encode()).hexdigest()[:32]


def identity(config: DestinationConfig) -> str:
    """Who the destination takes us for, as far as that can be told without a secret."""
    auth = config.auth
    return f"{auth.type} {getattr(auth, 'client_id', '') or getattr(auth, 'username', '')}"


def opening_of(dispatcher: Dispatcher) -> Opening | None:
    """The open breaker of a dispatcher with one target."""
    openings = dispatcher.openings
    if not (openings and dispatcher.has_one_target):
        return None
    now = time.monotonic()
    _target, since_s, next_probe_s, code, message = openings[0]
    return Opening(now - since_s, now + next_probe_s, reason_of(code, message))


def well_of(dispatcher: Dispatcher) -> float | None:
    """When an answer last showed that a dispatcher's only target is at work."""
    ago_s = dispatcher.well_ago_s
    return None if ago_s < 0 else time.monotonic() - ago_s


def reason_of(code: str, message: str) -> str:
    """Why a breaker is open, without a service's words: they may show what is in an event."""
    return f"{code} {message}" if code in CODES else code


def _steer_breaker(dispatcher: Dispatcher, shares: list[Share]) -> None:
    if any(one.release for one in shares):
        dispatcher.release()
        return
    now = time.monotonic()
    for one in shares:
        if one.follow is not None:
            dispatcher.follow(now - one.follow.since, max(0.0, one.follow.next_probe - now))


class Alone:
    """Shares with nobody: the dispatcher keeps to its own limits."""

    every_s = 1.0

    def steer(self, dispatcher: Dispatcher) -> None:
        """Nothing to exchange."""

    def close(self) -> None:
        """Nothing to leave."""


class Shared:
    """Keeps to the least of what each way of sharing leaves. One thread at a time."""

    def __init__(self, ways: list[Sharing]) -> None:
        self._ways = ways
        self.every_s = min(one.every_s for one in ways)

    def steer(self, dispatcher: Dispatcher) -> None:
        """Exchange numbers with the dispatcher."""
        load = Load(
            dispatcher.in_flight,
            dispatcher.started,
            dispatcher.held_s,
            opening_of(dispatcher),
            well_of(dispatcher),
        )
        shares = [one.share(load) for one in self._ways]
        _steer_breaker(dispatcher, shares)
        hold_s = max(one.hold_s for one in shares)
        if hold_s > load.held_s:
            dispatcher.hold(hold_s)
        starts = [one.starts for one in shares if one.starts is not None]
        dispatcher.allow(
            min(one.calls for one in shares),
            min(one.requests for one in shares),
            min(starts, default=-1),
        )

    def close(self) -> None:
        """Leave."""
        for one in self._ways:
            one.close()
