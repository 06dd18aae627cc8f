"""What a request does to rows: one operation for each, read from the exact request.

A deep insert is an operation for each of its nodes, a change set or a bulk message one for each of
its members. What has no meaning here, such as a bound action, gives nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, unquote

from .schema import Table

Kind = Literal[
    "create", "upsert", "update", "delete", "associate", "disassociate", "replace", "close"
]
BIND = "@odata.bind"
_PARTITION = "partitionid"
# The state that a message leaves, and the table of the row that it is for.
_CLOSING = {"WinOpportunity": 1, "LoseOpportunity": 2}
_CLOSED_ROW = "opportunityid@odata.bind"
_BULK = {"CreateMultiple": "create", "UpsertMultiple": "upsert", "UpdateMultiple": "update"}
_API = re.compile(r"^(https?://[^/]+)?/?api/data/v[\d.]+/")
_ROW = re.compile(r"^(?P<set>\w+)\((?P<key>.*)\)$", re.S)
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Operation:
    """path: the row's address within the API, `accounts(…)`; "" where the service chooses the id.

    values: the columns as they are sent, binds among them, without nested rows. place: where in the
    body the row stands, "" for its root. conditional: a create that names the row in its address.
    close: of a message that closes an open row; values are the state, and the reason it names.
    """

    kind: Kind
    table: str
    path: str
    values: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    conditional: bool = False

    @property
    def row_id(self) -> str:
        """The primary key in the address; "" where it has another key, or none."""
        found = _ROW.match(self.path)
        return found["key"].lower() if found and _ID.fullmatch(found["key"]) else ""


class Reader:
    """Reads requests. tables: by logical name."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self._by_set = {table.entity_set: name for name, table in tables.items()}

    def operations(
        self, method: str, url: str, headers: Mapping[str, str], body: str
    ) -> list[Operation]:
        """What a request does, in order."""
        named = {name.lower(): value for name, value in headers.items()}
        return list(self._of_request(method, url, named, body))

    def _of_request(
        self, method: str, url: str, headers: Mapping[str, str], body: str
    ) -> Iterator[Operation]:
        path = _API.sub("", url).partition("?")[0]
        if path == "$batch":
            yield from self._of_parts(headers.get("content-type", ""), body)
            return
        content = _object(body)
        name, _, rest = path.partition("/")
        message = rest.removeprefix("Microsoft.Dynamics.CRM.")
        if path in _CLOSING or message == "QualifyLead":
            yield from self._of_message(name, message, content)
        elif message in _BULK and name in self._by_set:
            yield from self._of_bulk(_BULK[message], self._by_set[name], content)
        elif rest.endswith("/$ref"):
            yield from self._of_link(method, name, rest, content)
        elif rest and method == "PUT":
            yield from self._of_collection(name)
        elif not rest:
            yield from self._of_row(method, name, headers, content)

    def _of_row(
        self, method: str, path: str, headers: Mapping[str, str], content: dict[str, Any]
    ) -> Iterator[Operation]:
        if method == "POST" and path in self._by_set:
            yield from self._nodes(self._by_set[path], content, "")
            return
        table = self._table_of(path)
        if table is None:
            return
        if method == "DELETE":
            yield Operation("delete", table, path)
        elif method == "PATCH":
            kind: Kind = "upsert"
            if headers.get("if-none-match") == "*":
                kind = "create"
            elif "if-match" in headers:
                kind = "update"
            values = self._flat(table, content)
            yield Operation(kind, table, path, values, conditional=kind == "create")

    def _of_message(
        self, path: str, message: str, content: Mapping[str, Any]
    ) -> Iterator[Operation]:
        closing = content.get("OpportunityClose")
        if path in _CLOSING and isinstance(closing, dict):
            path, state = str(closing.get(_CLOSED_ROW, "")).lstrip("/"), _CLOSING[path]
        else:
            state = 1
        table, status = self._table_of(path), content.get("Status")
        reason = {"statuscode": status} if isinstance(status, int) and status >= 0 else {}
        if table is not None:
            yield Operation("close", table, path, {"statecode": state, **reason})

    def _of_link(
        self, method: str, path: str, link: str, content: Mapping[str, Any]
    ) -> Iterator[Operation]:
        table = self._table_of(path)
        if table is not None and method == "DELETE":
            yield Operation("disassociate", table, path)
        elif table is not None:
            to = {link.removesuffix("/$ref") + BIND: [str(content.get("@odata.id", ""))]}
            yield Operation("associate", table, path, to)

    def _of_collection(self, path: str) -> Iterator[Operation]:
        table = self._table_of(path)
        if table is not None:
            yield Operation("replace", table, path)

    def _table_of(self, path: str) -> str | None:
        found = _ROW.match(path)
        return self._by_set.get(found["set"]) if found else None

    def _of_bulk(self, kind: str, table: str, content: dict[str, Any]) -> Iterator[Operation]:
        for target in content.get("Targets", ()):
            if kind == "create":
                yield from self._nodes(table, target, "")
                continue
            key = target.get(self._tables[table].key)
            path = (
                f"{self._tables[table].entity_set}({key})" if key else target.get("@odata.id", "")
            )
            bare = {n: v for n, v in target.items() if n not in ("@odata.id", "@odata.type")}
            yield Operation(
                "update" if kind == "update" else "upsert",
                table,
                _API.sub("", path),
                self._flat(table, bare),
            )

    def _nodes(self, table: str, node: dict[str, Any], place: str) -> Iterator[Operation]:
        """A deep insert: the row, then what hangs on it."""
        known = self._tables[table]
        key = node.get(known.key)
        path = f"{known.entity_set}({key})" if isinstance(key, str) else ""
        partition = node.get(_PARTITION) if known.elastic else None
        if path and isinstance(partition, str):
            value = quote(partition.replace("'", "''"), safe="")
            path = f"{known.entity_set}({known.key}={key},{_PARTITION}='{value}')"
        values = self._flat(table, node)
        yield Operation("create", table, path, values, place)
        for name, child in node.items():
            behind = known.navigation.get(name)
            target = behind.target if behind else ""
            if target not in self._tables:
                continue
            for index, one in enumerate(child if isinstance(child, list) else [child]):
                if isinstance(one, dict):
                    at = f"{name}[{index}]" if isinstance(child, list) else name
                    yield from self._nodes(target, one, f"{place}.{at}" if place else at)

    def _flat(self, table: str, node: Mapping[str, Any]) -> dict[str, Any]:
        known = self._tables[table]
        return {
            name: value
            for name, value in node.items()
            if name != known.key and not isinstance(value, dict) and not _holds_rows(value)
        }

    def _of_parts(self, content_type: str, body: str) -> Iterator[Operation]:
        """The members of a $batch and of the change sets in it."""
        named = re.search(r'boundary="?([^";\s]+)', content_type)
        if not named:
            return
        for part in body.split(f"--{named[1]}")[1:]:
            if part.startswith("--"):
                return
            head, _, inside = part.partition("\r\n\r\n")
            headers = _headers(head)
            kind = headers.get("content-type", "")
            if kind.startswith("multipart/"):
                yield from self._of_parts(kind, inside)
                continue
            line, _, rest = inside.partition("\r\n")
            own, _, content = rest.partition("\r\n\r\n")
            method, url, *_ = line.split(" ")
            yield from self._of_request(method, url, _headers(own), content.strip())


def _object(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _holds_rows(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _headers(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.strip().split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def bound_paths(value: Any) -> list[str]:
    """The addresses of the rows that a bind names, within the API, as they are sent."""
    values = value if isinstance(value, list) else [value]
    return [_API.sub("", one).lstrip("/") for one in values if isinstance(one, str)]


def plain_path(path: str) -> str:
    """An address in the one spelling in which addresses compare: decoded, ids in lower case."""
    return folded(unquote(path))


def folded(text: str) -> str:
    """A text with the ids in it in lower case: they differ in case and stay the same."""
    return _ID.sub(lambda found: found[0].lower(), text)
