"""Where events come from. Each source gives chunks: bytes of whole lines in C++ memory.

open_source("exports/*.ndjson.gz")    files: a path, a pattern, an address, or a list of them
open_source("-")                      standard input
open_source(b"{...}\\n{...}\\n")        lines in memory
open_source([{...}, {...}])           any iterable of dicts
open_source(frame)                    a table: pandas, polars, DuckDB, anything Arrow can read
"""

from __future__ import annotations

import io
import itertools
import mmap
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from ..delimited_text import Dialect
from ..errors import SourceError
from .arrow import Table, is_table
from .doubts import Doubts, log_doubts
from .files import Files
from .records import Frame, Lines, Records
from .standard_input import OpenFile, StandardInput

if TYPE_CHECKING:
    from .._core import Chunk

__all__ = ["Doubts", "Source", "log_doubts", "open_source"]


class Source(Protocol):
    """What every source offers.

    name: what it is called in reports. has_place: an event can be found again by source name and
    number of its line or row (true for files only), so these can stand for its identity. doubts:
    warnings of the last pass.
    """

    name: str
    has_place: bool
    doubts: Doubts

    def chunks(self) -> Iterator[Chunk]:
        """The bytes, in order. What could not be read is told at the end by one SourceError."""


def open_source(source: Any, dialect: Dialect | None = None) -> Source:
    """The source that a path, a pattern, an address, bytes, a table or an iterable stands for.

    dialect: how delimited text in files is written, where that is told. {"path": …, "csv": {…}}
    tells it beside the paths, as `source` of a destination file does.

    Raises SourceError where a file is missing, a pattern matches nothing, or the kind is unknown.
    """
    if isinstance(source, str | os.PathLike):
        return StandardInput(dialect) if source == "-" else Files([os.fsdecode(source)], dialect)
    if isinstance(source, bytes | bytearray | memoryview | mmap.mmap):
        return Lines(source)
    if isinstance(source, dict):
        return _described(source, dialect)
    if isinstance(source, io.IOBase):
        if isinstance(source, io.StringIO):
            raise SourceError("E805", "a text is not a source", hint="give its bytes")
        name = getattr(source, "name", None)
        return OpenFile(source, name if isinstance(name, str) else "open file", dialect)
    if type(source).__module__.split(".")[0] == "pandas" and hasattr(source, "columns"):
        return Frame(source)
    if type(source).__module__.startswith("polars") and type(source).__name__ == "Series":
        hint = "give a table of it: series.to_frame()"
        raise SourceError("E805", "one column is not a source", hint=hint)
    if is_table(source):
        return Table(source)
    if not isinstance(source, Iterable):
        hint = "give a path, a list of paths, bytes, a table, or an iterable of dicts"
        if type(source).__name__ == "LazyFrame":
            hint = "a LazyFrame has no rows yet: give source.collect()"
        raise SourceError("E805", f"{type(source).__name__} is not a source", hint=hint)
    return _several(source, dialect)


def _described(source: dict[Any, Any], dialect: Dialect | None) -> Source:
    if "path" not in source or set(source) - {"path", "csv"}:
        raise SourceError("E805", "one dict is not a source", hint="put it in a list: [event]")
    options = source.get("csv")
    if options is not None:
        from ..source_key import dialect_of

        dialect = dialect_of(options)
    return open_source(source["path"], dialect)


def _several(source: Iterable[Any], dialect: Dialect | None) -> Source:
    items = iter(source)
    first = list(itertools.islice(items, 1))
    if not first or not isinstance(first[0], str | os.PathLike):
        once = items is source
        return Records(itertools.chain(first, items) if once else source)
    paths = [*first, *items]
    odd = [type(one).__name__ for one in paths if not isinstance(one, str | os.PathLike)]
    if odd:
        raise SourceError("E805", f"a list of paths that also holds {odd[0]}")
    texts = [os.fsdecode(one) for one in paths]
    if texts == ["-"]:
        return StandardInput(dialect)
    if "-" in texts:
        hint = "read standard input on its own"
        raise SourceError("E805", "standard input in a list of paths", hint=hint)
    return Files(texts, dialect)
