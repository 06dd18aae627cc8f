"""What a run has claimed in an SQLite ledger and not decided: one row for each step, not for each.

So a record costs one row of `outcomes`, written when its outcome is known. Two runs never get the
same record: a step holds the only lock for writing, makes the claims of other runs into rows, and
finds every record that has one. Only this run's own claims need no look, since they are known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import orjson

from .rows import Settled
from .transaction import Transaction

# Made into rows they are what a claim was before there were packs: undecided, and of their run.
# One that has a row is decided, or claimed anew, and its pack just not empty yet.
_SPREAD = (
    "INSERT INTO outcomes (claim, target, event_id, hash, source, line, offset, mapping,"
    " first_try, run) SELECT claim, target, event_id, hash, source, line, offset, mapping,"
    " first_try, run FROM open_claims WHERE run <> ? ON CONFLICT (target, event_id) DO NOTHING"
)
_ALIKE = itemgetter(0, 1, 2, 3, 4, 5, 6, 10)  # of Settled: the same for many
_OWN = itemgetter(7, 8, 9, 11)
_CLAIM = itemgetter(3)  # of the latter
_CLAIMED = itemgetter(11)  # of Settled
IDENTITY = itemgetter(0, 1)  # of a key
Identity = tuple[int, str]
# One statement for so many rows costs half of as many statements, and does not hand the
# interpreter to another thread after each. A few sizes, since each is prepared once and kept.
TOGETHER = (64, 32, 16, 8, 4, 2, 1)
_NOBODY = -1


class Pack:
    """Claims numbered one behind the other from `first`; records: the keys and the moment."""

    def __init__(self, first: int, records: list[tuple[Any, ...]], ids: set[Identity]) -> None:
        self.first = first
        self.records = records
        self.ids = ids
        self.open = set(range(first, first + len(records)))


class OpenClaims:
    """Those of one run. What a transaction changes is noted here when it is on the disk."""

    def __init__(self) -> None:
        self.last = 0  # the highest number ever given
        self._packs: list[Pack] = []
        self._records: dict[int, tuple[Any, ...]] = {}  # by claim

    def __contains__(self, claim: int) -> bool:
        return claim in self._records

    def of_packs(self, settled: Sequence[Settled]) -> list[Settled]:
        """Those whose claims have no row."""
        records = self._records
        return [row for row in settled if row[11] in records]

    def may_hold(self, ids: set[Identity]) -> bool:
        """Whether some of these may be claimed; what has no row and may be, is."""
        return not all(pack.ids.isdisjoint(ids) for pack in self._packs)

    # -- claiming

    def pack(self, transaction: Transaction, run: int, pack: Pack) -> Callable[[], None]:
        """Write claims for keys that nobody has; returns what notes that they are on the disk."""
        transaction.run(
            "INSERT INTO claims (first, run, records) VALUES (?, ?, ?)",
            (pack.first, run, orjson.dumps(pack.records).decode()),
        )
        return partial(self._given, pack)

    def _given(self, pack: Pack) -> None:
        self._packs.append(pack)
        self._records.update(enumerate(pack.records, pack.first))
        self.last = max(self.last, pack.first + len(pack.records) - 1)

    # -- deciding

    def settle(
        self, transaction: Transaction, settled: Sequence[Settled], now: float, run: int
    ) -> Callable[[], None]:
        """Rows for claims of packs, and no pack that is empty; returns as above."""
        for alike, rows in groupby(settled, _ALIKE):
            own = list(map(_OWN, rows))
            for part in parts(own):
                records = map(self._records.__getitem__, map(_CLAIM, part))
                values = chain.from_iterable(chain.from_iterable(zip(records, part, strict=True)))
                transaction.run(_SETTLE[len(part)], [*alike, now, run, *values])
        decided = set(map(_CLAIMED, settled))
        left = [(pack, pack.open - decided) for pack in self._packs]
        empty = [(pack.first,) for pack, claims in left if not claims]
        if empty:
            transaction.many("DELETE FROM claims WHERE first = ?", empty)
        return partial(self._settled, decided, left)

    def _settled(self, decided: set[int], left: list[tuple[Pack, set[int]]]) -> None:
        for claim in decided:
            del self._records[claim]
        for pack, claims in left:
            pack.open = claims
        self._packs = [pack for pack in self._packs if pack.open]


def spread(transaction: Transaction, but_of: int = _NOBODY) -> None:
    """Make claims into rows: all, or all but those of one run."""
    if transaction.rows("SELECT 1 FROM claims WHERE run <> ? LIMIT 1", (but_of,)):
        transaction.run(_SPREAD, (but_of,))
        transaction.run("DELETE FROM claims WHERE run <> ?", (but_of,))


def parts(rows: list[Any]) -> Iterator[list[Any]]:
    """The rows in order, as many at once as one statement takes."""
    begin = 0
    for size in TOGETHER:
        while len(rows) - begin >= size:
            yield rows[begin : begin + size]
            begin += size


def _settling(size: int) -> str:
    shared = ", ".join(f"?{place}" for place in range(1, 11))
    rows = ", ".join([f"({shared}{', ?' * 12})"] * size)
    return (
        "INSERT INTO outcomes (outcome, effect, attempts, http_status, code, message,"
        " action_needed, in_doubt, decided, run, target, event_id, hash, source, line, offset,"
        f" mapping, first_try, record_id, request_id, latency_ms, claim) VALUES {rows}"
        # Another run has made the claim into a row meanwhile, and may have taken it over.
        " ON CONFLICT (target, event_id) DO UPDATE SET outcome = excluded.outcome,"
        " effect = excluded.effect, attempts = excluded.attempts,"
        " http_status = excluded.http_status, code = excluded.code, message = excluded.message,"
        " action_needed = excluded.action_needed, in_doubt = excluded.in_doubt,"
        " decided = excluded.decided, record_id = excluded.record_id,"
        " request_id = excluded.request_id, latency_ms = excluded.latency_ms"
        " WHERE outcomes.run = excluded.run"
    )


_SETTLE = {size: _settling(size) for size in TOGETHER}
