"""Who looks on while a run delivers: logs, metrics, traces, a progress bar. None can change it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from ._core import Dispatcher
from .governor import reason_of
from .latencies import Latencies
from .report import OpenBreaker, Report, Trouble

_log = logging.getLogger(__name__)
_EVERY_S = 0.25
_WELL_S = 10.0  # without trouble, and things delivered: it is over

Progress = Callable[[Report], None]


class Observer(Protocol):
    """Told of a run by the thread that delivers, so it must not block. The report is the run's own
    and grows; keep copies of its numbers, not the report."""

    def began(self, report: Report, verb: str) -> None:
        """A run begins; the report is empty yet."""

    def advanced(self, report: Report) -> None:
        """Some of it is decided; called a few times a second."""

    def ended(self, report: Report, error: BaseException | None) -> None:
        """It is over, as the report says, or broke off with an error."""


class _Begun:
    """An observer that only knows whether the run began."""

    yes = False

    def began(self, _report: Report, _verb: str) -> None:
        self.yes = True

    def advanced(self, _report: Report) -> None:
        pass

    def ended(self, _report: Report, _error: BaseException | None) -> None:
        pass


@contextmanager
def beginning(
    observers: Sequence[Observer], report: Report, verb: str
) -> Iterator[Sequence[Observer]]:
    """The observers of a run that is about to begin. Where it cannot, they are told so: it began
    and broke off, and its report, which is given, has no run and no counts."""
    mark = _Begun()
    try:
        yield [*observers, mark]
    except BaseException as error:
        if not mark.yes:
            failure = error
            told = [*observers]
            _tell(told, lambda one: one.began(report, verb))
            _tell(told, lambda one: one.ended(report, failure))
        raise


def _tell(observers: list[Observer], what: Callable[[Observer], None]) -> None:
    """An observer that fails does not take the run with it; it is told nothing more."""
    for one in list(observers):
        try:
            what(one)
        except Exception as error:
            observers.remove(one)
            name = type(error).__name__
            _log.warning("%s failed with %s and looks on no more", type(one).__name__, name)


class Watch:
    """Tells observers of one run, and gives its report the numbers that the core counts.

    Called with the report after every turn of the run; progress hears of each, observers of some.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        report: Report,
        observers: Sequence[Observer],
        progress: Progress | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._report = report
        self._observers = list(observers)
        self._progress = progress
        self._next_s = 0.0
        self._troubled = (0.0, 0)  # when the last trouble came, and what was delivered by then

    @contextmanager
    def over(self, verb: str) -> Iterator[None]:
        """Tell of the run's begin, and of its end when its report is complete."""
        self._tell(lambda one: one.began(self._report, verb))
        try:
            yield
        except BaseException as error:
            failure = error
            self._tell(lambda one: one.ended(self._report, failure))
            raise
        self._tell(lambda one: one.ended(self._report, None))

    def __call__(self, report: Report) -> None:
        """The run has made a turn."""
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + _EVERY_S
            self.count()
            self._tell(lambda one: one.advanced(report))
        if self._progress is not None:
            self._progress(report)

    def _tell(self, what: Callable[[Observer], None]) -> None:
        _tell(self._observers, what)

    def count(self) -> None:
        """Put what the core counted into the report."""
        report, core = self._report, self._dispatcher
        report.requests = core.started
        report.throttled_s, report.held_s = core.throttled_s, core.held_s
        self._look_for_trouble()
        report.breakers = open_breakers(core)
        for name, (attempts, counts) in zip(report.subscriptions, core.traffic(), strict=False):
            report.attempts[name] = attempts
            report.latencies[name] = Latencies(counts)

    def _look_for_trouble(self) -> None:
        report, now_s = self._report, time.monotonic()
        tries, *why = self._dispatcher.trouble
        if tries > report.retries:
            report.retries, report.trouble = tries, Trouble(*why)
            self._troubled = (now_s, report["delivered"])
        elif report.trouble is not None:
            came_s, delivered = self._troubled
            if now_s - came_s > _WELL_S and report["delivered"] > delivered:
                report.trouble = None


def open_breakers(dispatcher: Dispatcher) -> list[OpenBreaker]:
    """Targets that a dispatcher probes now."""
    now = time.time()
    return [
        OpenBreaker(target, now - since_s, now + next_probe_s, reason_of(code, message))
        for target, since_s, next_probe_s, code, message in dispatcher.openings
    ]
