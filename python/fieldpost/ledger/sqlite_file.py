"""The file of an SQLite ledger: connections to it, its schema, and what its errors mean."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from ..errors import LedgerError
from .alive import RunLock
from .schema import VERSION, refuse_newer, stand_ins, statements
from .sqlite_journal import refuse_foreign_journal
from .sqlite_kind import APPLICATION_ID, is_blank

_CLAIMS = """
CREATE TABLE claims (
  first INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  records TEXT NOT NULL
);
CREATE VIEW open_claims AS
SELECT c.first + j.key AS claim, json_extract(j.value, '$[0]') AS target,
  json_extract(j.value, '$[1]') AS event_id, json_extract(j.value, '$[2]') AS hash,
  json_extract(j.value, '$[3]') AS source, json_extract(j.value, '$[4]') AS line,
  json_extract(j.value, '$[5]') AS "offset", NULL AS outcome, '' AS effect, 0 AS attempts,
  0 AS http_status, '' AS code, '' AS message, '' AS action_needed, '' AS record_id,
  '' AS request_id, 0.0 AS latency_ms, json_extract(j.value, '$[7]') AS first_try, c.run AS run,
  json_extract(j.value, '$[6]') AS mapping, NULL AS decided, 0 AS in_doubt
FROM claims AS c, json_each(c.records) AS j WHERE NOT EXISTS (
  SELECT 1 FROM outcomes AS o WHERE o.target = json_extract(j.value, '$[0]')
  AND o.event_id = json_extract(j.value, '$[1]'))
"""
# The file's own view is what other programs read. Ours is made anew for each connection: it may use
# functions of JSON, which what comes with a file may not.
_SINCE_CLAIMS = 5  # the schema
_OWN_VIEW = _CLAIMS[_CLAIMS.index("CREATE VIEW") :].replace("VIEW", "TEMP VIEW", 1)
WORDS = {
    "key": "INTEGER PRIMARY KEY",
    "whole": "INTEGER",
    "real": "REAL",
    "bytes": "BLOB",
    "claims": _CLAIMS,
    "by_bytes": "",  # as ever
}
# Event ids are random, so each claim touches a page of its own of the index: pages that stay in
# memory, and are written back once for several claims, halve the work of a large ledger.
_CACHE_KB = 32_768
# What a statement needs to undo itself is otherwise a file as soon as it touches sixteen pages.
_KEEP_IN_MEMORY = "PRAGMA temp_store=MEMORY"
# 8 MB: a journal that still grows takes twice as long to be on the disk as one written over.
_CHECKPOINT_PAGES = 2000
# A schema that came with a file from elsewhere runs no function that could do harm.
_TRUST_NOTHING = "PRAGMA trusted_schema=OFF"
PATIENCE_S = 30.0  # for somebody else's transaction
_ONCE_MORE_S = 0.02  # until a busy file is tried again
_NOT_WRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def keep_in_memory(db: sqlite3.Connection) -> None:
    """Put what a connection has for itself into memory; that begins with nothing."""
    db.execute(_KEEP_IN_MEMORY)
    db.execute(_OWN_VIEW)


def copy_into(db: sqlite3.Connection, path: Path) -> None:
    """Copy all that a connection sees at one moment into an empty file."""
    into = sqlite3.connect(path)
    try:
        db.backup(into)
    finally:
        into.close()


class SqliteFile:
    """Opens connections."""

    def __init__(self, path: Path, patience_s: float) -> None:
        self.path = path
        self.name = str(path)
        self._patience_s = patience_s
        self._stood: os.stat_result | None = None  # the file that was opened to write

    def connect(self) -> sqlite3.Connection:
        """A connection to today's schema, which only reads where the file cannot be written."""
        try:
            return self._connect_to_write()
        except sqlite3.OperationalError as error:
            code = error.sqlite_errorcode & 0xFF
            if code not in _NOT_WRITABLE or os.access(self.path, os.W_OK):
                raise
        db = self.connect_to_read()
        if (version := version_of(db)) != VERSION:
            db.close()
            refuse_newer(self.name, version)
            told = f"the ledger has the schema {version} of an older fieldpost, and is read-only"
            hint = "run `fieldpost ledger migrate` where it can be written"
            raise LedgerError("E722", told, self.name, hint)
        return db

    def _connect_to_write(self) -> sqlite3.Connection:
        """A connection, also where others make the same new ledger just now.

        SQLite waits for any lock, but not for the one that changes the journal to WAL.
        """
        until_s = time.monotonic() + self._patience_s
        while True:
            try:
                return self._connect_at_once()
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until_s:
                    raise
            time.sleep(_ONCE_MORE_S)

    def _connect_at_once(self) -> sqlite3.Connection:
        self._make()
        self._refuse_other_kinds()
        if Path(f"{self.path}-wal").exists():
            # By a connection that only reads: another one, when closed, would join the two.
            self.connect_to_look(at_rest=False).close()
        db = sqlite3.connect(
            self.path, timeout=self._patience_s, isolation_level=None, check_same_thread=False
        )
        try:
            db.execute(_TRUST_NOTHING)
            is_blank(db, self.name, WORDS)
            if version_of(db) != VERSION or not self._is_wal(db):
                self._prepare(db)
            db.execute("PRAGMA synchronous=FULL")
            db.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
            keep_in_memory(db)
            db.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
            self._stood = self.path.stat()
        except BaseException:
            db.close()
            raise
        return db

    def now(self) -> os.stat_result | None:
        """The file that lies there."""
        try:
            return self.path.stat()
        except FileNotFoundError:
            return None

    def is_taken_away(self) -> bool:
        """True where the file that was opened to write does not lie there any more."""
        now, stood = self.now(), self._stood
        return stood is not None and (now is None or not os.path.samestat(now, stood))

    def _make(self) -> None:
        """An empty file that only its owner may read, where there is none."""
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def connect_to_read(self) -> sqlite3.Connection:
        """A connection that cannot write; also to a file on a disk that cannot be written."""
        try:
            return self.connect_to_look(at_rest=False)
        except sqlite3.OperationalError as error:
            journal = Path(f"{self.path}-wal")
            if error.sqlite_errorcode & 0xFF not in _NOT_WRITABLE or journal.exists():
                raise
            return self.connect_to_look(at_rest=True)

    def connect_to_look(self, at_rest: bool) -> sqlite3.Connection:
        """A connection that cannot write; at_rest: nobody writes meanwhile, so it makes no file."""
        self._refuse_other_kinds()
        address = f"file:{quote(str(self.path))}?mode=ro" + ("&immutable=1" if at_rest else "")
        db = sqlite3.connect(
            address,
            timeout=self._patience_s,
            isolation_level=None,
            uri=True,
            check_same_thread=False,
        )
        try:
            db.execute(_TRUST_NOTHING)
            if not at_rest:
                refuse_foreign_journal(db, self.path, self.name)
            is_blank(db, self.name, WORDS)
            version = version_of(db)
            refuse_newer(self.name, version)
            if version >= _SINCE_CLAIMS:
                db.execute(_OWN_VIEW)
            for statement in stand_ins(version, "main"):
                db.execute(statement)
        except BaseException:
            db.close()
            raise
        return db

    def _refuse_other_kinds(self) -> None:
        """Refuse a pipe or a device, which may never answer."""
        if not stat.S_ISREG(self.path.stat().st_mode):
            hint = "name another file with --ledger"
            raise LedgerError("E721", "it is no file, so it is no ledger", self.name, hint)

    @staticmethod
    def _is_wal(db: sqlite3.Connection) -> bool:
        return bool(db.execute("PRAGMA journal_mode").fetchone()[0] == "wal")

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Make the tables, or take those of an older fieldpost to today's."""
        refuse_newer(self.name, version_of(db))
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        version = version_of(db)  # another process may have been here first
        refuse_newer(self.name, version)
        if 0 < version < VERSION:
            self._refuse_beside_older(db)
        for number, todo in statements(WORDS, after=version):
            for statement in todo:
                db.execute(statement)
            db.execute(f"PRAGMA user_version={number}")
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute("COMMIT")

    def _refuse_beside_older(self, db: sqlite3.Connection) -> None:
        """A run that knows the old tables only would claim what a new one has claimed."""
        locks = RunLock(self.path)
        try:
            open_runs = db.execute("SELECT number FROM runs WHERE ended IS NULL").fetchall()
            at_work = any(locks.is_alive(run) for (run,) in open_runs)
        finally:
            locks.close()
        if at_work:
            told = "a run of an older fieldpost is at work in this ledger"
            raise LedgerError("E720", told, self.name, "wait until it has ended, then run again")


def version_of(db: sqlite3.Connection) -> int:
    """The number of its schema; 0 for none."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


_WRITE_FAILS = {
    "SQLITE_BUSY": (
        "E720",
        "another program holds it",
        "find who has it open; runs share it, but a transaction left open elsewhere stops them",
    ),
    "SQLITE_LOCKED": ("E720", "another program holds it", "find who has it open"),
    "SQLITE_INTERRUPT": ("E720", "it took too long", "ask for less, or look at the disk"),
    "SQLITE_CORRUPT": (
        "E721",
        "the file is damaged",
        "put a backup in place with `fieldpost ledger restore FILE.yaml COPY` (a copy over the file"
        " would meet its -wal), or try `sqlite3 FILE .recover`; without its memory a webhook's"
        " events are sent again",
    ),
    "SQLITE_NOTADB": ("E721", "it is no SQLite database", "name another file with --ledger"),
    "SQLITE_READONLY": (
        "E722",
        "it is read-only",
        "make the file and its folder writable, or name another one with --ledger",
    ),
    "SQLITE_FULL": (
        "E723",
        "the disk is full",
        "make room; then run again, what was on its way is settled by the next run",
    ),
    "SQLITE_IOERR": (
        "E723",
        "the disk does not take or give it",
        "look for room and at the disk; "
        "then run again, what was on its way is settled by the next run",
    ),
}
_GENERAL = (
    "nothing is sent without its memory: make the file writable, or name another one with --ledger"
)

_MORE_FILES = "raise the limit of the process (`ulimit -n`), or lower delivery.max_in_flight"


def told(error: Exception, what: str, name: str) -> LedgerError:
    """The error for what SQLite says."""
    if _has_no_file_left():
        text = f"the ledger cannot be {what}: too many open files"
        return LedgerError("E739", text, name, _MORE_FILES)
    code = getattr(error, "sqlite_errorname", "") or ""
    for known, (number, why, hint) in _WRITE_FAILS.items():
        if code.startswith(known):
            text = f"the ledger cannot be {what}: {why} ({error})"
            return LedgerError(number, text, name, hint)
    return LedgerError("E701", f"the ledger cannot be {what} ({error})", name, _GENERAL)


def _has_no_file_left() -> bool:
    """True where the process may open no more; SQLite only says that it could not."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False
