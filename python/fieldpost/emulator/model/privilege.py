"""Privileges: what roles are made of. Their names come from the schema name, with exceptions.

All activities share one set of privileges, and a few standard tables have names of their own
("Security role and privilege reference").
"""

from __future__ import annotations

import uuid

from .schema import Table

VERBS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share")
OTHERS = (
    "prvActOnBehalfOfAnotherUser",
    "prvBypassCustomBusinessLogic",
    "prvBypassCustomPlugins",
    "prvOverrideCreatedOnCreatedBy",
)
_NAMES = {
    "activitypointer": "Activity",
    "activityparty": "Activity",
    "annotation": "Note",
    "businessunit": "BusinessUnit",
    "sdkmessage": "SdkMessage",
    "sdkmessagefilter": "SdkMessageFilter",
    "systemuser": "User",
    "transactioncurrency": "TransactionCurrency",
}


def schema_name(name: str) -> str:
    """`Account`, `new_Ticket`."""
    prefix, underscore, rest = name.partition("_")
    if underscore and prefix == "new":
        return f"new_{rest[:1].upper()}{rest[1:]}"
    return name[:1].upper() + name[1:]


def privilege_name(verb: str, table: Table) -> str:
    """`prvCreateAccount`, `prvCreateActivity`, `prvCreatenew_Ticket`."""
    own = "Activity" if table.activity else _NAMES.get(table.name)
    return f"prv{verb}{own or schema_name(table.name)}"


def privilege_id(name: str) -> str:
    """The same in every environment."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))
