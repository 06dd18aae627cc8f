"""One run: events of a source, each taken to its outcome, each outcome kept in the ledger.

Records are claimed before their first byte leaves, at most twice as many as may be in flight at
once; a claim counts until its outcome is on the disk. Chunks are read, filtered and mapped by a
second thread, the ledger is written by a third. Nothing of a run lives outside it, so a killed run
loses only what the next one finds in the ledger.

However it ends, what is on its way is settled first: the requests come back, or are given up when
the grace of an Ending is over; then their outcomes are written, and what went wrong rises.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import groupby, islice
from operator import itemgetter

from ._core import Dispatcher
from .action_needed import action_needed
from .admission import Everything
from .auth import Credentials
from .brake import Brake
from .day_count import DayCount
from .dead_letters import Content, DeadLetters
from .ending import Ending
from .errors import AuthError, FieldpostError, LedgerError, SourceError
from .governor import Alone, Governor
from .intake import Intake, Part, Target
from .ledger import (
    Advanced,
    Claim,
    Fresh,
    Key,
    Ledger,
    Letter,
    Settled,
    Takes,
    Writer,
)
from .prefetch import Prefetch, Work
from .report import FAILURES, Counts, Report, Stopped

# What ends a run and is told by its report, since part of the work is done.
_TOLD = (AuthError, SourceError)
_NAP_S = 0.25  # the longest the loop stays away from Ctrl-C and from the token's age
_GLANCE_S = 0.002  # the same while the ledger is being written
_MOST_LATER = 10_000  # records that wait to be tried again before more of the source is read

Progress = Callable[[Report], None]


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
        events: Everything | None = None,
        ending: Ending,
        takes: Takes | None = None,
        letters: DeadLetters | None = None,
        brake: Brake | None = None,
        governor: Governor | None = None,
        day_count: DayCount | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._credentials = credentials
        self._report = report
        self._counts: list[Counts] = list(report.subscriptions.values())
        self._takes = takes or Takes()
        self._letters = letters or DeadLetters()
        self._brake = brake or Brake()
        self._governor = governor or Alone()
        self._day_count = day_count
        self._intake = Intake(
            ledger,
            targets,
            report,
            takes=self._takes,
            letters=self._letters,
            brake=self._brake,
            resend=resend,
            events=events,
        )
        self._progress = progress
        self._ending = ending
        # Claims asked for, whose outcome is neither on the disk nor on its way: what is on its way
        # is written together with the claims that take its place, or not at all.
        self._open = 0
        self._pending: deque[Part] = deque()  # to be claimed
        # claim -> its part and the claim of the part's first, until its outcome is on the disk
        self._sent: dict[int, tuple[Part, int]] = {}
        self._claimed: deque[tuple[Part, Sequence[Claim | None]]] = deque()  # to be offered
        self._answered: deque[tuple[Settled, float, int]] = deque()  # to be decided
        self._decided: list[Settled] = []  # outcomes to be written
        self._to_keep: list[Letter] = []
        self._postponed: dict[int, tuple[float, Part]] = {}  # claim -> when to offer it again
        self._later: list[tuple[float, int, Part]] = []  # a heap of what is due again, and when
        self._read_all = False
        self._quiet = True  # nothing came back from the network in the last turn
        self._header = ""
        self._failure: BaseException | None = None
        self._stopped: Stopped | None = None

    @property
    def failed(self) -> list[int]:
        """Claims of earlier runs that stand, and somebody has to look at: those met again."""
        return self._intake.failed

    # -- the loop

    def deliver(self, works: Iterable[Work]) -> None:
        """Take every batch to its outcomes; returns early when asked to end, or paused."""
        self._authorize(self._credentials.header())
        self._intake.settle_the_dead()
        self._count_the_day()
        prefetch = Prefetch(works)
        writer = Writer(self._ledger, self._takes)
        try:
            while self._goes_on() and self._turn(writer, prefetch):
                pass
        except BaseException as error:
            self._failure = error
        prefetch.stop()
        try:
            self._finish(writer)
        finally:
            prefetch.close()
        self._count_the_day()
        self._set_aside()
        self._intake.count_twins()
        self._tell_progress()
        if self._failure is not None and not isinstance(self._failure, _TOLD):
            raise self._failure

    def _goes_on(self) -> bool:
        self._stopped = self._ends()
        return not (
            self._ending.asked
            or self._failure
            or self._stopped
            or self._dispatcher.pause_code
            or len(self._dispatcher.paused) == len(self._counts)
        )

    def _ends(self) -> Stopped | None:
        return self._brake.reason(self._dispatcher.held_s)

    def _set_aside(self) -> None:
        """What is not sent any more today waits for the next run."""
        for part in [*self._pending, *(part for _, _, part in self._later)]:
            self._count("waiting", part.keys)
        self._pending.clear()
        self._later.clear()

    def _count_the_day(self) -> None:
        if self._day_count is not None:
            self._day_count.steer(self._dispatcher, now=True)

    def _turn(self, writer: Writer, prefetch: Prefetch) -> bool:
        """One turn; False when everything is decided and written."""
        self._take_up_what_is_due()
        if not self._pending and not self._read_all and len(self._later) < _MOST_LATER:
            busy = self._dispatcher.outstanding or self._decided or writer.busy
            idle = not (busy or self._later)
            there, work = prefetch.take(_NAP_S if idle else 0)
            if work is not None:
                self._pending.extend(self._intake.sort(work))
                self._tell_progress()
            self._read_all = there and work is None
        if self._dispatcher.used_up:
            self._set_aside()
        self._advance(writer)
        self._move(writer)
        return bool(
            self._pending
            or self._later
            or not self._read_all
            or self._dispatcher.outstanding
            or self._decided
            or writer.busy
        )

    def _take_up_what_is_due(self) -> None:
        """What the destination could not take is claimed and offered anew when its time comes."""
        now_s = time.monotonic()
        while self._later and self._later[0][0] <= now_s:
            _, _, part = heapq.heappop(self._later)
            self._intake.taken_up(part.keys[0])
            self._pending.append(part)

    def _advance(self, writer: Writer) -> None:
        """Hand outcomes to the writer and ask for claims, many at once where there are many."""
        window = self._dispatcher.capacity  # as large as the packs of today
        room = max(0, window - self._open + len(self._decided))
        ask = min(room, sum(len(part.keys) for part in islice(self._pending, room)))
        size = len(self._decided) + ask
        if not size or (size < window and not self._quiet):
            return
        self._put(writer, self._next(ask), self._intake.dead)

    def _next(self, count: int) -> list[Part]:
        """So many of the records that wait to be claimed."""
        parts: list[Part] = []
        while count:
            part = self._pending.popleft()
            if len(part.keys) > count:
                part, rest = part.split(count)
                self._pending.appendleft(rest)
            parts.append(part)
            count -= len(part.keys)
        return parts

    def _put(self, writer: Writer, parts: list[Part], dead: Iterable[int]) -> None:
        self._open += sum(len(part.keys) for part in parts) - len(self._decided)
        writer.put(self._decided, self._to_keep, [(part.keys, part) for part in parts], dead)
        self._decided, self._to_keep = [], []

    def _move(self, writer: Writer) -> None:
        """Let the network move, and take over what the writer has done."""
        self._governor.steer(self._dispatcher)
        for done in writer.take(self._may_wait_for(writer)):
            self._advanced(done)
        if self._dispatcher.outstanding:
            hurried = writer.busy or self._decided
            self._network(_GLANCE_S if hurried else min(_NAP_S, self._governor.every_s))
        else:
            self._quiet = True
            if self._later and not (self._pending or self._decided or writer.busy):
                time.sleep(min(_NAP_S, max(0.0, self._later[0][0] - time.monotonic())))
        self._tell_progress()
        if self._failure is None:
            self._keep_signed_in()

    def _may_wait_for(self, writer: Writer) -> float:
        """So many seconds at most: what it writes makes room, and the wire has nothing to do."""
        if self._dispatcher.in_flight or not writer.busy:
            return 0
        return _GLANCE_S if self._dispatcher.outstanding else _NAP_S

    def _network(self, timeout_s: float) -> None:
        if self._day_count is not None:
            self._day_count.steer(self._dispatcher)
        delivered, others = self._dispatcher.settle(timeout_s, Settled)
        self._decided += delivered
        self._answered += others
        self._quiet = not (delivered or others)
        if self._letters.keeps("delivered"):
            self._keep(delivered)
        while self._answered:
            row, retry_in_s, tries = self._answered.popleft()
            try:
                row = self._explained(row, retry_in_s, tries)
            finally:
                self._decided.append(row)

    def _advanced(self, done: Advanced) -> None:
        """What is on the disk counts; what it makes room for is sent."""
        self._claimed += done.claimed
        for outcome, settled in groupby(done.settled, itemgetter(0)):
            self._written(outcome, [one[-1] for one in settled])
        while self._claimed:
            self._offer(*self._claimed.popleft())

    def _written(self, outcome: str, claims: list[int]) -> None:
        """Count records by the outcome that is on the disk."""
        if len(self._counts) == 1 and (outcome != "waiting" or not self._postponed):
            deque(map(self._sent.pop, claims), 0)
            ended = len(claims)
            self._counts[0].add(outcome, ended)
        else:
            keys = self._ended(claims)
            ended = len(keys)
            self._count(outcome, keys)
        self._brake.note(outcome, ended)

    def _count(self, outcome: str, keys: list[Key]) -> None:
        for subscription, events in Counter(map(self._intake.subscription, keys)).items():
            self._counts[subscription].add(outcome, events)

    def _ended(self, claims: list[int]) -> list[Key]:
        """The records whose outcomes are written, without those that are to be tried again."""
        keys = []
        for claim in claims:
            part, first = self._sent.pop(claim)
            key = part.keys[claim - first]
            if (postponed := self._postponed.pop(claim, None)) is None:
                keys.append(key)
            else:
                due_s, again = postponed
                self._intake.postponed(key)
                heapq.heappush(self._later, (due_s, claim, again))
        return keys

    def _offer(self, part: Part, claims: Sequence[Claim | None]) -> None:
        """Give claimed records to the dispatcher."""
        if isinstance(claims, Fresh):
            numbers = range(claims.first, claims.first + len(claims))
            self._sent.update(dict.fromkeys(numbers, (part, claims.first)))
            self._dispatcher.offer_new(part.work.batch, part.first, len(claims), claims.first)
            return
        given = [(i, claim) for i, claim in enumerate(claims) if claim is not None]
        if len(given) < len(claims):
            for key, claim in zip(part.keys, claims, strict=True):
                if claim is None:
                    self._open -= 1
                    self._intake.twin(key)
        self._sent.update({claim[0]: (part, claim[0] - i) for i, claim in given})
        if given:
            offers = [(part.first + i, *claim, part.in_doubt, part.tries) for i, claim in given]
            self._dispatcher.offer(part.work.batch, offers)

    def _explained(self, settled: Settled, retry_in_s: float, tries: int) -> Settled:
        """The outcome of a record that was not delivered, as the ledger is to tell it."""
        part, index = self._record(settled.claim)
        name, needed = settled.outcome, settled.action_needed
        if name in FAILURES and self._letters.redacts:
            message = self._letters.hidden(settled.message, self._event(part, index))
            settled = settled._replace(message=message)
        if self._letters.keeps(name):
            self._keep([settled])
        if name == "invalid" and not needed:
            settled = settled._replace(action_needed=action_needed(name, settled.code))
        if name == "waiting" and retry_in_s >= 0:
            again = part.one(index, part.in_doubt or bool(settled.in_doubt), tries)
            self._postponed[settled.claim] = (time.monotonic() + retry_in_s, again)
        return settled

    def _keep(self, rows: list[Settled]) -> None:
        for row in rows:
            part, index = self._record(row.claim)
            content = self._content(part, index)
            self._to_keep.append(self._letters.letter(part.keys[index], content))

    def _record(self, claim: int) -> tuple[Part, int]:
        part, first = self._sent[claim]
        return part, claim - first

    @staticmethod
    def _event(part: Part, index: int) -> bytes | None:
        key = part.keys[index]
        return part.work.event(key.event_id, key.offset)

    def _content(self, part: Part, index: int) -> Content:
        batch, place = part.work.batch, part.first + index
        body, url, headers = batch.body(place), batch.url(place), batch.headers(place)
        return Content(self._event(part, index), body, url, headers)

    # -- the end

    def _finish(self, writer: Writer) -> None:
        """Settle what is on its way, write what is decided, tell why the run ended."""
        if self._failure or self._ending.asked or self._stopped:
            self._dispatcher.stop()
        self._settle_all(writer)
        writer.close()
        self._write_the_rest(writer)
        failure = self._failure
        if isinstance(failure, _TOLD):
            self._report.stopped = Stopped(failure.code, failure.without_code)
        elif self._dispatcher.pause_code:
            code, told = self._dispatcher.pause_code, self._dispatcher.pause_message
            self._report.stopped = Stopped(code, self._letters.hidden_of_all(code, told))
        elif self._stopped is None and self._day_count is not None:
            self._report.stopped = self._day_count.reason(self._dispatcher)
        else:
            self._report.stopped = self._stopped
        hidden = self._letters.hidden_of_all
        paused = self._dispatcher.paused
        self._report.pause((at, code, hidden(code, told), do) for at, code, told, do in paused)
        self._report.interrupted = self._ending.asked

    def _settle_all(self, writer: Writer) -> None:
        """Let what is on its way come back, and write it; without the ledger where that fails."""
        try:
            self._drain(writer)
        except BaseException as error:
            self._failure = self._failure or error
            try:
                self._drain_network()
            except BaseException as another:
                another.__cause__ = error
                self._failure = another

    def _drain(self, writer: Writer) -> None:
        if isinstance(self._failure, LedgerError):
            raise self._failure
        while self._dispatcher.outstanding or writer.busy or self._decided or self._claimed:
            if self._dispatcher.outstanding and not self._stopped:
                self._stopped = self._ends()
            if self._ending.asked or self._stopped:
                self._let_go()
            while self._claimed:
                self._offer(*self._claimed.popleft())
            if self._decided:
                self._put(writer, [], ())
            self._move(writer)

    def _drain_network(self) -> None:
        """Without a ledger nothing may start, but what is on its way still comes back."""
        while self._dispatcher.outstanding:
            self._let_go()
            self._network(_NAP_S)

    def _let_go(self) -> None:
        """Start nothing; and when the grace is over, wait for no answer."""
        if self._ending.left_s > 0:
            self._dispatcher.stop()
        else:
            self._dispatcher.hang_up()

    def _write_the_rest(self, writer: Writer) -> None:
        """One last try, where the ledger failed; else the next run finds these claims undecided."""
        settled, letters = writer.unwritten()
        settled = [*settled, *self._decided, *(row for row, *_ in self._answered)]
        for part, claims in self._claimed:
            settled += [_not_sent(part, claim) for claim in claims if claim is not None]
        if settled:
            with suppress(LedgerError):
                self._ledger.advance(settled, [*letters, *self._to_keep], (), (), self._takes)

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

    def _tell_progress(self) -> None:
        """One that fails ends the run, and hears no more of it."""
        if (progress := self._progress) is not None:
            self._progress = None
            progress(self._report)
            self._progress = progress


def _not_sent(part: Part, claim: Claim) -> Settled:
    """The outcome of a claim that was never offered."""
    doubt = int(part.in_doubt)
    return Settled("waiting", "", claim.attempts, 0, "", "", "", "", "", 0.0, doubt, claim.claim)
