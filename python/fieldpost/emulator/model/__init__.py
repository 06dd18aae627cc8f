"""What the environment contains: tables, columns and the navigation between them. No rows."""

from .column import Column, Lookup, Mismatch
from .environment import environment
from .privilege import OTHERS, VERBS, privilege_id, privilege_name
from .schema import AlternateKey, Association, Collection, Schema, Single, Table

__all__ = [
    "OTHERS",
    "VERBS",
    "AlternateKey",
    "Association",
    "Collection",
    "Column",
    "Lookup",
    "Mismatch",
    "Schema",
    "Single",
    "Table",
    "environment",
    "privilege_id",
    "privilege_name",
]
