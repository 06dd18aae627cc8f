"""The memory between runs: what was claimed, and what became of it."""

from .alive import RunLock
from .ledger import LOOK, Ledger
from .open import open_ledger
from .question import checked
from .restore import Restored
from .rows import (
    FINAL,
    OPEN,
    About,
    Claim,
    Ended,
    Fresh,
    Kept,
    Key,
    Letter,
    Lost,
    Settled,
    Standing,
    Takes,
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
    "Fresh",
    "Kept",
    "Key",
    "Ledger",
    "Letter",
    "Lost",
    "Restored",
    "RunLock",
    "Settled",
    "SqliteLedger",
    "Standing",
    "Takes",
    "Writer",
    "checked",
    "known_as",
    "open_ledger",
]
