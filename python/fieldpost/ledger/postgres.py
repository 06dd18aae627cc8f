"""The ledger in PostgreSQL, for several machines that share a destination. Extra `postgres`.

Its tables lie in the schema `fieldpost`. A run is alive while its session holds an advisory lock:
the server lets go of it when the session ends, however it ends. A step whose connection broke is
done again on a new one, for as long as `patience_s`; then the run stops.
"""

from __future__ import annotations

import logging
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from sys import byteorder
from typing import Any, TypeVar, cast

from .. import fork
from ..errors import LedgerError
from . import question
from .ledger import Ledger
from .rows import About, Claim, Fresh, Letter, Settled, Takes
from .transaction import Transaction

try:
    import psycopg
    from psycopg import errors as pg
except ImportError as missing:  # pragma: no cover - depends on the installation
    raise LedgerError(
        "E725",
        "a PostgreSQL ledger needs psycopg",
        "",
        "pip install 'fieldpost[postgres]'",
    ) from missing

from . import postgres_numbers, postgres_step
from .postgres_array import array_text
from .postgres_database import WAYS, PostgresDatabase
from .postgres_fault import cause, told, without_password

T = TypeVar("T")
_log = logging.getLogger(__name__)

_LOCKS = 0x6670  # first key of our advisory locks; the second is the run's number
_PATIENCE_S = 60.0
_NAP_S = 0.25
# Other questions than those by keys may read all of a table.
_BY_ANY = "SELECT " + ", ".join(f"set_config('enable_{way}', 'on', true)" for way in WAYS)
_NUMBERS = 1024  # of claims, taken at once
_LOOK_EVERY_S = 1.0
_BEGINS_WITHIN_S = 3.0
_LARGE_RUN = 20_000  # outcomes
_CAREFUL_STEPS = 100  # once a key had a row, until it is tried again as if none had


class _Statements:
    """A transaction of a PostgreSQL connection."""

    def __init__(self, db: psycopg.Connection[Any], again: bool) -> None:
        self._db = db
        self.again = again

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._db.execute(_spelled(sql), [_storable(one) for one in values])

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        bound = [[_storable(one) for one in row] for row in rows]
        if not bound:
            return 0
        with self._db.cursor() as cursor:
            cursor.executemany(_spelled(sql), bound)
            return cursor.rowcount

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        bound = [_storable(one) for one in values]
        return self._db.execute(_spelled(sql), bound, binary=True).fetchall()  # packs of hashes


def _spelled(sql: str) -> Any:
    return sql.replace("%", "%%").replace("?", "%s")


def _storable(value: Any) -> Any:
    """PostgreSQL holds any text but one with a NUL."""
    return value.replace("\0", "") if isinstance(value, str) else value


class PostgresLedger(Ledger):
    """Runs, claims and outcomes of the destinations that share one database."""

    def __init__(
        self,
        address: str,
        clock: Callable[[], float] = time.time,
        patience_s: float | None = None,
        *,
        looking: bool = False,
    ) -> None:
        super().__init__(without_password(address), clock, looking)
        self._address = address
        self._database = PostgresDatabase(address, self.name)
        self._patience_s = _PATIENCE_S if patience_s is None else patience_s
        self._open: psycopg.Connection[Any] | None = None
        self._closed = threading.Event()
        self._numbers: list[int] = []
        self._held: dict[int, Any] = {}  # claims given and not decided, and whose they are
        self._careful = 0
        self._written = 0  # outcomes of the run in progress
        self._stood = 0
        self._look_again_s = 0.0  # monotonic: when to see whether the tables are still the same

    # -- opening

    @property
    def meeting_place(self) -> str:
        """The database: what machines share there may be more than the ledger."""
        return self._address

    @property
    def _db(self) -> psycopg.Connection[Any]:
        if self._open is None or self._open.closed:
            self._open = self._connect()
        return self._open

    def prepare(self) -> None:
        """Open it, made or taken to today's schema if need be."""
        self._rows("SELECT 1")

    def _connect(self) -> psycopg.Connection[Any]:
        fork.opened(self)
        if self.looking:
            return self._database.connect_to_read()
        db = self._database.connect()
        try:
            if self.run:
                _take_lock(db, self.run)
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close it and end the run's claim to be alive."""
        self._closed.set()
        with self._turn:
            if self._open is not None:
                self._open.close()
                self._open = None
        fork.closed(self)

    def _leave_open(self) -> None:
        if self._open is not None and not self._open.closed:
            fork.silence(self._open.fileno())
        fork.inherit(self._open or self)
        self._open = None

    def exists(self) -> bool:
        """Whether there is a ledger; reading does not make one."""
        fork.opened(self)
        return self._patiently("opened", lambda _again: self._database.exists())

    @property
    def version(self) -> int:
        """The schema's number, as the database stands; 0 for none."""
        return self._patiently("read", lambda _again: self._database.version())

    # -- steps

    def _patiently(self, what: str, step: Callable[[bool], T]) -> T:
        """Do a step, again while its connection breaks; other errors are told at once."""
        end_s = time.monotonic() + self._patience_s
        again = False
        with self._turn:
            while True:
                try:
                    return step(again)
                except psycopg.Error as error:
                    if not self._may_repeat(error) or time.monotonic() >= end_s:
                        fault = told(error, what, self.name, self._address)
                        raise fault from cause(error, self._address)
                again = True
                self._closed.wait(_NAP_S)
                end_s = 0.0 if self._closed.is_set() else end_s

    def _may_repeat(self, error: psycopg.Error) -> bool:
        if isinstance(error, pg.DeadlockDetected | pg.SerializationFailure):
            return True
        broken = self._open is not None and (self._open.closed or self._open.broken)
        if broken:
            with suppress(psycopg.Error):
                cast("psycopg.Connection[Any]", self._open).close()
            self._open = None
        # A server that never answered is not waited for; one that was there may come back.
        known = self.run > 0 and isinstance(error, psycopg.OperationalError)
        gone = error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
        return broken or (known and gone)

    def _write(self, work: Callable[[Transaction], T]) -> T:
        assert not self.looking, "who looks does not write"

        def step(again: bool) -> T:
            db = self._db
            # Statements whose rows nobody asks for are not waited for.
            with db.pipeline(), db.transaction():
                db.execute(_BY_ANY)
                return work(_Statements(db, again))

        return self._patiently("written", step)

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        def step(again: bool) -> list[Any]:
            db = self._db
            with db.pipeline(), db.transaction():
                db.execute(_BY_ANY)
                return _Statements(db, again).rows(sql, values)

        return self._patiently("read", step)

    # -- who is alive

    def _hold(self, transaction: Transaction, run: int) -> None:
        _take_lock(self._db, run)

    def is_live(self, run: int) -> bool:
        """Whether run `run` still works on what it has claimed."""
        if run == self.run:
            return True
        rows = self._rows(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = ? AND objid = ?",
            (_LOCKS, run),
        )
        return bool(rows)

    # -- a run's work

    def begin_run(self, about: About) -> str:
        """As every ledger; numbers that a restored copy would give again are passed over."""
        self._held.clear()
        self._numbers.clear()
        self._patiently("written", lambda _again: postgres_numbers.mend(self._db))
        self._refuse_place()
        self._stood = self._stands()
        return super().begin_run(about)

    def _stands(self) -> int:
        """A number that tells these tables from others of their names; 0 for none."""
        self._look_again_s = time.monotonic() + _LOOK_EVERY_S
        return int(self._rows("SELECT coalesce(to_regclass('outcomes')::oid::bigint, 0)")[0][0])

    def _refuse_place(self) -> None:
        """Who is at work without a row here began before these tables were put in place.

        One that begins just now has its lock a moment before its row can be seen.
        """
        until_s = time.monotonic() + _BEGINS_WITHIN_S
        while self._is_place_held():
            if time.monotonic() > until_s:
                told = "a run is still at work with a ledger that lay here before"
                hint = "wait until it has ended, and restore that ledger (pg_restore)"
                raise LedgerError("E706", told, self.name, hint)
            self._closed.wait(_NAP_S)

    def _is_place_held(self) -> bool:
        rows = self._rows(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = ? AND objid::bigint NOT IN (SELECT number FROM runs)",
            (_LOCKS,),
        )
        return bool(rows)

    def _look_up(self, target: int, event_ids: list[str]) -> list[Any]:
        sql = (
            "SELECT o.event_id, o.claim, o.outcome, o.run, o.in_doubt"
            " FROM unnest(?::text[]) AS w(event_id)"
            " JOIN outcomes AS o ON o.target = ? AND o.event_id = w.event_id"
        )
        values = (event_ids, target)
        return self._patiently("read", lambda again: _Statements(self._db, again).rows(sql, values))

    def _take_step(
        self,
        work: Callable[[Transaction], Sequence[Claim | None]],
        settled: Sequence[Settled],
        letters: Sequence[Letter],
        keys: list[Any],
    ) -> Sequence[Claim | None]:
        """With one statement where nothing is special."""
        if keys and time.monotonic() >= self._look_again_s and self._stands() != self._stood:
            told = "the ledger was taken away while the run was at work"
            raise LedgerError("E705", told, self.name, "restore it (pg_restore), then run again")
        self._written += len(settled)
        for one in settled:
            self._held.pop(one.claim, None)

        def step(again: bool) -> Sequence[Claim | None]:
            db = self._db
            if not (again or letters):
                claims = self._at_once(db, settled, keys)
                if claims is not None:
                    return claims
            with db.pipeline(), db.transaction():
                return work(_Statements(db, again))

        claims = self._patiently("written", step)
        given = zip(claims, keys, strict=True)
        self._held.update((claim[0], key[:2]) for claim, key in given if claim is not None)
        return claims

    def end_run(self, counts: dict[str, Any]) -> None:
        """As every ledger; after a large run also what the server would do a minute later.

        Each claim left an old version of its row, which the first to read the table would clear
        away, and the server plans its reading by how large it last knew the table to be.
        """
        super().end_run(counts)
        if self._written >= _LARGE_RUN:
            try:
                self._db.execute("VACUUM (ANALYZE, SKIP_LOCKED) outcomes")
            except psycopg.Error as error:  # all is written, and the server will do it later
                _log.warning("the ledger was not cleared up (%s)", type(error).__name__)
        self._written = 0

    def _at_once(
        self, db: psycopg.Connection[Any], settled: Sequence[Settled], keys: list[Any]
    ) -> Sequence[Claim] | None:
        """Do a step as if nobody had any of its keys; None: somebody has, and nothing was done."""
        if self._careful > 0 and keys:
            self._careful -= 1
            return None
        if len({key[:2] for key in keys}) != len(keys):
            return None
        numbers = self._take_numbers(db, len(keys))
        step = postgres_step.step(settled, keys, numbers, self._clock(), self.run)
        try:
            _Statements(db, False).run(*step)
        except pg.UniqueViolation:
            self._careful = _CAREFUL_STEPS
            return None
        if keys and numbers[-1] - numbers[0] == len(keys) - 1:
            return Fresh(numbers[0], len(keys))
        return [Claim(number, 0.0, 0) for number in numbers]

    def _take_numbers(self, db: psycopg.Connection[Any], count: int) -> list[int]:
        """Numbers for claims, rising, which nobody else gets."""
        if len(self._numbers) < count:
            self._numbers += postgres_numbers.take(db, max(count, _NUMBERS))
        taken, self._numbers = self._numbers[:count], self._numbers[count:]
        return taken

    def _has_letters(self, transaction: Transaction) -> bool:
        return True  # to ask takes longer

    def _spread(self, transaction: Transaction) -> None:
        pass  # a claim is a row from the beginning

    def _settle(self, transaction: Transaction, settled: Sequence[Settled]) -> None:
        transaction.run(*postgres_step.settling(settled, self._clock(), self.run))

    def _claim(
        self, transaction: Transaction, keys: list[Any], dead: list[int], takes: Takes
    ) -> list[Claim | None]:
        now = self._clock()
        numbers = ", ".join(map(str, dead)) or "0"
        sql = self._claim_sql(postgres_step.KEYS.format(more=""), f"({numbers})", takes)
        first: dict[tuple[Any, ...], Any] = {}
        for key in keys:
            first.setdefault(key[:2], key)
        if transaction.again:  # what this run had before is on its way: this is a twin of it
            for identity in self._held.values():
                first.pop(identity, None)
        ordered = [first[identity] for identity in sorted(first)]  # one order, so no deadlock
        if not ordered:
            return [None] * len(keys)
        rows = transaction.rows(
            f"{sql} RETURNING target, event_id, claim, first_try, attempts",
            [now, self.run, *map(array_text, zip(*ordered, strict=True))],
        )
        found = {
            (target, event_id): Claim(claim, max(0.0, now - since), tries)
            for target, event_id, claim, since, tries in rows
        }
        return [found.pop((key[0], key[1]), None) for key in keys]

    def _delete_letters(self, transaction: Transaction, claims: list[int]) -> None:
        transaction.run("DELETE FROM letters WHERE claim = ANY(?)", (claims,))

    # -- reading

    def _tally(self, target: int, with_hashes: bool) -> tuple[dict[str, int], bytes]:
        # All at once: no index knows of outcomes, and to read a table twice takes twice as long.
        hashes = "string_agg(int8send(hash), ''::bytea)" if with_hashes else "''::bytea"
        rows = self._rows(
            f"SELECT coalesce(outcome, 'waiting'), count(*), {hashes} FROM outcomes"
            " WHERE target = ? GROUP BY 1",
            (target,),
        )
        counts = {outcome: int(events) for outcome, events, _ in rows}
        return counts, _native(b"".join(bytes(packed) for *_, packed in rows))

    def _hashes_of_outcomes(self, target: int) -> bytes:
        return self._tally(target, True)[1]

    def _asked(self, sql: str, values: Sequence[Any], where: str) -> Iterator[dict[str, Any]]:
        condition = question.checked(where) if where else "true"
        _ = self._rows("SELECT 1")  # today's schema
        sql = sql.replace("{rows}", "outcomes", 1)
        asked = f"SELECT * FROM ({_spelled(sql)}) AS outcomes WHERE (\n"
        asked += condition.replace("%", "%%") + "\n) ORDER BY claim_"
        try:
            with (
                self._database.connect_to_read() as db,
                db.transaction(),
                db.cursor("asked") as cursor,
            ):
                cursor.execute(cast("Any", asked), [_storable(one) for one in values])
                names = [column.name for column in cursor.description or ()]
                for row in cursor:
                    yield dict(zip(names, row, strict=True))
        except psycopg.Error as error:
            if where and (error.sqlstate or "").startswith(("0A", "42", "22", "25", "57014")):
                raise question.misread(error, where) from error
            fault = told(error, "read", self.name, self._address)
            raise fault from cause(error, self._address)


def _native(hashes: bytes) -> bytes:
    """What int8send wrote, which begins with the highest byte."""
    words = array("q", hashes)
    if byteorder == "little":
        words.byteswap()
    return words.tobytes()


def _take_lock(db: psycopg.Connection[Any], run: int) -> None:
    # A session that just broke may hold it for a moment still.
    db.execute("SELECT pg_advisory_lock(%s, %s)", (_LOCKS, run))
