"""Where events come from. Each source gives chunks: bytes of whole lines in C++ memory.

open_source("exports/*.ndjson.gz")    files: a path, a pattern, or a list of them
open_source("-")                      standard input
open_source(b"{...}\\n{...}\\n")        lines in memory
open_source([{...}, {...}])           any iterable of dicts
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import SourceError
from .files import Files
from .records import Lines, Records
from .standard_input import StandardInput

if TYPE_CHECKING:
    from .._core import Chunk

__all__ = ["Source", "open_source"]


class Source(Protocol):
    """What every source offers.

    has_place: a line can be found again by source name and number (true for files only).
    """

    @property
    def name(self) -> str:
        """What the source is called in reports."""

    @property
    def has_place(self) -> bool:
        """Whether position alone identifies an event."""

    def chunks(self) -> Iterator[Chunk]:
        """The bytes, in order. What could not be read is told at the end by one SourceError."""


def open_source(source: Any) -> Source:
    """The source that a path, a pattern, bytes or an iterable of dicts stands for.

    Raises SourceError where a file is missing, a pattern matches nothing, or the kind is unknown.
    """
    if isinstance(source, str | os.PathLike):
        return _named(os.fspath(source))
    if isinstance(source, bytes | bytearray | memoryview):
        return Lines(source)
    if isinstance(source, dict):
        raise SourceError("E805", "one dict is not a source", hint="put it in a list: [event]")
    if not isinstance(source, Iterable):
        hint = "give a path, a list of paths, bytes, or an iterable of dicts"
        raise SourceError("E805", f"{type(source).__name__} is not a source", hint=hint)
    return _several(source)


def _named(path: str | bytes) -> Source:
    text = os.fsdecode(path)
    if text == "-":
        return StandardInput()
    _refuse_address(text)
    return Files([text])


def _several(source: Iterable[Any]) -> Source:
    items = iter(source)
    first = list(itertools.islice(items, 1))
    if not first or not isinstance(first[0], str | os.PathLike):
        return Records(itertools.chain(first, items))
    paths = [*first, *items]
    odd = [type(one).__name__ for one in paths if not isinstance(one, str | os.PathLike)]
    if odd:
        raise SourceError("E805", f"a list of paths that also holds {odd[0]}")
    texts = [os.fsdecode(one) for one in paths]
    if "-" in texts:
        hint = "read standard input on its own"
        raise SourceError("E805", "standard input in a list of paths", hint=hint)
    for text in texts:
        _refuse_address(text)
    return Files(texts)


def _refuse_address(text: str) -> None:
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", text)
    if scheme and not Path(text).exists():
        hint = "copy the file to this machine, or pipe it in and read -"
        told = f"{scheme[1]}:// addresses are not available in this version"
        raise SourceError("E806", told, hint=hint)
