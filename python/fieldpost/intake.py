"""What of a source is to be sent; what ended before delivery, or stands already, is counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .action_needed import action_needed
from .admission import Admission, Admitted, Everything
from .brake import Brake
from .dead_letters import Content, DeadLetters
from .former_ids import recognise
from .ledger import FINAL, Ended, Key, Ledger, Standing, Takes
from .prefetch import Work
from .report import Counts, Report

_FAILURES_SHOWN = 1000


class Target(NamedTuple):
    """A subscription in the ledger: its number, and the version of its mapping."""

    number: int
    mapping: str


class Part(NamedTuple):
    """Records on their way, one behind the other in a batch.

    in_doubt: an earlier run may have had them delivered without hearing of it. tries: of one record
    that is offered once more in this run, so that its waits go on growing.
    """

    work: Work
    first: int  # place of the first in the batch
    keys: list[Key]
    in_doubt: bool = False
    tries: int = 0

    def split(self, count: int) -> tuple[Part, Part]:
        """The first so many, and the others."""
        work, first, keys, in_doubt, _ = self
        head = Part(work, first, keys[:count], in_doubt)
        return head, Part(work, first + count, keys[count:], in_doubt)

    def one(self, index: int, in_doubt: bool, tries: int) -> Part:
        """One record of it."""
        return Part(self.work, self.first + index, [self.keys[index]], in_doubt, tries)


class Intake:
    """Sorts batches for one run. resend: what a dead run may or may not have sent is sent again."""

    def __init__(
        self,
        ledger: Ledger,
        targets: list[Target],
        report: Report,
        *,
        takes: Takes,
        letters: DeadLetters,
        brake: Brake,
        resend: bool,
        events: Everything | None = None,
    ) -> None:
        self._ledger = ledger
        self._events = events or Everything()
        self._admission = Admission(takes, resend, ledger.run, self._is_live)
        self._targets = targets
        self._report = report
        self._counts: list[Counts] = list(report.subscriptions.values())
        self._takes = takes
        self._letters = letters
        self._brake = brake
        self._resend = resend
        self._twins: list[tuple[int, str]] = []
        self._subscriptions = {target.number: sub for sub, target in enumerate(targets)}
        # Where nothing is known yet there is nothing to look up: what somebody else notes meanwhile
        # is met when the claim is refused.
        self._known = [ledger.knows(target.number) for target in targets]
        self._postponed: set[tuple[Any, ...]] = set()  # to be tried again later in this run
        self.dead: set[int] = set()  # runs that ended with claims undecided
        self.failed: list[int] = []  # claims of earlier runs that stand and were met again

    def postponed(self, key: Key) -> None:
        """A record waits to be tried again: the same event again is its twin."""
        self._postponed.add(key[:2])

    def taken_up(self, key: Key) -> None:
        """A postponed record is about to be claimed again."""
        self._postponed.discard(key[:2])

    def subscription(self, key: Key) -> int:
        """Whose record it is."""
        return self._subscriptions[key.target]

    def twin(self, key: Key) -> None:
        """Somebody else has the claim of this record: it counts as what that one comes to."""
        self._twins.append((self.subscription(key), key.event_id))

    def sort(self, work: Work) -> list[Part]:
        """Count what ends here or stands already; the records that are to be claimed."""
        batch = work.batch
        known = [(sub, target.number) for sub, target in enumerate(self._targets)]
        recognise(batch, self._ledger, [one for one in known if self._known[one[0]]])
        self._report.received += self._events.received(batch)
        self._report.by_place += self._events.by_place(batch)
        for index, counts in enumerate(self._counts):
            counts.add("filtered", self._events.filtered(batch, index))
        self._note_ended(work)
        return self._choose(work)

    def _note_ended(self, work: Work) -> None:
        batch = work.batch
        rows = [row for row in batch.ended() if self._events.has(row[1])]
        keys = [(row[0], self._key(work, *row[:5])) for row in rows]
        standing = self._standing(keys)
        ended, letters = [], []
        for (sub, key), (*_, outcome, code, message) in zip(keys, rows, strict=True):
            if not self._is_taken(sub, key, standing.get((sub, key.event_id)), ended=True).taken:
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
        packed = [row for row in packed if row[1] and self._events.takes_new()]
        if ended or packed:
            self._ledger.note_ended(ended, letters, packed, self._takes)

    def _key(self, work: Work, sub: int, event_id: str, hash_: int, line: int, offset: int) -> Key:
        number, mapping = self._targets[sub]
        return Key(number, event_id, hash_, work.batch.source, line, offset, mapping)

    def _is_taken(self, sub: int, key: Key, known: Standing | None, *, ended: bool) -> Admitted:
        """How an event is admitted; one that is not taken is counted."""
        if known is None and not self._events.takes_new():
            self._counts[sub].add("waiting")
            return Admitted()
        found = self._admission.of(known, ended)
        if found.taken:
            if found.dead:
                self.dead.add(found.dead)
            return found
        if found.dead and known is not None:
            # Others of that run are sent again, where that is safe.
            self._hold([found.dead], [known.claim] if self._resend else ())
        if found.stands and known is not None:
            self._count_standing(sub, known)
        else:
            self._twins.append((sub, key.event_id))
        return found

    def _choose(self, work: Work) -> list[Part]:
        """The records to claim; the rest is counted.

        The same event twice needs no care here: its second claim is refused by the ledger.
        """
        keys = work.batch.rows(Key, self._targets)
        if not keys:
            return []
        if not self._events.takes_new():
            return self._choose_among(work, keys)
        subs = [self._subscriptions[key[0]] for key in keys] if any(self._known) else []
        standing = self._standing(list(zip(subs, keys, strict=True))) if subs else {}
        if not standing and not self._postponed:
            return [Part(work, 0, keys)]
        return self._parts(work, enumerate(keys), standing)

    def _choose_among(self, work: Work, keys: list[Key]) -> list[Part]:
        """The same of the events that are looked at."""
        chosen = [(place, key) for place, key in enumerate(keys) if self._events.has(key.event_id)]
        standing = self._standing([(self.subscription(key), key) for _, key in chosen])
        return self._parts(work, chosen, standing)

    def _parts(
        self,
        work: Work,
        placed: Iterable[tuple[int, Key]],
        standing: dict[tuple[int, str], Standing],
    ) -> list[Part]:
        parts: list[Part] = []
        for place, key in placed:
            sub = self.subscription(key)
            if key[:2] in self._postponed:
                self._twins.append((sub, key.event_id))
                continue
            found = self._is_taken(sub, key, standing.get((sub, key.event_id)), ended=False)
            if found.taken:
                _append(parts, Part(work, place, [key], found.in_doubt))
        return parts

    def _standing(self, keys: list[tuple[int, Key]]) -> dict[tuple[int, str], Standing]:
        found = {}
        for sub, target in enumerate(self._targets):
            wanted = [key.event_id for s, key in keys if s == sub] if self._known[sub] else []
            if wanted:
                known = self._ledger.look_up(target.number, wanted)
                found.update({(sub, event_id): one for event_id, one in known.items()})
        return found

    def _count_standing(self, sub: int, known: Standing) -> None:
        outcome = known.outcome or "waiting"
        again = outcome == "delivered"
        self._counts[sub].add("already_delivered" if again else outcome)
        new = known.run != self._ledger.run and outcome in FINAL
        if new and len(self.failed) < _FAILURES_SHOWN:
            self.failed.append(known.claim)

    # -- what dead runs left behind

    def settle_the_dead(self) -> None:
        """What was on its way when a run died: sent again where that is safe, else told."""
        dead = self._ledger.dead_runs([target.number for target in self._targets])
        if self._resend:
            self.dead |= dead
        elif dead:
            self._hold(dead)

    def _is_live(self, run: int) -> bool:
        return run not in self.dead and self._ledger.is_live(run)

    def _hold(self, runs: Iterable[int], claims: Sequence[int] = ()) -> None:
        told = "an earlier run was killed while this record was on its way"
        numbers = [target.number for target in self._targets]
        self._ledger.hold_unconfirmed(numbers, runs, "E503", told, claims)

    # -- the same event twice in one run, or claimed by another

    def count_twins(self) -> None:
        """Count each twin as what the ledger says of the event by now."""
        for sub, target in enumerate(self._targets):
            ids = [event_id for s, event_id in self._twins if s == sub]
            for begin in range(0, len(ids), _FAILURES_SHOWN):
                page = ids[begin : begin + _FAILURES_SHOWN]
                known = self._ledger.look_up(target.number, page)
                for event_id in page:
                    self._count_standing(sub, known.get(event_id, Standing(0, None, 0)))


def _append(parts: list[Part], record: Part) -> None:
    """Join a record to the last part where it lies behind it."""
    last = parts[-1] if parts else None
    joins = (
        last is not None
        and last.first + len(last.keys) == record.first
        and last.in_doubt == record.in_doubt
    )
    if last is not None and joins:
        last.keys.extend(record.keys)
    else:
        parts.append(record)
