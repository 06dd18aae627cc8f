"""Requests per second of fieldpost and its peers against one nginx, side by side.

    ./dev bench dispatch [--requests 100000] [--in-flight 64 16] [--rounds 5]

The server runs on one core, each client on another; every client posts the same bytes. Rounds are
interleaved and the best of each is shown, so that a busy machine spoils the figures less. 64 in
flight is the most that fieldpost takes (`max_in_flight`), and every client gets as many: what a
run of it claims and settles with one transaction of its ledger grows with them. Slow clients run
at the first number only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
SERVER_CORE, CLIENT_CORE = "1", "0"
MOST_IN_FLIGHT = 64
NGINX = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/body;
  client_body_buffer_size 64k; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} reuseport; location / {{ return 204; }} }}
}}
"""
WRK = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open("{body}"):read("*a")
"""


def body() -> bytes:
    """About a kilobyte, as a record of a CRM has."""
    fields = {f"field_{i:02d}": f"value {i} of a record with some words in it" for i in range(20)}
    return json.dumps(fields, separators=(",", ":")).encode()


@contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """A server that answers 204 to everything; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    command = ["taskset", "-c", SERVER_CORE, binary, "-p", folder, "-c", folder / "nginx.conf"]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 0.1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/in"
    finally:
        server.terminate()
        server.wait(10)


def _write_events(file: Path, ids: Iterable[str]) -> None:
    record = body()
    with file.open("wb") as out:
        for one in ids:
            head = f'{{"type":"track","messageId":"{one}","properties":'.encode()
            out.write(head + record + b"}\n")


class Clients:
    """How to run each of them; a figure is requests per second."""

    def __init__(self, folder: Path, url: str, in_flight: int, requests: int) -> None:
        self.folder, self.url = folder, url
        self.in_flight, self.requests = str(in_flight), requests
        self.body = folder / "body.json"
        self.body.write_bytes(body())
        self.events = folder / "events.ndjson"
        _write_events(self.events, (f"m-{i}" for i in range(requests)))
        self.random_events = folder / "random.ndjson"
        name = uuid.NAMESPACE_URL
        _write_events(self.random_events, (str(uuid.uuid5(name, str(i))) for i in range(requests)))
        self.curl_multi = folder / "curl_multi"
        source = HERE / "peers" / "curl_multi.cc"
        subprocess.run(["g++", "-O2", "-o", self.curl_multi, source, "-lcurl"], check=True)

    def run(self, name: str) -> float:
        """One figure of client `name`."""
        if name == "wrk":
            return self._wrk()
        told = subprocess.run(
            ["taskset", "-c", CLIENT_CORE, *self._command(name)],
            capture_output=True,
            text=True,
            timeout=600,
        )
        if told.returncode:
            raise RuntimeError(f"{name}: {told.stdout}{told.stderr}")
        return float(told.stdout)

    def _command(self, name: str) -> list[str]:
        if name.startswith("fieldpost"):
            mode = "off" if name == "fieldpost" else "on"
            script = str(HERE / "dispatch_client.py")
            events = self.random_events if "random" in name else self.events
            tail = [self.url, str(events), self.in_flight, str(self.requests)]
            return [sys.executable, script, mode, *tail]
        fewer = self.requests // (50 if name == "httpx" else 10 if name == "aiohttp" else 1)
        tail = [self.url, str(self.body), self.in_flight, str(fewer)]
        if name == "libcurl multi":
            return [str(self.curl_multi), *tail]
        return [sys.executable, str(HERE / "peers" / "http_clients.py"), name, *tail]

    def _wrk(self) -> float:
        script = self.folder / "post.lua"
        script.write_text(WRK.format(body=self.body))
        command = ["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{self.in_flight}", "-d2s"]
        told = subprocess.run(
            [*command, "-s", str(script), self.url], capture_output=True, text=True, check=True
        )
        line = next(one for one in told.stdout.splitlines() if one.startswith("Requests/sec"))
        return float(line.split()[1])


NAMES = (
    "libcurl multi",
    "fieldpost",
    "fieldpost, file to ledger",
    "fieldpost, random ids",
    "pycurl",
    "aiohttp",
    "httpx",
    "wrk",
)
SLOW = ("aiohttp", "httpx")


def measure(clients: Clients, names: list[str], rounds: int) -> dict[str, list[float]]:
    """The figures of each client, measured in turn."""
    figures: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            figures[name].append(clients.run(name))
    return figures


def show(figures: dict[str, list[float]], in_flight: int, rounds: int) -> None:
    """One table."""
    base = max(figures["libcurl multi"])
    most = " (the most fieldpost takes)" if in_flight == MOST_IN_FLIGHT else ""
    print(f"{in_flight} in flight{most}, {len(body())} bytes each, best of {rounds}")
    print(f"{'client':28}{'requests/s':>12}{'x libcurl multi':>18}")
    for client, rates in figures.items():
        print(f"{client:28}{max(rates):12,.0f}{max(rates) / base:18.2f}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[MOST_IN_FLIGHT, 16])
    parser.add_argument("--rounds", type=int, default=5)
    wishes = parser.parse_args()
    if (os.cpu_count() or 1) < 2:
        sys.exit("client and server need a core each")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with nginx(folder) as url:
            for place, in_flight in enumerate(wishes.in_flight):
                clients = Clients(folder, url, in_flight, wishes.requests)
                names = [name for name in NAMES if place == 0 or name not in SLOW]
                show(measure(clients, names, wishes.rounds), in_flight, wishes.rounds)


if __name__ == "__main__":
    main()
