"""What a destination counts of us in a day: operations of one application user, kept in the ledger.

A record is one operation however many travel together, and so is a question; a change set is as
many as it has parts. Days are those of UTC. Counts reach the ledger about once a second, so a
killed process takes the last second's with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from . import documents
from ._core import Dispatcher
from .config import DestinationConfig
from .governor import identity
from .ledger import Ledger
from .report import Stopped

_EVERY_S = 1.0
_DAY_S = 86_400


def user_of(config: DestinationConfig) -> str:
    """Whom an environment takes us for, as the ledger counts it; "" where nothing is counted."""
    if config.type != "dynamics365":
        return ""
    return f"{documents.shared_address(config)} {identity(config)}".strip()


def operations_today(
    config: DestinationConfig, ledger: Ledger, clock: Callable[[], float] = time.time
) -> int | None:
    """What was asked of the environment today, by all that share the ledger and the user."""
    user, today = user_of(config), time.strftime("%Y-%m-%d", time.gmtime(clock()))
    if not user:
        return None
    rows = ledger.operations() if ledger.exists() else []
    return sum(number for who, day, number in rows if (who, day) == (user, today))


class DayCount:
    """Counts for one run. user: whom the destination takes us for; cap: operations of a day.

    Other runs with the same ledger and user count along; what they do in one second is heard of in
    the next, so the cap is exact for one run and close for several.
    """

    def __init__(
        self,
        ledger: Ledger,
        user: str,
        cap: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._user = user
        self._cap = cap
        self._clock = clock
        self._told = 0  # operations that the ledger knows
        self._next_s = 0.0
        self._of_day = 0
        self._day = ""

    def steer(self, dispatcher: Dispatcher, *, now: bool = False) -> None:
        """Keep what was started, and tell how much more may be; cheap, so call it often."""
        now_s = self._clock()
        new_day = time.strftime("%Y-%m-%d", time.gmtime(now_s)) != self._day
        if now_s < self._next_s and not (now or new_day):
            return
        self._next_s = now_s + _EVERY_S
        self._day = time.strftime("%Y-%m-%d", time.gmtime(now_s))
        started = dispatcher.operations
        self._of_day = self._ledger.count_operations(self._user, self._day, started - self._told)
        self._told = started
        if self._cap is not None:
            dispatcher.allow_operations(started + max(0, self._cap - self._of_day))

    def reason(self, dispatcher: Dispatcher) -> Stopped | None:
        """Why nothing more is sent today, if so."""
        if self._cap is None or not dispatcher.used_up:
            return None
        told = f"the day's {self._cap} requests of this user are used up"
        return Stopped("E734", f"{told}; deliver again after midnight UTC")
