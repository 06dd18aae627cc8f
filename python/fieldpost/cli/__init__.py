"""The command line: reads arguments, calls the library, owns all printing."""

from __future__ import annotations

from typing import NoReturn

from . import streams

__all__ = ["main"]


def main() -> NoReturn:
    """The `fieldpost` command."""
    streams.take_over()  # before anything is imported that looks at them
    from .app import run

    run()
