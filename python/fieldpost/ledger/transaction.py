"""One transaction of a store, as the statements of a ledger see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol


class Transaction(Protocol):
    """Statements are written with `?`; a store spells them its own way.

    again: the same step may have been committed before, and nobody heard of it.
    """

    again: bool

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """One statement."""

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """One statement for each row; returns how many rows of the store changed."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """One statement's rows."""
