"""The schema as the core reads it: sets, keys, navigation, and how values of columns are written.

The form is that of cpp/src/protocol/dynamics/tables.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .conversions import Conversions
from .schema import Navigation, Schema, Table

PLAIN = Conversions()
KEY_KINDS = {"text": "text", "whole": "whole", "choice": "whole", "decimal": "number"}


def table_document(schema: Schema, table: Table) -> dict[str, Any]:
    """One table, with the conversions that count where a subscription says nothing."""
    navigation = {
        name: found
        for name, one in sorted(table.navigation.items())
        if (found := _navigation(schema, one)) is not None
    }
    elastic = {"elastic": True} if table.elastic else {}
    return {
        "set": table.entity_set,
        "key": table.key,
        "navigation": navigation,
        "columns": columns_document(table, PLAIN),
        "key_columns": _key_columns(table),
        **elastic,
    }


def _key_columns(table: Table) -> dict[str, str]:
    """The columns of alternate keys whose values have one form in an address."""
    names = sorted({name for key in table.keys.values() for name in key.columns})
    known = (table.columns[name] for name in names if name in table.columns)
    return {column.name: KEY_KINDS[column.type] for column in known if column.type in KEY_KINDS}


def _navigation(schema: Schema, one: Navigation) -> dict[str, Any] | None:
    """Where it leads; None where no table of the schema is there."""
    tables = [name for name, t in schema.tables.items() if t.entity_set and t.key]
    fitting = [name for name in tables if schema.fits(name, one.target)]
    concrete = [name for name in fitting if not _is_base(schema, name)] or fitting
    if not fitting or one.target == "crmbaseentity":
        return None
    found: dict[str, Any] = (
        {"table": concrete[0]} if len(concrete) == 1 else {"tables": sorted(concrete)}
    )
    if one.collection:
        found["collection"] = True
    if one.partner and not one.many and len(concrete) == 1:
        found["partner"] = one.partner
    return found


def _is_base(schema: Schema, name: str) -> bool:
    """Whether other tables share its columns: principal, activitypointer."""
    return any(table.base == name for table in schema.tables.values())


def columns_document(table: Table, conversions: Conversions) -> dict[str, Any]:
    """The columns whose values the core changes."""
    found = {name: conversions.document(one) for name, one in sorted(table.columns.items())}
    return {name: one for name, one in found.items() if one is not None}


def own_columns(schema: Schema, conversions: Conversions) -> dict[str, Any]:
    """By table, what a subscription has done otherwise than the tables' own documents say."""
    found: Mapping[str, dict[str, Any]] = {
        table.name: {
            name: one
            for name, one in columns_document(table, conversions).items()
            if one != PLAIN.document(table.columns[name])
        }
        for table in schema.full_tables
    }
    return {name: columns for name, columns in found.items() if columns}
