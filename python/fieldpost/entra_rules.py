"""A sign-in at Microsoft Entra ID that cannot work, told before anything is asked for.

Only addresses of Microsoft's own hosts are judged: elsewhere the forms are those of others.
Sources: "OAuth 2.0 client credentials flow", "National clouds" and "Use OAuth authentication with
Microsoft Dataverse".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from .config_values import EnvText
from .environment_address import (
    cloud_of,
    is_address,
    is_same,
    sign_in_clouds,
    spelling,
)
from .errors import Mistake
from .secret_marks import is_guid
from .yaml_text import YamlText

_NO_TENANTS = ("common", "organizations", "consumers")
_OPENID = ("openid", "profile", "offline_access", "email")
# What each address ends in, by the endpoint's version.
_ENDS = {"token_url": "token", "authorize_url": "authorize", "device_url": "devicecode"}
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+\Z", re.I)
_STAND_INS = re.compile(
    r"\$\{.*\}|(your|my)[-_].*|[<{\[].*[>}\]]|.*\.\.\..*|tenant([-_]?id)?|0{8}-.*", re.I
)
_TENANT_HINT = "write the directory (tenant) id of the app registration"


def mistakes(data: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    """Everything about `auth` that makes Entra, or the environment after it, refuse."""
    auth = data.get("auth")
    if not isinstance(auth, dict):
        return
    if auth.get("type") == "oauth2":
        yield from _SignIn(data, auth, places).mistakes()
    elif auth.get("type") == "azure_identity":
        yield from _Scope(data, auth, auth.get("scope"), places).mistakes()


def warnings(data: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    """What may work and is hardly meant: stand-ins, which nobody has replaced yet, two slashes."""
    auth = data.get("auth")
    if not isinstance(auth, dict) or auth.get("type") != "oauth2":
        return
    yield from _SignIn(data, auth, places).stand_ins()
    scope = auth.get("scope")
    if isinstance(scope, str) and re.search(r"[^:]//[^/]*\Z", scope):
        told = "two slashes stand before the last part of the scope"
        hint = f"write scope: {_environment(data) or 'https://host'}/{scope.rpartition('/')[2]}"
        yield places.mistake("E190", told, ("auth", "scope"), hint)


def _is_stand_in(text: str) -> bool:
    return _STAND_INS.fullmatch(text) is not None


class _SignIn:
    """The `auth` of type oauth2 of one file."""

    def __init__(self, data: Mapping[str, Any], auth: dict[str, Any], places: YamlText) -> None:
        self.data, self.auth, self.places = data, auth, places
        self.url = auth.get("token_url")
        parts = urlsplit(self.url if is_address(self.url) else "")
        self.clouds = sign_in_clouds(parts.hostname or "")
        steps = parts.path.split("/")
        self.tenant = steps[1] if len(steps) > 1 else ""
        self.rest = "/".join(steps[2:])
        self.as_client = auth.get("grant", "client_credentials") == "client_credentials"

    def mistakes(self) -> Iterator[Mistake]:
        if not self.clouds:
            return
        yield from self._addresses()
        yield from self._tenant()
        yield from self._client()
        given = self.auth.get("token_params")
        resource = given.get("resource") if isinstance(given, dict) else None
        version = {"oauth2/v2.0/token": 2, "oauth2/token": 1}.get(self.rest)
        environment = self.data.get("url") if self.data.get("type") == "dynamics365" else None
        yield from self._cloud(environment or self.auth.get("scope") or resource)
        if version == 1:
            yield from self._older(resource)
        elif version == 2:
            yield from self._newer(given)
        if version == 1 and isinstance(resource, str):
            path = ("auth", "token_params", "resource")
            yield from _Resource(self.data, resource, path, self.places).mistakes()

    def stand_ins(self) -> Iterator[Mistake]:
        if self.clouds and _is_stand_in(self.tenant):
            told = "the tenant is still a stand-in"
            yield self.places.mistake("E188", told, ("auth", "token_url"), _TENANT_HINT)

    # -- addresses

    def _addresses(self) -> Iterator[Mistake]:
        for key, word in _ENDS.items():
            given = self.auth.get(key)
            if not is_address(given):
                continue
            parts = urlsplit(given)
            if not sign_in_clouds(parts.hostname or ""):
                continue
            steps = parts.path.split("/")
            fits = [f"oauth2/v2.0/{word}", f"oauth2/{word}"]
            if "/".join(steps[2:]) in fits and steps[0] == "":
                continue
            told = f"the address does not end in oauth2/v2.0/{word}"
            tenant = next((step for step in steps if step), "") or "TENANT"
            written = f"https://{parts.hostname}/{tenant}/oauth2/v2.0/{word}"
            hint = f"write {written}" if not isinstance(given, EnvText) else ""
            yield self.places.mistake("E187", told, ("auth", key), hint)

    # -- tenant

    def _tenant(self) -> Iterator[Mistake]:
        name, told, hint = self.tenant.lower(), "", _TENANT_HINT
        if name in _NO_TENANTS:
            if self.as_client:
                told = f'an application signs in to one tenant, and "{name}" means many'
            elif name == "consumers" and self.data.get("type") == "dynamics365":
                told = "no environment belongs to the accounts of consumers"
        elif name and cloud_of(name) is not None:
            told = "the tenant is the environment's host"
            hint = f"{_TENANT_HINT}, or the tenant's domain, such as contoso.onmicrosoft.com"
        elif name and not (is_guid(name) or _DOMAIN.match(name) or _is_stand_in(name)):
            told = "the tenant is neither a GUID nor a domain"
        if told:
            yield self.places.mistake("E188", told, ("auth", "token_url"), hint)

    def _client(self) -> Iterator[Mistake]:
        given = self.auth.get("client_id")
        if not isinstance(given, str) or not given.strip() or _is_stand_in(given):
            return
        hint = "write the application (client) id of the app registration"
        if not is_guid(given):
            told = "the client id is no GUID"
            yield self.places.mistake("E192", told, ("auth", "client_id"), hint)
        elif given.lower() == self.tenant.lower():
            told = "the client id is the tenant's"
            yield self.places.mistake("E192", told, ("auth", "client_id"), hint)

    # -- cloud

    def _cloud(self, environment: Any) -> Iterator[Mistake]:
        host = urlsplit(environment).hostname if is_address(environment) else ""
        cloud = cloud_of(host or "")
        if cloud is None or cloud in self.clouds:
            return
        told = f"the environment is of {cloud.name}, the sign-in of {self.clouds[0].name}"
        hint = f"{cloud.name} signs in at {cloud.sign_in[0]}"
        yield self.places.mistake("E189", told, ("auth", "token_url"), hint)

    # -- scope and resource

    def _older(self, resource: Any) -> Iterator[Mistake]:
        if resource is None:
            told = "the older endpoint takes no scope but a resource"
            hint = "write token_url with /oauth2/v2.0/token"
            where = "scope" if "scope" in self.auth else "token_url"
            yield self.places.mistake("E191", told, ("auth", where), hint)

    def _newer(self, given: Any) -> Iterator[Mistake]:
        if isinstance(given, dict) and "resource" in given:
            told = "the v2.0 endpoint takes no resource"
            path = ("auth", "token_params", "resource")
            yield self.places.mistake("E191", told, path, f"write {self._example()} in its place")
        elif "scope" not in self.auth and self.auth.get("grant") != "refresh_token":
            told = "the v2.0 endpoint needs a scope"
            hint = f"write {self._example()}"
            yield self.places.mistake("E191", told, ("auth", "scope"), hint)
        yield from _Scope(self.data, self.auth, self.auth.get("scope"), self.places).mistakes()

    def _example(self) -> str:
        return f"scope: {_environment(self.data) or 'https://host'}{_end(self.as_client)}"


def _end(as_client: bool) -> str:
    return "/.default" if as_client else "/user_impersonation"


def _environment(data: Mapping[str, Any]) -> str:
    """The environment as a scope has it; "" where the file does not say or show it."""
    url = data.get("url")
    shown = data.get("type") == "dynamics365" and is_address(url) and not isinstance(url, EnvText)
    return spelling(url) if shown and isinstance(url, str) else ""


class _Scope:
    """The scope of one file; of an application's token, or of one that a person lets it have."""

    def __init__(
        self, data: Mapping[str, Any], auth: Mapping[str, Any], scope: Any, places: YamlText
    ) -> None:
        self.data, self.places = data, places
        self.as_client = auth.get("grant", "client_credentials") == "client_credentials"
        listed = " ".join(map(str, scope)) if isinstance(scope, list) else scope
        self.scopes = listed.split() if isinstance(listed, str) else []

    def mistakes(self) -> Iterator[Mistake]:
        resources = [one for one in self.scopes if one not in _OPENID and not _is_stand_in(one)]
        if self.as_client and len(self.scopes) > 1:
            told = "an application asks for one scope"
            yield self._at(told)
        for one in resources[:1]:
            yield from self._one(one)

    def _one(self, scope: str) -> Iterator[Mistake]:
        resource, _slash, last = scope.rpartition("/")
        if self.as_client and last != ".default":
            yield self._at("the scope of an application ends in /.default")
            return
        if is_guid(resource) or resource.startswith("api://"):
            return
        path = ("auth", "scope")
        yield from _Resource(
            self.data, resource or scope, path, self.places, _end(self.as_client)
        ).mistakes()

    def _at(self, told: str) -> Mistake:
        hint = f"write scope: {_environment(self.data) or 'https://host'}{_end(self.as_client)}"
        return self.places.mistake("E190", told, ("auth", "scope"), hint)


class _Resource:
    """The address that a token is wanted for. end: what stands behind it in a scope."""

    def __init__(
        self,
        data: Mapping[str, Any],
        resource: str,
        path: tuple[str, ...],
        places: YamlText,
        end: str = "",
    ) -> None:
        self.resource, self.path, self.places, self.end = resource, path, places, end
        self.is_dynamics = data.get("type") == "dynamics365"
        self.url = data.get("url")
        self.environment = _environment(data)

    def mistakes(self) -> Iterator[Mistake]:
        told = self._told()
        if told:
            hint = f"write {self.path[-1]}: {self.environment or 'https://host'}{self.end}"
            yield self.places.mistake("E190", told, self.path, hint)

    def _told(self) -> str:
        if not self.resource.startswith("https://"):
            local = self.resource.startswith("http://")
            cloud = cloud_of(urlsplit(self.resource).hostname or "") if local else None
            return "" if local and cloud is None else "it does not begin with https://"
        if not is_address(self.resource):
            return "it is no address"
        parts = urlsplit(self.resource)
        if not self.is_dynamics:
            return ""
        if parts.path.strip("/"):
            return "it holds a path"
        is_known = is_address(self.url) and cloud_of(urlsplit(self.url).hostname or "") is not None
        if is_known and not is_same(self.resource, str(self.url)):
            return "it is another address than the environment's"
        return ""
