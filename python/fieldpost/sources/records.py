"""Events that are in memory already: dicts, or bytes that hold lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import orjson

from .. import json_text
from ..errors import SourceError
from .stream import chunks_of, decompressed, in_memory

if TYPE_CHECKING:
    from .._core import Chunk


class Records:
    """An iterable of dicts, read once; each becomes one line.

    What orjson writes as JSON may stand in them, dates included; whole numbers of any size stay
    exact. A record that JSON cannot hold becomes a line that is no object, so it ends as `invalid`
    and the others go on.
    """

    has_place = False
    name = "records"

    def __init__(self, records: Iterable[Any]) -> None:
        self._records = records

    def chunks(self) -> Iterator[Chunk]:
        """The records as lines."""
        faults: list[SourceError] = []
        yield from chunks_of(_LineStream(self._records), self.name, False, faults.append)
        if faults:
            raise faults[0]


class Lines:
    """Bytes that hold lines, plain or gzip."""

    has_place = False
    name = "bytes"

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        self._content = content

    def chunks(self) -> Iterator[Chunk]:
        """The lines."""
        faults: list[SourceError] = []
        stream = decompressed(in_memory(self._content), self.name)
        yield from chunks_of(stream, self.name, False, faults.append)
        if faults:
            raise faults[0]


class _LineStream:
    """Records as a stream of bytes; at most one record is held over from one read to the next."""

    def __init__(self, records: Iterable[Any]) -> None:
        self._lines = map(_line, records)
        self._left = memoryview(b"")

    def readinto1(self, room: memoryview) -> int:
        parts: list[bytes | memoryview] = [self._left]
        size = len(self._left)
        while size < len(room):
            line = next(self._lines, None)
            if line is None:
                break
            parts.append(line)
            size += len(line)
        joined = memoryview(b"".join(parts))
        count = min(size, len(room))
        room[:count] = joined[:count]
        self._left = joined[count:]
        return count


def _line(record: Any) -> bytes:
    try:
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        pass
    try:
        return json_text.write(record) + b"\n"
    except json_text.NotJson as foreign:
        return json_text.write(f"not JSON: {foreign.kind} at {foreign.path}") + b"\n"
