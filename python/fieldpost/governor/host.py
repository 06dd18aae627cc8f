"""The parts that the processes of one machine have of what a target allows.

What they share is a file of locks, which the kernel frees when a process dies; nothing is ever
decided by a timer.

    offset     what
    0          when the next start is allowed, seconds of the machine's monotonic clock
    64         (time slot, starts) of the latest time slots: who used how much of a window
    1024       an open breaker: since, next probe, released, and the reason in UTF-8
    4096 + i   lock: the right to have an i-th call in flight
    8192 + i   lock: the i-th process is there
    16384      lock: held while the file is written
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import struct
import time
from pathlib import Path

from .. import fork
from ..own_file import look_into_shared, open_shared
from .opening import Kept, Opening, OpeningShare, Told, current
from .share import Load, Share

_log = logging.getLogger(__name__)

_HOLD = struct.Struct("=d")
_SLOTS_AT = 64
_SLOT = struct.Struct("=qq")
_SLOTS = 24  # of which a window has 20
_SLOTS_OF_WINDOW = 20
_BREAKER_AT = 1024
_BREAKER = struct.Struct("=ddd1024s")
_CALLS_AT = 4096
_MEMBERS_AT = 8192
_MEMBERS = 4096
_WRITING_AT = 16384
_SIZE = 4096  # bytes that are there from the beginning, so that a full disk is met at once
_LONGEST_HOLD_S = 86_460.0  # a day, as the core takes it; a longer wait in the file is not believed
_POLL_EVERY_S = 0.02
# struct flock of Linux on 64 bits: type, whence, start, length, process
_FLOCK = struct.Struct("=hhxxxxqqixxxx")


def open_host_governor(
    name: str, max_in_flight: int, requests: int, window_s: float
) -> HostGovernor:
    """The governor of what the name stands for; raises OSError where no file can be shared."""
    return HostGovernor(_folder() / f"{name}.share", max_in_flight, requests, window_s)


def look_at_host(name: str) -> Opening | None:
    """The breaker that this machine's runs at work share; nothing is made, nothing is locked."""
    try:
        file = look_into_shared(_folder() / f"{name}.share")
    except OSError:
        return None
    try:
        if _holder(file, _MEMBERS_AT, _MEMBERS) is None:
            return None
        return current(read_breaker(file), time.monotonic())
    finally:
        os.close(file)


def _folder() -> Path:
    """A folder of this user that does not outlive the machine's clock."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and os.access(runtime, os.W_OK) and Path(runtime).stat().st_uid == os.geteuid():
        return Path(runtime) / "fieldpost"
    return Path(os.environ.get("TMPDIR") or "/tmp") / f"fieldpost-{os.geteuid()}"


class HostGovernor:
    """Shares between the processes of this machine. One thread at a time, not across a fork."""

    every_s = 0.25
    _is_open = False

    def __init__(self, path: Path, max_in_flight: int, requests: int, window_s: float) -> None:
        self._max_in_flight = max_in_flight
        self._requests = requests
        self._slot_s = window_s / _SLOTS_OF_WINDOW
        fork.opened(self)
        self._file = open_shared(path)
        self._is_open = True
        self._calls: set[int] = set()  # the locks held
        self._told = 0  # starts that the file knows
        self._own: dict[int, int] = {}  # time slot -> starts of this process
        self._next_s = 0.0
        self._share = Share()
        self._openings = OpeningShare()
        try:
            os.posix_fallocate(self._file, 0, _SIZE)
            self._member = self._join()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Give everything back; the kernel does the same for a process that dies."""
        if self._is_open:
            self._is_open = False
            os.close(self._file)
        fork.closed(self)

    def let_go(self) -> None:
        """In a forked child: its locks are the parent's, and would outlive it."""
        if self._is_open:
            self._is_open = False
            fork.silence(self._file)

    def share(self, load: Load) -> Share:
        """Tell what was started and for how long to wait; take this process's part.

        Where the file fails, the process goes on as if it were alone, and says so once.
        """
        try:
            if self._is_open:
                return self._shared(load)
        except OSError as error:
            _log.warning("limits are no longer shared with other processes (%s)", error.strerror)
            self.close()
        return Share(self._max_in_flight, self._requests)

    def _shared(self, load: Load) -> Share:
        now_s = time.monotonic()
        if now_s < self._next_s and self._calls:
            return self._share._replace(hold_s=0.0, follow=None, release=False)
        self._next_s = now_s + _POLL_EVERY_S
        rank, members = self._place()
        fair = max(1, self._max_in_flight // members + (rank < self._max_in_flight % members))
        told = self._share_breaker(load, now_s, rank)
        self._share = Share(
            self._share_calls(fair, load.in_flight),
            self._share_requests(load.started, members, now_s),
            hold_s=self._share_hold(load.held_s, now_s),
            follow=told.follow,
            release=told.release,
        )
        return self._share

    # -- who is there

    def _join(self) -> int:
        for i in range(_MEMBERS):
            if self._lock(_MEMBERS_AT + i):
                return i
        raise OSError(errno.EUSERS, "too many processes")

    def _place(self) -> tuple[int, int]:
        """(how many come before this process, how many there are)."""
        before = self._others(_MEMBERS_AT, self._member)
        behind = self._others(_MEMBERS_AT + self._member + 1, _MEMBERS - self._member - 1)
        return before, before + 1 + behind

    def _others(self, at: int, length: int) -> int:
        count, end = 0, at + length
        while at < end and (found := _holder(self._file, at, end - at)):
            begin, width = found
            count += width
            at = begin + width
        return count

    # -- calls in flight

    def _share_calls(self, fair: int, in_flight: int) -> int:
        """Take or give back locks; returns how many calls may be in flight from now on."""
        if len(self._calls) < fair:
            for i in range(self._max_in_flight):
                if len(self._calls) == fair:
                    break
                if i not in self._calls and self._lock(_CALLS_AT + i):
                    self._calls.add(i)
        while len(self._calls) > max(fair, in_flight):
            self._unlock(_CALLS_AT + self._calls.pop())
        return min(fair, len(self._calls))

    # -- requests of a window

    def _share_requests(self, started: int, members: int, now_s: float) -> int:
        """Publish this process's starts; returns how many it may have in a window."""
        if not self._requests:
            return 0
        slot = int(now_s / self._slot_s)
        self._lock(_WRITING_AT, wait=True)
        try:
            shared = self._read_slots(slot)
            new = started - self._told
            if new:
                self._told = started
                shared[slot] = shared.get(slot, 0) + new
                self._own[slot] = self._own.get(slot, 0) + new
                at = _SLOTS_AT + slot % _SLOTS * _SLOT.size
                os.pwrite(self._file, _SLOT.pack(slot, shared[slot]), at)
        finally:
            self._unlock(_WRITING_AT)
        self._own = {one: n for one, n in self._own.items() if one in shared}
        others = sum(shared.values()) - sum(self._own.values())
        return max(0, min(max(1, self._requests // members), self._requests - others))

    def _read_slots(self, now: int) -> dict[int, int]:
        raw = os.pread(self._file, _SLOTS * _SLOT.size, _SLOTS_AT)
        raw = raw.ljust(_SLOTS * _SLOT.size, b"\0")
        rows = _SLOT.iter_unpack(raw)
        recent = ((slot, n) for slot, n in rows if now - _SLOTS_OF_WINDOW - 1 <= slot <= now)
        return {slot: min(n, self._requests) for slot, n in recent if n > 0}

    # -- waits that the target asked for

    def _share_hold(self, held_s: float, now_s: float) -> float:
        (shared_s,) = _HOLD.unpack(os.pread(self._file, _HOLD.size, 0).ljust(_HOLD.size, b"\0"))
        if not now_s < shared_s < now_s + _LONGEST_HOLD_S:
            shared_s = 0.0
        own_s = now_s + held_s if held_s else 0.0
        if own_s > shared_s + _POLL_EVERY_S:
            os.pwrite(self._file, _HOLD.pack(own_s), 0)
        elif shared_s > max(own_s, now_s):
            return float(shared_s - now_s)
        return 0.0

    # -- an open breaker

    def _share_breaker(self, load: Load, now_s: float, rank: int) -> Told:
        kept = read_breaker(self._file)
        if load.opening is None and kept.opening is None and self._openings.is_shut:
            return Told()
        self._lock(_WRITING_AT, wait=True)
        try:
            kept = read_breaker(self._file)
            new, told = self._openings.meet(kept, load.opening, now_s, rank, load.well)
            if new != kept:
                os.pwrite(self._file, _packed(new), _BREAKER_AT)
        finally:
            self._unlock(_WRITING_AT)
        return told

    # -- locks of open file descriptions: freed by the kernel, blind to threads and other handles

    def _lock(self, at: int, *, wait: bool = False) -> bool:
        command = fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK
        try:
            fcntl.fcntl(self._file, command, _flock(fcntl.F_WRLCK, at, 1))
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _unlock(self, at: int) -> None:
        fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, _flock(fcntl.F_UNLCK, at, 1))


def read_breaker(file: int) -> Kept:
    """The opening that a file of a governor holds. A time that no breaker makes is not believed."""
    raw = os.pread(file, _BREAKER.size, _BREAKER_AT).ljust(_BREAKER.size, b"\0")
    since, next_probe, released, reason = _BREAKER.unpack(raw)
    if not 0 <= released <= time.monotonic():
        released = 0.0
    if not (0 < since <= next_probe <= time.monotonic() + _LONGEST_HOLD_S):
        return Kept(None, released)
    told = reason.rstrip(b"\0").decode("utf-8", "replace")
    return Kept(Opening(since, next_probe, told), released)


def _packed(kept: Kept) -> bytes:
    since, next_probe, reason = kept.opening or Opening(0.0, 0.0)
    text = reason.encode("utf-8", "replace")[:1024].decode("utf-8", "ignore")
    return _BREAKER.pack(since, next_probe, kept.released, text.encode())


def _holder(file: int, at: int, length: int) -> tuple[int, int] | None:
    """The first range that somebody else has locked: (begin, length)."""
    told = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _flock(fcntl.F_WRLCK, at, length))
    kind, _whence, begin, found, _process = _FLOCK.unpack(told)
    return None if kind == fcntl.F_UNLCK else (begin, found)


def _flock(kind: int, at: int, length: int) -> bytes:
    return _FLOCK.pack(kind, os.SEEK_SET, at, length, 0)
