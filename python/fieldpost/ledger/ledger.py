"""The memory between runs: what a run does with it. How, SqliteLedger and PostgresLedger say."""

from __future__ import annotations

import json
import time
import uuid
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .former_target import IsOlder, join, never, rename
from .notes import Notes
from .reading import NOT_DELIVERED
from .rows import (
    OPEN,
    About,
    Claim,
    Ended,
    Key,
    Letter,
    Settled,
    Standing,
    Takes,
    known_as,
    plain_keys,
)
from .store import quoted
from .transaction import Transaction
from .upkeep import Upkeep

LOOK = "look in the destination whether it arrived; then `settle` it, or `replay` to send it again"


class Ledger(Upkeep, Notes):
    """Runs, claims and outcomes of the destinations that share one store."""

    # -- runs

    def begin_run(self, about: About) -> str:
        """Note a new run, hold its lock, and return its public id."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime(self._clock()))
        run = stamp + uuid.uuid4().hex[:6]

        def work(transaction: Transaction) -> int:
            transaction.run(
                "INSERT INTO runs (verb, destination, document_hash, version, host,"
                ' "user", airflow, run, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
                " ON CONFLICT (run) DO NOTHING",
                (*about, run, self._clock()),
            )
            number = int(transaction.rows("SELECT number FROM runs WHERE run = ?", (run,))[0][0])
            self._hold(transaction, number)
            return number

        self.run = self._write(work)
        return run

    def end_run(self, counts: dict[str, Any]) -> None:
        """Note what the run in progress came to."""
        values = (self._clock(), json.dumps(counts), self.run)
        self._write(
            lambda transaction: transaction.run(
                "UPDATE runs SET ended = ?, counts = ? WHERE number = ?", values
            )
        )

    def target(
        self,
        destination: str,
        subscription: str,
        url: str,
        is_older: IsOlder = never,
        keeps_older: bool = False,
    ) -> int:
        """The number of a target, made where it is new; one that nothing has, for who looks.

        is_older: whether an address is what this one was called before; what is known under such
        a one goes on as `url`. keeps_older: that address stays among `addresses`.
        """
        key = (destination, subscription, url)
        found = self._find_target(key)
        older = self._older_targets(destination, subscription, is_older)
        if self.looking:
            number = found if found is not None else next(iter(older), None)
            self._unknown += number is None
            return -self._unknown if number is None else number
        if found is None and older:
            former = next(iter(older))
            former_url = older.pop(former)
            kept = former_url if keeps_older else ""
            self._write(lambda transaction: rename(transaction, former, url, kept))
        elif found is None:
            self._write(
                lambda transaction: transaction.run(
                    "INSERT INTO targets (destination, subscription, url) VALUES (?, ?, ?)"
                    " ON CONFLICT DO NOTHING",
                    key,
                )
            )
        found = self._find_target(key)
        assert found is not None
        self._join(found, {one: url if keeps_older else "" for one, url in older.items()})
        return found

    def _join(self, target: int, older: dict[int, str]) -> None:
        """Move what is known under former addresses, but where an earlier fieldpost is at work.

        older: by number, the address that is kept, or "".
        """
        for former, kept in older.items():
            if any(map(self.is_live, self._undecided_of(former))):
                continue

            def work(transaction: Transaction, former: int = former, kept: str = kept) -> None:
                self._spread(transaction)
                join(transaction, target, former, kept)

            self._write(work)

    # -- a run's work

    def dead_runs(self, targets: Sequence[int]) -> set[int]:
        """Runs that ended while something of these targets was claimed and not decided."""
        found = {run for target in targets for run in self._undecided_of(target)}
        return {run for run in found if not self.is_live(run)}

    def _undecided_of(self, target: int) -> set[int]:
        """The runs that have claimed something of a target and not decided it."""
        rows = self._rows(
            "SELECT DISTINCT o.run FROM outcomes AS o"
            f" WHERE o.target = ? AND {NOT_DELIVERED} AND o.outcome IS NULL"
            " UNION SELECT run FROM open_claims WHERE target = ?",
            (target, target),
        )
        return {int(row[0]) for row in rows}

    def hold_unconfirmed(
        self,
        targets: Sequence[int],
        runs: Iterable[int],
        code: str,
        message: str,
        claims: Sequence[int] = (),
    ) -> None:
        """Mark what dead runs have claimed: it may have been sent, nobody knows.

        claims: of these only.
        """
        only = f" AND o.claim IN ({', '.join(map(str, claims))})" if claims else ""
        values = [
            (code, message, LOOK, self._clock(), target, run) for run in runs for target in targets
        ]

        def work(transaction: Transaction) -> None:
            self._spread(transaction)
            transaction.many(
                "UPDATE outcomes AS o SET outcome = 'unconfirmed', code = ?, message = ?,"
                f" action_needed = ?, decided = ? WHERE o.target = ? AND {NOT_DELIVERED}"
                f" AND o.outcome IS NULL AND o.run = ?{only}",
                values,
            )

        self._write(work)

    def knows(self, target: int) -> bool:
        """Whether anything is noted of this target."""
        return any(
            self._rows(f"SELECT 1 FROM {rows} WHERE target = ? LIMIT 1", (target,))
            for rows in ("open_claims", "outcomes")
        )

    def look_up(self, target: int, event_ids: Iterable[str]) -> dict[str, Standing]:
        """What is known of these events, by the text they were asked for."""
        wanted = {known_as(event_id): event_id for event_id in event_ids}
        return {wanted[row[0]]: Standing(*row[1:]) for row in self._look_up(target, list(wanted))}

    @abstractmethod
    def _look_up(self, target: int, event_ids: list[str]) -> list[Any]:
        """(event id, claim, outcome, run) of the known ones among these."""

    def note_ended(
        self,
        ended: Sequence[Ended],
        letters: Sequence[Letter],
        filtered: Sequence[tuple[int, bytes]],
        takes: Takes,
    ) -> None:
        """Write what ended before delivery, and the hashes of what the filters refused.

        What may have been sent keeps its outcome.
        """
        over = [one for one in takes.outcomes if one not in ("delivered", "unconfirmed")]
        now = self._clock()
        ended = sorted(ended, key=lambda one: one.key[:2])
        rows = [
            (*key, one.outcome, one.code, one.message, one.action_needed, now)
            for key, one in zip(plain_keys([one.key for one in ended]), ended, strict=True)
        ]

        def work(transaction: Transaction) -> None:
            if rows:
                self._spread(transaction)
            transaction.many(
                'INSERT INTO outcomes (target, event_id, hash, source, line, "offset", mapping,'
                " outcome, code, message, action_needed, decided, run)"
                f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {self.run})"
                " ON CONFLICT (target, event_id) DO UPDATE SET outcome = excluded.outcome,"
                " code = excluded.code, message = excluded.message, mapping = excluded.mapping,"
                " action_needed = excluded.action_needed, decided = excluded.decided,"
                " run = excluded.run, http_status = 0, record_id = '', request_id = ''"
                f" WHERE outcomes.outcome IN ({quoted(over)})",
                rows,
            )
            self._put_letters(transaction, letters)
            transaction.many("INSERT INTO filtered (target, hashes) VALUES (?, ?)", filtered)

        self._write(work)

    def advance(
        self,
        settled: Sequence[Settled],
        letters: Sequence[Letter],
        wanted: Sequence[Key],
        dead_runs: Iterable[int],
        takes: Takes,
    ) -> Sequence[Claim | None]:
        """In one transaction: write outcomes, and claim records before their first byte leaves.

        None where somebody else has it or it is decided meanwhile. What a run in `dead_runs` had
        claimed is taken over. An outcome is not written where another run took the claim over.
        """
        keys = plain_keys(wanted)
        dead = list(dead_runs)

        def work(transaction: Transaction) -> Sequence[Claim | None]:
            if settled:
                self._settle(transaction, settled)
                if letters:
                    self._put_letters(transaction, letters)
                self._drop_letters(transaction, settled, letters)
            # A step done again may find its own claims; nobody else can hold them.
            own = [self.run] if transaction.again else []
            return self._claim(transaction, keys, [*dead, *own], takes) if keys else []

        return self._take_step(work, settled, letters, keys)

    def _take_step(
        self,
        work: Callable[[Transaction], Sequence[Claim | None]],
        settled: Sequence[Settled],
        letters: Sequence[Letter],
        keys: list[Any],
    ) -> Sequence[Claim | None]:
        """Do a step's work; the rest is what it is about, for a store that knows a shorter way."""
        return self._write(work)

    @abstractmethod
    def _settle(self, transaction: Transaction, settled: Sequence[Settled]) -> None:
        """Write outcomes of this run's claims."""

    @abstractmethod
    def _claim(
        self, transaction: Transaction, keys: list[Any], dead: list[int], takes: Takes
    ) -> Sequence[Claim | None]:
        """Claim, in the order of `keys`; of equal ones only the first."""

    def _claim_sql(self, values: str, dead: str, takes: Takes) -> str:
        first_try = (
            "excluded.first_try, attempts = 0"
            if takes.anew
            else "coalesce(outcomes.first_try, excluded.first_try)"
        )
        return (
            'INSERT INTO outcomes (target, event_id, hash, source, line, "offset", mapping,'
            f" first_try, run) {values}"
            " ON CONFLICT (target, event_id) DO UPDATE SET outcome = NULL, run = excluded.run,"
            ' source = excluded.source, line = excluded.line, "offset" = excluded."offset",'
            " mapping = excluded.mapping, code = '', message = '', action_needed = '',"
            f" first_try = {first_try}"
            f" WHERE (outcomes.outcome IN ({quoted(takes.outcomes)})"
            f" AND (outcomes.run <> {self.run} OR outcomes.outcome IN ({quoted(OPEN)})))"
            f" OR (outcomes.outcome IS NULL AND outcomes.run IN {dead})"
        )

    def _put_letters(self, transaction: Transaction, letters: Sequence[Letter]) -> None:
        transaction.many(
            "INSERT INTO letters (claim, event, body, url, headers, redacted, identity)"
            " SELECT claim, ?, ?, ?, ?, ?, ? FROM outcomes"
            f" WHERE target = ? AND event_id = ? AND run = {self.run}"
            " ON CONFLICT (claim) DO UPDATE SET event = excluded.event, body = excluded.body,"
            " url = excluded.url, headers = excluded.headers, redacted = excluded.redacted,"
            " identity = excluded.identity",
            [
                (
                    *(one.event, one.body, one.url, one.headers, int(one.redacted), one.identity),
                    *(one.target, known_as(one.event_id)),
                )
                for one in letters
            ],
        )

    def _drop_letters(
        self, transaction: Transaction, settled: Sequence[Settled], letters: Sequence[Letter]
    ) -> None:
        """A letter of an earlier run is of no use once its record arrived."""
        if not self._has_letters(transaction):
            return
        # Where everything is kept, what arrived has a letter of its own.
        kept = {row[0] for row in self._claims_of(transaction, letters)}
        done = [one.claim for one in settled if one.outcome == "delivered"]
        if kept:
            done = [claim for claim in done if claim not in kept]
        if done:
            self._delete_letters(transaction, done)

    def _claims_of(self, transaction: Transaction, letters: Sequence[Letter]) -> Iterator[Any]:
        for one in letters:
            yield from transaction.rows(
                "SELECT claim FROM outcomes WHERE target = ? AND event_id = ?",
                (one.target, known_as(one.event_id)),
            )
