"""Proxies on free ports that note what goes through: HTTP, with TLS or without, and SOCKS5."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import struct
import threading
from typing import Any
from urllib.parse import urlsplit

from fieldpost.emulator.certificate import Certificate
from recording_server import Answer, Received, RecordingServer

_OWN = ("connection", "proxy-connection", "transfer-encoding", "content-length")


class ForwardProxy(RecordingServer):
    """Passes requests with whole addresses on; login: the only `user:password` that it takes.

    certificate: speaks TLS itself, so its address is https://.
    """

    def __init__(self, login: str = "", certificate: Certificate | None = None) -> None:
        super().__init__(self._forward)
        self._login = "Basic " + base64.b64encode(login.encode()).decode() if login else ""
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate_file, certificate.key_file)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
            self.url = f"https://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        """The paths of what passed, without the addresses they were asked at."""
        return [urlsplit(one.path).path for one in self.requests]

    def _forward(self, received: Received) -> Answer:
        if received.headers.get("proxy-authorization", "") != self._login:
            return 407, {"Proxy-Authenticate": "Basic"}, b""
        parts = urlsplit(received.path)
        headers = {k: v for k, v in received.pairs if not k.lower().startswith("proxy-")}
        path = parts.path + (parts.query and "?" + parts.query)
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        try:
            connection.request(received.method, path, received.body or None, headers)
            answer = connection.getresponse()
            told = {k: v for k, v in answer.getheaders() if k.lower() not in _OWN}
            return answer.status, told, answer.read()
        finally:
            connection.close()


class SocksProxy:
    """SOCKS5 with a user name and a password; every name leads to this machine."""

    def __init__(self, login: str) -> None:
        self._login = login
        self.asked: list[tuple[str, int]] = []  # what clients wanted to reach
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"socks5h://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> SocksProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # a close alone leaves its thread in accept
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._take, args=(client,), daemon=True).start()

    def _take(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as sent:
            if not self._is_let_in(client, sent):
                return
            sent.read(3)
            kind = sent.read(1)[0]
            host = sent.read(sent.read(1)[0]).decode() if kind == 3 else _ip(sent)
            [port] = struct.unpack("!H", sent.read(2))
            self.asked.append((host, port))
            with socket.create_connection(("127.0.0.1", port)) as server:
                client.sendall(b"\5\0\0\1\0\0\0\0\0\0")
                threading.Thread(target=pass_on, args=(server, client), daemon=True).start()
                pass_on(client, server)

    def _is_let_in(self, client: socket.socket, sent: Any) -> bool:
        _version, count = sent.read(2)
        if 2 not in sent.read(count):
            client.sendall(b"\5\xff")
            return False
        client.sendall(b"\5\2")
        sent.read(1)
        given = [sent.read(sent.read(1)[0]) for _ in range(2)]
        good = b":".join(given) == self._login.encode()
        client.sendall(b"\1" + (b"\0" if good else b"\1"))
        return good


def _ip(sent: Any) -> str:
    return socket.inet_ntoa(sent.read(4))


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Every byte until the end."""
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
