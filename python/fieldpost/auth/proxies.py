"""The proxy of a token request, in the form that requests takes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from ..config_values import is_loopback
from ..proxy import Proxy
from ..secrets import Secret, resolve

_DIRECT = {"no_proxy": "*"}


def proxies_for(url: str, proxy: Proxy | None) -> dict[str, str] | None:
    """The proxy that the file names, else the environment's (None), and that not for loopback."""
    if proxy is None:
        return _DIRECT if is_loopback(urlsplit(url).hostname or "") else None
    if proxy.is_none:
        return _DIRECT
    address = _with_login(proxy)
    return {"http": address, "https": address}


def _with_login(proxy: Proxy) -> Secret:
    if proxy.username is None:
        return Secret(proxy.url)
    password = resolve(proxy.password) if proxy.password else ""
    pair = [_quoted(str(one), proxy) for one in (proxy.username, password)]
    return Secret(proxy.url.replace("://", "://" + ":".join(pair) + "@", 1))


def _quoted(text: str, proxy: Proxy) -> str:
    """requests writes the header of an HTTP proxy in Latin-1; the bytes have to be UTF-8."""
    if not proxy.url.startswith("socks"):
        text = text.encode().decode("latin-1")
    return quote(text, safe="")


def verify_proxy(session: Any) -> None:
    """Have an https proxy show its certificate for plain http too, which requests leaves out."""
    from requests.adapters import HTTPAdapter

    class Verifying(HTTPAdapter):
        def cert_verify(self, conn: Any, _url: str, verify: Any, cert: Any) -> None:
            super().cert_verify(conn, "https://", verify, cert)  # type: ignore[no-untyped-call]

    session.mount("http://", Verifying())
