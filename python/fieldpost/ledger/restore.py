"""A copy of an SQLite ledger put in its place: whole or not at all, and never under a run.

The replaced file is kept aside with its journal, which must not meet the copy: SQLite would lay the
pages of the one over the other.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from .. import own_file
from ..errors import LedgerError
from .alive import RunLock
from .aside import replaced_path
from .place import Place
from .sqlite_file import PATIENCE_S, SqliteFile, copy_into

# Delivered by the one that stood there, and nothing that the copy knows as delivered.
_UNKNOWN = """
SELECT count(*) FROM outcomes AS o JOIN targets AS t ON t.target = o.target
WHERE o.outcome = 'delivered' AND NOT EXISTS (
  SELECT 1 FROM copy.targets AS u JOIN copy.outcomes AS c ON c.target = u.target
  WHERE u.destination = t.destination AND u.subscription = t.subscription AND u.url = t.url
  AND c.event_id = o.event_id AND c.outcome = 'delivered')
"""


class Restored(NamedTuple):
    """A restored ledger. replaced: where the one is that stood there; None for none.

    last_run: when the last run began that the copy knows, Unix seconds. unknown: events that the
    replaced one holds as delivered and the copy does not; None where that could not be read.
    """

    replaced: Path | None
    last_run: float | None
    unknown: int | None


def restore(path: Path, copy: Path) -> Restored:
    """Put a copy in the place of the ledger at `path`. Raises LedgerError, sqlite3.Error, OSError.

    E720: a run is at work with it; E721: the copy is damaged, or no ledger of ours.
    """
    path = path.resolve()
    with closing(Place(path)) as place:
        place.hold_gate()
        _refuse_beside_runs(place, path)
        with closing(_checked(copy)) as db:
            last_run = db.execute("SELECT max(started) FROM runs").fetchone()[0]
            unknown = _unknown(path, copy)
            mode = stat.S_IMODE(copy.stat().st_mode)
            with own_file.replacing(path, mode) as scratch:
                copy_into(db, scratch)
                replaced = _set_aside(path)
    return Restored(replaced, last_run, unknown)


def _refuse_beside_runs(place: Place, path: Path) -> None:
    with closing(RunLock(path, looking=True)) as locks:
        at_work = place.is_held() or locks.is_any_alive()
    if at_work:
        told = "a run is at work with this ledger"
        raise LedgerError("E720", told, str(path), "stop it, or wait until it has ended")


def _checked(copy: Path) -> sqlite3.Connection:
    """The copy, opened to read, once it is known to be whole and a ledger."""
    db = SqliteFile(copy, PATIENCE_S).connect_to_read()
    try:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0] if version else "it is empty"
    except BaseException:
        db.close()
        raise
    if found != "ok":
        db.close()
        raise LedgerError("E721", f"the copy is no whole ledger ({found})", str(copy))
    return db


def _unknown(path: Path, copy: Path) -> int | None:
    if not path.exists():
        return None
    try:
        with closing(SqliteFile(path, PATIENCE_S).connect_to_read()) as db:
            db.execute("ATTACH ? AS copy", (f"{copy.resolve().as_uri()}?mode=ro",))
            return int(db.execute(_UNKNOWN).fetchone()[0])
    except (sqlite3.Error, LedgerError):  # it is replaced because it is damaged, perhaps
        return None


def _set_aside(path: Path) -> Path | None:
    """Keep what stands there under another name; what is left of its journal goes with it."""
    if not path.exists():
        return None
    _fold_journal(path)
    aside = _link_aside(path)
    with suppress(FileNotFoundError):
        Path(f"{path}-wal").replace(f"{aside}-wal")
    Path(f"{path}-shm").unlink(missing_ok=True)
    return aside


def _fold_journal(path: Path) -> None:
    """Write the journal of a killed run into its file: a restore that is killed in its turn must
    not leave the file without it. A damaged file, or one beside a journal of another, stays as it
    is."""
    with suppress(sqlite3.Error, LedgerError):
        SqliteFile(path, PATIENCE_S).connect_to_read().close()
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _link_aside(path: Path) -> Path:
    """A second name for the file, which no other that was set aside has."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for number in count(1):
        aside = replaced_path(path, moment if number == 1 else f"{moment}-{number}")
        with suppress(FileExistsError):
            os.link(path, aside)
            return aside
    raise AssertionError
