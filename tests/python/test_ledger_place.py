"""A ledger that is deleted, replaced or restored, under runs and between them."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from book import ABOUT, Book
from test_fork import SLOW, Gate

import fieldpost as fp
from fieldpost import own_file
from fieldpost.cli import exit_code
from fieldpost.ledger import open_ledger
from postgres_server import wait_until
from recipe import FIELDPOST
from service import Service, events


@pytest.fixture
def service():
    with Service() as made:
        yield made


def ledger_of(folder: Path) -> Path:
    return folder / "hook.ledger.db"


def parts_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("hook.ledger.db*"))


class UnderWay:
    """A run in a thread that has sent 20 events, and goes on when its gate opens."""

    def __init__(self, service, folder, count=80, ledger=None):
        service.answer = self.gate = Gate(20)
        self.source = events(folder, count)
        file = service.destination(folder, delivery=SLOW)
        self.destination = fp.Destination.from_file(file, ledger=ledger)
        self.told: list[object] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        wait_until(lambda: len(service.bodies) >= 20)

    def _run(self):
        try:
            self.told.append(self.destination.deliver(self.source, progress=False))
        except fp.LedgerError as error:
            self.told.append(error)

    def end(self):
        self.gate.opened.set()
        self._thread.join(60)
        return self.told[0]


def delete(folder):
    for part in parts_of(folder):
        part.unlink()


def replace(folder):
    empty = folder / "other.db"
    open_ledger(empty).prepare()
    empty.replace(ledger_of(folder))


@pytest.mark.parametrize("take_away", [delete, replace])
def test_a_run_whose_ledger_is_taken_away_stops_and_keeps_what_it_knows(
    service, tmp_path, take_away
):
    run = UnderWay(service, tmp_path)
    take_away(tmp_path)
    with pytest.raises(fp.LedgerError) as second:
        run.destination.deliver(run.source)
    assert second.value.code == "E706"
    told = run.end()
    assert isinstance(told, fp.LedgerError)
    assert (told.code, exit_code.of_error(told)) == ("E705", 2)
    sent = len(service.bodies)
    assert sent <= 20 + 2 * 4 + 4
    assert f"{sent} records" in str(told)
    [kept] = tmp_path.glob("hook.ledger.db.*.rescued")
    if take_away is delete:
        with pytest.raises(fp.LedgerError, match="E706"):
            run.destination.deliver(run.source)
    run.destination.restore(kept)
    counts = run.destination.deliver(run.source)
    assert (counts["already_delivered"], counts["delivered"]) == (sent, 80 - sent)
    assert set(Counter(body["n"] for body in service.bodies).values()) == {1}


def test_a_ledger_that_goes_when_all_is_claimed_is_told_at_the_end(service, tmp_path):
    run = UnderWay(service, tmp_path, count=21)
    delete(tmp_path)
    told = run.end()
    assert isinstance(told, fp.LedgerError)
    assert (told.code, "21 records" in str(told)) == ("E705", True)
    assert list(tmp_path.glob("hook.ledger.db.*.rescued"))


def test_two_runs_at_one_ledger_are_no_trouble_to_each_other(tmp_path):
    first, second = Book(str(tmp_path / "l.db")), Book(str(tmp_path / "l.db"))
    assert first.claim("a")[0] is not None
    assert second.claim("b")[0] is not None
    first.ledger.close()
    second.ledger.close()


def test_a_ledger_that_is_reached_by_two_names_has_one_place(tmp_path):
    (tmp_path / "data").mkdir()
    location = tmp_path / "data" / "l.db"
    link = tmp_path / "link.db"
    link.symlink_to(location)
    book = Book(str(location))
    other = Book(str(link))
    assert other.ledger.is_live(book.ledger.run)
    location.unlink()
    with pytest.raises(fp.LedgerError, match="E706"):
        Book(str(link))
    book.ledger.close()
    other.ledger.close()


def test_a_run_whose_tables_are_taken_away_stops(service, tmp_path, postgres):
    address = postgres.create("taken_away")
    with closing(open_ledger(address)) as earlier:  # so that numbers of runs do not meet
        earlier.begin_run(ABOUT)
    run = UnderWay(service, tmp_path, ledger=address)
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("ALTER SCHEMA fieldpost RENAME TO elsewhere")
    with pytest.raises(fp.LedgerError) as second:
        run.destination.deliver(run.source)
    assert second.value.code == "E706"
    told = run.end()
    assert isinstance(told, fp.LedgerError)
    assert told.code == "E705"
    assert len(service.bodies) <= 20 + 2 * 4 + 4


# -- restore


def backed_up(service, tmp_path):
    """A destination with a backup that knows 2 of 5 delivered events."""
    file, source = service.destination(tmp_path), events(tmp_path, 5)
    destination = fp.Destination.from_file(file)
    destination.deliver(source, limit=2)
    destination.backup(tmp_path / "copy.db")
    destination.deliver(source)
    return destination, source, tmp_path / "copy.db"


def test_a_restored_ledger_says_what_it_does_not_know(service, tmp_path):
    destination, source, copy = backed_up(service, tmp_path)
    ledger_of(tmp_path).chmod(0o640)
    told = subprocess.run(
        [*FIELDPOST, "ledger", "restore", str(destination.config.file), str(copy)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "delivered, and not known to it: 3 events" in told.stdout
    assert "sends it again" in told.stdout
    assert ledger_of(tmp_path).stat().st_mode & 0o777 == 0o640
    [replaced] = tmp_path.glob("hook.ledger.db.*.replaced")
    assert destination.deliver(source)["delivered"] == 3
    back = destination.restore(replaced)
    assert (back["unknown"], back["last_run"][:2]) == (0, "20")
    assert destination.status().to_dict()["delivered"] == 5


def test_no_ledger_is_restored_under_a_run(service, tmp_path):
    run = UnderWay(service, tmp_path)
    copy = tmp_path / "copy.db"
    run.destination.backup(copy)
    before = ledger_of(tmp_path).stat().st_ino
    with pytest.raises(fp.LedgerError, match="E720"):
        run.destination.restore(copy)
    assert ledger_of(tmp_path).stat().st_ino == before
    report = run.end()
    assert report["delivered"] == 80
    run.destination.restore(copy)


@pytest.mark.parametrize("kind", ["missing", "text", "foreign", "damaged", "empty", "itself"])
def test_a_copy_that_is_no_whole_ledger_is_not_restored(service, tmp_path, kind):
    destination, _, copy = backed_up(service, tmp_path)
    content = bytearray(copy.read_bytes())
    if kind == "missing":
        copy = tmp_path / "nothing.db"
    elif kind == "text":
        copy.write_text("years of work\n" * 500)
    elif kind == "foreign":
        copy.unlink()
        with closing(sqlite3.connect(copy)) as db:
            db.execute("CREATE TABLE cookies(a)")
    elif kind == "damaged":
        content[4096:12288] = os.urandom(8192)
        copy.write_bytes(content)
    elif kind == "empty":
        copy.write_bytes(b"")
    else:
        copy = ledger_of(tmp_path)
    before = [(one.name, one.read_bytes()) for one in parts_of(tmp_path)]
    with pytest.raises(fp.LedgerError) as told:
        destination.restore(copy)
    assert told.value.code in ("E721", "E727", "E728")
    assert [(one.name, one.read_bytes()) for one in parts_of(tmp_path)] == before


def killed_in_mid_run(service, tmp_path, destination, source):
    """Leave a ledger with a journal whose file was written to since the backup."""
    service.answer = gate = Gate(10**9)
    with closing(sqlite3.connect(ledger_of(tmp_path))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    run = subprocess.Popen([*FIELDPOST, "deliver", str(destination.config.file), str(source)])
    wait_until(lambda: len(service.bodies) >= 7000, 60)
    run.send_signal(signal.SIGKILL)
    run.wait(60)
    gate.opened.set()
    assert Path(f"{ledger_of(tmp_path)}-wal").stat().st_size > 0


def test_a_backup_copied_over_a_killed_runs_ledger_is_told_and_restore_mends_it(service, tmp_path):
    file = service.destination(tmp_path, delivery="keep: all, max_in_flight: 64")
    source = tmp_path / "events.ndjson"
    rows = [{"type": "track", "messageId": f"m{n}", "n": n, "pad": "x" * 600} for n in range(9000)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    destination, copy = fp.Destination.from_file(file), tmp_path / "copy.db"
    destination.deliver(source, limit=50)
    destination.backup(copy)
    killed_in_mid_run(service, tmp_path, destination, source)
    shutil.copy(copy, ledger_of(tmp_path))
    before = ledger_of(tmp_path).read_bytes()
    for verb in (destination.status, lambda: destination.deliver(source)):
        with pytest.raises(fp.LedgerError) as told:
            verb()
        assert told.value.code == "E707"
        assert "ledger restore" in told.value.hint
    assert ledger_of(tmp_path).read_bytes() == before
    destination.restore(copy)
    assert destination.status().to_dict()["delivered"] == 50
    assert not Path(f"{ledger_of(tmp_path)}-wal").exists()


def test_a_restore_that_fails_half_way_leaves_the_ledger_whole(service, tmp_path, monkeypatch):
    file, source = service.destination(tmp_path), events(tmp_path, 40)
    destination, copy = fp.Destination.from_file(file), tmp_path / "copy.db"
    destination.deliver(source, limit=5)
    destination.backup(copy)
    ledger, journal = ledger_of(tmp_path), Path(f"{ledger_of(tmp_path)}-wal")
    with closing(sqlite3.connect(ledger)) as reader:  # keeps the journal, as a kill would
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM outcomes").fetchone()
        destination.deliver(source)
        left = [(path, path.read_bytes()) for path in (ledger, journal)]
        reader.execute("ROLLBACK")
    for path, content in left:
        path.write_bytes(content)
    with monkeypatch.context() as broken:
        broken.setattr(own_file, "_sync", raising(OSError(errno.EIO, "Input/output error")))
        with pytest.raises((OSError, fp.LedgerError)):
            destination.restore(copy)
    assert destination.status().to_dict()["delivered"] == 40
    assert destination.deliver(source)["already_delivered"] == 40


def raising(error: BaseException):
    def fail(*_arguments: object) -> None:
        raise error

    return fail


def test_ledgers_that_are_replaced_in_one_second_are_all_kept(service, tmp_path):
    file, source = service.destination(tmp_path), events(tmp_path, 5)
    destination, copy = fp.Destination.from_file(file), tmp_path / "copy.db"
    destination.deliver(source)
    destination.backup(copy)
    for _ in range(3):
        destination.restore(copy)
    assert len(list(tmp_path.glob("*.replaced"))) == 3


def test_a_journal_without_a_doubt_is_taken_up(service, tmp_path):
    """What a kill leaves, untouched, is no foreign journal."""
    file, source = service.destination(tmp_path), events(tmp_path, 40)
    destination = fp.Destination.from_file(file)
    book = Book(str(ledger_of(tmp_path)))
    book.claim("x")
    folder = tmp_path / "copied"
    folder.mkdir()
    for part in ("", "-wal"):
        shutil.copy(f"{ledger_of(tmp_path)}{part}", folder / f"hook.ledger.db{part}")
    book.ledger.close()
    copied = fp.Destination.from_file(file, ledger=folder / "hook.ledger.db")
    assert copied.deliver(source)["delivered"] == 40
    assert destination.deliver(source)["delivered"] == 40
