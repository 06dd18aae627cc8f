"""An HTTP server on a free port that notes the exact bytes of every request."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Received(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    pairs: list[tuple[str, str]]
    body: bytes


Answer = tuple[int, dict[str, str], bytes]


class RecordingServer:
    """answer: what a request gets, 200 {} by default; None ends the connection without one."""

    def __init__(self, answer: Callable[[Received], Answer | None] | None = None) -> None:
        self.requests: list[Received] = []
        self.answer = answer or (lambda _: (200, {"Content-Type": "application/json"}, b"{}"))
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def take(self, received: Received) -> Answer | None:
        """Note a request, and answer it; one at a time."""
        with self._lock:
            self.requests.append(received)
            return self.answer(received)

    def __enter__(self) -> "RecordingServer":
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                pairs = [(name, value) for name, value in self.headers.items()]
                headers = {name.lower(): value for name, value in pairs}
                received = Received(self.command, self.path, headers, pairs, body)
                answer = server.take(received)
                if answer is None:
                    self.close_connection = True
                    return
                status, more, content = answer
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler
