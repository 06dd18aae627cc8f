"""Answers that are none, or too many, or something else: each event keeps its one outcome."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fieldpost as fp

Script = Callable[[socket.socket], None]
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class RawServer:
    """Reads whole requests; an event whose id begins with "bad" gets what the script sends, and its
    connection is closed; others are taken."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.bodies: list[bytes] = []
        self.sent = 0  # bytes of a script, where it counts them
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(0.05)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _address = self._listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        with connection:
            try:
                while (body := _request(connection)) is not None:
                    self.bodies.append(body)
                    if b'"bad' in body:
                        self.script(connection)
                        return
                    connection.sendall(NO_CONTENT)
            except OSError:
                return  # the client has heard enough

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()


def _request(connection: socket.socket) -> bytes | None:
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(65536)
        if not more:
            return None
        head += more
    head, _, body = head.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return body


def says(*parts: bytes) -> Script:
    return lambda connection: connection.sendall(b"".join(parts))


def ok(headers: bytes, body: bytes = b"", status: bytes = b"200 OK") -> Script:
    return says(b"HTTP/1.1 ", status, b"\r\n", headers, b"\r\n\r\n", body)


def sized(body: bytes, status: bytes = b"200 OK", more: bytes = b"") -> Script:
    return ok(b"Content-Length: %d%s" % (len(body), more), body, status)


def endless_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b"x" * 1_000_000)


def endless_interim(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 102 Processing\r\nX-Still: at work\r\n\r\n" * 100)


def bomb() -> bytes:
    squeezer = zlib.compressobj(9, wbits=31)
    packed = b"".join(squeezer.compress(b"\0" * 1_000_000) for _ in range(2000))
    return packed + squeezer.flush()


PAGE = b"<html><body><h1>It works, or not</h1></body></html>"
UNHEARD = ("unconfirmed", "E503")
CASES: dict[str, tuple[Script, tuple[str, str]]] = {
    "a page": (sized(PAGE), ("delivered", "")),
    "a page that refuses": (sized(PAGE, b"400 Bad"), ("rejected", "http_400")),
    "nothing in it": (sized(b""), ("delivered", "")),
    "nothing at all": (lambda connection: None, UNHEARD),
    "200 MB": (endless_body, UNHEARD),
    "2 GB in a gzip bomb": (sized(bomb(), more=b"\r\nContent-Encoding: gzip"), ("delivered", "")),
    "gzip that is none": (sized(b"no gzip", more=b"\r\nContent-Encoding: gzip"), ("delivered", "")),
    "half of a gzip": (
        ok(b"Content-Length: 400\r\nContent-Encoding: gzip", gzip.compress(b"x" * 999)[:20]),
        UNHEARD,
    ),
    "a coding that is unknown": (
        sized(b"zzz", b"422 No", b"\r\nContent-Encoding: aws-chunked"),
        ("rejected", "http_422"),
    ),
    "a charset for a coding": (
        sized(b'{"message": "no"}', b"422 No", b"\r\nContent-Encoding: UTF-8"),
        ("rejected", "http_422"),
    ),
    "compressed words": (
        sized(
            gzip.compress(b'{"message": "no such user"}'), b"400 No", b"\r\nContent-Encoding: gzip"
        ),
        ("rejected", "http_400"),
    ),
    "less than was promised": (ok(b"Content-Length: 400", b"half"), UNHEARD),
    "more than was promised": (ok(b"Content-Length: 2", b"{} and so on"), ("delivered", "")),
    "a length below zero": (ok(b"Content-Length: -1", b"{}"), UNHEARD),
    "two lengths": (ok(b"Content-Length: 2\r\nContent-Length: 3", b"{}"), UNHEARD),
    "a chunk of no size": (ok(b"Transfer-Encoding: chunked", b"zz\r\n{}\r\n0\r\n\r\n"), UNHEARD),
    "chunks without an end": (ok(b"Transfer-Encoding: chunked", b"2\r\n{}\r\n"), UNHEARD),
    "interim answers first": (
        says(
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
            NO_CONTENT,
        ),
        ("delivered", ""),
    ),
    "interim answers only": (endless_interim, UNHEARD),
    "a redirect to itself": (
        ok(b"Location: /in\r\nContent-Length: 0", status=b"302 Found"),
        ("rejected", "http_302"),
    ),
    "a header of 1 MB": (ok(b"X-Long: " + b"x" * 1_000_000, b"{}"), UNHEARD),
    "1 MB of headers": (ok(b"\r\n".join([b"X-Many: " + b"x" * 90] * 11_000)), UNHEARD),
    "another protocol": (says(b"SSH-2.0-OpenSSH_9.2\r\n"), UNHEARD),
    "a status that is none": (ok(b"Content-Length: 0", status=b"banana"), UNHEARD),
}


@pytest.fixture(params=CASES, ids=lambda name: str(name).replace(" ", "_"))
def case(request: pytest.FixtureRequest) -> Iterator[tuple[RawServer, tuple[str, str]]]:
    script, outcome = CASES[request.param]
    with RawServer(script) as server:
        yield server, outcome


def write(folder: Path, server: RawServer, more: str = "") -> Path:
    path = folder / "hook.yaml"
    path.write_text(
        f"name: hook\nid: hook\ntype: webhook\nurl: {server.url}/in\n"
        "subscriptions:\n  - {name: all}\n"
        f"delivery: {{timeout_s: 15, retry: {{wait_initial_s: 0.01, max_attempts: 3}}}}\n{more}"
    )
    ids = ["good1", "bad", "good2"]
    lines = "".join(f'{{"messageId": "{one}"}}\n' for one in ids)
    (folder / "events.ndjson").write_text(lines)
    return path


def deliver(path: Path) -> tuple[fp.Report, dict[str, Any]]:
    destination = fp.Destination.from_file(path)
    report = destination.deliver(path.parent / "events.ndjson", progress=False)
    (row,) = destination.outcomes(event_id="bad")
    return report, row


def test_a_bad_answer_costs_its_own_event_alone(case: Any, tmp_path: Path) -> None:
    server, (outcome, code) = case
    path = write(tmp_path, server)
    report, row = deliver(path)
    assert (row["outcome"], row["code"]) == (outcome, code), row["message"]
    assert len(server.bodies) == 3, "one attempt is one request"
    assert report["delivered"] == 2 + (outcome == "delivered")
    assert "<" not in row["message"] and len(row["message"]) <= 500
    if outcome != "delivered":
        assert row["message"] and row["action_needed"]
    again, row = deliver(path)
    assert row["outcome"] == outcome and len(server.bodies) == 3, "it stands"
    assert again.received == 3 == sum(again[name] for name in ("already_delivered", outcome)) or (
        outcome == "delivered"
    )


def test_what_was_not_heard_is_sent_again_under_its_key(case: Any, tmp_path: Path) -> None:
    server, (outcome, _code) = case
    report, row = deliver(write(tmp_path, server, "idempotency_key: true\n"))
    if outcome == "unconfirmed":
        assert (row["outcome"], row["attempts"]) == ("unconfirmed", 3), "maybe there, and told"
        assert len(server.bodies) == 5
    else:
        assert (row["outcome"], row["attempts"]) == (outcome, 1)
    assert report["delivered"] == 2 + (outcome == "delivered")


def test_a_compressed_answer_is_read(tmp_path: Path) -> None:
    with RawServer(CASES["compressed words"][0]) as server:
        _report, row = deliver(write(tmp_path, server))
    assert "no such user" in row["message"]
