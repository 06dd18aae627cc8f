"""The schema as rows of metadata: EntityDefinitions, their attributes and keys.

"Query table definitions using the Web API". Each definition is a plain object, as JSON has it.
"""

from __future__ import annotations

import uuid
from typing import Any

from .column import (
    BigInteger,
    Boolean,
    Choice,
    Column,
    Float,
    Guid,
    Integer,
    Lookup,
    Money,
    MultiChoice,
    Number,
    Text,
)
from .moment import Day, Moment
from .privilege import VERBS, privilege_id, privilege_name, schema_name
from .schema import AlternateKey, Schema, Table

Definition = dict[str, Any]
NAMES = uuid.UUID("5d1e0000-0000-4000-8000-0000000de000")
CRM = "#Microsoft.Dynamics.CRM."
LANGUAGE = 1033


def metadata_id(*names: str) -> str:
    """The same id for the same thing, in every environment."""
    return str(uuid.uuid5(NAMES, ".".join(names)))


def label(text: str | None) -> Definition:
    """A text in the one language there is."""
    if text is None:
        return {"LocalizedLabels": [], "UserLocalizedLabel": None}
    worded = {
        "Label": text,
        "LanguageCode": LANGUAGE,
        "IsManaged": True,
        "MetadataId": metadata_id("label", text),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [worded], "UserLocalizedLabel": worded}


def managed(value: bool) -> Definition:
    """A property that a solution may protect."""
    return {"Value": value, "CanBeChanged": True, "ManagedPropertyLogicalName": "canmodify"}


def _title(name: str) -> str:
    return name.removeprefix("new_").replace("_", " ").title()


# Properties of a table that mean nothing here, with the value that most tables have.
FALSE = (
    "AutoCreateAccessTeams AutoRouteToOwnerQueue EnforceStateTransitions EntityHelpUrlEnabled "
    "HasEmailAddresses HasFeedback IsAIRUpdated IsArchivalEnabled IsAvailableOffline IsBPFEntity "
    "IsBusinessProcessEnabled IsChildEntity IsDocumentManagementEnabled IsEnabledForCharts "
    "IsDocumentRecommendationsEnabled IsEnabledForTrace IsImportable IsInteractionCentricEnabled "
    "IsKnowledgeManagementEnabled IsMSTeamsIntegrationEnabled IsOneNoteIntegrationEnabled "
    "IsQuickCreateEnabled IsReadingPaneEnabled IsRetentionEnabled IsSLAEnabled IsSolutionAware "
    "IsStateModelAware SyncToExternalSearchIndex UsesBusinessDataLabelTable "
    "IsEnabledForExternalChannels"
)
NULL = (
    "DataSourceId EntityColor EntityHelpUrl ExternalCollectionName ExternalName IconLargeName "
    "IconMediumName IconSmallName IconVectorName MobileOfflineFilters OwnerId OwnerIdType "
    "OwningBusinessUnit RecurrenceBaseEntityLogicalName SettingOf"
)
MANAGED = (
    "CanBeInManyToMany CanBePrimaryEntityInRelationship CanBeRelatedEntityInRelationship "
    "CanChangeHierarchicalRelationship CanChangeTrackingBeEnabled CanCreateCharts CanCreateForms "
    "CanCreateViews CanEnableSyncToExternalSearchIndex CanModifyAdditionalSettings "
    "IsConnectionsEnabled IsMailMergeEnabled IsMappable IsOfflineInMobileClient "
    "IsReadOnlyInMobileClient IsRenameable IsVisibleInMobile IsVisibleInMobileClient"
)


def table_definition(schema: Schema, table: Table) -> Definition:
    """The row of EntityDefinitions, without what is expanded from it."""
    title = _title(table.name)
    return {
        **dict.fromkeys(FALSE.split(), False),
        **dict.fromkeys(NULL.split()),
        **{name: managed(True) for name in MANAGED.split()},
        "ActivityTypeMask": 0,
        "CanTriggerWorkflow": True,
        "CreatedOn": "2024-01-01T00:00:00Z",
        "ModifiedOn": "2024-01-01T00:00:00Z",
        "DaysSinceRecordLastModified": 0,
        "IntroducedVersion": "1.0",
        "ReportViewName": f"Filtered{schema_name(table.name)}",
        "MetadataId": metadata_id(table.name),
        "LogicalName": table.name,
        "SchemaName": schema_name(table.name),
        "EntitySetName": table.entity_set,
        "CollectionSchemaName": schema_name(table.entity_set),
        "LogicalCollectionName": table.entity_set,
        "PrimaryIdAttribute": table.key,
        "PrimaryNameAttribute": table.primary_name,
        "PrimaryImageAttribute": None,
        "ObjectTypeCode": table.type_code,
        "TableType": "Elastic" if table.elastic else "Standard",
        "OwnershipType": "UserOwned" if "_ownerid_value" in table.columns else "OrganizationOwned",
        "DataProviderId": None,
        "IsActivity": table.activity,
        "IsActivityParty": table.name == "activityparty",
        "IsCustomEntity": table.custom,
        "IsIntersect": False,
        "IsManaged": not table.custom,
        "IsLogicalEntity": False,
        "IsPrivate": False,
        "IsValidForAdvancedFind": not table.fixed,
        "IsOptimisticConcurrencyEnabled": table.locks_optimistically and not table.elastic,
        "ChangeTrackingEnabled": table.tracks_changes,
        "HasActivities": any(n.endswith("_Tasks") for n in table.collections),
        "HasNotes": any(n.endswith("_Annotation") for n in table.collections),
        "IsCustomizable": managed(True),
        "IsAuditEnabled": managed(False),
        "IsDuplicateDetectionEnabled": managed(True),
        "IsValidForQueue": managed(False),
        "CanCreateAttributes": managed(True),
        "DisplayName": label(title),
        "DisplayCollectionName": label(_title(table.entity_set)),
        "Description": label(f"The table {table.name}."),
        "Privileges": [
            {
                "PrivilegeType": verb,
                "Name": privilege_name(verb, table),
                "PrivilegeId": privilege_id(privilege_name(verb, table)),
                "CanBeGlobal": True,
                "CanBeDeep": True,
                "CanBeLocal": True,
                "CanBeBasic": True,
            }
            for verb in VERBS
        ],
        "HasChanged": None,
    }


def attribute_definitions(schema: Schema, table: Table) -> list[Definition]:
    """The rows of Attributes: the columns, and those that only lookups bring along."""
    found = [attribute_definition(table, column) for column in table.columns.values()]
    for lookup in table.lookups:
        found.append(_companion(table, lookup, "name", "String"))
        if lookup.several:
            found.append(_companion(table, lookup, "type", "EntityName"))
    return found


def _companion(table: Table, lookup: Lookup, suffix: str, kind: str) -> Definition:
    """`primarycontactidname`: virtual columns of a lookup, never valid for anything but reading."""
    name = lookup.attribute + suffix
    cast = "StringAttributeMetadata" if kind == "String" else "EntityNameAttributeMetadata"
    definition = _general(table, name, kind, cast, Column(name=name, read_only=True))
    definition |= {
        "AttributeOf": lookup.attribute,
        "IsLogical": True,
        "IsValidODataAttribute": False,
    }
    return definition | ({"MaxLength": 160, "Format": "Text"} if kind == "String" else {})


def attribute_definition(table: Table, column: Column) -> Definition:
    """One row of Attributes, with what its own type adds."""
    name = column.attribute if isinstance(column, Lookup) else column.name
    kind, cast = _kind(table, column)
    return _general(table, name, kind, cast, column) | _own(table, column, cast)


def _general(table: Table, name: str, kind: str, cast: str, column: Column) -> Definition:
    writable = not column.read_only or isinstance(column, Lookup)
    fixed = name in ("createdby", "modifiedby", "createdonbehalfby", "modifiedonbehalfby")
    fixed = fixed or name.startswith("owning")
    key = name == table.key
    return {
        "@odata.type": f"{CRM}{cast}",
        "MetadataId": metadata_id(table.name, name),
        "LogicalName": name,
        "SchemaName": schema_name(name),
        "EntityLogicalName": table.name,
        "AttributeType": kind,
        "AttributeTypeName": {"Value": TYPE_NAMES.get(cast, f"{kind}Type")},
        "AttributeOf": None,
        "ColumnNumber": 1,
        "DisplayName": label(_title(name)),
        "Description": label(None),
        "RequiredLevel": {
            "Value": "SystemRequired" if column.required or key else "None",
            "CanBeChanged": not key,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "IsPrimaryId": key,
        "IsPrimaryName": name == table.primary_name,
        "IsValidForCreate": writable and not fixed,
        "IsValidForUpdate": writable and not fixed and not key and name != "overriddencreatedon",
        "IsValidForRead": True,
        "IsValidForForm": True,
        "IsValidForGrid": True,
        "IsValidODataAttribute": True,
        "IsLogical": False,
        "IsCustomAttribute": name.startswith("new_"),
        "IsManaged": not name.startswith("new_"),
        "IsSecured": False,
        "IsFilterable": True,
        "IsSearchable": True,
        "IsRetrievable": True,
        "IsCustomizable": managed(True),
        "IsAuditEnabled": managed(False),
        "SourceType": 0,
        "InheritsFrom": None,
        "IsRequiredForForm": False,
        "IntroducedVersion": "1.0",
        "HasChanged": None,
    }


TYPE_NAMES = {
    "PicklistAttributeMetadata": "PicklistType",
    "MultiSelectPicklistAttributeMetadata": "MultiSelectPicklistType",
    "UniqueIdentifierAttributeMetadata": "UniqueidentifierType",
}


def _kind(table: Table, column: Column) -> tuple[str, str]:
    """AttributeType and the type that attributes of this kind are cast to."""
    if isinstance(column, Lookup):
        if column.name == "_ownerid_value":
            return "Owner", "LookupAttributeMetadata"
        customer = column.attribute in ("customerid", "parentcustomerid")
        return "Customer" if customer else "Lookup", "LookupAttributeMetadata"
    if isinstance(column, Choice):
        return {
            "statecode": ("State", "StateAttributeMetadata"),
            "statuscode": ("Status", "StatusAttributeMetadata"),
        }.get(column.name, ("Picklist", "PicklistAttributeMetadata"))
    if isinstance(column, Text) and column.memo:
        return "Memo", "MemoAttributeMetadata"
    if column.name == "activitytypecode":
        return "EntityName", "EntityNameAttributeMetadata"
    if isinstance(column, Guid):
        return "Uniqueidentifier", "UniqueIdentifierAttributeMetadata"
    for kind, attribute_type, cast in KINDS:
        if isinstance(column, kind):
            return attribute_type, f"{cast}AttributeMetadata"
    raise TypeError(f"no attribute type for {type(column).__name__}")


KINDS: list[tuple[type[Column], str, str]] = [
    (Text, "String", "String"),
    (MultiChoice, "Virtual", "MultiSelectPicklist"),
    (Integer, "Integer", "Integer"),
    (BigInteger, "BigInt", "BigInt"),
    (Boolean, "Boolean", "Boolean"),
    (Money, "Money", "Money"),
    (Number, "Decimal", "Decimal"),
    (Float, "Double", "Double"),
    (Day, "DateTime", "DateTime"),
    (Moment, "DateTime", "DateTime"),
]


def _own(table: Table, column: Column, cast: str) -> Definition:
    if isinstance(column, Text):
        email = column.name.startswith("emailaddress")
        return {
            "MaxLength": column.limit,
            "Format": "TextArea" if column.memo else "Email" if email else "Text",
            "FormatName": {"Value": "TextArea" if column.memo else "Email" if email else "Text"},
            "ImeMode": "Auto",
        }
    if isinstance(column, Integer):
        return {"MinValue": column.low, "MaxValue": column.high, "Format": "None"}
    if isinstance(column, Money):
        return {
            "MinValue": float(column.low),
            "MaxValue": float(column.high),
            "Precision": column.precision,
            "PrecisionSource": 2,
            "CalculationOf": column.name.removesuffix("_base")
            if column.name.endswith("_base")
            else None,
            "IsBaseCurrency": column.name.endswith("_base"),
        }
    if isinstance(column, Number):
        return {
            "MinValue": float(column.low),
            "MaxValue": float(column.high),
            "Precision": column.places,
        }
    if isinstance(column, Float):
        return {"MinValue": column.low, "MaxValue": column.high, "Precision": 2}
    if isinstance(column, Day | Moment):
        behavior = "DateOnly" if isinstance(column, Day) else "UserLocal"
        return {
            "Format": "DateOnly" if isinstance(column, Day) else "DateAndTime",
            "DateTimeBehavior": {"Value": behavior},
            "CanChangeDateTimeBehavior": managed(False),
        }
    if isinstance(column, Lookup):
        targets = ("systemuser", "team") if column.targets == ("principal",) else column.targets
        return {"Targets": [t for t in targets if t != "activitypointer"], "Format": "None"}
    if isinstance(column, Choice | MultiChoice | Boolean):
        return {
            "DefaultFormValue": column.default if column.default is not None else -1,
            "DefaultValue": bool(column.default) if isinstance(column, Boolean) else None,
        }
    return {}


# Choices that several tables share, by the name of their columns.
GLOBAL = (
    "budgetstatus",
    "initialcommunication",
    "need",
    "purchaseprocess",
    "purchasetimeframe",
)


def option_set(table: Table, column: Column) -> Definition | None:
    """The OptionSet of a choice; None for other columns."""
    shared = column.name in GLOBAL
    general = {
        "MetadataId": metadata_id("options", "" if shared else table.name, column.name),
        "Name": column.name if shared else f"{table.name}_{column.name}",
        "DisplayName": label(_title(column.name)),
        "Description": label(None),
        "IsGlobal": shared,
        "IsCustomOptionSet": column.name.startswith("new_"),
        "IsManaged": not column.name.startswith("new_"),
        "HasChanged": None,
    }
    if isinstance(column, Boolean):
        no, yes = _option(0, "No"), _option(1, "Yes")
        return {**general, "OptionSetType": "Boolean", "FalseOption": no, "TrueOption": yes}
    if not isinstance(column, Choice | MultiChoice):
        return None
    kinds = {"statecode": "State", "statuscode": "Status"}
    options = [_option(value, column.labels.get(value, str(value))) for value in column.options]
    if table.states and column.name == "statuscode":
        for option in options:
            option["State"] = table.states.statuses[option["Value"]]
    if table.states and column.name == "statecode":
        for option in options:
            option["DefaultStatus"] = table.states.first(option["Value"])
            option["InvariantName"] = option["Label"]["UserLocalizedLabel"]["Label"]
    return {**general, "OptionSetType": kinds.get(column.name, "Picklist"), "Options": options}


def _option(value: int, text: str) -> Definition:
    return {
        "Value": value,
        "Label": label(text),
        "Description": label(None),
        "Color": None,
        "IsManaged": True,
        "ExternalValue": "",
        "ParentValues": [],
        "MetadataId": None,
        "HasChanged": None,
    }


def key_definition(table: Table, key: AlternateKey) -> Definition:
    """A row of Keys."""
    return {
        "MetadataId": metadata_id("key", table.name, key.name),
        "LogicalName": key.name,
        "SchemaName": schema_name(key.name),
        "EntityLogicalName": table.name,
        "KeyAttributes": list(key.columns),
        "EntityKeyIndexStatus": key.status,
        "DisplayName": label(_title(key.name)),
        "IsCustomizable": managed(True),
        "IsManaged": False,
        "IntroducedVersion": "1.0",
        "IsSynchronous": False,
        "IsExportKey": False,
        "IsSecondaryKey": False,
        "AsyncJob": None,
        "HasChanged": None,
    }
