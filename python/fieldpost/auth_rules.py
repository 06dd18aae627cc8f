"""The rules that join several keys of `auth`: which grant needs what, and what excludes what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .errors import Mistake
from .yaml_text import YamlText

_EXAMPLES = {
    "client_secret": "client_secret: {env: CLIENT_SECRET}, or certificate: {file: app.pem}",
    "authorize_url": "authorize_url: https://host/authorize",
    "refresh_token": "refresh_token: {env: REFRESH_TOKEN}",
}
# Keys that only some grants use.
_ONLY = {
    "authorize_url": ("authorization_code",),
    "authorize_params": ("authorization_code",),
    "device_url": ("authorization_code",),
    "redirect_url": ("authorization_code",),
    "refresh_token": ("refresh_token",),
}
# What fieldpost itself writes into a token request.
_OURS = frozenset(
    (
        *("grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type"),
        *("scope", "code", "code_verifier", "redirect_uri", "refresh_token", "device_code"),
    )
)


def mistakes(data: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    """Everything about `auth` that its parts alone cannot tell."""
    auth = data.get("auth")
    if not isinstance(auth, dict) or auth.get("type") != "oauth2":
        return
    grant = auth.get("grant", "client_credentials")
    yield from _missing(auth, grant, places)
    yield from _useless(auth, grant, places)
    yield from _twice(auth, places)
    given = auth.get("token_params")
    for name in given if isinstance(given, dict) else ():
        if name in _OURS:
            told = "fieldpost writes this parameter itself"
            path = ("auth", "token_params", name)
            yield places.mistake("E183", told, path, "remove it")


def _missing(auth: Mapping[str, Any], grant: Any, places: YamlText) -> Iterator[Mistake]:
    wanted: list[str] = []
    if grant == "client_credentials" and "certificate" not in auth:
        wanted = ["client_secret"]
    elif grant == "authorization_code" and "device_url" not in auth:
        wanted = ["authorize_url"]
    elif grant == "refresh_token":
        wanted = ["refresh_token"]
    for key in wanted:
        if key not in auth:
            told = f'the key "{key}" is missing'
            yield places.mistake("E111", told, ("auth", key), f"such as {_EXAMPLES[key]}")


def _useless(auth: Mapping[str, Any], grant: Any, places: YamlText) -> Iterator[Mistake]:
    for key, grants in _ONLY.items():
        if key in auth and isinstance(grant, str) and grant not in grants:
            told = f'the grant {grant} does not use "{key}"'
            hint = f"remove it, or write grant: {grants[0]}"
            yield places.mistake("E183", told, ("auth", key), hint)


def _twice(auth: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    if "certificate" not in auth:
        if "certificate_password" in auth:
            told = "a certificate_password without a certificate"
            yield places.mistake("E183", told, ("auth", "certificate_password"), "remove it")
        return
    for key in ("client_secret", "client_auth"):
        if key in auth:
            told = f"a certificate takes the place of {key}"
            yield places.mistake("E183", told, ("auth", key), "keep one of the two")
