"""Delimited text (CSV, TSV) as rows: where each begins, its cells, and what is wrong with it.

The separator is what the header has of comma, semicolon, tab and bar. Quotes are held to: one that
is not closed is a fault, and so is a row with more or fewer cells than the header has names.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

_LONGEST_CELL = 1 << 30
_SEPARATORS = (",", ";", "\t", "|")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")  # of surrogateescape: it was no UTF-8

OPEN_QUOTES = "the row's quotes do not match"
NOT_UTF8 = "the row is not UTF-8"


class Row(NamedTuple):
    """Of lines `begin` to `end` of the file, from 1. No cells: a blank line, or a fault."""

    begin: int
    end: int
    cells: list[str]
    fault: str


class DelimitedText:
    """The rows of a file, one after the other, behind its header.

    names: the header's cells, none where the file is empty. fault: why the header cannot be read,
    or "". lines: how many of the file were read so far.
    """

    def __init__(self, content: io.BufferedReader) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        self._text = io.TextIOWrapper(content, "utf-8-sig", "surrogateescape", newline="")
        header = self._text.readline()
        delimiter = next((one for one in _SEPARATORS if one in header), ",")
        self._rows = csv.reader(self._again(header), delimiter=delimiter, strict=True)
        first = self._next()
        self.names: list[str] = [] if first is None else first.cells
        self.fault = "" if first is None else first.fault

    def __enter__(self) -> DelimitedText:
        return self

    def __exit__(self, *_error: object) -> None:
        self._text.close()

    @property
    def lines(self) -> int:
        """How many lines were read."""
        return self._rows.line_num

    def __iter__(self) -> Iterator[Row]:
        while (row := self._next()) is not None:
            if row.cells and len(row.cells) != len(self.names):
                cells, names = len(row.cells), len(self.names)
                fault = f"the row has {cells} cells, the header {names} names"
                row = row._replace(cells=[], fault=fault)
            yield row

    def _again(self, header: str) -> Iterator[str]:
        yield header
        yield from self._text

    def _next(self) -> Row | None:
        begin = self._rows.line_num + 1
        try:
            cells = next(self._rows)
        except StopIteration:
            return None
        except csv.Error:
            return Row(begin, self._rows.line_num, [], OPEN_QUOTES)
        if _ESCAPED_BYTE.search("".join(cells)):
            return Row(begin, self._rows.line_num, [], NOT_UTF8)
        return Row(begin, self._rows.line_num, cells, "")
