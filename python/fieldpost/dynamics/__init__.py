"""What fieldpost knows of Dynamics 365 Sales: its tables, and how to test a connection to it."""

from .schema import Column, Key, Navigation, Schema
from .tables import TABLES, Table

__all__ = ["TABLES", "Column", "Key", "Navigation", "Schema", "Table"]
