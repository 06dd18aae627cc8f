"""Processes that fork: a child of one that delivers refuses, a child of one that rests delivers."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections import Counter

import pytest
from book import Book

import fieldpost as fp
from fieldpost import fork
from fieldpost.governor.host import open_host_governor
from fieldpost.ledger import open_ledger
from postgres_server import wait_until
from service import Service, events

FORK = multiprocessing.get_context("fork")
SLOW = "max_in_flight: 4, adaptive: false"


@pytest.fixture
def service():
    with Service() as made:
        yield made


class Gate:
    """Answers 200, after so many requests only once the gate is open."""

    def __init__(self, most):
        self._most, self._number = most, 0
        self._lock, self.opened = threading.Lock(), threading.Event()

    def __call__(self, _body):
        with self._lock:
            self._number += 1
            waits = self._number > self._most
        return 200 if not waits or self.opened.wait(60) else 500


def in_child(work):
    """What `work` returns, or the code of the error that it raises, in a forked child."""
    here, there = FORK.Pipe(duplex=False)

    def child():
        try:
            there.send(work())
        except fp.FieldpostError as error:
            there.send(f"{error.code} {error.hint}")

    process = FORK.Process(target=child)
    process.start()
    assert here.poll(60), "the child hangs"
    told = here.recv()
    process.join(60)
    return told


def test_a_child_of_a_process_that_delivers_refuses_and_nothing_is_doubled(
    service, tmp_path, store
):
    service.answer = gate = Gate(20)
    file = service.destination(tmp_path, delivery=SLOW)
    first, second = events(tmp_path, 60), tmp_path / "second.ndjson"
    rows = [{"type": "track", "messageId": f"s{n}", "n": n} for n in range(60)]
    second.write_text("".join(json.dumps(row) + "\n" for row in rows))
    destination = fp.Destination.from_file(file, ledger=store)
    reports = []
    thread = threading.Thread(
        target=lambda: reports.append(destination.deliver(first, progress=False))
    )
    thread.start()
    wait_until(lambda: len(service.bodies) >= 20)
    try:
        for source in (second, first):
            told = in_child(lambda source=source: destination.deliver(source)["delivered"])
            assert told.startswith("E704")
            assert "spawn" in told
        assert in_child(lambda: destination.status().to_dict()).startswith("E704")
        assert not any(body["id"].startswith("s") for body in service.bodies)
    finally:
        gate.opened.set()
        thread.join(60)
    assert reports[0]["delivered"] == 60
    assert destination.deliver([first, second])["delivered"] == 60
    assert set(Counter(body["id"] for body in service.bodies).values()) == {1}


def test_workers_forked_where_nothing_is_open_deliver_each_their_own(service, tmp_path, store):
    file = service.destination(tmp_path)
    destination = fp.Destination.from_file(file, ledger=store)
    source = events(tmp_path, 40)
    destination.deliver(source, limit=10)  # closed again: nothing of it is inherited
    with FORK.Pool(4) as pool:
        reports = pool.starmap(deliver_in_worker, [(file, store, source)] * 4, chunksize=1)
    assert sum(reports) == 30
    assert Counter(body["n"] for body in service.bodies) == Counter(range(40))


def deliver_in_worker(file, ledger, source):
    return fp.Destination.from_file(file, ledger=ledger).deliver(source)["delivered"]


def test_a_child_that_lives_on_does_not_keep_a_dead_run_alive(tmp_path, store):
    """Locks and sessions that a fork copies would say that the run is at work for ever."""
    book = Book(store)
    run = book.ledger.run
    stop, started = FORK.Event(), FORK.Event()

    def idle():
        started.set()
        stop.wait(60)

    child = FORK.Process(target=idle)
    child.start()
    try:
        assert started.wait(60)
        looks = open_ledger(store)
        assert looks.is_live(run)
        book.ledger.close()
        wait_until(lambda: not looks.is_live(run))
        looks.close()
    finally:
        stop.set()
        child.join(60)


def test_a_child_that_lives_on_takes_no_place_of_a_governor(tmp_path):
    first = open_host_governor("name", 8, 0, 60.0)
    second = open_host_governor("name", 8, 0, 60.0)
    stop, started = FORK.Event(), FORK.Event()

    def idle():
        started.set()
        stop.wait(60)

    child = FORK.Process(target=idle)
    child.start()
    try:
        assert started.wait(60)
        assert second._place()[1] == 2
        first.close()
        assert second._place()[1] == 1
    finally:
        stop.set()
        child.join(60)
        second.close()


def test_a_ledger_that_was_forgotten_open_is_inherited_by_no_child(tmp_path):
    """A ledger that nobody refers to any more is closed with its connection."""
    ledger = open_ledger(tmp_path / "ledger.db")
    ledger.prepare()
    del ledger
    assert in_child(lambda: len(fork._opened)) == 0


def test_a_child_in_the_middle_of_its_parents_run_claims_nothing(service, tmp_path):
    """It goes on where the parent was, within the run: the core and the ledger both refuse, and
    that is its end, since nobody in it waits for the run."""
    file, source = service.destination(tmp_path, delivery=SLOW), events(tmp_path, 40)
    destination = fp.Destination.from_file(file)
    children = []

    def forks_once(_report):
        if not children and len(service.bodies) >= 8:
            children.append(os.fork())

    report = destination.deliver(source, progress=forks_once)
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 1
    assert report["delivered"] == 40
    assert Counter(body["n"] for body in service.bodies) == Counter(range(40))
