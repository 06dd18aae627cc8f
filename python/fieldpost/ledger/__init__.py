"""The memory between runs: what was claimed, and what became of it."""

from .alive import RunLock
from .sqlite import Claim, Key, SqliteLedger, Standing

__all__ = ["Claim", "Key", "RunLock", "SqliteLedger", "Standing"]
