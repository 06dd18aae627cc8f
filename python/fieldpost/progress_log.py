"""A run's progress for the logger "fieldpost.progress": where nobody watches a bar."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from .report import Report
from .standstill import why_nothing_moves
from .visible_text import one_line

_log = logging.getLogger("fieldpost.progress")
_EVERY_S = 10.0


class ProgressLog:
    """An observer. A line every ten seconds; the first trouble of a run at once, where nothing was
    delivered before, and no wait asked for, of which RunLog tells. INFO: the run goes on; WARNING:
    with what keeps it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun_s = self._next_s = 0.0
        self._is_known = False  # how it goes: something was delivered, or trouble told

    def began(self, report: Report, verb: str) -> None:
        """The ten seconds begin."""
        self._begun_s = self._clock()
        self._next_s = self._begun_s + _EVERY_S
        self._is_known = False

    def advanced(self, report: Report) -> None:
        """Tell, where it is time."""
        now_s = self._clock()
        self._is_known = self._is_known or report["delivered"] > 0 or report.held_s > 0
        first = not self._is_known and report.trouble is not None
        self._is_known = self._is_known or first
        if first or now_s >= self._next_s:
            self._next_s = now_s + _EVERY_S
            self._tell(report, now_s - self._begun_s)

    def ended(self, report: Report, error: BaseException | None) -> None:
        """The report tells."""

    def _tell(self, report: Report, at_s: float) -> None:
        why = why_nothing_moves(report)
        _log.log(
            logging.WARNING if why else logging.INFO,
            "run %s of %s after %.0f s: %s%s",
            report.run,
            one_line(report.destination),
            at_s,
            so_far(report),
            f"; {why}" if why else "",
        )


def so_far(report: Report) -> str:
    """The counts of a run at work: read, delivered, failed, tried again, waited."""
    told = f"{report.received:,} read, {report['delivered']:,} delivered"
    if report["already_delivered"]:
        told += f", {report['already_delivered']:,} already"
    if report.failed:
        told += f", {report.failed:,} failed"
    if report.retries:
        told += f", {report.retries:,} {'retry' if report.retries == 1 else 'retries'}"
    if report.throttled_s >= 1:
        told += f", waited {report.throttled_s:,.0f} s"
    return told
