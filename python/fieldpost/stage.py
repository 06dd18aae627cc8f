"""From chunks to bodies, without sending: one stage for a destination, one for a bare mapping.

A stage is shared between threads where it says so; what it makes of a chunk is a piece.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol, TypeVar

from ._core import Batch, Chunk, Plan
from .config import DestinationConfig
from .documents import active, compile_plan
from .errors import ConfigError, Mistake, SourceError
from .functions import Functions, load_functions
from .mapping import FilterLike, Mapping
from .mapping import Lines as MappedLines

_MOST_THREADS = 4

Made = TypeVar("Made")


class Row(NamedTuple):
    """One event for one subscription.

    line: of the source, from 1 (a table's row); offset: its first byte. body: JSON text, None where
    there is none. outcome: None where there is a body (nothing was sent), else invalid or dropped;
    code and error tell why.
    """

    source: str
    line: int
    offset: int
    event_id: str | None
    subscription: str
    outcome: str | None
    body: bytes | None
    code: str | None
    error: str | None


class Piece(Protocol):
    """What a chunk became."""

    @property
    def received(self) -> int:
        """Events read."""

    def text(self) -> bytes | memoryview:
        """The bodies, each ended by a newline."""

    def positions(self) -> list[Any]:
        """Which events the bodies are of."""

    def rows(self) -> list[Row]:
        """Bodies and what ended before, in order."""

    def ended(self) -> list[Row]:
        """The rows that have no body."""

    def tallies(self) -> list[tuple[int, int, int, int]]:
        """(bodies, filtered, dropped, invalid) of each subscription."""


class Stage(Protocol):
    """Turns chunks into pieces. subscriptions: their ids and names; threads: how many may work."""

    subscriptions: list[tuple[str, str]]
    threads: int

    def work(self, chunk: Chunk) -> Piece:
        """One chunk's piece."""

    def like(self, other: object) -> Stage | None:
        """The same of another destination or mapping; None where it is the wrong kind."""


class DestinationStage:
    """All subscriptions of a destination, or one of them, with its functions."""

    def __init__(self, config: DestinationConfig, only: str | None = None) -> None:
        self._plan = compile_plan(config)
        self._functions = load_functions(config)
        names = [(one.id, one.name) for one in active(config)]
        self._chosen = [i for i, pair in enumerate(names) if only is None or only in pair]
        if not self._chosen:
            known = ", ".join(name for _, name in names)
            told = Mistake("E150", f'no subscription "{only}"', hint=f"there are: {known}")
            raise ConfigError([told])
        self._only = self._chosen[0] if only is not None else None
        self._names = names
        self.subscriptions = [names[i] for i in self._chosen]
        # A user's functions are called by one thread, in order.
        self.threads = 1 if self._functions else cores()

    def work(self, chunk: Chunk) -> Piece:
        """One chunk's piece."""
        batch = batch_of(self._plan, self._functions, chunk)
        return _BatchPiece(batch, self._names, self._chosen, self._only)

    def like(self, other: object) -> Stage | None:
        """The same subscriptions of another destination."""
        config = getattr(other, "config", None)
        if not isinstance(config, DestinationConfig):
            return None
        return DestinationStage(config, None if self._only is None else self.subscriptions[0][0])


def batch_of(plan: Plan, functions: Functions | None, chunk: Chunk) -> Batch:
    """A chunk through filters, functions and mappings."""
    if functions is None:
        batch = plan.process(chunk)
    else:
        chosen = plan.select(chunk)
        batch = plan.render(chosen, [functions.result(text) for text in chosen.events()])
    batch.explain(chunk)
    return batch


class _BatchPiece:
    def __init__(
        self, batch: Batch, names: list[tuple[str, str]], chosen: list[int], only: int | None
    ) -> None:
        self._batch = batch
        self._names = names
        self._chosen = chosen
        self._only = only

    @property
    def received(self) -> int:
        return self._batch.received

    def text(self) -> bytes:
        return self._batch.bodies(self._only)

    def tallies(self) -> list[tuple[int, int, int, int]]:
        tallies = self._batch.tallies()
        return [tallies[index] for index in self._chosen]

    def positions(self) -> list[Any]:
        return self._batch.keys()

    def rows(self) -> list[Row]:
        source, names = self._batch.source, self._names
        rows = [
            (line, sub, Row(source, line, offset, event_id, names[sub][1], None, body, None, None))
            for index, (sub, event_id, _hash, line, offset) in enumerate(self._batch.keys())
            for body in [self._batch.body(index) or None]
        ]
        rows += [(row.line, sub, row) for sub, row in self._ends()]
        rows.sort(key=lambda one: one[:2])
        return [row for _, sub, row in rows if sub in self._chosen]

    def ended(self) -> list[Row]:
        return [row for sub, row in self._ends() if sub in self._chosen]

    def _ends(self) -> Iterator[tuple[int, Row]]:
        for sub, event_id, _hash, line, offset, outcome, code, told in self._batch.ended():
            name, source = self._names[sub][1], self._batch.source
            yield sub, Row(source, line, offset, event_id, name, outcome, None, code, told)


class MappingStage:
    """A mapping on its own, perhaps behind a filter."""

    def __init__(self, mapping: Mapping, filter: FilterLike | None = None) -> None:
        self.subscriptions = [("mapping", "mapping")]
        self._mapping = mapping
        self._filter = filter
        self.threads = cores()

    def like(self, other: object) -> Stage | None:
        """Another mapping behind the same filter."""
        return MappingStage(other, self._filter) if isinstance(other, Mapping) else None

    def work(self, chunk: Chunk) -> Piece:
        """One chunk's piece."""
        return _LinesPiece(self._mapping.apply_lines(chunk.lines(), self._filter), chunk)


class _LinesPiece:
    def __init__(self, lines: MappedLines, chunk: Chunk) -> None:
        self._lines = lines
        self._chunk = chunk

    @property
    def received(self) -> int:
        return self._lines.received

    def text(self) -> memoryview:
        return self._lines.text

    def tallies(self) -> list[tuple[int, int, int, int]]:
        bodies, invalid = len(self._lines), len(self._lines.invalid)
        return [(bodies, self._lines.received - bodies - invalid, 0, invalid)]

    def positions(self) -> list[Any]:
        return self._lines.line_numbers

    def rows(self) -> list[Row]:
        begins = _begins(bytes(self._chunk.lines()))
        pairs = zip(self._lines.line_numbers, self._lines, strict=True)
        rows = [self._row(line, begins[line - 1], body=body) for line, body in pairs]
        return sorted(rows + self.ended(), key=lambda row: row.line)

    def ended(self) -> list[Row]:
        first = self._chunk.start_line
        notes = {line - first + 1: ("E409", why) for line, why in self._chunk.notes}
        return [
            self._row(line, offset, "invalid", None, *notes.get(line, (code, told)))
            for line, offset, code, told in self._lines.invalid
        ]

    def _row(
        self,
        line: int,
        offset: int,
        outcome: str | None = None,
        body: bytes | None = None,
        code: str | None = None,
        error: str | None = None,
    ) -> Row:
        chunk = self._chunk
        place = (chunk.source, chunk.start_line + line - 1, chunk.start_offset + offset)
        return Row(*place, None, "mapping", outcome, body, code, error)


def _begins(text: bytes) -> list[int]:
    """The offset of each line."""
    begins, offset = [], 0
    for line in text.split(b"\n"):
        begins.append(offset)
        offset += len(line) + 1
    return begins


def cores() -> int:
    """How many threads may work at once."""
    return min(len(os.sched_getaffinity(0)), _MOST_THREADS)


def first_events(chunks: Iterable[Chunk], limit: int) -> Iterator[Chunk]:
    """The chunks of the first so many events."""
    for chunk in chunks:
        limit -= chunk.cut(limit)
        yield chunk
        if limit <= 0:
            return


def in_order(
    chunks: Iterable[Chunk], work: Callable[[Chunk], Made], threads: int
) -> Iterator[Made]:
    """What `work` makes of each chunk, several at once, in the order of the chunks.

    What the chunks raise comes after what was made before. A chunk that is not full is not held
    back: nothing more was there to read.
    """
    if threads < 2:
        yield from map(work, chunks)
        return
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads, "fieldpost-transform") as pool:
        try:
            for chunk in chunks:
                waiting.append(pool.submit(work, chunk))
                room = threads if chunk.ready() else 0
                del chunk
                while len(waiting) > room:
                    yield waiting.popleft().result()
        except SourceError:
            yield from _results(waiting)
            raise
        yield from _results(waiting)


def _results(waiting: deque[Future[Any]]) -> Iterator[Any]:
    while waiting:
        yield waiting.popleft().result()
