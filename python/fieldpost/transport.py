"""How the core connects to a destination."""

from __future__ import annotations

from typing import Any

from .client_certificate import client_certificate
from .config import DestinationConfig
from .secrets import resolve

__all__ = ["transport_document", "transport_that_sends"]


def transport_document(config: DestinationConfig) -> dict[str, Any]:
    """The document of the core's transport without its secrets: for what sends nothing."""
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
    """The same with the proxy's password and the client certificate as they are now.

    Raises ConfigError where one is not there, or cannot be used.
    """
    return transport_document(config) | _proxy_login(config) | _client(config)


def _proxy_login(config: DestinationConfig) -> dict[str, str]:
    proxy = config.delivery.proxy
    if proxy is None or proxy.username is None:
        return {}
    password = resolve(proxy.password) if proxy.password else ""
    return {"proxy_username": str(proxy.username), "proxy_password": password}


def _client(config: DestinationConfig) -> dict[str, str]:
    shown = client_certificate(config)
    if shown is None:
        return {}
    names = ("client_cert", "client_key", "client_key_password")
    return dict(zip(names, shown.read(), strict=True))
