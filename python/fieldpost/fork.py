"""Copies that a forked child must not use: open ledgers, and the locks that say who is alive.

A child has its parent's descriptors and none of its threads. A lock or a session that it keeps open
would make a dead parent look alive, and connections of SQLite do not survive the copy at all. So a
child lets go of them at once, and refuses a ledger where its parent had one open. Where nothing
was open nothing happens: workers may be forked first, and each deliver.
"""

from __future__ import annotations

import os
import weakref
from contextlib import suppress
from typing import Any, Protocol

from .errors import LedgerError


class Opened(Protocol):
    """Something that holds descriptors which are the parent's alone."""

    def let_go(self) -> None:
        """In a forked child: drop them without a word to whoever is at their other end."""


_opened: weakref.WeakSet[Any] = weakref.WeakSet()
_inherited: list[object] = []  # never used again, and never closed: closing would be heard


def opened(one: Opened) -> None:
    """Note what a child has to let go of; before it is opened, so that no fork comes between."""
    _opened.add(one)


def closed(one: Opened) -> None:
    """Forget it; after it is closed."""
    _opened.discard(one)


def silence(descriptor: int) -> None:
    """Let a descriptor lead nowhere; its number stays taken, so nobody writes into another's."""
    if descriptor < 0:
        return
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    with suppress(OSError):  # closed just before the fork
        os.dup2(nowhere, descriptor, inheritable=False)
    os.close(nowhere)


def inherit(connection: object) -> None:
    """Note that this process is the child of one that had a ledger open, by this connection."""
    _inherited.append(connection)


def refuse_child() -> None:
    """Raise LedgerError (E704) in a child of a process that had a ledger open when it forked."""
    if _inherited:
        raise child_error()


def child_error() -> LedgerError:
    """The error of a child that may not go on."""
    return LedgerError(
        "E704",
        "this process was forked while its parent had a ledger open, so it uses none",
        "",
        'start it with the method "spawn" (multiprocessing.get_context("spawn")), or fork'
        " before anything is delivered",
    )


def _in_child() -> None:
    for one in list(_opened):
        one.let_go()
        _opened.discard(one)


os.register_at_fork(after_in_child=_in_child)
