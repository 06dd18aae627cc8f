"""The file of one sample event, as `test-connection --sample` takes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fieldpost as fp

_HINT = "the file of a sample holds one event, a JSON object"


def read(path: Path) -> dict[str, Any]:
    """The event; raises SourceError (E802) where the file holds anything else."""
    try:
        path.stat()
        found = fp.read_events(path, 2)
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from None
    except fp.SourceError as error:
        raise _wrong(path, error.message) from None
    if not found:
        raise _wrong(path, "it is empty")
    if len(found) > 1:
        raise _wrong(path, "it holds several lines, each a value of its own")
    try:
        event = json.loads(found[0])
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"it is no JSON: {error}") from None
    if not isinstance(event, dict):
        raise _wrong(path, "it holds JSON that is no object")
    return event


def _wrong(path: Path, why: str) -> fp.SourceError:
    return fp.SourceError("E802", f"the sample cannot be read: {why}", str(path), _HINT)
