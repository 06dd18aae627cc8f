"""Addresses of rows as authors write them: `/contacts(00000000-…)`, `contacts(new_key='a')`.

A placeholder of a template counts as a value that is not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# "Values holding these break GET, PATCH and bind even when encoded": alternate keys in the guide.
NOT_IN_A_KEY = "/\\#%&:<>*?+"
UNKNOWN = "\0"

_ROW = re.compile(
    r"(?:https?://[^/]+/api/data/v[0-9.]+/|/)?(?P<set>[A-Za-z_][A-Za-z_0-9]*)\((?P<key>.*)\)", re.S
)
_VALUE = re.compile(r"\s*([A-Za-z_][A-Za-z_0-9]*)\s*=\s*('(?:[^']|'')*'|[^',]+)\s*(?:,|\Z)", re.S)
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}", re.S)


@dataclass(frozen=True)
class RowAddress:
    """entity_set, and either the primary key or values by column; UNKNOWN for what is not known."""

    entity_set: str
    key: str = ""
    values: dict[str, str] = field(default_factory=dict)


def read_address(text: str, is_template: bool = False) -> RowAddress | None:
    """The address in a text; None where it is none."""
    if is_template:
        text = _PLACEHOLDER.sub(UNKNOWN, text)
    found = _ROW.fullmatch(text.strip())
    if not found:
        return None
    key, values, at = found["key"].strip(), dict[str, str](), 0
    while at < len(key):
        pair = _VALUE.match(key, at)
        if not pair:
            return RowAddress(found["set"], key) if not values else None
        values[pair[1]] = _unquoted(pair[2].strip())
        at = pair.end()
    return RowAddress(found["set"], "", values)


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def cannot_travel(value: object) -> bool:
    """Whether a key value breaks the address that it stands in."""
    return isinstance(value, str) and any(letter in value for letter in NOT_IN_A_KEY)
