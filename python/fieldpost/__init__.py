"""fieldpost: customer events, filtered, mapped, and each delivered once over HTTP.

    import fieldpost as fp

    dest = fp.Destination.from_file("dynamics.yaml")
    dest.check()
    report = dest.deliver("events/*.ndjson.gz")

Names are loaded when they are first used, so that importing fieldpost costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .check import CheckResult, check_file
    from .comparison import Comparison, Difference
    from .config import DestinationConfig
    from .config_values import share_of
    from .connection import ConnectionTest
    from .destination import Destination
    from .dynamics.schema import Schema
    from .ending import Terminated
    from .errors import (
        AuthError,
        ConfigError,
        EventError,
        FieldpostError,
        FilterError,
        LedgerError,
        MappingError,
        Mistake,
        SourceError,
    )
    from .event_file import read_events
    from .event_profile import EventProfile
    from .explain import EventExplanation, explain_file
    from .filter import Explanation, Filter
    from .functions import DropEvent
    from .mapping import UNDEFINED, Lines, Mapping
    from .monitor import Glance
    from .observer import Observer
    from .preview import Preview
    from .preview_diff import PreviewDiff
    from .prometheus import PrometheusMetrics
    from .report import Report, Status
    from .saved_schema import Pulled, SavedSchema, SchemaDiff
    from .stage import Row
    from .transformation import Transformation, Transformed, transform
    from .unit_test import CaseResult, TestReport, UnitCase, unit_cases

_HOMES = {
    "AuthError": "errors",
    "CaseResult": "unit_test",
    "CheckResult": "check",
    "Comparison": "comparison",
    "ConfigError": "errors",
    "ConnectionTest": "connection",
    "Destination": "destination",
    "DestinationConfig": "config",
    "Difference": "comparison",
    "DropEvent": "functions",
    "EventError": "errors",
    "EventExplanation": "explain",
    "EventProfile": "event_profile",
    "Explanation": "filter",
    "FieldpostError": "errors",
    "Filter": "filter",
    "FilterError": "errors",
    "Glance": "monitor",
    "LedgerError": "errors",
    "Lines": "mapping",
    "Mapping": "mapping",
    "MappingError": "errors",
    "Mistake": "errors",
    "Observer": "observer",
    "Preview": "preview",
    "PreviewDiff": "preview_diff",
    "PrometheusMetrics": "prometheus",
    "Pulled": "saved_schema",
    "Report": "report",
    "Row": "stage",
    "SavedSchema": "saved_schema",
    "Schema": "dynamics.schema",
    "SchemaDiff": "saved_schema",
    "SourceError": "errors",
    "Status": "report",
    "Terminated": "ending",
    "TestReport": "unit_test",
    "Transformation": "transformation",
    "Transformed": "transformation",
    "UNDEFINED": "mapping",
    "UnitCase": "unit_test",
    "check_file": "check",
    "explain_file": "explain",
    "read_events": "event_file",
    "share_of": "config_values",
    "transform": "transformation",
    "unit_cases": "unit_test",
}

__all__ = [  # noqa: RUF022 (as sorted() sorts)
    "AuthError",
    "CaseResult",
    "CheckResult",
    "Comparison",
    "ConfigError",
    "ConnectionTest",
    "Destination",
    "DestinationConfig",
    "Difference",
    "DropEvent",
    "EventError",
    "EventExplanation",
    "EventProfile",
    "Explanation",
    "FieldpostError",
    "Filter",
    "FilterError",
    "Glance",
    "LedgerError",
    "Lines",
    "Mapping",
    "MappingError",
    "Mistake",
    "Observer",
    "Preview",
    "PreviewDiff",
    "PrometheusMetrics",
    "Pulled",
    "Report",
    "Row",
    "SavedSchema",
    "Schema",
    "SchemaDiff",
    "SourceError",
    "Status",
    "Terminated",
    "TestReport",
    "Transformation",
    "Transformed",
    "UNDEFINED",
    "UnitCase",
    "__version__",
    "check_file",
    "explain_file",
    "read_events",
    "share_of",
    "transform",
    "unit_cases",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("fieldpost")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'fieldpost' has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
