"""An address of one row as a bind writes it: ``/accounts(<guid>)``, without slash, or in full."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..model import Mismatch, Schema, Table
from ..model.column import guid
from ..refusal import bad_query, unparsed_reference, wrong_key

ENTITY = re.compile(r"(?P<segment>[^()/]+)\((?P<key>[^()]*)\)")


@dataclass(frozen=True, slots=True)
class Reference:
    """A row by table and id."""

    table: Table
    row_id: str


def referenced(address: Any, schema: Schema, base: str) -> Reference:
    """The row that an address means; whether it exists is not asked here."""
    if not isinstance(address, str):
        raise unparsed_reference()
    relative = address.removeprefix(base).removeprefix("/")
    match = ENTITY.fullmatch(relative)
    table = schema.sets.get(match["segment"]) if match else None
    if match is None or table is None:
        raise unparsed_reference()
    return Reference(table, row_key(match["key"], table))


def row_key(text: str, table: Table) -> str:
    """The id in the brackets: the bare GUID, or `key=GUID`. No table here has an alternate key."""
    name, equals, value = text.partition("=")
    # Users' declared key is `ownerid`, inherited, which is why the service refuses the named form.
    if equals and (name != table.key or table.name == "systemuser"):
        raise wrong_key(table.name)
    try:
        return guid(value if equals else name)
    except Mismatch:
        raise bad_query("Bad Request - Error in query syntax.") from None
