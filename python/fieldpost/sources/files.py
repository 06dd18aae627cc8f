"""Files of lines: a path, a pattern, or several of both; plain or gzip."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SourceError
from .stream import chunks_of, decompressed

if TYPE_CHECKING:
    from .._core import Chunk


class Files:
    """The files that paths and patterns name, each once, those of one pattern in order of name.

    The source name of a file's events is its absolute path. All files are looked at now and read
    by `chunks`; faults: what could not be read to its end.
    """

    has_place = True

    def __init__(self, patterns: Sequence[str]) -> None:
        found = [path for pattern in patterns for path in _matching(pattern)]
        # not resolve(): a line's identity is the path as it was named, links and all
        self.paths = list(dict.fromkeys(os.path.abspath(path) for path in found))  # noqa: PTH100
        self.name = ", ".join(patterns)
        self.faults: list[SourceError] = []
        for path in self.paths:
            _look_at(path)

    def chunks(self) -> Iterator[Chunk]:
        """Every file's bytes; each begins a chunk of its own. Faults are raised after the last."""
        self.faults = []
        for path in self.paths:
            yield from self._chunks_of_file(path)
        if self.faults:
            first = self.faults[0]
            more = len(self.faults) - 1
            told = first.message + (f" (and {more} more files could not be read)" if more else "")
            raise SourceError(first.code, told, first.at, first.hint, first.position)

    def _chunks_of_file(self, path: str) -> Iterator[Chunk]:
        name = source_name(path)
        try:
            opened = Path(path).open("rb")  # noqa: SIM115  (closed below, after the last chunk)
        except OSError as error:
            self.faults.append(SourceError("E802", f"cannot be opened ({error.strerror})", name))
            return
        with opened:
            try:
                stream = decompressed(opened, name)
            except SourceError as error:
                self.faults.append(error)
                return
            yield from chunks_of(stream, name, self.has_place, self.faults.append)


def source_name(path: str) -> str:
    """An absolute path as text; bytes of it that are no UTF-8 are written as escapes."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _matching(pattern: str) -> list[str]:
    if Path(pattern).is_dir():
        hint = f"name its files, such as {Path(pattern) / '*.ndjson'}"
        raise SourceError("E801", "a folder is not a source", pattern, hint)
    if os.path.lexists(pattern):
        return [pattern]
    if not glob.has_magic(pattern):
        raise SourceError("E801", "no such file", pattern, _relative_to(pattern))
    named = glob.glob(pattern, recursive=True)  # noqa: PTH207  (absolute patterns, too)
    found = sorted(path for path in named if not Path(path).is_dir())
    if not found:
        raise SourceError("E801", "the pattern matches no file", pattern, _relative_to(pattern))
    return found


def _relative_to(pattern: str) -> str:
    return (
        "look at the path" if Path(pattern).is_absolute() else f"the path starts from {Path.cwd()}"
    )


def _look_at(path: str) -> None:
    """Find out now, not in the middle of a run, that a file cannot be opened."""
    reason = "" if os.access(path, os.R_OK) else "no permission, or it is gone"
    if reason:
        raise SourceError("E802", f"cannot be opened ({reason})", path)
