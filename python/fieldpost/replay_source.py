"""Taking up again what stands by the data that a source has of it today.

Somebody has corrected the source: an event that was rejected, invalid or expired is looked for
there by its id, and goes through filter, functions and mapping as a new one would. No other event
is sent.
"""

from __future__ import annotations

from collections.abc import Iterable

from .admission import Chosen
from .config import DestinationConfig
from .delivery import Delivery, resends
from .dry_run import DryRun
from .ledger import OPEN, Ledger, Takes, checked
from .prefetch import Work
from .report import Report

_STANDS = ("rejected", "invalid", "expired")


class SourceReplay:
    """Takes events up again from a source."""

    def __init__(self, config: DestinationConfig, ledger: Ledger) -> None:
        self._config = config
        self._ledger = ledger

    def run(
        self, delivery: Delivery, works: Iterable[Work], where: str | None, dry_run: bool = False
    ) -> Report:
        """Replay what stands and fits a condition (None: all), of what the source still holds.

        `received` counts the chosen events that were found there.
        """
        known = self._ledger.exists()
        claims = self._choose(where) if known else []
        targets = [one.number for one in delivery.targets()] if known or not dry_run else []
        here = [row.claim for row in self._ledger.kept(claims) if row.key.target in targets]
        chosen = Chosen(self._ledger, here)
        found = works if here else ()
        takes = Takes((*OPEN, *_STANDS), anew=True)
        if not dry_run:
            return delivery.run(lambda _targets: found, verb="replay", takes=takes, events=chosen)
        run = DryRun(
            self._config,
            self._ledger if known else None,
            targets,
            delivery.report(""),
            takes,
            resend=resends(self._config),
            events=chosen,
        )
        run.count(found)
        return run.report

    def _choose(self, where: str | None) -> list[int]:
        stands = "outcome IN ({})".format(", ".join(f"'{one}'" for one in _STANDS))
        if where is None:
            return self._ledger.choose(self._config.id, stands)
        return self._ledger.choose(self._config.id, f"{stands} AND (\n{checked(where)}\n)")
