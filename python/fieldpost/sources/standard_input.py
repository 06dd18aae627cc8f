"""Standard input, or any open binary file: what somebody pipes in, plain or compressed."""

from __future__ import annotations

import io
import select
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from .stream import chunks_of
from .text import text_lines

if TYPE_CHECKING:
    from .._core import Chunk

_IDLE_S = 0.05


class OpenFile:
    """An open file, read from where it stands to its end; its lines have no place of their own."""

    def __init__(self, file: Any, name: str) -> None:
        self._file = file
        self.name = name
        self.has_place = False

    def chunks(self) -> Iterator[Chunk]:
        """The lines, until the end; those that are there when nothing comes are not held back."""
        faults: list[SourceError] = []
        file = self._bytes()
        stream = text_lines(file, self.name)
        yield from chunks_of(stream, self.name, self.has_place, faults.append, lambda: _idle(file))
        if faults:
            raise faults[0]

    def _bytes(self) -> io.BufferedReader:
        file = getattr(self._file, "buffer", self._file)
        return file if hasattr(file, "peek") else io.BufferedReader(file)


class StandardInput(OpenFile):
    """What is piped in."""

    def __init__(self) -> None:
        super().__init__(None, "standard input")

    def _bytes(self) -> io.BufferedReader:
        if sys.stdin is None:
            raise SourceError("E802", "there is no standard input", "-", "give a path instead")
        self._file = sys.stdin
        return super()._bytes()


def _idle(file: io.BufferedReader) -> bool:
    """Whether a pipe has nothing to read for a while. Other files always have."""
    try:
        return not select.select([file], [], [], _IDLE_S)[0]
    except (OSError, ValueError):
        return False
