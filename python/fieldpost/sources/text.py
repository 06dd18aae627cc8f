"""A stream's content as lines of UTF-8: decompressed, a JSON array turned, odd encodings refused.

The first bytes tell what it is, not its name; a byte order mark becomes blanks, an array becomes
one item a line, both byte for byte, so that positions stay those of the (decompressed) content.
"""

from __future__ import annotations

import gzip
import io
import re
import sys
from typing import cast

from .._core import ArrayLines
from ..errors import Position, SourceError
from .stream import Stream

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdFile
else:
    from backports.zstd import ZstdFile

PARQUET = b"PAR1"
_GZIP = b"\x1f\x8b"
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip"}
_BOM = b"\xef\xbb\xbf"
# ASCII in two bytes a character, with or without a mark before it.
_UTF16 = re.compile(
    rb"\xff\xfe[\x09-\x7f]\0|\xfe\xff\0[\x09-\x7f]|([\x09-\x7f]\0){2}|(\0[\x09-\x7f]){2}"
)
_ARRAY = re.compile(rb"\s*\[\s*[{\]]")
_UNDECIDED = re.compile(rb"(\xef\xbb\xbf)?\s*(\[\s*)?\Z")
_SEARCHED = 65536  # bytes: so many blanks at the start are no array


def decompressed(stream: io.BufferedReader, name: str) -> io.BufferedReader:
    """The stream itself, or what it holds compressed. Raises SourceError for what is not read."""
    first = stream.peek(6)[:6]
    if first.startswith(_GZIP):
        return cast(io.BufferedReader, gzip.GzipFile(fileobj=stream, mode="rb"))
    if first.startswith(_ZSTANDARD):
        return cast(io.BufferedReader, ZstdFile(stream, mode="rb"))
    if first.startswith(PARQUET):
        hint = "give the path of the file, or a pyarrow table"
        raise SourceError("E806", "Parquet is not read from a pipe or from bytes", name, hint)
    for mark, kind in _OTHERS.items():
        if first.startswith(mark):
            told, hint = (
                f"{kind} is not read",
                "gzip and Zstandard are; or decompress and pipe it in",
            )
            raise SourceError("E806", told, name, hint)
    return stream


def text_lines(stream: io.BufferedReader, name: str, as_lines: bool = False) -> Stream:
    """The events of a stream as lines. as_lines: nothing but lines, even where it begins with [."""
    return _Lines(decompressed(stream, name), name, as_lines)


def refuse_utf16(first: bytes, name: str) -> None:
    """Raise SourceError where text has two bytes a character."""
    if _UTF16.match(first):
        hint = "iconv -f UTF-16 -t UTF-8 FILE"
        raise SourceError("E811", "UTF-16 text, expected UTF-8", name, hint, Position(name, 1, 0))


class _Lines:
    def __init__(self, stream: io.BufferedReader, name: str, as_lines: bool) -> None:
        self._stream = stream
        self._name = name
        self._as_lines = as_lines
        self._begun = False
        self._array: ArrayLines | None = None

    def readinto1(self, room: memoryview) -> int:
        if not self._begun:
            self._begun = True
            return self._first(room)
        count = self._stream.readinto1(room)
        self._turn(room, count)
        return count

    def _first(self, room: memoryview) -> int:
        """Read until it is clear what the content is."""
        # What was looked at is taken alone: with room for more, readinto1 would wait for more.
        ready = len(self._stream.peek(1))
        count = self._stream.readinto1(room[: min(ready, len(room))]) if ready else 0
        while ready and count < len(room):
            clear = count >= 4 and not _UNDECIDED.match(room[:count])
            if clear or count > _SEARCHED:
                break
            with room[count:] as more:
                added = self._stream.readinto1(more)
            count += added
            if not added:
                break
        refuse_utf16(bytes(room[:4]) if count >= 4 else b"", self._name)
        if count >= 3 and room[:3] == _BOM:
            room[:3] = b"   "
        if not self._as_lines and _ARRAY.match(room[:count]):
            self._array = ArrayLines()
        self._turn(room, count)
        return count

    def _turn(self, room: memoryview, count: int) -> None:
        array = self._array
        if array is None:
            return
        if count:
            array.turn(room, count)
            return
        array.finish()
        if array.fault is not None:
            kind, offset = array.fault
            told, hint = _ARRAY_FAULTS[kind]
            raise SourceError("E812", told, self._name, hint, Position(self._name, None, offset))


_ARRAY_FAULTS = {
    "early_end": ("the JSON array ends too early", "is it still being written or copied?"),
    "missing_item": ("the JSON array has a comma with no item", "remove the comma"),
    "after_end": (
        "there is text after the end of the JSON array",
        "if each line is an event of its own, end the file's name in .ndjson",
    ),
}
