"""What every store brings: steps, questions, and who is alive. SqliteLedger and PostgresLedger do.

Opens on first use; not to be carried into a forked child. Calls may come from several threads and
take turns. Every step is one short transaction, and each may be done twice without harm: a store
repeats a step whose end it could not hear.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from .former_target import IsOlder
from .transaction import Transaction

T = TypeVar("T")


class Store(ABC):
    """Steps and questions over one store; to be used in turn by several threads."""

    def __init__(
        self, name: str, clock: Callable[[], float] = time.time, looking: bool = False
    ) -> None:
        self.name = name  # for messages; holds no secret
        self.looking = looking  # it only answers: nothing is made, migrated, locked or written
        self.run = 0  # number of the run in progress
        self._unknown = 0  # targets that were asked for, and are not there
        self._clock = clock
        self._turn = threading.RLock()

    def let_go(self) -> None:
        """In a forked child: its connection and its locks are the parent's."""
        self._turn = threading.RLock()  # a thread that is not here may hold the other
        self._leave_open()

    @abstractmethod
    def _leave_open(self) -> None:
        """Forget the connection without closing it, and note that it was inherited."""

    @property
    def is_taken_away(self) -> bool:
        """True where it does not lie any more where this run opened it."""
        return False

    @property
    def meeting_place(self) -> str:
        """The address of a database where several machines meet; "" where none do."""
        return ""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a ledger; reading does not make one."""

    @abstractmethod
    def prepare(self) -> None:
        """Open it, made or taken to today's schema if need be."""

    @property
    @abstractmethod
    def version(self) -> int:
        """The schema's number, as the store stands; 0 for none."""

    @abstractmethod
    def close(self) -> None:
        """Close it and end the run's claim to be alive."""

    @abstractmethod
    def is_live(self, run: int) -> bool:
        """Whether run `run` still works on what it has claimed."""

    @abstractmethod
    def _write(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in one transaction, again where its end could not be heard."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of a question of ours."""

    @abstractmethod
    def _asked(self, sql: str, values: Sequence[Any], where: str) -> Iterator[dict[str, Any]]:
        """Rows of a question with somebody's `where` in it: read-only, streamed, in turn."""

    @abstractmethod
    def _has_letters(self, transaction: Transaction) -> bool:
        """Whether there may be letters to delete."""

    @abstractmethod
    def _hold(self, transaction: Transaction, run: int) -> None:
        """Say that run `run` is alive, until close() or the end of the process."""

    @abstractmethod
    def _spread(self, transaction: Transaction) -> None:
        """Make every claim a row of `outcomes`, where a store keeps some elsewhere."""

    @abstractmethod
    def _hashes_of_outcomes(self, target: int) -> bytes:
        """The native 64-bit hashes of a target's rows, packed."""

    @abstractmethod
    def _delete_letters(self, transaction: Transaction, claims: list[int]) -> None:
        """Forget the letters of these claims, most of which have none."""

    def _find_target(self, key: tuple[str, str, str]) -> int | None:
        rows = self._rows(
            "SELECT target FROM targets WHERE destination = ? AND subscription = ? AND url = ?", key
        )
        return int(rows[0][0]) if rows else None

    def _older_targets(
        self, destination: str, subscription: str, is_older: IsOlder
    ) -> dict[int, str]:
        """The targets whose address is a former one, by number, the oldest first."""
        rows = self._rows(
            "SELECT target, url FROM targets WHERE destination = ? AND subscription = ?"
            " ORDER BY target",
            (destination, subscription),
        )
        return {int(number): str(url) for number, url in rows if is_older(str(url))}

    def addresses(self) -> list[str]:
        """Every address that something is, or was, noted of."""
        return [str(row[0]) for row in self._rows("SELECT DISTINCT url FROM targets ORDER BY url")]


def quoted(words: Iterable[str]) -> str:
    """Words as a list in SQL."""
    return ", ".join(f"'{word}'" for word in words) or "''"
