"""Which privileges an action needs, and which of them the signed-in user's roles give.

Sources: "Security concepts in Microsoft Dataverse" (a lookup needs Append on the table that holds
it and AppendTo on the one it leads to), "RetrieveUserPrivileges Function",
"SecurityPrivilegeMetadata".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from .schema import Table
from .web_api import WebApi

# fieldpost reads a row before it believes that it is its own.
_OF_ACTION = {
    "create": ("Create", "Read"),
    "upsert": ("Create", "Write", "Read"),
    "update": ("Write", "Read"),
    "delete": ("Delete", "Read"),
    "associate": ("Read",),
    "disassociate": ("Read",),
    "assign": ("Write", "Read", "Assign"),
    "set_state": ("Write", "Read"),
    "win_opportunity": ("Write", "Read"),
    "lose_opportunity": ("Write", "Read"),
    "qualify_lead": ("Write", "Read"),
}
_CLOSED_BY = {"win_opportunity": "opportunityclose", "lose_opportunity": "opportunityclose"}
_BIND = "@odata.bind"


class Need(NamedTuple):
    """A privilege: `Create` on `account`; without a table `verb` is its whole name."""

    verb: str
    table: str


class Wanted(NamedTuple):
    """A subscription as far as it tells what it needs.

    bodies: the documents of what it writes. relationship, to: the navigation property that it
    associates by, and the table behind it. acts_for: another user; bypasses: custom logic. made:
    tables of which a message makes rows.
    """

    name: str
    action: str
    table: str
    bodies: Sequence[Any] = ()
    relationship: str = ""
    to: str = ""
    acts_for: bool = False
    bypasses: bool = False
    made: Sequence[str] = ()


def needs(wanted: Wanted, tables: Mapping[str, Table]) -> list[Need]:
    """What a subscription needs, each once, in the body's order.

    What a function or an event decides is not in the document, hence not in the list.
    """
    found = [Need(verb, wanted.table) for verb in _OF_ACTION.get(wanted.action, ())]
    if wanted.relationship:
        table = tables.get(wanted.table)
        behind = table.navigation.get(wanted.relationship) if table else None
        child = behind is not None and behind.collection and not behind.many
        ends = (wanted.to, wanted.table) if child else (wanted.table, wanted.to)
        found += _tied(*ends)
    found += [Need(name, "") for name in _special(wanted)]
    found += [Need("Create", name) for name in wanted.made]
    closing = _CLOSED_BY.get(wanted.action)
    if closing:
        found += [Need("Create", closing), *_tied(closing, wanted.table)]
    for body in wanted.bodies:
        action, name = ("create", closing) if closing else (wanted.action, wanted.table)
        found += _of_document(action, name, body, tables)
    return list(dict.fromkeys(found))


def _special(wanted: Wanted) -> Iterator[str]:
    if wanted.acts_for:
        yield "prvActOnBehalfOfAnotherUser"
    if wanted.bypasses:
        yield "prvBypassCustomBusinessLogic"


def _tied(holder: str, target: str) -> list[Need]:
    """A lookup of one table that leads to a row of another."""
    return [Need("Append", holder), Need("AppendTo", target)]


def _of_document(
    action: str, table: str, document: Any, tables: Mapping[str, Table]
) -> Iterator[Need]:
    for node in _nodes(document):
        yield from _of_node(action, table, node, tables)


def _of_node(
    action: str, name: str, node: Mapping[str, Any], tables: Mapping[str, Table]
) -> Iterator[Need]:
    table = tables.get(name)
    for key, value in node.items():
        if key.removesuffix(_BIND) == "ownerid":
            yield Need("Assign", name)
        behind = table.navigation.get(key.removesuffix(_BIND)) if table else None
        if behind is None or value is None:
            continue
        target = behind.target
        yield from _tied(target, name) if behind.collection else _tied(name, target)
        if not key.endswith(_BIND) and "@bind" not in value:
            inner = "create" if action == "create" else "upsert"
            yield from (Need(verb, target) for verb in _OF_ACTION[inner])
            yield from _of_document(inner, target, value, tables)


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects that may stand at a place: items of lists, ends of directives."""
    if isinstance(value, list):
        for item in value:
            yield from _nodes(item)
    elif isinstance(value, dict) and any(re.match(r"@[a-zA-Z]", key) for key in value):
        for argument in value.values():
            for part in argument.values() if isinstance(argument, dict) else [argument]:
                yield from _nodes(part)
    elif isinstance(value, dict):
        yield value


class Privileges:
    """The privileges of the signed-in user; raises FieldpostError where they are not told."""

    def __init__(self, api: WebApi, user_id: str) -> None:
        self._api = api
        path = f"systemusers({user_id})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"
        held = self._listed(path, "RolePrivileges")
        self._held = {str(one.get("PrivilegeId")).lower() for one in held}
        self._names = {one["PrivilegeName"] for one in held if one.get("PrivilegeName")}

    def missing(self, wanted: Iterable[Need]) -> dict[Need, str]:
        """The names of those that no role gives. Needs on tables that are not there stay out."""
        wanted = list(wanted)
        known = self._definitions({need.table for need in wanted if need.table})
        missing = {
            need: known[need][0]
            for need in wanted
            if need in known and known[need][1] not in self._held
        }
        # Older environments give no names.
        special = [need for need in wanted if not need.table and self._names]
        return missing | {need: need.verb for need in special if need.verb not in self._names}

    def _definitions(self, tables: Iterable[str]) -> dict[Need, tuple[str, str]]:
        """(name, id) of each privilege on these tables."""
        names = (name.replace("'", "''") for name in sorted(tables))
        chosen = quote(" or ".join(f"LogicalName eq '{name}'" for name in names), safe="'")
        path = f"EntityDefinitions?$select=LogicalName,Privileges&$filter={chosen}"
        return {
            Need(one["PrivilegeType"], row["LogicalName"]): (
                one["Name"],
                str(one["PrivilegeId"]).lower(),
            )
            for row in self._listed(path, "value")
            for one in row["Privileges"]
        }

    def _listed(self, path: str, key: str) -> list[dict[str, Any]]:
        return list(self._api.document(path).get(key, ()))
