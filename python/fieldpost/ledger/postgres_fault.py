"""What the errors of PostgreSQL mean, without a password in them."""

from __future__ import annotations

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ..errors import LedgerError

_FAILS: tuple[tuple[str, str, str, str], ...] = (
    ("53100", "E723", "the server's disk is full", "make room; then run again"),
    ("25006", "E722", "it is read-only", "name the primary server, not a copy of it"),
    (
        "42501",
        "E722",
        "this user has no right to it",
        "let somebody who may CREATE in the database make the ledger, and GRANT what docs/ledger.md"
        " names",
    ),
    ("42P01", "E705", "its tables were taken away", "restore them (pg_restore), then run again"),
    ("XX001", "E721", "the data is damaged", "restore a backup"),
    ("XX002", "E721", "an index is damaged", "REINDEX the schema fieldpost"),
    ("55P03", "E720", "another program holds it", "find who has it locked (pg_locks)"),
    ("57014", "E720", "it took too long", "ask for less, or look at the server's load"),
)
_GONE = (
    "is the server running, and does the address name it? What was on its way is settled by the"
    " next run"
)


_MISREAD = (
    "in its user and password @ : / ? # and % are written as %40 %3A %2F %3F %23 %25; or leave the"
    " password to PGPASSWORD or ~/.pgpass"
)


def told(error: psycopg.Error, what: str, name: str, address: str) -> LedgerError:
    """The error for what the server or the driver says."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if not _is_clear(address):
        first = re.sub(r"""(["']).*\1""", "…", first)
        text = f"the ledger's address is not one, or holds a password as it is ({first})"
        return LedgerError("E724", text, name, _MISREAD)
    password = conninfo_to_dict(address).get("password")
    first = first.replace(str(password), "***") if password else first
    state = error.sqlstate or ""
    for known, number, why, hint in _FAILS:
        if state == known:
            return LedgerError(number, f"the ledger cannot be {what}: {why} ({first})", name, hint)
    if state.startswith(("08", "57P", "28", "3D")) or isinstance(error, psycopg.OperationalError):
        text = f"the ledger cannot be {what}: the database cannot be reached ({first})"
        return LedgerError("E724", text, name, _GONE)
    return LedgerError("E701", f"the ledger cannot be {what} ({first})", name, _GONE)


def cause(error: psycopg.Error, address: str) -> psycopg.Error | None:
    """The cause of an error as it may be told: nothing that may quote a password.

    Nor do its frames go along: the driver's hold the address in parts.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None) if _is_clear(address) else None


def _is_clear(address: str) -> bool:
    """Whether the driver understands an address as its author did, as far as can be told."""
    try:
        parts = conninfo_to_dict(address)
    except psycopg.Error:
        return False
    places = f"{parts.get('host', '')}{parts.get('dbname', '')}"
    ports = str(parts.get("port", ""))
    return "@" not in places and not re.search(r"[^0-9,]", ports)


def without_password(address: str) -> str:
    """An address as it may be told: also where characters of a password stand as they are."""
    address = re.sub(r"password=[^&\s]*", "", address)
    address = re.sub(r"(?<=//)([^/@:?]*):.*@", r"\1@", address)
    return re.sub(r"(?<=//)([^/@:?,\[\]]+):(?![0-9]*(?:[/?,]|\Z))[^@]*\Z", r"\1", address)
