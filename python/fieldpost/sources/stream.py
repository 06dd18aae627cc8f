"""From a stream of bytes to chunks, the one loop that all sources share."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from .._core import Chunk
from ..errors import Position, SourceError

_LONGEST = 1 << 29  # bytes of one line


class Stream(Protocol):
    """Writes its next bytes into the room given; tells how many, 0 at the end."""

    def readinto1(self, room: Any, /) -> int:
        """At most as many bytes as fit, from at most one read below."""


class View(io.RawIOBase):
    """Bytes that are in memory already, read where they lie."""

    def __init__(self, content: Any) -> None:
        self._left = memoryview(content).cast("B")

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, room: Any) -> int:
        """Copy the next bytes."""
        count = min(len(room), len(self._left))
        room[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


class NoEvent(NamedTuple):
    """Stands for a row that cannot be a line, and says why; values of the row are not in it."""

    why: str


class LineStream:
    """Lines that are made one by one, as a stream; at most one is held over between reads.

    What the lines before a fault were is read first, then the fault is raised. notes: line and
    reason of those that are no events; who reads takes them out.
    """

    def __init__(self, lines: Iterable[bytes | NoEvent]) -> None:
        self._lines = iter(lines)
        self._left = memoryview(b"")
        self._fault: Exception | None = None
        self._line = 1
        self.notes: list[tuple[int, str]] = []

    def readinto1(self, room: memoryview) -> int:
        """As `Stream`."""
        parts: list[bytes | memoryview] = [self._left]
        size = len(self._left)
        while size < len(room) and self._fault is None:
            line = self._next()
            if line is None:
                break
            parts.append(line)
            size += len(line)
        if not size and self._fault is not None:
            raise self._fault
        joined = memoryview(b"".join(parts))
        count = min(size, len(room))
        room[:count] = joined[:count]
        self._left = joined[count:]
        return count

    def _next(self) -> bytes | None:
        try:
            line = next(self._lines, None)
        except Exception as fault:
            self._fault = fault
            return None
        if isinstance(line, NoEvent):
            self.notes.append((self._line, line.why))
            line = b"null\n"
        self._line += line.count(b"\n") if line else 0
        return line


def chunks_of(
    stream: Stream,
    name: str,
    has_place: bool,
    fault: Callable[[SourceError], None],
    idle: Callable[[], bool] | None = None,
) -> Iterator[Chunk]:
    """Read a stream to its end. If it breaks, whole lines before that are given, `fault` is told.

    One read at a time (readinto1): a longer one would lose what it has when the next part fails.
    idle: whether nothing comes for a while; whole lines are then given without waiting for more.
    """
    chunk = Chunk(name, has_place)
    notes = getattr(stream, "notes", [])
    while True:
        try:
            with chunk.spare() as room:
                count = stream.readinto1(room)
        except MemoryError:
            raise
        except Exception as error:
            following = chunk.rest()
            fault(broken(error, Position(name, following.start_line, following.start_offset)))
            _take(notes, chunk, following.start_line)
            yield chunk
            return
        if not count:
            break
        chunk.filled(count)
        if chunk.ready() or (idle is not None and len(chunk.lines()) and idle()):
            following = chunk.rest()
            _take(notes, chunk, following.start_line)
            yield chunk
            chunk = following
        elif len(chunk) > _LONGEST:
            told, hint = "a line too long to hold in memory", "is it a file of lines at all?"
            place = Position(name, chunk.start_line, chunk.start_offset)
            fault(SourceError("E816", told, name, hint, place))
            return
    chunk.finish()
    _take(notes, chunk, None)
    yield chunk


def _take(notes: list[tuple[int, str]], chunk: Chunk, end: int | None) -> None:
    """Move the notes about lines before `end` to the chunk that holds them."""
    while notes and (end is None or notes[0][0] < end):
        chunk.note(*notes.pop(0))


def broken(error: Exception, position: Position) -> SourceError:
    """How a stream broke, as an error of ours."""
    name = position.source
    if isinstance(error, SourceError):
        error.position = error.position or position
        return error
    if isinstance(error, EOFError):
        told, hint = "the compressed file ends too early", "is it still being written or copied?"
        return SourceError("E803", told, name, hint, position)
    if isinstance(error, gzip.BadGzipFile | zlib.error) or type(error).__name__ == "ZstdError":
        told, hint = (
            "the compressed file is damaged",
            "copy it again, or look with gzip -t, zstd -t",
        )
        return SourceError("E804", told, name, hint, position)
    reason = getattr(error, "strerror", None) or type(error).__name__
    broken = SourceError("E802", f"reading failed ({reason})", name, "", position)
    broken.__cause__ = error
    return broken
