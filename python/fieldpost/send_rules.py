"""Rules of the plain `send` action: which hosts events may choose, and which headers are ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .errors import Mistake
from .yaml_text import Path, YamlText

_NAMED = re.compile(r"(https?)://([A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(?=[/?#]|\Z)")
_HOST = re.compile(r"\*|(\*\.)?[A-Za-z0-9._\-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")
# What the transport writes; a second one would split the request.
FRAMING = ("host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer")


def named_hosts(document: Any) -> set[str]:
    """The hosts that texts of a url document begin with: `host` or `host:port`, in lower case."""
    if isinstance(document, str):
        found = _NAMED.match(document)
        if not found:
            return set()
        scheme, host, port = found.groups("")
        usual = ":80" if scheme == "http" else ":443"
        return {(host + ("" if port == usual else port)).lower()}
    if isinstance(document, dict):
        return set().union(*map(named_hosts, document.values()))
    if isinstance(document, list):
        return set().union(*map(named_hosts, document))
    return set()


def mistakes(data: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    """What a webhook's addresses and headers get wrong together."""
    allowed = data.get("allow_hosts")
    for index, host in enumerate(allowed if isinstance(allowed, list) else ()):
        if isinstance(host, str) and not _HOST.fullmatch(host):
            hint = 'such as api.example.com, *.example.com or "*"'
            yield places.mistake("E113", "expected a host", ("allow_hosts", index), hint)
    if data.get("type") != "webhook":
        for key in ("allow_hosts", "signing", "idempotency_key"):
            if key in data:
                told = f'the type does not use "{key}"'
                yield places.mistake("E115", told, (key,), "remove it")
        return
    subscriptions = data.get("subscriptions")
    for index, one in enumerate(subscriptions if isinstance(subscriptions, list) else ()):
        if isinstance(one, dict):
            path = ("subscriptions", index)
            yield from _hostless(one, data, (*path, "url"), places)
            yield from _framing(one, (*path, "headers"), places)


def _hostless(
    one: Mapping[str, Any], data: Mapping[str, Any], path: Path, places: YamlText
) -> Iterator[Mistake]:
    url = one.get("url", data.get("url"))
    if isinstance(url, dict) and "allow_hosts" not in data and not named_hosts(_texts(data)):
        told = "events choose the host, and the file names none"
        yield places.mistake("E185", told, path, "write allow_hosts: [api.example.com]")


def _texts(data: Mapping[str, Any]) -> list[Any]:
    """Every url document of the file."""
    subscriptions = data.get("subscriptions")
    listed = subscriptions if isinstance(subscriptions, list) else []
    return [data.get("url"), *(one.get("url") for one in listed if isinstance(one, dict))]


def _framing(one: Mapping[str, Any], path: Path, places: YamlText) -> Iterator[Mistake]:
    headers = one.get("headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if str(name).lower() in FRAMING:
            told = "this header belongs to the transport"
            yield places.mistake("E113", told, (*path, name), "remove it")
        elif isinstance(value, str) and not value.isascii():
            told = "a header holds ASCII only"
            yield places.mistake("E113", told, (*path, name), "encode it, or move it to the body")
