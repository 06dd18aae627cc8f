"""Events that are in memory already: dicts, a pandas DataFrame, or bytes that hold lines."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from .doubts import Doubts
from .frame_cells import Cells, frame_cells
from .rows import RowWriter, unlike
from .stream import LineStream, View, chunks_of
from .text import text_lines

if TYPE_CHECKING:
    from .._core import Chunk

_ROWS = 4096  # at once, of a DataFrame


class Records:
    """An iterable of dicts, read once; each becomes one line.

    What orjson writes as JSON may stand in them, dates included; whole numbers of any size and
    decimals stay exact. A record that JSON cannot hold becomes a line that is no object, so it ends
    as `invalid` and the others go on. What the iterable raises is told after the last good one.
    """

    def __init__(self, records: Iterable[Any], name: str = "records") -> None:
        self._records = records
        self.name = name
        self.has_place = False
        self.doubts = Doubts()

    def chunks(self) -> Iterator[Chunk]:
        """The records as lines."""
        self.doubts.clear()
        faults: list[SourceError] = []
        writer = RowWriter()
        lines = LineStream(map(writer.line, self._each()))
        yield from chunks_of(lines, self.name, self.has_place, faults.append)
        self.doubts.tell_lost({"": writer.lost}, self.name)
        if faults:
            raise faults[0]

    def _each(self) -> Iterator[Any]:
        try:
            yield from self._records
        except Exception as error:
            told = f"the iterable raised {type(error).__name__}"
            raise SourceError("E810", told, self.name) from error


class Frame:
    """A pandas DataFrame: its columns are fields, its index is not."""

    name = "DataFrame"

    def __init__(self, frame: Any) -> None:
        unlike(map(str, frame.columns), self.name)
        self._frame = frame
        self.has_place = False
        self.doubts = Doubts()

    def chunks(self) -> Iterator[Chunk]:
        """The rows as lines."""
        lost: Counter[str] = Counter()
        records = Records(self._rows(frame_cells(self._frame, lost, self.name)), self.name)
        records.has_place = self.has_place
        records.doubts = self.doubts
        yield from records.chunks()
        self.doubts.tell_lost(lost, self.name)

    def _rows(self, cells: list[Cells]) -> Iterator[dict[str, Any]]:
        names = [str(column) for column in self._frame.columns]
        for begin in range(0, len(self._frame), _ROWS):
            part = self._frame.iloc[begin : begin + _ROWS]
            columns = [one(part.iloc[:, index]) for index, one in enumerate(cells)]
            for row in zip(*columns, strict=True):
                yield dict(zip(names, row, strict=True))


class Lines:
    """Bytes that hold lines or a JSON array, plain or compressed; read where they lie."""

    name = "bytes"

    def __init__(self, content: Any) -> None:
        self._content = content
        self.has_place = False
        self.doubts = Doubts()

    def chunks(self) -> Iterator[Chunk]:
        """The lines."""
        faults: list[SourceError] = []
        stream = text_lines(io.BufferedReader(View(self._content)), self.name)
        yield from chunks_of(stream, self.name, self.has_place, faults.append)
        if faults:
            raise faults[0]
