"""Reads `$metadata` (CSDL 4.0, XML): names, types, base types, navigation both ways, keys.

It holds no lengths, no choices and no requirement levels: those are `definitions.py`'s. Source:
https://docs.oasis-open.org/odata/odata-csdl-xml/v4.01/, and the service's own document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from xml.etree import ElementTree

from .schema import Column, ColumnType, Key, Navigation, Table

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
_ALTERNATE_KEYS = "OData.Community.Keys.V1.AlternateKeys"
_TYPES: dict[str, ColumnType] = {
    "Edm.String": "text",
    "Edm.Int32": "whole",
    "Edm.Int64": "big",
    "Edm.Decimal": "decimal",
    "Edm.Double": "float",
    "Edm.Boolean": "boolean",
    "Edm.DateTimeOffset": "moment",
    "Edm.Date": "date",
    "Edm.Guid": "id",
    "Edm.Binary": "binary",
}


class NotCsdl(ValueError):
    """The text is no CSDL document."""


def read(document: bytes) -> dict[str, Table]:
    """Every entity type as a table, what it inherits included; raises NotCsdl."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise NotCsdl(f"not XML: {error}") from None
    types = {str(one.get("Name")): one for one in root.iter(f"{_EDM}EntityType")}
    if not types:
        raise NotCsdl("no EntityType in it")
    sets = {_last(one.get("EntityType")): str(one.get("Name")) for one in _entity_sets(root)}
    keys = dict(_annotated_keys(root))
    reading = _Reading(types, sets, keys)
    return {name: _marked(reading.table(name), reading) for name in types}


def _entity_sets(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    return root.iter(f"{_EDM}EntitySet")


def _last(name: str | None) -> str:
    """`mscrm.account` and `Microsoft.Dynamics.CRM.account` are the same type."""
    return (name or "").rpartition(".")[2]


class _Reading:
    """One document while its base types are resolved."""

    def __init__(
        self,
        types: dict[str, ElementTree.Element],
        sets: dict[str, str],
        keys: dict[str, list[Key]],
    ) -> None:
        self._types, self._sets, self._keys = types, sets, keys
        self._tables: dict[str, Table] = {}

    def table(self, name: str, within: tuple[str, ...] = ()) -> Table:
        """The table of an entity type, together with what its base types give."""
        if name in self._tables:
            return self._tables[name]
        if name in within:
            raise NotCsdl(f"the type {name} is its own base")
        kind = self._types[name]
        base_name = _last(kind.get("BaseType"))
        known = base_name in self._types
        base = self.table(base_name, (*within, name)) if known else Table(base_name)
        columns = dict(base.columns) | {one.name: one for one in _columns(kind)}
        navigation = dict(base.navigation) | {one.name: one for one in _navigation(kind)}
        alternate = [*_alternate_keys(kind), *self._keys.get(name, [])]
        table = Table(
            name,
            self._sets.get(name, ""),
            _key(kind) or base.key,
            base="" if base_name == "crmbaseentity" else base_name,
            activity=base_name == "activitypointer",
            columns=columns,
            navigation=navigation,
            keys=dict(base.keys) | {key.name: key for key in alternate},
        )
        columns, navigation = _joined(table)
        self._tables[name] = replace(table, columns=columns, navigation=navigation)
        return self._tables[name]


def _key(kind: ElementTree.Element) -> str:
    reference = kind.find(f"{_EDM}Key/{_EDM}PropertyRef")
    return "" if reference is None else str(reference.get("Name"))


def _columns(kind: ElementTree.Element) -> Iterator[Column]:
    for one in kind.findall(f"{_EDM}Property"):
        name, edm = str(one.get("Name")), str(one.get("Type"))
        is_lookup = edm == "Edm.Guid" and name.startswith("_") and name.endswith("_value")
        yield Column(name, "lookup" if is_lookup else _TYPES.get(edm, "other"))


def _navigation(kind: ElementTree.Element) -> Iterator[Navigation]:
    for one in kind.findall(f"{_EDM}NavigationProperty"):
        target = str(one.get("Type"))
        collection = target.startswith("Collection(")
        constraint = one.find(f"{_EDM}ReferentialConstraint")
        yield Navigation(
            str(one.get("Name")),
            _last(target.removeprefix("Collection(").removesuffix(")")),
            collection,
            one.get("Partner") or "",
            "" if constraint is None else str(constraint.get("Property")),
        )


def _joined(table: Table) -> tuple[dict[str, Column], dict[str, Navigation]]:
    """Each single navigation property with its lookup, and each lookup with its targets."""
    lookups = table.lookups
    navigation, targets = {}, dict[str, list[str]]()
    for name, one in table.navigation.items():
        if not one.collection and not one.column:
            one = replace(one, column=_column_of(name, lookups))
        navigation[name] = one
        if one.column:
            targets.setdefault(one.column, []).append(one.target)
    columns = {
        name: replace(one, targets=tuple(dict.fromkeys(targets.get(name, ()))))
        if one.type == "lookup"
        else one
        for name, one in table.columns.items()
    }
    return columns, navigation


def _column_of(name: str, lookups: Mapping[str, Column]) -> str:
    """The lookup of a property without a constraint: subtypes of activities have those."""
    low = name.lower()
    fitting = [one for one in lookups if low == one or low.startswith(f"{one}_")]
    return f"_{max(fitting, key=len)}_value" if fitting else ""


def _marked(table: Table, reading: _Reading) -> Table:
    """With `many` where the way back is a collection, too."""
    marked = {}
    for name, one in table.navigation.items():
        if one.collection and one.partner and one.target in reading._types:
            back = reading.table(one.target).navigation.get(one.partner)
            one = replace(one, many=bool(back and back.collection))
        marked[name] = one
    return replace(table, navigation=marked)


def _alternate_keys(kind: ElementTree.Element) -> Iterator[Key]:
    for annotation in kind.findall(f"{_EDM}Annotation"):
        if annotation.get("Term") != _ALTERNATE_KEYS:
            continue
        for record in annotation.findall(f"{_EDM}Collection/{_EDM}Record"):
            paths = [one.get("PropertyPath") for one in record.iter(f"{_EDM}PropertyValue")]
            names = [_attribute(path) for path in paths if path]
            yield Key("+".join(names), tuple(names))


def _annotated_keys(root: ElementTree.Element) -> Iterator[tuple[str, list[Key]]]:
    """Keys that are declared apart from their types."""
    for one in root.iter(f"{_EDM}Annotations"):
        keys = list(_alternate_keys(one))
        if keys:
            yield _last(one.get("Target")), keys


def _attribute(path: str) -> str:
    is_lookup = path.startswith("_") and path.endswith("_value")
    return path[1:-6] if is_lookup else path
