"""Batches made by a second thread, a few ahead of the loop that delivers them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from ._core import Batch

_READ_AHEAD = 2  # batches
_NAP_S = 0.25
_PATIENCE_S = 2.0


class Work(NamedTuple):
    """A batch, and the text of the event that began at an offset of its source."""

    batch: Batch
    event: Callable[[str, int], bytes | None]  # (event id, offset)


class Prefetch:
    """Work made by a thread; what goes wrong there is raised where it is taken."""

    def __init__(self, works: Iterable[Work]) -> None:
        self._works = works
        self._queue: queue.Queue[Work | BaseException | None] = queue.Queue(_READ_AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fieldpost-read", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        last: BaseException | None = None
        try:
            for work in self._works:
                if not self._put(work):
                    return
        except BaseException as error:
            last = error
        self._put(last)

    def _put(self, item: Work | BaseException | None) -> bool:
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=_NAP_S)
                return True
        return False

    def take(self, timeout_s: float) -> tuple[bool, Work | None]:
        """(whether there was something, the work or None at the end); raises as the source did."""
        try:
            item = self._queue.get(timeout=timeout_s) if timeout_s else self._queue.get_nowait()
        except queue.Empty:
            return False, None
        if isinstance(item, BaseException):
            raise item
        return True, item

    def stop(self) -> None:
        """Ask the thread to end, and whatever it waits for; what it has ready is dropped."""
        self._stop.set()
        stop = getattr(self._works, "stop", None)
        if stop is not None:
            stop()

    def close(self) -> None:
        """End the thread. One that hangs in somebody else's code is left to end by itself."""
        self.stop()
        self._thread.join(_PATIENCE_S)
