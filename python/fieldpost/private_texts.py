"""What came from the environment into a header or a url's query: likely a key, so never shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from .config import DestinationConfig
from .config_values import EnvText
from .secrets import forms

_SHORTEST = 4  # a shorter one hides nothing and would eat words


def private_texts(config: DestinationConfig) -> list[str]:
    """The texts, in the forms that they may come back in; the longest first."""
    data = config.reading.resolved
    found = set(_of_url(data.get("url")))
    for one in data["subscriptions"]:
        found.update(_of_url(one.get("url")))
        headers = one.get("headers")
        for value in headers.values() if isinstance(headers, dict) else ():
            if isinstance(value, EnvText):
                found.update((str(value), value.split(" ", 1)[-1]))  # without its scheme
    coded = {form for one in found if len(one) >= _SHORTEST for form in forms(one)}
    return sorted(coded, key=len, reverse=True)


def _of_url(url: Any) -> Iterator[str]:
    if not isinstance(url, EnvText):
        return
    for part in urlsplit(url).query.split("&"):
        value = part.partition("=")[2] or part
        yield from (value, unquote_plus(value))
