"""The log of a run that is at work, as lines on standard error.

A logger that somebody has given a handler is left as it is. The report, or the error that ends the
run, tells some of it in any case: that is not told twice.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Standard error."""
        return sys.stderr


def show() -> None:
    """Where nobody watches a bar, a run tells of itself; warnings it tells in any case."""
    progress = logging.getLogger("fieldpost.progress")
    if not progress.handlers:
        progress.addHandler(_StandardError())
        progress.setLevel(logging.INFO)
        progress.propagate = False
    own = logging.getLogger("fieldpost")
    if not own.hasHandlers():
        handler = _StandardError()
        handler.setLevel(logging.WARNING)
        handler.addFilter(lambda record: not getattr(record, "in_report", False))
        own.addHandler(handler)
