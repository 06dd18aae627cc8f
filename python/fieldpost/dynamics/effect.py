"""What the requests of one record do to rows: tried on what is known of them, part by part, as the
service would carry them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from .current_rows import CurrentRows
from .operation import BIND, Operation, bound_paths, folded, plain_path
from .refused_value import Refusing
from .row_address import read_address
from .web_api import Found

_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d")
_NO_ROW, _NO_KEY, _TAKEN = "0x80040217", "0x80060891", "0x80040237"


class FieldChange(NamedTuple):
    """One column, or one lookup by its navigation property, before and after; None: no value."""

    field: str
    before: Any
    after: Any

    def to_dict(self) -> dict[str, Any]:
        """As `preview --diff --output json` prints it."""
        return self._asdict()


class Effect(NamedTuple):
    """What a record would do: create, update, delete, nothing or refuse; and, if so, why.

    requests: how many of those that it may take go out.
    """

    effect: str
    changes: tuple[FieldChange, ...] = ()
    code: str = ""
    message: str = ""
    requests: int = 1


def effect_of(
    rows: CurrentRows,
    requests: Sequence[Sequence[Operation]],
    record_id: str = "",
    refused: Refusing = lambda one: None,
) -> Effect:
    """Of one record; from now on what it did is taken as done.

    requests: what each of them does; one takes the place of that before it where that finds no row
    to update. record_id: the primary key of the row that the record is about, where it is known.
    refused: tells a value that the service does not take.
    """
    told = Effect("nothing")
    for number, operations in enumerate(requests, 1):
        trial = _Trial(rows, record_id, refused)
        told = trial.carried_out(operations)._replace(requests=number)
        if not trial.finds_no_row:
            break
    return told


class _Trial:
    """One request: its operations are done in their order, all or none."""

    def __init__(self, rows: CurrentRows, record_id: str, refused: Refusing) -> None:
        self._rows, self._refused = rows, refused
        self._record_id = record_id.lower()
        self._changed: dict[str, Found] = {}
        self.finds_no_row = False

    def carried_out(self, operations: Sequence[Operation]) -> Effect:
        done: list[tuple[str, list[FieldChange]]] = []
        for one in operations:
            refusal = self._refusal(one, operations)
            if refusal is not None:
                return refusal
            done.append(self._of(one))
            self._apply(one)
        self._rows.keep(self._changed)
        changes = tuple(change for _effect, some in done for change in some)
        return Effect(self._summed([effect for effect, _changes in done], operations), changes)

    def _summed(self, effects: list[str], operations: Sequence[Operation]) -> str:
        """The effect on the row itself, or that anything is written below it."""
        own = next((n for n, one in enumerate(operations) if self._is_own(one)), 0)
        if not effects or effects[own] in ("create", "delete"):
            return effects[own] if effects else "nothing"
        return "update" if {"create", "update"} & set(effects) else "nothing"

    def _is_own(self, one: Operation) -> bool:
        if self._record_id:
            return one.row_id == self._record_id
        return bool(one.path) and not one.row_id

    def _refusal(self, one: Operation, operations: Sequence[Operation]) -> Effect | None:
        """Why the service would carry out nothing of the request at this operation, if so."""
        found, row = self._found(one.path), self._row(one.path)
        if found is not None and found.status not in (200, 404):
            return Effect("refuse", (), found.code, found.message)
        value = self._refused(one)
        if value is not None:
            return Effect("refuse", (), *value)
        if one.kind in ("update", "associate", "close") and row is None:
            self.finds_no_row = one.kind == "update"
            return _missing(one.path, found)
        if one.kind == "close" and row is not None:
            return _closed(one, row)
        if one.kind == "create" and row is not None:
            return self._there_already(one, operations)
        for name, path in self._bound(one):
            bound = self._found(path)
            if bound is not None and bound.status == 404 and not self._rows.expects(path):
                return _missing(f"{path}, which {name} is bound to,", bound, path)
        return None

    def _there_already(self, one: Operation, operations: Sequence[Operation]) -> Effect:
        """The first row that only this request makes tells: it was carried out before, or not."""
        marks = [made for made in operations if made.kind == "create" and not made.conditional]
        mark = (marks or [one])[0]
        if self._rows_before(mark.path) is not None:
            return Effect("nothing", (), "", f"{plain_path(mark.path)} is there already")
        told = f"{plain_path(one.path)} is there already, and {plain_path(mark.path)} is not"
        return Effect("refuse", (), _TAKEN, told)

    def _found(self, path: str) -> Found | None:
        return self._changed.get(plain_path(path)) or self._rows.found(path)

    def _row(self, path: str) -> Mapping[str, Any] | None:
        found = self._found(path)
        return found.row if found is not None and found.status == 200 else None

    def _rows_before(self, path: str) -> Mapping[str, Any] | None:
        found = self._rows.found(path)
        return found.row if found is not None and found.status == 200 else None

    @staticmethod
    def _bound(one: Operation) -> Iterator[tuple[str, str]]:
        for name, value in one.values.items():
            if name.endswith(BIND):
                for path in bound_paths(value):
                    yield name.removesuffix(BIND), path

    def _of(self, one: Operation) -> tuple[str, list[FieldChange]]:
        row = self._row(one.path)
        if one.kind == "delete":
            return ("nothing" if row is None else "delete"), []
        if one.kind == "disassociate":
            return ("nothing" if row is None else "update"), []
        if one.kind in ("associate", "replace"):
            return "update", []
        changes = [
            FieldChange(f"{one.place}.{name}" if one.place else name, before, after)
            for name, before, after in self._written(one, row)
            if row is None or not _same(before, after)
        ]
        if row is None:
            return "create", changes
        return ("update" if changes else "nothing"), changes

    def _written(
        self, one: Operation, row: Mapping[str, Any] | None
    ) -> Iterator[tuple[str, Any, Any]]:
        """(column or lookup, before, after) of what an operation writes."""
        address = read_address(plain_path(one.path)) if row is None and one.path else None
        for name, value in (address.values if address else {}).items():
            if name not in one.values:
                yield name, None, value
        for name, value in one.values.items():
            field = name.removesuffix(BIND)
            if "@" in field or isinstance(value, list):
                continue
            before = None if row is None else row.get(field)
            if name.endswith(BIND) and value is not None:
                after = self._by_id(str(value))
                yield field, self._lookup(before, after), after
            else:
                yield field, self._lookup(before, "") if name.endswith(BIND) else before, value

    def _by_id(self, bound: str) -> str:
        """A row that a bind names, by its primary key where that is known."""
        (path,) = bound_paths(bound)
        row, table = self._row(path), self._rows.table_of(path)
        row_id = row.get(table.key) if row and table else None
        return f"{table.entity_set}({row_id})" if table and row_id else plain_path(path)

    def _lookup(self, before: Any, after: str) -> Any:
        """A row behind a lookup as a bind names it."""
        if not isinstance(before, dict):
            return before
        for table in self._rows.tables():
            if table.key in before and (not after or after.startswith(f"{table.entity_set}(")):
                return f"{table.entity_set}({before[table.key]})"
        return next((str(v) for k, v in before.items() if k.endswith("id") and v), "a row")

    def _apply(self, one: Operation) -> None:
        path = plain_path(one.path)
        if not path or one.kind in ("associate", "disassociate", "replace"):
            return
        if one.kind == "delete":
            self._changed[path] = Found(404, {})
            return
        written = self._written(one, self._row(one.path))
        row = dict(self._row(one.path) or {}) | {name: after for name, _, after in written}
        self._changed[path] = Found(200, row)


def _closed(one: Operation, row: Mapping[str, Any]) -> Effect | None:
    """A row that is closed already: so, which is well, or in another way."""
    if not row.get("statecode"):
        return None
    path = plain_path(one.path)
    if all(row.get(name) == value for name, value in one.values.items()):
        return Effect("nothing", (), "", f"{path} is closed so already")
    return Effect("refuse", (), "E423", f"{path} is closed already, in another way")


def _missing(what: str, found: Found | None, path: str = "") -> Effect:
    path = plain_path(path or what)
    code = found.code if found and found.code else ""
    told = f"{plain_path(what)} does not exist"
    return Effect("refuse", (), code or (_NO_KEY if "=" in path else _NO_ROW), told)


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, str) and isinstance(after, str):
        if _MOMENT.match(before) and _MOMENT.match(after):
            return bool(_moment(before) == _moment(after))
        return folded(before) == folded(after)
    if isinstance(before, bool) or isinstance(after, bool):
        return bool(before is after)
    return bool(before == after)


def _moment(text: str) -> Any:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.timestamp() if moment.tzinfo else moment
