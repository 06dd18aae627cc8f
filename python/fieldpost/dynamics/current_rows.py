"""The rows that operations touch, as they are now and as the operations before leave them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from .operation import Operation, bound_path
from .schema import Table
from .web_api import Found, WebApi

_BIND = "@odata.bind"
_BOUND = re.compile(r"^(\w+)\((.*)\)$", re.S)
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d")


class FieldChange(NamedTuple):
    """One column, or one lookup by its navigation property, before and after; None: no value."""

    field: str
    before: Any
    after: Any

    def to_dict(self) -> dict[str, Any]:
        """As `preview --diff --output json` prints it."""
        return self._asdict()


class Effect(NamedTuple):
    """What a request would do: create, update, delete, nothing or refuse; and, if so, why."""

    effect: str
    changes: tuple[FieldChange, ...] = ()
    code: str = ""
    message: str = ""


class CurrentRows:
    """Reads rows in few requests and remembers them."""

    def __init__(self, api: WebApi, tables: Mapping[str, Table]) -> None:
        self._api = api
        self._sets = {table.entity_set: table for table in tables.values() if table.entity_set}
        self._found: dict[str, Found] = {}
        self._seen: dict[str, set[str]] = {}  # by path, what was asked of it
        self._whole: set[str] = set()  # paths of which all is known: nothing was there, or is left

    def load(self, operations: Iterable[Operation]) -> None:
        """Read what is not known yet; raises FieldpostError where they are not told."""
        wanted: dict[str, dict[str, None]] = {}
        for one in operations:
            if not one.path or one.path in self._whole:
                continue
            seen = self._seen.get(one.path)
            asked = [part for part in self._asked(one) if seen is None or part not in seen]
            if asked or seen is None:
                wanted.setdefault(one.path, {}).update(dict.fromkeys(asked))
        paths = {path: path + _query(list(parts)) for path, parts in wanted.items()}
        answers = self._api.rows(list(paths.values()))
        for path, query in paths.items():
            self._seen.setdefault(path, set()).update(wanted[path])
            self._learn(path, answers[query])

    def _learn(self, path: str, told: Found) -> None:
        """More columns of a row; what operations wrote since stays as they left it."""
        before = self._found.get(path)
        if before is not None and before.status == told.status == 200:
            told = Found(200, {**told.row, **before.row})
        if told.status == 404:
            self._whole.add(path)
        self._found[path] = told

    def _asked(self, one: Operation) -> list[str]:
        """The columns that an operation writes, and `*name(key)` for each lookup."""
        asked = []
        for name, value in one.values.items():
            if isinstance(value, list):
                continue  # rows that are tied to this one, or parties: not columns of it
            if name.endswith(_BIND):
                found = _BOUND.match(bound_path(value)) if isinstance(value, str) else None
                table = self._sets.get(found[1]) if found else None
                inside = f"($select={table.key})" if table else ""
                asked.append(f"*{name.removesuffix(_BIND)}{inside}")
            elif "@" not in name:
                asked.append(name)
        return asked

    def effect(self, operations: list[Operation]) -> Effect:
        """What one request would do, and from now on what it did is taken as done."""
        refused = self._refused(operations)
        if refused is not None:
            return refused
        done = [one for one in operations if one.kind == "create" and self._row(one) is not None]
        if done:
            return self._already(operations, done)
        told = [self._of(one) for one in operations]
        for one in operations:
            self._apply(one)
        effects = [effect for effect, _changes in told]
        changes = tuple(change for _effect, some in told for change in some)
        if "delete" in effects:
            return Effect("delete", changes)
        if effects and effects[0] == "create":
            return Effect("create", changes)
        return Effect("update" if {"create", "update"} & set(effects) else "nothing", changes)

    def _refused(self, operations: list[Operation]) -> Effect | None:
        for one in operations:
            found = self._found.get(one.path)
            if found is not None and found.status not in (200, 404):
                return Effect("refuse", (), found.code, found.message)
            if one.kind in ("update", "associate", "disassociate") and self._row(one) is None:
                told = f"{one.path} does not exist"
                return Effect("refuse", (), found.code if found else "0x80040217", told)
        return None

    def _already(self, operations: list[Operation], done: list[Operation]) -> Effect:
        """A row that only this request makes is there: it was carried out before, as a whole."""
        creates = [one for one in operations if one.kind == "create"]
        if done[0] is creates[0]:
            return Effect("nothing", (), "", f"{done[0].path} is there already")
        told = f"{done[0].path} is there already, and {creates[0].path} is not"
        return Effect("refuse", (), "0x80040237", told)

    def _row(self, one: Operation) -> dict[str, Any] | None:
        found = self._found.get(one.path)
        return found.row if found is not None and found.status == 200 else None

    def _of(self, one: Operation) -> tuple[str, list[FieldChange]]:
        row = self._row(one)
        if one.kind == "delete":
            return ("nothing" if row is None else "delete"), []
        if one.kind in ("associate", "disassociate"):
            return "update", []
        changes = []
        for name, value in one.values.items():
            field = name.removesuffix(_BIND)
            if "@" in field or isinstance(value, list):
                continue
            bind = name.endswith(_BIND)
            before = None if row is None else row.get(field)
            after: Any = bound_path(value) if bind and value is not None else value
            if bind and isinstance(before, dict):
                before = self._bound(before, after)
            if row is None or not _same(before, after):
                place = f"{one.place}.{field}" if one.place else field
                changes.append(FieldChange(place, before, after))
        if row is None:
            return "create", changes
        return ("update" if changes else "nothing"), changes

    def _bound(self, before: Mapping[str, Any], after: str | None) -> str:
        """A row behind a lookup as a bind names it."""
        for set_name, table in self._sets.items():
            if table.key in before and (after is None or after.startswith(f"{set_name}(")):
                return f"{set_name}({before[table.key]})"
        return next((str(v) for k, v in before.items() if k.endswith("id") and v), "a row")

    def _apply(self, one: Operation) -> None:
        if not one.path:
            return
        if one.kind == "delete":
            self._whole.add(one.path)
            self._found[one.path] = Found(404, {})
            return
        row = dict(self._row(one) or {})
        for name, value in one.values.items():
            field = name.removesuffix(_BIND)
            row[field] = bound_path(value) if name.endswith(_BIND) and value else value
        self._found[one.path] = Found(200, row)


def _query(parts: list[str]) -> str:
    columns = [part for part in parts if not part.startswith("*")]
    lookups = [part[1:] for part in parts if part.startswith("*")]
    options = []
    if columns:
        options.append("$select=" + ",".join(quote(name, safe="") for name in columns))
    if lookups:
        options.append("$expand=" + ",".join(quote(name, safe="($=)") for name in lookups))
    return "?" + "&".join(options) if options else ""


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, str) and isinstance(after, str):
        if _MOMENT.match(before) and _MOMENT.match(after):
            return bool(_moment(before) == _moment(after))
        return before == after or _folded(before) == _folded(after)
    if isinstance(before, bool) or isinstance(after, bool):
        return bool(before is after)
    return bool(before == after)


def _folded(text: str) -> str:
    """Ids differ in case and stay the same."""
    return re.sub(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", _lower, text)


def _lower(found: re.Match[str]) -> str:
    return found[0].lower()


def _moment(text: str) -> Any:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.timestamp() if moment.tzinfo else moment
