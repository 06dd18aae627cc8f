"""One run: events of a source, each taken to its outcome, each outcome kept in the ledger.

The loop claims records before their first byte leaves and writes outcomes as they come; chunks are
read, filtered and mapped by a second thread meanwhile. Nothing of a run lives outside it, so a
killed run loses only what the next one finds in the ledger.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

from ._core import Batch, Dispatcher, Outcome
from .auth import Credentials
from .errors import AuthError, FieldpostError, SourceError
from .ledger import Key, SqliteLedger, Standing
from .report import Counts, Report

# Outcomes of an earlier run that this one takes up again.
_OPEN = ("waiting", "invalid", "dropped")
# Outcomes of an earlier run that stand: not sent again without being asked to.
_FINAL = ("rejected", "expired", "unconfirmed")
# What ends a run and is told by its report, since part of the work is done.
_TOLD = (AuthError, SourceError)
_READ_AHEAD = 2  # batches
_NAP_S = 0.25  # the longest the loop stays away from Ctrl-C and from the token's age

Progress = Callable[[Report], None]


class Prefetch:
    """Batches made by a thread, a few ahead of the loop that takes them."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._batches = batches
        self._queue: queue.Queue[Batch | BaseException | None] = queue.Queue(_READ_AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="fieldpost-read", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        last: BaseException | None = None
        try:
            for batch in self._batches:
                if not self._put(batch):
                    return
        except BaseException as error:
            last = error
        self._put(last)

    def _put(self, item: Batch | BaseException | None) -> bool:
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=_NAP_S)
                return True
        return False

    def take(self, timeout_s: float) -> tuple[bool, Batch | None]:
        """(whether there was something, the batch or None at the end); raises as the source did."""
        try:
            item = self._queue.get(timeout=timeout_s) if timeout_s else self._queue.get_nowait()
        except queue.Empty:
            return False, None
        if isinstance(item, BaseException):
            raise item
        return True, item

    def close(self) -> None:
        """End the thread; what it had ready is dropped."""
        self._stop.set()
        self._thread.join(timeout=10)


class Run:
    """Delivers batches and fills a report. Used once, by one thread."""

    def __init__(
        self,
        ledger: SqliteLedger,
        dispatcher: Dispatcher,
        credentials: Credentials,
        report: Report,
        targets: list[int],
        *,
        resend: bool,
        progress: Progress | None = None,
    ) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._credentials = credentials
        self._report = report
        self._targets = targets
        self._counts: list[Counts] = list(report.subscriptions.values())
        self._resend = resend  # of what a dead run may or may not have sent
        self._progress = progress
        self._sent: dict[int, int] = {}  # claim -> subscription, until its outcome is there
        self._twins: list[tuple[int, str]] = []  # the same event again, while the first is open
        self._dead: set[int] = set()  # runs that ended with claims undecided
        self._doubtful: set[tuple[int, str]] = set()  # of those, sent or not: nobody knows
        self._header = ""
        self._failure: FieldpostError | None = None
        self.interrupted = False  # set from a signal handler

    # -- the loop

    def deliver(self, batches: Iterable[Batch]) -> None:
        """Take every batch to its outcomes; returns early when interrupted or paused."""
        self._authorize(self._credentials.header())
        prefetch = Prefetch(batches)
        try:
            while self._goes_on():
                there, batch = prefetch.take(0 if self._dispatcher.outstanding else _NAP_S)
                if there and batch is None:
                    break
                if batch is not None:
                    self._take(batch)
                elif self._dispatcher.outstanding:
                    self._settle()
        except FieldpostError as error:
            self._failure = error
        finally:
            prefetch.close()
        self._drain()
        self._count_twins()
        self._tell_progress()
        if self._failure is not None and not isinstance(self._failure, _TOLD):
            raise self._failure

    def _goes_on(self) -> bool:
        return not (self.interrupted or self._failure or self._dispatcher.pause_code)

    def _drain(self) -> None:
        if self._failure or self.interrupted:
            self._dispatcher.stop()
        while self._dispatcher.outstanding:
            if self.interrupted:
                self._dispatcher.stop()
            self._settle()
        self._settle()
        failure = self._failure
        if isinstance(failure, _TOLD):
            self._report.stopped = (failure.code, str(failure))
        elif self._dispatcher.pause_code:
            self._report.stopped = (self._dispatcher.pause_code, self._dispatcher.pause_message)
        self._report.interrupted = self.interrupted

    def _take(self, batch: Batch) -> None:
        self._report.received += batch.received
        for index, counts in enumerate(self._counts):
            counts.add("filtered", len(batch.filtered_hashes(index)) // 8)
        for subscription, *_, outcome, _code, _message in batch.ended():
            self._counts[subscription].add(outcome)
        self._ledger.note_ended(batch, self._targets)
        self._offer(batch, self._to_send(batch))
        self._tell_progress()

    # -- which records to send

    def _to_send(self, batch: Batch) -> list[tuple[int, int, Key]]:
        """(index, subscription, key) of the records to claim; the rest is counted."""
        keys = [
            (i, sub, Key(self._targets[sub], event_id, hash_, batch.source, line, offset))
            for i, (sub, event_id, hash_, line, offset) in enumerate(batch.keys())
        ]
        standing = self._standing(keys)
        seen: set[tuple[int, str]] = set()
        chosen = []
        for i, sub, key in keys:
            known = standing.get((sub, key.event_id))
            if (sub, key.event_id) in seen:
                self._twins.append((sub, key.event_id))
            elif known is None or known.outcome in _OPEN or self._resumes(sub, key, known):
                seen.add((sub, key.event_id))
                chosen.append((i, sub, key))
        return chosen

    def _standing(self, keys: list[tuple[int, int, Key]]) -> dict[tuple[int, str], Standing]:
        found = {}
        for sub, target in enumerate(self._targets):
            wanted = [key.event_id for _, s, key in keys if s == sub]
            if wanted:
                known = self._ledger.look_up(target, wanted)
                found.update({(sub, event_id): one for event_id, one in known.items()})
        return found

    def _resumes(self, sub: int, key: Key, known: Standing) -> bool:
        """True where a dead run's claim is to be sent again; else what stands is counted."""
        counts = self._counts[sub]
        if known.outcome == "delivered":
            counts.add("already_delivered")
        elif known.outcome in _FINAL:
            counts.add(known.outcome)
        elif known.run == self._ledger.run:
            self._twins.append((sub, key.event_id))
        elif self._ledger.is_live(known.run):
            counts.add("waiting")
        elif self._resend:
            self._dead.add(known.run)
            self._doubtful.add((sub, key.event_id))
            return True
        else:
            told = "an earlier run was killed while this record was on its way"
            self._ledger.hold_unconfirmed([(known.claim, known.run)], "E503", told)
            counts.add("unconfirmed")
        return False

    # -- sending

    def _offer(self, batch: Batch, chosen: list[tuple[int, int, Key]]) -> None:
        while chosen and self._goes_on():
            room = self._dispatcher.room
            if room == 0:
                self._settle()
                continue
            part, chosen = chosen[:room], chosen[room:]
            offers = []
            claims = self._ledger.claim([key for _, _, key in part], self._dead)
            for (index, sub, key), claim in zip(part, claims, strict=True):
                if claim is None:
                    self._twins.append((sub, key.event_id))
                    continue
                self._sent[claim.claim] = sub
                in_doubt = (sub, key.event_id) in self._doubtful
                offers.append((index, claim.claim, claim.elapsed_s, claim.attempts, in_doubt))
            self._dispatcher.offer(batch, offers)
            if self._dispatcher.room == 0:
                self._settle()
        for _, sub, _ in chosen:
            self._counts[sub].add("waiting")

    def _settle(self) -> None:
        outcomes: list[Outcome] = self._dispatcher.settle(_NAP_S)
        if outcomes:
            self._ledger.settle(outcomes)
        for outcome in outcomes:
            self._counts[self._sent.pop(outcome.claim)].add(outcome.outcome)
        self._tell_progress()
        if self._failure is None:
            self._keep_signed_in()

    def _keep_signed_in(self) -> None:
        try:
            if self._dispatcher.token_wanted:
                self._authorize(self._credentials.refresh(self._header))
            else:
                header = self._credentials.header()
                if header != self._header:
                    self._authorize(header)
        except FieldpostError as error:
            self._failure = error
            self._dispatcher.stop()

    def _authorize(self, header: str) -> None:
        self._header = header
        self._dispatcher.authorize(header, self._credentials.header_name)

    # -- the same event twice in one run, or claimed by another

    def _count_twins(self) -> None:
        for sub, event_id in self._twins:
            known = self._ledger.look_up(self._targets[sub], [event_id]).get(event_id)
            outcome = known.outcome if known else None
            again = "already_delivered" if outcome == "delivered" else outcome
            self._counts[sub].add(again or "waiting")

    def _tell_progress(self) -> None:
        if self._progress is not None:
            self._progress(self._report)
