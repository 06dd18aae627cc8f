"""Rows and the ledger of what was committed, in one SQLite database. Knows no HTTP and no OData."""

from .database import Database, DuplicateRow
from .ledger import Change, Ledger
from .rows import Rows

__all__ = ["Change", "Database", "DuplicateRow", "Ledger", "Rows"]
