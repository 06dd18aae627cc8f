"""Files: a path, a pattern, an address, or several of them; lines, JSON arrays, CSV, Parquet."""

from __future__ import annotations

import glob
import io
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..delimited_text import Dialect
from ..errors import SourceError
from .arrow import parquet_lines
from .delimited import ENDINGS, delimited_lines
from .doubts import Doubts
from .remote import is_address, remote_files
from .signature import LOOKED_AT, PARQUET, unread
from .stream import Stream, chunks_of
from .text import text_lines

if TYPE_CHECKING:
    from .._core import Chunk

_LINES = (".ndjson", ".jsonl")
_PACKED = (".gz", ".zst")
_PARQUET = (".parquet", ".pq")
_OTHERS = (*_LINES, *_PARQUET, ".json")  # no delimited text, even where a dialect is told


class _File(Protocol):
    name: str
    has_place: bool

    def open(self) -> AbstractContextManager[io.BufferedReader]: ...


class LocalFile:
    """One file of this machine; `name` is its absolute path as text."""

    def __init__(self, path: str) -> None:
        # not resolve(): a line's identity is the path as it was named, links and all
        self._path = os.path.abspath(path)  # noqa: PTH100
        self.name = source_name(self._path)
        self.has_place = _is_regular(self._path, path)

    def open(self) -> io.BufferedReader:
        """Its bytes. Raises OSError."""
        return Path(self._path).open("rb")


def _is_regular(path: str, named: str) -> bool:
    """Whether a file can be read again. Raises SourceError where it cannot be opened: now, not in
    the middle of a run."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  (a path may be bytes that are no text)
    except FileNotFoundError:
        hint = f"it leads to {os.path.realpath(path)}"
        raise SourceError("E801", "a link to a file that is not there", named, hint) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError("E802", f"cannot be opened ({reason})", named) from error
    if stat.S_ISSOCK(mode):
        raise SourceError("E805", "a socket is not a source", named, "pipe it in")
    if not os.access(path, os.R_OK):
        raise SourceError("E802", "cannot be opened (no permission, or it is gone)", named)
    return stat.S_ISREG(mode)


class Files:
    """The files that paths, patterns and addresses name, each once, those of one in order of name.

    The source name of a file's events is its absolute path or its address. All files are looked at
    now and read by `chunks`; faults: what could not be read to its end. dialect: of delimited text;
    None where nothing is told of it.
    """

    def __init__(self, patterns: Sequence[str], dialect: Dialect | None = None) -> None:
        self._dialect = dialect
        found: dict[str, _File] = {}
        for pattern in patterns:
            for file in _matching(pattern):
                found.setdefault(file.name, file)
        self.files = list(found.values())
        self.name = ", ".join(patterns)
        self.has_place = all(file.has_place for file in self.files)  # a named pipe has none
        self.faults: list[SourceError] = []
        self.doubts = Doubts()

    def chunks(self) -> Iterator[Chunk]:
        """Every file's bytes; each begins a chunk of its own. Faults are raised after the last."""
        self.faults = []
        self.doubts.clear()
        for file in self.files:
            yield from self._chunks_of_file(file)
        if self.faults:
            first = self.faults[0]
            more = len(self.faults) - 1
            told = first.message + (f" (and {more} more files could not be read)" if more else "")
            raise SourceError(first.code, told, first.at, first.hint, first.position) from first

    def _chunks_of_file(self, file: _File) -> Iterator[Chunk]:
        try:
            with file.open() as opened:
                stream = self._lines_of(opened, file.name)
                yield from chunks_of(stream, file.name, self.has_place, self.faults.append)
        except SourceError as error:
            self.faults.append(error)
        except OSError as error:
            told = f"cannot be opened ({error.strerror or type(error).__name__})"
            self.faults.append(SourceError("E802", told, file.name))

    def _lines_of(self, opened: io.BufferedReader, name: str) -> Stream:
        first = opened.peek(LOOKED_AT)[:LOOKED_AT]
        if first.startswith(PARQUET):
            return parquet_lines(opened, name, self.doubts)
        bare = name.lower()
        for ending in _PACKED:
            bare = bare.removesuffix(ending)
        if bare.endswith(_PARQUET) and not unread(first):
            told = "the file is named as Parquet and is " + ("another kind" if first else "empty")
            raise SourceError("E804", told, name, "was it written, or copied, to its end?")
        told_so = self._dialect is not None and not bare.endswith(_OTHERS)
        if told_so or bare.endswith(ENDINGS):
            return delimited_lines(opened, name, bare, self._dialect, self.doubts)
        return text_lines(opened, name, as_lines=bare.endswith(_LINES))


def source_name(path: str) -> str:
    """An absolute path as text; bytes of it that are no UTF-8 are written as escapes."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _matching(pattern: str) -> Sequence[_File]:
    if is_address(pattern) and not os.path.lexists(pattern):
        return remote_files(pattern)
    return [LocalFile(path) for path in _paths(pattern)]


def _paths(pattern: str) -> list[str]:
    if Path(pattern).is_dir():
        hint = f"name its files, such as {Path(pattern) / '*.ndjson'}"
        raise SourceError("E801", "a folder is not a source", pattern, hint)
    if os.path.lexists(pattern):
        return [pattern]
    if not glob.has_magic(pattern):
        raise SourceError("E801", "no such file", pattern, _hint(pattern))
    named = glob.glob(pattern, recursive=True)  # noqa: PTH207  (absolute patterns, too)
    found = sorted(path for path in named if not Path(path).is_dir())
    if not found:
        raise SourceError("E801", "the pattern matches no file", pattern, _hint(pattern))
    return found


def _hint(pattern: str) -> str:
    if re.search(r"\{[^{}]*,[^{}]*\}", pattern):
        return "a pattern knows *, ? and [ab], but no {a,b}: name each, as a list of paths"
    return _relative_to(pattern)


def _relative_to(pattern: str) -> str:
    return (
        "look at the path" if Path(pattern).is_absolute() else f"the path starts from {Path.cwd()}"
    )
