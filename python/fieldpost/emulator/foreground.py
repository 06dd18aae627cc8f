"""Serving until told to stop, for a command line."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from .emulator import Details, Emulator

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(
    port: int = 0,
    tls: bool = False,
    database: str | Path | None = None,
    *,
    announce: Callable[[Details], None],
) -> None:
    """Call `announce` once requests are answered, then return at SIGTERM or SIGINT.

    Must be called from the main thread, which is where Python delivers signals.
    """
    told = threading.Event()

    def tell(number: int, frame: FrameType | None) -> None:
        told.set()

    # First, so that a signal that comes while the emulator starts still stops it in good order.
    before = {number: signal.signal(number, tell) for number in SIGNALS}
    try:
        with Emulator(port, tls, database) as emulator:
            announce(emulator.details())
            told.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
