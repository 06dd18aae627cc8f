"""What a ledger remembers beside events: operations of users, what environments take."""

from __future__ import annotations

from .store import Store
from .transaction import Transaction

_MESSAGES_HOLD_S = 7 * 86_400.0  # an environment may be taught more


class Notes(Store):
    """Counts and answers that outlive a run."""

    def count_operations(self, user: str, day: str, number: int) -> int:
        """Add to what was asked of a destination as this user on this day; returns the sum."""

        def work(transaction: Transaction) -> int:
            if number:
                transaction.run(
                    'INSERT INTO operations ("user", day, number) VALUES (?, ?, ?)'
                    ' ON CONFLICT ("user", day)'
                    " DO UPDATE SET number = operations.number + excluded.number",
                    (user, day, number),
                )
            rows = transaction.rows(
                'SELECT number FROM operations WHERE "user" = ? AND day = ?', (user, day)
            )
            return int(rows[0][0]) if rows else 0

        return self._write(work)

    def operations(self) -> list[tuple[str, str, int]]:
        """(user, day, operations) that were asked of destinations, the latest days first."""
        rows = self._rows('SELECT "user", day, number FROM operations ORDER BY day DESC, "user"')
        return [(str(user), str(day), int(number)) for user, day, number in rows]

    def bulk_messages(self, environment: str) -> dict[tuple[str, str], bool]:
        """Whether an environment takes (table, message), where that was noted not long ago."""
        rows = self._rows(
            "SELECT entity, message, taken FROM bulk_messages WHERE environment = ? AND noted > ?",
            (environment, self._clock() - _MESSAGES_HOLD_S),
        )
        return {(str(table), str(message)): bool(taken) for table, message, taken in rows}

    def note_bulk_messages(self, environment: str, told: dict[tuple[str, str], bool]) -> None:
        """Remember whether an environment takes (table, message)."""
        rows = [(environment, *one, int(taken), self._clock()) for one, taken in told.items()]

        def work(transaction: Transaction) -> None:
            for row in rows:
                transaction.run(
                    "INSERT INTO bulk_messages (environment, entity, message, taken, noted)"
                    " VALUES (?, ?, ?, ?, ?) ON CONFLICT (environment, entity, message)"
                    " DO UPDATE SET taken = excluded.taken, noted = excluded.noted",
                    row,
                )

        self._write(work)
