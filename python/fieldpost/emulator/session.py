"""The token of a session: which writes of an elastic table a later read has to show.

"Work with session token" in "Use elastic tables using code": every answer to a write but a deletion
brings one, and a read that sends it back sees that write. Its form is the service's own affair.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"0:-1#(?P<version>\d{1,18})", re.ASCII)


def session_token(version: int) -> str:
    """What tells that all up to this change has been seen."""
    return f"0:-1#{version}"


def session_version(token: str | None) -> int:
    """The last change that a token has seen; 0 without one."""
    found = _TOKEN.fullmatch(token or "")
    return int(found["version"]) if found else 0
