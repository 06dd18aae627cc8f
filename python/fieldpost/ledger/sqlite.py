"""The ledger in one SQLite file: WAL, synchronous=FULL, every step one short transaction."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

import orjson

from ..errors import LedgerError
from . import question
from .alive import RunLock
from .ledger import Ledger
from .rows import Claim, Fresh, Settled, Takes
from .schema import VERSION, statements
from .sqlite_claims import IDENTITY, TOGETHER, Identity, OpenClaims, Pack, parts, spread
from .transaction import Transaction

T = TypeVar("T")

_CLAIMS = """
CREATE TABLE claims (
  first INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  records TEXT NOT NULL
);
CREATE VIEW open_claims AS
SELECT c.first + j.key AS claim, json_extract(j.value, '$[0]') AS target,
  json_extract(j.value, '$[1]') AS event_id, json_extract(j.value, '$[2]') AS hash,
  json_extract(j.value, '$[3]') AS source, json_extract(j.value, '$[4]') AS line,
  json_extract(j.value, '$[5]') AS "offset", NULL AS outcome, '' AS effect, 0 AS attempts,
  0 AS http_status, '' AS code, '' AS message, '' AS action_needed, '' AS record_id,
  '' AS request_id, 0.0 AS latency_ms, json_extract(j.value, '$[7]') AS first_try, c.run AS run,
  json_extract(j.value, '$[6]') AS mapping, NULL AS decided, 0 AS in_doubt
FROM claims AS c, json_each(c.records) AS j WHERE NOT EXISTS (
  SELECT 1 FROM outcomes AS o WHERE o.target = json_extract(j.value, '$[0]')
  AND o.event_id = json_extract(j.value, '$[1]'))
"""
_WORDS = {
    "key": "INTEGER PRIMARY KEY",
    "whole": "INTEGER",
    "real": "REAL",
    "bytes": "BLOB",
    "claims": _CLAIMS,
}
# Event ids are random, so each claim touches a page of its own of the index: pages that stay in
# memory, and are written back once for several claims, halve the work of a large ledger.
_CACHE_KB = 32_768
_CHECKPOINT_PAGES = 2000  # 8 MB
_PATIENCE_S = 30.0  # for somebody else's transaction
_ONCE_MORE_S = 0.02  # until a busy file is tried again
_HASHES_AT_ONCE = 1_000_000  # rows
_LONGEST_VALUE = 64 << 20  # bytes that a question may make of one value
_READS = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION)
_NOT_WRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
_ALIKE = itemgetter(0, 1, 2, 3, 4, 5, 6, 10)  # of Settled: the same for many
_OWN = itemgetter(7, 8, 9, 11)
_BEFORE = (
    "SELECT coalesce((SELECT max(claim) FROM outcomes), 0),"
    " EXISTS (SELECT 1 FROM claims WHERE run <> ?)"
)


def _settling(size: int) -> str:
    rows = ", ".join(["(?, ?, ?, ?)"] * size)
    return (
        f"WITH own (record_id, request_id, latency_ms, claim) AS (VALUES {rows})"
        " UPDATE outcomes SET record_id = own.record_id, request_id = own.request_id,"
        " latency_ms = own.latency_ms, outcome = ?, effect = ?, attempts = ?, http_status = ?,"
        " code = ?, message = ?, action_needed = ?, in_doubt = ?, decided = ?"
        " FROM own WHERE outcomes.claim = own.claim AND run = ?"
    )


_SETTLE = {size: _settling(size) for size in TOGETHER}


class _Statements:
    """A transaction of an SQLite connection."""

    again = False

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.then: list[Callable[[], None]] = []  # to do when it is on the disk

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._db.execute(sql, values)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        return self._db.executemany(sql, rows).rowcount

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._db.execute(sql, values).fetchall()


class SqliteLedger(Ledger):
    """Runs, claims and outcomes of the destinations that share one file."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.time,
        patience_s: float | None = None,
    ) -> None:
        super().__init__(str(path), clock)
        self.path = path
        self._patience_s = _PATIENCE_S if patience_s is None else patience_s
        self._open: sqlite3.Connection | None = None
        self._locks: RunLock | None = None
        self._claims = OpenClaims()

    # -- opening

    @property
    def _db(self) -> sqlite3.Connection:
        if self._open is None:
            with self._failing("opened"):
                self._open = self._connect()
        return self._open

    def prepare(self) -> None:
        """Open it, made or taken to today's schema if need be."""
        with self._turn:
            _ = self._db

    def _connect(self) -> sqlite3.Connection:
        try:
            return self._connect_to_write()
        except sqlite3.OperationalError as error:
            code = error.sqlite_errorcode & 0xFF
            if code not in _NOT_WRITABLE or os.access(self.path, os.W_OK):
                raise
        db = self._connect_to_read()  # to look at it, that is enough
        if (version := _version(db)) != VERSION:
            db.close()
            self._refuse_newer(version)
            told = f"the ledger has the schema {version} of an older fieldpost, and is read-only"
            hint = "run `fieldpost ledger migrate` where it can be written"
            raise LedgerError("E722", told, self.name, hint)
        return db

    def _connect_to_write(self) -> sqlite3.Connection:
        """A connection, also where others make the same new ledger just now.

        SQLite waits for any lock, but not for the one that changes the journal to WAL.
        """
        until_s = time.monotonic() + self._patience_s
        while True:
            try:
                return self._connect_at_once()
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until_s:
                    raise
            time.sleep(_ONCE_MORE_S)

    def _connect_at_once(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path, timeout=self._patience_s, isolation_level=None, check_same_thread=False
        )
        try:
            if _version(db) != VERSION or not self._is_wal(db):
                self._prepare(db)
            db.execute("PRAGMA synchronous=FULL")
            db.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
            db.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        except BaseException:
            db.close()
            raise
        return db

    def _connect_to_read(self) -> sqlite3.Connection:
        """A connection that cannot write; also to a file on a disk that cannot be written."""
        address = f"file:{quote(str(self.path))}?mode=ro"
        db = self._open_uri(address)
        try:
            db.execute("SELECT count(*) FROM sqlite_master")
            return db
        except sqlite3.OperationalError as error:
            db.close()
            journal = Path(f"{self.path}-wal")
            if error.sqlite_errorcode & 0xFF not in _NOT_WRITABLE or journal.exists():
                raise
            return self._open_uri(f"{address}&immutable=1")

    def _open_uri(self, address: str) -> sqlite3.Connection:
        return sqlite3.connect(address, timeout=self._patience_s, uri=True, check_same_thread=False)

    @staticmethod
    def _is_wal(db: sqlite3.Connection) -> bool:
        return bool(db.execute("PRAGMA journal_mode").fetchone()[0] == "wal")

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Make the tables, or take those of an older fieldpost to today's."""
        self._refuse_newer(_version(db))
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        version = _version(db)  # another process may have been here first
        self._refuse_newer(version)
        for number, todo in statements(_WORDS, after=version):
            for statement in todo:
                db.execute(statement)
            db.execute(f"PRAGMA user_version={number}")
        db.execute("COMMIT")

    def _refuse_newer(self, version: int) -> None:
        if version > VERSION:
            raise LedgerError(
                "E702",
                f"the ledger was written by a newer fieldpost (schema {version}, known {VERSION})",
                self.name,
                "update fieldpost, or name another ledger",
            )

    def close(self) -> None:
        """Close it and end the run's claim to be alive."""
        with self._turn:
            if self._open is not None:
                self._open.close()
                self._open = None
            if self._locks is not None:
                self._locks.close()
                self._locks = None

    def exists(self) -> bool:
        """Whether there is a ledger; reading does not make one."""
        return self.path.exists()

    @property
    def version(self) -> int:
        """The schema's number, as the file stands; 0 for none."""
        with self._failing("read"), self._reading() as db:
            return _version(db)

    # -- steps

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise _told(error, what, self.name) from error

    def _write(self, work: Callable[[Transaction], T]) -> T:
        with self._turn, self._failing("written"):
            db = self._db
            db.execute("BEGIN IMMEDIATE")
            transaction = _Statements(db)
            try:
                done = work(transaction)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    with suppress(sqlite3.Error):  # the first error is the one to tell
                        db.execute("ROLLBACK")
                raise
            for note in transaction.then:
                note()
            return done

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._turn, self._failing("read"):
            return self._db.execute(sql, values).fetchall()

    # -- who is alive

    def _lock(self) -> RunLock:
        if self._locks is None:
            with self._failing("locked"):
                self._locks = RunLock(self.path)
        return self._locks

    def _hold(self, transaction: Transaction, run: int) -> None:
        self._lock().hold(run)
        self._claims = OpenClaims()

    def is_live(self, run: int) -> bool:
        """Whether run `run` still works on what it has claimed."""
        with self._turn:
            return run == self.run or self._lock().is_alive(run)

    # -- a run's work

    def _look_up(self, target: int, event_ids: list[str]) -> list[Any]:
        # Claims first: one that is decided in between is met as the row that it became.
        wanted = set(event_ids)
        rows = self._rows(
            "SELECT event_id, claim, outcome, run, in_doubt FROM open_claims WHERE target = ?",
            (target,),
        )
        # CROSS: the wanted ones first, whatever the planner believes of a large table.
        return [row for row in rows if row[0] in wanted] + self._rows(
            "SELECT o.event_id, o.claim, o.outcome, o.run, o.in_doubt FROM json_each(?) AS wanted"
            " CROSS JOIN outcomes AS o ON o.target = ? AND o.event_id = wanted.value",
            (json.dumps(event_ids), target),
        )

    def _by_keys(self, transaction: Transaction) -> None:
        pass  # its plans do not change

    def _has_letters(self, transaction: Transaction) -> bool:
        return bool(transaction.rows("SELECT 1 FROM letters LIMIT 1"))

    def _spread(self, transaction: Transaction) -> None:
        spread(transaction)

    def _settle(self, transaction: Transaction, settled: Sequence[Settled]) -> None:
        now, claims = self._clock(), self._claims
        packed = claims.of_packs(settled)
        if packed:
            note = claims.settle(transaction, packed, now, self.run)
            cast("_Statements", transaction).then.append(note)
        if len(packed) < len(settled):
            self._update(transaction, [row for row in settled if row[11] not in claims], now)

    def _update(self, transaction: Transaction, settled: list[Settled], now: float) -> None:
        """Write the outcomes of claims that have rows."""
        for alike, rows in groupby(settled, _ALIKE):
            for part in parts(list(map(_OWN, rows))):
                values = [*chain.from_iterable(part), *alike, now, self.run]
                transaction.run(_SETTLE[len(part)], values)

    def _claim(
        self, transaction: Transaction, keys: list[Any], dead: list[int], takes: Takes
    ) -> Sequence[Claim | None]:
        # Others wait for this transaction to end, so the numbers behind the last one are free.
        [(last, others)] = transaction.rows(_BEFORE, (self.run,))
        if others:
            spread(transaction, but_of=self.run)
            [(last, _)] = transaction.rows(_BEFORE, (self.run,))
        first = max(last, self._claims.last) + 1
        now, ids = self._clock(), list(map(IDENTITY, keys))
        different = set(ids)
        known = _known(transaction, ids)
        held = self._claims.may_hold(different)
        if not known and not held and len(different) == len(ids):
            self._pack(transaction, first, now, keys, different)
            return Fresh(first, len(keys))
        again = self._claiming_again(now, dead, takes)
        new: dict[Identity, Any] = {}
        claims: list[Claim | None] = []
        for key, identity in zip(keys, ids, strict=True):
            if identity in known:
                claims.append(again(transaction, key))
            elif identity in new or (held and self._claims.may_hold({identity})):
                claims.append(None)
            else:
                claims.append(Claim(first + len(new), 0.0, 0))
                new[identity] = key
        if new:
            self._pack(transaction, first, now, list(new.values()), set(new))
        return claims

    def _pack(
        self,
        transaction: Transaction,
        first: int,
        now: float,
        keys: list[Any],
        ids: set[Identity],
    ) -> None:
        records = [(*key, now) for key in keys]
        note = self._claims.pack(transaction, self.run, Pack(first, records, ids))
        cast("_Statements", transaction).then.append(note)

    def _claiming_again(
        self, now: float, dead: list[int], takes: Takes
    ) -> Callable[[Transaction, Any], Claim | None]:
        """How to claim what has a row already, where it may be."""
        numbers = ", ".join(map(str, dead)) or "0"
        values = f"VALUES (?, ?, ?, ?, ?, ?, ?, {now!r}, {self.run})"
        sql = self._claim_sql(values, f"({numbers})", takes)
        sql += " RETURNING claim, first_try, attempts"

        def again(transaction: Transaction, key: Any) -> Claim | None:
            for claim, since, tries in transaction.rows(sql, key):
                return Claim(claim, max(0.0, now - since), tries)
            return None

        return again

    def _delete_letters(self, transaction: Transaction, claims: list[int]) -> None:
        transaction.run(
            "DELETE FROM letters WHERE claim IN (SELECT value FROM json_each(?))",
            (json.dumps(claims),),
        )

    # -- reading

    def _hashes_of_outcomes(self, target: int) -> bytes:
        # A scan in the order of the rows; by the index of targets it would be eight times slower.
        last = self._rows("SELECT coalesce(max(claim), 0) FROM outcomes")[0][0]
        hashes = array("q")
        for begin in range(0, last, _HASHES_AT_ONCE):
            text = self._rows(
                "SELECT json_group_array(hash) FROM outcomes"
                " WHERE claim > ? AND claim <= ? AND +target = ?",
                (begin, begin + _HASHES_AT_ONCE, target),
            )[0][0]
            hashes.extend(orjson.loads(text))
        rows = self._rows("SELECT hash FROM open_claims WHERE target = ?", (target,))
        hashes.extend(row[0] for row in rows)
        return hashes.tobytes()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own that cannot write."""
        db = self._connect_to_read()
        try:
            yield db
        finally:
            db.close()

    def _asked(self, sql: str, values: Sequence[Any], where: str) -> Iterator[dict[str, Any]]:
        condition = question.checked(where) if where.strip() else "1"
        with self._failing("read"):
            _ = self._db  # today's schema
        with self._failing("read"), self._reading() as db:
            db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
            db.isolation_level = None
            db.execute("BEGIN")  # all as it is at one moment
            db.set_authorizer(_only_reads)
            asked = f"SELECT * FROM ({sql}) AS outcomes WHERE (\n{condition}\n) ORDER BY claim_"
            try:
                for rows in ("outcomes", "open_claims"):
                    cursor = db.execute(asked.replace("{rows}", rows, 1), values)
                    names = [column[0] for column in cursor.description]
                    for row in cursor:
                        yield dict(zip(names, row, strict=True))
            except (sqlite3.Error, sqlite3.Warning) as error:
                if where and _is_askers(error):
                    raise question.misread(error, where) from error
                raise

    # -- looking after it

    def backup(self, copy: Path) -> None:
        """Copy the ledger while runs may be at work; the copy appears whole or not at all."""
        scratch = copy.with_name(f".{copy.name}.part")
        with self._failing("copied"):
            scratch.unlink(missing_ok=True)
            into = sqlite3.connect(scratch)
            try:
                with self._reading() as db:
                    db.backup(into)
            finally:
                into.close()
            scratch.replace(copy)

    def shrink(self) -> None:
        """Give the room of forgotten rows back to the disk."""
        with self._turn, self._failing("written"):
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _known(transaction: Transaction, ids: list[Identity]) -> set[Identity]:
    """Those of some records that have a row."""
    found: set[Identity] = set()
    for target in {one[0] for one in ids}:
        wanted = orjson.dumps([one[1] for one in ids if one[0] == target])
        found.update(
            transaction.rows(
                "SELECT o.target, o.event_id FROM json_each(?) AS wanted"
                " CROSS JOIN outcomes AS o ON o.target = ? AND o.event_id = wanted.value",
                (wanted.decode(), target),
            )
        )
    return found


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _only_reads(action: int, first: Any, second: Any, *_: Any) -> int:
    harmful = action == sqlite3.SQLITE_FUNCTION and second in ("load_extension", "fts3_tokenizer")
    return sqlite3.SQLITE_OK if action in _READS and not harmful else sqlite3.SQLITE_DENY


def _is_askers(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in (
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_MISMATCH,
    )


_WRITE_FAILS = {
    "SQLITE_BUSY": (
        "E720",
        "another program holds it",
        "find who has it open; runs share it, but a transaction left open elsewhere stops them",
    ),
    "SQLITE_LOCKED": ("E720", "another program holds it", "find who has it open"),
    "SQLITE_CORRUPT": (
        "E721",
        "the file is damaged",
        "restore a backup (docs/ledger.md), or try "
        "`sqlite3 FILE .recover`; without its memory a webhook's events are sent "
        "again",
    ),
    "SQLITE_NOTADB": ("E721", "it is no SQLite database", "name another file with --ledger"),
    "SQLITE_READONLY": (
        "E722",
        "it is read-only",
        "make the file and its folder writable, or name another one with --ledger",
    ),
    "SQLITE_FULL": (
        "E723",
        "the disk is full",
        "make room; then run again, what was on its way is settled by the next run",
    ),
    "SQLITE_IOERR": (
        "E723",
        "the disk does not take or give it",
        "look for room and at the disk; "
        "then run again, what was on its way is settled by the next run",
    ),
}
_GENERAL = (
    "nothing is sent without its memory: make the file writable, or name another one with --ledger"
)


def _told(error: Exception, what: str, name: str) -> LedgerError:
    code = getattr(error, "sqlite_errorname", "") or ""
    for known, (number, why, hint) in _WRITE_FAILS.items():
        if code.startswith(known):
            told = f"the ledger cannot be {what}: {why} ({error})"
            return LedgerError(number, told, name, hint)
    return LedgerError("E701", f"the ledger cannot be {what} ({error})", name, _GENERAL)
