"""The schema as `$metadata`: CSDL 4.0 in XML, in the shape of the service's own document."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from .column import Column, Lookup
from .schema import Association, Collection, Schema, Single, Table

ALIAS = "mscrm"
NAMESPACE = "Microsoft.Dynamics.CRM"
HEAD = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:Reference Uri="http://vocabularies.odata.org/OData.Community.Keys.V1.xml">
<edmx:Include Namespace="OData.Community.Keys.V1" Alias="Keys" />
<edmx:IncludeAnnotations TermNamespace="OData.Community.Keys.V1" /></edmx:Reference>
<edmx:Reference Uri="http://vocabularies.odata.org/OData.Community.Display.V1.xml">
<edmx:Include Namespace="OData.Community.Display.V1" Alias="Display" />
<edmx:IncludeAnnotations TermNamespace="OData.Community.Display.V1" /></edmx:Reference>
<edmx:DataServices>
<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="crmbaseentity" Abstract="true" />
<EntityType Name="expando" BaseType="mscrm.crmbaseentity" OpenType="true" />"""
# Functions and actions: name, binding parameter, other parameters, result.
COMPLEX = {
    "WhoAmIResponse": {"BusinessUnitId": "Guid", "UserId": "Guid", "OrganizationId": "Guid"},
    "RetrieveVersionResponse": {"Version": "String"},
    "CreateMultipleResponse": {"Ids": "Collection(Edm.Guid)"},
    "RetrieveTotalRecordCountResponse": {},
    "RetrieveCurrentOrganizationResponse": {},
    "RetrieveUserPrivilegesResponse": {},
}
FUNCTIONS = {
    "WhoAmI": ((), "mscrm.WhoAmIResponse"),
    "RetrieveVersion": ((), "mscrm.RetrieveVersionResponse"),
    "RetrieveTotalRecordCount": (
        (("EntityNames", "Collection(Edm.String)"),),
        "mscrm.RetrieveTotalRecordCountResponse",
    ),
    "RetrieveCurrentOrganization": (
        (("AccessType", "Edm.String"),),
        "mscrm.RetrieveCurrentOrganizationResponse",
    ),
}
ACTIONS = {
    "WinOpportunity": (("OpportunityClose", "mscrm.crmbaseentity"), ("Status", "Edm.Int32")),
    "LoseOpportunity": (("OpportunityClose", "mscrm.crmbaseentity"), ("Status", "Edm.Int32")),
    "Merge": (
        ("Target", "mscrm.crmbaseentity"),
        ("Subordinate", "mscrm.crmbaseentity"),
        ("UpdateContent", "mscrm.crmbaseentity"),
        ("PerformParentingChecks", "Edm.Boolean"),
    ),
}
QUALIFY = (
    ("CreateAccount", "Edm.Boolean"),
    ("CreateContact", "Edm.Boolean"),
    ("CreateOpportunity", "Edm.Boolean"),
    ("Status", "Edm.Int32"),
)


def metadata(schema: Schema) -> bytes:
    """The whole document."""
    lines = [HEAD]
    for table in _bases_first(schema):
        lines += _entity_type(schema, table)
    lines += _complex_types()
    lines += _operations(schema)
    lines.append('<EntityContainer Name="System">')
    for table in schema.tables.values():
        lines += _entity_set(schema, table)
    for name in FUNCTIONS:
        lines.append(f'<FunctionImport Name="{name}" Function="{NAMESPACE}.{name}" />')
    for name in ACTIONS:
        lines.append(f'<ActionImport Name="{name}" Action="{NAMESPACE}.{name}" />')
    lines.append("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>")
    return "\n".join(lines).encode()


def _bases_first(schema: Schema) -> Iterable[Table]:
    return sorted(schema.tables.values(), key=lambda table: table.base is not None)


def _entity_type(schema: Schema, table: Table) -> list[str]:
    base = schema.tables[table.base] if table.base else None
    lines = [f'<EntityType Name="{table.name}" BaseType="{ALIAS}.{table.base or "crmbaseentity"}">']
    if base is None:
        lines.append(f'<Key><PropertyRef Name="{table.key}" /></Key>')
    lines += [_property(c) for c in table.columns.values() if not _inherited(base, c.name)]
    navigation: list[Single | Collection | Association] = [
        *table.singles.values(),
        *table.collections.values(),
        *table.associations.values(),
    ]
    for member in navigation:
        if not _inherited(base, member.name):
            lines += _navigation(schema, table, member)
    lines += _alternate_keys(table)
    lines.append("</EntityType>")
    return lines


def _inherited(base: Table | None, name: str) -> bool:
    return base is not None and name in base.members


def _property(column: Column) -> str:
    more = {"Edm.String": ' Unicode="false"', "Edm.Decimal": ' Scale="Variable"'}
    return f'<Property Name="{column.name}" Type="{column.edm}"{more.get(column.edm, "")} />'


def _navigation(
    schema: Schema, table: Table, member: Single | Collection | Association
) -> list[str]:
    kind = f"{ALIAS}.{member.target}"
    if not isinstance(member, Single):
        partner = member.single.name if isinstance(member, Collection) else member.partner
        return [
            f'<NavigationProperty Name="{member.name}" Type="Collection({kind})" '
            f'Partner="{partner}" />'
        ]
    partner = f' Partner="{member.partner}"' if member.partner else ""
    head = f'<NavigationProperty Name="{member.name}" Type="{kind}" Nullable="false"{partner}'
    base = schema.tables[table.base] if table.base else None
    # The lookup of a subtype lies on its base type, and is constrained there only.
    if _inherited(base, member.lookup.name) or _on_subtype(schema, member):
        return [head + " />"]
    target = schema.tables[member.target]
    key = schema.tables[target.base].key if target.base else target.key
    return [
        head + ">",
        f'<ReferentialConstraint Property="{member.lookup.name}" ReferencedProperty="{key}" />',
        "</NavigationProperty>",
    ]


def _on_subtype(schema: Schema, single: Single) -> bool:
    """Whether the service leaves the constraint out: lookups that lead to activities do."""
    return schema.tables[single.target].activity


def _alternate_keys(table: Table) -> list[str]:
    active = [key for key in table.keys.values() if key.status == "Active"]
    if not active:
        return []
    lines = ['<Annotation Term="OData.Community.Keys.V1.AlternateKeys"><Collection>']
    for key in active:
        lines.append('<Record Type="OData.Community.Keys.V1.AlternateKey">')
        lines.append('<PropertyValue Property="Key"><Collection>')
        for column in key.columns:
            name = quoteattr(column if column in table.columns else f"_{column}_value")
            lines.append('<Record Type="OData.Community.Keys.V1.PropertyRef">')
            lines.append(f'<PropertyValue Property="Alias" String={name} />')
            lines.append(f'<PropertyValue Property="Name" PropertyPath={name} /></Record>')
        lines.append("</Collection></PropertyValue></Record>")
    lines.append("</Collection></Annotation>")
    return lines


def _complex_types() -> list[str]:
    lines = []
    for name, members in COMPLEX.items():
        lines.append(f'<ComplexType Name="{name}">')
        for member, kind in members.items():
            full = kind if kind.startswith("Collection") else f"Edm.{kind}"
            lines.append(f'<Property Name="{member}" Type="{full}" />')
        lines.append("</ComplexType>")
    return lines


def _operations(schema: Schema) -> list[str]:
    lines = []
    for name, (parameters, result) in FUNCTIONS.items():
        returned = f'<ReturnType Type="{result}" Nullable="false" />'
        lines.append(f'<Function Name="{name}">{_parameters(parameters)}{returned}</Function>')
    for name, parameters in ACTIONS.items():
        lines.append(f'<Action Name="{name}">{_parameters(parameters)}</Action>')
    lead = (("entity", "mscrm.lead"), *QUALIFY)
    returned = '<ReturnType Type="Collection(mscrm.crmbaseentity)" Nullable="false" />'
    lines.append(
        f'<Action Name="QualifyLead" IsBound="true">{_parameters(lead)}{returned}</Action>'
    )
    for table in schema.tables.values():
        if table.bulk and not table.fixed:
            lines += _bulk(table)
    return lines


def _bulk(table: Table) -> list[str]:
    kind = f"Collection(mscrm.{table.name})"
    parameters = _parameters((("entityset", kind), ("Targets", kind)))
    made = '<ReturnType Type="mscrm.CreateMultipleResponse" Nullable="false" />'
    names = ["UpdateMultiple", "UpsertMultiple", *(["DeleteMultiple"] if table.elastic else [])]
    return [
        f'<Action Name="CreateMultiple" IsBound="true">{parameters}{made}</Action>',
        *(f'<Action Name="{name}" IsBound="true">{parameters}</Action>' for name in names),
    ]


def _parameters(parameters: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f'<Parameter Name="{name}" Type="{kind}" Nullable="false" />' for name, kind in parameters
    )


def _entity_set(schema: Schema, table: Table) -> list[str]:
    lines = [f'<EntitySet Name="{table.entity_set}" EntityType="{NAMESPACE}.{table.name}">']
    for member in table.members.values():
        if not isinstance(member, Column | Lookup):
            target = schema.tables[member.target].entity_set
            lines.append(f'<NavigationPropertyBinding Path="{member.name}" Target="{target}" />')
    lines.append("</EntitySet>")
    return lines
