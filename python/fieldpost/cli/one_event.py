"""One event that the command line names: of a file, or of standard input."""

from __future__ import annotations

import fieldpost as fp

from .printing import counted


def read(source: str, number: int) -> bytes:
    """Event `number` (from 1) of any source.

    Raises SourceError where it cannot be read or has fewer.
    """
    try:
        found = fp.read_events(source, number)
    except fp.SourceError as error:
        told = f"the event cannot be read ({error.message})"
        raise fp.SourceError("E802", told, error.at, error.hint, error.position) from None
    if number > len(found):
        told = f"it holds {counted(len(found), 'event')}, so there is no number {number}"
        raise fp.SourceError("E802", told, source)
    return found[number - 1]
