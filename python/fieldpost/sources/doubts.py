"""What a source tells besides its events: each thing once, with its cure; nothing is lost by it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

from ..errors import Mistake

_log = logging.getLogger(__name__)


class Doubts:
    """Warnings of one pass over a source, in the order of their finding."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, str], Mistake] = {}

    def __iter__(self) -> Iterator[Mistake]:
        return iter(list(self._told.values()))

    def clear(self) -> None:
        """Another pass begins."""
        self._told.clear()

    def tell(
        self, code: str, message: str, source: str, hint: str, line: int | None = None
    ) -> None:
        """Add one, unless it is there. source: its name; line: where it was met first, from 1."""
        key = (code, message, source)
        self._told.setdefault(key, Mistake(code, message, line=line, hint=hint, file=source))

    def tell_lost(self, lost: Mapping[str, int], source: str) -> None:
        """Moments that became null, by column; "" where no column is known."""
        for column, count in lost.items():
            if count:
                of = f' of the column "{column}"' if column else ""
                what = "1 moment{} lies" if count == 1 else f"{count:,} moments{{}} lie"
                told = what.format(of) + " outside of the years 1 to 9999, so null stands there"
                self.tell("E817", told, source, "give a moment of your own where null will not do")


def log_doubts(doubts: Iterable[Mistake]) -> None:
    """Say each through logging."""
    for one in doubts:
        at = f"{one.file}:{one.line}" if one.line else one.file
        _log.warning("%s %s at %s; %s", one.code, one.message, at, one.hint)
