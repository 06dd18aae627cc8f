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
    from .config import DestinationConfig
    from .config_values import share_of
    from .connection import ConnectionTest
    from .destination import CheckResult, Destination
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
    from .filter import Explanation, Filter
    from .functions import DropEvent
    from .mapping import UNDEFINED, Lines, Mapping
    from .preview import Preview
    from .report import Report, Status

_HOMES = {
    "AuthError": "errors",
    "CheckResult": "destination",
    "ConfigError": "errors",
    "ConnectionTest": "connection",
    "Destination": "destination",
    "DestinationConfig": "config",
    "DropEvent": "functions",
    "EventError": "errors",
    "Explanation": "filter",
    "FieldpostError": "errors",
    "Filter": "filter",
    "FilterError": "errors",
    "LedgerError": "errors",
    "Lines": "mapping",
    "Mapping": "mapping",
    "MappingError": "errors",
    "Mistake": "errors",
    "Preview": "preview",
    "Report": "report",
    "SourceError": "errors",
    "Status": "report",
    "UNDEFINED": "mapping",
    "share_of": "config_values",
}

__all__ = [  # noqa: RUF022 (as sorted() sorts)
    "AuthError",
    "CheckResult",
    "ConfigError",
    "ConnectionTest",
    "Destination",
    "DestinationConfig",
    "DropEvent",
    "EventError",
    "Explanation",
    "FieldpostError",
    "Filter",
    "FilterError",
    "LedgerError",
    "Lines",
    "Mapping",
    "MappingError",
    "Mistake",
    "Preview",
    "Report",
    "SourceError",
    "Status",
    "UNDEFINED",
    "__version__",
    "share_of",
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
