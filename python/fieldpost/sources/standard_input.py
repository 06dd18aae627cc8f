"""Standard input: lines that somebody pipes in, plain or gzip."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import SourceError
from .stream import chunks_of, decompressed

if TYPE_CHECKING:
    from .._core import Chunk


class StandardInput:
    """What is piped in; its lines have no place of their own."""

    has_place = False
    name = "standard input"

    def chunks(self) -> Iterator[Chunk]:
        """The lines, until the end of the input."""
        faults: list[SourceError] = []
        stream = decompressed(_bytes(), self.name)
        yield from chunks_of(stream, self.name, False, faults.append)
        if faults:
            raise faults[0]


def _bytes() -> io.BufferedReader:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise SourceError("E802", "there is no standard input", "-", "give a path instead")
    return stream if hasattr(stream, "peek") else io.BufferedReader(stream)
