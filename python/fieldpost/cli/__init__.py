"""The command line: reads arguments, calls the library, owns all printing."""

from .app import main

__all__ = ["main"]
