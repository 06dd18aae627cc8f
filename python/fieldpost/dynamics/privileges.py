"""Which privileges an action needs, and which of them the signed-in user's roles give.

Sources: "Security concepts in Microsoft Dataverse" (a lookup needs Append on the table that holds
it and AppendTo on the one it leads to), "RetrieveUserPrivileges Function",
"SecurityPrivilegeMetadata".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .tables import Table
from .web_api import WebApi

# fieldpost reads a row before it believes that it is its own.
_OF_ACTION = {
    "create": ("Create", "Read"),
    "upsert": ("Create", "Write", "Read"),
    "update": ("Write", "Read"),
    "delete": ("Delete", "Read"),
    "associate": ("Append", "AppendTo", "Read"),
    "disassociate": ("Append", "AppendTo", "Read"),
}
_BIND = "@odata.bind"


class Need(NamedTuple):
    """A privilege: `Create` on `account`."""

    verb: str
    table: str


def needs(action: str, table: str, body: Any, tables: Mapping[str, Table]) -> list[Need]:
    """What an action with this body's document needs, each once, in the body's order.

    What a function or an event decides is not in the document, hence not in the list.
    """
    found = [Need(verb, table) for verb in _OF_ACTION.get(action, ())]
    for node in _nodes(body):
        found += _of_node(action, table, node, tables)
    return list(dict.fromkeys(found))


def _of_node(
    action: str, name: str, node: Mapping[str, Any], tables: Mapping[str, Table]
) -> Iterator[Need]:
    table = tables.get(name)
    for key, value in node.items():
        if key.removesuffix(_BIND) == "ownerid":
            yield Need("Assign", name)
        behind = table.navigation.get(key.removesuffix(_BIND)) if table else None
        target = behind.target if behind else None
        if target is None or value is None:
            continue
        many = isinstance(value, list) or "@arrayPath" in value
        yield Need("Append", target if many else name)
        yield Need("AppendTo", name if many else target)
        if not key.endswith(_BIND) and "@bind" not in value:
            yield from needs("create" if action == "create" else "upsert", target, value, tables)


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
    """The privileges of the signed-in user; raises LookupError where they cannot be asked for."""

    def __init__(self, api: WebApi, user_id: str) -> None:
        self._api = api
        path = f"systemusers({user_id})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"
        self._held = {
            str(one.get("PrivilegeId")).lower() for one in self._listed(path, "RolePrivileges")
        }

    def missing(self, wanted: Iterable[Need]) -> dict[Need, str]:
        """The names of those that no role gives. Needs on tables that are not there stay out."""
        wanted = list(wanted)
        known = self._definitions({need.table for need in wanted})
        return {
            need: known[need][0]
            for need in wanted
            if need in known and known[need][1] not in self._held
        }

    def _definitions(self, tables: Iterable[str]) -> dict[Need, tuple[str, str]]:
        """(name, id) of each privilege on these tables."""
        chosen = " or ".join(f"LogicalName eq '{name}'" for name in sorted(tables))
        path = f"EntityDefinitions?$select=LogicalName,Privileges&$filter={chosen}"
        return {
            Need(one["PrivilegeType"], row["LogicalName"]): (
                one["Name"],
                str(one["PrivilegeId"]).lower(),
            )
            for row in self._listed(path.replace(" ", "%20"), "value")
            for one in row["Privileges"]
        }

    def _listed(self, path: str, key: str) -> list[dict[str, Any]]:
        answer = self._api.get(path)
        told = answer.json()
        if answer.status != 200 or not isinstance(told, dict):
            raise LookupError(str(answer))
        return list(told.get(key, ()))
