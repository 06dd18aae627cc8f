"""An address of one row as a bind writes it: ``/accounts(<guid>)``, without slash, or in full."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ..model import Schema
from ..refusal import Refusal, unparsed_reference
from .key import RowKey, row_key

ENTITY = re.compile(r"(?P<segment>[^()/]+)\((?P<key>.*)\)", re.DOTALL)
ROOT = re.compile(r"(https?://[^/]+)?(/api/data/v9\.[0-2])?/?")
CONTENT_ID = re.compile(r"\$[^/()]+")


def referenced(
    address: Any, schema: Schema, base: str, contents: Mapping[str, str] | None = None
) -> RowKey:
    """The row that an address means; whether it exists is not asked here.

    `contents` are the addresses that Content-IDs of the change set stand for.
    """
    if not isinstance(address, str):
        raise unparsed_reference()
    if CONTENT_ID.fullmatch(address):
        address = content(address, contents)
    relative = unquote(ROOT.sub("", address, count=1))
    match = ENTITY.fullmatch(relative)
    table = schema.sets.get(match["segment"]) if match else None
    if match is None or table is None or "/" in match["key"]:
        raise unparsed_reference()
    return row_key(match["key"], table)


def content(reference: str, contents: Mapping[str, str] | None) -> str:
    """The address that ``$1`` stands for; raises `Refusal`."""
    found = (contents or {}).get(reference.removeprefix("$"))
    if found is None:
        message = f"Content-ID Reference: '{reference}' does not exist in the batch context."
        raise Refusal(400, "0x80060888", message)
    return found
