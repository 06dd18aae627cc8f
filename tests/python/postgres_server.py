"""Debian's PostgreSQL in a folder of its own on a free port, for as long as a test needs it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "64MB",
    "max_connections": "40",
    "logging_collector": "off",
}


def programs() -> Path | None:
    """The folder of initdb and pg_ctl; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    onpath = shutil.which("initdb")
    return Path(onpath).resolve().parent if onpath else None


class PostgresServer:
    """A server; runs as the user postgres where the test runs as root."""

    def __init__(self, durable: bool = False) -> None:
        folder = programs()
        if folder is None:
            raise FileNotFoundError("PostgreSQL is not installed (apt-get install postgresql)")
        self._programs = folder
        self._as: dict[str, Any] = {"user": "postgres"} if os.geteuid() == 0 else {}
        self.folder = Path(tempfile.mkdtemp(prefix="fieldpost-postgres-"))
        if self._as:
            shutil.chown(self.folder, "postgres")
        self.port = _free_port()
        self._settings = _SETTINGS | {"port": str(self.port)}
        self._settings["unix_socket_directories"] = str(self.folder)
        self._settings["fsync"] = "on" if durable else "off"
        self._call("initdb", "-D", self.folder / "data", "-U", "fieldpost", "-A", "trust", "-N")

    def address(self, database: str = "postgres") -> str:
        return f"postgresql://fieldpost@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        log = self.folder / "log"
        self._call("pg_ctl", "-D", self.folder / "data", "-l", log, "-o", options, "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._call("pg_ctl", "-D", self.folder / "data", "-m", mode, "-w", "stop")

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def create(self, database: str) -> str:
        import psycopg

        with psycopg.connect(self.address(), autocommit=True) as db:
            db.execute(f'CREATE DATABASE "{database}"')
        return self.address(database)

    def _call(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [str(self._programs / program), *map(str, arguments)],
            check=True,
            timeout=60,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a server that stays must not hold a pipe of ours
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            **self._as,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Any, timeout_s: float = 30.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.01)
