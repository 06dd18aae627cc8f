"""What fieldpost knows of Dynamics 365 Sales: its tables, and how to test a connection to it."""

from .tables import TABLES, Table

__all__ = ["TABLES", "Table"]
