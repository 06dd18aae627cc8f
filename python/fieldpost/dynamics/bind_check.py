"""Whether a bind leads where its navigation property leads, and by a key that rows can be found by.

Both forms: `{"@bind": {table, key}}`, and `x@odata.bind` with an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..nearest_name import asked, meant, named, same_but_case
from ..yaml_text import Path
from .body_findings import BodyFindings, listed, quoted
from .body_part import Part, directive_of, items, parts
from .column_check import is_uuid
from .row_address import NOT_IN_A_KEY, UNKNOWN, cannot_travel, read_address
from .schema import Navigation, Schema, Table
from .tables import OTHERS

# Users and teams in one, by table and set: their rows are bound to by the tables of their own.
_STAND_FOR_OTHERS = {"principal": "principals", "owner": "owners"}


class BindCheck:
    """Checks binds and keys of one body."""

    def __init__(self, schema: Schema, findings: BodyFindings) -> None:
        self._schema, self._found = schema, findings

    # -- {"@bind": {table, key}}

    def check(self, table: Table, navigation: Navigation, part: Part) -> None:
        """One bind at the place of a navigation property."""
        if not isinstance(part.value, dict):
            return
        name, key = part.value.get("table"), part.value.get("key")
        target = self._schema.table(navigation.target)
        if isinstance(name, str):
            target = self._table(table, navigation, name, (*part.path, "table"))
        if target is None:
            return
        self._found.tables.add(target.name)
        self.check_key(target, key, (*part.path, "key"))

    def _table(self, table: Table, navigation: Navigation, name: str, path: Path) -> Table | None:
        found = self._schema.table(name)
        if name in _STAND_FOR_OTHERS:
            names = [quoted(one.name) for one in self._behind(navigation)]
            told = f"{quoted(name)} has no rows of its own"
            self._found.wrong("E265", told, path, f"write {' or '.join(names)}" if names else "")
            return None
        if found is None:
            by_set = self._schema.sets.get(name)
            hint = asked(by_set.name if by_set else named(name, self._schema.tables))
            self._found.in_schema("E265", f"there is no table {quoted(name)}", path, hint)
        elif not self._schema.fits(name, navigation.target):
            self._elsewhere(table, navigation, found, path)
            return None
        return found

    def _elsewhere(self, table: Table, navigation: Navigation, found: Table, path: Path) -> None:
        """The property leads to another table; perhaps a sister of it leads there."""
        told = f"{quoted(navigation.name)} leads to {navigation.target}, not to {found.name}"
        sisters = [
            one.name
            for one in table.navigation.values()
            if one.column
            and one.column == navigation.column
            and self._schema.fits(found.name, one.target)
        ]
        sets = [f"/{one.entity_set}(…)" for one in self._behind(navigation)]
        hint = f"such as {' or '.join(sets)}" if sets else ""
        self._found.wrong("E265", told, path, f"write {listed(sisters)}" if sisters else hint)

    def _behind(self, navigation: Navigation) -> list[Table]:
        """The tables that it leads to: of principal, systemuser and team."""
        target = self._schema.table(navigation.target)
        heirs = [one for one in self._schema.tables.values() if one.base == navigation.target]
        some = heirs or ([] if target is None else [target])
        return [one for one in some if one.entity_set]

    # -- x@odata.bind

    def check_literal(self, table: Table, navigation: Navigation, part: Part) -> None:
        """What stands behind `x@odata.bind`."""
        if part.kind == "list" and navigation.collection:
            for document, path in items(part):
                for one in parts(document, path):
                    self._address(table, navigation, one)
        elif navigation.collection and part.kind == "literal" and not part.is_null:
            told = f"{quoted(navigation.name)} is a collection, so it is bound to a list"
            self._found.wrong("E265", told, part.path, "put the address in a list")
        else:
            self._address(table, navigation, part)

    def _address(self, table: Table, navigation: Navigation, part: Part) -> None:
        if part.is_null or part.kind == "unknown":
            return
        is_template = part.directive == "@template" and isinstance(part.value, str)
        if part.kind == "text" and not is_template:
            return
        if not isinstance(part.value, str) or part.kind not in ("literal", "text"):
            told = f"{quoted(navigation.name)} is bound to the address of a row"
            self._found.wrong("E265", told, part.path, self._example(navigation))
            return
        address = read_address(part.value, is_template)
        if address is None:
            if not is_template:
                told = f"{quoted(navigation.name)} is bound to something that is no address"
                self._found.wrong("E265", told, part.path, self._example(navigation))
            return
        found = self._set(address.entity_set, part.path)
        if found is None:
            return
        self._found.tables.add(found.name)
        if not self._schema.fits(found.name, navigation.target):
            self._elsewhere(table, navigation, found, part.path)
        elif address.values:
            self._named_key(found, address.values, part.path)
        elif UNKNOWN not in address.key and not is_uuid(address.key):
            told = f"the key of a row of {found.name} is a UUID without quotes and braces"
            self._found.wrong("E265", told, part.path, self._example(navigation))

    def _example(self, navigation: Navigation) -> str:
        forms = self._forms(navigation)
        return f"write {' or '.join(forms[:3])} at {navigation.name}"

    def example(self, table: Table, names: list[str]) -> str:
        """How a lookup is written: by each of the properties that set it."""
        forms = [
            f"{name}: {form}" for name in names for form in self._forms(table.navigation[name])
        ]
        some = " or ".join(forms[:3]) + (" or …" if len(forms) > 3 else "")
        return f"write {some}" if forms else ""

    def _forms(self, navigation: Navigation) -> list[str]:
        """A bind for each table that is behind a property; principal has no rows of its own."""
        found = []
        for one in self._behind(navigation):
            key = f'{{"{one.key}": …}}' if one.name in OTHERS else "…"
            found.append(f'{{"@bind": {{"table": "{one.name}", "key": {key}}}}}')
        return found or [f'{{"@bind": {{"table": "{navigation.target}", "key": …}}}}']

    def _set(self, name: str, path: Path) -> Table | None:
        found = self._schema.sets.get(name)
        if name in _STAND_FOR_OTHERS.values():
            told = f"{quoted(name)} are users and teams, each with a set of its own"
            self._found.wrong("E265", told, path, "write /systemusers(…) or /teams(…)")
            return None
        if found is None:
            sets = self._schema.sets
            by_name = self._schema.table(name)
            hint = asked((by_name.entity_set if by_name else "") or named(name, sets))
            told = f"there is no entity set {quoted(name)}"
            tell = self._found.wrong if same_but_case(name, sets) or by_name else None
            (tell or self._found.in_schema)("E265", told, path, hint)
        return found

    def _named_key(self, table: Table, values: dict[str, str], path: Path) -> None:
        if list(values) == [table.key]:
            return
        self._is_key(table, values, path)
        for value in values.values():
            if cannot_travel(value.replace(UNKNOWN, "")):
                self._cannot_travel(path)

    # -- keys

    def check_key(self, table: Table, key: Any, path: Path) -> None:
        """A key of any form: columns, or one value, from which an id is derived."""
        if isinstance(key, dict) and not directive_of(key):
            self.alternate_key(table, key, path)
        elif key is not None and table.key:
            self._business_key(table, key, path)

    def _business_key(self, table: Table, key: Any, path: Path) -> None:
        hint = f'write key: {{"{table.key}": …}} for the id of a row'
        is_id = isinstance(key, str) and is_uuid(key)
        if table.name in OTHERS and not is_id:
            told = (
                f"only others make rows of {table.name}, so a key of one value means a row only "
                "where it is that row's id"
            )
            found = [one for one in table.keys.values() if one.columns]
            more = [f'{{"{one.columns[0]}": …}}' for one in found if len(one.columns) == 1][:2]
            hint += f", {' or '.join(more)} for an alternate key" if more else ""
            self._found.doubtful("E125", told, path, hint)
        elif table.name not in OTHERS and (is_id or _last_name(key) == table.key):
            told = f"the key looks like the id of a row of {table.name}, and an id is made of it"
            self._found.doubtful("E126", told, path, hint)

    def alternate_key(self, table: Table, key: dict[str, Any], path: Path) -> None:
        """Values by column: a key of the table, with values that can stand in an address."""
        is_id = list(key) == [table.key]
        if not is_id:
            self._is_key(table, key, path)
        for name, document in key.items():
            for part in parts(document, (*path, name)):
                if is_id:
                    self._id(table, part)
                elif part.kind == "literal" and cannot_travel(part.value):
                    self._cannot_travel(part.path)

    def _id(self, table: Table, part: Part) -> None:
        is_other = part.kind in ("number", "boolean", "moment", "date", "row", "list", "bind")
        if is_other or (part.kind == "literal" and not part.is_null and not is_uuid(part.value)):
            told = f"the key of a row of {table.name} is a UUID of 36 characters"
            hint = "a business key is written by itself, not as a column"
            self._found.wrong("E267", told, part.path, hint)

    def _cannot_travel(self, path: Path) -> None:
        told = f"a key value with one of {' '.join(NOT_IN_A_KEY)} breaks the address"
        hint = "keep an id or a hash in the key column"
        self._found.wrong("E274", told, path, hint)

    def _is_key(self, table: Table, names: Iterable[str], path: Path) -> None:
        if table.partial:
            return
        wanted = {_attribute(one) for one in names}
        found = next((one for one in table.keys.values() if set(one.columns) == wanted), None)
        if found is None:
            known = listed(sorted(f"({', '.join(one.columns)})" for one in table.keys.values()))
            told = f"({', '.join(sorted(wanted))}) is no alternate key of {table.name}"
            hint = f"there are {known}" if known else f"{table.name} has none"
            hint = self._meant(table, wanted) or hint
            self._found.in_schema("E273", told, path, hint)
        elif not found.active:
            told = f"the index of the alternate key {quoted(found.name)} is {found.status}"
            hint = "an administrator can reactivate it; rows are found once it is Active"
            self._found.in_schema("E273", told, path, hint)

    def _meant(self, table: Table, names: set[str]) -> str:
        """For a name that is no column: the key's column that it nearly is."""
        known = [table.key, *(name for one in table.keys.values() for name in one.columns)]
        columns = {one.attribute for one in table.columns.values()}
        hints = [meant(name, known) for name in sorted(names - columns)]
        return next(filter(None, hints), "")


def _last_name(key: Any) -> str:
    """Of a path, its last step."""
    path = key.get("@path") if isinstance(key, dict) else None
    return re.split(r"\W+", path.rstrip("]'\""))[-1] if isinstance(path, str) else ""


def _attribute(name: str) -> str:
    is_lookup = name.startswith("_") and name.endswith("_value")
    return name[1:-6] if is_lookup else name
