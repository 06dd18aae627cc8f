"""The tables by which machines share what a target allows."""

from __future__ import annotations

from typing import Any

_PREPARING = 0x66706776  # held while the tables are made
_TABLES = {
    "governor_members": 'target TEXT COLLATE "C", member BIGINT, calls BIGINT NOT NULL,'
    " reserved BIGINT NOT NULL, PRIMARY KEY (target, member)",
    "governor_starts": 'target TEXT COLLATE "C", slot BIGINT, starts BIGINT NOT NULL,'
    " PRIMARY KEY (target, slot)",
    "governor_waits": 'target TEXT COLLATE "C" PRIMARY KEY, until DOUBLE PRECISION NOT NULL',
    "governor_breakers": 'target TEXT COLLATE "C" PRIMARY KEY, since DOUBLE PRECISION,'
    " next_probe DOUBLE PRECISION, reason TEXT, released DOUBLE PRECISION NOT NULL",
}
# The members whose sessions are there; its parameter is lock_class().
LIVE = (
    "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted"
    " AND classid::bigint = %s"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_FOUND = " AND ".join(f"to_regclass('fieldpost.{name}') IS NOT NULL" for name in _TABLES)


def lock_class(target: str) -> int:
    """The class of the advisory locks that a target's members hold."""
    return int(target[:8], 16) & 0x7FFFFFFF


def make_tables(db: Any) -> None:
    """Make them where they are not there yet: who only uses them needs no right to make any."""
    if db.execute(f"SELECT {_FOUND}").fetchone()[0]:
        return
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_PREPARING,))
        for name, columns in _TABLES.items():
            db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
