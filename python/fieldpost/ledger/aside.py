"""Ledgers that were set aside, and the place that they came from.

A run whose ledger is taken away keeps what it remembers in FILE.RUN.rescued; `restore` keeps what
it replaces in FILE.MOMENT.replaced.
"""

from __future__ import annotations

import glob
import os
import shlex
from pathlib import Path

from ..errors import LedgerError
from .place import Place


def rescued_path(ledger: Path, run: str) -> Path:
    """Where a run keeps a ledger that was taken away."""
    return ledger.with_name(f"{ledger.name}.{run}.rescued")


def replaced_path(ledger: Path, moment: str) -> Path:
    """Where a ledger is kept that another replaced."""
    return ledger.with_name(f"{ledger.name}.{moment}.replaced")


def put_back(aside: Path) -> str:
    """How to go on with a ledger that was set aside."""
    return f"`fieldpost ledger restore FILE.yaml {shlex.quote(str(aside))}` puts it back"


def refuse_place(place: Place, stands: os.stat_result | None, name: str) -> None:
    """Raise LedgerError (E706, E720) where a run would begin beside a memory that it cannot see.

    stands: the file that lies there.
    """
    if place.is_changing():
        hint = "run again in a moment"
        raise LedgerError("E720", "another ledger is put in its place just now", name, hint)
    if place.is_held(but_with=stands):
        told = "a run is still at work with a ledger that lay here before and was taken away"
        hint = "wait until it has ended; `fieldpost ledger restore` puts back what it remembers"
        raise LedgerError("E706", told, name, hint)
    kept = sorted(place.path.parent.glob(f"{glob.escape(place.path.name)}.*.rescued"))
    if stands is None and kept:
        told = f"the ledger that lay here was taken away; a run kept it in {kept[-1]}"
        hint = put_back(kept[-1]) + "; delete it to begin anew"
        raise LedgerError("E706", told, name, hint)
