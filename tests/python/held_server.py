"""An HTTP server that keeps its answers back until it is let go; then it answers at once."""

import threading
import time
from typing import Any

from recording_server import Answer, Received, RecordingServer


class HeldServer(RecordingServer):
    """Keeps every answer back, from the first one."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self._pace_s = 0.0
        super().__init__()

    def take(self, received: Received) -> Answer | None:
        """Note a request; answer it, or keep its answer back."""
        with self._lock:
            self.requests.append(received)
        if self._free.wait(60):
            time.sleep(self._pace_s)
        return self.answer(received)

    def let_go(self, pace_s: float = 0.0) -> None:
        """Answer what is kept back, and all that comes; each after so many seconds."""
        self._pace_s = pace_s
        self._free.set()

    def hold(self) -> None:
        """Keep answers back again."""
        self._free.clear()

    def has(self, requests: int, timeout_s: float = 60.0) -> None:
        """Wait for so many requests."""
        end_s = time.monotonic() + timeout_s
        while len(self.requests) < requests:
            assert time.monotonic() < end_s, f"{len(self.requests)} of {requests} requests came"
            time.sleep(0.01)

    def __exit__(self, *error: object) -> None:
        self.let_go()  # nobody waits for what is left
        super().__exit__(*error)


def destination(url: str, delivery: str = "{}", more: str = "") -> str:
    """A file of a webhook that takes every event."""
    return (
        "name: hook\nid: hook\ntype: webhook\n"
        f"url: {url}/in\nevent_id: {{'@path': $.messageId}}\n{more}"
        f"subscriptions: [{{name: all}}]\ndelivery: {delivery}\n"
    )


def events(count: int) -> list[dict[str, Any]]:
    """Events of their own ids."""
    return [{"messageId": f"m{i}", "type": "track"} for i in range(count)]
