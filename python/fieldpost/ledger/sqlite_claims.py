"""What a run has claimed in an SQLite ledger and not decided: one row for each step, not for each.

So a record costs one row of `outcomes`, written when its outcome is known. Two runs never get the
same record: a step holds the only lock for writing, makes the claims of other runs into rows, and
finds every record that has one. Only this run's own claims need no look, since they are known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from .._core import claims_text, settled_values
from .rows import Settled
from .transaction import Transaction

# Made into rows they are what a claim was before there were packs: undecided, and of their run.
# One that has a row is decided, or claimed anew, and its pack just not empty yet.
_SPREAD = (
    "INSERT INTO outcomes (claim, target, event_id, hash, source, line, offset, mapping,"
    " first_try, run) SELECT claim, target, event_id, hash, source, line, offset, mapping,"
    " first_try, run FROM open_claims WHERE run <> ? ON CONFLICT (target, event_id) DO NOTHING"
)
_TARGET = itemgetter(0)  # of a key
_EVENT_ID = itemgetter(1)
Identities = dict[int, set[str]]  # event ids by their targets
# One statement for so many rows costs half of as many statements, and does not hand the
# interpreter to another thread after each. A few sizes, since each is prepared once and kept.
TOGETHER = (128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)
_WIDTH = {False: 9, True: 7}  # values of a row; True: where all have the same ids
_NOBODY = -1
_NONE: frozenset[str] = frozenset()


class Pack(NamedTuple):
    """Claims numbered one behind the other from `first`; open: a byte for each, 0 once decided."""

    first: int
    keys: list[Any]
    moment: float
    open: bytes
    ids: Identities


class OpenClaims:
    """Those of one run. What a transaction changes is noted here when it is on the disk."""

    def __init__(self) -> None:
        self.last = 0  # the highest number ever given
        self._packs: list[Pack] = []

    def may_hold(self, ids: Identities) -> bool:
        """Whether some of these may be claimed; what has no row and may be, is."""
        return any(
            not pack.ids.get(target, _NONE).isdisjoint(wanted)
            for pack in self._packs
            for target, wanted in ids.items()
        )

    # -- claiming

    def pack(
        self, transaction: Transaction, run: int, first: int, now: float, keys: list[Any]
    ) -> Callable[[], None]:
        """Write claims for keys that nobody has; returns what notes that they are on the disk."""
        transaction.run(
            "INSERT INTO claims (first, run, records) VALUES (?, ?, ?)",
            (first, run, claims_text(keys, repr(now))),
        )
        return partial(self._given, Pack(first, keys, now, b"\1" * len(keys), identities(keys)))

    def _given(self, pack: Pack) -> None:
        self._packs.append(pack)
        self.last = max(self.last, pack.first + len(pack.keys) - 1)

    # -- deciding

    def settle(
        self, transaction: Transaction, settled: list[Settled], now: float, run: int
    ) -> tuple[list[Settled], Callable[[], None]]:
        """Rows for claims of packs, and no pack that is empty.

        Returns what has rows already, and what notes the others as above.
        """
        groups, others, opens = settled_values(settled, self._packs)
        for same_ids, shared, values in groups:
            width = _WIDTH[same_ids]
            for size, part in parts(values, width):
                transaction.run(_SETTLE[same_ids][size], [now, run, *shared, *part])
        left = [pack._replace(open=open_) for pack, open_ in zip(self._packs, opens, strict=True)]
        empty = [(pack.first,) for pack in left if 1 not in pack.open]
        if empty:
            transaction.many("DELETE FROM claims WHERE first = ?", empty)
        return others, partial(self._settled, [pack for pack in left if 1 in pack.open])

    def _settled(self, left: list[Pack]) -> None:
        self._packs = left


def identities(keys: Iterable[Any]) -> Identities:
    """The different ones of some keys."""
    targets = set(map(_TARGET, keys))
    if len(targets) == 1:
        return {targets.pop(): set(map(_EVENT_ID, keys))}
    ids: Identities = {target: set() for target in targets}
    for key in keys:
        ids[key[0]].add(key[1])
    return ids


def spread(transaction: Transaction, but_of: int = _NOBODY) -> None:
    """Make claims into rows: all, or all but those of one run."""
    if transaction.rows("SELECT 1 FROM claims WHERE run <> ? LIMIT 1", (but_of,)):
        transaction.run(_SPREAD, (but_of,))
        transaction.run("DELETE FROM claims WHERE run <> ?", (but_of,))


def parts(values: list[Any], width: int) -> Iterator[tuple[int, list[Any]]]:
    """Rows of so many values, one behind the other, as many at once as one statement takes."""
    begin = 0
    for size in TOGETHER:
        while len(values) - begin >= size * width:
            yield size, values[begin : begin + size * width]
            begin += size * width


def _settling(size: int, same_ids: bool) -> str:
    alike = ", ".join(f"?{place}" for place in range(1, 16 if same_ids else 14))
    rows = ", ".join([f"({alike}{', ?' * _WIDTH[same_ids]})"] * size)
    shared, own = ("record_id, request_id, ", "") if same_ids else ("", ", record_id, request_id")
    return (
        "INSERT INTO outcomes (decided, run, outcome, effect, attempts, http_status, code, message,"
        f" action_needed, in_doubt, target, source, mapping, {shared}event_id, hash, line, offset,"
        f" first_try, latency_ms, claim{own}) VALUES {rows}"
        # Another run has made the claim into a row meanwhile, and may have taken it over.
        " ON CONFLICT (target, event_id) DO UPDATE SET outcome = excluded.outcome,"
        " effect = excluded.effect, attempts = excluded.attempts,"
        " http_status = excluded.http_status, code = excluded.code, message = excluded.message,"
        " action_needed = excluded.action_needed, in_doubt = excluded.in_doubt,"
        " decided = excluded.decided, record_id = excluded.record_id,"
        " request_id = excluded.request_id, latency_ms = excluded.latency_ms"
        " WHERE outcomes.run = excluded.run"
    )


_SETTLE = {
    same_ids: {size: _settling(size, same_ids) for size in TOGETHER} for same_ids in (False, True)
}
