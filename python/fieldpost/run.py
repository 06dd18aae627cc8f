"""One run: events of a source, each taken to its outcome, each outcome kept in the ledger.

Records are claimed before their first byte leaves, at most twice as many as may be in flight at
once; a claim counts until its outcome is on the disk. Chunks are read, filtered and mapped by a
second thread, the ledger is written by a third. Nothing of a run lives outside it, so a killed run
loses only what the next one finds in the ledger.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from ._core import Dispatcher, Outcome
from .action_needed import action_needed
from .auth import Credentials
from .brake import Brake
from .dead_letters import Content, DeadLetters
from .errors import AuthError, FieldpostError, LedgerError, SourceError
from .governor import Alone, Governor
from .later import Later
from .ledger import (
    FINAL,
    Advanced,
    Claim,
    Ended,
    Key,
    Ledger,
    Letter,
    Settled,
    Standing,
    Takes,
    Writer,
)
from .prefetch import Prefetch, Work
from .report import FAILURES, Counts, Report, Stopped

# What ends a run and is told by its report, since part of the work is done.
_TOLD = (AuthError, SourceError)
_NAP_S = 0.25  # the longest the loop stays away from Ctrl-C and from the token's age
_GLANCE_S = 0.002  # the same while the ledger is being written
_FAILURES_SHOWN = 1000
# Whose record id tells something: a row that is there, or may be.
_HAS_RECORD = ("delivered", "unconfirmed")

Progress = Callable[[Report], None]


class Target(NamedTuple):
    """A subscription in the ledger: its number, and the version of its mapping."""

    number: int
    mapping: str


class Item(NamedTuple):
    """A record on its way."""

    subscription: int
    key: Key
    work: Work
    place: int  # in the batch
    in_doubt: bool = False  # an earlier run may have had it delivered without hearing of it


class Run:
    """Delivers batches and fills a report. Used once, by one thread."""

    def __init__(
        self,
        ledger: Ledger,
        dispatcher: Dispatcher,
        credentials: Credentials,
        report: Report,
        targets: list[Target],
        *,
        resend: bool,
        takes: Takes | None = None,
        letters: DeadLetters | None = None,
        brake: Brake | None = None,
        governor: Governor | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._credentials = credentials
        self._report = report
        self._targets = targets
        self._counts: list[Counts] = list(report.subscriptions.values())
        self._resend = resend  # of what a dead run may or may not have sent
        self._takes = takes or Takes()
        self._letters = letters or DeadLetters()
        self._brake = brake or Brake()
        self._governor = governor or Alone()
        self._progress = progress
        self._writer: Writer | None = None
        self._window = dispatcher.room
        self._open = 0  # claims asked for, whose outcome is not on the disk
        self._pending: deque[Item] = deque()  # to be claimed
        self._pending_ids: set[tuple[int, str]] = set()
        self._sent: dict[int, Item] = {}  # claim -> record, until its outcome is on the disk
        self._retry_in_s: dict[int, float] = {}  # claim -> wait, of what is offered again
        self._later: Later[Item] = Later()
        self._decided: list[Settled] = []  # outcomes to be written
        self._to_keep: list[Letter] = []
        self._twins: list[tuple[int, str]] = []  # the same event again, while the first is open
        self._dead: set[int] = set()  # runs that ended with claims undecided
        self._read_all = False
        self._quiet = True  # nothing came back from the network in the last turn
        self._header = ""
        self._failure: FieldpostError | None = None
        self._stopped: Stopped | None = None
        self.failed: list[int] = []  # claims of earlier runs that stand and were met again
        self.interrupted = False  # set from a signal handler

    # -- the loop

    def deliver(self, works: Iterable[Work]) -> None:
        """Take every batch to its outcomes; returns early when interrupted or paused."""
        self._authorize(self._credentials.header())
        self._settle_the_dead()
        prefetch = Prefetch(works)
        self._writer = Writer(self._ledger, self._takes)
        try:
            while self._goes_on() and self._turn(self._writer, prefetch):
                pass
        except FieldpostError as error:
            self._failure = error
        finally:
            prefetch.close()
        self._finish(self._writer)
        for item in [*self._pending, *self._later.left()]:
            self._counts[item.subscription].add("waiting")
        self._count_twins()
        self._tell_progress()
        if self._failure is not None and not isinstance(self._failure, _TOLD):
            raise self._failure

    def _goes_on(self) -> bool:
        self._stopped = self._brake.reason()
        return not (
            self.interrupted or self._failure or self._stopped or self._dispatcher.pause_code
        )

    def _turn(self, writer: Writer, prefetch: Prefetch) -> bool:
        """One turn; False when everything is decided and written."""
        for item in self._later.due():
            self._pending_ids.add((item.subscription, item.key.event_id))
            self._pending.append(item)
        if not self._pending and not self._read_all:
            idle = not (self._dispatcher.outstanding or self._decided or writer.busy)
            there, work = prefetch.take(_NAP_S if idle else 0)
            if work is not None:
                self._take(work)
            self._read_all = there and work is None
        self._advance(writer)
        self._move(writer)
        moves = bool(
            self._pending
            or not self._read_all
            or self._dispatcher.outstanding
            or self._decided
            or writer.busy
        )
        if not moves:
            self._later.wait(_NAP_S)
        return moves or bool(self._later)

    def _advance(self, writer: Writer) -> None:
        """Hand outcomes to the writer and ask for claims, many at once where there are many."""
        ask = min(self._window - self._open, len(self._pending))
        size = len(self._decided) + ask
        if not size or (size * 4 < self._window and not self._quiet):
            return
        items = [self._pending.popleft() for _ in range(ask)]
        self._open += ask
        writer.put(self._decided, self._to_keep, [(item.key, item) for item in items], self._dead)
        self._decided, self._to_keep = [], []

    def _move(self, writer: Writer) -> None:
        """Let the network move, and take over what the writer has done."""
        outstanding = self._dispatcher.outstanding
        for done in writer.take(0 if outstanding or not writer.busy else _NAP_S):
            self._advanced(done)
        if self._dispatcher.outstanding:
            hurried = writer.busy or self._decided
            self._network(_GLANCE_S if hurried else _NAP_S)
        else:
            self._quiet = True
        self._tell_progress()
        if self._failure is None:
            self._keep_signed_in()

    def _network(self, timeout_s: float) -> None:
        self._governor.steer(self._dispatcher)
        outcomes = self._dispatcher.settle(timeout_s)
        self._quiet = not outcomes
        for outcome in outcomes:
            self._decide(outcome)

    def _advanced(self, done: Advanced) -> None:
        for settled in done.settled:
            item = self._sent.pop(settled.claim)
            self._open -= 1
            wait_s = self._retry_in_s.pop(settled.claim, None)
            if wait_s is not None:
                self._later.put(item, wait_s)
                continue
            self._counts[item.subscription].add(settled.outcome)
            self._brake.note(settled.outcome)
        self._offer(done.claimed)

    def _offer(self, claimed: list[tuple[Item, Claim | None]]) -> None:
        """Give claimed records to the dispatcher, a batch at a time."""
        offers: dict[int, tuple[Work, list[tuple[int, int, float, int, bool]]]] = {}
        for item, claim in claimed:
            self._pending_ids.discard((item.subscription, item.key.event_id))
            if claim is None:
                self._open -= 1
                self._twins.append((item.subscription, item.key.event_id))
                continue
            self._sent[claim.claim] = item
            of_batch = offers.setdefault(id(item.work), (item.work, []))[1]
            of_batch.append((item.place, claim.claim, *claim[1:], item.in_doubt))
        for work, of_batch in offers.values():
            self._dispatcher.offer(work.batch, of_batch)

    def _decide(self, outcome: Outcome) -> None:
        item = self._sent[outcome.claim]
        if outcome.retry_in_s >= 0:
            self._retry_in_s[outcome.claim] = outcome.retry_in_s
            self._sent[outcome.claim] = item._replace(in_doubt=outcome.in_doubt)
        name, message, needed = outcome.outcome, outcome.message, outcome.action_needed
        if name in FAILURES:
            message = self._letters.hidden(message, self._event(item))
        if self._letters.keeps(name):
            self._to_keep.append(self._letters.letter(item.key, self._content(item)))
        if name == "invalid" and not needed:
            needed = action_needed(name, outcome.code)
        self._decided.append(
            Settled(
                name,
                outcome.effect,
                outcome.attempts,
                outcome.http_status,
                outcome.code,
                message,
                needed,
                outcome.record_id if name in _HAS_RECORD else "",
                outcome.request_id,
                outcome.latency_ms,
                outcome.claim,
            )
        )

    @staticmethod
    def _event(item: Item) -> bytes | None:
        return item.work.event(item.key.event_id, item.key.offset)

    def _content(self, item: Item) -> Content:
        batch, index = item.work.batch, item.place
        return Content(self._event(item), batch.body(index), batch.url(index), batch.headers(index))

    # -- the end

    def _finish(self, writer: Writer) -> None:
        """Settle what is on its way, write what is decided, tell why the run ended."""
        if self._failure or self.interrupted or self._stopped:
            self._dispatcher.stop()
        try:
            self._drain(writer)
        except LedgerError as error:
            self._failure = error if self._failure is None else self._failure
            self._drain_network()
        writer.close()
        self._write_the_rest(writer)
        failure = self._failure
        if isinstance(failure, _TOLD):
            self._report.stopped = Stopped(failure.code, str(failure))
        elif self._dispatcher.pause_code:
            stopped = Stopped(self._dispatcher.pause_code, self._dispatcher.pause_message)
            self._report.stopped = stopped
        else:
            self._report.stopped = self._stopped
        self._report.interrupted = self.interrupted

    def _drain(self, writer: Writer) -> None:
        if isinstance(self._failure, LedgerError):
            raise self._failure
        while self._dispatcher.outstanding or writer.busy or self._decided:
            if self.interrupted or self._brake.reason():
                self._dispatcher.stop()
            if self._decided:
                writer.put(self._decided, self._to_keep, (), ())
                self._decided, self._to_keep = [], []
            self._move(writer)

    def _drain_network(self) -> None:
        """Without a ledger nothing may start, but what is on its way still comes back."""
        self._dispatcher.stop()
        while self._dispatcher.outstanding:
            self._network(_NAP_S)

    def _write_the_rest(self, writer: Writer) -> None:
        """One last try, where the ledger failed; else the next run finds these claims undecided."""
        settled, letters = writer.unwritten()
        settled = [*settled, *self._decided]
        if settled:
            with suppress(LedgerError):
                self._ledger.advance(settled, [*letters, *self._to_keep], (), (), self._takes)

    # -- which records to send

    def _take(self, work: Work) -> None:
        batch = work.batch
        self._report.received += batch.received
        for index, counts in enumerate(self._counts):
            counts.add("filtered", len(batch.filtered_hashes(index)) // 8)
        self._note_ended(work)
        self._choose(work)
        self._tell_progress()

    def _note_ended(self, work: Work) -> None:
        batch = work.batch
        rows = batch.ended()
        keys = [(row[0], self._key(work, *row[:5])) for row in rows]
        standing = self._standing(keys)
        ended, letters = [], []
        for (sub, key), (*_, outcome, code, message) in zip(keys, rows, strict=True):
            known = standing.get((sub, key.event_id))
            if known is not None and self._stands_ended(sub, key, known):
                continue
            self._counts[sub].add(outcome)
            self._brake.note(outcome)
            ended.append(Ended(key, outcome, code, message, action_needed(outcome, code)))
            if self._letters.keeps(outcome):
                event = work.event(key.event_id, key.offset)
                letters.append(self._letters.letter(key, Content(event)))
        packed = [
            (target.number, batch.filtered_hashes(i)) for i, target in enumerate(self._targets)
        ]
        packed = [row for row in packed if row[1]]
        if ended or packed:
            self._ledger.note_ended(ended, letters, packed, self._takes)

    def _key(self, work: Work, sub: int, event_id: str, hash_: int, line: int, offset: int) -> Key:
        number, mapping = self._targets[sub]
        return Key(number, event_id, hash_, work.batch.source, line, offset, mapping)

    def _stands_ended(self, sub: int, key: Key, known: Standing) -> bool:
        """Whether what is known outlives that today's document ends the record."""
        if known.outcome is None and known.run != self._ledger.run:
            if not self._ledger.is_live(known.run):
                self._hold([known.run])
            self._twins.append((sub, key.event_id))
            return True
        sent = known.outcome in ("delivered", "unconfirmed")
        if sent or known.outcome not in self._takes.outcomes:
            self._count_standing(sub, known)
            return True
        return False

    def _choose(self, work: Work) -> None:
        """Records to claim go to the pending ones; the rest is counted."""
        rows = work.batch.keys()
        keys = [(row[0], self._key(work, *row)) for row in rows]
        standing = self._standing(keys)
        for i, (sub, key) in enumerate(keys):
            known = standing.get((sub, key.event_id))
            identity = (sub, key.event_id)
            if identity in self._pending_ids:
                self._twins.append(identity)
            elif known is None or self._takes_up(sub, key, known):
                self._pending_ids.add(identity)
                in_doubt = known is not None and known.outcome in (None, "unconfirmed")
                self._pending.append(Item(sub, key, work, i, in_doubt))

    def _standing(self, keys: list[tuple[int, Key]]) -> dict[tuple[int, str], Standing]:
        found = {}
        for sub, target in enumerate(self._targets):
            wanted = [key.event_id for s, key in keys if s == sub]
            if wanted:
                known = self._ledger.look_up(target.number, wanted)
                found.update({(sub, event_id): one for event_id, one in known.items()})
        return found

    def _takes_up(self, sub: int, key: Key, known: Standing) -> bool:
        """True where a record is to be sent again; else what stands is counted."""
        own = known.run == self._ledger.run
        if known.outcome is None:
            if not own and self._is_dead(known.run) and self._resend:
                return True
            self._twins.append((sub, key.event_id))  # another run's, or the same event again
            return False
        if known.outcome in self._takes.outcomes and not (own and known.outcome == "delivered"):
            return True
        self._count_standing(sub, known)
        return False

    def _count_standing(self, sub: int, known: Standing) -> None:
        outcome = known.outcome or "waiting"
        again = outcome == "delivered"
        self._counts[sub].add("already_delivered" if again else outcome)
        new = known.run != self._ledger.run and outcome in FINAL
        if new and len(self.failed) < _FAILURES_SHOWN:
            self.failed.append(known.claim)

    # -- what dead runs left behind

    def _settle_the_dead(self) -> None:
        """What was on its way when a run died: sent again where that is safe, else told."""
        dead = self._ledger.dead_runs([target.number for target in self._targets])
        if self._resend:
            self._dead |= dead
        elif dead:
            self._hold(dead)

    def _is_dead(self, run: int) -> bool:
        if run in self._dead:
            return True
        if self._ledger.is_live(run):
            return False
        if self._resend:
            self._dead.add(run)
        else:
            self._hold([run])
        return True

    def _hold(self, runs: Iterable[int]) -> None:
        told = "an earlier run was killed while this record was on its way"
        numbers = [target.number for target in self._targets]
        self._ledger.hold_unconfirmed(numbers, runs, "E503", told)

    # -- signing in

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
        for sub, target in enumerate(self._targets):
            ids = [event_id for s, event_id in self._twins if s == sub]
            for begin in range(0, len(ids), _FAILURES_SHOWN):
                page = ids[begin : begin + _FAILURES_SHOWN]
                known = self._ledger.look_up(target.number, page)
                for event_id in page:
                    self._count_standing(sub, known.get(event_id, Standing(0, None, 0)))

    def _tell_progress(self) -> None:
        if self._progress is not None:
            self._progress(self._report)
