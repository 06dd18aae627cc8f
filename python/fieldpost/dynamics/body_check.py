"""A subscription's body against the schema, before anything is sent: every name, every literal.

What an event decides is not known here; of such values only the type is checked, where a directive
has one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from ..yaml_text import Path
from .bind_check import BindCheck
from .body_findings import BodyFindings, listed, quoted
from .body_part import Part, body_key, directive_of, items, parts
from .column_check import ColumnCheck
from .conversions import Conversions
from .schema import Column, Navigation, Schema, Table
from .state_check import StateCheck

Mode = Literal["create", "update", "upsert"]
_BIND = "@odata.bind"
_PARTY = "activityparty"  # of an activity: without a life of its own, replaced by any write


@dataclass(frozen=True)
class Place:
    """The row whose members are looked at: its table, how it is written, what it is nested by.

    parent: the property that leads back to the row around it, "" for the outermost. creates: it may
    be a row that is not there yet.
    """

    table: Table
    mode: Mode
    parent: str = ""
    creates: bool = True


class BodyCheck:
    """Checks bodies of one subscription; what it finds goes to `findings`."""

    def __init__(self, schema: Schema, findings: BodyFindings, conversions: Conversions) -> None:
        self._schema, self._found = schema, findings
        self._columns = ColumnCheck(findings, conversions)
        self._binds = BindCheck(schema, findings)
        self._states = StateCheck(findings)

    def check(
        self, table: Table, mode: Mode, body: Any, path: Path, *, creates: bool = True
    ) -> None:
        """The whole body, for a row of a table. creates: an upsert may find no row."""
        self._rows(Place(table, mode, creates=creates and mode != "update"), parts(body, path))

    def check_more(self, table: Table, document: Any, path: Path) -> None:
        """Columns that a row gets beside its body when it is created."""
        some = (dataclasses.replace(one, whole=False) for one in parts(document, path))
        self._rows(Place(table, "create"), some)

    def check_names(self, table: Table, names: Iterable[tuple[str, Path]]) -> None:
        """Names of columns, told by themselves; a lookup's is that of its property."""
        for name, path in names:
            if name not in table.columns and name not in table.navigation and not table.partial:
                self._unknown(Place(table, "update"), name, None, path)

    def check_relationship(self, table: Table, name: str, to: str, path: Path) -> None:
        """The collection by which rows are tied to rows of `to`."""
        found = table.navigation.get(name)
        if table.partial:
            return
        if found is None:
            known = [one.name for one in table.navigation.values() if one.collection]
            self._found.unknown_name(name, path, known, f"the navigation of {table.name}")
        elif not found.collection:
            told = f"{quoted(name)} leads to one row; rows are tied by a collection"
            hint = f"such as {found.partner}, of {found.target}" if found.partner else ""
            self._found.wrong("E265", told, path, hint)
        elif not self._schema.fits(to, found.target) and to in self._schema.tables:
            told = f"{quoted(name)} leads to {found.target}, not to {to}"
            self._found.wrong("E265", told, path)

    def check_untied(self, table: Table, key: Any, path: Path) -> None:
        """The row that is taken out of a collection: no address there is documented but its id."""
        if isinstance(key, dict) and not directive_of(key) and table.key not in key:
            told = "a row is taken out of a collection by its id, not by an alternate key"
            hint = f"write a business key, or {table.key}: and the id"
            self._found.wrong("E280", told, path, hint)

    def check_choice(self, table: Table, name: str, document: Any, path: Path) -> None:
        """A value for a choice of the table that stands outside of a body."""
        if name in table.columns:
            for part in parts(document, path):
                self._columns.check(table.columns[name], part)

    def check_closing(self, table: Table, state: Any, path: Path) -> None:
        """A state that a row gets without a body."""
        if "statecode" in table.columns:
            self._states.closed(table, table.columns["statecode"], state, path)

    def check_reason(self, table: Table, state: Any, status: Any, path: Path) -> None:
        """A status reason belongs to the state that goes with it."""
        self._states.reason(table, state, status, path)

    def check_key(self, table: Table, key: Any, path: Path) -> None:
        """What rows are found by: values by column are an alternate key."""
        self._found.tables.add(table.name)
        self._binds.check_key(table, key, path)

    def _rows(self, place: Place, some: Iterable[Part]) -> None:
        self._found.tables.add(place.table.name)
        for part in some:
            if part.kind == "row" and place.table.partial:
                told = f"the schema knows no columns of {quoted(place.table.name)}"
                hint = "`fieldpost schema pull` adds them"
                self._found.doubtful("E279", told, part.path, hint)
            elif part.kind == "row":
                self._row(place, part)

    def _row(self, place: Place, part: Part) -> None:
        names = []
        for written, document in part.value.items():
            name, path = body_key(written), (*part.path, written)
            names.append(name)
            self._member(place, name, document, path)
        self._state(place, part)
        if part.whole and place.mode == "create":
            self._missing(place.table, part, names)

    def _state(self, place: Place, part: Part) -> None:
        """The state that a row is given; its reason alone where it has no other word of it."""
        table = place.table
        given = {
            body_key(one): (document, (*part.path, one)) for one, document in part.value.items()
        }
        name = "statecode" if "statecode" in given else "statuscode"
        if name in given and name in table.columns:
            self._states.closed(table, table.columns[name], *given[name])
            if place.creates:
                surely = place.mode == "create"
                self._states.created(table, table.columns[name], *given[name], surely)
        if {"statecode", "statuscode"} <= given.keys():
            self._states.reason(table, given["statecode"][0], *given["statuscode"])

    def _member(self, place: Place, name: str, document: Any, path: Path) -> None:
        table = place.table
        if name.endswith(_BIND):
            self._bind(place, name.removesuffix(_BIND), document, path)
        elif "@" in name:
            return  # an annotation: the service ignores those that it does not know
        elif name in table.columns:
            self._column(place, table.columns[name], document, path)
        elif name in table.navigation:
            self._navigation(place, table.navigation[name], document, path)
        elif name in table.lookups:
            self._lookup(table, table.lookups[name], path)
        else:
            self._unknown(place, name, document, path)

    def _unknown(self, place: Place, name: str, document: Any, path: Path) -> None:
        """Rows and lists can only be meant for a navigation property, values for a column.

        Where the property is clear, what is nested is looked at as if it were right.
        """
        table = place.table
        nested = any(one.kind in ("row", "list", "bind") for one in parts(document, path))
        columns = [one for one in table.columns if not one.startswith("_")]
        others = [*table.navigation, *table.lookups]
        known = [*others, *columns] if nested else [*columns, *others]
        meant = self._found.unknown_name(name, path, known, f"the table {table.name}")
        if nested and meant in table.navigation:
            self._navigation(place, table.navigation[meant], document, path)

    # -- columns

    def _column(self, place: Place, column: Column, document: Any, path: Path) -> None:
        if column.type == "lookup":
            self._lookup(place.table, column, path)
            return
        if column.name != place.table.key:
            self._writable(place.mode, column, path)
        for part in parts(document, path):
            self._columns.check(column, part)

    def _writable(self, mode: Mode, column: Column, path: Path) -> None:
        has_effect = {
            "create": column.creatable,
            "update": column.updatable,
            "upsert": column.creatable or column.updatable,
        }[mode]
        if has_effect:
            return
        told = f"{quoted(column.attribute)} is not for writing ({mode}): the service ignores it"
        hint = "leave it out"
        if column.name == "createdon":
            hint = "write overriddencreatedon, which sets it once, on create"
        self._found.wrong("E271", told, path, hint)

    def _lookup(self, table: Table, lookup: Column, path: Path) -> None:
        """A lookup is set through a navigation property, which may have another name."""
        names = table.bindable(lookup.attribute)
        told = f"{quoted(str(path[-1]))} is a lookup, which is not written as a column"
        self._found.wrong("E264", told, path, self._binds.example(table, names))

    def _missing(self, table: Table, part: Part, names: list[str]) -> None:
        given = {one.removesuffix(_BIND) for one in names}
        for column in table.columns.values():
            set_by = [column.name, *table.bindable(column.attribute)]
            is_null = part.value.get(column.name, "") is None
            if column.required and (is_null or not given.intersection(set_by)):
                told = f"the service takes no row of {table.name} without {quoted(column.name)}"
                self._found.wrong("E272", told, part.path, f"add {column.name}")

    # -- navigation

    def _navigation(self, place: Place, navigation: Navigation, document: Any, path: Path) -> None:
        self._not_twice(place, navigation, path)
        lookup = place.table.columns.get(navigation.column)
        if lookup is not None:
            self._writable(place.mode, lookup, path)
        for part in parts(document, path):
            if navigation.collection:
                self._collection(place, navigation, part)
            else:
                self._single(place, navigation, part)

    def _not_twice(self, place: Place, navigation: Navigation, path: Path) -> None:
        """A nested row is bound to its parent by where it stands."""
        back = place.table.navigation.get(place.parent)
        if back is None or not navigation.column or navigation.column != back.column:
            return
        told = "the row is nested in its parent, which binds it already"
        self._found.doubtful("E276", told, path, f"leave {navigation.name} out")

    def _single(self, place: Place, navigation: Navigation, part: Part) -> None:
        if part.is_null:
            return
        told = f"{quoted(navigation.name)} is a lookup, which is not written as a column"
        hint = self._binds.example(place.table, [navigation.name])
        if part.kind == "unknown":
            if part.directive == "@path":
                told += ": where the event has a text there, the service refuses it"
                self._found.doubtful("E264", told, part.path, hint)
        elif part.kind == "bind":
            self._binds.check(place.table, navigation, part)
        elif part.kind == "row":
            self._nested(place, navigation, [part])
        elif part.kind == "list":
            told = f"{quoted(navigation.name)} leads to one row of {navigation.target}"
            self._found.wrong("E267", told, part.path, "write the row without a list")
        else:
            self._found.wrong("E264", told, part.path, hint)

    def _collection(self, place: Place, navigation: Navigation, part: Part) -> None:
        if part.kind == "list":
            self._nested(place, navigation, [one for item in items(part) for one in parts(*item)])
        elif part.kind != "unknown" and not part.is_null:
            told = f"{quoted(navigation.name)} is a collection of {navigation.target}"
            self._found.wrong("E267", told, part.path, "write a list of rows")

    def _nested(self, place: Place, navigation: Navigation, some: list[Part]) -> None:
        rows = [one for one in some if one.kind == "row"]
        if rows and navigation.target != _PARTY:
            self._may_nest(place, rows[0].path)
        target = self._schema.table(navigation.target)
        if target is not None:
            for row in rows:
                self._rows(
                    Place(target, _nested_mode(place, target, row), navigation.partner), [row]
                )
        for one in some:
            if one.kind == "bind":
                self._collection_bind(place, navigation, one.path)
                self._binds.check(place.table, navigation, one)
            elif one.kind not in ("row", "unknown"):
                told = f"{quoted(navigation.name)} holds rows of {navigation.target}"
                self._found.wrong("E267", told, one.path, "write an object, or a bind")

    def _may_nest(self, place: Place, path: Path) -> None:
        if place.mode == "update":
            hint = "bind a row that is there, write upsert, or make it in another subscription"
            self._found.wrong("E266", "an update takes no nested rows", path, hint)
        elif place.table.elastic:
            told = f"{place.table.name} is an elastic table, which takes no nested rows"
            self._found.wrong("E266", told, path, "make them in a subscription of their own")

    def _collection_bind(self, place: Place, navigation: Navigation, path: Path) -> None:
        if place.mode != "create" and navigation.collection:
            told = f"rows are bound to {quoted(navigation.name)} only by a create"
            self._found.wrong("E266", told, path, "use action: associate")

    def _bind(self, place: Place, name: str, document: Any, path: Path) -> None:
        table = place.table
        if name in table.navigation:
            navigation = table.navigation[name]
            self._not_twice(place, navigation, path)
            self._collection_bind(place, navigation, path)
            lookup = table.columns.get(navigation.column)
            if lookup is not None:
                self._writable(place.mode, lookup, path)
            for part in parts(document, path):
                self._binds.check_literal(table, navigation, part)
        elif name in table.lookups:
            names = table.bindable(name)
            told = f"{quoted(name)} has no navigation property of its own"
            hint = f"write {listed(f'{one}{_BIND}' for one in names)}" if names else ""
            self._found.wrong("E264", told, path, hint)
        else:
            where = f"the navigation of {table.name}"
            self._found.unknown_name(name, path, table.navigation, where)


def _nested_mode(place: Place, target: Table, row: Part) -> Mode:
    """Below an upsert, a row that brings its own id is written as it is found."""
    brings_id = target.key in map(body_key, row.value)
    return "upsert" if place.mode == "upsert" and brings_id else "create"
