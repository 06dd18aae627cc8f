"""How many requests came, by method and pattern of the address; control requests do not count."""

from __future__ import annotations

import re
from collections import Counter

KEY = re.compile(r"\([^()]+\)")


class Traffic:
    """A counter of requests."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def enter(self, method: str, path: str) -> None:
        """Count one request."""
        self._counts[f"{method} {KEY.sub('({key})', path)}"] += 1

    def counts(self) -> dict[str, int]:
        """By "METHOD /path", sorted."""
        return dict(sorted(self._counts.items()))

    def clear(self) -> None:
        """Count from nothing again."""
        self._counts.clear()
