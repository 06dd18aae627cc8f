"""Marks in a secret that come from how it was copied: blanks, quotes, an id in place of the value.

The marks are told by name; nothing of the secret itself is repeated.
"""

from __future__ import annotations

import re

BOM = "\ufeff"
ID_FOR_VALUE = "looks like the secret's id rather than its value"
_UUID = re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?\Z", re.I)
_QUOTES = ("''", '""', "``", "\u201c\u201d", "\u2018\u2019", "\u00ab\u00bb", "\u201e\u201c")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")


def is_guid(text: str) -> bool:
    """Whether a text has the form of an id of Entra: 8-4-4-4-12 digits of base 16."""
    return _UUID.match(text) is not None


def doubts_of(secret: str) -> list[str]:
    """What of a client secret can hardly be meant, each as the end of a sentence about it."""
    found = []
    if secret.startswith(BOM):
        found.append("begins with a byte order mark")
    bare = secret.strip().strip(BOM)
    if secret.strip(BOM) != secret.strip(BOM).strip():
        found.append("begins or ends with a blank or a line end")
    if len(bare) > 1 and bare[0] + bare[-1] in _QUOTES:
        found.append("stands in quotes")
    if _INVISIBLE.search(bare) or "\u00a0" in bare:
        found.append("holds an invisible character")
    if is_guid(bare.strip("'\"")):
        found.append(ID_FOR_VALUE)
    if re.match(r"[A-Z_]+=", bare):
        found.append("begins with the name of a variable")
    return found
