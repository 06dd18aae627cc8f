"""How the core connects to a destination."""

from __future__ import annotations

from typing import Any

from .config import DestinationConfig
from .secrets import resolve

__all__ = ["transport_document", "transport_that_sends"]


def transport_document(config: DestinationConfig) -> dict[str, Any]:
    """What the core's transport reads, without the proxy's password: for what sends nothing."""
    proxy = config.delivery.proxy
    return {
        "ca_file": str(config.ca_path or ""),
        "proxy": str(proxy.url) if proxy else "",
        "connect_timeout_s": config.delivery.connect_timeout_s,
        "read_timeout_s": config.delivery.read_timeout_s or 0,
        "timeout_s": config.delivery.timeout_s,
        "max_connections": config.delivery.max_in_flight,
    }


def transport_that_sends(config: DestinationConfig) -> dict[str, Any]:
    """The same with the password as it is now; raises ConfigError where it is not there."""
    proxy = config.delivery.proxy
    if proxy is None or proxy.username is None:
        return transport_document(config)
    return transport_document(config) | {
        "proxy_username": str(proxy.username),
        "proxy_password": resolve(proxy.password) if proxy.password else "",
    }
