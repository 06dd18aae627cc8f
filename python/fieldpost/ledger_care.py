"""What people do to a ledger's rows beside delivering: settle, forget, copy, migrate."""

from __future__ import annotations

import getpass
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import own_file
from .errors import LedgerError
from .ledger import FINAL, OPEN, Ledger, SqliteLedger

_SETTLED_AS = ("delivered", "rejected", "ignored")
_LOST = (
    "what is forgotten here counts as new: if a source still holds such an event, it is sent again"
    " (a row in Dynamics is not doubled by that, a webhook may be), and a failure is no longer"
    " listed and cannot be replayed"
)
_NOT_KNOWN = (
    "what was delivered after the copy was made counts as new: the next `deliver` of a source that"
    " still holds such an event sends it again (a row in Dynamics is not doubled by that, a webhook"
    " may be); look there first, and `settle` what arrived"
)


def settle(
    ledger: Ledger, destination: str, where: str, outcome: str, dry_run: bool = False
) -> int:
    """Set rows that fit `where` to what somebody found out; returns how many.

    What was delivered stays, and so does what a run is sending right now. dry_run: only count.
    """
    if outcome not in _SETTLED_AS:
        told = f'nothing is settled as "{outcome}"'
        raise LedgerError("E728", told, "", "settle as delivered, rejected or ignored")
    claims = ledger.choose(destination, where)
    try:
        who = getpass.getuser()
    except (KeyError, OSError):
        who = "somebody"
    told = f"settled by {who}"
    return ledger.settle_by_hand(claims, outcome, told, (*OPEN, *FINAL, "ignored"), dry_run)


def prune(ledger: Ledger, destination: str, older_than_s: float, dry_run: bool) -> dict[str, Any]:
    """Forget what was decided longer ago; how much of what, and what memory is lost with it."""
    told: dict[str, int] = {}
    if ledger.exists():
        told = ledger.prune(destination, time.time() - older_than_s, dry_run)
        if isinstance(ledger, SqliteLedger) and not dry_run and any(told.values()):
            ledger.shrink()
    letters, runs = told.pop("letters", 0), told.pop("runs", 0)
    return {
        "events": sum(told.values()),
        "outcomes": told,
        "letters": letters,
        "runs": runs,
        "dry_run": dry_run,
        "lost": _LOST,
    }


def backup(ledger: Ledger, copy: Path) -> None:
    """Copy a ledger's file; raises LedgerError where there is none, or it is no file."""
    if not isinstance(ledger, SqliteLedger):
        hint = "pg_dump --schema=fieldpost DATABASE"
        raise LedgerError("E728", "a ledger in PostgreSQL is copied with its own tools", "", hint)
    if not ledger.exists():
        raise LedgerError("E727", "there is no ledger yet", ledger.name, "deliver something first")
    if copy.exists() and copy.samefile(ledger.path):
        hint = "name another file: a run at work would go on in the old one, and be forgotten"
        raise LedgerError("E728", "a ledger is not copied onto itself", ledger.name, hint)
    _refuse_to_replace(copy)
    ledger.backup(copy)


def restore(ledger: Ledger, copy: Path) -> dict[str, Any]:
    """Put a copy in the place of a ledger; what was replaced, and what the copy does not know."""
    if not isinstance(ledger, SqliteLedger):
        hint = "pg_restore --clean --schema=fieldpost, while no run is at work"
        told = "a ledger in PostgreSQL is restored with its own tools"
        raise LedgerError("E728", told, "", hint)
    if not copy.is_file():
        raise LedgerError("E727", "there is no such copy", str(copy), "name a ledger's backup")
    if ledger.path.exists() and copy.samefile(ledger.path):
        raise LedgerError("E728", "the copy is the ledger itself", ledger.name, "name a backup")
    done = ledger.restore(copy)
    return {
        "restored": ledger.name,
        "copy": str(copy),
        "replaced": None if done.replaced is None else str(done.replaced),
        "last_run": None if done.last_run is None else _moment(done.last_run),
        "unknown": done.unknown,
        "lost": _NOT_KNOWN,
    }


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _refuse_to_replace(copy: Path) -> None:
    """Refuse to write a ledger over a file that is none."""
    why = "a file that is no ledger stands there"
    try:
        if own_file.standing(copy) is None:
            return
        with closing(SqliteLedger(copy, looking=True)) as there:
            there.exists()
    except OSError as error:
        why = str(error.strerror)
    except LedgerError as error:
        if error.code != "E721":
            raise
    else:
        return
    raise LedgerError("E728", f"no copy is put there: {why}", str(copy), "name a new file")


def migrate(ledger: Ledger) -> tuple[int, int]:
    """Take a ledger to this version's schema; (number before, number now)."""
    if not ledger.exists():
        raise LedgerError("E727", "there is no ledger yet", ledger.name, "deliver something first")
    before = ledger.version
    ledger.prepare()
    return before, ledger.version
