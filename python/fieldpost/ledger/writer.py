"""The thread that writes a run's outcomes and claims, so that requests flow while a disk works.

Whatever has come together while one transaction was written goes into the next: under load a
transaction holds many records, otherwise none waits. After an error nothing more is written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .. import fork
from .ledger import Ledger
from .rows import Claim, Key, Letter, Settled, Takes


class Advanced(NamedTuple):
    """One step that is on the disk: outcomes written, and (the caller's item, its claims)."""

    settled: list[Settled]
    claimed: list[tuple[Any, Sequence[Claim | None]]]


class Writer:
    """Hands steps to a thread and its results back; used by one thread."""

    def __init__(self, ledger: Ledger, takes: Takes) -> None:
        self._ledger = ledger
        self._takes = takes
        self._changed = threading.Condition()
        self._settled: list[Settled] = []
        self._letters: list[Letter] = []
        self._wanted: list[tuple[Sequence[Key], Any]] = []
        self._dead: set[int] = set()
        self._done: list[Advanced] = []
        self._at_work = False
        self._closed = False
        self._error: BaseException | None = None
        fork.opened(self)
        self._thread = threading.Thread(target=self._work, name="fieldpost-ledger", daemon=True)
        self._thread.start()

    def put(
        self,
        settled: Sequence[Settled],
        letters: Sequence[Letter],
        wanted: Sequence[tuple[Sequence[Key], Any]],
        dead_runs: Iterable[int],
    ) -> None:
        """Outcomes to write, and (keys, item) to claim; the item comes back with the claims."""
        with self._changed:
            self._settled += settled
            self._letters += letters
            self._wanted += wanted
            self._dead.update(dead_runs)
            self._changed.notify_all()

    @property
    def busy(self) -> bool:
        """Whether something is not written yet, or written and not taken."""
        with self._changed:
            return bool(self._pending() or self._at_work or self._done) and self._error is None

    def take(self, timeout_s: float = 0.0) -> list[Advanced]:
        """The steps done since the last call; waits for one if there is none.

        Raises what the ledger raised.
        """
        with self._changed:
            if timeout_s > 0 and not self._done:
                self._changed.wait_for(lambda: self._done or self._error, timeout_s)
            if not self._done and self._error is not None:
                raise self._error
            done, self._done = self._done, []
            return done

    def unwritten(self) -> tuple[list[Settled], list[Letter]]:
        """What an error kept from being written; for one last try, after close()."""
        return self._settled, self._letters

    def let_go(self) -> None:
        """In a forked child, which has no thread that writes: nothing is waited for."""
        self._changed = threading.Condition()
        self._error = fork.child_error()
        self._at_work = False

    def close(self) -> None:
        """Write what is there and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        fork.closed(self)

    def _pending(self) -> bool:
        return bool(self._settled or self._wanted)

    def _work(self) -> None:
        settled: list[Settled] = []
        letters: list[Letter] = []
        try:
            while (step := self._next()) is not None:
                settled, letters, wanted, dead = step
                keys = [key for part, _ in wanted for key in part]
                claims = self._ledger.advance(settled, letters, keys, dead, self._takes)
                self._tell(Advanced(settled, _dealt(claims, wanted)))
        except BaseException as error:
            with self._changed:
                self._settled = [*settled, *self._settled]
                self._letters = [*letters, *self._letters]
                self._error = error
                self._at_work = False
                self._changed.notify_all()

    def _next(
        self,
    ) -> tuple[list[Settled], list[Letter], list[tuple[Sequence[Key], Any]], set[int]] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._pending())
            if not self._pending():
                return None
            step = (self._settled, self._letters, self._wanted, set(self._dead))
            self._settled, self._letters, self._wanted = [], [], []
            self._at_work = True
            return step

    def _tell(self, done: Advanced) -> None:
        with self._changed:
            self._done.append(done)
            self._at_work = False
            self._changed.notify_all()


def _dealt(
    claims: Sequence[Claim | None], wanted: list[tuple[Sequence[Key], Any]]
) -> list[tuple[Any, Sequence[Claim | None]]]:
    """Each item with the claims of its keys."""
    dealt: list[tuple[Any, Sequence[Claim | None]]] = []
    begin = 0
    for keys, item in wanted:
        dealt.append((item, claims[begin : begin + len(keys)]))
        begin += len(keys)
    return dealt
