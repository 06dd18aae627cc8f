"""The parts that machines have of what a target allows, where they share a PostgreSQL ledger.

Each process is a row of `governor_members`, alive as long as its session holds an advisory lock:
the server lets go of it when the session ends, however it ends, and the others divide what it had.
A request of a budget is reserved before it is started and counted when it was; so the sum of what
is reserved and what was used in a window is never above the budget. Times are the server's.

A thread exchanges numbers with the database, so that a distant one does not slow a run down. While
the database cannot be reached nothing new starts: who is out of touch has no part.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from typing import Any, NamedTuple

import psycopg

from .. import fork
from .opening import OpeningShare, Told
from .postgres_breaker import read_breaker, write_breaker
from .postgres_tables import LIVE, lock_class, make_tables
from .share import Load, Share

_log = logging.getLogger(__name__)

_EVERY_S = 0.1  # and several times in a window
_OFTEN = 80
_AWAY_S = 0.5  # between two tries to reach a database that went away
_SLOTS_OF_WINDOW = 200
_MEMBERS = 10_000
_SESSION = (
    "SET search_path TO fieldpost",
    "SET tcp_keepalives_idle TO 10",
    "SET tcp_keepalives_interval TO 5",
    "SET tcp_keepalives_count TO 3",
    "SET lock_timeout TO '10s'",
    "SET default_transaction_isolation TO 'read committed'",
)


def open_postgres_governor(
    address: str, name: str, max_in_flight: int, requests: int, window_s: float
) -> list[PostgresGovernor]:
    """The governor of what the name stands for; none, and a warning, where the tables are not to
    be had."""
    try:
        return [PostgresGovernor(address, name, max_in_flight, requests, window_s)]
    except psycopg.Error as error:
        told = type(error).__name__
        _log.warning("limits are not shared with other machines (%s)", told)
        return []


class _Known(NamedTuple):
    """What the delivering thread said last."""

    load: Load
    share: Share  # that it keeps to
    at: float  # when, monotonic
    offered: Share = Share()  # that it may take over at any moment


class _Part(NamedTuple):
    """Of what all share: what is fair, what others leave, what this process still has in use."""

    fair: int
    left: int
    kept: int

    @property
    def given(self) -> int:
        """What the process may use from now on."""
        return max(0, min(self.fair, self.left))

    @property
    def taken(self) -> int:
        """What others must count as taken."""
        return max(self.given, self.kept)


class PostgresGovernor:
    """A process's place among those of all machines. `share` is for one thread."""

    def __init__(
        self, address: str, name: str, max_in_flight: int, requests: int, window_s: float
    ) -> None:
        self._address = address
        self._target = name
        self._lock_class = lock_class(name)
        self._max_in_flight = max_in_flight
        self._requests = requests
        self._slot_s = window_s / _SLOTS_OF_WINDOW
        self._guard = threading.Lock()
        self.every_s = max(0.02, min(_EVERY_S, window_s / _OFTEN)) if requests else _EVERY_S
        self._known = _Known(Load(), Share(), time.monotonic())
        self._starts: Counter[float] = Counter()  # monotonic time -> starts not published
        self._told = 0  # starts that were noted
        self._published = 0  # starts that the database knows
        self._share = Share()
        self._hold_until = 0.0  # monotonic
        self._stored: tuple[int, int] | None = None  # calls and requests that the database has
        self._db: Any = None
        fork.opened(self)
        self._openings = OpeningShare()
        self._db = self._join()
        try:
            self._exchange(self._db)
        except BaseException:
            self._db.close()
            raise
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="fieldpost-governor", daemon=True)
        self._thread.start()

    def share(self, load: Load) -> Share:
        """Note what the process does; what it may do as far as is known."""
        now = time.monotonic()
        with self._guard:
            share = self._share
            if load.started > self._told:
                self._starts[now] += load.started - self._told
                self._told = load.started
            self._known = _Known(load, share, now)
            self._share = share._replace(follow=None, release=False)  # heard once
            return share._replace(hold_s=max(0.0, self._hold_until - now))

    def close(self) -> None:
        """Leave; the server does the same for a process that dies."""
        self._closing.set()
        self._thread.join()
        try:
            with self._db.transaction():
                self._publish(self._db, self._unpublished()[0], self._now(self._db))
                self._forget(self._db)
        except psycopg.Error:
            pass  # the end of the session says the same
        self._db.close()
        fork.closed(self)

    def let_go(self) -> None:
        """In a forked child: its session is the parent's, and would outlive it."""
        if self._db is not None and not self._db.closed:
            fork.silence(self._db.fileno())
            fork.inherit(self._db)

    # -- the thread

    def _work(self) -> None:
        while not self._closing.wait(self.every_s):
            try:
                self._exchange(self._db)
            except psycopg.Error as error:
                self._lose_touch(error)

    def _lose_touch(self, error: psycopg.Error) -> None:
        _log.warning("the governor's database went away (%s); nothing starts", type(error).__name__)
        with self._guard:
            bound = self._published if self._requests else None
            self._share = Share(0, self._requests, bound)
        self._db.close()
        while not self._closing.wait(_AWAY_S):
            try:
                self._db = self._join()
            except psycopg.Error:
                continue
            return

    def _join(self) -> Any:
        """A session that holds the lock of a member that nobody else is."""
        db = psycopg.connect(
            self._address,
            autocommit=True,
            connect_timeout=10,
            application_name="fieldpost governor",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=25_000,
        )
        try:
            for statement in _SESSION:
                db.execute(statement)
            make_tables(db)
            member = next((i for i in range(_MEMBERS) if self._is_free(db, i)), None)
            if member is None:
                raise psycopg.OperationalError("too many processes")
            self._member = member
        except BaseException:
            db.close()
            raise
        self._stored = None
        return db

    def _is_free(self, db: Any, member: int) -> bool:
        row = db.execute("SELECT pg_try_advisory_lock(%s, %s)", (self._lock_class, member))
        return bool(row.fetchone()[0])

    # -- one exchange

    def _exchange(self, db: Any) -> None:
        starts, known = self._unpublished()
        with db.transaction():
            db.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('fieldpost ' || %s, 0))",
                (self._target,),
            )
            now = self._now(db)
            self._bury_the_dead(db, now)
            self._publish(db, starts, now)
            rank, members, others, reserved = self._others(db)
            fair = self._max_in_flight // members + (rank < self._max_in_flight % members)
            calls = _Part(max(1, fair), self._max_in_flight - others, self._calls_kept(known))
            tokens = self._tokens(db, starts, known, reserved, members, now)
            if (calls.taken, tokens.taken) != self._stored:
                self._store(db, calls.taken, tokens.taken)
            wait_s = self._wait(db, known, now)
            told = self._meet(db, known, now, rank)
        self._settle(starts, calls, tokens, wait_s, told)

    def _settle(
        self, starts: Counter[float], calls: _Part, tokens: _Part, wait_s: float, told: Told
    ) -> None:
        """What is committed counts."""
        with self._guard:
            for at, count in starts.items():
                self._starts[at] -= count
            self._starts = +self._starts
            self._published += sum(starts.values())
            self._stored = calls.taken, tokens.taken
            bound = self._published + tokens.given if self._requests else None
            self._share = Share(calls.given, self._requests, bound)._replace(**told._asdict())
            self._hold_until = time.monotonic() + wait_s if wait_s > 0 else 0.0

    def _calls_kept(self, known: _Known) -> int:
        """Calls that may be in flight until a smaller part is heard of, and has come true."""
        had = self._stored[0] if self._stored else 0
        return min(had, max(known.share.calls, known.offered.calls, known.load.in_flight))

    def _store(self, db: Any, calls: int, reserved: int) -> None:
        db.execute(
            "INSERT INTO governor_members VALUES (%s, %s, %s, %s) ON CONFLICT (target, member)"
            " DO UPDATE SET calls = excluded.calls, reserved = excluded.reserved",
            (self._target, self._member, calls, reserved),
        )

    def _unpublished(self) -> tuple[Counter[float], _Known]:
        with self._guard:
            return Counter(self._starts), self._known._replace(offered=self._share)

    def _now(self, db: Any) -> float:
        return float(db.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()[0])

    def _bury_the_dead(self, db: Any, now: float) -> None:
        """What a dead process had reserved it may have started."""
        rows = db.execute(
            "DELETE FROM governor_members WHERE target = %s AND member <> %s"
            f" AND member NOT IN ({LIVE}) RETURNING reserved",
            (self._target, self._member, self._lock_class),
        ).fetchall()
        reserved = sum(int(row[0]) for row in rows)
        if reserved:
            self._count(db, self._slot(now), reserved)

    def _publish(self, db: Any, starts: Counter[float], now: float) -> None:
        slots: Counter[int] = Counter()
        for at, count in starts.items():
            slots[self._slot(now - max(0.0, time.monotonic() - at))] += count
        for slot, count in slots.items() if self._requests else ():
            self._count(db, slot, count)

    def _slot(self, now: float) -> int:
        return math.floor(now / self._slot_s)

    def _count(self, db: Any, slot: int, starts: int) -> None:
        db.execute(
            "INSERT INTO governor_starts VALUES (%s, %s, %s) ON CONFLICT (target, slot)"
            " DO UPDATE SET starts = governor_starts.starts + excluded.starts",
            (self._target, slot, starts),
        )

    def _others(self, db: Any) -> tuple[int, int, int, int]:
        """(how many come before this process, how many there are, calls and requests of others)."""
        rows = db.execute(
            "SELECT member, calls, reserved FROM governor_members"
            " WHERE target = %s AND member <> %s",
            (self._target, self._member),
        ).fetchall()
        before = sum(int(row[0]) < self._member for row in rows)
        calls, reserved = (sum(int(row[i]) for row in rows) for i in (1, 2))
        return before, len(rows) + 1, calls, reserved

    def _tokens(
        self,
        db: Any,
        starts: Counter[float],
        known: _Known,
        others: int,
        members: int,
        now: float,
    ) -> _Part:
        """Requests that this process may start before it asks again."""
        if not self._requests:
            return _Part(0, 0, 0)
        db.execute(
            "DELETE FROM governor_starts WHERE target = %s AND slot < %s",
            (self._target, self._slot(now) - _SLOTS_OF_WINDOW - 1),
        )
        row = db.execute(
            "SELECT coalesce(sum(starts), 0) FROM governor_starts WHERE target = %s",
            (self._target,),
        ).fetchone()
        published = self._published + sum(starts.values())
        bound = max(known.share.starts or 0, known.offered.starts or 0)
        kept = max(0, bound - published)
        had = self._stored[1] if self._stored else 0
        reserved = max(0, had - sum(starts.values()))
        fair = max(1, self._requests // members)
        return _Part(fair, self._requests - int(row[0]) - others, min(kept, reserved))

    def _wait(self, db: Any, known: _Known, now: float) -> float:
        """How long the target still wants all to wait."""
        held_s = known.load.held_s - (time.monotonic() - known.at)
        if known.load.held_s and held_s > 0:
            db.execute(
                "INSERT INTO governor_waits VALUES (%s, %s) ON CONFLICT (target) DO UPDATE"
                " SET until = greatest(governor_waits.until, excluded.until)",
                (self._target, now + held_s),
            )
        row = db.execute(
            "SELECT until FROM governor_waits WHERE target = %s", (self._target,)
        ).fetchone()
        return float(row[0]) - now if row else 0.0

    def _meet(self, db: Any, known: _Known, now: float, rank: int) -> Told:
        """Exchange open breakers; in the database their times are the server's."""
        kept = read_breaker(db, self._target)
        server_s = now - time.monotonic()
        own = known.load.opening and known.load.opening.moved(server_s)
        well = None if known.load.well is None else known.load.well + server_s
        new, told = self._openings.meet(kept, own, now, rank, well)
        if new != kept:
            write_breaker(db, self._target, new)
        return told._replace(follow=told.follow and told.follow.moved(-server_s))

    def _forget(self, db: Any) -> None:
        db.execute(
            "DELETE FROM governor_members WHERE target = %s AND member = %s",
            (self._target, self._member),
        )
