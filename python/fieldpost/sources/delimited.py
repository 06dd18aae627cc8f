"""Files of delimited text (CSV, TSV): the header's names become fields, each row one event.

Cells are texts as they stand (nothing is guessed: 007 stays 007), an empty cell is null. Events
stand on the line of the file where their row begins.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import orjson

from ..delimited_text import OPEN_QUOTES, DelimitedText, Row
from ..errors import Position, SourceError
from .rows import unlike
from .signature import LOOKED_AT
from .stream import LineStream, NoEvent, Stream
from .text import decompressed, refuse_utf16

ENDINGS = (".csv", ".tsv")


def delimited_lines(stream: io.BufferedReader, name: str) -> Stream:
    """The rows as lines of JSON."""
    content = decompressed(stream, name)
    refuse_utf16(content.peek(LOOKED_AT)[:LOOKED_AT], name)
    return LineStream(_lines(content, name))


def _lines(content: io.BufferedReader, name: str) -> Iterator[bytes | NoEvent]:
    with DelimitedText(content) as text:
        if text.fault:
            hint = "close its quotes" if text.fault == OPEN_QUOTES else "save the file as UTF-8"
            told = "the header cannot be read"
            raise SourceError("E814", told, name, hint, Position(name, 1, 0))
        unlike(text.names, name)
        yield b"\n" * text.lines
        for row in text:
            yield _event(text.names, row)
            # A row of several lines is followed by blank ones, so that the next one's number fits.
            yield b"\n" * (row.end - row.begin)


def _event(names: list[str], row: Row) -> bytes | NoEvent:
    if row.fault:
        return NoEvent(row.fault)
    if not row.cells:
        return b"\n"
    event = {name: cell or None for name, cell in zip(names, row.cells, strict=True)}
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
