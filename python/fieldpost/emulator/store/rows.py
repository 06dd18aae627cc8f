"""Rows of one table at a time, by SQL that the model spells. Call inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model import Schema, Table
from .database import Database

Values = Mapping[str, Any]


class Rows:
    """Reads and writes rows as dictionaries from column to stored value."""

    def __init__(self, database: Database, schema: Schema) -> None:
        self._database = database
        self._schema = schema

    def insert(self, table: Table, values: Values) -> None:
        """Raises `DuplicateRow` where the key is taken."""
        names = '","'.join(values)
        marks = ",".join("?" * len(values))
        self._database.insert(
            f'INSERT INTO "{table.name}" ("{names}") VALUES ({marks})', tuple(values.values())
        )

    def update(self, table: Table, row_id: str, values: Values) -> None:
        """Set these columns; a row that is not there stays so."""
        settings = ",".join(f'"{name}"=?' for name in values)
        self._database.execute(
            f'UPDATE "{table.name}" SET {settings} WHERE "{table.key}"=?',
            (*values.values(), row_id),
        )

    def delete(self, table: Table, row_id: str) -> None:
        """Remove the row."""
        self._database.execute(f'DELETE FROM "{table.name}" WHERE "{table.key}"=?', (row_id,))

    def exists(self, table: Table, row_id: str) -> bool:
        """Whether a row has this id."""
        sql = f'SELECT 1 FROM "{table.name}" WHERE "{table.key}"=?'
        return self._database.execute(sql, (row_id,)).fetchone() is not None

    def get(self, table: Table, row_id: str, columns: Sequence[str]) -> dict[str, Any] | None:
        """These columns of the row; None where there is none."""
        names = '","'.join(columns)
        sql = f'SELECT "{names}" FROM "{table.name}" WHERE "{table.key}"=?'
        row = self._database.execute(sql, (row_id,)).fetchone()
        return None if row is None else dict(zip(columns, row, strict=True))

    def select(
        self,
        table: Table,
        columns: Sequence[str],
        where: str,
        values: Sequence[Any],
        tail: str = "",
    ) -> list[dict[str, Any]]:
        """These columns of all rows under the condition."""
        names = '","'.join(columns)
        sql = f'SELECT "{names}" FROM "{table.name}" WHERE {where} {tail}'
        cursor = self._database.execute(sql, values)
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def count(self, table: Table, where: str, values: Sequence[Any]) -> int:
        """How many rows are under the condition."""
        sql = f'SELECT count(*) FROM "{table.name}" WHERE {where}'
        return int(self._database.execute(sql, values).fetchone()[0])

    def unlink(self, table: Table, row_id: str) -> None:
        """Empty every lookup that points at a row about to go."""
        for other in self._schema.tables.values():
            for single in other.singles.values():
                if single.target == table.name:
                    self._unlink_one(other, single.lookup.name, single.lookup, row_id, table.name)

    def _unlink_one(self, other: Table, name: str, lookup: Any, row_id: str, target: str) -> None:
        settings, condition, values = f'"{name}"=NULL', f'"{name}"=?', [row_id]
        if lookup.several:
            settings += f',"{lookup.kind}"=NULL'
            condition += f' AND "{lookup.kind}"=?'
            values.append(target)
        self._database.execute(f'UPDATE "{other.name}" SET {settings} WHERE {condition}', values)

    def clear(self) -> None:
        """Remove every row of every table."""
        for name in self._schema.tables:
            self._database.execute(f'DELETE FROM "{name}"')
