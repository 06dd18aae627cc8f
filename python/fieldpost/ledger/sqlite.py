"""The ledger in one SQLite file: WAL, synchronous=FULL, every step one short transaction."""

from __future__ import annotations

import json
import sqlite3
import stat
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeGuard, TypeVar, cast

import orjson

from .. import fork, own_file
from ..errors import LedgerError
from . import question
from .alive import RunLock
from .aside import put_back, refuse_place, rescued_path
from .ledger import Ledger
from .place import Place
from .restore import Restored, restore
from .rows import About, Claim, Fresh, Letter, Settled, Takes
from .sqlite_claims import TOGETHER, Identities, OpenClaims, identities, parts, spread
from .sqlite_file import PATIENCE_S, SqliteFile, copy_into, keep_in_memory, told
from .sqlite_look import SqliteLook
from .transaction import Transaction

T = TypeVar("T")

_HASHES_AT_ONCE = 1_000_000  # rows
_ALIKE = itemgetter(0, 1, 2, 3, 4, 5, 6, 10)  # of Settled: the same for many
_OWN = itemgetter(7, 8, 9, 11)
_BEFORE = (
    "SELECT coalesce((SELECT max(claim) FROM outcomes), 0),"
    " EXISTS (SELECT 1 FROM claims WHERE run <> ?)"
)


_TAKEN_AWAY = "the ledger was taken away while the run was at work"


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
        *,
        looking: bool = False,
    ) -> None:
        super().__init__(str(path), clock, looking)
        self.path = path
        self._file = SqliteFile(path, PATIENCE_S if patience_s is None else patience_s)
        self._open: sqlite3.Connection | None = None
        self._look = SqliteLook(self._file)
        self._locks: RunLock | None = None
        self._place = Place(path)
        self._claims = OpenClaims()

    # -- opening

    @property
    def _db(self) -> sqlite3.Connection:
        if self._open is None:
            self._note_opening()
            with self._failing("opened"):
                self._open = self._file.connect()
        return self._open

    def _note_opening(self) -> None:
        fork.refuse_child()
        fork.opened(self)

    def prepare(self) -> None:
        """Open it, made or taken to today's schema if need be."""
        with self._turn:
            _ = self.version if self.looking else self._db

    def close(self) -> None:
        """Close it and end the run's claim to be alive."""
        with self._turn:
            if self._open is not None:
                self._open.close()
                self._open = None
            self._look.close()
            if self._locks is not None:
                self._locks.close()
                self._locks = None
            self._place.close()
        fork.closed(self)

    def _leave_open(self) -> None:
        fork.inherit(self._open or self)
        self._open = self._locks = None

    def exists(self) -> bool:
        """Whether there is a ledger; reading does not make one."""
        if not self.path.exists():
            return False
        return not self.looking or self.version > 0

    @property
    def version(self) -> int:
        """The schema's number, as the file stands; 0 for none."""
        self._note_opening()
        look = SqliteLook(self._file)
        try:
            with self._failing("read"):
                return int(look.rows("PRAGMA user_version")[0][0])
        finally:
            look.close()

    # -- steps

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise told(error, what, self.name) from error

    def _write(self, work: Callable[[Transaction], T]) -> T:
        assert not self.looking, "who looks does not write"
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
            if self.looking:
                self._note_opening()
                return self._look.rows(sql, values)
            return self._db.execute(sql, values).fetchall()

    # -- who is alive

    def _lock(self) -> RunLock:
        if self._locks is None:
            with self._failing("locked"):
                self._locks = RunLock(self.path, looking=self.looking)
        return self._locks

    def begin_run(self, about: About) -> str:
        """As every ledger; refused where the memory of this place is elsewhere (E706)."""
        with self._failing("opened"):
            refuse_place(self._place, self._file.now(), self.name)
            _ = self._db
            stood = self._file.now()
            if stood is not None:
                self._place.hold(stood)
            refuse_place(self._place, stood, self.name)  # who came meanwhile sees this run as well
        return super().begin_run(about)

    def _hold(self, transaction: Transaction, run: int) -> None:
        self._lock().hold(run)
        self._claims = OpenClaims()

    def is_live(self, run: int) -> bool:
        """Whether run `run` still works on what it has claimed."""
        with self._turn:
            return run == self.run or self._lock().is_alive(run)

    # -- a run's work

    @property
    def is_taken_away(self) -> bool:
        """True where its file was deleted, or another put in its place."""
        return self._file.is_taken_away()

    def _take_step(
        self,
        work: Callable[[Transaction], Sequence[Claim | None]],
        settled: Sequence[Settled],
        letters: Sequence[Letter],
        keys: list[Any],
    ) -> Sequence[Claim | None]:
        """Nothing is claimed where nobody would find it; outcomes are noted, to be kept aside."""
        if keys and self.is_taken_away:
            raise LedgerError("E705", _TAKEN_AWAY, self.name)
        return self._write(work)

    def end_run(self, counts: dict[str, Any]) -> None:
        """As every ledger; one that was taken away is kept aside, and told (E705)."""
        super().end_run(counts)
        if self.is_taken_away:
            raise self._kept_aside()

    def _kept_aside(self) -> LedgerError:
        """Keep what is remembered beside the place where it lay; the error that tells of it."""
        [(name, sent, doubtful)] = self._rows(
            "SELECT run, (SELECT count(*) FROM outcomes WHERE run = r.number"
            "  AND outcome IN ('delivered', 'rejected', 'expired', 'unconfirmed')),"
            " (SELECT count(*) FROM open_claims WHERE run = r.number)"
            " FROM runs AS r WHERE number = ?",
            (self.run,),
        )
        told = f"{_TAKEN_AWAY}: {sent + doubtful:,} records of this run had been sent"
        aside = rescued_path(self.path, name)
        try:
            with own_file.replacing(aside) as scratch:
                copy_into(self._db, scratch)
        except (OSError, sqlite3.Error) as error:
            return LedgerError("E705", f"{told}, and are noted nowhere ({error})", self.name)
        hint = f"{put_back(aside)}; without that, what it sent is sent again"
        return LedgerError("E705", f"{told}, and are noted in {aside}", self.name, hint)

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

    def _has_letters(self, transaction: Transaction) -> bool:
        return bool(transaction.rows("SELECT 1 FROM letters LIMIT 1"))

    def _spread(self, transaction: Transaction) -> None:
        spread(transaction)

    def _settle(self, transaction: Transaction, settled: Sequence[Settled]) -> None:
        now = self._clock()
        rows, note = self._claims.settle(transaction, list(settled), now, self.run)
        cast("_Statements", transaction).then.append(note)
        if rows:
            self._update(transaction, rows, now)

    def _update(self, transaction: Transaction, settled: list[Settled], now: float) -> None:
        """Write the outcomes of claims that have rows."""
        for alike, rows in groupby(settled, _ALIKE):
            own = list(chain.from_iterable(map(_OWN, rows)))
            for size, part in parts(own, 4):
                transaction.run(_SETTLE[size], [*part, *alike, now, self.run])

    def _claim(
        self, transaction: Transaction, keys: list[Any], dead: list[int], takes: Takes
    ) -> Sequence[Claim | None]:
        # Others wait for this transaction to end, so the numbers behind the last one are free.
        [(last, others)] = transaction.rows(_BEFORE, (self.run,))
        if others:
            spread(transaction, but_of=self.run)
            [(last, _)] = transaction.rows(_BEFORE, (self.run,))
        first = max(last, self._claims.last) + 1
        now, ids = self._clock(), identities(keys)
        different = sum(map(len, ids.values()))
        known = _known(transaction, ids)
        held = self._claims.may_hold(ids)
        if not known and not held and different == len(keys):
            self._pack(transaction, first, now, keys)
            return Fresh(first, len(keys))
        again = self._claiming_again(now, dead, takes)
        new: dict[tuple[int, str], Any] = {}
        claims: list[Claim | None] = []
        for key in keys:
            if key[:2] in known:
                claims.append(again(transaction, key))
            elif key[:2] in new or (held and self._claims.may_hold({key[0]: {key[1]}})):
                claims.append(None)
            else:
                claims.append(Claim(first + len(new), 0.0, 0))
                new[key[:2]] = key
        if new:
            self._pack(transaction, first, now, list(new.values()))
        return claims

    def _pack(self, transaction: Transaction, first: int, now: float, keys: list[Any]) -> None:
        note = self._claims.pack(transaction, self.run, first, now, keys)
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
        # Claims first: one that is decided in between is met as the row that it became.
        claimed = self._rows("SELECT hash FROM open_claims WHERE target = ?", (target,))
        hashes = array("q", (row[0] for row in claimed))
        # A scan in the order of the rows; by the index of targets it would be eight times slower.
        last = self._rows("SELECT coalesce(max(claim), 0) FROM outcomes")[0][0]
        for begin in range(0, last, _HASHES_AT_ONCE):
            text = self._rows(
                "SELECT json_group_array(hash) FROM outcomes"
                " WHERE claim > ? AND claim <= ? AND +target = ?",
                (begin, begin + _HASHES_AT_ONCE, target),
            )[0][0]
            hashes.extend(orjson.loads(text))
        return hashes.tobytes()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own that cannot write."""
        self._note_opening()
        db = self._file.connect_to_read()
        try:
            yield db
        finally:
            db.close()

    def _asked(self, sql: str, values: Sequence[Any], where: str) -> Iterator[dict[str, Any]]:
        condition = question.strict(question.checked(where)) if where else "1"
        self._note_opening()
        if not self.looking:
            _ = self._db  # today's schema
        look = SqliteLook(self._file)
        try:
            with self._failing("read"):
                for rows in ("outcomes", "open_claims"):
                    asked = f"SELECT * FROM ({sql}) AS outcomes WHERE (\n{condition}\n)"
                    yield from look.stream(asked.replace("{rows}", rows, 1), values)
        except LedgerError as error:
            if where and _is_askers(error.__cause__):
                raise question.misread(error.__cause__, where) from error.__cause__
            raise
        finally:
            look.close()

    # -- looking after it

    def backup(self, copy: Path) -> None:
        """Copy the ledger while runs may be at work; the copy appears whole or not at all.

        A new copy may be read by who may read the ledger; one that is replaced keeps its mode.
        """
        with self._failing("copied"):
            mode = stat.S_IMODE(self.path.stat().st_mode)
            with own_file.replacing(copy, mode) as scratch, self._reading() as db:
                copy_into(db, scratch)

    def restore(self, copy: Path) -> Restored:
        """Put a copy in the place of this ledger, which must not be open here."""
        with self._failing("restored"):
            return restore(self.path, copy)

    def shrink(self) -> None:
        """Give the room of forgotten rows back to the disk."""
        with self._turn, self._failing("written"):
            self._db.execute("PRAGMA temp_store=FILE")  # a copy of the whole ledger
            self._db.execute("VACUUM")
            keep_in_memory(self._db)
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _known(transaction: Transaction, ids: Identities) -> set[tuple[int, str]]:
    """Those of some records that have a row."""
    found: set[tuple[int, str]] = set()
    for target, wanted in ids.items():
        found.update(
            transaction.rows(
                "SELECT o.target, o.event_id FROM json_each(?) AS wanted"
                " CROSS JOIN outcomes AS o ON o.target = ? AND o.event_id = wanted.value",
                (orjson.dumps(list(wanted)).decode(), target),
            )
        )
    return found


def _is_askers(error: BaseException | None) -> TypeGuard[Exception]:
    if not isinstance(error, sqlite3.Error | sqlite3.Warning):
        return False
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in (
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_MISMATCH,
    )
