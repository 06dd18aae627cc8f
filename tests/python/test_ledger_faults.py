"""A ledger that is locked, damaged, read-only, full, of another version or gone; an edited file."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from book import Book

import fieldpost as fp
from fieldpost.ledger import (
    About,
    Key,
    SqliteLedger,
    Takes,
    open_ledger,
    postgres,
    postgres_database,
    schema,
    sqlite,
    sqlite_file,
)
from postgres_server import PostgresServer, programs, wait_until
from recipe import FIELDPOST, OUTCOMES
from service import Service, events

SCHEMA_5 = [
    statement
    for number, todo in schema.statements(postgres_database.WORDS)
    if number <= 5
    for statement in todo
]


@pytest.fixture
def service():
    with Service() as made:
        yield made


# What root may not do either.
WITHOUT_PRIVILEGE = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def run(*arguments, preexec_fn=None, before=(), **environment):
    return subprocess.run(
        [*before, *FIELDPOST, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
        check=False,
        preexec_fn=preexec_fn,
    )


def ledger_of(tmp_path: Path) -> Path:
    return tmp_path / "hook.ledger.db"


# -- SQLite


def test_a_ledger_that_somebody_locks_is_told_and_nothing_is_sent(service, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "PATIENCE_S", 0.2)
    destination = fp.Destination.from_file(service.destination(tmp_path))
    source = events(tmp_path, 5)
    destination.deliver(source, limit=2)
    holder = sqlite3.connect(ledger_of(tmp_path), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(fp.LedgerError) as told:
        destination.deliver(source)
    assert told.value.code == "E720"
    assert destination.status().to_dict()["delivered"] == 2  # looking is possible
    holder.execute("ROLLBACK")
    holder.close()
    assert destination.deliver(source)["delivered"] == 3
    assert len(service.bodies) == 5


def test_a_damaged_ledger_is_told_and_nothing_is_sent(service, tmp_path):
    file, source = service.destination(tmp_path), events(tmp_path, 300)
    assert run("deliver", file, source).returncode == 0
    for part in ("-wal", "-shm"):
        Path(f"{ledger_of(tmp_path)}{part}").unlink(missing_ok=True)
    content = bytearray(ledger_of(tmp_path).read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    ledger_of(tmp_path).write_bytes(content)
    for verb in (("deliver", file, source), ("status", file), ("outcomes", file)):
        told = run(*verb)
        assert told.returncode == 2
        assert "E721" in told.stderr, told.stderr
    assert len(service.bodies) == 300


def test_a_file_that_is_no_ledger_is_told_and_left_alone(service, tmp_path):
    file = service.destination(tmp_path)
    ledger_of(tmp_path).write_text("my notes, which are long enough to be no empty file\n" * 50)
    told = run("deliver", file, events(tmp_path, 1))
    assert told.returncode == 2
    assert "E721" in told.stderr
    assert ledger_of(tmp_path).read_text().startswith("my notes")


def test_a_read_only_ledger_can_be_looked_at_and_not_delivered_with(service, tmp_path):
    file, source = service.destination(tmp_path), events(tmp_path, 3)
    assert run("deliver", file, source).returncode == 0
    before = WITHOUT_PRIVILEGE if os.geteuid() == 0 else ()
    for part in tmp_path.iterdir():
        part.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        told = run("deliver", file, source, before=before)
        assert told.returncode == 2
        assert "E722" in told.stderr, told.stderr
        status = run("status", file, "-o", "json", before=before)
        assert json.loads(status.stdout)["delivered"] == 3, status.stderr
        assert len(run("outcomes", file, "-o", "json", before=before).stdout.splitlines()) == 3
    finally:
        tmp_path.chmod(0o755)


def full_disk(room: int):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))


@pytest.mark.parametrize("kind", ["safe", "webhook"])
def test_a_full_disk_loses_and_doubles_nothing(recipe, kind):
    file = recipe.dynamics() if kind == "safe" else recipe.webhook()
    source = recipe.events(400)
    told = run("deliver", file, source, preexec_fn=full_disk(120_000), **recipe.environment)
    assert told.returncode == 2
    assert "E723" in told.stderr, told.stderr
    counts = recipe.deliver(file, source, expect=4)
    arrived = counts["delivered"] + counts["already_delivered"]
    if kind == "safe":
        assert arrived == 100
        assert recipe.trees_are_whole(100)
    else:
        assert counts["unconfirmed"] <= 2 * 4
        assert arrived + counts["unconfirmed"] == 100
        assert {row["created"] for row in recipe.commits()} == {1}


def test_no_ledger_is_migrated_beside_a_run_of_an_older_fieldpost(tmp_path):
    path = tmp_path / "a.db"
    with closing(SqliteLedger(path)) as older:
        older.begin_run(About("deliver", "hook", "h", "0", "host", "u", ""))
        with sqlite3.connect(path) as db:
            db.execute(f"PRAGMA user_version={schema.VERSION - 1}")
        db.close()
        with pytest.raises(fp.LedgerError) as told:
            SqliteLedger(path).prepare()
    assert told.value.code == "E720" and "older fieldpost is at work" in str(told.value)


def test_a_ledger_of_an_older_schema_is_migrated_with_its_memory(service, tmp_path):
    file, source = service.destination(tmp_path), events(tmp_path, 4)
    with sqlite3.connect(ledger_of(tmp_path)) as db:
        [(number, todo), *_] = schema.statements(sqlite_file.WORDS)
        for statement in todo:
            db.execute(statement)
        db.execute(f"PRAGMA user_version={number}")
        db.execute(
            "INSERT INTO runs VALUES (1, 'r', 'hook', 'h', '0', 'host', 'u', 1.0, NULL, NULL)"
        )
        db.execute("INSERT INTO targets VALUES (7, 'hook', 'all', ?)", (f"{service.url}/in",))
        row = (
            "INSERT INTO outcomes (target, event_id, hash, source, line, offset, outcome,"
            " record_id, run) VALUES (7, ?, ?, 'old', 1, 0, ?, 'r', 1)"
        )
        db.executemany(row, [("m0", 1, "delivered"), ("m1", 2, "rejected"), ("m2", 3, None)])
        db.execute("INSERT INTO filtered VALUES (7, 1, ?)", ((77).to_bytes(8, "little"),))
    db.close()
    moved = run("ledger", "migrate", file)
    assert f"schema 1, now {schema.VERSION}" in moved.stdout, moved.stderr
    counts = fp.Destination.from_file(file).deliver(source)
    # What an earlier version had claimed when it died may have been sent.
    expected = {"already_delivered": 1, "rejected": 1, "unconfirmed": 1, "delivered": 1}
    assert {name: counts[name] for name in expected} == expected
    assert fp.Destination.from_file(file).status().to_dict()["filtered"] == 1
    [rejected] = fp.Destination.from_file(file).outcomes("outcome = 'rejected'")
    assert rejected["record_id"] == ""


# -- PostgreSQL


@pytest.fixture
def server():
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    made = PostgresServer()
    try:
        made.start()
        yield made
        made.stop()
    finally:
        made.remove()


def test_a_newer_schema_is_refused(service, tmp_path, postgres):
    address = postgres.create("newer")
    file, source = service.destination(tmp_path), events(tmp_path, 2)
    destination = fp.Destination.from_file(file, ledger=address)
    destination.deliver(source, limit=1)
    ledger = open_ledger(address)
    ledger._write(lambda step: step.run("UPDATE schema_version SET version = 99"))
    ledger.close()
    for ask in (lambda: destination.deliver(source), destination.status):
        with pytest.raises(fp.LedgerError) as told:
            ask()
        assert told.value.code == "E702"
    assert len(service.bodies) == 1


def test_a_database_of_an_older_schema_keeps_its_rows_and_compares_by_bytes(postgres):
    address = postgres.create("older")
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("CREATE SCHEMA fieldpost")
        db.execute("SET search_path TO fieldpost")
        for statement in SCHEMA_5:
            db.execute(statement)
        db.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
        db.execute("INSERT INTO schema_version VALUES (5)")
        db.execute(
            "INSERT INTO targets (target, destination, subscription, url) VALUES (7, 'd', 's', 'u')"
        )
        db.execute(
            'INSERT INTO outcomes (target, event_id, hash, source, line, "offset", outcome, run)'
            " VALUES (7, 'm0', 1, 'old', 1, 0, 'delivered', 1)"
        )
    with closing(open_ledger(address)) as ledger:
        assert ledger.look_up(ledger.target("d", "s", "u"), ["m0", "M0"]).keys() == {"m0"}
        assert ledger.version == schema.VERSION
    with psycopg.connect(address) as db:
        keys = db.execute(
            "SELECT count(*), count(*) FILTER (WHERE collation_name = 'C')"
            " FROM information_schema.key_column_usage AS k"
            " JOIN information_schema.columns AS c USING (table_schema, table_name, column_name)"
            " WHERE table_schema = 'fieldpost' AND data_type = 'text'"
        ).fetchone()
    assert keys == (14, 14)


def test_a_large_run_over_a_database_leaves_nothing_to_clear_up(postgres):
    book = Book(postgres.create("large"))
    claims = book.claim(*(f"e{i}" for i in range(20_000)))
    book.settle(claims)
    book.ledger.end_run({})
    [(pages, clear, rows)] = book.ledger._rows(
        "SELECT relpages, relallvisible, reltuples FROM pg_class WHERE oid = 'outcomes'::regclass"
    )
    assert (clear, rows) == (pages, 20_000)
    book.ledger.close()


class Patient:
    """Answers 200; after so many requests only once it may go on: what is there goes meanwhile."""

    def __init__(self, service, most):
        self._service, self._most = service, most
        self._turn = threading.Condition()

    def __call__(self, _body):
        with self._turn:
            assert self._turn.wait_for(lambda: len(self._service.bodies) <= self._most, 60)
        return 200

    def go_on(self, most):
        with self._turn:
            self._most = most
            self._turn.notify_all()


def test_a_database_that_goes_away_and_comes_back_loses_and_doubles_nothing(
    service, tmp_path, server
):
    service.answer = patient = Patient(service, 50)
    file, source = service.destination(tmp_path, delivery="max_in_flight: 4"), events(tmp_path, 600)
    destination = fp.Destination.from_file(file, ledger=server.create("ledger"))
    reports = []
    thread = threading.Thread(target=lambda: reports.append(destination.deliver(source)))
    thread.start()
    for sent, following in ((50, 200), (200, 600)):
        wait_until(lambda sent=sent: len(service.bodies) > sent)
        server.stop()
        patient.go_on(following)
        time.sleep(0.5)
        assert len(service.bodies) <= sent + 2 * 4, "only what was claimed before"
        server.start()
    thread.join(90)
    [report] = reports
    assert report["delivered"] == 600
    assert set(Counter(body["n"] for body in service.bodies).values()) == {1}
    assert destination.status().to_dict()["delivered"] == 600


def test_a_database_that_stays_away_stops_the_run_and_the_next_one_knows(
    service, tmp_path, server, monkeypatch
):
    monkeypatch.setattr(postgres, "_PATIENCE_S", 1.0)
    service.answer = patient = Patient(service, 40)
    file, source = service.destination(tmp_path, delivery="max_in_flight: 4"), events(tmp_path, 300)
    destination = fp.Destination.from_file(file, ledger=server.create("ledger"))
    told = []

    def deliver():
        with pytest.raises(fp.LedgerError) as error:
            destination.deliver(source)
        told.append(error.value)

    thread = threading.Thread(target=deliver)
    thread.start()
    wait_until(lambda: len(service.bodies) > 40)
    server.stop()
    patient.go_on(300)
    thread.join(60)
    assert told[0].code == "E724"
    sent = len(service.bodies)
    assert sent < 300
    with pytest.raises(fp.LedgerError, match="E724"):
        destination.status()
    server.start()
    report = destination.deliver(source)
    assert report["unconfirmed"] <= 2 * 4
    assert report["delivered"] + report["already_delivered"] + report["unconfirmed"] == 300
    assert set(Counter(body["n"] for body in service.bodies).values()) == {1}


def test_the_whole_walk_over_a_database(recipe, postgres):
    address = postgres.create("walk")
    file, source = recipe.dynamics(extra=f"ledger: {address}\n"), recipe.events()
    recipe.deliver(file, source, expect=4)
    again = recipe.deliver(file, source, expect=4)
    assert (again["delivered"], again["already_delivered"]) == (0, 10)
    assert recipe.trees_are_whole(10)
    assert not list(recipe.folder.glob("*.ledger.db*"))
    rows = recipe.run("outcomes", file, "--where", "outcome = 'delivered'", "-o", "json").stdout
    assert len(rows.splitlines()) == 10
    assert recipe.run("ledger", "backup", file, "copy.db").returncode == 2


def test_two_runs_at_once_over_a_database_send_nothing_twice(recipe, postgres):
    address = postgres.create("two")
    file, source = recipe.webhook(), recipe.events(800)
    command = [*FIELDPOST, "deliver", str(file), str(source), "-o", "json", "--ledger", address]
    runs = [
        subprocess.Popen(command, env=recipe.environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [json.loads(one.communicate(timeout=60)[0]) for one in runs]
    assert sum(counts["delivered"] for counts in told) == 200
    for counts in told:
        assert counts["received"] == 800 == sum(counts[outcome] for outcome in OUTCOMES)
    assert recipe.trees_are_whole(200)


def test_a_password_is_in_no_message(service, tmp_path, server):
    file = service.destination(tmp_path)
    host = f"127.0.0.1:{server.port}"
    for address in (
        f"postgresql://fieldpost:planted-secret@{host}/no_such_database",
        "postgresql://fieldpost:planted-secret@127.0.0.1:1/x",
        "postgresql://fieldpost:planted-secret@127.0.0.1:notaport/x",
        "postgresql://127.0.0.1:1/x?user=f&password=planted-secret",
    ):
        told = run("deliver", file, events(tmp_path, 1), "--ledger", address)
        assert told.returncode == 2, address
        assert "E724" in told.stderr
        assert "planted-secret" not in told.stdout + told.stderr
    told = run("status", file, FIELDPOST_LEDGER=f"postgresql://f:planted-secret@{host}/none")
    assert "planted-secret" not in told.stdout + told.stderr


# -- a file edited between two runs


def dead_claim(destination: fp.Destination, url: str, event_id: str) -> None:
    """Leave behind what a killed run leaves: a claim without an outcome."""
    ledger = SqliteLedger(Path(destination.config.ledger_location))
    ledger.begin_run(About("deliver", "hook", "h", "0", "host", "u", ""))
    target = ledger.target("hook", "all", url)
    ledger.advance((), (), [Key(target, event_id, 1, "s", 1, 0)], (), Takes())
    ledger.close()


BROKEN = '{"@path": "$.nothing"}'


def test_what_arrived_stays_delivered_whatever_the_mapping_says_now(service, tmp_path):
    file, source = service.destination(tmp_path), events(tmp_path, 3)
    fp.Destination.from_file(file).deliver(source, limit=2)
    edited = fp.Destination.from_file(service.destination(tmp_path, body=BROKEN))
    report = edited.deliver(source)
    assert (report["already_delivered"], report["invalid"]) == (2, 1)
    assert edited.status().to_dict()["delivered"] == 2
    mended = fp.Destination.from_file(service.destination(tmp_path))
    assert mended.deliver(source)["delivered"] == 1
    assert len(service.bodies) == 3


def test_what_may_have_arrived_stays_unconfirmed_whatever_the_mapping_says_now(service, tmp_path):
    destination = fp.Destination.from_file(service.destination(tmp_path))
    dead_claim(destination, f"{service.url}/in", "m1")
    edited = fp.Destination.from_file(service.destination(tmp_path, body=BROKEN))
    report = edited.deliver(events(tmp_path, 3))
    assert (report["unconfirmed"], report["invalid"]) == (1, 2)
    assert service.bodies == []


def test_what_may_have_arrived_is_told_even_where_the_filter_refuses_it_now(service, tmp_path):
    destination = fp.Destination.from_file(service.destination(tmp_path))
    dead_claim(destination, f"{service.url}/in", "m1")
    file = service.destination(tmp_path)
    file.write_text(file.read_text().replace('"track"', '"page"'))
    edited = fp.Destination.from_file(file)
    edited.deliver(events(tmp_path, 3))
    [row] = edited.outcomes()
    assert (row["event_id"], row["outcome"]) == ("m1", "unconfirmed")


def test_a_new_address_is_a_new_target_and_a_new_name_with_an_id_is_none(service, tmp_path):
    file, source = service.destination(tmp_path), events(tmp_path, 3)
    text = file.read_text().replace("{name: all", "{name: all, id: all")
    file.write_text(text)
    fp.Destination.from_file(file).deliver(source)
    file.write_text(text.replace("name: all", "name: renamed"))
    assert fp.Destination.from_file(file).deliver(source)["already_delivered"] == 3
    file.write_text(text.replace("/in", "/elsewhere"))
    assert fp.Destination.from_file(file).deliver(source)["delivered"] == 3
    assert Counter(service.paths) == {"/in": 3, "/elsewhere": 3}


def test_another_reading_of_a_lost_answer_is_taken_up(service, tmp_path):
    """on_unconfirmed changed to resend: what a dead run left is sent, what was told stands."""
    service.answer = lambda body: 0
    file, source = service.destination(tmp_path), events(tmp_path, 2)
    destination = fp.Destination.from_file(file)
    destination.deliver(source, limit=1)
    dead_claim(destination, f"{service.url}/in", "m1")
    service.answer = lambda _body: 200
    service.destination(tmp_path, delivery="on_unconfirmed: resend")
    report = fp.Destination.from_file(file).deliver(source)
    assert (report["unconfirmed"], report["delivered"]) == (1, 1)
