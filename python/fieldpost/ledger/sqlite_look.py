"""Looking at an SQLite ledger without leaving a trace.

A connection that only reads still makes the files by which SQLite shares a ledger between
processes, and leaves them. So a ledger at rest is read as a file that does not change; where it did
change meanwhile, since a run began, the answer is thrown away and asked for again as one of many.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .sqlite_file import SqliteFile

_LONGEST_QUESTION_S = 300.0  # of this thread's time on a processor
_STEPS = 1_000_000  # of SQLite's machine, between two looks at the clock
_ROWS_AT_ONCE = 500
_LONGEST_VALUE = 64 << 20  # bytes that a question may make of one value
_READS = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION)


class SqliteLook:
    """Questions to a file. One thread at a time; nothing is opened before the first one."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._db: sqlite3.Connection | None = None
        self._rest: Any = None  # how the file lay there; None: it may change at any moment

    def close(self) -> None:
        """Close what is open."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of a question."""
        while True:
            db = self._connection()
            try:
                found = db.execute(sql, values).fetchall()
            except sqlite3.Error:
                if self._holds():
                    raise
            else:
                if self._holds():
                    return found
            self.close()

    def stream(self, sql: str, values: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """The rows of somebody's question, in the order of their column `claim_`."""
        last = -1
        while True:
            db = self._connection()
            behind = f" WHERE claim_ > {last}" if last >= 0 else ""
            try:
                with self._guarded(db):
                    cursor = db.execute(f"SELECT * FROM ({sql}){behind} ORDER BY claim_", values)
                    names = [column[0] for column in cursor.description]
                    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                        if not self._holds():
                            break
                        for row in rows:
                            told = dict(zip(names, row, strict=True))
                            last = told["claim_"]
                            yield told
                    else:
                        if self._holds():
                            return
            except sqlite3.Error:
                if self._holds():
                    raise
            self.close()

    @contextmanager
    def _guarded(self, db: sqlite3.Connection) -> Iterator[None]:
        """While it lasts a question can do nothing but read, and sees all at one moment."""
        if not db.in_transaction:
            db.execute("BEGIN")
        before = db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
        db.set_authorizer(_only_reads)
        try:
            yield
        finally:
            db.set_authorizer(None)
            db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)

    def _holds(self) -> bool:
        """True where the file lies there as it did when it was opened."""
        return self._rest is None or self._rest == _at_rest(self._file.path)

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._rest = _at_rest(self._file.path)
            self._db = self._file.connect_to_look(self._rest is not None)
        until_s = time.thread_time() + _LONGEST_QUESTION_S
        self._db.set_progress_handler(lambda: time.thread_time() > until_s, _STEPS)
        return self._db


def _at_rest(path: Path) -> tuple[int, ...] | None:
    """Marks that nobody has written meanwhile; None while somebody may."""
    if Path(f"{path}-wal").exists():
        return None
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _only_reads(action: int, first: Any, second: Any, *_: Any) -> int:
    harmful = action == sqlite3.SQLITE_FUNCTION and second in ("load_extension", "fts3_tokenizer")
    return sqlite3.SQLITE_OK if action in _READS and not harmful else sqlite3.SQLITE_DENY
