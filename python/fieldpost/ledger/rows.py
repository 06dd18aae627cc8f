"""What goes into a ledger and what comes out of it, as plain tuples."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, overload

from .._core import are_plain

# Outcomes that the next run takes up again; the others stand until `replay` or `settle`.
OPEN = ("waiting", "invalid", "dropped")
# Outcomes that stand and are not sent again without being asked to.
FINAL = ("rejected", "expired", "unconfirmed")

_LONGEST_ID = 600  # characters; what an index of PostgreSQL takes whatever they are


class Key(NamedTuple):
    """One record as the ledger knows it; mapping: version of the document that made its body."""

    target: int
    event_id: str
    hash: int
    source: str
    line: int
    offset: int
    mapping: str = ""


class Standing(NamedTuple):
    """What the ledger already holds of a (target, event)."""

    claim: int
    outcome: str | None  # None: claimed by `run`, not decided
    run: int
    in_doubt: int = 0  # 1: it waits, and may have arrived unheard


class Claim(NamedTuple):
    """Leave to send one record; attempts and elapsed_s are of earlier runs."""

    claim: int
    elapsed_s: float
    attempts: int


class Fresh(Sequence[Claim]):
    """Claims of records never tried, numbered one behind the other from `first`."""

    def __init__(self, first: int, count: int) -> None:
        self.first = first
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Claim: ...
    @overload
    def __getitem__(self, place: slice) -> Fresh: ...
    def __getitem__(self, place: int | slice) -> Claim | Fresh:
        numbers = range(self.first, self.first + self._count)[place]
        if isinstance(numbers, int):
            return Claim(numbers, 0.0, 0)
        return Fresh(numbers.start, len(numbers))


class Ended(NamedTuple):
    """A record that ended before delivery: invalid or dropped."""

    key: Key
    outcome: str
    code: str
    message: str
    action_needed: str


class Settled(NamedTuple):
    """What became of a claim; the order is the one in which stores bind it."""

    outcome: str
    effect: str
    attempts: int
    http_status: int
    code: str
    message: str
    action_needed: str
    record_id: str
    request_id: str
    latency_ms: float
    in_doubt: int  # 1: of `waiting`, it may have arrived unheard
    claim: int


class Lost(enum.IntEnum):
    """The parts that a letter lacks; the column `redacted`."""

    NOTHING = 0
    FIELDS = 1  # of the event: for reading only
    SECRETS = 2  # references stand in their place, so it can be put together again
    PARTS = 3  # of a secret: the event can be mapped anew, the rest is for reading only


class Letter(NamedTuple):
    """A dead letter: what would be needed to send a record again.

    identity: the event id as it is, where the ledger knows it by a shorter text.
    """

    target: int
    event_id: str
    event: bytes | None
    body: bytes | None
    url: str = ""
    headers: str = ""
    redacted: Lost = Lost.NOTHING
    identity: bytes | None = None


class Kept(NamedTuple):
    """A row of the ledger that somebody chose, with its letter (all None without one)."""

    claim: int
    outcome: str | None
    run: int
    key: Key
    event: bytes | None
    body: bytes | None
    url: str | None
    headers: str | None
    redacted: int | None
    identity: bytes | None


class About(NamedTuple):
    """What a run is, beside what it does."""

    verb: str
    destination: str
    document_hash: str
    version: str
    host: str
    user: str
    airflow: str  # JSON of the Airflow run, "" outside of Airflow


class Takes(NamedTuple):
    """Which standing outcomes a run takes up again; anew: their time and tries begin anew."""

    outcomes: tuple[str, ...] = OPEN
    anew: bool = False


def known_as(event_id: str) -> str:
    """The text by which every store can know an event id.

    Very long ones end in their digest; NUL is written as an escape.
    """
    if len(event_id) > _LONGEST_ID:
        digest = hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()
        event_id = f"{event_id[: _LONGEST_ID - 100]}…{digest}"
    return event_id.replace("\0", "\\u0000") if "\0" in event_id else event_id


def plain_keys(keys: Sequence[Key]) -> list[Any]:
    """Keys whose event ids are texts that every store can know."""
    if are_plain(rows := list(keys), _LONGEST_ID):
        return rows  # as nearly always
    return [(key[0], known_as(key[1]), *key[2:]) for key in keys]
