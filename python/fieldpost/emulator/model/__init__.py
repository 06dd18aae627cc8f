"""What the environment contains: tables, columns and the navigation between them. No rows."""

from .column import Column, Lookup, Mismatch
from .environment import environment
from .schema import AlternateKey, Association, Collection, Schema, Single, Table

__all__ = [
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
]
