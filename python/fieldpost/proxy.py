"""`delivery.proxy` of a destination file: what every request of the destination goes through.

Without the key proxies are the environment's. A password is a reference, never part of the address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationInfo

from .auth_scheme import Part
from .config_values import SecretRef, Text, reference_at, wrong
from .errors import Mistake
from .yaml_text import YamlText

PLACE = ("delivery", "proxy")
_SCHEMES = ("http", "https", "socks5h")
_EXAMPLE = "such as http://proxy.example.com:3128"
_WHOLE = "write proxy: {url: …, username: …, password: {env: NAME}}"


def _url(value: Any) -> Any:
    """An address of a proxy: scheme, host and port and nothing else; or the word none."""
    if not isinstance(value, str) or value == "none":
        return value
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong("E113", "not a proxy's address", _EXAMPLE) from None
    if "@" in value:
        raise wrong("E120", "a user name or password inside the proxy's address", _WHOLE)
    if parts.scheme not in _SCHEMES:
        hint = "socks5h lets the proxy look names up" if parts.scheme == "socks5" else _EXAMPLE
        raise wrong("E113", "expected an http, https or socks5h proxy, or none", hint)
    if not host or port is None:
        raise wrong("E113", "expected the proxy's host and port", _EXAMPLE)
    if parts.path.strip("/") or parts.query or parts.fragment or re.search(r"[\s\x00-\x1f]", value):
        raise wrong("E113", "expected nothing behind the proxy's port", _EXAMPLE)
    return value.rstrip("/")


def _username(value: Any) -> Any:
    if isinstance(value, str) and re.search(r"[:\x00-\x1f]", value):
        raise wrong("E113", "a sign that no user name of a proxy can hold", "leave out colons")
    return value


def _password(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, SecretRef):
        return value
    return reference_at(value, (*PLACE, "password"), info.context)


class Proxy(Part):
    """A proxy for every host, this machine among them; url "none": no proxy at all."""

    url: Annotated[Text, BeforeValidator(_url)]
    username: Annotated[Text | None, BeforeValidator(_username)] = Field(default=None, repr=False)
    password: Annotated[SecretRef | None, BeforeValidator(_password)] = None

    @property
    def is_none(self) -> bool:
        """Whether requests go without one, whatever the environment says."""
        return self.url == "none"


def as_mapping(value: Any) -> Any:
    """`proxy: address` means `proxy: {url: address}`."""
    return {"url": value} if isinstance(value, str) else value


def mistakes(data: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    """What its keys alone cannot tell."""
    delivery = data.get("delivery")
    given = delivery.get("proxy") if isinstance(delivery, dict) else None
    if not isinstance(given, dict):
        return
    is_none = given.get("url") == "none"
    for key in ("username", "password"):
        if is_none and key in given:
            yield places.mistake("E115", f'no proxy has no "{key}"', (*PLACE, key), "remove it")
    if "password" in given and "username" not in given and not is_none:
        told = 'the key "username" is missing'
        yield places.mistake("E111", told, (*PLACE, "username"), "a password is a user's")
