"""Refuses what a page in a browser of this machine could be made to send: it is no client's.

A page may post anywhere, and names its own address as `Origin`; a name that is made to lead here
after the page was loaded (DNS rebinding) stands in `Host`. Clients of this machine send neither.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_CHECKED = {b"host": "the Host", b"origin": "the Origin"}


class SameMachine:
    """ASGI, in front of everything: 403 for a Host or an Origin that is not this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or say why not."""
        foreign = _foreign(scope) if scope["type"] == "http" else ""
        if not foreign:
            await self._app(scope, receive, send)
            return
        told = f"{foreign} of the request is not this machine: use 127.0.0.1 or localhost"
        await JSONResponse({"error": {"code": "403", "message": told}}, 403)(scope, receive, send)


def _foreign(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name in _CHECKED and not _is_here(value):
            return _CHECKED[name]
    return ""


@lru_cache(maxsize=64)
def _is_here(value: bytes) -> bool:
    """True where "host:port" or "scheme://host:port" names the loopback interface, not "null"."""
    text = value.decode("latin-1")
    try:
        host = (urlsplit(text if "://" in text else f"//{text}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
