"""Reads `EntityDefinitions` into a table: lengths, ranges, choices, levels, alternate keys.

The queries are those of "Query table definitions using the Web API"; a cast is asked for only
where the table has such columns. Only what `$metadata` names becomes a column: other attributes
cannot stand in a body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from .schema import Column, ColumnType, Key, Navigation, Table

Rows = list[dict[str, Any]]
Ask = Callable[[str], dict[str, Any]]  # path behind /api/data/v9.2/ -> the answer's JSON

_CRM = "Microsoft.Dynamics.CRM."
_INT32 = (-(2**31), 2**31 - 1)
_DEFINITION = (
    "LogicalName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,TableType,"
    "IsOptimisticConcurrencyEnabled,IsActivity"
)
_ATTRIBUTES = "LogicalName,AttributeType,AttributeTypeName,RequiredLevel,IsValidForCreate"
# By AttributeType: the type here, and the cast whose rows tell more, with what is asked of it.
_KINDS: dict[str, tuple[ColumnType, str, str]] = {
    "String": ("text", "StringAttributeMetadata", "MaxLength"),
    "Memo": ("memo", "MemoAttributeMetadata", "MaxLength"),
    "Integer": ("whole", "IntegerAttributeMetadata", "MinValue,MaxValue"),
    "BigInt": ("big", "", ""),
    "Decimal": ("decimal", "DecimalAttributeMetadata", "MinValue,MaxValue,Precision"),
    "Double": ("float", "DoubleAttributeMetadata", "MinValue,MaxValue,Precision"),
    "Money": ("money", "MoneyAttributeMetadata", "MinValue,MaxValue,Precision"),
    "Boolean": ("boolean", "", ""),
    "Picklist": ("choice", "PicklistAttributeMetadata", "DefaultFormValue"),
    "State": ("choice", "StateAttributeMetadata", ""),
    "Status": ("choice", "StatusAttributeMetadata", ""),
    "MultiSelectPicklistType": ("choices", "MultiSelectPicklistAttributeMetadata", ""),
    "DateTime": ("moment", "DateTimeAttributeMetadata", "DateTimeBehavior"),
    "Lookup": ("lookup", "LookupAttributeMetadata", "Targets"),
    "Customer": ("lookup", "LookupAttributeMetadata", "Targets"),
    "Owner": ("lookup", "LookupAttributeMetadata", "Targets"),
    "Uniqueidentifier": ("id", "", ""),
}
# Filled by the service where a create says nothing.
_FILLED = ("Owner", "State", "Status", "Boolean", "Uniqueidentifier", "EntityName")


def described(table: Table, ask: Ask) -> Table:
    """A table of `$metadata` with all that its definition adds; asks 5 to 16 times."""
    at = f"EntityDefinitions(LogicalName='{table.name}')"
    definition = ask(f"{at}?$select={_DEFINITION}")
    attributes = {
        str(row["LogicalName"]): row
        for row in _rows(ask(f"{at}/Attributes?$select={_ATTRIBUTES},IsValidForUpdate"))
    }
    for cast, select in _casts(attributes.values()):
        for row in _rows(ask(f"{at}/Attributes/{_CRM}{cast}?{select}")):
            attributes.get(str(row["LogicalName"]), {}).update(row)
    columns = {
        name: _column(one, attributes.get(one.attribute, {}), table)
        for name, one in table.columns.items()
    }
    keys = _keys(_rows(ask(f"{at}/Keys?$select=LogicalName,KeyAttributes,EntityKeyIndexStatus")))
    return replace(
        table,
        entity_set=str(definition.get("EntitySetName") or table.entity_set),
        key=str(definition.get("PrimaryIdAttribute") or table.key),
        title_column=str(definition.get("PrimaryNameAttribute") or ""),
        activity=bool(definition.get("IsActivity")),
        elastic=definition.get("TableType") == "Elastic",
        locks=bool(definition.get("IsOptimisticConcurrencyEnabled", True)),
        columns=columns,
        navigation=_navigation(table, _rows(ask(f"{at}/ManyToOneRelationships?{_RELATED}"))),
        keys=keys,
    )


_RELATED = "$select=ReferencingAttribute,ReferencingEntityNavigationPropertyName"


def _rows(answer: Mapping[str, Any]) -> Rows:
    rows = answer.get("value")
    return rows if isinstance(rows, list) else []


def _casts(attributes: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The casts to ask for, each with its query."""
    wanted: dict[str, str] = {}
    for row in attributes:
        type_, cast, names = _KINDS.get(_kind(row), ("other", "", ""))
        if cast:
            more = "&$expand=OptionSet,GlobalOptionSet" if type_ in ("choice", "choices") else ""
            wanted[cast] = f"$select=LogicalName{',' if names else ''}{names}{more}"
    return sorted(wanted.items())


def _kind(row: Mapping[str, Any]) -> str:
    """AttributeType; columns of several choices are told by AttributeTypeName only."""
    named = row.get("AttributeTypeName")
    told = str(named.get("Value")) if isinstance(named, dict) else ""
    return told if told in _KINDS else str(row.get("AttributeType"))


def _column(column: Column, row: Mapping[str, Any], table: Table) -> Column:
    if not row:
        return column
    kind = _kind(row)
    type_ = _KINDS.get(kind, (column.type, "", ""))[0]
    if column.type in ("date", "lookup", "other"):
        type_ = column.type
    choices = _choices(row)
    low, high = row.get("MinValue"), row.get("MaxValue")
    bounded = None not in (low, high) and (low, high) != _INT32
    creatable = row.get("IsValidForCreate") is not False
    return replace(
        column,
        type=type_,
        max_length=row.get("MaxLength"),
        low=low if bounded else None,
        high=high if bounded else None,
        places=row.get("Precision"),
        choices=choices,
        behavior=str((row.get("DateTimeBehavior") or {}).get("Value") or ""),
        required=creatable and column.name != table.key and _is_required(kind, row),
        creatable=creatable,
        updatable=row.get("IsValidForUpdate") is not False,
        targets=tuple(row.get("Targets") or column.targets),
        states=_states(row),
    )


def _is_required(kind: str, row: Mapping[str, Any]) -> bool:
    """Whether a create without a value is refused."""
    level = (row.get("RequiredLevel") or {}).get("Value")
    has_default = row.get("DefaultFormValue") not in (None, -1)
    return level == "SystemRequired" and kind not in _FILLED and not has_default


def _choices(row: Mapping[str, Any]) -> dict[int, str]:
    options = row.get("OptionSet") or row.get("GlobalOptionSet") or {}
    return {int(one["Value"]): _label(one) for one in options.get("Options") or ()}


def _states(row: Mapping[str, Any]) -> dict[int, int]:
    """The state of each status reason, which only the options of such a column tell."""
    options = (row.get("OptionSet") or {}).get("Options") or ()
    return {int(one["Value"]): int(one["State"]) for one in options if _is_number(one.get("State"))}


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _label(option: Mapping[str, Any]) -> str:
    label = option.get("Label") or {}
    worded = [label.get("UserLocalizedLabel"), *(label.get("LocalizedLabels") or ())]
    return next((str(one["Label"]) for one in worded if one), str(option["Value"]))


def _keys(rows: Rows) -> dict[str, Key]:
    return {
        str(row["LogicalName"]): Key(
            str(row["LogicalName"]),
            tuple(row.get("KeyAttributes") or ()),
            str(row.get("EntityKeyIndexStatus") or "Active"),
        )
        for row in rows
    }


def _navigation(table: Table, rows: Rows) -> dict[str, Navigation]:
    """With the lookup of each single property as its relationship tells it."""
    navigation = dict(table.navigation)
    for row in rows:
        name = row.get("ReferencingEntityNavigationPropertyName")
        column = f"_{row.get('ReferencingAttribute')}_value"
        if name in navigation and column in table.columns:
            navigation[name] = replace(navigation[name], column=column)
    return navigation
