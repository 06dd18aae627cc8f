"""The place of an SQLite ledger: which files runs at work have open that lay here under its name.

Each run holds a lock on its ledger's folder, since a lock within the file goes with the file: a
ledger that is deleted or replaced under a run leaves its place held, and the next run sees that
somebody still sends by a memory that is not there any more. The kernel drops the lock with the
process. Ranges of bytes stand for names, bytes in them for files; the first says that somebody
puts another file in place just now.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from contextlib import suppress
from pathlib import Path

from .. import fork

_LAYOUT = "hhqqi4x"  # struct flock: type, whence, start, length, pid
_WIDTH = 1 << 22  # bytes for one name
_NAMES = 1 << 40


class Place:
    """A ledger's place. One thread at a time; nothing is opened before it is asked."""

    def __init__(self, ledger: Path) -> None:
        self.path = ledger.resolve()
        self._begin = _number(self.path.name, _NAMES) * _WIDTH
        self._folder = -1

    def hold(self, file: os.stat_result) -> None:
        """Say that a run is at work with this file, until close() or the end of the process."""
        self._lock(self._byte_of(file))

    def hold_gate(self) -> None:
        """Say that another file is put in place, until close() or the end of the process."""
        self._lock(0)

    def is_changing(self) -> bool:
        """True where somebody else puts another file in place."""
        return self._held(0, 1) is not None

    def is_held(self, but_with: os.stat_result | None = None) -> bool:
        """True where a run is at work with a file of this name, other than the one given."""
        own = None if but_with is None else self._byte_of(but_with)
        begin = 1
        while (found := self._held(begin, _WIDTH - begin)) is not None:
            if found != own:
                return True
            begin = found + 1
        return False

    def close(self) -> None:
        """Let go of what this object holds."""
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1
        fork.closed(self)

    def let_go(self) -> None:
        """In a forked child: what it holds is the parent's, and would outlive it."""
        fork.silence(self._folder)

    def _opened(self) -> int:
        if self._folder < 0:
            fork.opened(self)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
            self._folder = os.open(self.path.parent, flags)
        return self._folder

    def _lock(self, byte: int) -> None:
        with suppress(OSError):  # a file system without locks, where the ledger cannot be told
            fcntl.fcntl(self._opened(), fcntl.F_OFD_SETLK, self._range(fcntl.F_RDLCK, byte, 1))

    def _held(self, begin: int, length: int) -> int | None:
        """The first byte of a range that somebody else holds."""
        asked = self._range(fcntl.F_WRLCK, begin, length)
        try:
            told = struct.unpack(_LAYOUT, fcntl.fcntl(self._opened(), fcntl.F_OFD_GETLK, asked))
        except OSError:
            return None
        return None if told[0] == fcntl.F_UNLCK else int(told[2]) - self._begin

    def _range(self, kind: int, byte: int, length: int) -> bytes:
        return struct.pack(_LAYOUT, kind, os.SEEK_SET, self._begin + byte, length, 0)

    @staticmethod
    def _byte_of(file: os.stat_result) -> int:
        return 1 + _number(f"{file.st_dev} {file.st_ino}", _WIDTH - 1)


def _number(text: str, below: int) -> int:
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % below
