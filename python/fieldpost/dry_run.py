"""What a delivery would do: everything but sending and writing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ._core import Batch, Dispatcher
from .config import DestinationConfig
from .documents import dispatcher_document
from .ledger import FINAL, Ledger, Standing, Takes
from .prefetch import Work
from .report import Counts, Report


class DryRun:
    """Counts a source into a report. ledger: None where there is none yet.

    What would be sent counts as `waiting`; of what no request can be made is `invalid`, as it is in
    a delivery. operations: that the destination counts for what would be sent; more_operations: for
    second requests, if each record took its own.
    """

    def __init__(
        self,
        config: DestinationConfig,
        ledger: Ledger | None,
        targets: list[int],
        report: Report,
        takes: Takes,
    ) -> None:
        self.operations = self.more_operations = 0
        self._dispatcher = Dispatcher(json.dumps(dispatcher_document(config)))
        self._ledger = ledger
        self._targets = targets
        self.report = report
        self._takes = takes
        self._counts: list[Counts] = list(report.subscriptions.values())
        self._seen: set[tuple[int, str]] = set()
        report.dry_run = True

    def count(self, works: Iterable[Work]) -> None:
        """Read a source to its end."""
        for batch, _ in works:
            self.report.received += batch.received
            for sub, counts in enumerate(self._counts):
                counts.add("filtered", len(batch.filtered_hashes(sub)) // 8)
            found = list(self._found(batch))
            standing = self._standing([(sub, event_id) for sub, event_id, *_ in found])
            for sub, event_id, outcome, (operations, more) in found:
                told = self._comes_to(sub, event_id, outcome, standing.get((sub, event_id)))
                self._counts[sub].add(told)
                if told == "waiting":
                    self.operations += operations
                    self.more_operations += more

    def _found(self, batch: Batch) -> Iterator[tuple[int, str, str, tuple[int, int]]]:
        """(subscription, event id, outcome, operations) of what no filter left out."""
        for sub, event_id, _hash, _line, _offset, outcome, *_ in batch.ended():
            yield sub, event_id, outcome, (0, 0)
        weights = self._dispatcher.weigh(batch)
        for (sub, event_id, *_), operations in zip(batch.keys(), weights, strict=True):
            yield sub, event_id, "waiting" if operations[0] else "invalid", operations

    def _standing(self, rows: list[tuple[int, str]]) -> dict[tuple[int, str], Standing]:
        found: dict[tuple[int, str], Standing] = {}
        for sub, target in enumerate(self._targets):
            ids = [event_id for s, event_id in rows if s == sub]
            if ids and self._ledger is not None:
                known = self._ledger.look_up(target, ids)
                found.update({(sub, event_id): one for event_id, one in known.items()})
        return found

    def _comes_to(self, sub: int, event_id: str, outcome: str, known: Standing | None) -> str:
        told = known.outcome if known else None
        again = outcome == "waiting" and "delivered" in self._takes.outcomes
        if told == "delivered" and not again:
            return "already_delivered"
        if told in FINAL and told not in self._takes.outcomes:
            return str(told)
        if outcome == "waiting" and (sub, event_id) in self._seen:
            return "already_delivered"
        self._seen.add((sub, event_id))
        return outcome
