"""Sign-in: the token endpoint, the authorize endpoint, and the documents that lead to them.

Rules: "Microsoft identity platform and the OAuth 2.0 client credentials flow", "... authorization
code flow" and "Microsoft Entra authentication and authorization error codes". There is nobody to
sign in here: the authorize endpoint sends every browser straight back with a code.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from .applications import Applications, Registered
from .assertion import KIND, AssertionRefused, check_assertion
from .tokens import Tokens

FORM = "application/x-www-form-urlencoded"
CODE_LIFE_S = 600
OPENID = {"openid", "profile", "offline_access", "email"}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
UNKNOWN_TENANTS = ("common", "organizations", "consumers")


@dataclass(frozen=True, slots=True)
class Tenant:
    """The tenant, and the addresses of the environment that belongs to it."""

    id: str
    url: str

    @property
    def other_url(self) -> str:
        """The environment's other name; the service has two as well."""
        return self.url.replace("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Code:
    """What a code of the authorize endpoint stands for."""

    client_id: str
    redirect_uri: str
    scope: str
    challenge: str | None
    expiry: float


class SignInError(Exception):
    """A refusal in Entra's own shape."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(text)
        self.status, self.error, self.number, self.text = status, error, number, text


class SignIn:
    """The endpoints under `/{tenant}/oauth2`."""

    def __init__(
        self,
        tenant: Tenant,
        applications: Applications,
        tokens: Tokens,
        clock: Callable[[], float],
    ) -> None:
        self._tenant = tenant
        self._applications = applications
        self._tokens = tokens
        self._clock = clock
        self._codes: dict[str, Code | None] = {}

    def routes(self) -> list[Route]:
        """The endpoints, for Starlette."""
        return [
            Route("/{tenant}/oauth2/v2.0/token", self.token, methods=["POST"]),
            Route("/{tenant}/oauth2/token", self.older_token, methods=["POST"]),
            Route("/{tenant}/oauth2/v2.0/authorize", self.authorize, methods=["GET"]),
            Route("/{tenant}/oauth2/authorize", self.authorize, methods=["GET"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", self.configuration),
            Route("/{tenant}/.well-known/openid-configuration", self.configuration),
            Route("/common/discovery/instance", self.instance),
        ]

    async def token(self, request: Request) -> Response:
        """Answer one request for a token."""
        try:
            form = _fields(await request.body(), request.headers.get("content-type", ""))
            form |= _basic(request.headers.get("authorization", ""))
            if "resource" in form:
                text = "The 'resource' request parameter is not supported."
                raise SignInError(400, "invalid_request", 901002, text)
            answer = self._granted(request.path_params["tenant"], form, "oauth2/v2.0/token")
        except SignInError as error:
            return self._refused(error)
        return JSONResponse(answer, headers=NO_STORE)

    async def older_token(self, request: Request) -> Response:
        """The same of the endpoint before v2.0: for a resource; its numbers are texts."""
        try:
            form = _fields(await request.body(), request.headers.get("content-type", ""))
            form |= _basic(request.headers.get("authorization", ""))
            if form.get("grant_type") == "client_credentials":
                form["scope"] = _required(form, "resource").rstrip("/") + "/.default"
            elif "resource" in form:
                form["scope"] = form["resource"].rstrip("/") + "/user_impersonation"
            answer = self._granted(request.path_params["tenant"], form, "oauth2/token")
        except SignInError as error:
            return self._refused(error)
        now = int(self._clock())
        more = {"expires_on": now + answer["expires_in"], "not_before": now}
        older = {name: str(value) for name, value in (answer | more).items()}
        return JSONResponse(
            older | {"resource": form.get("resource", self._tenant.url)}, headers=NO_STORE
        )

    def _granted(self, tenant: str, form: dict[str, str], endpoint: str) -> dict[str, Any]:
        """endpoint: the path behind the tenant, which an assertion has to be meant for."""
        grant = _required(form, "grant_type")
        self._check_tenant(tenant, grant)
        client_id = _required(form, "client_id")
        form["endpoint"] = f"{self._tenant.url}/{self._tenant.id}/{endpoint}"
        if grant == "client_credentials":
            scope = _required(form, "scope")
            self._check_client(client_id, form, obliged=True)
            return self._token(client_id, self._resource(scope))
        if grant == "authorization_code":
            return self._redeemed(client_id, form)
        if grant == "refresh_token":
            return self._refreshed(client_id, form)
        text = f"The app requested an unsupported grant type '{grant}'."
        raise SignInError(400, "unsupported_grant_type", 70003, text)

    def _check_tenant(self, tenant: str, grant: str) -> None:
        name = tenant.lower()
        if name == self._tenant.id.lower():
            return
        if name in UNKNOWN_TENANTS and grant == "client_credentials":
            text = (
                "Application is not configured as a multi-tenant application. Usage of the "
                f"/{name} endpoint is not supported for such applications created after "
                "'10/15/2018'. Use a tenant-specific endpoint or configure the application to be "
                "multi-tenant."
            )
            raise SignInError(400, "invalid_request", 50194, text)
        if not (_GUID.match(name) or "." in name or name in UNKNOWN_TENANTS):
            text = (
                f"Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid "
                "external domain."
            )
            raise SignInError(400, "invalid_request", 900023, text)
        raise SignInError(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")

    def _token(self, client_id: str, resource: str) -> dict[str, Any]:
        token = self._tokens.issue(client_id, resource)
        lifetime = int(self._tokens.lifetime_s)
        answer = {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime}
        return {**answer, "access_token": token}

    def _check_client(self, client_id: str, form: dict[str, str], *, obliged: bool) -> Registered:
        known = self._applications.find(client_id)
        if known is None:
            text = (
                f"Application with identifier '{client_id}' was not found in the directory "
                f"'{self._tenant.id}'."
            )
            raise SignInError(400, "unauthorized_client", 700016, text)
        secret, assertion = form.get("client_secret"), form.get("client_assertion")
        if assertion:
            self._check_assertion(known, assertion, form)
        elif secret:
            self._check_secret(known, secret)
        elif obliged:
            text = (
                "The request body must contain the following parameter: 'client_assertion' or "
                "'client_secret'."
            )
            raise SignInError(401, "invalid_client", 7000218, text)
        return known

    def _check_assertion(self, known: Registered, assertion: str, form: dict[str, str]) -> None:
        if form.get("client_assertion_type") != KIND:
            raise SignInError(400, "invalid_request", 900144, "client_assertion_type is missing.")
        try:
            check_assertion(
                assertion, known.certificate, known.client_id, form["endpoint"], self._clock()
            )
        except AssertionRefused as refused:
            raise SignInError(401, "invalid_client", refused.number, refused.text) from None

    def _check_secret(self, known: Registered, secret: str) -> None:
        expected = (known.client_secret or "").encode()
        if not expected or not secrets.compare_digest(secret.encode(), expected):
            text = (
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client secret value, not the client secret ID, for a secret added to app "
                f"'{known.client_id}'."
            )
            raise SignInError(401, "invalid_client", 7000215, text)

    def _resource(self, scope: str) -> str:
        resource = scope.removesuffix("/.default").rstrip("/")
        if not scope.endswith("/.default") or " " in scope:
            text = (
                f"The provided value for scope {scope} is not valid. Client credential flows must "
                "have a scope value with /.default suffixed to the resource identifier "
                "(application ID URI)."
            )
            raise SignInError(400, "invalid_scope", 1002012, text)
        return self._known_resource(resource)

    def _known_resource(self, resource: str) -> str:
        if resource not in (self._tenant.url, self._tenant.other_url):
            text = (
                f"The resource principal named {resource} was not found in the tenant named "
                f"{self._tenant.id}."
            )
            raise SignInError(400, "invalid_resource", 500011, text)
        return resource

    # Signing in a person ------------------------------------------------------------------------

    async def authorize(self, request: Request) -> Response:
        """Send the browser back with a code; errors that must not travel are shown instead."""
        asked = request.query_params
        known = self._applications.find(asked.get("client_id", ""))
        redirect = asked.get("redirect_uri", "")
        if known is None or request.path_params["tenant"].lower() != self._tenant.id.lower():
            return Response("AADSTS700016: the application was not found.", 400)
        if redirect not in known.redirect_uris and not _loopback(redirect, known):
            return Response("AADSTS50011: the redirect URI is not registered.", 400)
        code = secrets.token_urlsafe(32)
        self._codes[code] = Code(
            known.client_id,
            redirect,
            asked.get("scope", ""),
            asked.get("code_challenge"),
            self._clock() + CODE_LIFE_S,
        )
        answer = {"code": code} | ({"state": asked["state"]} if "state" in asked else {})
        mark = "&" if "?" in redirect else "?"
        return RedirectResponse(f"{redirect}{mark}{urlencode(answer)}", 302)

    def _redeemed(self, client_id: str, form: dict[str, str]) -> dict[str, Any]:
        text = _required(form, "code")
        code = self._codes.get(text)
        if text in self._codes and code is None:
            message = "OAuth2 Authorization code was already redeemed."
            raise SignInError(400, "invalid_grant", 54005, message)
        if code is None or code.client_id.lower() != client_id.lower():
            raise SignInError(400, "invalid_grant", 70000, "The provided code is not valid.")
        if code.expiry < self._clock():
            raise SignInError(400, "invalid_grant", 70008, "The provided code has expired.")
        self._check_client(client_id, form, obliged=False)
        if form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            message = "The redirect_uri does not match the one of the authorization request."
            raise SignInError(400, "invalid_grant", 500112, message)
        if code.challenge is not None and _challenge(form) != code.challenge:
            message = "The Code_Verifier does not match the code_challenge."
            raise SignInError(400, "invalid_grant", 50148, message)
        self._codes[text] = None
        return self._delegated(client_id, form.get("scope") or code.scope)

    def _refreshed(self, client_id: str, form: dict[str, str]) -> dict[str, Any]:
        found = self._tokens.refreshing(_required(form, "refresh_token"))
        if found is None or found[0].lower() != client_id.lower():
            raise SignInError(400, "invalid_grant", 70000, "The refresh token is not valid.")
        self._check_client(client_id, form, obliged=False)
        return self._delegated(client_id, form.get("scope") or found[1])

    def _delegated(self, client_id: str, scope: str) -> dict[str, Any]:
        """What a person's sign-in gives: the scopes say which tokens."""
        scopes = scope.split()
        resources = [s for s in scopes if s not in OPENID]
        resource = resources[0].rpartition("/")[0].rstrip("/") if resources else self._tenant.url
        answer = self._token(client_id, self._known_resource(resource)) | {"scope": scope}
        if "offline_access" in scopes:
            answer["refresh_token"] = self._tokens.issue_refreshing(client_id, scope)
        if "openid" in scopes:
            answer["id_token"] = self._identity(client_id)
        return answer

    def _identity(self, client_id: str) -> str:
        now = int(self._clock())
        claims = {
            "aud": client_id,
            "iss": f"{self._tenant.url}/{self._tenant.id}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "sub": client_id,
            "oid": client_id,
            "tid": self._tenant.id,
            "preferred_username": "somebody@emulator.invalid",
            "name": "Somebody",
        }
        parts = (json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims))
        encoded = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        return ".".join([*encoded, ""])

    # Documents ----------------------------------------------------------------------------------

    async def configuration(self, request: Request) -> Response:
        """Where the endpoints are: what libraries read before they ask for a token."""
        tenant = request.path_params["tenant"]
        if tenant.lower() not in (self._tenant.id.lower(), *UNKNOWN_TENANTS):
            return self._refused(
                SignInError(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found.")
            )
        root = f"{self._tenant.url}/{self._tenant.id}"
        return JSONResponse(
            {
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "issuer": f"{root}/v2.0",
                "jwks_uri": f"{root}/discovery/v2.0/keys",
                "tenant_region_scope": None,
                "response_types_supported": ["code"],
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "client_secret_basic",
                    "private_key_jwt",
                ],
            }
        )

    async def instance(self, request: Request) -> Response:
        """The names of the sign-in host: only its own."""
        host = self._tenant.url.partition("://")[2]
        names = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
        endpoint = f"{self._tenant.url}/{self._tenant.id}/v2.0/.well-known/openid-configuration"
        return JSONResponse({"tenant_discovery_endpoint": endpoint, "metadata": [names]})

    def _refused(self, error: SignInError) -> Response:
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        now = f"{datetime.fromtimestamp(self._clock(), UTC):%Y-%m-%d %H:%M:%SZ}"
        description = (
            f"AADSTS{error.number}: {error.text}\r\nTrace ID: {trace}\r\n"
            f"Correlation ID: {correlation}\r\nTimestamp: {now}"
        )
        body = {
            "error": error.error,
            "error_description": description,
            "error_codes": [error.number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
        }
        return JSONResponse(body, status_code=error.status, headers=NO_STORE)


def _loopback(redirect: str, known: Registered) -> bool:
    """Where none is registered, any address of this machine will do."""
    starts = ("http://localhost", "http://127.0.0.1", "https://localhost", "https://127.0.0.1")
    return not known.redirect_uris and redirect.startswith(starts)


def _challenge(form: dict[str, str]) -> str:
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}


def _fields(body: bytes, content_type: str) -> dict[str, str]:
    """The form; a body of another type has no fields, which is how Entra treats JSON."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        return {}
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body))
    except ValueError:
        text = "Invalid request. Request is malformed or invalid."
        raise SignInError(400, "invalid_request", 9002313, text) from None
    return dict(pairs)


def _basic(authorization: str) -> dict[str, str]:
    """Client id and secret from a Basic header: encoded (RFC 6749 2.3.1), or plain as many do."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return {}
    client_id, _, secret = pair.partition(":")
    return {"client_id": unquote(client_id), "client_secret": unquote(secret)}


def _required(form: dict[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        text = f"The request body must contain the following parameter: '{name}'."
        raise SignInError(400, "invalid_request", 900144, text)
    return value
