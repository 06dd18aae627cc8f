"""One event that the command line names: from a file, or from standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import fieldpost as fp


def read(source: str, number: int) -> bytes:
    """Event `number` (from 1) of a file of lines, of a JSON list, or of a file with one event.

    Raises SourceError where the file cannot be read or has fewer.
    """
    found = _all(_content(source))
    if number > len(found):
        told = f"there are {len(found)} events, so there is no number {number}"
        raise fp.SourceError("E802", told, source)
    return found[number - 1]


def _content(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        told = f"the event cannot be read ({error.strerror})"
    raise fp.SourceError("E802", told, source)


def _all(content: bytes) -> list[bytes]:
    try:
        whole = json.loads(content)
        return [json.dumps(one).encode() for one in whole] if isinstance(whole, list) else [content]
    except (ValueError, RecursionError):
        return [line for line in content.split(b"\n") if line.strip()]
