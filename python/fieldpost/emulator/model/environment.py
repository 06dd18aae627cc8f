"""A fresh environment: Dynamics 365 Sales, the organisation around it, two custom tables."""

from __future__ import annotations

from .activities import activity_tables
from .custom import custom_tables
from .organization import organization_tables
from .sales import sales_tables
from .schema import Schema


def environment() -> Schema:
    """A schema of its own for every caller, since an environment's schema can change."""
    return Schema([*sales_tables(), *activity_tables(), *organization_tables(), *custom_tables()])
