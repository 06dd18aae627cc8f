"""One SQLite connection, its tables and its transactions.

Owned by whoever opened it and used under its lock: a transaction holds the lock from begin to end,
so requests are serial and a reader never sees half of one.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..model import AlternateKey, Column, Lookup, Schema, Table

LAYOUT = 3
SHARED = {"_ownerid_value", "_transactioncurrencyid_value", "_businessunitid_value"}
BROKEN_KEY = re.compile(r"index '(?P<key>[^']+)'")


class DuplicateRow(Exception):
    """An insert or update whose id, or alternate key of that name, is taken."""

    def __init__(self, key: str | None) -> None:
        super().__init__(key or "id")
        self.key = key


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
                if not table.union:
                    self._lay_out_table(table)
            for table in schema.tables.values():
                if table.union:
                    self.execute(_view(table, schema))
            for name in schema.pairs:
                self.execute(
                    f'CREATE TABLE IF NOT EXISTS "{name}" (one TEXT, two TEXT, '
                    "PRIMARY KEY (one, two))"
                )
            self.execute(
                "CREATE TABLE IF NOT EXISTS _commits (version INTEGER PRIMARY KEY, "
                "entity TEXT, id TEXT, change TEXT, request_id TEXT)"
            )
            self.execute(f"PRAGMA user_version={LAYOUT}")

    def _lay_out_table(self, table: Table) -> None:
        self.execute(_definition(table))
        # Only where collections are read by it: every index costs each insert its time.
        for lookup in {s.lookup.name for s in table.singles.values() if s.partner} - SHARED:
            self.execute(
                f'CREATE INDEX IF NOT EXISTS "{table.name}.{lookup}" ON "{table.name}" '
                f'("{lookup}") WHERE "{lookup}" IS NOT NULL'
            )
        for key in table.keys.values():
            if table.key not in key.columns:  # else what rows are kept under says the same
                self.add_key(table, key)

    def add_key(self, table: Table, key: AlternateKey) -> None:
        """Make these columns unique together; rows with a null among them are free."""
        names = [f'"{_kept_name(table, column)}"' for column in key.columns]
        folded = ",".join(f"fold({name})" for name in names)
        self.execute(f'CREATE UNIQUE INDEX IF NOT EXISTS "{key.name}" ON "{table.name}" ({folded})')

    def add_column(self, table: Table, column: Column) -> None:
        """A new column in a table that has rows; one that an earlier run added is kept."""
        known = {row[1] for row in self.execute(f'PRAGMA table_info("{table.name}")')}
        if column.name in known:
            return
        self.execute(f'ALTER TABLE "{table.name}" ADD COLUMN {_column_definition(column)}')
        if isinstance(column, Lookup) and column.several:
            self.execute(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.kind}" TEXT')

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, values)

    def insert(self, sql: str, values: Sequence[Any]) -> None:
        """Run one insert or update; raises `DuplicateRow`."""
        try:
            self._connection.execute(sql, values)
        except sqlite3.IntegrityError as error:
            match = BROKEN_KEY.search(str(error))
            raise DuplicateRow(match["key"] if match else None) from None

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

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Inside a transaction: what happens in here is undone alone where it fails."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO part")
            raise
        finally:
            self._connection.execute("RELEASE part")

    def close(self) -> None:
        """Close the connection; what is in memory is gone."""
        with self._lock:
            self._connection.close()


def _folded(text: Any) -> Any:
    """Text as the service compares it: case does not count."""
    return text.casefold() if isinstance(text, str) else text


def _kept_name(table: Table, column: str) -> str:
    """A key names a lookup by its attribute; it is kept as `_x_value`."""
    return column if column in table.columns else f"_{column}_value"


def _view(table: Table, schema: Schema) -> str:
    """The rows of several tables, by the columns that `table` declares."""
    kinds = [lookup.kind for lookup in table.lookups if lookup.several]
    names = [*table.columns, *kinds]
    wanted = ",".join(f'"{name}"' for name in names)
    parts = " UNION ALL ".join(
        f'SELECT {wanted} FROM "{schema.tables[part].name}"' for part in table.union
    )
    return f'CREATE VIEW IF NOT EXISTS "{table.name}" AS {parts}'


def _definition(table: Table) -> str:
    columns = [f'"{table.kept_key}" TEXT PRIMARY KEY']
    for column in table.columns.values():
        if column.name != table.kept_key:
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
