"""Records that wait for their next try without keeping a place in the dispatcher."""

from __future__ import annotations

import heapq
import itertools
import time
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Later(Generic[Item]):
    """Items by the time at which they are due again."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Item]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, item: Item, in_s: float) -> None:
        """Have it back after so many seconds."""
        heapq.heappush(self._heap, (time.monotonic() + in_s, next(self._order), item))

    def due(self) -> list[Item]:
        """What has waited long enough."""
        now_s = time.monotonic()
        items = []
        while self._heap and self._heap[0][0] <= now_s:
            items.append(heapq.heappop(self._heap)[2])
        return items

    def wait(self, at_most_s: float) -> None:
        """Sleep until something is due."""
        if self._heap:
            left_s = self._heap[0][0] - time.monotonic()
            time.sleep(min(at_most_s, max(0.0, left_s)))

    def left(self) -> list[Item]:
        """Everything, due or not."""
        return [item for _, _, item in self._heap]
