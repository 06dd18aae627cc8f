"""What is done to a ledger's rows beside delivering: settled, released, forgotten, joined."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .reading import Reading
from .rows import FINAL, OPEN
from .store import quoted
from .transaction import Transaction

_LARGEST_PACK = 128 << 20  # bytes


class Upkeep(Reading):
    """Changes that somebody asked for, and what keeps a ledger small."""

    def settle_by_hand(
        self,
        claims: Sequence[int],
        outcome: str,
        message: str,
        may_be: Sequence[str],
        dry_run: bool = False,
    ) -> int:
        """Set the outcome of undelivered rows; returns how many. Live claims stay as they are."""
        alive: dict[int, bool] = {}
        chosen = []
        for row in self.kept(claims):
            if row.outcome is None:
                if row.run not in alive:
                    alive[row.run] = self.is_live(row.run)
                if not alive[row.run] and "waiting" in may_be:
                    chosen.append(row.claim)
            elif row.outcome in may_be:
                chosen.append(row.claim)
        now = self._clock()

        def work(transaction: Transaction) -> None:
            self._spread(transaction)
            transaction.many(
                "UPDATE outcomes SET outcome = ?, message = ?, code = '', action_needed = '',"
                " effect = '', decided = ? WHERE claim = ?"
                " AND (outcome IS NULL OR outcome <> 'delivered')",
                [(outcome, message, now, claim) for claim in chosen],
            )
            if outcome == "delivered":
                self._delete_letters(transaction, chosen)

        if not dry_run:
            self._write(work)
        return len(chosen)

    def release(self, claims: Sequence[int], code: str, message: str, action_needed: str) -> None:
        """Let the next `deliver` take up rows that stand; what is claimed or delivered stays."""
        stand = quoted((*FINAL, *OPEN))

        def work(transaction: Transaction) -> None:
            self._spread(transaction)
            transaction.many(
                "UPDATE outcomes SET outcome = 'waiting', code = ?, message = ?, action_needed = ?,"
                f" first_try = NULL, attempts = 0 WHERE claim = ? AND outcome IN ({stand})",
                [(code, message, action_needed, claim) for claim in claims],
            )

        self._write(work)

    def prune(self, destination: str, before: float, dry_run: bool = False) -> dict[str, int]:
        """Forget rows that were decided before a moment (Unix seconds), and runs without rows.

        A run that was killed has no end, and is over all the same. A row without a moment of its
        own counts by the begin of its run. Undecided rows stay.
        """
        old = (
            "SELECT o.claim FROM outcomes AS o JOIN targets AS t ON t.target = o.target"
            " JOIN runs AS r ON r.number = o.run"
            " WHERE t.destination = ? AND o.outcome IS NOT NULL AND o.outcome <> 'waiting'"
            " AND coalesce(o.decided, r.ended, r.started) < ?"
        )
        values = (destination, before)
        endless = self._rows(
            "SELECT number FROM runs WHERE destination = ? AND started < ? AND ended IS NULL",
            values,
        )
        killed = ", ".join(str(int(run)) for (run,) in endless if not self.is_live(run))
        idle = (
            "SELECT number FROM runs WHERE destination = ? AND started < ?"
            f" AND (ended IS NOT NULL OR number IN ({killed or 'NULL'}))"
            " AND NOT EXISTS (SELECT 1 FROM outcomes AS o WHERE o.run = runs.number)"
        )

        def count(rows: Callable[[str, tuple[str, float]], list[Any]]) -> dict[str, int]:
            outcomes = f"SELECT outcome, count(*) FROM outcomes WHERE claim IN ({old}) GROUP BY 1"
            told = {str(outcome): int(events) for outcome, events in rows(outcomes, values)}
            letters = f"SELECT count(*) FROM letters WHERE claim IN ({old})"
            told["letters"] = int(rows(letters, values)[0][0])
            return told

        def work(transaction: Transaction) -> dict[str, int]:
            self._spread(transaction)
            told = count(transaction.rows)
            transaction.run(f"DELETE FROM letters WHERE claim IN ({old})", values)
            transaction.run(f"DELETE FROM outcomes WHERE claim IN ({old})", values)
            told["runs"] = len(transaction.rows(idle, values))
            transaction.run(f"DELETE FROM runs WHERE number IN ({idle})", values)
            return told

        if dry_run:  # a run may go with its last rows, so they count as gone
            stays = f"o.run = runs.number AND o.claim NOT IN ({old})"
            emptied = idle.replace("o.run = runs.number", stays)
            runs = self._rows(emptied, (*values, *values))
            return count(self._rows) | {"runs": len(runs)}
        return self._write(work)

    def merge_filtered(self, targets: Sequence[int]) -> None:
        """Join packs of about the same size, so that reading a source again adds nothing."""
        for target in targets:
            sizes = self._rows(
                "SELECT pack, length(hashes) FROM filtered WHERE target = ? ORDER BY 2", (target,)
            )
            chosen = _to_merge([(int(pack), int(size)) for pack, size in sizes])
            if len(chosen) > 1:
                self._write(partial(_merge, target=target, chosen=chosen))


def _to_merge(sizes: list[tuple[int, int]]) -> list[int]:
    """Packs to join, of (pack, size) ordered by size: the small ones, and on as long as the next
    is no more than twice what is joined so far. So each hash is rewritten a few times only."""
    chosen: list[int] = []
    joined = 0
    for pack, size in sizes:
        if chosen and (size > 2 * joined or joined + size > _LARGEST_PACK):
            break
        chosen.append(pack)
        joined += size
    return chosen


def _merge(transaction: Transaction, target: int, chosen: list[int]) -> None:
    these = ", ".join(map(str, chosen))
    rows = transaction.rows(
        f"DELETE FROM filtered WHERE target = ? AND pack IN ({these}) RETURNING hashes", (target,)
    )
    hashes = array("q")
    for row in rows:
        hashes.frombytes(bytes(row[0]))
    joined = array("q", sorted(set(hashes)))
    transaction.run(
        "INSERT INTO filtered (target, hashes) VALUES (?, ?)", (target, joined.tobytes())
    )
