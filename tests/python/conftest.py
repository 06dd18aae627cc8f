"""Fixtures of the tests over real sockets, and how long Hypothesis searches."""

from __future__ import annotations

import itertools
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from book import Book
from hypothesis import HealthCheck, settings
from sales import Sales

from fieldpost.emulator import Emulator
from postgres_server import PostgresServer, programs
from recipe import Recipe

USUAL = [(signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)]
settings.register_profile(
    "default",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "long", settings.get_profile("default"), derandomize=False, max_examples=5000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure() -> None:
    """Signals are heard, also where the tests run in the background, or under nohup."""
    for number, usual in USUAL:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.fixture(autouse=True)
def _runtime_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What processes of one machine share is the test's own: ports are used again, waits not."""
    with tempfile.TemporaryDirectory(prefix="fieldpost-run-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    """The recipe's files in a folder of their own, and an emulator that runs."""
    with Emulator() as emulator:
        monkeypatch.setenv("CID", emulator.client_id)
        monkeypatch.setenv("SECRET", emulator.client_secret)
        yield Recipe(tmp_path, emulator)


@pytest.fixture
def sales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sales]:
    """A destination without subscriptions yet, and an emulator that runs."""
    with Emulator() as emulator:
        monkeypatch.setenv("CID", emulator.client_id)
        monkeypatch.setenv("SECRET", emulator.client_secret)
        yield Sales(tmp_path, emulator)


@pytest.fixture(scope="module")
def lasting_emulator() -> Iterator[Emulator]:
    """An emulator that runs for all tests of a file."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def sales_anew(
    tmp_path: Path, lasting_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Sales:
    """As `sales`, over an emulator that other tests used before and that is reset."""
    monkeypatch.setenv("CID", lasting_emulator.client_id)
    monkeypatch.setenv("SECRET", lasting_emulator.client_secret)
    made = Sales(tmp_path, lasting_emulator)
    made.control("reset", {})
    return made


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the test session's own; skips where there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (extra postgres)")
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    server = PostgresServer()
    try:
        server.start()
        yield server
        server.stop()
    finally:
        server.remove()


_databases = itertools.count()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The location of an empty ledger, once in each store."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create(f"ledger{next(_databases)}")


@pytest.fixture
def book(store: str) -> Iterator[Book]:
    """A ledger in use by one run, once in each store."""
    made = Book(store)
    yield made
    made.ledger.close()
