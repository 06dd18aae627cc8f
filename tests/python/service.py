"""A service to deliver to: it keeps what it is sent, and answers as the test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = Callable[[Any], int]


class Service:
    """Use as a context manager. answer: body -> status; 0 cuts the connection."""

    def __init__(self, answer: Answer = lambda _body: 200) -> None:
        self.answer = answer
        self.bodies: list[Any] = []
        self.paths: list[str] = []
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                body = json.loads(raw)
                with service._lock:
                    service.bodies.append(body)
                    service.paths.append(self.path)
                status = service.answer(body)
                if status == 0:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # a connection that was cut on purpose

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Service:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def destination(self, folder: Path, more: str = "", **parts: str) -> Path:
        """A webhook destination that sends {"n": …} of each event to this service."""
        body = parts.get("body", '{n: {"@path": "$.n"}, id: {"@path": "$.messageId"}}')
        url = parts.get("url", f"'{self.url}/in'")
        path = folder / parts.get("name", "hook.yaml")
        path.write_text(
            "id: hook\nname: hook\ntype: webhook\nsubscriptions:\n"
            f"  - {{name: all, filter: 'type = \"track\"', url: {url}, body: {body}}}\n"
            f"delivery: {{{parts.get('delivery', 'retry: {wait_initial_s: 0.01}')}}}\n{more}"
        )
        return path


def events(folder: Path, count: int, name: str = "events.ndjson") -> Path:
    """Events n = 0, 1, …, each with an e-mail address."""
    path = folder / name
    lines = [
        {"type": "track", "messageId": f"m{n}", "n": n, "traits": {"email": f"user{n}@example.com"}}
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
