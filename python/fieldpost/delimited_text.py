"""Delimited text (CSV, TSV) as rows: where each begins, its cells, and what is wrong with it.

Unless it is told, the separator is the one of comma, semicolon, tab and bar that fits the first
rows. Quotes are held to: one that is not closed is a fault, and so is a row with more or fewer
cells than the header has names.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple

from .errors import Mistake

_LONGEST_CELL = 1 << 26
_SAMPLED = 1 << 16  # characters that tell the separator
_ROWS_SAMPLED = 20
_SEPARATORS = (",", ";", "\t", "|")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")  # of surrogateescape: not in the encoding
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.I)
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(?:[.'  \u00a0\u202f]\d{3})+),\d+")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+")
_NO_DIGIT = re.compile(r"[^\d,+-]")

OPEN_QUOTES = "the row's quotes do not match"
_ENCODING_CURE = "csv: {encoding: cp1252} under `source`, or another one, says how to read it"
_CURE = "csv: {delimiter: …, encoding: …, decimal: …, header: …} under `source` says how to read it"


@dataclass(frozen=True)
class Dialect:
    """How delimited text is written.

    delimiter: "" for the one that fits. encoding: a codec of Python's; "" for UTF-8. decimal: what
    stands before the fraction; numbers with a comma there are given with a point. header: True for
    the first line, False for none (column_1, column_2, …), or the names of a file without one.
    """

    delimiter: str = ""
    encoding: str = ""
    decimal: str = "."
    header: bool | tuple[str, ...] = True


class Row(NamedTuple):
    """Of lines `begin` to `end` of the file, from 1. No cells: a blank line, or a fault."""

    begin: int
    end: int
    cells: list[str]
    fault: str


class DelimitedText:
    """The rows of a file, one after the other, behind its header.

    names: the header's cells, none where the file is empty. fault: why the header cannot be read,
    or "". misfit: why the header cannot be that of the rows below it, or "". misencoded: how many
    of the first rows are not UTF-8, where it is no single one, or "". lines: how many of the file
    were read so far. unclosed: the line of a quote that is not closed in all that follows, or
    None. doubts: warnings so far, with their lines. Raises UnicodeError where an encoding that was
    told is not the file's.
    """

    def __init__(self, content: io.BufferedReader, dialect: Dialect | None = None) -> None:
        csv.field_size_limit(_LONGEST_CELL)
        self._dialect = dialect or Dialect()
        self.encoding = self._dialect.encoding or "UTF-8"
        self._not_encoded = f"the row is not {self.encoding}"
        codec = self._dialect.encoding or "utf-8-sig"
        self._text = io.TextIOWrapper(content, codec, "surrogateescape", newline="")
        self.unclosed: int | None = None
        self.doubts: list[Mistake] = []
        self.misfit = self.misencoded = ""
        self._passed = 0  # lines above the header
        self._decimals: dict[int, int] = {}  # by column, the line of its first decimal comma
        self._grouped: dict[int, int] = {}
        self._rows = self._reader()
        first = self._next() if self._dialect.header is True else None
        self.fault = first.fault if first else ""
        self.names = self._header(first)

    def __enter__(self) -> DelimitedText:
        return self

    def __exit__(self, *_error: object) -> None:
        self._text.detach()  # whoever opened the content closes it

    @property
    def lines(self) -> int:
        """How many lines were read."""
        return self._passed + int(self._rows.line_num)

    def __iter__(self) -> Iterator[Row]:
        while (row := self._next()) is not None:
            if row.fault == self._not_encoded:
                self._doubt(f"rows are not {self.encoding}", row.begin, _ENCODING_CURE)
            yield self._fitted(row)

    # -- the header

    def _reader(self) -> Any:
        """Rows from the first line that is not blank, or from below one such as `sep=;`."""
        above: list[str] = []
        first = self._text.readline().removeprefix("\ufeff")
        while first and not first.strip():
            above.append(first)
            first = self._text.readline()
        delimiter = self._dialect.delimiter
        if told := _SEPARATOR_LINE.fullmatch(first):
            above.append(first)
            delimiter = delimiter or told[1]
            first = self._text.readline()
        self._passed = len(above)
        self._sample = [first, *self._sampled(len(first))] if first else []
        if not self._dialect.encoding:
            self.misencoded = _misencoded(self._sample)
        delimiter = delimiter or self._found(self._sample)
        return csv.reader(chain(self._sample, self._text), delimiter=delimiter, strict=True)

    def _sampled(self, size: int) -> Iterator[str]:
        while size < _SAMPLED and (line := self._text.readline()):
            size += len(line)
            yield line

    def _found(self, sample: list[str]) -> str:
        """The separator by which most of the first rows fit the header."""
        fits = {one: _fit(sample, one) for one in _SEPARATORS}
        best = max(_SEPARATORS, key=lambda one: fits[one])
        best = best if fits[best].names > 1 else ","
        rivals = [one for one in _SEPARATORS if one != best and fits[one] == fits[best]]
        if rivals and fits[best].names > 1:
            told = f"the separator may be {_named(best)}, as it is read, or {_named(rivals[0])}"
            self._doubt(told, self._passed + 1)
        if self._dialect.header is True:
            self.misfit = _misfit(sample, fits[best], best)
        return best

    def _header(self, first: Row | None) -> list[str]:
        if self._dialect.header is True:
            return _trimmed(first.cells) if first else []
        if self._dialect.header is False:
            width = len(_header_and_rows(self._sample, self._rows.dialect.delimiter)[0])
            return [f"column_{number}" for number in range(1, width + 1)]
        return list(self._dialect.header)

    # -- the rows

    def _next(self) -> Row | None:
        begin = self.lines + 1
        try:
            cells = next(self._rows)
        except StopIteration:
            return None
        except csv.Error as error:
            if "end of data" in str(error) or "field larger" in str(error):
                self.unclosed = begin
            return Row(begin, self.lines, [], OPEN_QUOTES)
        if _ESCAPED_BYTE.search("".join(cells)):
            return Row(begin, self.lines, [], self._not_encoded)
        return Row(begin, self.lines, cells, "")

    def _fitted(self, row: Row) -> Row:
        """The row with a cell for each name; one without any content is blank."""
        cells, width = row.cells, len(self.names)
        if not any(cells):
            return row._replace(cells=[])
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        if len(cells) != width:
            fault = f"the row has {len(cells)} cells, the header {width} names"
            return row._replace(cells=[], fault=fault)
        if self._dialect.decimal == ",":
            cells = [self._with_point(at, one, row.begin) for at, one in enumerate(cells)]
        return row._replace(cells=cells)

    def _with_point(self, column: int, cell: str, line: int) -> str:
        if _DECIMAL_COMMA.fullmatch(cell):
            self._decimals.setdefault(column, line)
            self._tell_grouped(column)
            return _NO_DIGIT.sub("", cell).replace(",", ".")
        if _GROUPED.fullmatch(cell):
            self._grouped.setdefault(column, line)
            self._tell_grouped(column)
        return cell

    def _tell_grouped(self, column: int) -> None:
        if column in self._grouped and column in self._decimals:
            told = f'the column "{self.names[column]}" has numbers with a decimal comma, and some'
            told += " with points and no comma, which stay as they stand"
            self._doubt(told, self._grouped[column])

    def _doubt(self, told: str, line: int, hint: str = _CURE) -> None:
        if all(one.message != told for one in self.doubts):
            self.doubts.append(Mistake("E819", told, line=line, hint=hint))


class _Fit(NamedTuple):
    """How well a separator fits: which part of the first rows has a cell for each name, how many
    names there are, whether none of them begins with a blank."""

    share: float
    names: int
    is_tight: bool


def _fit(sample: list[str], delimiter: str) -> _Fit:
    names, below = _header_and_rows(sample, delimiter)
    width = len(names)
    if width < 2:
        return _Fit(0.0, width, True)
    fitting = sum(len(row) >= width and not any(row[width:]) for row in below)
    share = fitting / len(below) if below else 1.0
    return _Fit(share, width, not any(name[:1] == " " for name in names[1:]))


def _misencoded(sample: list[str]) -> str:
    odd = sum(_ESCAPED_BYTE.search(line) is not None for line in sample[1:])
    if odd < 2 or odd * 100 < len(sample):
        return ""
    return f"{odd} of the first {len(sample) - 1} lines below the header are not UTF-8"


def _misfit(sample: list[str], fit: _Fit, delimiter: str) -> str:
    """Why the first line can be no header of the rows below it, or ""."""
    below = _header_and_rows(sample, delimiter)[1]
    if fit.names > 1:
        if fit.share or len(below) < 2:
            return ""
        return f"none of the first rows has as many cells as the header has names, {fit.names}"
    for one in _SEPARATORS:
        widths = {len(row) for row in _header_and_rows(sample, one)[1]}
        if len(widths) == 1 and max(widths) > 1:
            return f"the header has one name, and the rows have {max(widths)} cells: is it a title?"
    return ""


def _header_and_rows(sample: list[str], delimiter: str) -> tuple[list[str], list[list[str]]]:
    """The names, and the first rows below them that hold anything."""
    try:
        rows = list(islice(csv.reader(sample, delimiter=delimiter), 1 + _ROWS_SAMPLED))
    except csv.Error:
        rows = []
    names = _trimmed(rows[0]) if rows else []
    return names, [row for row in rows[1:] if any(row)]


def _trimmed(names: list[str]) -> list[str]:
    """Without empty ones at the end, as a spreadsheet leaves them."""
    count = len(names)
    while count > 1 and not names[count - 1]:
        count -= 1
    return names[:count]


def _named(separator: str) -> str:
    return {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}[separator]
