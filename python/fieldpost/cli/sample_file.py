"""The file of one sample event, as `test-connection --sample` takes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fieldpost import SourceError

_HINT = "the file of a sample holds one event, a JSON object"


def read(path: Path) -> dict[str, Any]:
    """The event; raises SourceError (E802) where the file holds anything else."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from None
    try:
        event = json.loads(data)
    except (ValueError, RecursionError) as error:
        if not data.strip():
            raise _wrong(path, "it is empty") from None
        if _is_of_lines(data):
            raise _wrong(path, "it holds several lines, each a value of its own") from None
        raise _wrong(path, f"it is no JSON: {error}") from None
    if not isinstance(event, dict):
        raise _wrong(path, "it holds JSON that is no object")
    return event


def _is_of_lines(data: bytes) -> bool:
    lines = [line for line in data.splitlines() if line.strip()]
    try:
        return all(isinstance(json.loads(line), dict) for line in lines)
    except (ValueError, RecursionError):
        return False


def _wrong(path: Path, why: str) -> SourceError:
    return SourceError("E802", f"the sample cannot be read: {why}", str(path), _HINT)
