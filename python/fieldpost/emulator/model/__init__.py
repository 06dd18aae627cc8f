"""What the environment contains: tables, columns and the navigation between them. No rows."""

from .column import Column, Lookup, Mismatch
from .sales import SCHEMA
from .schema import Collection, Schema, Single, Table

__all__ = ["SCHEMA", "Collection", "Column", "Lookup", "Mismatch", "Schema", "Single", "Table"]
