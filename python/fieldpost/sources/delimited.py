"""Files of delimited text (CSV, TSV): the header's names become fields, each row one event.

Cells are texts as they stand (nothing is guessed: 007 stays 007), an empty cell is null. Events
stand on the line of the file where their row begins.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import orjson

from ..errors import Position, SourceError
from .rows import unlike
from .stream import LineStream, NoEvent, Stream
from .text import decompressed, refuse_utf16

ENDINGS = (".csv", ".tsv")
_LONGEST_CELL = 1 << 30
_SEPARATORS = (",", ";", "\t", "|")


def delimited_lines(stream: io.BufferedReader, name: str) -> Stream:
    """The rows as lines of JSON."""
    content = decompressed(stream, name)
    refuse_utf16(content.peek(4)[:4], name)
    text = io.TextIOWrapper(content, "utf-8-sig", "surrogateescape", newline="")
    return LineStream(_lines(text, name))


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[bytes | NoEvent]:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    with text:
        header = text.readline()
        rows = csv.reader(_again(header, text), delimiter=_separator(header), strict=True)
        names = _names(rows, name)
        done = rows.line_num
        yield b"\n" * done
        for line in _each(rows, names):
            yield line
            # A row of several lines is followed by blank ones, so that the next one's number fits.
            yield b"\n" * (rows.line_num - done - 1)
            done = rows.line_num


def _again(header: str, text: io.TextIOWrapper) -> Iterator[str]:
    yield header
    yield from text


def _separator(header: str) -> str:
    return next((one for one in _SEPARATORS if one in header), ",")


def _names(rows: Iterator[list[str]], name: str) -> list[str]:
    try:
        names = next(rows, [])
    except csv.Error:
        told, hint = "the header cannot be read", "close its quotes"
        raise SourceError("E814", told, name, hint, Position(name, 1, 0)) from None
    unlike(names, name)
    return names


def _each(rows: Iterator[list[str]], names: list[str]) -> Iterator[bytes | NoEvent]:
    while True:
        try:
            cells: list[Any] | None = next(rows, None)
        except csv.Error:
            yield NoEvent("the row's quotes do not match")
            continue
        if cells is None:
            return
        if not cells:
            yield b"\n"
        elif len(cells) != len(names):
            yield NoEvent(f"the row has {len(cells)} cells, the header {len(names)} names")
        else:
            yield _event(names, cells)


def _event(names: list[str], cells: list[Any]) -> bytes | NoEvent:
    event = {name: cell or None for name, cell in zip(names, cells, strict=True)}
    try:
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return NoEvent("the row is not UTF-8")
