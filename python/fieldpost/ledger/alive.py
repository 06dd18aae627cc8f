"""Which runs are alive, told by the kernel and never by a timer.

Each run holds a lock on one byte of a file beside the ledger: byte n for run n. The lock belongs to
the open file (Linux F_OFD_SETLK), so the kernel drops it when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

_LAYOUT = "hhqqi4x"  # struct flock: type, whence, start, length, pid


class RunLock:
    """The locks of one ledger's runs."""

    def __init__(self, ledger: Path) -> None:
        self._file = os.open(f"{ledger}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def hold(self, run: int) -> None:
        """Say that run `run` is alive, until close() or the end of the process."""
        fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, self._range(fcntl.F_WRLCK, run))

    def is_alive(self, run: int) -> bool:
        """Whether another open ledger holds run `run`."""
        told = fcntl.fcntl(self._file, fcntl.F_OFD_GETLK, self._range(fcntl.F_WRLCK, run))
        return bool(struct.unpack(_LAYOUT, told)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """Let go of what this object holds."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @staticmethod
    def _range(kind: int, run: int) -> bytes:
        return struct.pack(_LAYOUT, kind, os.SEEK_SET, run, 1, 0)
