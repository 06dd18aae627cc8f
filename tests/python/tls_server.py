"""HTTP/1.1 over TLS that answers 204 to everything, and notes the bodies."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from typing import BinaryIO


class TlsServer:
    def __init__(self, context: ssl.SSLContext) -> None:
        self.bodies: list[bytes] = []
        self._context = context
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> TlsServer:
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

    def _serve(self) -> None:
        while True:
            try:
                plain, _address = self._listener.accept()
            except OSError:
                return
            self._open.append(plain.dup())  # TLS takes the first away
            talk = threading.Thread(target=self._talk, args=(plain,), daemon=True)
            self._threads.append(talk)
            talk.start()

    def _talk(self, plain: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            self._context.wrap_socket(plain, server_side=True) as tls,
            tls.makefile("rb") as lines,
        ):
            while head := _head(lines):
                length = re.search(rb"(?i)content-length: *(\d+)", head)
                self.bodies.append(lines.read(int(length[1]) if length else 0))
                tls.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


def _head(lines: BinaryIO) -> bytes:
    """The lines of a request up to the empty one; nothing where the connection ended."""
    head = b""
    while line := lines.readline():
        if line == b"\r\n":
            return head
        head += line
    return b""
