"""The open breaker of a target, as somebody sees it who delivers nothing. Nothing is written."""

from __future__ import annotations

import time

from .host import look_at_host
from .opening import Opening


def look_at_breaker(name: str, database: str = "") -> Opening | None:
    """The breaker that runs at work share, times in Unix seconds; None where it is shut, or no run
    is at work. name: see `governor_name`. database: a PostgreSQL address where machines meet."""
    found = look_at_host(name)
    if found is not None:
        ahead_s = time.time() - time.monotonic()
        return found.moved(ahead_s)
    if database:
        from .postgres_breaker import look_at_database

        return look_at_database(database, name)
    return None
