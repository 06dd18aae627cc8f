"""HTTP/2 over TLS, frame by frame, so that a test may answer as no well-behaved server would.

No header block is read: what a request is about stands in its body. `answer` is asked once a
request is there whole, and returns the frames to send; CLOSE among them ends the connection.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fieldpost.emulator.certificate import Certificate

NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0, 2, 7, 8, 11
CLOSE = b""
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 0x1, 0x4, 0x1
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@dataclass(frozen=True)
class Asked:
    """number: of the request on its connection, from 1; connection: from 1."""

    connection: int
    number: int
    stream: int
    body: bytes


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload


def no_content(stream: int) -> bytes:
    """204 without a body: the entry of HPACK's static table that stands for it."""
    return _frame(_HEADERS, _END_STREAM | _END_HEADERS, stream, b"\x89")


def nonsense() -> bytes:
    """A frame of data that belongs to no stream, which ends the connection (RFC 9113, 6.1)."""
    return _frame(_DATA, 0, 0, b"?")


def reset(stream: int, code: int) -> bytes:
    return _frame(_RESET, 0, stream, code.to_bytes(4, "big"))


def goaway(last: int, code: int = NO_ERROR) -> bytes:
    return _frame(_GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big"))


class Http2Server:
    def __init__(self, answer: Callable[[Asked], Sequence[bytes]]) -> None:
        self._certificate = Certificate()
        self.ca_file = self._certificate.ca_file
        self._answer = answer
        self._lock = threading.Lock()
        self._connections = 0
        self._open: list[socket.socket] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        files = self._certificate
        self._context.load_cert_chain(files.certificate_file, files.key_file)
        self._context.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Http2Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # a close alone leaves its thread in accept
        self._listener.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)
        self._certificate.close()

    def _serve(self) -> None:
        while True:
            try:
                plain, _address = self._listener.accept()
            except OSError:
                return
            self._connections += 1
            self._open.append(plain.dup())  # TLS takes the first away
            talk = threading.Thread(target=self._talk, args=(plain, self._connections), daemon=True)
            self._threads.append(talk)
            talk.start()

    def _talk(self, plain: socket.socket, number: int) -> None:
        with (
            contextlib.suppress(OSError),
            self._context.wrap_socket(plain, server_side=True) as tls,
        ):
            _Talk(tls, number, self._once).run()
            tls.shutdown(socket.SHUT_RDWR)

    def _once(self, asked: Asked) -> Sequence[bytes]:
        with self._lock:
            return self._answer(asked)


@dataclass
class _Talk:
    tls: ssl.SSLSocket
    connection: int
    answer: Callable[[Asked], Sequence[bytes]]
    bodies: dict[int, bytes] = field(default_factory=dict)
    count: int = 0

    def run(self) -> None:
        if self._read(len(_PREFACE)) != _PREFACE:
            return
        self.tls.sendall(_frame(_SETTINGS, 0, 0))
        while True:
            head = self._read(9)
            if len(head) < 9:
                return
            payload = self._read(int.from_bytes(head[:3], "big"))
            stream = int.from_bytes(head[5:], "big")
            if not self._take(head[3], head[4], stream, payload):
                return

    def _read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            more = self.tls.recv(size - len(found))
            if not more:
                return b""
            found += more
        return found

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> bool:
        if kind == _SETTINGS and not flags & _ACK:
            self.tls.sendall(_frame(_SETTINGS, _ACK, 0))
        elif kind == _PING and not flags & _ACK:
            self.tls.sendall(_frame(_PING, _ACK, 0, payload))
        if kind not in (_HEADERS, _DATA):
            return True
        body = payload if kind == _DATA else b""
        self.bodies[stream] = self.bodies.get(stream, b"") + body
        if body:
            self.tls.sendall(_frame(_WINDOW, 0, 0, len(body).to_bytes(4, "big")))
        return not flags & _END_STREAM or self._reply(stream)

    def _reply(self, stream: int) -> bool:
        self.count += 1
        asked = Asked(self.connection, self.count, stream, self.bodies.pop(stream))
        frames = self.answer(asked)
        self.tls.sendall(b"".join(frames))
        return CLOSE not in frames
