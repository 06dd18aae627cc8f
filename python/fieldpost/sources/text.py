"""A stream's content as lines of UTF-8: decompressed, values of several lines joined, a JSON array
turned, odd encodings refused.

The first bytes tell what it is, not its name. A byte order mark becomes blanks, an array becomes
one item a line, a value of several lines one line; all byte for byte, so that positions stay those
of the (decompressed) content.
"""

from __future__ import annotations

import gzip
import io
import re
import sys
from typing import cast

from .._core import ArrayLines, EventLines
from ..errors import Position, SourceError
from .signature import GZIP, LOOKED_AT, PARQUET, is_zstandard, unread, utf16
from .stream import Stream, broken

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdFile
else:
    from backports.zstd import DecompressionParameter, ZstdFile

_BOM = b"\xef\xbb\xbf"
_ARRAY = re.compile(rb"\s*\[\s*[{\]]")
_LONE_ARRAY = re.compile(rb"\s*\[[ \t\r]*\n\s*[{\]]")  # no line of an NDJSON file
_UNDECIDED = re.compile(rb"(\xef\xbb\xbf)?\s*(\[\s*)?\Z")
_SEARCHED = 65536  # bytes: so many blanks at the start are no array
_LAYERS = 3  # of compression
# zstd --long=31; whoever wants so much memory for a file has written it so.
_WINDOW: dict[int, int] = {
    DecompressionParameter.window_log_max: DecompressionParameter.window_log_max.bounds()[1]
}


def decompressed(stream: io.BufferedReader, name: str) -> io.BufferedReader:
    """The stream itself, or what it holds compressed. Raises SourceError for what is not read."""
    content, first = stream, stream.peek(LOOKED_AT)[:LOOKED_AT]
    for _ in range(_LAYERS):
        if first.startswith(GZIP):
            content = cast(io.BufferedReader, gzip.GzipFile(fileobj=content, mode="rb"))
        elif is_zstandard(first):
            content = cast(io.BufferedReader, ZstdFile(content, mode="rb", options=_WINDOW))
        else:
            break
        first = _first_of(content, name)
    _refuse_unread(first, name, content is stream)
    return content


def _first_of(content: io.BufferedReader, name: str) -> bytes:
    try:
        return content.peek(LOOKED_AT)[:LOOKED_AT]
    except Exception as error:
        raise broken(error, Position(name, 1, 0)) from error


def _refuse_unread(first: bytes, name: str, is_bare: bool) -> None:
    if first.startswith(PARQUET):
        told = "Parquet is not read from a pipe or from bytes"
        hint = "give the path of the file, or a pyarrow table"
        if not is_bare:
            told, hint = "Parquet within a compressed file is not read", "decompress it first"
        raise SourceError("E806", told, name, hint)
    if kind := unread(first):
        raise SourceError("E806", f"{kind.kind} is not read", name, kind.hint)


def text_lines(stream: io.BufferedReader, name: str, as_lines: bool = False) -> Stream:
    """The events of a stream as lines. as_lines: nothing but lines, even where it begins with [."""
    return _Lines(decompressed(stream, name), name, as_lines)


def refuse_utf16(first: bytes, name: str, more: str = "") -> None:
    """Raise SourceError where text has two bytes a character. more: another cure."""
    if encoding := utf16(first):
        hint = f"iconv -f {encoding.upper().replace('16-', '16')} -t UTF-8 FILE{more}"
        raise SourceError("E811", "UTF-16 text, expected UTF-8", name, hint, Position(name, 1, 0))


class _Lines:
    """held: bytes that are given with what follows them, which tells what they are."""

    def __init__(self, stream: io.BufferedReader, name: str, as_lines: bool) -> None:
        self._stream = stream
        self._name = name
        self._pattern = _LONE_ARRAY if as_lines else _ARRAY
        self._begun = False
        self._held = b""
        self._array: ArrayLines | None = None
        self._lines = EventLines()

    def readinto1(self, room: memoryview) -> int:
        while True:
            held = len(self._held)
            room[:held] = self._held
            count = self._read(room, held)
            if not count:
                self._held = b""
                return held or self._end()
            turned = self._turned(room, held + count)
            self._held = bytes(room[turned : held + count])
            if turned:
                return turned

    def _read(self, room: memoryview, held: int) -> int:
        if not self._begun:
            self._begun = True
            return self._first(room)
        with room[held:] as free:
            return self._stream.readinto1(free)

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
        refuse_utf16(bytes(room[: min(count, LOOKED_AT)]), self._name)
        begin = len(_BOM) if room[:3] == _BOM and count >= 3 else 0
        if self._pattern.match(room[begin:count]):
            room[:begin] = b" " * begin
            self._array = ArrayLines()
        return count

    def _turned(self, room: memoryview, count: int) -> int:
        if self._array is None:
            return self._lines.turn(room, count)
        self._array.turn(room, count)
        return count

    def _end(self) -> int:
        if self._array is not None:
            self._array.finish()
            if self._array.fault is not None:
                kind, offset = self._array.fault
                raise self._fault(*_ARRAY_FAULTS[kind], offset)
        elif (began := self._lines.open_since) is not None:
            raise self._fault("a JSON value of several lines ends too early", _COPIED, began)
        return 0

    def _fault(self, told: str, hint: str, offset: int) -> SourceError:
        return SourceError("E812", told, self._name, hint, Position(self._name, None, offset))


_COPIED = "is it still being written or copied?"
_ARRAY_FAULTS = {
    "early_end": ("the JSON array ends too early", _COPIED),
    "missing_item": ("the JSON array has a comma with no item", "remove the comma"),
    "after_end": (
        "there is text after the end of the JSON array",
        "if each line is an event of its own, end the file's name in .ndjson",
    ),
}
