"""Which keys an action takes, and what they get wrong together: those of Dynamics 365."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from .errors import Mistake
from .yaml_text import Path, YamlText

_OPTIONS = ("impersonate", "bypass", "duplicate_detection")
_CONVERSIONS = ("choices", "date_zone", "truncate")
_NEEDED = {
    "create": ("table", "body"),
    "upsert": ("table", "key", "body"),
    "update": ("table", "key", "body"),
    "delete": ("table", "key"),
    "associate": ("table", "key", "relationship", "to"),
    "disassociate": ("table", "key", "relationship", "to"),
    "assign": ("table", "key", "owner"),
    "set_state": ("table", "key", "statecode"),
    "win_opportunity": ("key",),
    "lose_opportunity": ("key",),
    "qualify_lead": ("key", "make"),
}
_ALLOWED = {
    "create": (*_CONVERSIONS, *_OPTIONS),
    "upsert": ("nulls", "on_create", "if_match", *_CONVERSIONS, *_OPTIONS),
    "update": ("nulls", "if_match", *_CONVERSIONS, *_OPTIONS),
    "delete": ("if_match", *_OPTIONS),
    "associate": _OPTIONS,
    "disassociate": _OPTIONS,
    "assign": ("if_match", *_OPTIONS),
    "set_state": ("statuscode", "if_match", "choices", *_OPTIONS),
    "win_opportunity": ("table", "status", "body", *_CONVERSIONS, *_OPTIONS),
    "lose_opportunity": ("table", "status", "body", *_CONVERSIONS, *_OPTIONS),
    "qualify_lead": ("table", "status", "choices", *_OPTIONS),
}
# Messages of the service are for one table each.
OWN_TABLES = {
    "win_opportunity": "opportunity",
    "lose_opportunity": "opportunity",
    "qualify_lead": "lead",
}
_EXAMPLES = {
    "table": "table: account",
    "key": 'key: {"@path": "$.userId"}',
    "body": 'body: {name: {"@path": "$.properties.name"}}',
    "relationship": "relationship: contact_customer_accounts",
    "to": 'to: {table: contact, key: {"@path": "$.userId"}}',
    "owner": 'owner: {table: systemuser, key: {systemuserid: {"@path": "$.sellerId"}}}',
    "statecode": "statecode: 1",
    "make": "make: [account, contact, opportunity]",
}
# What some action of this type takes, beside the webhook's.
KEYS = (
    *("key", "to", "relationship", "nulls", "on_create", "if_match"),
    *("owner", "statecode", "statuscode", "status", "make"),
    *_CONVERSIONS,
    *_OPTIONS,
)
ACTIONS = tuple(_NEEDED)
_OTHERS = ("table", "body", "url", "method", "headers", "batch", "success", "message", *KEYS)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VERSION = re.compile(r'\*|(W/)?"[^"]*"', re.ASCII)


def is_directive(document: Any) -> bool:
    """Whether a document is one directive."""
    return isinstance(document, dict) and any(
        str(key).startswith("@") and not str(key).startswith("@@") for key in document
    )


def is_value(key: Any) -> bool:
    """Whether a key is one value, else an object of columns."""
    return not isinstance(key, dict) or is_directive(key)


def table_of(one: Mapping[str, Any]) -> Any:
    """The table that a subscription names, or that its action is for."""
    action = one.get("action")
    return one.get("table") or (OWN_TABLES.get(action) if isinstance(action, str) else None)


class ActionRules:
    """One subscription of type dynamics365."""

    def __init__(self, one: Mapping[str, Any], path: Path, places: YamlText) -> None:
        self.one, self.path, self.places = one, path, places
        self.action = str(one["action"])

    def mistakes(self) -> Iterator[Mistake]:
        """What is missing, what does not apply, and what does not go together."""
        needed = _NEEDED[self.action]
        for key in needed:
            if self.one.get(key) is None:
                told = f"the key {json.dumps(key)} is missing"
                yield self._at("E111", told, (key,), f"such as {_EXAMPLES[key]}")
        for key in _OTHERS:
            if key in self.one and key not in (*needed, *_ALLOWED[self.action]):
                told = f"the action {self.action} does not use {json.dumps(key)}"
                yield self._at("E115", told, (key,), "remove it")
        yield from self._own_table()
        yield from self._keys()
        yield from self._together()
        yield from self._impersonated()
        version = self.one.get("if_match")
        if isinstance(version, str) and not _VERSION.fullmatch(version):
            hint = """an ETag as the service writes it, such as 'W/"123"', or "*\""""
            yield self._at("E113", "expected a version of the row", ("if_match",), hint)

    def _own_table(self) -> Iterator[Mistake]:
        own, given = OWN_TABLES.get(self.action), self.one.get("table")
        if own and isinstance(given, str) and given != own:
            told = f"the action {self.action} is for the table {own}"
            yield self._at("E115", told, ("table",), "leave table out")

    def _keys(self) -> Iterator[Mistake]:
        yield from self._key(self.one.get("key"), ("key",))
        for name in ("to", "owner"):
            other = self.one.get(name)
            if isinstance(other, dict):
                yield from self._key(other.get("key"), (name, "key"))
        relationship = self.one.get("relationship")
        if isinstance(relationship, str) and not _NAME.fullmatch(relationship):
            hint = f"such as {_EXAMPLES['relationship']}"
            yield self._at("E113", "not the name of a property", ("relationship",), hint)

    def _key(self, key: Any, place: Path) -> Iterator[Mistake]:
        if isinstance(key, list):
            yield self._at("E112", "expected one value or columns, found a list", place, "")
        if is_value(key):
            return
        if not key:
            yield self._at("E113", "expected at least one column", place, "")
        for column in key:
            if not _NAME.fullmatch(str(column)):
                hint = "write its name as the service does; a lookup is _name_value"
                yield self._at("E113", "not the name of a column", (*place, column), hint)

    def _together(self) -> Iterator[Mistake]:
        on_create, body = self.one.get("on_create"), self.one.get("body")
        if not isinstance(on_create, dict):
            return
        if self.one.get("if_match") is not None:
            told = "if_match never creates a row, so nothing is for its creation"
            yield self._at("E115", told, ("on_create",), "keep one of the two")
        for column in on_create:
            if isinstance(body, dict) and column in body:
                told = "the body gives this column already"
                yield self._at("E114", told, ("on_create", column), "keep one of the two")

    def _impersonated(self) -> Iterator[Mistake]:
        who = self.one.get("impersonate")
        place: Path = ("impersonate",)
        if isinstance(who, dict) and not is_directive(who):
            if set(who) != {"user"}:
                hint = "write the object id in Microsoft Entra ID, or {user: systemuserid}"
                yield self._at("E113", "expected who acts", place, hint)
                return
            who, place = who["user"], ("impersonate", "user")
        if who is not None and not is_directive(who) and not _is_uuid(who):
            yield self._at("E113", "expected the id of a user, or a directive", place, "")

    def _at(self, code: str, message: str, place: Path, hint: str) -> Mistake:
        return self.places.mistake(code, message, (*self.path, *place), hint)


def _is_uuid(value: Any) -> bool:
    try:
        return str(uuid.UUID(value)) == str(value).lower()
    except (AttributeError, TypeError, ValueError):
        return False
