"""The memory between runs: what every store can do. SqliteLedger and PostgresLedger say how.

Opens on first use; not to be carried into a forked child. Calls may come from several threads and
take turns. Every step is one short transaction, and each may be done twice without harm: a store
repeats a step whose end it could not hear.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from .._core import count_distinct
from .rows import (
    FINAL,
    OPEN,
    About,
    Claim,
    Ended,
    Kept,
    Key,
    Letter,
    Settled,
    Standing,
    Takes,
    known_as,
    plain_keys,
)
from .transaction import Transaction

T = TypeVar("T")

LOOK = "look in the destination whether it arrived; then `settle` it, or `replay` to send it again"
_NOT_DELIVERED = "(o.outcome IS NULL OR o.outcome <> 'delivered')"  # as the index says it
_COLUMNS = (
    'o.event_id, o.source, o.line, o."offset", t.subscription,'
    " coalesce(o.outcome, 'waiting') AS outcome, o.effect, o.attempts, o.http_status, o.code,"
    " o.message, o.action_needed, o.record_id, o.request_id, o.latency_ms, r.run, o.mapping"
)
_PAGE = 500  # rows with letters held at once
_MESSAGES_HOLD_S = 7 * 86_400.0  # an environment may be taught more
_LARGEST_PACK = 128 << 20  # bytes


class Ledger(ABC):
    """Runs, claims and outcomes of the destinations that share one store."""

    def __init__(self, name: str, clock: Callable[[], float] = time.time) -> None:
        self.name = name  # for messages; holds no secret
        self.run = 0  # number of the run in progress
        self._clock = clock
        self._turn = threading.RLock()

    @property
    def meeting_place(self) -> str:
        """The address of a database where several machines meet; "" where none do."""
        return ""

    # -- what a store brings

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a ledger; reading does not make one."""

    @abstractmethod
    def prepare(self) -> None:
        """Open it, made or taken to today's schema if need be."""

    @property
    @abstractmethod
    def version(self) -> int:
        """The schema's number, as the store stands; 0 for none."""

    @abstractmethod
    def close(self) -> None:
        """Close it and end the run's claim to be alive."""

    @abstractmethod
    def is_live(self, run: int) -> bool:
        """Whether run `run` still works on what it has claimed."""

    @abstractmethod
    def _write(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in one transaction, again where its end could not be heard."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of a question of ours."""

    @abstractmethod
    def _asked(self, sql: str, values: Sequence[Any], where: str) -> Iterator[dict[str, Any]]:
        """Rows of a question with somebody's `where` in it: read-only, streamed, in turn."""

    @abstractmethod
    def _by_keys(self, transaction: Transaction) -> None:
        """What follows in a transaction asks for rows by their keys alone."""

    @abstractmethod
    def _has_letters(self, transaction: Transaction) -> bool:
        """Whether there may be letters to delete."""

    @abstractmethod
    def _hold(self, transaction: Transaction, run: int) -> None:
        """Say that run `run` is alive, until close() or the end of the process."""

    @abstractmethod
    def _spread(self, transaction: Transaction) -> None:
        """Make every claim a row of `outcomes`, where a store keeps some elsewhere."""

    @abstractmethod
    def _hashes_of_outcomes(self, target: int) -> bytes:
        """The native 64-bit hashes of a target's rows, packed."""

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

    def count_operations(self, user: str, day: str, number: int) -> int:
        """Add to what was asked of a destination as this user on this day; returns the sum."""

        def work(transaction: Transaction) -> int:
            if number:
                transaction.run(
                    'INSERT INTO operations ("user", day, number) VALUES (?, ?, ?)'
                    ' ON CONFLICT ("user", day)'
                    " DO UPDATE SET number = operations.number + excluded.number",
                    (user, day, number),
                )
            rows = transaction.rows(
                'SELECT number FROM operations WHERE "user" = ? AND day = ?', (user, day)
            )
            return int(rows[0][0]) if rows else 0

        return self._write(work)

    def operations(self) -> list[tuple[str, str, int]]:
        """(user, day, operations) that were asked of destinations, the latest days first."""
        rows = self._rows('SELECT "user", day, number FROM operations ORDER BY day DESC, "user"')
        return [(str(user), str(day), int(number)) for user, day, number in rows]

    def bulk_messages(self, environment: str) -> dict[tuple[str, str], bool]:
        """Whether an environment takes (table, message), where that was noted not long ago."""
        rows = self._rows(
            "SELECT entity, message, taken FROM bulk_messages WHERE environment = ? AND noted > ?",
            (environment, self._clock() - _MESSAGES_HOLD_S),
        )
        return {(str(table), str(message)): bool(taken) for table, message, taken in rows}

    def note_bulk_messages(self, environment: str, told: dict[tuple[str, str], bool]) -> None:
        """Remember whether an environment takes (table, message)."""
        rows = [(environment, *one, int(taken), self._clock()) for one, taken in told.items()]

        def work(transaction: Transaction) -> None:
            for row in rows:
                transaction.run(
                    "INSERT INTO bulk_messages (environment, entity, message, taken, noted)"
                    " VALUES (?, ?, ?, ?, ?) ON CONFLICT (environment, entity, message)"
                    " DO UPDATE SET taken = excluded.taken, noted = excluded.noted",
                    row,
                )

        self._write(work)

    def target(self, destination: str, subscription: str, url: str) -> int:
        """The number of a target, made where it is new."""
        key = (destination, subscription, url)
        found = self._find_target(key)
        if found is None:
            self._write(
                lambda transaction: transaction.run(
                    "INSERT INTO targets (destination, subscription, url) VALUES (?, ?, ?)"
                    " ON CONFLICT DO NOTHING",
                    key,
                )
            )
            found = self._find_target(key)
        assert found is not None
        return found

    def _find_target(self, key: tuple[str, str, str]) -> int | None:
        rows = self._rows(
            "SELECT target FROM targets WHERE destination = ? AND subscription = ? AND url = ?", key
        )
        return int(rows[0][0]) if rows else None

    # -- a run's work

    def dead_runs(self, targets: Sequence[int]) -> set[int]:
        """Runs that ended while something of these targets was claimed and not decided."""
        found = set()
        for target in targets:
            rows = self._rows(
                "SELECT DISTINCT o.run FROM outcomes AS o"
                f" WHERE o.target = ? AND {_NOT_DELIVERED} AND o.outcome IS NULL"
                " UNION SELECT run FROM open_claims WHERE target = ?",
                (target, target),
            )
            found |= {int(row[0]) for row in rows}
        return {run for run in found if not self.is_live(run)}

    def hold_unconfirmed(
        self, targets: Sequence[int], runs: Iterable[int], code: str, message: str
    ) -> None:
        """Mark what dead runs have claimed: it may have been sent, nobody knows."""
        values = [
            (code, message, LOOK, self._clock(), target, run) for run in runs for target in targets
        ]

        def work(transaction: Transaction) -> None:
            self._spread(transaction)
            transaction.many(
                "UPDATE outcomes AS o SET outcome = 'unconfirmed', code = ?, message = ?,"
                f" action_needed = ?, decided = ? WHERE o.target = ? AND {_NOT_DELIVERED}"
                " AND o.outcome IS NULL AND o.run = ?",
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
                f" WHERE outcomes.outcome IN ({_quoted(over)})",
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
            self._by_keys(transaction)
            if settled:
                self._settle(transaction, settled)
                if letters:
                    self._put_letters(transaction, letters)
                self._drop_letters(transaction, settled, letters)
            # A step done again may find its own claims; nobody else can hold them.
            own = [self.run] if transaction.again else []
            return self._claim(transaction, keys, [*dead, *own], takes) if keys else []

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
            f" WHERE (outcomes.outcome IN ({_quoted(takes.outcomes)})"
            f" AND (outcomes.run <> {self.run} OR outcomes.outcome IN ({_quoted(OPEN)})))"
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

    @abstractmethod
    def _delete_letters(self, transaction: Transaction, claims: list[int]) -> None:
        """Forget the letters of these claims, most of which have none."""

    def _claims_of(self, transaction: Transaction, letters: Sequence[Letter]) -> Iterator[Any]:
        for one in letters:
            yield from transaction.rows(
                "SELECT claim FROM outcomes WHERE target = ? AND event_id = ?",
                (one.target, known_as(one.event_id)),
            )

    # -- reading

    def counts(self, destination: str, subscription: str, url: str) -> dict[str, int]:
        """How many events of a target stand at each outcome; undecided ones are `waiting`."""
        target = self._find_target((destination, subscription, url))
        if target is None:
            return {}
        # One statement, so that a run at work meanwhile does not make the numbers disagree.
        rows = self._rows(
            "SELECT coalesce(o.outcome, 'waiting'), count(*) FROM outcomes AS o"
            f" WHERE o.target = ? AND {_NOT_DELIVERED} GROUP BY 1"
            " UNION ALL SELECT 'all', count(*) FROM outcomes AS o WHERE o.target = ?"
            " UNION ALL SELECT 'claimed', count(*) FROM open_claims AS o WHERE o.target = ?",
            (target, target, target),
        )
        counts = {outcome: int(events) for outcome, events in rows}
        rows_in_all, claimed = counts.pop("all"), counts.pop("claimed")
        counts["delivered"] = rows_in_all - sum(counts.values())
        counts["waiting"] = counts.get("waiting", 0) + claimed
        return counts | {"filtered": self._count_filtered(target)}

    def _count_filtered(self, target: int) -> int:
        packs = self._rows("SELECT hashes FROM filtered WHERE target = ?", (target,))
        if not packs:
            return 0
        return count_distinct([bytes(row[0]) for row in packs], self._hashes_of_outcomes(target))

    def merge_filtered(self, targets: Sequence[int]) -> None:
        """Join packs of about the same size, so that reading a source again adds nothing."""
        for target in targets:
            sizes = self._rows(
                "SELECT pack, length(hashes) FROM filtered WHERE target = ? ORDER BY 2", (target,)
            )
            chosen = _to_merge([(int(pack), int(size)) for pack, size in sizes])
            if len(chosen) > 1:
                self._write(partial(_merge, target=target, chosen=chosen))

    def outcomes(
        self,
        destination: str,
        where: str = "",
        event_id: str | None = None,
        claims: Sequence[int] | None = None,
        failed_in: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The current outcomes of a destination; `where` is SQL over their columns.

        claims: of these only. failed_in: what that run decided and somebody has to look at.
        """
        if claims is not None and not claims:
            return
        conditions, values = "t.destination = ?", [destination]
        if failed_in is not None:
            conditions += (
                f" AND {_NOT_DELIVERED} AND o.outcome <> 'dropped' AND o.run = {failed_in}"
            )
        if event_id is not None:
            conditions += " AND o.event_id = ?"
            values.append(known_as(event_id))
        if claims is not None:
            conditions += f" AND o.claim IN ({', '.join(str(int(one)) for one in claims)})"
        sql = (
            f"SELECT {_COLUMNS}, o.claim AS claim_ FROM {{rows}} AS o"
            " JOIN targets AS t ON t.target = o.target"
            f" JOIN runs AS r ON r.number = o.run WHERE {conditions}"
        )
        for row in self._asked(sql, values, where):
            del row["claim_"]
            yield row

    def latencies_ms(self, destination: str, most: int) -> list[float]:
        """How long the newest deliveries took that needed one try, which holds no waiting."""
        rows = self._rows(
            "SELECT o.latency_ms FROM outcomes AS o JOIN targets AS t ON t.target = o.target"
            " WHERE t.destination = ? AND o.outcome = 'delivered' AND o.attempts = 1"
            " AND o.latency_ms > 0 ORDER BY o.claim DESC LIMIT ?",
            (destination, most),
        )
        return [float(latency_ms) for (latency_ms,) in rows]

    def failures(
        self,
        destination: str,
        limit: int = 1000,
        run: int | None = None,
        standing: Sequence[int] = (),
    ) -> list[dict[str, Any]]:
        """Outcomes that somebody has to look at, by reason; each with its newest row.

        run: of this run only, and of the claims that `standing` names.
        """
        of_run = ""
        if run is not None:
            named = ", ".join(str(int(one)) for one in standing) or "0"
            of_run = f" AND (o.run = {int(run)} OR o.claim IN ({named}))"
        rows = self._rows(
            "SELECT t.subscription, coalesce(o.outcome, 'waiting'), o.http_status, o.code,"
            " o.action_needed, count(*), max(o.claim)"
            f" FROM (SELECT * FROM outcomes AS o WHERE {_NOT_DELIVERED}"
            "  UNION ALL SELECT * FROM open_claims) AS o"
            " JOIN targets AS t ON t.target = o.target"
            f" WHERE t.destination = ? AND (o.outcome IS NULL OR o.outcome <> 'dropped'){of_run}"
            " GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC, 7 LIMIT ?",
            (destination, limit),
        )
        names = ("subscription", "outcome", "http_status", "code", "action_needed", "count")
        samples = self._rows_of([int(row[6]) for row in rows])
        return [dict(zip(names, row, strict=False)) | samples.get(int(row[6]), {}) for row in rows]

    def _rows_of(self, claims: list[int]) -> dict[int, dict[str, Any]]:
        if not claims:
            return {}
        rows = self._rows(
            "SELECT o.claim, o.message, o.event_id, o.source, o.line"
            f" FROM {_rows_or_claims(claims)} AS o"
        )
        return {
            int(claim): {
                "message": message,
                "sample": {"event_id": event_id, "source": source, "line": line},
            }
            for claim, message, event_id, source, line in rows
        }

    # -- what somebody decides afterwards

    def choose(self, destination: str, where: str) -> list[int]:
        """The claims whose rows fit a condition, in the order in which they were made."""
        sql = (
            f"SELECT {_COLUMNS}, o.claim AS claim_ FROM {{rows}} AS o"
            " JOIN targets AS t ON t.target = o.target"
            " JOIN runs AS r ON r.number = o.run WHERE t.destination = ?"
        )
        return [int(row["claim_"]) for row in self._asked(sql, [destination], where)]

    def kept(self, claims: Sequence[int]) -> Iterator[Kept]:
        """The rows of some claims, with their letters."""
        for begin in range(0, len(claims), _PAGE):
            page = _rows_or_claims(claims[begin : begin + _PAGE])
            rows = self._rows(
                "SELECT o.claim, o.outcome, o.run, o.target, o.event_id, o.hash, o.source, o.line,"
                ' o."offset", o.mapping, l.event, l.body, l.url, l.headers, l.redacted, l.identity'
                f" FROM {page} AS o LEFT JOIN letters AS l ON l.claim = o.claim ORDER BY o.claim"
            )
            yield from (_kept(row) for row in rows)

    def settle_by_hand(
        self, claims: Sequence[int], outcome: str, message: str, may_be: Sequence[str]
    ) -> int:
        """Set the outcome of undelivered rows; returns how many. Live claims stay as they are."""
        alive: dict[int, bool] = {}
        chosen = []
        for row in self.kept(claims):
            if row.outcome is None:
                if row.run not in alive:
                    alive[row.run] = self.is_live(row.run)
                if not alive[row.run] and "waiting" in may_be:
                    chosen.append(row.claim)
            elif row.outcome in may_be:
                chosen.append(row.claim)
        now = self._clock()

        def work(transaction: Transaction) -> None:
            self._spread(transaction)
            transaction.many(
                "UPDATE outcomes SET outcome = ?, message = ?, code = '', action_needed = '',"
                " effect = '', decided = ? WHERE claim = ?"
                " AND (outcome IS NULL OR outcome <> 'delivered')",
                [(outcome, message, now, claim) for claim in chosen],
            )
            if outcome == "delivered":
                self._delete_letters(transaction, chosen)

        self._write(work)
        return len(chosen)

    def release(self, claims: Sequence[int], code: str, message: str, action_needed: str) -> None:
        """Let the next `deliver` take up rows that stand; what is claimed or delivered stays."""
        stand = _quoted((*FINAL, *OPEN))

        def work(transaction: Transaction) -> None:
            self._spread(transaction)
            transaction.many(
                "UPDATE outcomes SET outcome = 'waiting', code = ?, message = ?, action_needed = ?,"
                f" first_try = NULL, attempts = 0 WHERE claim = ? AND outcome IN ({stand})",
                [(code, message, action_needed, claim) for claim in claims],
            )

        self._write(work)

    def prune(self, destination: str, before: float, dry_run: bool = False) -> dict[str, int]:
        """Forget rows that were decided before a moment (Unix seconds), and runs without rows.

        A row without a moment of its own counts by the begin of its run. Undecided rows stay.
        """
        old = (
            "SELECT o.claim FROM outcomes AS o JOIN targets AS t ON t.target = o.target"
            " JOIN runs AS r ON r.number = o.run"
            " WHERE t.destination = ? AND o.outcome IS NOT NULL AND o.outcome <> 'waiting'"
            " AND coalesce(o.decided, r.ended, r.started) < ?"
        )
        values = (destination, before)
        idle = (
            "SELECT number FROM runs WHERE destination = ? AND started < ? AND ended IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM outcomes AS o WHERE o.run = runs.number)"
        )

        def work(transaction: Transaction) -> dict[str, int]:
            self._spread(transaction)
            told = {
                row[0] or "waiting": int(row[1])
                for row in transaction.rows(
                    f"SELECT outcome, count(*) FROM outcomes WHERE claim IN ({old}) GROUP BY 1",
                    values,
                )
            }
            letters = f"SELECT count(*) FROM letters WHERE claim IN ({old})"
            told["letters"] = int(transaction.rows(letters, values)[0][0])
            if not dry_run:
                transaction.run(f"DELETE FROM letters WHERE claim IN ({old})", values)
                transaction.run(f"DELETE FROM outcomes WHERE claim IN ({old})", values)
            told["runs"] = len(transaction.rows(idle, values))
            if not dry_run:
                transaction.run(f"DELETE FROM runs WHERE number IN ({idle})", values)
            return told

        return self._write(work)


def _kept(row: Sequence[Any]) -> Kept:
    texts = [bytes(one) if one is not None else None for one in (row[10], row[11], row[15])]
    key = Key(*row[3:10])
    return Kept(
        row[0], row[1], row[2], key, texts[0], texts[1], row[12], row[13], row[14], texts[2]
    )


def _rows_or_claims(claims: Iterable[int]) -> str:
    """SQL for some rows, whether they are of `outcomes` or of claims that are kept elsewhere."""
    these = f"WHERE claim IN ({', '.join(str(int(one)) for one in claims)})"
    return f"(SELECT * FROM outcomes {these} UNION ALL SELECT * FROM open_claims {these})"


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words) or "''"


def _to_merge(sizes: list[tuple[int, int]]) -> list[int]:
    """Packs to join, of (pack, size) ordered by size: the small ones, and on as long as the next
    is no more than twice what is joined so far. So each hash is rewritten a few times only."""
    chosen: list[int] = []
    joined = 0
    for pack, size in sizes:
        if chosen and (size > 2 * joined or joined + size > _LARGEST_PACK):
            break
        chosen.append(pack)
        joined += size
    return chosen


def _merge(transaction: Transaction, target: int, chosen: list[int]) -> None:
    these = ", ".join(map(str, chosen))
    rows = transaction.rows(
        f"DELETE FROM filtered WHERE target = ? AND pack IN ({these}) RETURNING hashes", (target,)
    )
    hashes = array("q")
    for row in rows:
        hashes.frombytes(bytes(row[0]))
    joined = array("q", sorted(set(hashes)))
    transaction.run(
        "INSERT INTO filtered (target, hashes) VALUES (?, ?)", (target, joined.tobytes())
    )
