"""Refuses an SQLite file that the journal beside it (-wal) was not written for.

A journal holds whole pages that go over those of its file. Where another file was copied into its
place, pages that the journal counts on are in neither.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from pathlib import Path

from ..errors import LedgerError

_HEADER = struct.Struct(">8I")  # magic, format, page size, number, two salts, two checksums
_FRAME = struct.Struct(">6I")  # page, pages after a commit, two salts, two checksums


def refuse_foreign_journal(db: sqlite3.Connection, path: Path, name: str) -> None:
    """Raise LedgerError (E707) where the file is too short for its journal.

    Safe beside runs at work: what leaves the journal meanwhile is in the file when it is measured.
    """
    journal = Path(f"{path}-wal")
    if not journal.exists():
        return
    pages = int(db.execute("PRAGMA page_count").fetchone()[0])
    size = int(db.execute("PRAGMA page_size").fetchone()[0])
    if path.stat().st_size // size >= pages:
        return
    there = _pages_of(journal)
    missing = set(range(path.stat().st_size // size + 1, pages + 1)) - there
    if missing:
        told = "the file is not the one that its -wal belongs to: another was copied over it"
        hint = "`fieldpost ledger restore FILE.yaml COPY` puts a copy in place (docs/ledger.md)"
        raise LedgerError("E707", told, name, hint)


def _pages_of(journal: Path) -> set[int]:
    """The pages of which a journal has a version."""
    pages: set[int] = set()
    try:
        handle = os.open(journal, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return pages
    try:
        header = os.pread(handle, _HEADER.size, 0)
        if len(header) < _HEADER.size:
            return pages
        _, _, size, _, *salts, _, _ = _HEADER.unpack(header)
        at = _HEADER.size
        while len(frame := os.pread(handle, _FRAME.size, at)) == _FRAME.size:
            page, _, *own, _, _ = _FRAME.unpack(frame)
            if own != salts:  # of an earlier use of the file
                break
            pages.add(page)
            at += _FRAME.size + size
    finally:
        os.close(handle)
    return pages
