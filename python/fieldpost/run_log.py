"""What a run says to the logger "fieldpost": its begin, its waits, its end. No event, no secret."""

from __future__ import annotations

import logging

from .report import OUTCOMES, Report
from .visible_text import one_line

_log = logging.getLogger("fieldpost")

# Marks records of what a report, or the error that is raised, tells too.
IN_REPORT = {"in_report": True}


class RunLog:
    """An observer. INFO: a run begins and ends; WARNING: it waits, stops early, or breaks off."""

    def __init__(self) -> None:
        self._waits = False
        self._open: set[str] = set()  # targets that were told to fail

    def began(self, report: Report, verb: str) -> None:
        """Which run of what."""
        _log.info("run %s of %s began: %s", report.run, _of(report), verb)

    def advanced(self, report: Report) -> None:
        """Each wait that the destination asked for, once."""
        if report.held_s and not self._waits:
            told = "run %s of %s starts nothing for %.1f s: the destination asked for a wait"
            _log.warning(told, report.run, _of(report), report.held_s)
        self._waits = report.held_s > 0
        self._tell_breakers(report)

    def _tell_breakers(self, report: Report) -> None:
        """Each breaker that opened, and each that shut again, once."""
        now_open = {one.target: one for one in report.breakers}
        for target in now_open.keys() - self._open:
            told = "run %s of %s holds back: %s"
            _log.warning(told, report.run, _of(report), one_line(str(now_open[target])))
        for target in self._open - now_open.keys():
            told = "run %s of %s goes on: %s is well"
            _log.info(told, report.run, _of(report), one_line(target))
        self._open = set(now_open)

    def ended(self, report: Report, error: BaseException | None) -> None:
        """What it came to."""
        if error is not None:
            code = getattr(error, "code", "") or type(error).__name__
            told = "run %s of %s broke off: %s"
            _log.warning(told, report.run, _of(report), code, extra=IN_REPORT)
        elif report.stopped is not None:
            told = "run %s of %s stopped: %s %s"
            why = (report.run, _of(report), *map(one_line, report.stopped))
            _log.warning(told, *why, extra=IN_REPORT)
        for name, one in report.subscriptions.items():
            if one.paused is not None:
                told = "run %s of %s paused subscription %s: %s %s"
                paused = map(one_line, (name, one.paused.code, one.paused.message))
                _log.warning(told, report.run, _of(report), *paused, extra=IN_REPORT)
        counts = ", ".join(f"{report[name]} {name}" for name in OUTCOMES if report[name])
        _log.info(
            "run %s of %s ended after %.1f s: %d received; %s",
            report.run,
            _of(report),
            report.duration_s,
            report.received,
            counts or "nothing",
        )


def _of(report: Report) -> str:
    """The destination's name; a line of a log has to stay one."""
    return one_line(report.destination)
