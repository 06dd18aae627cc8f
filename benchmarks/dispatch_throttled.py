"""Records per second through a service that takes 600 requests in a window, and 429s received.

    python benchmarks/dispatch_throttled.py [--records 1800] [--requests 600] [--window 2]

fieldpost knows the window (`rate`) or learns it by being told to wait; aiohttp waits as it is told,
each of its tasks for itself. The best that the window allows is shown beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fieldpost

DESTINATION = """\
name: throttled
type: webhook
event_id: {{"@path": $.messageId}}
subscriptions:
  - {{name: post, filter: all, url: "{url}", body: {{n: {{"@path": $.n}}}}}}
delivery: {{max_in_flight: 16{rate}}}
"""


class Window:
    """So many requests in any window; counts those that were too many."""

    def __init__(self, requests: int, window_s: float) -> None:
        self.refused = 0
        self._requests, self._window_s = requests, window_s
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self) -> int:
        """Seconds to wait; 0 where the request is taken."""
        with self._lock:
            now_s = time.monotonic()
            while self._recent and self._recent[0] <= now_s - self._window_s:
                self._recent.popleft()
            if len(self._recent) < self._requests:
                self._recent.append(now_s)
                return 0
            self.refused += 1
            return 1 + int(self._recent[0] + self._window_s - now_s)


@contextmanager
def service(window: Window) -> Iterator[str]:
    """The address of a service with that window."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            wait_s = window.take()
            self.send_response(429 if wait_s else 200)
            if wait_s:
                self.send_header("Retry-After", str(wait_s))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # a connection that has to be tried again comes a second late

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/in"
    finally:
        server.shutdown()
        server.server_close()


def with_fieldpost(url: str, records: int, rate: str) -> None:
    """A delivery with its ledger."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "throttled.yaml"
        file.write_text(DESTINATION.format(url=url, rate=rate))
        events = [{"type": "track", "messageId": f"m-{n}", "n": n} for n in range(records)]
        report = fieldpost.Destination.from_file(file).deliver(events, progress=False)
    if report["delivered"] != records:
        raise RuntimeError(f"{report!r}")


def with_aiohttp(url: str, records: int) -> None:
    """Sixteen tasks, each of which waits as it is told and tries again."""
    import aiohttp

    async def deliver() -> None:
        left = iter(range(records))
        async with aiohttp.ClientSession() as http:

            async def some() -> None:
                for n in left:
                    while True:
                        async with http.post(url, json={"n": n}) as answer:
                            if answer.status == 200:
                                break
                            wait_s = float(answer.headers["Retry-After"])
                        await asyncio.sleep(wait_s)

            await asyncio.gather(*(some() for _ in range(16)))

    asyncio.run(deliver())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1800)
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--window", type=float, default=2.0)
    wishes = parser.parse_args()
    known = f", rate: {json.dumps({'requests': wishes.requests, 'window_s': wishes.window})}"
    clients = {
        "fieldpost, window known": lambda url: with_fieldpost(url, wishes.records, known),
        "fieldpost, window not known": lambda url: with_fieldpost(url, wishes.records, ""),
        "aiohttp": lambda url: with_aiohttp(url, wishes.records),
    }
    windows = -(-wishes.records // wishes.requests) - 1  # that pass before the last one begins
    print(f"{wishes.requests} requests in {wishes.window:g} s, {wishes.records} records")
    print(f"{'client':28}{'records/s':>12}{'429s':>8}")
    for name, client in clients.items():
        window = Window(wishes.requests, wishes.window)
        with service(window) as url:
            began = time.perf_counter()
            client(url)
            took_s = time.perf_counter() - began
        print(f"{name:28}{wishes.records / took_s:12,.0f}{window.refused:8}")
    if windows:
        print(f"{'at most':28}{wishes.records / (windows * wishes.window):12,.0f}{0:8}")


if __name__ == "__main__":
    main()
