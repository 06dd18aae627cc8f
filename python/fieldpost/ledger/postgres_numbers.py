"""The numbers of rows in PostgreSQL, which its sequences give."""

from __future__ import annotations

from typing import Any, cast

import psycopg

_NUMBERED = {"runs": "number", "targets": "target", "outcomes": "claim", "filtered": "pack"}
# A copy may hold rows and not how far their numbers were, as one that replication made.
_BEHIND = " UNION ALL ".join(
    f"SELECT pg_get_serial_sequence('{table}', '{column}') AS numbers,"
    f" (SELECT max({column}) FROM {table}) AS last"
    for table, column in _NUMBERED.items()
)
_BEHIND = (
    f"SELECT numbers, last FROM ({_BEHIND}) AS n"
    " WHERE last > coalesce(pg_sequence_last_value(numbers::regclass), 0)"
)
_MENDING = 0x66706E6F  # held while it is done, so that nobody's numbers are given again


def take(db: psycopg.Connection[Any], count: int) -> list[int]:
    """Numbers for claims, rising, which nobody else gets."""
    rows = db.execute(
        "SELECT nextval(pg_get_serial_sequence('outcomes', 'claim')) FROM generate_series(1, %s)",
        (count,),
    ).fetchall()
    return [int(row[0]) for row in rows]


def mend(db: psycopg.Connection[Any]) -> None:
    """Let numbers go on behind the last row, where they would not."""
    if not db.execute(cast("Any", _BEHIND)).fetchall():
        return
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_MENDING,))
        db.execute(cast("Any", f"SELECT setval(numbers::regclass, last) FROM ({_BEHIND}) AS b"))
