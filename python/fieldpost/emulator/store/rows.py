"""Rows of one table at a time, by SQL that the model spells. Call inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model import Association, Lookup, Schema, Table
from .database import Database

Values = Mapping[str, Any]


class Rows:
    """Reads and writes rows as dictionaries from column to stored value.

    In conditions and orders that callers write, the table is called `t0`.
    """

    def __init__(self, database: Database, schema: Schema) -> None:
        self._database = database
        self._schema = schema

    def insert(self, table: Table, values: Values) -> None:
        """Raises `DuplicateRow` where the id or an alternate key is taken."""
        names = '","'.join(values)
        marks = ",".join("?" * len(values))
        self._database.insert(
            f'INSERT INTO "{table.name}" ("{names}") VALUES ({marks})', tuple(values.values())
        )

    def update(self, table: Table, row_id: str, values: Values) -> None:
        """Set these columns; a row that is not there stays so. Raises `DuplicateRow`."""
        settings = ",".join(f'"{name}"=?' for name in values)
        self._database.insert(
            f'UPDATE "{table.name}" SET {settings} WHERE "{table.kept_key}"=?',
            (*values.values(), row_id),
        )

    def delete(self, table: Table, row_id: str) -> None:
        """Remove the row."""
        self._database.execute(f'DELETE FROM "{table.name}" WHERE "{table.kept_key}"=?', (row_id,))

    def exists(self, table: Table, row_id: str) -> bool:
        """Whether a row has this id."""
        sql = f'SELECT 1 FROM "{table.name}" WHERE "{table.kept_key}"=?'
        return self._database.execute(sql, (row_id,)).fetchone() is not None

    def kind(self, table: Table, row_id: str) -> str | None:
        """The table that a row of this table or of its union really belongs to."""
        for name in table.union or (table.name,):
            if self.exists(self._schema.tables[name], row_id):
                return name
        return None

    def get(self, table: Table, row_id: str, columns: Sequence[str]) -> dict[str, Any] | None:
        """These columns of the row; None where there is none."""
        names = '","'.join(columns)
        sql = f'SELECT "{names}" FROM "{table.name}" WHERE "{table.kept_key}"=?'
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
        names = ",".join(f't0."{name}"' for name in columns)
        sql = f'SELECT {names} FROM "{table.name}" t0 WHERE {where} {tail}'
        cursor = self._database.execute(sql, values)
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def ids(self, table: Table, where: str, values: Sequence[Any], limit: int) -> list[str]:
        """The ids of the rows under the condition, at most `limit`."""
        sql = f'SELECT t0."{table.kept_key}" FROM "{table.name}" t0 WHERE {where} LIMIT {limit}'
        return [row_id for (row_id,) in self._database.execute(sql, values)]

    def count(self, table: Table, where: str, values: Sequence[Any]) -> int:
        """How many rows are under the condition."""
        sql = f'SELECT count(*) FROM "{table.name}" t0 WHERE {where}'
        return int(self._database.execute(sql, values).fetchone()[0])

    def raw(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """What a query of the caller's own says."""
        return self._database.execute(sql, values).fetchall()

    def pair(self, association: Association, near_id: str, far_id: str) -> None:
        """Associate two rows; raises `DuplicateRow` where they are."""
        self._database.insert(
            f'INSERT INTO "{association.pairs}" ({association.near}, {association.far}) '
            "VALUES (?, ?)",
            (near_id, far_id),
        )

    def unpair(self, association: Association, near_id: str, far_id: str) -> bool:
        """Undo an association; whether there was one."""
        sql = (
            f'DELETE FROM "{association.pairs}" WHERE {association.near}=? AND {association.far}=?'
        )
        return self._database.execute(sql, (near_id, far_id)).rowcount > 0

    def unlink(self, table: Table, row_id: str) -> None:
        """Empty every lookup that points at a row about to go, and end its associations."""
        for other in self._schema.tables.values():
            if other.union:
                continue
            for lookup in other.lookups:
                if table.name in lookup.targets or table.base in lookup.targets:
                    self._unlink_one(other, lookup, row_id, table.name)
        for association in table.associations.values():
            sql = f'DELETE FROM "{association.pairs}" WHERE {association.near}=?'
            self._database.execute(sql, (row_id,))

    def _unlink_one(self, other: Table, lookup: Lookup, row_id: str, target: str) -> None:
        settings, condition = f'"{lookup.name}"=NULL', f'"{lookup.name}"=?'
        values = [row_id]
        if lookup.several:
            settings += f',"{lookup.kind}"=NULL'
            condition += f' AND "{lookup.kind}"=?'
            values.append(target)
        self._database.execute(f'UPDATE "{other.name}" SET {settings} WHERE {condition}', values)

    def clear(self) -> None:
        """Remove every row of every table."""
        for name, table in self._schema.tables.items():
            if not table.union:
                self._database.execute(f'DELETE FROM "{name}"')
        for name in self._schema.pairs:
            self._database.execute(f'DELETE FROM "{name}"')
