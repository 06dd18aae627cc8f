"""What a delivery would do: everything but sending and writing."""

from __future__ import annotations

from collections.abc import Iterable

from .ledger import FINAL, Ledger, Standing, Takes
from .prefetch import Work
from .report import Counts, Report


class DryRun:
    """Counts a source into a report. ledger: None where there is none yet.

    What would be sent counts as `waiting`.
    """

    def __init__(
        self, ledger: Ledger | None, targets: list[int], report: Report, takes: Takes
    ) -> None:
        self._ledger = ledger
        self._targets = targets
        self._report = report
        self._takes = takes
        self._counts: list[Counts] = list(report.subscriptions.values())
        self._seen: set[tuple[int, str]] = set()
        report.dry_run = True

    def count(self, works: Iterable[Work]) -> Report:
        """Read a source to its end."""
        for batch, _ in works:
            self._report.received += batch.received
            for sub, counts in enumerate(self._counts):
                counts.add("filtered", len(batch.filtered_hashes(sub)) // 8)
            ended = [(row[0], row[1], row[5]) for row in batch.ended()]
            rows = batch.keys()
            records = [(row[0], row[1], "waiting") for row in rows]
            standing = self._standing([*ended, *records])
            for sub, event_id, outcome in [*ended, *records]:
                known = standing.get((sub, event_id))
                self._counts[sub].add(self._comes_to(sub, event_id, outcome, known))
        return self._report

    def _standing(self, rows: list[tuple[int, str, str]]) -> dict[tuple[int, str], Standing]:
        found: dict[tuple[int, str], Standing] = {}
        for sub, target in enumerate(self._targets):
            ids = [event_id for s, event_id, _ in rows if s == sub]
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
