"""Verbs that look leave a ledger as it lies, and read nothing that is none of ours."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from book import Book

import fieldpost as fp
from fieldpost.cli import exit_code
from fieldpost.ledger import open_ledger, schema, sqlite_file, sqlite_look
from service import Service, events

ENDLESS = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
    " SELECT {columns} FROM n WHERE x < 0"
)


@pytest.fixture
def service():
    with Service(lambda body: 422 if body["n"] == 0 else 200) as made:
        yield made


def everything_that_looks(destination: fp.Destination, source: Path) -> None:
    destination.status()
    list(destination.outcomes())
    list(destination.outcomes("outcome = 'rejected'"))
    destination.failures()
    list(destination.monitor(every_s=0.1, for_s=0))
    destination.settle("1=1", "rejected", dry_run=True)
    destination.replay("1=1", dry_run=True)
    destination.prune(0, dry_run=True)
    destination.deliver(source, dry_run=True)


def seen(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        one.name: (one.read_bytes(), one.stat().st_mtime_ns)
        for one in folder.iterdir()
        if "ledger" in one.name
    }


def test_looking_leaves_no_trace(service, tmp_path):
    destination = fp.Destination.from_file(service.destination(tmp_path))
    source = events(tmp_path, 3)
    everything_that_looks(destination, source)
    assert seen(tmp_path) == {}  # not even a ledger
    destination.deliver(source)
    before = seen(tmp_path)
    everything_that_looks(destination, source)
    assert seen(tmp_path) == before
    assert destination.status().to_dict()["rejected"] == 1


def test_looking_at_a_database_makes_no_schema(service, tmp_path, postgres):
    address = postgres.create("looked_at")
    destination = fp.Destination.from_file(service.destination(tmp_path), ledger=address)
    everything_that_looks(destination, events(tmp_path, 3))
    with psycopg.connect(address) as db:
        assert db.execute("SELECT to_regnamespace('fieldpost') IS NULL").fetchone() == (True,)


def of_schema(path: Path, version: int) -> None:
    """A ledger as an older fieldpost left it, with one rejected event."""
    with closing(sqlite3.connect(path)) as db:
        for number, todo in schema.statements(sqlite_file.WORDS)[:version]:
            for statement in todo:
                db.execute(statement)
            db.execute(f"PRAGMA user_version={number}")
        db.execute(
            "INSERT INTO runs (number, run, destination, document_hash, version, host, user,"
            " started) VALUES (1, 'r', 'hook', 'h', '0', 'host', 'u', 1.0)"
        )
        db.execute("INSERT INTO targets VALUES (7, 'hook', 'all', 'https://x')")
        db.execute(
            "INSERT INTO outcomes (target, event_id, hash, source, line, offset, outcome, run)"
            " VALUES (7, 'm0', 1, 'old', 1, 0, 'rejected', 1)"
        )
        db.commit()


@pytest.mark.parametrize("version", range(1, schema.VERSION + 1))
def test_a_ledger_of_an_older_fieldpost_is_read_as_it_is(tmp_path, version):
    path = tmp_path / "old.ledger.db"
    of_schema(path, version)
    before = seen(tmp_path)
    ledger = open_ledger(path, looking=True)
    assert ledger.exists() and ledger.version == version
    assert ledger.counts("hook", "all", "https://x")["rejected"] == 1
    [row] = ledger.outcomes("hook", "outcome = 'rejected'")
    assert (row["event_id"], row["mapping"]) == ("m0", "")
    assert ledger.failures("hook")[0]["count"] == 1
    assert [row.event for row in ledger.kept(ledger.choose("hook", "1=1"))] == [None]
    assert ledger.operations() == []
    ledger.close()
    assert seen(tmp_path) == before


def test_a_database_of_an_older_fieldpost_is_read_as_it_is(postgres):
    from fieldpost.ledger import postgres_database

    address = postgres.create("old_look")
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("CREATE SCHEMA fieldpost")
        db.execute("SET search_path TO fieldpost")
        for _number, todo in schema.statements(postgres_database.WORDS)[:1]:
            for statement in todo:
                db.execute(statement)
        db.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
        db.execute("INSERT INTO schema_version VALUES (1)")
        db.execute("INSERT INTO targets VALUES (7, 'hook', 'all', 'https://x')")
        db.execute(
            'INSERT INTO outcomes (target, event_id, hash, source, line, "offset", outcome, run)'
            " VALUES (7, 'm0', 1, 'old', 1, 0, 'rejected', 1)"
        )
    with closing(open_ledger(address, looking=True)) as ledger:
        assert ledger.counts("hook", "all", "https://x")["rejected"] == 1
        assert ledger.operations() == []
        assert ledger.version == 1


def foreign(path: Path, number: int = 0, kind: int = 0) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA journal_mode=WAL; CREATE TABLE cookies(a); CREATE TABLE runs(b);")
        db.execute(f"PRAGMA user_version={number}")
        db.execute(f"PRAGMA application_id={kind}")


@pytest.mark.parametrize(("number", "kind"), [(0, 0), (6, 0), (99, 0), (6, 1234)])
def test_the_database_of_another_program_is_refused_and_left_alone(service, tmp_path, number, kind):
    path = tmp_path / "cookies.ledger.sqlite"
    foreign(path, number, kind)
    destination = fp.Destination.from_file(service.destination(tmp_path), ledger=path)
    before, source = seen(tmp_path), events(tmp_path, 1)
    for verb in (
        destination.status,
        destination.failures,
        lambda: list(destination.outcomes()),
        lambda: destination.settle("1=1", "delivered"),
        lambda: destination.prune(0),
        lambda: destination.deliver(source),
        lambda: destination.backup(tmp_path / "copy"),
        destination.migrate,
    ):
        with pytest.raises(fp.LedgerError) as told:
            verb()
        assert told.value.code == "E721"
        assert exit_code.of_error(told.value) == 2
        assert seen(tmp_path) == before
    assert service.bodies == []


def test_a_ledger_that_is_no_file_is_told_at_once(service, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    file = service.destination(tmp_path)
    for name in ("pipe", "folder"):
        destination = fp.Destination.from_file(file, ledger=tmp_path / name)
        for verb in (destination.status, lambda d=destination: d.deliver(events(tmp_path, 1))):
            with pytest.raises(fp.LedgerError, match="E721"):
                verb()


@pytest.mark.parametrize(
    "hostile",
    [
        "CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM outcomes; END",
        f"DROP VIEW open_claims; CREATE VIEW open_claims AS {ENDLESS.format(columns='*')}",
        "ALTER TABLE outcomes RENAME TO o; CREATE VIEW outcomes AS SELECT * FROM o",
    ],
)
def test_statements_that_came_with_a_ledger_do_not_run(service, tmp_path, hostile):
    destination = fp.Destination.from_file(service.destination(tmp_path))
    source = events(tmp_path, 2)
    destination.deliver(source)
    with closing(sqlite3.connect(tmp_path / "hook.ledger.db")) as db:
        db.executescript(hostile)
    for verb in (destination.status, lambda: destination.deliver(source)):
        with pytest.raises(fp.LedgerError, match="E721"):
            verb()


def test_a_view_of_somebodys_own_does_no_harm(service, tmp_path):
    destination = fp.Destination.from_file(service.destination(tmp_path))
    source = events(tmp_path, 2)
    destination.deliver(source)
    with closing(sqlite3.connect(tmp_path / "hook.ledger.db")) as db:
        db.execute("CREATE VIEW mine AS SELECT outcome, count(*) FROM outcomes GROUP BY 1")
    assert destination.status().to_dict()["delivered"] == 1
    assert destination.deliver(source)["already_delivered"] == 1


def test_a_question_that_takes_too_long_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_look, "_LONGEST_QUESTION_S", 0.05)
    book = Book(str(tmp_path / "l.db"))
    heavy = "(SELECT count(*) FROM outcomes a, outcomes b, outcomes c, outcomes d) > 0"
    book.settle(book.claim(*(f"e{i}" for i in range(300))))
    with pytest.raises(fp.LedgerError) as told:
        list(book.ledger.outcomes("d", heavy))
    assert told.value.code == "E720"
    book.ledger.close()


def test_a_look_at_a_ledger_at_rest_sees_the_run_that_begins_meanwhile(tmp_path):
    location = str(tmp_path / "l.db")
    book = Book(location)
    book.settle(book.claim(*(f"e{i}" for i in range(1200))))
    book.ledger.close()
    ledger = open_ledger(location, looking=True)
    rows = ledger.outcomes("d")
    first = [next(rows) for _ in range(10)]
    later = Book(location)
    later.settle(later.claim("new"))
    told = [*first, *rows]
    assert {row["event_id"] for row in told} >= {f"e{i}" for i in range(1200)}
    assert len({row["event_id"] for row in told}) == len(told)
    assert ledger.counts("d", "s", "https://x")["delivered"] == 1201
    later.ledger.close()
    ledger.close()


# -- who may read it


def test_a_new_ledger_is_its_owners_alone_and_an_older_one_keeps_its_mode(service, tmp_path):
    destination = fp.Destination.from_file(service.destination(tmp_path))
    source, ledger = events(tmp_path, 3), tmp_path / "hook.ledger.db"
    before = os.umask(0o022)
    try:
        destination.deliver(source, limit=1)
        assert {mode(one) for one in tmp_path.glob("hook.ledger.db*")} == {0o600}
        destination.backup(tmp_path / "copy.db")
        assert mode(tmp_path / "copy.db") == 0o600
        ledger.chmod(0o640)
        Path(f"{ledger}.lock").unlink()
        destination.deliver(source)
        assert {mode(one) for one in tmp_path.glob("hook.ledger.db*")} == {0o640}
        destination.backup(tmp_path / "open.db")
        assert mode(tmp_path / "open.db") == 0o640
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_backup_replaces_a_ledger_of_ours_and_nothing_else(service, tmp_path):
    destination = fp.Destination.from_file(service.destination(tmp_path))
    source = events(tmp_path, 3)
    destination.deliver(source, limit=1)
    notes, link, pipe = tmp_path / "thesis.txt", tmp_path / "link.db", tmp_path / "pipe"
    notes.write_text("years of work")
    (tmp_path / "elsewhere").write_text("")
    link.symlink_to("elsewhere")
    os.mkfifo(pipe)
    cookies = tmp_path / "cookies.sqlite"
    foreign(cookies)
    for target in (notes, link, pipe, cookies, tmp_path, Path("/dev/null")):
        before = target.lstat().st_mode
        with pytest.raises(fp.LedgerError, match="E728"):
            destination.backup(target)
        assert target.lstat().st_mode == before
    assert notes.read_text() == "years of work"
    copy = tmp_path / "copy.db"
    destination.backup(copy)
    copy.chmod(0o640)
    destination.deliver(source)
    destination.backup(copy)
    assert mode(copy) == 0o640
    copied = fp.Destination.from_file(tmp_path / "hook.yaml", ledger=copy)
    own = {"ledger": str(copy)}
    assert copied.status().to_dict() == destination.status().to_dict() | own


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_ledger_that_root_uses_stays_its_owners(service, tmp_path):
    destination = fp.Destination.from_file(service.destination(tmp_path))
    source, ledger = events(tmp_path, 3), tmp_path / "hook.ledger.db"
    destination.deliver(source, limit=1)
    destination.backup(tmp_path / "copy.db")
    for one in (*tmp_path.glob("hook.ledger.db*"), tmp_path / "copy.db"):
        os.chown(one, 12345, 12345)
    Path(f"{ledger}.lock").unlink()
    destination.deliver(source)
    destination.backup(tmp_path / "copy.db")
    made = (*tmp_path.glob("hook.ledger.db*"), tmp_path / "copy.db")
    assert {(one.stat().st_uid, one.stat().st_gid) for one in made} == {(12345, 12345)}
    assert json.loads(json.dumps(destination.status().to_dict()))["delivered"] == 2
