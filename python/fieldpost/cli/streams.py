"""The standard streams of the command, which may be closed, full, or read by nobody.

Nothing that is printed changes what a run does, or its exit code: a stream that takes no more is
written to no more. A verb that only looks ends when whoever reads its results has left. Results
alone go to standard output: what functions print while a verb is at work, what the processes that
they start and C libraries write there, goes to standard error.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TextIO, cast

_results: TextIO | None = None


class ReaderLeft(Exception):
    """Whoever read standard output has gone; that is no fault."""


class _Stream(io.RawIOBase):
    """A file descriptor that is written to for as long as it takes something."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.fault: OSError | None = None
        self.ends = False  # whether a verb ends when the reader has left

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def write(self, content: object, /) -> int:
        data = memoryview(cast("bytes", content))
        if self.fault is None:
            try:
                return self._written(data)
            except OSError as fault:
                self.fault = fault
                if self.ends and fault.errno == errno.EPIPE:
                    raise ReaderLeft from None
        return len(data)

    def _written(self, data: memoryview) -> int:
        while True:
            try:
                return os.write(self._number, data)
            except BlockingIOError:  # somebody else who has it open wants it so
                select.select([], [self._number], [])


def take_over() -> None:
    """Make the process's standard output and error safe to write to; once, before all else."""
    global _results
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the least number that is free
    out = os.dup(1)
    _results = _text(out, sys.stdout, line_buffering=os.isatty(out))
    sys.stdout = _text(1, sys.stdout, line_buffering=os.isatty(1))
    sys.stderr = _text(2, sys.stderr, line_buffering=True)


def _text(number: int, before: IO[str] | None, *, line_buffering: bool) -> TextIO:
    """A stream of text in UTF-8, or in ASCII with escapes where the locale wants anything else:
    whoever reads a pipe or a log rarely knows the locale of the process that wrote it."""
    wanted = codecs.lookup(getattr(before, "encoding", None) or "utf-8").name
    encoding = "utf-8" if wanted == "utf-8" else "ascii"
    buffer = io.BufferedWriter(cast("io.RawIOBase", _Stream(number)))
    return io.TextIOWrapper(
        buffer, encoding, errors="backslashreplace", line_buffering=line_buffering
    )


def results() -> TextIO:
    """Where results go: standard output, whatever `sys.stdout` is meanwhile."""
    return sys.stdout if _results is None else _results


class Results(io.TextIOBase):
    """The stream of results at the moment, as a file that can be kept."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of what is written."""
        return results().encoding

    def write(self, text: str, /) -> int:
        """Write a text."""
        return results().write(text)

    def flush(self) -> None:
        """Let go of what is kept back."""
        results().flush()

    def isatty(self) -> bool:
        """True for a terminal."""
        return results().isatty()

    def fileno(self) -> int:
        """Its number."""
        return results().fileno()


@contextmanager
def kept_apart(*, looks: bool) -> Iterator[None]:
    """While a verb is at work: nothing but results goes to standard output.

    looks: the verb ends, by ReaderLeft, when nobody reads its results any more.
    """
    if _results is None:
        yield
        return
    _raw(_results).ends = looks
    before = sys.stdout
    before.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = before
        os.dup2(kept, 1)
        os.close(kept)


def fault() -> OSError | None:
    """Why standard output does not hold all results: it is full, say; None where nobody reads."""
    if _results is None:
        return None
    raw = _raw(_results)
    raw.ends = False
    _results.flush()
    told = raw.fault
    return None if told is None or told.errno == errno.EPIPE else told


def _raw(stream: TextIO) -> _Stream:
    return cast("_Stream", cast("io.BufferedWriter", stream.buffer).raw)
