"""What the core is told of a subscription to Dynamics 365."""

from __future__ import annotations

import re
from typing import Any

from ..action_rules import is_directive, is_value
from ..config import Subscription

# Actions that send no row.
BODYLESS = ("delete", "associate", "disassociate", "assign", "set_state", "qualify_lead")
_CLOSING = ("win_opportunity", "lose_opportunity")  # whose activity may have no columns
_PART = re.compile(r"^(\$\.subscriptions\[\d+\])\.headers\.(to\b|owner|impersonate)?")
_INSIDE = {"to": ".to.key", "owner": ".owner.key", "impersonate": ".impersonate"}


def particulars(one: Subscription) -> dict[str, Any]:
    """What an event gives beside the body, as one mapping document."""
    parts = {
        "key": one.key,
        "to": one.to.key if one.to else None,
        "owner": one.owner.key if one.owner else None,
        "status": one.status,
        "statecode": one.statecode,
        "statuscode": one.statuscode,
        "if_match": one.if_match,
        "impersonate": _who(one),
        "on_create": one.on_create,
    }
    return {name: part for name, part in parts.items() if part is not None}


def body_of(one: Subscription) -> Any:
    """What its records are mapped to; None where the author writes no body."""
    return {} if one.body is None and one.action in _CLOSING else one.body


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
    if one.owner is not None:
        told["to"] = {"table": one.owner.table, "key": _form(one.owner.key)}
    if one.make:
        told["make"] = list(one.make)
    if one.nulls == "clear":
        told["nulls"] = {"clear": True}
    elif isinstance(one.nulls, tuple):
        told["nulls"] = {"clear": list(one.nulls)}
    if one.impersonate is not None:
        told["impersonate"] = "user" if _is_user(one) else "object"
    if by_event := _by_event(one):
        told["by_event"] = by_event
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


def _by_event(one: Subscription) -> list[str]:
    """What of a request may be another one's fault with each event: who acts, owner, currency."""
    owners = [one.owner.key if one.owner else None, *_bound(one, "ownerid")]
    found = {
        "impersonate": _has_directive(_who(one)),
        "owner": any(map(_has_directive, owners)),
        "currency": any(map(_has_directive, _bound(one, "transactioncurrencyid"))),
    }
    return [name for name, value in found.items() if value]


def _bound(one: Subscription, name: str) -> list[Any]:
    """What the bodies give for a lookup; the whole of one whose members only an event tells."""
    found = []
    for body in (one.body, one.on_create):
        if is_directive(body):
            found.append(body)
        elif isinstance(body, dict):
            found += [part for key, part in body.items() if key.startswith(name)]
    return found


def _has_directive(part: Any) -> bool:
    if isinstance(part, list):
        return any(map(_has_directive, part))
    if not isinstance(part, dict):
        return False
    if is_directive(part) and "@bind" not in part:
        return True
    return any(map(_has_directive, part.values()))


def _is_user(one: Subscription) -> bool:
    return isinstance(one.impersonate, dict) and "user" in one.impersonate


def _who(one: Subscription) -> Any:
    return one.impersonate["user"] if _is_user(one) else one.impersonate
