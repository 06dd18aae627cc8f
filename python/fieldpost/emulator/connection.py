"""uvicorn's HTTP protocol, with the transport within the application's reach.

Cutting a connection after a commit needs the socket itself; ASGI has no word for that.
"""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class TransportInState(asyncio.Protocol):
    """Puts the connection's transport into the state that uvicorn copies into each scope."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when a client has connected."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def protocol() -> type[asyncio.Protocol]:
    """The faster of the parsers that are installed."""
    if find_spec("httptools") is None:
        return type("Connection", (TransportInState, H11Protocol), {})
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    return type("Connection", (TransportInState, HttpToolsProtocol), {})
