"""The commit ledger: one line for every row that a committed request created, updated or deleted.

A line is written in the transaction of the change itself, so it exists exactly if the change does.
Its number doubles as the row's version.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from .database import Database


class Change(StrEnum):
    """What a commit did to a row."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


class Ledger:
    """Entered by writers, read by the control channel."""

    def __init__(self, database: Database) -> None:
        self._database = database
        found = database.execute("SELECT max(version) FROM _commits").fetchone()[0]
        self._version: int = found or 0

    def enter(self, table: str, row_id: str, change: Change, request_id: str) -> int:
        """The new version of the row. Numbers of rolled back lines are not used again."""
        self._version += 1
        self._database.execute(
            "INSERT INTO _commits VALUES (?, ?, ?, ?, ?)",
            (self._version, table, row_id, change, request_id),
        )
        return self._version

    def deleted(self, table: str, row_id: str) -> bool:
        """Whether a row of this id was deleted before."""
        sql = "SELECT 1 FROM _commits WHERE entity = ? AND id = ? AND change = 'deleted' LIMIT 1"
        return self._database.execute(sql, (table, row_id)).fetchone() is not None

    @property
    def version(self) -> int:
        """The number of the last change."""
        return self._version

    def deleted_since(self, table: str, version: int) -> list[str]:
        """The ids of rows whose last change after a version was their end."""
        sql = (
            "SELECT id FROM _commits AS c WHERE entity = ?1 AND change = 'deleted' AND version > ?2"
            " AND NOT EXISTS (SELECT 1 FROM _commits WHERE entity = ?1 AND id = c.id"
            " AND version > c.version) ORDER BY version"
        )
        return [row_id for (row_id,) in self._database.execute(sql, (table, version)).fetchall()]

    def commits(self, table: str | None = None) -> list[dict[str, Any]]:
        """Per row, in the order of first commits: the counts, and the requests that did it."""
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        with self._database.transaction():
            lines = self._database.execute(
                "SELECT entity, id, change, request_id FROM _commits "
                "WHERE ?1 IS NULL OR entity = ?1 ORDER BY version",
                (table,),
            ).fetchall()
        for entity, row_id, change, request_id in lines:
            row = rows.setdefault((entity, row_id), _blank(entity, row_id))
            row[change] += 1
            row["request_ids"].append(request_id)
        return list(rows.values())

    def clear(self) -> None:
        """Forget every line; versions go on rising, so no old ETag comes true again."""
        self._database.execute("DELETE FROM _commits")


def _blank(table: str, row_id: str) -> dict[str, Any]:
    counts = {change.value: 0 for change in Change}
    return {"table": table, "id": row_id, **counts, "request_ids": []}
