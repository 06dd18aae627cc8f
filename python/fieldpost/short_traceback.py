"""An error of ours as a notebook shows it: its text, and the line of the notebook that led there.

A traceback through the library tells nothing to whoever named a file that is not there. Plain
Python's traceback, debuggers and logs have it whole.
"""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path

from .visible_text import one_line, visible

_OURS = str(Path(__file__).parent)


def short_traceback(error: BaseException) -> list[str]:
    """Lines: the kind of error and its text, then where it was asked for, then notes."""
    kind = type(error).__name__
    told = visible(str(error)).split("\n")
    lines = [f"{kind}: {told[0]}"] if len(told) == 1 else [f"{kind}: {len(told)} mistakes", *told]
    place = _asked_at(error)
    notes = [visible(str(one)) for one in getattr(error, "__notes__", ())]
    return [*lines, *([place] if place else []), *notes]


def _asked_at(error: BaseException) -> str:
    """The innermost line that is not this library's."""
    frames = list(traceback.walk_tb(error.__traceback__))
    for frame, number in reversed(frames):
        file = frame.f_code.co_filename
        if not file.startswith(_OURS):
            written = linecache.getline(file, number, frame.f_globals).strip()
            name = "the cell" if "ipykernel" in file or file.startswith("<") else Path(file).name
            return f"  line {number} of {one_line(name)}: {one_line(written)}".rstrip(": ")
    return ""
