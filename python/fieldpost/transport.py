"""How the core connects to a destination."""

from __future__ import annotations

from typing import Any

from .config import DestinationConfig


def transport_document(config: DestinationConfig) -> dict[str, Any]:
    """What the core's transport reads."""
    return {
        "ca_file": str(config.ca_path or ""),
        "connect_timeout_s": config.delivery.connect_timeout_s,
        "read_timeout_s": config.delivery.read_timeout_s or 0,
        "timeout_s": config.delivery.timeout_s,
        "max_connections": config.delivery.max_in_flight,
    }
