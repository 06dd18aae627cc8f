"""Which store the text of a ledger's location names."""

from __future__ import annotations

import re

_POSTGRES = re.compile(r"postgres(ql)?://")


def is_postgres(location: str) -> bool:
    """Whether a text names a PostgreSQL database rather than a file."""
    return bool(_POSTGRES.match(location))
