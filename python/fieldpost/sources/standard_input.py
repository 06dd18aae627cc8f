"""Standard input, or any open binary file: what somebody pipes in, plain or compressed."""

from __future__ import annotations

import io
import os
import select
import stat
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..delimited_text import Dialect
from ..errors import SourceError
from .delimited import delimited_lines
from .doubts import Doubts
from .stream import Stream, chunks_of
from .text import text_lines

if TYPE_CHECKING:
    from .._core import Chunk

_IDLE_S = 0.05
_LOOK_S = 0.2
_ROOM = 1 << 16


class OpenFile:
    """An open file, read from where it stands to its end; its lines have no place of their own.

    dialect: of delimited text; None for lines of JSON.
    """

    def __init__(self, file: Any, name: str, dialect: Dialect | None = None) -> None:
        self._file = file
        self._dialect = dialect
        self.name = name
        self.has_place = False
        self.doubts = Doubts()
        self._stopped = False

    def chunks(self) -> Iterator[Chunk]:
        """The lines, until the end; those that are there when nothing comes are not held back."""
        self.doubts.clear()
        faults: list[SourceError] = []
        file = self._bytes()
        stream = self._stream(file)
        yield from chunks_of(stream, self.name, self.has_place, faults.append, lambda: _idle(file))
        if faults:
            raise faults[0]

    def _stream(self, file: io.BufferedReader) -> Stream:
        if self._dialect is None:
            return text_lines(file, self.name)
        return delimited_lines(file, self.name, "", self._dialect, self.doubts)

    def stop(self) -> None:
        """Wait for no more of a pipe: what came so far is all. From any thread."""
        self._stopped = True

    def _bytes(self) -> io.BufferedReader:
        file = getattr(self._file, "buffer", self._file)
        if _can_be_awaited(file):
            return io.BufferedReader(_Awaited(file, lambda: self._stopped), _ROOM)
        return file if hasattr(file, "peek") else io.BufferedReader(file)


class StandardInput(OpenFile):
    """What is piped in."""

    def __init__(self, dialect: Dialect | None = None) -> None:
        super().__init__(None, "standard input", dialect)

    def _bytes(self) -> io.BufferedReader:
        if sys.stdin is None:
            raise SourceError("E802", "there is no standard input", "-", "give a path instead")
        self._file = sys.stdin
        return super()._bytes()


class _Awaited(io.RawIOBase):
    """A pipe that is read when it has something, and ends when nobody wants to wait any more.

    A thread that waited within the file would hold its lock, over which Python cannot exit.
    """

    def __init__(self, file: io.BufferedReader, is_stopped: Callable[[], bool]) -> None:
        self._file = file
        self._is_stopped = is_stopped

    def readable(self) -> bool:
        """True."""
        return True

    def fileno(self) -> int:
        """That of the pipe."""
        return self._file.fileno()

    def readinto(self, room: Any) -> int:
        """Take what one read gives; 0 at the end, whichever it is."""
        while not self._is_stopped():
            if _has_something(self._file, _LOOK_S):
                content = self._file.read1(min(len(room), _ROOM))
                room[: len(content)] = content
                return len(content)
        return 0


def _can_be_awaited(file: Any) -> bool:
    """True for a pipe, a socket or a terminal with nothing between it and its bytes."""
    if not isinstance(getattr(file, "raw", None), io.FileIO):
        return False
    return not stat.S_ISREG(os.fstat(file.fileno()).st_mode)


def _idle(file: io.BufferedReader) -> bool:
    """Whether a pipe has nothing to read for a while. Other files always have."""
    try:
        return not _has_something(file, _IDLE_S)
    except (OSError, ValueError):
        return False


def _has_something(file: io.BufferedReader, timeout_s: float) -> bool:
    """True where it can be read, or has ended; waits for so long."""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(1000 * timeout_s))
