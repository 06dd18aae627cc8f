"""Rules of the plain `send` action: which hosts events may choose, and which headers are ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .config_values import FRAMING, reference
from .errors import Mistake
from .yaml_text import Path, YamlText

_NAMED = re.compile(r"(https?)://([A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(?=[/?#]|\Z)")
_HOST = re.compile(r"\*|(\*\.)?[A-Za-z0-9._\-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")


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
        yield from _useless(data, places)
        return
    yield from _foreign(data, places)
    subscriptions = data.get("subscriptions")
    for index, one in enumerate(subscriptions if isinstance(subscriptions, list) else ()):
        if isinstance(one, dict):
            path = ("subscriptions", index)
            yield from _hostless(one, data, (*path, "url"), places)
            yield from _framing(one, (*path, "headers"), places)
            yield from _batch(one, data, (*path, "batch"), places)


def _foreign(data: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    """What only Dynamics 365 has."""
    delivery = data.get("delivery")
    if not isinstance(delivery, dict):
        return
    if delivery.get("batching") in ("batch", "bulk", "auto"):
        told = "only dynamics365 packs this way"
        hint = "write batching: on, or a `batch` in the subscription"
        yield places.mistake("E115", told, ("delivery", "batching"), hint)
    for key in ("execution", "requests_per_day"):
        if key in delivery:
            told = f'the type does not use "{key}"'
            yield places.mistake("E115", told, ("delivery", key), "remove it")


def _useless(data: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    for key in ("allow_hosts", "signing", "idempotency_key", "success", "message"):
        if key in data:
            told = f'the type does not use "{key}"'
            yield places.mistake("E115", told, (key,), "remove it")
    delivery = data.get("delivery")
    if isinstance(delivery, dict) and delivery.get("batching") in (True, "on", "true"):
        told = "this type packs records in several ways"
        hint = "write batching: auto; or batch, bulk, off"
        yield places.mistake("E117", told, ("delivery", "batching"), hint)


def _hostless(
    one: Mapping[str, Any], data: Mapping[str, Any], path: Path, places: YamlText
) -> Iterator[Mistake]:
    url = one.get("url", data.get("url"))
    if not isinstance(url, dict) or reference(url):  # that of a variable which is not set
        return
    if "allow_hosts" not in data and not named_hosts(_texts(data)):
        told = "events choose the host, and the file names none"
        yield places.mistake("E185", told, path, "write allow_hosts: [api.example.com]")


def _batch(
    one: Mapping[str, Any], data: Mapping[str, Any], path: Path, places: YamlText
) -> Iterator[Mistake]:
    """What cannot go together with batches, where a subscription makes them."""
    delivery = data.get("delivery")
    batching = delivery.get("batching") if isinstance(delivery, dict) else None
    if "batch" not in one and batching not in (True, "on", "true"):
        return
    path = path if "batch" in one else ("delivery", "batching")
    if data.get("idempotency_key") not in (None, False, "false"):
        told = "a batch has no idempotency key: at the next try it may hold other records"
        yield places.mistake("E186", told, path, "keep one of the two")
    if one.get("method") in ("GET", "DELETE") or ("body" in one and one["body"] is None):
        yield places.mistake("E186", "a batch of requests without a body", path, "remove it")
    kind = _content_type(one)
    if kind and not re.fullmatch(r"application/json|.*\+json", kind):
        yield places.mistake("E186", "only JSON bodies go together", path, "remove one of the two")
    batch = one.get("batch")
    if isinstance(batch, dict) and "body" in batch and "at" not in batch:
        yield places.mistake(
            "E186", "the body of a batch needs `at`", path, "such as at: $.records"
        )


def _content_type(one: Mapping[str, Any]) -> str:
    headers = one.get("headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if str(name).lower() == "content-type" and isinstance(value, str):
            return value.split(";")[0].strip().lower()
    return ""


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
