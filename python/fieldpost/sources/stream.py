"""From a stream of bytes to chunks, the one loop that all sources share."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from .._core import Chunk
from ..errors import Position, SourceError

GZIP = b"\x1f\x8b"
ZSTANDARD = b"\x28\xb5\x2f\xfd"


class Stream(Protocol):
    """Writes its next bytes into the room given; tells how many, 0 at the end."""

    def readinto1(self, room: Any, /) -> int:
        """At most as many bytes as fit, from at most one read below."""


def decompressed(stream: io.BufferedReader, name: str) -> Stream:
    """The stream itself, or what it holds compressed: its first bytes tell, not its name.

    Raises SourceError for a compression that this version cannot read.
    """
    first = stream.peek(4)[:4]
    if first.startswith(GZIP):
        return gzip.GzipFile(fileobj=stream, mode="rb")
    if first == ZSTANDARD:
        hint = "pipe it in: zstd -dc FILE | fieldpost … -"
        raise SourceError("E806", "Zstandard is not available in this version", name, hint)
    return stream


def in_memory(content: bytes | bytearray | memoryview) -> io.BufferedReader:
    """Bytes as a stream."""
    return io.BufferedReader(io.BytesIO(content))


def chunks_of(
    stream: Stream, name: str, has_place: bool, fault: Callable[[SourceError], None]
) -> Iterator[Chunk]:
    """Read a stream to its end. If it breaks, whole lines before that are given, `fault` is told.

    One read at a time (readinto1): a longer one would lose what it has when the next part fails.
    """
    chunk, offset = Chunk(name, has_place), 0
    while True:
        try:
            with chunk.spare() as room:
                count = stream.readinto1(room)
        except (OSError, EOFError, zlib.error) as error:
            fault(_broken(error, name, offset))
            yield chunk
            return
        if not count:
            break
        chunk.filled(count)
        offset += count
        if chunk.ready():
            following = chunk.rest()
            yield chunk
            chunk = following
    chunk.finish()
    yield chunk


def _broken(error: Exception, name: str, offset: int) -> SourceError:
    position = Position(name, None, offset)
    if isinstance(error, EOFError):
        told, hint = "the compressed file ends too early", "is it still being written or copied?"
        return SourceError("E803", told, name, hint, position)
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        told, hint = "the compressed file is damaged", "copy it again, or look with gzip -t"
        return SourceError("E804", told, name, hint, position)
    reason = getattr(error, "strerror", None) or type(error).__name__
    return SourceError("E802", f"reading failed ({reason})", name, "", position)
