"""Relationships as rows of metadata, one-to-many and many-to-many."""

from __future__ import annotations

from .definition import CRM, Definition, managed, metadata_id
from .schema import Many, Schema, Single, Table


def one_to_many(schema: Schema, table: Table, single: Single) -> Definition:
    """A row of ManyToOneRelationships of `table`, and of OneToManyRelationships of its target."""
    target = schema.tables[single.target]
    referenced = "owner" if target.name == "principal" else target.name
    return {
        "@odata.type": f"{CRM}OneToManyRelationshipMetadata",
        "MetadataId": metadata_id("relationship", table.name, single.name),
        "SchemaName": single.partner or f"{single.target}_{table.name}_{single.name}",
        "RelationshipType": "OneToManyRelationship",
        "ReferencedEntity": referenced,
        "ReferencedAttribute": target.key,
        "ReferencingEntity": table.name,
        "ReferencingAttribute": single.lookup.attribute,
        "ReferencingEntityNavigationPropertyName": single.name,
        "ReferencedEntityNavigationPropertyName": single.partner,
        "IsCustomRelationship": single.name.startswith("new_"),
        "IsValidForAdvancedFind": True,
        "IsManaged": True,
        "IsHierarchical": False,
        "SecurityTypes": "Append",
        "IsCustomizable": managed(True),
        "AssociatedMenuConfiguration": None,
        "CascadeConfiguration": {
            "Assign": "NoCascade",
            "Delete": "RemoveLink",
            "Merge": "NoCascade",
            "Reparent": "NoCascade",
            "Share": "NoCascade",
            "Unshare": "NoCascade",
        },
        "EntityKey": None,
        "HasChanged": None,
    }


def many_to_many(schema: Schema, table: Table, many: Many) -> Definition:
    """A row of ManyToManyRelationships of both tables."""
    other = schema.tables[many.other]
    return {
        "@odata.type": f"{CRM}ManyToManyRelationshipMetadata",
        "MetadataId": metadata_id("relationship", many.name),
        "SchemaName": many.name,
        "RelationshipType": "ManyToManyRelationship",
        "Entity1LogicalName": table.name,
        "Entity2LogicalName": other.name,
        "Entity1IntersectAttribute": table.key,
        "Entity2IntersectAttribute": other.key,
        "Entity1NavigationPropertyName": many.name,
        "Entity2NavigationPropertyName": many.partner,
        "IntersectEntityName": many.name,
        "IsCustomRelationship": many.name.startswith("new_"),
        "IsValidForAdvancedFind": True,
        "IsManaged": True,
        "SecurityTypes": "None",
        "IsCustomizable": managed(True),
        "HasChanged": None,
    }
