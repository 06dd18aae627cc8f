"""Decides on an event that is read by what the ledger knows of it: one rule for all.

A delivery, a dry run and a replay ask it, so that the one foretells what the others do.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ._core import Batch
from .ledger import Ledger, Standing, Takes, known_as

# Sent, or perhaps sent: a document of today that ends the event changes nothing of it.
_SENT = ("delivered", "unconfirmed")


class Admitted(NamedTuple):
    """taken: to be claimed or, where it ended, noted. stands: else the outcome that it counts as;
    "" where somebody has it, and the ledger tells at the end of the run.

    in_doubt: an earlier run may have had it delivered without hearing of it. dead: the run that
    died with it on its way, which is to be marked as unconfirmed.
    """

    taken: bool = False
    stands: str = ""
    in_doubt: bool = False
    dead: int = 0


class Admission(NamedTuple):
    """The rule of one run. resend: what a dead run may or may not have sent is sent again."""

    takes: Takes
    resend: bool
    run: int
    is_live: Callable[[int], bool]

    def of(self, known: Standing | None, ended: bool) -> Admitted:
        """For an event that ended before delivery, or whose record could be sent."""
        if known is None:
            return Admitted(taken=True)
        if known.outcome is None:
            return self._claimed(known.run, ended)
        own_delivered = known.run == self.run and known.outcome == "delivered"
        taken = known.outcome in self.takes.outcomes and not own_delivered
        if not taken or (ended and known.outcome in _SENT):
            return Admitted(stands=known.outcome)
        return Admitted(True, "", known.outcome == "unconfirmed" or bool(known.in_doubt))

    def _claimed(self, run: int, ended: bool) -> Admitted:
        if run == self.run or self.is_live(run):
            return Admitted()
        if self.resend and not ended:
            return Admitted(True, "", True, run)
        return Admitted(dead=run)


class Everything:
    """All events of a source."""

    def received(self, batch: Batch) -> int:
        """How many events of a batch are looked at."""
        return batch.received

    def by_place(self, batch: Batch) -> int:
        """How many of them only their place in the source tells apart."""
        return batch.by_place

    def filtered(self, batch: Batch, subscription: int) -> int:
        """How many of them a filter refused."""
        return len(batch.filtered_hashes(subscription)) // 8

    def has(self, event_id: str) -> bool:
        """True where an event is looked at."""
        return True

    def takes_new(self) -> bool:
        """True where an event is taken that the ledger does not know."""
        return True


class Chosen(Everything):
    """The events of some rows of a ledger, wherever a source holds them; no others are looked at.

    Those that the ledger does not know, since another subscription wants them by now, are left to
    the next delivery.
    """

    def __init__(self, ledger: Ledger, claims: Iterable[int]) -> None:
        keys = [row.key for row in ledger.kept(list(claims))]
        self._ids = {key.event_id for key in keys}
        self._hashes = {key.hash for key in keys}

    def received(self, batch: Batch) -> int:
        """How many events of a batch are looked at: each is one of the first subscription's."""
        others = sum(sub == 0 and self.has(event_id) for sub, event_id in _found(batch))
        return self.filtered(batch, 0) + others

    def by_place(self, batch: Batch) -> int:
        """None is told: their rows in the ledger were."""
        return 0

    def filtered(self, batch: Batch, subscription: int) -> int:
        """How many of them a filter refused."""
        hashes = array("q", batch.filtered_hashes(subscription))
        return sum(one in self._hashes for one in hashes)

    def has(self, event_id: str) -> bool:
        """True where an event is looked at."""
        return known_as(event_id) in self._ids

    def takes_new(self) -> bool:
        """True where an event is taken that the ledger does not know."""
        return False


def _found(batch: Batch) -> Iterator[tuple[int, str]]:
    rows: Iterable[Any] = (*batch.ended(), *batch.keys())
    yield from ((row[0], row[1]) for row in rows)
