"""The memory between runs: what was claimed, and what became of it."""

from .alive import RunLock
from .ledger import LOOK, Ledger
from .open import open_ledger
from .rows import (
    FINAL,
    OPEN,
    About,
    Claim,
    Ended,
    Kept,
    Key,
    Letter,
    Settled,
    Standing,
    Takes,
    all_of,
    known_as,
)
from .sqlite import SqliteLedger
from .writer import Advanced, Writer

__all__ = [
    "FINAL",
    "LOOK",
    "OPEN",
    "About",
    "Advanced",
    "Claim",
    "Ended",
    "Kept",
    "Key",
    "Ledger",
    "Letter",
    "RunLock",
    "Settled",
    "SqliteLedger",
    "Standing",
    "Takes",
    "Writer",
    "all_of",
    "known_as",
    "open_ledger",
]
