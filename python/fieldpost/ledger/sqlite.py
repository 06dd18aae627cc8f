"""The ledger in one SQLite file: WAL, synchronous=FULL, every step one short transaction.

One thread at a time. Opens on first use; not to be carried into a forked child.
"""

from __future__ import annotations

import getpass
import json
import socket
import sqlite3
import time
import uuid
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from .._core import Batch, Outcome, count_distinct
from ..errors import LedgerError
from .alive import RunLock
from .schema import TABLES, VERSION

_SETTLED = (
    "outcome",
    "effect",
    "attempts",
    "http_status",
    "code",
    "message",
    "action_needed",
    "record_id",
    "request_id",
    "latency_ms",
    "claim",
)
# Outcomes that a later run may take up again; the others stand until `replay` or `settle`.
_OPEN = ("waiting", "invalid", "dropped")


class Key(NamedTuple):
    """One record as the ledger knows it."""

    target: int
    event_id: str
    hash: int
    source: str
    line: int
    offset: int


class Standing(NamedTuple):
    """What the ledger already holds of a (target, event)."""

    claim: int
    outcome: str | None  # None: claimed by `run`, not decided
    run: int


class Claim(NamedTuple):
    """Leave to send one record; attempts and elapsed_s are of earlier runs."""

    claim: int
    elapsed_s: float
    attempts: int


class SqliteLedger:
    """Runs, claims and outcomes of the destinations that share one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: sqlite3.Connection | None = None
        self._locks: RunLock | None = None
        self.run = 0  # number of the run in progress

    # -- opening

    @property
    def _db(self) -> sqlite3.Connection:
        if self._open is None:
            with self._failing("opened"):
                self._open = self._connect()
        return self._open

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("BEGIN IMMEDIATE")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise LedgerError(
                    "E702",
                    f"the ledger was written by a newer fieldpost (schema {version})",
                    str(self.path),
                    "update fieldpost, or name another ledger",
                )
            if version == 0:
                for statement in TABLES.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={VERSION}")
            db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the file and end the run's claim to be alive."""
        if self._open is not None:
            self._open.close()
            self._open = None
        if self._locks is not None:
            self._locks.close()
            self._locks = None

    def exists(self) -> bool:
        """Whether there is a ledger file; reading does not make one."""
        return self.path.exists()

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                "E701",
                f"the ledger cannot be {what} ({error})",
                str(self.path),
                "nothing is sent without its memory: make the file writable, "
                "or name another one with --ledger",
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._db
        with self._failing("written"):
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        db = self._db
        with self._failing("read"):
            return db.execute(sql, values).fetchall()

    # -- runs

    def begin_run(self, destination: str, document_hash: str, version: str) -> str:
        """Note a new run, hold its lock, and return its public id."""
        run = time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + uuid.uuid4().hex[:6]
        about = (run, destination, document_hash, version, socket.gethostname(), _user())
        columns = "run, destination, document_hash, version, host, user, started"
        with self._transaction() as db:
            cursor = db.execute(
                f"INSERT INTO runs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", (*about, time.time())
            )
            self.run = cursor.lastrowid or 0
            self._lock().hold(self.run)
        return run

    def end_run(self, counts: dict[str, Any]) -> None:
        """Note what the run in progress came to."""
        with self._transaction() as db:
            db.execute(
                "UPDATE runs SET ended = ?, counts = ? WHERE number = ?",
                (time.time(), json.dumps(counts), self.run),
            )

    def _lock(self) -> RunLock:
        if self._locks is None:
            with self._failing("locked"):
                self._locks = RunLock(self.path)
        return self._locks

    def is_live(self, run: int) -> bool:
        """Whether run `run` still works on what it has claimed."""
        return run == self.run or self._lock().is_alive(run)

    def target(self, destination: str, subscription: str, url: str) -> int:
        """The number of a target, made where it is new."""
        key = (destination, subscription, url)
        found = self._find_target(key)
        if found is None:
            with self._transaction() as db:
                db.execute(
                    "INSERT OR IGNORE INTO targets (destination, subscription, url) "
                    "VALUES (?, ?, ?)",
                    key,
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

    def note_ended(self, batch: Batch, targets: Sequence[int]) -> None:
        """Write what ended before delivery, and the hashes of what the filters refused.

        What was once sent keeps its outcome.
        """
        ended = [
            (targets[sub], event_id, hash_, batch.source, line, offset, outcome, code, message)
            for sub, event_id, hash_, line, offset, outcome, code, message in batch.ended()
        ]
        packed = [(targets[i], batch.filtered_hashes(i)) for i in range(len(targets))]
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO outcomes (target, event_id, hash, source, line, offset, outcome, code,"
                f" message, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, {self.run})"
                " ON CONFLICT (target, event_id) DO UPDATE SET outcome = excluded.outcome,"
                " code = excluded.code, message = excluded.message, run = excluded.run"
                f" WHERE outcomes.outcome IN {_OPEN}",
                ended,
            )
            db.executemany(
                f"INSERT INTO filtered (target, run, hashes) VALUES (?, {self.run}, ?)",
                [row for row in packed if row[1]],
            )

    def look_up(self, target: int, event_ids: Iterable[str]) -> dict[str, Standing]:
        """What is known of these events."""
        rows = self._rows(
            "SELECT o.event_id, o.claim, o.outcome, o.run FROM json_each(?) AS wanted"
            " JOIN outcomes AS o ON o.target = ? AND o.event_id = wanted.value",
            (json.dumps(list(event_ids)), target),
        )
        return {row[0]: Standing(*row[1:]) for row in rows}

    def claim(self, keys: Sequence[Key], dead_runs: Iterable[int]) -> list[Claim | None]:
        """Claim records in one transaction, before their first byte leaves.

        None where somebody else has it or it is decided meanwhile. What a run in `dead_runs`
        had claimed is taken over.
        """
        dead = json.dumps(list(dead_runs))
        now = time.time()
        sql = (
            "INSERT INTO outcomes (target, event_id, hash, source, line, offset, first_try, run)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (target, event_id) DO UPDATE SET outcome = NULL, run = excluded.run,"
            " source = excluded.source, line = excluded.line, offset = excluded.offset,"
            " code = '', message = '', first_try = coalesce(first_try, excluded.first_try)"
            f" WHERE outcome IN {_OPEN}"
            " OR (outcome IS NULL AND run IN (SELECT value FROM json_each(?)))"
            " RETURNING claim, first_try, attempts"
        )
        claims: list[Claim | None] = []
        with self._transaction() as db:
            for key in keys:
                row = db.execute(sql, (*key, now, self.run, dead)).fetchone()
                claims.append(Claim(row[0], max(0.0, now - row[1]), row[2]) if row else None)
        return claims

    def hold_unconfirmed(self, claims: Iterable[tuple[int, int]], code: str, message: str) -> None:
        """Mark claims (claim, run) of dead runs: they may have been sent, nobody knows."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE outcomes SET outcome = 'unconfirmed', code = ?, message = ?,"
                " action_needed = ? WHERE claim = ? AND outcome IS NULL AND run = ?",
                [(code, message, _LOOK, claim, run) for claim, run in claims],
            )

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Write outcomes, one row each, in one transaction."""
        with self._transaction() as db:
            db.executemany(
                f"UPDATE outcomes SET {' = ?, '.join(_SETTLED[:-1])} = ? WHERE claim = ?",
                [tuple(getattr(outcome, name) for name in _SETTLED) for outcome in outcomes],
            )

    # -- reading

    def counts(self, destination: str, subscription: str, url: str) -> dict[str, int]:
        """How many events of a target stand at each outcome; undecided ones are `waiting`."""
        target = self._find_target((destination, subscription, url))
        if target is None:
            return {}
        rows = self._rows(
            "SELECT coalesce(outcome, 'waiting'), count(*) FROM outcomes WHERE target = ?"
            " GROUP BY 1",
            (target,),
        )
        return dict(rows) | {"filtered": self._count_filtered(target)}

    def _count_filtered(self, target: int) -> int:
        packed = [
            row[0] for row in self._rows("SELECT hashes FROM filtered WHERE target = ?", (target,))
        ]
        if not packed:
            return 0
        known = self._rows("SELECT hash FROM outcomes WHERE target = ?", (target,))
        return count_distinct(packed, array("q", (row[0] for row in known)).tobytes())

    def outcomes(
        self, destination: str, where: str = "", event_id: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """The current outcomes of a destination; `where` is SQL over their columns."""
        columns = (
            "o.event_id, o.source, o.line, o.offset, t.subscription,"
            " coalesce(o.outcome, 'waiting') AS outcome, o.effect, o.attempts, o.http_status,"
            " o.code, o.message, o.action_needed, o.record_id, o.request_id, o.latency_ms, r.run"
        )
        sql = (
            f"SELECT * FROM (SELECT {columns} FROM outcomes AS o JOIN targets AS t USING (target)"
            " JOIN runs AS r ON r.number = o.run WHERE t.destination = ? ORDER BY o.claim)"
            " WHERE (? IS NULL OR event_id = ?)"
        )
        if where:
            sql += f" AND ({where})"
        db = self._db
        try:
            db.execute("PRAGMA query_only=ON")
            cursor = db.execute(sql, (destination, event_id, event_id))
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))
        except sqlite3.Error as error:
            raise LedgerError(
                "E703",
                f"the ledger does not understand the question ({error})",
                where,
                "write SQL over the columns of `outcomes`, such as outcome = 'rejected'",
            ) from error
        finally:
            db.execute("PRAGMA query_only=OFF")


_LOOK = (
    "look in the destination whether it arrived; then set `on_unconfirmed: resend` to send it again"
)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
