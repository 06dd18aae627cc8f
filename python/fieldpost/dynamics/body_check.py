"""A subscription's body against the schema, before anything is sent: every name, every literal.

What an event decides is not known here; of such values only the type is checked, where a directive
has one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from ..yaml_text import Path
from .bind_check import BindCheck
from .body_findings import BodyFindings, listed, quoted
from .body_part import Part, body_key, directive_of, items, parts
from .column_check import ColumnCheck
from .conversions import Conversions
from .schema import Column, Navigation, Schema, Table

Mode = Literal["create", "update", "upsert"]
_BIND = "@odata.bind"


class BodyCheck:
    """Checks bodies of one subscription; what it finds goes to `findings`."""

    def __init__(
        self, schema: Schema, findings: BodyFindings, conversions: Conversions, mode: Mode
    ) -> None:
        self._schema, self._found, self._mode = schema, findings, mode
        self._columns = ColumnCheck(findings, conversions)
        self._binds = BindCheck(schema, findings)

    def check(self, table: Table, body: Any, path: Path) -> None:
        """The whole body, for a row of a table."""
        self._rows(table, parts(body, path), "")

    def check_key(self, table: Table, key: Any, path: Path) -> None:
        """What rows are found by: values by column are an alternate key."""
        if isinstance(key, dict) and not directive_of(key):
            self._binds.alternate_key(table, key, path)

    def _rows(self, table: Table, some: Iterable[Part], parent: str) -> None:
        """parent: the property that leads back to the row that this one is nested in."""
        self._found.tables.add(table.name)
        for part in some:
            if part.kind == "row" and not table.partial:
                self._row(table, part, parent)

    def _row(self, table: Table, part: Part, parent: str) -> None:
        names = []
        for written, document in part.value.items():
            name, path = body_key(written), (*part.path, written)
            names.append(name)
            self._member(table, name, document, path, parent)
        if part.whole and self._mode == "create":
            self._missing(table, part, names)

    def _member(self, table: Table, name: str, document: Any, path: Path, parent: str) -> None:
        if name.endswith(_BIND):
            self._bind(table, name.removesuffix(_BIND), document, path, parent)
        elif "@" in name:
            return  # an annotation: the service ignores those that it does not know
        elif name in table.columns:
            self._column(table, table.columns[name], document, path)
        elif name in table.navigation:
            self._navigation(table, table.navigation[name], document, path, parent)
        elif name in table.lookups:
            self._lookup(table, table.lookups[name], path)
        else:
            self._unknown(table, name, document, path)

    def _unknown(self, table: Table, name: str, document: Any, path: Path) -> None:
        """Rows and lists can only be meant for a navigation property, values for a column."""
        nested = any(one.kind in ("row", "list", "bind") for one in parts(document, path))
        kinds: list[Iterable[str]] = [table.columns, [*table.navigation, *table.lookups]]
        first, second = reversed(kinds) if nested else kinds
        known = [one for one in (*first, *second) if not one.startswith("_")]
        self._found.unknown_name(name, path, known, f"the table {table.name}")

    # -- columns

    def _column(self, table: Table, column: Column, document: Any, path: Path) -> None:
        if column.type == "lookup":
            self._lookup(table, column, path)
            return
        self._writable(table, column, path)
        for part in parts(document, path):
            self._columns.check(column, part)

    def _writable(self, table: Table, column: Column, path: Path) -> None:
        effect = {
            "create": column.creatable,
            "update": column.updatable,
            "upsert": column.creatable or column.updatable,
        }[self._mode]
        if effect:
            return
        told = f"{quoted(column.name)} cannot be written by this action: it has no effect"
        hint = "leave it out"
        if column.name == table.key:
            hint = "leave it out: the key is in the address"
        elif column.name == "createdon":
            hint = "write overriddencreatedon, which sets it once, on create"
        self._found.wrong("E271", told, path, hint)

    def _lookup(self, table: Table, lookup: Column, path: Path) -> None:
        """A lookup is set through a navigation property, which may have another name."""
        names = table.bindable(lookup.attribute)
        told = f"{quoted(str(path[-1]))} is a lookup, which is not written as a column"
        self._found.wrong("E264", told, path, self._binding(table, names) if names else "")

    def _binding(self, table: Table, names: list[str]) -> str:
        forms = []
        for name in names:
            target = table.navigation[name].target
            form = f'{name}: {{"@bind": {{"table": "{target}", "key": …}}}}'
            forms.append(form)
        return "write " + " or ".join(forms[:3]) + ("" if len(forms) < 4 else " or …")

    def _missing(self, table: Table, part: Part, names: list[str]) -> None:
        given = {one.removesuffix(_BIND) for one in names}
        for column in table.columns.values():
            set_by = [column.name, *table.bindable(column.attribute)]
            null = part.value.get(column.name, "") is None
            if column.required and (null or not given.intersection(set_by)):
                told = f"the service takes no row of {table.name} without {quoted(column.name)}"
                self._found.wrong("E272", told, part.path, f"add {column.name}")

    # -- navigation

    def _navigation(
        self, table: Table, navigation: Navigation, document: Any, path: Path, parent: str
    ) -> None:
        self._back(table, navigation.name, path, parent)
        for part in parts(document, path):
            if part.kind == "bind":
                self._settable(table, navigation, path)
                self._binds.check(table, navigation, part)
            elif navigation.collection:
                self._collection(table, navigation, part)
            else:
                self._single(table, navigation, part)

    def _back(self, table: Table, name: str, path: Path, parent: str) -> None:
        column = table.navigation[parent].column if parent in table.navigation else ""
        mine = table.navigation[name].column if name in table.navigation else ""
        if name == parent or (column and column == mine):
            told = "the row is nested in its parent, which binds it already"
            self._found.doubtful("E276", told, path, f"leave {name} out")

    def _settable(self, table: Table, navigation: Navigation, path: Path) -> None:
        lookup = table.columns.get(navigation.column)
        if lookup is not None:
            self._writable(table, lookup, path)

    def _single(self, table: Table, navigation: Navigation, part: Part) -> None:
        if part.is_null or part.kind == "unknown":
            return
        if part.kind == "row":
            self._nested(table, navigation, [part])
        elif part.kind == "list":
            told = (
                f"{quoted(navigation.name)} leads to one row of {navigation.target}, not to a list"
            )
            self._found.wrong("E267", told, part.path, "write the row without a list")
        else:
            told = f"{quoted(navigation.name)} is a lookup, which is not written as a column"
            hint = self._binding(table, [navigation.name])
            self._found.wrong("E264", told, part.path, hint)

    def _collection(self, table: Table, navigation: Navigation, part: Part) -> None:
        if part.kind == "list":
            listed_parts = [one for item in items(part) for one in parts(*item)]
            if listed_parts:
                self._nested(table, navigation, listed_parts)
        elif part.kind != "unknown":
            told = f"{quoted(navigation.name)} is a collection of {navigation.target}"
            self._found.wrong("E267", told, part.path, "write a list of rows")

    def _nested(self, table: Table, navigation: Navigation, some: list[Part]) -> None:
        if self._mode == "update" and any(one.kind == "row" for one in some):
            told = "an update takes no nested rows"
            hint = "bind a row that is there, or make the new rows in a subscription of their own"
            self._found.wrong("E266", told, some[0].path, hint)
        target = self._schema.table(navigation.target)
        if target is not None:
            self._settable(table, navigation, some[0].path)
            self._rows(target, some, navigation.partner)
            for one in some:
                if one.kind == "bind":
                    self._binds.check(table, navigation, one)
                elif one.kind in ("literal", "text", "number", "boolean", "uuid", "moment", "date"):
                    told = f"{quoted(navigation.name)} holds rows of {navigation.target}"
                    self._found.wrong("E267", told, one.path, "write an object, or a bind")

    def _bind(self, table: Table, name: str, document: Any, path: Path, parent: str) -> None:
        if name in table.navigation:
            navigation = table.navigation[name]
            self._back(table, name, path, parent)
            self._settable(table, navigation, path)
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
