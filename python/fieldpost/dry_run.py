"""What a delivery would do: everything but sending and writing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from ._core import Batch, Dispatcher
from .admission import Admission, Everything
from .config import DestinationConfig
from .documents import dispatcher_document
from .former_ids import recognise
from .ledger import Ledger, Standing, Takes
from .prefetch import Work
from .report import Counts, Report

_THIS_RUN = -1  # no run of any ledger
_Found = tuple[int, str, str, tuple[int, int]]


class DryRun:
    """Counts a source into a report. ledger: None where there is none yet.

    What would be sent counts as `waiting`; of what no request can be made is `invalid`, as it is in
    a delivery. resend: what a dead run may have sent would be sent again. events: the only ones
    that are looked at. operations: that the destination counts for what would be sent;
    more_operations: for second requests, if each record took its own.
    """

    def __init__(
        self,
        config: DestinationConfig,
        ledger: Ledger | None,
        targets: list[int],
        report: Report,
        takes: Takes,
        *,
        resend: bool,
        events: Everything | None = None,
    ) -> None:
        self.operations = self.more_operations = 0
        self._dispatcher = Dispatcher(json.dumps(dispatcher_document(config)))
        self._ledger = ledger
        self._targets = targets
        self.report = report
        self._events = events or Everything()
        self._admission = Admission(takes, resend, _THIS_RUN, _remembered(ledger))
        self._counts: list[Counts] = list(report.subscriptions.values())
        self._done: dict[tuple[int, str], Standing] = {}  # what this run would have done so far
        report.dry_run = True

    def count(self, works: Iterable[Work]) -> None:
        """Read a source to its end."""
        for batch, _ in works:
            if self._ledger is not None:
                recognise(batch, self._ledger, enumerate(self._targets))
            self.report.received += self._events.received(batch)
            self.report.by_place += self._events.by_place(batch)
            for sub, counts in enumerate(self._counts):
                counts.add("filtered", self._events.filtered(batch, sub))
            found = [row for row in self._found(batch) if self._events.has(row[1])]
            standing = self._standing([(sub, event_id) for sub, event_id, *_ in found])
            for sub, event_id, outcome, weight in found:
                key = (sub, event_id)
                self._add(key, outcome, self._done.get(key) or standing.get(key), weight)

    def _found(self, batch: Batch) -> Iterator[_Found]:
        """(subscription, event id, outcome, operations) of what no filter left out."""
        for sub, event_id, _hash, _line, _offset, outcome, *_ in batch.ended():
            yield sub, event_id, outcome, (0, 0)
        weights = self._dispatcher.weigh(batch)
        for (sub, event_id, *_), operations in zip(batch.keys(), weights, strict=True):
            yield sub, event_id, "" if operations[0] else "unsendable", operations

    def _standing(self, rows: list[tuple[int, str]]) -> dict[tuple[int, str], Standing]:
        found: dict[tuple[int, str], Standing] = {}
        for sub, target in enumerate(self._targets):
            ids = [event_id for s, event_id in rows if s == sub]
            if ids and self._ledger is not None:
                known = self._ledger.look_up(target, ids)
                found.update({(sub, event_id): one for event_id, one in known.items()})
        return found

    def _add(
        self, key: tuple[int, str], outcome: str, known: Standing | None, weight: tuple[int, int]
    ) -> None:
        """Count an event as a delivery would; outcome: "" where its record would be sent."""
        if known is None and not self._events.takes_new():
            self._counts[key[0]].add("waiting")
            return
        ended = outcome not in ("", "unsendable")
        found = self._admission.of(known, ended)
        if not found.taken:
            stands = found.stands or ("unconfirmed" if found.dead else "waiting")
            self._counts[key[0]].add("already_delivered" if stands == "delivered" else stands)
            return
        if outcome:
            told = outcome if ended else "invalid"
        else:
            told = "waiting"
            self.operations += weight[0]
            self.more_operations += weight[1]
        self._done[key] = Standing(0, told if outcome else "delivered", _THIS_RUN)
        self._counts[key[0]].add(told)


def _remembered(ledger: Ledger | None) -> Callable[[int], bool]:
    """Tells if a run is alive, asked once of each: nothing of this one lasts as long as a run."""
    known: dict[int, bool] = {}

    def is_live(run: int) -> bool:
        if ledger is None:
            return False
        if run not in known:
            known[run] = ledger.is_live(run)
        return known[run]

    return is_live
