"""When a run ends before its source does: its time is over, too much fails, all expires, or the
destination asks for a wait that is too long for a run.

It only counts; the run stops. Times are of a monotonic clock, which no change of the date moves.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ._core import Dispatcher
from .report import Stopped

# Records that say something about a share; fewer are chance.
_ENOUGH = 20
# So many expired and nothing else between: the destination does not recover.
_ALL_EXPIRE = 10
_FAILED = ("invalid", "rejected", "expired", "unconfirmed")


class Brake:
    """Watches what a run decides. for_s: its time limit; stop_when: share of failures, 0 to 1."""

    def __init__(
        self,
        for_s: float | None = None,
        stop_when: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._for_s = for_s
        self._stop_when = stop_when
        self._clock = clock
        self._began_s = clock()
        self._decided = 0
        self._failed = 0
        self._expired_in_a_row = 0

    def note(self, outcome: str, events: int = 1) -> None:
        """Count what this run decided; what stands from earlier runs does not count."""
        if outcome == "waiting":
            return
        self._decided += events
        self._failed += events if outcome in _FAILED else 0
        self._expired_in_a_row = self._expired_in_a_row + events if outcome == "expired" else 0

    def reason(self, held_s: float = 0.0) -> Stopped | None:
        """Why the run ends here, if it does. held_s: how long nothing may start from now on."""
        if self._for_s is not None and self._clock() - self._began_s >= self._for_s:
            told = f"the run's time of {self._for_s:g} s is over; the next run goes on"
            return Stopped("E731", told)
        if self._too_many():
            told = f"{self._failed} of {self._decided} failed, more than stop_when allows"
            return Stopped("E732", f"{told}; look at the failures, then deliver again")
        if self._expired_in_a_row >= _ALL_EXPIRE:
            told = f"the last {self._expired_in_a_row} all expired: the destination does not answer"
            return Stopped("E733", f"{told} as it should; deliver again when it is well")
        if held_s > Dispatcher.LONGEST_WAIT_S:
            told = (
                f"the destination asks for a wait of {held_s / 3600:.1f} h, longer than a run waits"
            )
            return Stopped("E736", f"{told}; deliver again when it is over")
        return None

    def _too_many(self) -> bool:
        if self._stop_when is None or self._decided < _ENOUGH:
            return False
        return self._failed > self._stop_when * self._decided
