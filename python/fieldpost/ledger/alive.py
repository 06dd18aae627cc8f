"""Which runs are alive, told by the kernel and never by a timer.

Each run holds a lock on one byte of a file beside the ledger: byte n for run n. The lock belongs to
the open file (Linux F_OFD_SETLK), so the kernel drops it when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from contextlib import suppress
from pathlib import Path

from .. import fork

_LAYOUT = "hhqqi4x"  # struct flock: type, whence, start, length, pid


class RunLock:
    """The locks of one ledger's runs."""

    def __init__(self, ledger: Path, *, looking: bool = False) -> None:
        """looking: no file is made; where there is none, no run is alive."""
        self._file = -1
        fork.opened(self)
        path = Path(f"{ledger.resolve()}.lock")  # one, by whatever name the ledger is reached
        if not looking:
            self._file = _made(path, ledger.stat())
        elif path.exists():
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def hold(self, run: int) -> None:
        """Say that run `run` is alive, until close() or the end of the process."""
        fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, self._range(fcntl.F_WRLCK, run))

    def is_alive(self, run: int) -> bool:
        """Whether another open ledger holds run `run`."""
        if self._file < 0:
            return False
        told = fcntl.fcntl(self._file, fcntl.F_OFD_GETLK, self._range(fcntl.F_WRLCK, run))
        return bool(struct.unpack(_LAYOUT, told)[0] != fcntl.F_UNLCK)

    def is_any_alive(self) -> bool:
        """True where another open ledger holds any run."""
        if self._file < 0:
            return False
        whole = struct.pack(_LAYOUT, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        told = fcntl.fcntl(self._file, fcntl.F_OFD_GETLK, whole)
        return bool(struct.unpack(_LAYOUT, told)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """Let go of what this object holds."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        fork.closed(self)

    def let_go(self) -> None:
        """In a forked child: what it holds is the parent's, and would outlive it."""
        fork.silence(self._file)

    @staticmethod
    def _range(kind: int, run: int) -> bytes:
        return struct.pack(_LAYOUT, kind, os.SEEK_SET, run, 1, 0)


def _made(path: Path, ledger: os.stat_result) -> int:
    """Open the file of locks, made with the owner and the mode of its ledger where it is new.

    Who may write the one has to write the other: a first run of root must not shut out the rest.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        made = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags)
    with suppress(PermissionError):
        os.fchown(made, ledger.st_uid, ledger.st_gid)
        os.fchmod(made, stat.S_IMODE(ledger.st_mode) & 0o666)
    return made
