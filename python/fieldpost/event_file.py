"""A few events in a small file: one JSON object, a list of them, or one a line."""

from __future__ import annotations

from . import json_text
from .errors import EventError


def events_in(content: bytes) -> list[bytes]:
    """Each event as one line of JSON; lines that are none stay as they are.

    A whole file that is one JSON object or list may be spread over lines.
    """
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        whole = json_text.read_exact(content)
    except (ValueError, EventError):
        return [line for line in content.split(b"\n") if line.strip()]
    listed = whole if isinstance(whole, list) else [whole]
    return [json_text.write_exact(one) for one in listed]
