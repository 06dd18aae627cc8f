"""The end of a run that somebody asks for: by a signal, or by an exception of a signal's handler.

A run works in a thread of its own, and the thread that called it waits. Python raises in its main
thread what a handler of a signal raises, between any two steps: here it meets a thread that only
waits, so it can leave no claim, no answer and no lock half done. The run is then asked to end, has
its grace to settle what is on its way, and the exception rises.
"""

from __future__ import annotations

import _thread
import contextvars
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from .report import Report

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_LOOK_S = 0.25
_WRITING_S = 1.5  # so long, when the grace is over, for what is left to be written
_SAME_S = 0.5  # `timeout`, terminals and supervisors send a signal to a process and to its group


class Terminated(SystemExit):
    """The process was told to end (SIGTERM, SIGHUP), and has settled what was on its way.

    code: its exit code, 128 and the signal's number. report: what the run came to; None where the
    signal met no run, or one that did not end within its grace.
    """

    def __init__(self, number: int, report: Report | None = None) -> None:
        super().__init__(128 + number)
        self.report = report

    @classmethod
    def rise(cls, number: int, _frame: FrameType | None) -> None:
        """As a handler of a signal: end the process in order, where no run is at work.

        A run takes it for the default, and settles first.
        """
        raise cls(number)


class Ending:
    """A run's being asked to end, and the time it has left. Any thread may ask and look."""

    def __init__(self, grace_s: float, clock: Callable[[], float] = time.monotonic):
        self._grace_s = grace_s
        self._clock = clock
        self._asked_s: float | None = None
        self._until_s = float("inf")
        self.number = 0  # of the signal that ends the process; 0: none does

    def ask(self) -> None:
        """Ask once, and there is a grace; ask again, and it is over."""
        now_s = self._clock()
        if self._asked_s is None:
            self._asked_s = now_s
            self._until_s = now_s + self._grace_s
        elif now_s - self._asked_s >= _SAME_S:
            self._until_s = min(self._until_s, now_s)

    @property
    def asked(self) -> bool:
        """True once somebody asked."""
        return self._asked_s is not None

    @property
    def left_s(self) -> float:
        """Of the grace; negative when it is over, without end while nobody asked."""
        return self._until_s - self._clock()

    def over(self, work: Callable[[], Report]) -> Report:
        """Do the work in a thread of its own, which looks at this object, and wait for it.

        Raises what the work raised; what a handler of a signal raised meanwhile, when the work has
        ended; Terminated or KeyboardInterrupt where a signal with no handler of its own told the
        process to end, and for Ctrl-C only if the work did not end within its grace.
        """
        worker = _Worker(work)
        with _listening(self):
            risen = _awaited(worker, self)
        if risen is not None:
            raise risen
        if worker.error is not None:
            raise worker.error
        if self.number:
            raise Terminated(self.number, worker.report)
        if worker.report is None:
            raise KeyboardInterrupt
        return worker.report


class _Worker:
    """Work in a thread of its own, and what it came to.

    An exception may rise in whoever begins it before or after there is a thread, and nobody could
    tell which. So there is one ticket: the work begins with it, or is called off with it.
    """

    def __init__(self, work: Callable[[], Report]) -> None:
        self._work = work
        self._tickets = [None]
        self._going = threading.Lock()
        self._going.acquire()
        self.report: Report | None = None
        self.error: BaseException | None = None
        run = contextvars.copy_context().run
        self._thread = threading.Thread(
            target=run, args=(self._run,), name="fieldpost-run", daemon=True
        )

    def _run(self) -> None:
        process = os.getpid()
        try:
            self.report = self._work()
        except BaseException as error:
            self.error = error
            if os.getpid() != process:  # forked in here: nobody waits for it, and it is all
                sys.excepthook(type(error), error, error.__traceback__)
                os._exit(1)
        finally:
            self._going.release()

    def begin(self) -> None:
        """Begin, unless it is called off."""
        _thread.start_new_thread(self._begin, ())

    def _begin(self) -> None:
        """Start the thread from another one, in which nothing rises: a start is not undone."""
        if not self._takes_ticket():
            return
        try:
            self._thread.start()
        except BaseException as error:
            self.error = error

    def is_called_off(self) -> bool:
        """True where it had not begun, and never will."""
        return self._takes_ticket()

    def _takes_ticket(self) -> bool:
        try:
            self._tickets.pop()  # one step, for whichever thread comes first
        except IndexError:
            return False
        return True

    def ended(self, timeout_s: float) -> bool:
        """True once it has ended; waits for so long. A bare lock: no exception can harm it."""
        done = self.report is not None or self.error is not None
        if not done and not self._going.acquire(timeout=timeout_s):
            return False
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return True


def _awaited(worker: _Worker, ending: Ending) -> BaseException | None:
    """Wait until the work ends, or its grace is over; gives what a handler raised meanwhile."""
    risen: BaseException | None = None
    begun = again = False
    while True:
        try:
            if not begun:
                begun = True
                worker.begin()
            while not worker.ended(_LOOK_S):
                if ending.left_s < -_WRITING_S:
                    return risen
            return risen
        except BaseException as error:
            if again or worker.is_called_off():
                raise
            again = risen is not None
            risen = risen or error
            ending.ask()


@contextmanager
def _listening(ending: Ending) -> Iterator[None]:
    """Hear signals, where they can be heard: in the main thread.

    A handler that somebody else installed is called as ever: what it raises rises, and if it
    returns, the run has been asked to end all the same (Airflow's returns, and kills soon after).
    SIGHUP is somebody else's to read: to many it means other things.
    """
    before: dict[signal.Signals, Any] = {}

    def hear(number: int, frame: FrameType | None) -> None:
        ending.ask()
        handler = before[signal.Signals(number)]
        if not _is_default(handler):
            handler(number, frame)
        elif number != signal.SIGINT:
            ending.number = number

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    try:
        for one in SIGNALS:
            handler = signal.getsignal(one)
            if _is_default(handler) or (callable(handler) and one != signal.SIGHUP):
                before[one] = handler
                signal.signal(one, hear)
        yield
    finally:
        for one, handler in before.items():
            if signal.getsignal(one) is hear:
                signal.signal(one, handler)


def _is_default(handler: Any) -> bool:
    return handler in (signal.SIG_DFL, signal.default_int_handler, Terminated.rise)
