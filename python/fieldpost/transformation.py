"""The core without sending: what a destination, or a mapping on its own, makes of events.

    told = dest.transform("events.ndjson").write("bodies.ndjson")
    fp.transform("events.ndjson", fp.Mapping.from_file("mapping.yaml")).to_pandas()

Nothing is sent and no ledger is read or written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from . import json_text
from .comparison import Comparison, compare
from .errors import ConfigError, EventError, Mistake
from .html_table import html_table
from .mapping import FilterLike, Mapping
from .sources import Source, log_doubts, open_source
from .stage import MappingStage, Piece, Row, Stage, in_order

_ERRORS_KEPT = 1000
_ROWS_AT_ONCE = 10_000


@dataclass
class Transformed:
    """How many events became what; of each subscription, and over all of them.

    received: events read. A bare mapping counts what its filter lets through and it leaves
    undefined as filtered. errors: the first 1000 invalid rows, in order. warnings: what the source
    had to tell besides its events.
    """

    received: int = 0
    subscriptions: dict[str, dict[str, int]] = field(default_factory=dict)
    errors: list[Row] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)

    def __getitem__(self, name: str) -> int:
        """bodies, filtered, dropped or invalid, over all subscriptions."""
        return sum(counts[name] for counts in self.subscriptions.values())

    def to_dict(self) -> dict[str, Any]:
        """The counts."""
        names = ("bodies", "filtered", "dropped", "invalid")
        totals = {name: self[name] for name in names}
        return {"received": self.received, **totals, "subscriptions": self.subscriptions}

    def __repr__(self) -> str:
        told = ", ".join(f"{self[name]} {name}" for name in ("bodies", "dropped", "invalid"))
        return f"<Transformed: {self.received} received; {told}>"

    def _add(self, piece: Piece, names: list[tuple[str, str]]) -> None:
        self.received += piece.received
        for (_, name), tally in zip(names, piece.tallies(), strict=True):
            counts = self.subscriptions.setdefault(
                name, dict.fromkeys(("bodies", "filtered", "dropped", "invalid"), 0)
            )
            for key, more in zip(counts, tally, strict=True):
                counts[key] += more


class Transformation:
    """A source and what is made of it. Iterate over it for bodies (JSON text as bytes).

    The source is read anew each time, where it can be: standard input and generators only once.
    What is wrong with one event is a row with its code; SourceError comes after what was good.
    told: the counts of the last pass.
    """

    def __init__(self, source: Source, stage: Stage) -> None:
        # Nothing is remembered of these events: an event without an id is told apart by its place.
        source.has_place = True
        self._source = source
        self._stage = stage
        self.told = Transformed()

    def _pieces(self) -> Iterator[Piece]:
        self.told = Transformed()
        names = self._stage.subscriptions
        self.told.subscriptions = {}
        try:
            for piece in in_order(self._source.chunks(), self._stage.work, self._stage.threads):
                self.told._add(piece, names)
                yield piece
        finally:
            self.told.warnings = list(self._source.doubts)
            log_doubts(self.told.warnings)

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces():
            self._keep(piece)
            # A body holds no newline: JSON writes it as an escape.
            yield from bytes(piece.text()).split(b"\n")[:-1]

    def write(
        self,
        target: str | os.PathLike[str] | BinaryIO,
        on_error: Callable[[Row], object] | None = None,
    ) -> Transformed:
        """Write the bodies as NDJSON to a path or an open binary file.

        on_error: called with each invalid row.
        """
        if isinstance(target, str | os.PathLike):
            with Path(target).open("wb") as file:
                return self.write(file, on_error)
        for piece in self._pieces():
            target.write(piece.text())
            target.flush()  # a piece is large, or nothing more was there to read
            self._keep(piece, on_error)
        return self.told

    def _keep(self, piece: Piece, on_error: Callable[[Row], object] | None = None) -> None:
        if not any(invalid for *_, invalid in piece.tallies()):
            return
        rows = [row for row in piece.ended() if row.outcome == "invalid"]
        self.told.errors += rows[: _ERRORS_KEPT - len(self.told.errors)]
        if on_error is not None:
            for row in rows:
                on_error(row)

    def rows(self) -> Iterator[Row]:
        """Each event's body or error for each subscription, with its position."""
        for piece in self._pieces():
            self._keep(piece)
            yield from piece.rows()

    def to_pandas(self) -> Any:
        """A DataFrame with the columns of `Row`; `body` holds Python values (needs pandas)."""
        import pandas

        rows = [row._replace(body=row.body and _value(row.body)) for row in self.rows()]
        try:
            return pandas.DataFrame(rows, columns=list(Row._fields))
        except UnicodeEncodeError:  # its columns of text hold no half of a character
            return pandas.DataFrame(rows, columns=list(Row._fields), dtype=object)

    def to_arrow(self) -> Any:
        """A pyarrow Table with the columns of `Row`; `body` holds JSON text (needs pyarrow)."""
        import pyarrow

        schema = pyarrow.schema([(name, _ARROW_TYPES.get(name, "string")) for name in Row._fields])
        rows = self.rows()
        batches = []
        while part := [row for _, row in zip(range(_ROWS_AT_ONCE), rows, strict=False)]:
            columns = [list(column) for column in zip(*part, strict=True)]
            columns[_BODY] = [one and one.decode("utf-8") for one in columns[_BODY]]
            batches.append(pyarrow.record_batch(columns, schema=schema))
        return pyarrow.Table.from_batches(batches, schema=schema)

    def against(self, old: object, shown: int = 10) -> Comparison:
        """What `old` makes otherwise of these events: a Destination, or a Mapping for a Mapping.

        shown: how many differing events are kept with their fields. A source that breaks is told
        by `error` of the comparison.
        """
        stage = old._stage if isinstance(old, Transformation) else self._stage.like(old)
        if stage is None:
            told = f"{type(old).__name__} is not compared with this"
            hint = "compare a destination with a destination, a mapping with a mapping"
            raise ConfigError([Mistake("E151", told, hint=hint)])
        return compare(self._source.chunks(), self._stage, stage, shown)

    def __repr__(self) -> str:
        names = ", ".join(name for _, name in self._stage.subscriptions)
        return f"<Transformation of {self._source.name!r}: {names}>"

    def _repr_html_(self) -> str:
        rows = [row for _, row in zip(range(20), self.rows(), strict=False)]
        columns = ("line", "subscription", "body", "error")
        cells = [[row.line, row.subscription, _text(row.body), row.error or ""] for row in rows]
        return html_table(columns, cells)


_ARROW_TYPES = {"line": "uint64", "offset": "uint64"}
_BODY = Row._fields.index("body")


def transform(source: Any, mapping: Mapping, filter: FilterLike | None = None) -> Transformation:
    """What a mapping makes of a source's events, of those that `filter` lets through.

    source: as for `Destination.deliver`. Raises SourceError.
    """
    return Transformation(open_source(source), MappingStage(mapping, filter))


def _text(body: bytes | None) -> str:
    return "" if body is None else body.decode("utf-8")


def _value(body: bytes) -> Any:
    """A body as Python values, as text where Python cannot hold it."""
    try:
        return json_text.read(body)
    except EventError:
        return body.decode("utf-8")
