"""From the location of a ledger to its store."""

from __future__ import annotations

import os
from pathlib import Path

from ..ledger_location import is_postgres
from .ledger import Ledger
from .sqlite import SqliteLedger


def open_ledger(location: str | os.PathLike[str], *, looking: bool = False) -> Ledger:
    """The ledger in a file, or in PostgreSQL (`postgresql://…`). Nothing is opened yet.

    looking: it only answers questions, and leaves no trace.
    Raises LedgerError (E725) where the extra `postgres` is not installed.
    """
    text = os.fspath(location)
    if not is_postgres(text):
        return SqliteLedger(Path(text), looking=looking)
    from .postgres import PostgresLedger

    return PostgresLedger(text, looking=looking)
