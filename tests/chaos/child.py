"""A delivery in a process of its own, which dies at a named point or whenever it is killed.

It is forked from the parent, which has everything imported and nothing opened. The named points lie
around everything that a run writes or sends.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from conduct import BUG, ENDS, TOLD, Conduct, plainly

import fieldpost
from fieldpost import delivery
from fieldpost._core import Dispatcher
from fieldpost.ledger import SqliteLedger

_STEPS = ("advance", "_claim", "_settle")
_LEDGER = ("begin_run", "note_ended", *_STEPS, "hold_unconfirmed", "merge_filtered", "end_run")
_DISPATCHER = ("offer_new", "offer", "settle", "authorize")

# Where a child can die: before or after each of these.
CRASH_POINTS = tuple(
    f"{when} {owner}.{name}"
    for owner, names in (("ledger", _LEDGER), ("dispatcher", _DISPATCHER))
    for name in names
    for when in ("before", "after")
)


class Doom(NamedTuple):
    """Where a child dies: the hit-th time that it passes a named point."""

    at: str
    hit: int = 1


class Task(NamedTuple):
    """What a child delivers, and how. room: bytes of disk left, if few."""

    file: Path
    events: Path
    ledger: Path
    log: Path
    conduct: Conduct = plainly
    doom: Doom | None = None
    room: int = 0


def start(task: Task) -> int:
    """Fork a child that delivers; returns its process id."""
    # Told to end before it listens, it would just die; who listens lets these through.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    child = os.fork()
    if child == 0:
        _live(task)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return child


def _live(task: Task) -> NoReturn:
    code, log = BUG, _open_log(task.log)
    try:
        random.seed(os.getpid())
        signal.signal(signal.SIGINT, lambda *_: None)  # until the delivery listens to it
        if task.doom:
            _doomed(task.doom)
        if task.room:
            _fill_disk(task.ledger, task.room)
        code = task.conduct(task.file, task.events, task.ledger)
    except fieldpost.FieldpostError as error:
        _make_room()
        os.write(log, f"{error}\n".encode())
        code = TOLD
    except BaseException:
        _make_room()
        os.write(log, traceback.format_exc().encode())
    finally:
        _make_room()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, AttributeError):
                stream.flush()
        os._exit(code)


def _open_log(log: Path) -> int:
    """Standard output and error go there; and a number of its own that nobody closes."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    return out


def _doomed(doom: Doom) -> None:
    _, _, where = doom.at.partition(" ")
    owner, _, name = where.partition(".")
    kinds: dict[str, type] = {"ledger": SqliteLedger, "dispatcher": _MortalDispatcher}
    delivery.Dispatcher = _MortalDispatcher  # type: ignore[misc]
    _mine(kinds[owner], name, doom)


def _fill_disk(ledger: Path, room: int) -> None:
    used = max((f.stat().st_size for f in ledger.parent.glob(ledger.name + "*")), default=0)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (used + room, resource.RLIM_INFINITY))


def _make_room() -> None:
    """End the full disk, which would take no word of it either."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class _MortalDispatcher(Dispatcher):
    """The core's dispatcher, whose methods can be mined."""


def _mine(kind: type, name: str, doom: Doom) -> None:
    works: Callable[..., Any] = getattr(kind, name)
    passed = 0

    def mined(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal passed
        passed += 1
        ends = passed == doom.hit
        if ends and doom.at.startswith("before"):
            os.kill(os.getpid(), signal.SIGKILL)
        result = works(self, *arguments, **options)
        if ends and doom.at.startswith("after"):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(kind, name, mined)


def wait(child: int) -> int:
    """The child's exit code; negative: the signal that ended it."""
    while True:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except OSError as error:
            if error.errno != errno.EINTR:
                raise
