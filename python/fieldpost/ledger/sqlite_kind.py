"""Which SQLite databases are ledgers of ours, and as we made them.

A path that somebody mistyped may lead to another program's database, and a ledger that came from
elsewhere may hold statements that run when it is read or written. Both are refused at the door.
"""

from __future__ import annotations

import sqlite3

from ..errors import LedgerError
from .schema import VERSION, statements

APPLICATION_ID = 0x66706C64  # "fpld"; 0 in ledgers of an older fieldpost
_FIRST = {"runs", "targets", "outcomes", "filtered"}  # as long as there have been ledgers
_VIEW = "open_claims"
_HINT = "name another file with --ledger"


def is_blank(db: sqlite3.Connection, name: str, words: dict[str, str]) -> bool:
    """True where nothing is in it yet; raises LedgerError (E721) where it is no ledger of ours."""
    made = db.execute("SELECT type, name, rootpage, sql FROM sqlite_master").fetchall()
    version, kind = (_number(db, one) for one in ("user_version", "application_id"))
    if not made and not version and kind in (0, APPLICATION_ID):
        return True
    tables = {name for type_, name, root, _ in made if type_ == "table" and root}
    if kind not in (0, APPLICATION_ID) or not version or not tables >= _FIRST:
        told = "it is the database of another program, and no ledger"
        raise LedgerError("E721", told, name, _HINT)
    if version <= VERSION:
        _refuse_foreign_parts(made, tables, name, words)
    return False


def _refuse_foreign_parts(
    made: list[tuple[str, str, int, str]], tables: set[str], name: str, words: dict[str, str]
) -> None:
    """Refuse parts that run by themselves, or stand where a table of ours should."""
    own = [one for _, todo in statements(words) for one in todo]
    views = [one for one in own if one.startswith("CREATE VIEW")]
    names = {one.split()[2] for one in own if one.startswith("CREATE TABLE")}
    for type_, part, _, sql in made:
        foreign = type_ == "trigger" or (part in names and type_ == "table" and part not in tables)
        if type_ == "view":
            foreign = part in names or (part == _VIEW and sql not in views)
        if foreign:
            told = f"its {type_} {part} is none that fieldpost made"
            raise LedgerError("E721", told, name, "drop it, or restore a backup (docs/ledger.md)")


def _number(db: sqlite3.Connection, pragma: str) -> int:
    return int(db.execute(f"PRAGMA {pragma}").fetchone()[0])
