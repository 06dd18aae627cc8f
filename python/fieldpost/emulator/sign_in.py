"""Sign-in: the token endpoint and the tokens it gave out.

Rules: "Microsoft identity platform and the OAuth 2.0 client credentials flow" and "Microsoft Entra
authentication and authorization error codes". Tokens are opaque; they live in memory only, so a
restarted emulator knows none of them.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .answer import Answer, header

LIFETIME_S = 3599
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Application:
    """The one application that this environment knows, and where it lives."""

    tenant: str
    client_id: str
    client_secret: str
    url: str

    @property
    def scope(self) -> str:
        """What a token for this environment is asked with."""
        return f"{self.url}/.default"


class Tokens:
    """What was issued and until when; the Web API asks here."""

    def __init__(self, application: Application, clock: Callable[[], float]) -> None:
        self._application = application
        self._clock = clock
        self._expiries: dict[str, float] = {}
        self.lifetime_s: float = LIFETIME_S
        self.issued = 0

    def issue(self) -> str:
        """A new token with the lifetime now in force."""
        token = secrets.token_urlsafe(48)
        self._expiries[token] = self._clock() + self.lifetime_s
        self.issued += 1
        return token

    def valid(self, authorization: str | None) -> bool:
        """Whether this Authorization header opens the door."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        return self._clock() < self._expiries.get(token.strip(), float("-inf"))

    def revoke(self) -> None:
        """Make every token that was issued an unknown one."""
        self._expiries.clear()

    def reset(self) -> None:
        """Count from nothing, with the usual lifetime; tokens that are out stay good."""
        self.lifetime_s, self.issued = LIFETIME_S, 0

    def challenge(self) -> Answer:
        """The 401 that tells a client where to sign in; it has no body."""
        url, tenant = self._application.url, self._application.tenant
        text = f"Bearer authorization_uri={url}/{tenant}/oauth2/authorize, resource_id={url}/"
        return Answer(401, [header(b"www-authenticate", text)])


class SignInError(Exception):
    """A refusal in Entra's own shape."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(text)
        self.status, self.error, self.number, self.text = status, error, number, text


class SignIn:
    """The endpoint `POST /{tenant}/oauth2/v2.0/token`."""

    def __init__(
        self, application: Application, tokens: Tokens, clock: Callable[[], float]
    ) -> None:
        self._application = application
        self._tokens = tokens
        self._clock = clock

    async def token(self, request: Request) -> Response:
        """Answer one request for a token."""
        try:
            form = _fields(await request.body(), request.headers.get("content-type", ""))
            form |= _basic(request.headers.get("authorization", ""))
            self._check(request.path_params["tenant"], form)
        except SignInError as error:
            return self._refused(error)
        token = self._tokens.issue()
        lifetime = int(self._tokens.lifetime_s)
        answer = {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime}
        return JSONResponse({**answer, "access_token": token}, headers=NO_STORE)

    def _check(self, tenant: str, form: dict[str, str]) -> None:
        known = self._application
        if tenant.lower() != known.tenant.lower():
            raise SignInError(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        grant = _required(form, "grant_type")
        client_id = _required(form, "client_id")
        scope = _required(form, "scope")
        if grant != "client_credentials":
            text = f"The app requested an unsupported grant type '{grant}'."
            raise SignInError(400, "unsupported_grant_type", 70003, text)
        self._check_client(client_id, form.get("client_secret"))
        self._check_scope(scope)

    def _check_client(self, client_id: str, secret: str | None) -> None:
        known = self._application
        if client_id.lower() != known.client_id.lower():
            text = (
                f"Application with identifier '{client_id}' was not found in the directory "
                f"'{known.tenant}'."
            )
            raise SignInError(400, "unauthorized_client", 700016, text)
        if not secret:
            text = (
                "The request body must contain the following parameter: 'client_assertion' or "
                "'client_secret'."
            )
            raise SignInError(401, "invalid_client", 7000218, text)
        if not secrets.compare_digest(secret.encode(), known.client_secret.encode()):
            text = (
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client secret value, not the client secret ID, for a secret added to app "
                f"'{known.client_id}'."
            )
            raise SignInError(401, "invalid_client", 7000215, text)

    def _check_scope(self, scope: str) -> None:
        resource = scope.removesuffix("/.default")
        if resource == scope or " " in scope:
            text = (
                f"The provided value for scope {scope} is not valid. Client credential flows must "
                "have a scope value with /.default suffixed to the resource identifier "
                "(application ID URI)."
            )
            raise SignInError(400, "invalid_scope", 1002012, text)
        if resource != self._application.url:
            text = (
                f"The resource principal named {resource} was not found in the tenant named "
                f"{self._application.tenant}."
            )
            raise SignInError(400, "invalid_resource", 500011, text)

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
    """Client id and secret from a Basic header; form-encoded in it, as RFC 6749 2.3.1 asks."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return {}
    client_id, _, secret = pair.partition(":")
    return {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}


def _required(form: dict[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        text = f"The request body must contain the following parameter: '{name}'."
        raise SignInError(400, "invalid_request", 900144, text)
    return value
