"""A step of a run as one statement, which PostgreSQL does in half the time of several.

Values that are the same for all of a step's outcomes are bound once, the others as lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .postgres_array import array_text
from .rows import Settled

_SHARED = {  # of Settled: the same for many, so often for all
    "outcome": "text",
    "effect": "text",
    "attempts": "bigint",
    "http_status": "bigint",
    "code": "text",
    "message": "text",
    "action_needed": "text",
    "in_doubt": "bigint",
}
_OWN = {"record_id": "text", "request_id": "text", "latency_ms": "float8", "claim": "bigint"}
_KINDS = _SHARED | _OWN
_KEY_COLUMNS = 'target, event_id, hash, source, line, "offset", mapping'
KEYS = (
    "SELECT k.*, ?::float8, ?::bigint FROM unnest(?::bigint[], ?::text[], ?::bigint[], ?::text[],"
    " ?::bigint[], ?::bigint[], ?::text[]{more}) AS k"
)
_CLAIM = f"INSERT INTO outcomes ({_KEY_COLUMNS}, claim, first_try, run) " + KEYS.format(
    more=", ?::bigint[]"
)


def _settling(listed: Sequence[str]) -> str:
    """listed: the columns of Settled that differ from row to row."""
    columns = ", ".join(
        f"{name} = {f's.{name}' if name in listed else '?'}"
        for name in Settled._fields
        if name != "claim"
    )
    lists = ", ".join(f"?::{_KINDS[name]}[]" for name in listed)
    return (
        f"UPDATE outcomes AS o SET {columns}, decided = ? FROM unnest({lists})"
        f" AS s ({', '.join(listed)}) WHERE o.claim = s.claim AND o.run = ?"
    )


_LISTED = {False: tuple(_OWN), True: Settled._fields}
_SETTLE = {mixed: _settling(listed) for mixed, listed in _LISTED.items()}
# A letter of an earlier run is of no use once its record arrived.
_DROP_LETTERS = (
    "DELETE FROM letters AS l USING settled AS s"
    " WHERE l.claim = s.claim AND s.outcome = 'delivered'"
)


def settling(settled: Sequence[Settled], now: float, run: int) -> tuple[str, list[Any]]:
    """A statement that writes outcomes of a run's claims, and its values."""
    columns = dict(zip(Settled._fields, zip(*settled, strict=True), strict=True))
    mixed = any(columns[name].count(columns[name][0]) != len(settled) for name in _SHARED)
    shared = () if mixed else [columns[name][0] for name in _SHARED]
    lists = [array_text(columns[name]) for name in _LISTED[mixed]]
    return _SETTLE[mixed], [*shared, now, *lists, run]


def step(
    settled: Sequence[Settled], keys: Sequence[Any], claims: Sequence[int], now: float, run: int
) -> tuple[str, list[Any]]:
    """A statement that writes outcomes, drops their letters, and claims keys that have no row.

    claims: the numbers that the claims get. UniqueViolation where a key has a row.
    """
    claim, claimed = "", []
    if keys:
        # One order for everybody, so that runs which meet do not wait for each other in a circle.
        ordered = sorted((*key, number) for key, number in zip(keys, claims, strict=True))
        claim, claimed = _CLAIM, [now, run, *map(array_text, zip(*ordered, strict=True))]
    if not settled:
        return claim, claimed
    settle, values = settling(settled, now, run)
    settle = f"WITH settled AS ({settle} RETURNING o.claim, o.outcome)"
    if not keys:
        return f"{settle} {_DROP_LETTERS}", values
    return f"{settle}, dropped AS ({_DROP_LETTERS}) {claim}", [*values, *claimed]
