"""A progress line for people: on a terminal or in a notebook, at most ten times a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from .progress_log import so_far
from .report import Report
from .standstill import why_nothing_moves

_EVERY_S = 0.1


class ProgressBar:
    """Counts of a run in progress, on standard error. Use as a context manager and call it."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        from .terminal import Terminal

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[told]}", markup=False),
            TextColumn("{task.fields[why]}", style="red", markup=False),
            TimeElapsedColumn(),
        )
        self._bar = Progress(*columns, console=Terminal(file=sys.stderr))
        self._task = self._bar.add_task("delivering", total=None, told="", why="")
        self._next = 0.0
        self._last: Report | None = None

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._last is not None:
            self._show(self._last)  # the frame that stays is of the end
        self._bar.stop()

    def __call__(self, report: Report) -> None:
        """Show where the run is."""
        self._last = report
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY_S
        self._show(report)

    def _show(self, report: Report) -> None:
        self._bar.update(self._task, told=so_far(report), why=why_nothing_moves(report))


def shows_progress() -> bool:
    """Whether somebody is watching: a terminal, or a notebook."""
    if sys.stderr is not None and sys.stderr.isatty():
        return True
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


@contextmanager
def watching(
    progress: bool | Callable[[Report], None] | None,
) -> Iterator[Callable[[Report], None] | None]:
    """What is told of a run at work: a function of the user's, a bar, or nothing."""
    if callable(progress):
        yield progress
    elif progress or (progress is None and shows_progress()):
        with ProgressBar() as bar:
            yield bar
    else:
        yield None
