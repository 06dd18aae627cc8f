"""One SQLite connection, its tables and its transactions.

Owned by whoever opened it and used under its lock: a transaction holds the lock from begin to end,
so requests are serial and a reader never sees half of one.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..model import Column, Lookup, Schema, Table

LAYOUT = 1


class DuplicateRow(Exception):
    """An insert whose primary key is taken."""


class Database:
    """The connection; in memory, or the file at `path`."""

    def __init__(self, schema: Schema, path: str | Path | None = None) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path or ":memory:",
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        # A killed process loses nothing by this; only a power cut could, and this is a test double.
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.create_function("fold", 1, _folded, deterministic=True)
        self._lay_out(schema)

    def _lay_out(self, schema: Schema) -> None:
        found = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, LAYOUT):
            raise ValueError(
                f"the database has layout {found}, this emulator writes layout {LAYOUT}"
            )
        with self.transaction():
            for table in schema.tables.values():
                self.execute(_definition(table))
            self.execute(
                "CREATE TABLE IF NOT EXISTS _commits (version INTEGER PRIMARY KEY, "
                "entity TEXT, id TEXT, change TEXT, request_id TEXT)"
            )
            self.execute(f"PRAGMA user_version={LAYOUT}")

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, values)

    def insert(self, sql: str, values: Sequence[Any]) -> None:
        """Run one insert; raises `DuplicateRow`."""
        try:
            self._connection.execute(sql, values)
        except sqlite3.IntegrityError:
            raise DuplicateRow from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that happens inside is committed together, or nothing is."""
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connection; what is in memory is gone."""
        with self._lock:
            self._connection.close()


def _folded(text: Any) -> Any:
    """Text as the service compares it: case does not count."""
    return text.casefold() if isinstance(text, str) else text


def _definition(table: Table) -> str:
    columns = [f'"{table.key}" TEXT PRIMARY KEY']
    for column in table.columns.values():
        if column.name != table.key:
            columns.append(_column_definition(column))
        if isinstance(column, Lookup) and column.several:
            columns.append(f'"{column.kind}" TEXT')
    return f'CREATE TABLE IF NOT EXISTS "{table.name}" ({", ".join(columns)})'


def _column_definition(column: Column) -> str:
    text = f'"{column.name}" {column.affinity}'
    if column.default is None:
        return text
    quoted = "'" + str(column.default).replace("'", "''") + "'"
    return f"{text} DEFAULT {quoted if column.affinity == 'TEXT' else column.default}"
