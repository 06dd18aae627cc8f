"""A few events of a file, read as any source is: each one line of JSON."""

from __future__ import annotations

from typing import Any

from .sources import open_source


def read_events(source: Any, limit: int | None = None) -> list[bytes]:
    """The first `limit` events of a source (default: all), each one line of JSON in UTF-8.

    source: as for `Destination.deliver`. Lines that are no event stay as they are, blank ones are
    left out. Raises SourceError where the source cannot be read so far.
    """
    found: list[bytes] = []
    for chunk in open_source(source).chunks():
        found += [line for line in bytes(chunk.lines()).split(b"\n") if line.strip()]
        if limit is not None and len(found) >= limit:
            break
    return found[:limit]
