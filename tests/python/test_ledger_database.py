"""What a PostgreSQL ledger makes of the server, the role and the copy that it is given."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from book import ABOUT, Book

import fieldpost as fp
from fieldpost.governor.postgres import open_postgres_governor
from fieldpost.ledger import open_ledger
from service import Service, events

ROOT = Path(__file__).parents[2]
GRANTS = """
GRANT USAGE ON SCHEMA fieldpost TO worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fieldpost TO worker;
GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA fieldpost TO worker
"""


@pytest.fixture
def database(postgres, request):
    return postgres.create(request.node.name[:60])


def tell(address: str, sql: str) -> list:
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("SET search_path TO fieldpost")
        cursor = db.execute(sql)
        return cursor.fetchall() if cursor.description else []


def break_connection(book: Book, address: str) -> None:
    pid = book.ledger._db.info.backend_pid
    tell(address, f"SELECT pg_terminate_backend({pid})")


def test_a_twin_of_what_is_on_its_way_is_refused_also_when_its_step_is_done_again(database):
    book = Book(database)
    [first, other] = book.claim("a", "b")
    book.settle([other], "waiting")
    break_connection(book, database)
    given = book.claim("a", "b", "c", "a")
    assert [one is None for one in given] == [True, False, False, True]
    break_connection(book, database)
    assert book.claim("b", "a") == [None, None]
    book.settle([first, given[1], given[2]])
    break_connection(book, database)
    assert book.claim("a", "b", "c") == [None] * 3
    assert book.counts() == {"delivered": 3}
    book.ledger.close()


def test_claims_of_a_step_whose_answer_was_lost_are_the_run_s_own(database):
    book = Book(database)
    step, steps = book.ledger._at_once, []

    def lost(*arguments):
        steps.append(step(*arguments))
        break_connection(book, database)
        return book.ledger._db.execute("SELECT 1")

    book.ledger._at_once = lost
    given = book.claim("a", "b")
    assert [one.claim for one in given] == [one.claim for one in steps[0]]
    book.settle(given)
    assert book.counts() == {"delivered": 2}
    book.ledger.close()


def test_an_event_that_is_twice_in_a_source_is_sent_once_though_the_database_breaks(
    database, tmp_path
):
    last = threading.Event()
    ours = "application_name = 'fieldpost' AND datname = current_database()"

    def answer(body):
        if body["n"] == 0:
            assert last.wait(60)  # on its way all the time
            return 200
        tell(database, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
        if body["n"] == 7:
            last.set()
        return 200

    with Service(answer) as service:
        file = service.destination(tmp_path, delivery="max_in_flight: 2")
        source = events(tmp_path, 8)
        lines = source.read_text().splitlines(keepends=True)
        source.write_text("".join([*lines[:4], lines[0], *lines[4:]]))
        report = fp.Destination.from_file(file, ledger=database).deliver(source)
        assert Counter(body["n"] for body in service.bodies) == dict.fromkeys(range(8), 1)
    assert (report.received, report["delivered"], report["already_delivered"]) == (9, 8, 1)


def test_numbers_go_on_behind_the_rows_of_a_copy_that_forgot_them(database):
    book = Book(database)
    book.settle(book.claim(*(f"e{i}" for i in range(50))))
    book.ledger.close()
    for table, column in (("runs", "number"), ("targets", "target"), ("outcomes", "claim")):
        tell(database, f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), 1, false)")
    after = Book(database)
    assert after.ledger.target("another", "s", "u") > book.target
    after.settle(after.claim("e0", "n1", "n2")[1:])
    assert after.counts() == {"delivered": 52}
    after.ledger.close()


def test_numbers_that_are_ahead_stay(database):
    book = Book(database)
    [first] = book.claim("a")
    other = Book(database)
    [second] = other.claim("b")
    assert second.claim >= first.claim + 1024
    book.ledger.close()
    other.ledger.close()


def test_who_may_use_the_tables_needs_no_right_to_make_any(database, request):
    owner = Book(database)
    owner.settle(owner.claim("a"))
    owner.ledger.close()
    tell(database, "CREATE ROLE worker LOGIN")
    request.addfinalizer(lambda: tell(database, "DROP OWNED BY worker; DROP ROLE worker"))
    worker = database.replace("fieldpost@", "worker@")
    with pytest.raises(fp.LedgerError, match=r"E722.*GRANT what docs/ledger.md names"):
        Book(worker)
    tell(database, GRANTS)
    book = Book(worker)
    book.settle(book.claim("b"))
    book.ledger._written = 30_000
    book.ledger.end_run({})
    assert book.counts() == {"delivered": 2}
    book.ledger.close()
    shared = open_postgres_governor(worker, "ab" * 16, 8, 0, 1.0)
    assert len(shared) == 1
    shared[0].close()


def test_the_grants_are_those_that_the_manual_names():
    manual = (ROOT / "docs/ledger.md").read_text()
    for grant in GRANTS.strip().split(";\n"):
        assert f"{grant};" in manual


def test_a_run_that_cannot_be_cleared_up_behind_is_no_failure(database, caplog):
    book = Book(database)
    book.settle(book.claim(*(f"e{i}" for i in range(20_000))))
    vacuum = book.ledger._db.execute

    def hurried(sql, *more):
        if str(sql).startswith("VACUUM"):
            vacuum("SET statement_timeout TO 1")
        return vacuum(sql, *more)

    book.ledger._db.execute = hurried
    book.ledger.end_run({"delivered": 20_000})
    assert "was not cleared up (QueryCanceled)" in caplog.text
    book.ledger._db.execute = vacuum
    assert book.ledger._rows("SELECT count(*) FROM runs WHERE ended IS NOT NULL") == [(1,)]
    book.ledger.close()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_does_not_hold_every_text_is_refused(postgres, encoding):
    name = f"in_{encoding.lower()}"
    how = f"ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    tell(postgres.address(), f"CREATE DATABASE {name} {how}")
    with pytest.raises(fp.LedgerError, match=rf"E701.*{encoding}.*ENCODING 'UTF8'"):
        Book(postgres.address(name))


def test_the_client_s_encoding_is_ours_whatever_the_environment_says(database, monkeypatch):
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    book = Book(database)
    book.settle(book.claim("größe", "\U0001f600"))
    assert set(book.rows()) == {"größe", "\U0001f600"}
    book.ledger.close()


def test_a_claim_is_on_the_disk_and_a_run_that_waits_alive_whatever_the_server_s_settings(
    database,
):
    name = database.rsplit("/", 1)[1]
    tell(database, f'ALTER DATABASE "{name}" SET synchronous_commit TO off')
    tell(database, f"ALTER DATABASE \"{name}\" SET idle_session_timeout TO '100ms'")
    book, other = Book(database), open_ledger(database)
    book.claim("a")
    time.sleep(0.5)  # what the server would take for idle
    assert other.is_live(book.ledger.run)
    assert book.ledger._rows("SHOW synchronous_commit") == [("on",)]
    tell(database, f'ALTER DATABASE "{name}" SET synchronous_commit TO remote_apply')
    other.close()
    assert other._rows("SHOW synchronous_commit") == [("remote_apply",)]
    other.close()
    book.ledger.close()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://u:s3cr%zzt@127.0.0.1:1/x", "postgresql://u@127.0.0.1:1/x"),
        ("postgresql://u:s3cr%zzt", "postgresql://u"),
        ("postgresql://u:s3cr/s3cr@127.0.0.1:1/x", "postgresql://u@127.0.0.1:1/x"),
        ("postgresql://u:s3cr@s3cr@127.0.0.1:1/x", "postgresql://u@127.0.0.1:1/x"),
        ("postgresql://u:s3cr?s3cr@127.0.0.1:1/x", "postgresql://u@127.0.0.1:1/x"),
        ("postgresql://u:s3cr#s3cr@127.0.0.1:1/x", "postgresql://u@127.0.0.1:1/x"),
        ("postgresql://u:s3cr@[::1/x", "postgresql://u@[::1/x"),
        ("postgresql://u:s3cr@127.0.0.1:1/x", "postgresql://u@127.0.0.1:1/x"),
        ("postgresql://127.0.0.1:1/x?password=s3c%zzrs3cr", "postgresql://127.0.0.1:1/x?"),
        (
            "postgresql://127.0.0.1:1/x?sslmode=disable",
            "postgresql://127.0.0.1:1/x?sslmode=disable",
        ),
    ],
)
def test_a_password_is_told_nowhere_however_it_is_written(address, shown):
    with pytest.raises(fp.LedgerError) as raised:
        open_ledger(address).begin_run(ABOUT)
    assert raised.value.code == "E724"
    assert f" at {shown};" in str(raised.value)
    assert "s3cr" not in f"{raised.value} {raised.value.__cause__}"
    assert raised.value.__suppress_context__


def options(connection: psycopg.Connection) -> tuple[int, int]:
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        asked = (socket.TCP_KEEPIDLE, socket.TCP_USER_TIMEOUT)
        idle, silent = (wire.getsockopt(socket.IPPROTO_TCP, one) for one in asked)
    return idle, silent


def test_a_server_that_falls_silent_is_noticed(database):
    book = Book(database)
    assert options(book.ledger._db) == (30, 60_000)
    book.ledger.close()
    patient = Book(f"{database}?keepalives_idle=7")
    assert options(patient.ledger._db) == (7, 60_000)
    patient.ledger.close()
    [governor] = open_postgres_governor(database, "ab" * 16, 8, 0, 1.0)
    assert options(governor._db) == (10, 25_000)
    governor.close()


def test_views_of_somebody_s_own_stand_in_the_way_of_a_migration_and_it_says_so(database):
    Book(database).ledger.close()
    tell(database, "DROP VIEW open_claims")
    tell(database, 'ALTER TABLE outcomes ALTER event_id TYPE TEXT COLLATE "default"')
    tell(database, "CREATE VIEW open_claims AS SELECT * FROM outcomes WHERE false")
    tell(database, "UPDATE schema_version SET version = 5")
    tell(database, "CREATE VIEW public.mine AS SELECT event_id FROM outcomes")
    with pytest.raises(fp.LedgerError, match=r"E701.*drop your views"):
        Book(database)
    tell(database, "DROP VIEW public.mine")
    tell(database, "CREATE VIEW public.all_claims AS SELECT * FROM open_claims")
    with pytest.raises(fp.LedgerError, match=r"E701.*drop your views"):
        Book(database)
    tell(database, "DROP VIEW public.all_claims")
    Book(database).ledger.close()
