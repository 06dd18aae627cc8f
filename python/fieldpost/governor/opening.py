"""How runs that share a target share what its breaker found: one probe instead of one each.

A run whose breaker opened tells since when, and when it probes next; the others hold back and probe
later. The first good answer releases all, to a probe or to the first request of a new run. Times
are of one clock that all of them read.
"""

from __future__ import annotations

from typing import NamedTuple

_STALE_S = 300.0  # a probe that is overdue for so long is nobody's
_APART_S = 0.3  # between probes of runs that would start them together


class Opening(NamedTuple):
    """An open breaker. since: when the failures began; next_probe: when the next probe is due;
    reason: code and words of the last failure."""

    since: float
    next_probe: float
    reason: str = ""

    def moved(self, by_s: float) -> Opening:
        """The same by a clock that is ahead by so much."""
        return self._replace(since=self.since + by_s, next_probe=self.next_probe + by_s)


class Kept(NamedTuple):
    """The opening that runs share, if one of them has it; released: when the last one shut."""

    opening: Opening | None = None
    released: float = 0.0


class Told(NamedTuple):
    """News for a run from the others: an opening to follow, or that its own is over."""

    follow: Opening | None = None
    release: bool = False


class OpeningShare:
    """One run's part in it: it remembers that the run's breaker was open, and nothing shared."""

    def __init__(self) -> None:
        self._opened: float | None = None  # when this run's breaker was seen open
        self._heard: float | None = None  # since when it hears of another run's

    @property
    def is_shut(self) -> bool:
        """True where this run has nothing to tell: when it met others, no breaker was open."""
        return self._opened is None and self._heard is None

    def meet(
        self,
        kept: Kept,
        own: Opening | None,
        now: float,
        rank: int,
        well: float | None = None,
    ) -> tuple[Kept, Told]:
        """Exchange views. rank: how many runs come before this one; well: when this run saw the
        target at work. Returns what is to be kept from now on, and what the run hears."""
        if own is not None:
            return self._open(kept, own, now, rank)
        theirs = current(kept, now)
        heard, self._heard = self._heard, None if theirs is None else self._heard or now
        is_news = heard is not None and well is not None and well > heard
        if self._opened is not None or (theirs is not None and is_news):
            self._opened = self._heard = None
            return Kept(None, now), Told()
        return kept, Told(follow=theirs and _behind(theirs, rank))

    def _open(self, kept: Kept, own: Opening, now: float, rank: int) -> tuple[Kept, Told]:
        if self._opened is None:
            self._opened = now
        elif kept.released > self._opened:
            self._opened = None
            return kept, Told(release=True)
        theirs = current(kept, now)
        if theirs is None or theirs.next_probe <= now or own.next_probe < theirs.next_probe:
            since = own.since if theirs is None else min(own.since, theirs.since)
            return Kept(own._replace(since=since), kept.released), Told()
        return kept, Told(follow=_behind(theirs, rank))


def current(kept: Kept, now: float) -> Opening | None:
    """The shared opening, unless the run that had it is long gone."""
    opening = kept.opening
    return None if opening is None or opening.next_probe < now - _STALE_S else opening


def _behind(opening: Opening, rank: int) -> Opening:
    return opening._replace(next_probe=opening.next_probe + _APART_S * (1 + rank))
