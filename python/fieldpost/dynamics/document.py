"""What the core is told of a subscription to Dynamics 365."""

from __future__ import annotations

import re
from typing import Any

from ..action_rules import is_value
from ..config import Subscription

# Actions that send no row.
BODYLESS = ("delete", "associate", "disassociate")
_PART = re.compile(r"^(\$\.subscriptions\[\d+\])\.headers\.(to|impersonate)?")
_INSIDE = {"to": ".to.key", "impersonate": ".impersonate"}


def particulars(one: Subscription) -> dict[str, Any]:
    """What an event gives beside the body, as one mapping document."""
    parts = {
        "key": one.key,
        "to": one.to.key if one.to else None,
        "if_match": one.if_match,
        "impersonate": _who(one),
        "on_create": one.on_create,
    }
    return {name: part for name, part in parts.items() if part is not None}


def own_path(path: str) -> str:
    """Where something of the particulars stands in the file."""
    found = _PART.match(path)
    if found is None:
        return path
    inside = _INSIDE[found[2]] if found[2] else "."
    return found[1] + inside + path[found.end() :]


def entry(one: Subscription) -> dict[str, Any]:
    """The protocol's own part, see cpp/src/protocol/dynamics/subscription.h."""
    told: dict[str, Any] = {"id": one.id, "action": one.action, "table": one.table}
    if one.action != "create":
        told["key"] = _form(one.key)
    if one.to is not None:
        told["to"] = {"table": one.to.table, "key": _form(one.to.key)}
        told["relationship"] = one.relationship
    if one.nulls == "clear":
        told["nulls"] = {"clear": True}
    elif isinstance(one.nulls, tuple):
        told["nulls"] = {"clear": list(one.nulls)}
    if one.impersonate is not None:
        told["impersonate"] = "user" if _is_user(one) else "object"
    flags = {
        "on_create": one.on_create is not None,
        "if_match": one.if_match is not None,
        "duplicate_detection": one.duplicate_detection,
    }
    told.update({name: True for name, value in flags.items() if value})
    if one.bypass:
        told["bypass"] = list(one.bypass)
    return told


def _form(key: Any) -> str:
    return "value" if is_value(key) else "columns"


def _is_user(one: Subscription) -> bool:
    return isinstance(one.impersonate, dict) and "user" in one.impersonate


def _who(one: Subscription) -> Any:
    return one.impersonate["user"] if _is_user(one) else one.impersonate
