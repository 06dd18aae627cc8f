"""Events that earlier versions knew by another id, and a ledger that still knows them by it.

A number is one id however it is written. It was the text that stood there: 1001.0 was another event
than 1001, and a ledger may have delivered it under that name.
"""

from __future__ import annotations

from collections.abc import Iterable

from ._core import Batch
from .ledger import Ledger


def recognise(batch: Batch, ledger: Ledger, targets: Iterable[tuple[int, int]]) -> None:
    """Call events by their former ids where the ledger knows no other.

    targets: (subscription, its number in the ledger).
    """
    former = dict(batch.former_ids())
    if not former:
        return
    for sub, target in targets:
        known = ledger.look_up(target, {*former, *former.values()})
        batch.go_by_former(
            sub, [new for new, old in former.items() if old in known and new not in known]
        )
