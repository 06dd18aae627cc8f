"""Files of delimited text (CSV, TSV): the header's names become fields, each row one event.

Cells are texts as they stand (nothing is guessed: 007 stays 007), an empty cell is null. Events
stand on the line of the file where their row begins.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import orjson

from ..delimited_text import DelimitedText, Dialect, Row
from ..errors import Position, SourceError
from .doubts import Doubts
from .rows import unlike
from .signature import LOOKED_AT
from .stream import LineStream, NoEvent, Stream
from .text import decompressed, refuse_utf16

ENDINGS = (".csv", ".tsv")
_TABS = ".tsv"
_CURE = "csv: {encoding: cp1252} under `source`, or another one, says how to read it"


def delimited_lines(
    stream: io.BufferedReader, name: str, bare: str, dialect: Dialect | None, doubts: Doubts
) -> Stream:
    """The rows as lines of JSON. bare: the name in small letters, without that of a compression."""
    content = decompressed(stream, name)
    known = dialect or Dialect()
    if not known.encoding:
        more = ", or csv: {encoding: utf-16} under `source`"
        refuse_utf16(content.peek(LOOKED_AT)[:LOOKED_AT], name, more)
    if bare.endswith(_TABS) and not known.delimiter:
        known = replace(known, delimiter="\t")
    return LineStream(_lines(content, name, known, doubts))


def _lines(
    content: io.BufferedReader, name: str, dialect: Dialect, doubts: Doubts
) -> Iterator[bytes | NoEvent]:
    try:
        with DelimitedText(content, dialect) as text:
            try:
                _hold_header(text, name)
                yield b"\n" * text.lines
                yield from _events(text, name)
            finally:
                for one in text.doubts:
                    doubts.tell(one.code, one.message, name, one.hint, one.line)
    except UnicodeError as error:
        told = f"the text is not {dialect.encoding}"
        raise SourceError("E811", told, name, _CURE) from error


def _events(text: DelimitedText, name: str) -> Iterator[bytes | NoEvent]:
    for row in text:
        if text.unclosed is not None:
            raise _unclosed(name, text.unclosed)
        yield _event(text.names, row)
        # A row of several lines is followed by blank ones, so that the next one's number fits.
        yield b"\n" * (row.end - row.begin)


def _hold_header(text: DelimitedText, name: str) -> None:
    """Raise SourceError where the header cannot be read, or is none of these rows."""
    line = Position(name, max(text.lines, 1), 0)
    if text.unclosed is not None:
        raise _unclosed(name, text.unclosed)
    if text.fault.endswith(text.encoding):
        told = f"the header is not {text.encoding}"
        raise SourceError("E811", told, name, _CURE, line)
    if text.misencoded:
        raise SourceError("E811", text.misencoded, name, _CURE, line)
    if text.fault:
        raise SourceError("E814", "the header cannot be read", name, "close its quotes", line)
    if text.misfit:
        hint = "delete what stands above the header, or name the columns in csv: {header: […]}"
        raise SourceError("E814", text.misfit, name, hint, line)
    unlike(text.names, name)


def _unclosed(name: str, line: int) -> SourceError:
    told = f"the quotes that open in the row of line {line} are not closed: nothing below is read"
    hint = 'close them; a quote within a cell in quotes is written twice: ""'
    return SourceError("E818", told, name, hint, Position(name, line, 0))


def _event(names: list[str], row: Row) -> bytes | NoEvent:
    if row.fault:
        return NoEvent(row.fault)
    if not row.cells:
        return b"\n"
    event = {name: cell or None for name, cell in zip(names, row.cells, strict=True)}
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
