"""The row of a database in which machines share an open breaker. Times are the server's, Unix s."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from .opening import Kept, Opening, current
from .postgres_tables import LIVE, lock_class


def read_breaker(db: Any, target: str) -> Kept:
    """The opening that the machines share of a target."""
    row = db.execute(
        "SELECT since, next_probe, reason, released FROM governor_breakers WHERE target = %s",
        (target,),
    ).fetchone()
    if row is None:
        return Kept()
    since, next_probe, reason, released = row
    opening = None if since is None else Opening(float(since), float(next_probe), reason)
    return Kept(opening, float(released))


def look_at_database(address: str, target: str) -> Opening | None:
    """The breaker that machines at work share; None also where the database does not tell."""
    there = "SELECT to_regclass('fieldpost.governor_breakers') IS NOT NULL"
    try:
        with psycopg.connect(address, connect_timeout=10, autocommit=True) as db:
            row = db.execute(there).fetchone()
            if row is None or not row[0]:
                return None
            db.execute("SET search_path TO fieldpost")
            if db.execute(f"{LIVE} LIMIT 1", (lock_class(target),)).fetchone() is None:
                return None
            return current(read_breaker(db, target), time.time())
    except psycopg.Error:
        return None


def write_breaker(db: Any, target: str, kept: Kept) -> None:
    """Put it there for the others."""
    opening = kept.opening
    told = (None, None, None) if opening is None else tuple(opening)
    db.execute(
        "INSERT INTO governor_breakers VALUES (%s, %s, %s, %s, %s) ON CONFLICT (target) DO UPDATE"
        " SET since = excluded.since, next_probe = excluded.next_probe, reason = excluded.reason,"
        " released = excluded.released",
        (target, *told, kept.released),
    )
