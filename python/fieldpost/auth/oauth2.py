"""OAuth 2.0 client credentials (RFC 6749, section 4.4): a token, kept and renewed in time.

Several threads may ask at once: one request is made and all get its answer. Nothing is opened
before the first `header()`. A token endpoint that is ill is tried three times; one that refuses is
asked once. Neither tokens nor secrets are in any message, repr or pickle.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from ..config import OAuth2Auth
from ..config_values import is_loopback
from ..errors import AuthError
from ..secrets import Secret, resolve
from .entra import read_refusal

WAITS_S = (1.0, 2.0)  # before the second and the third try, unless Retry-After says more
LONGEST_WAIT_S = 60.0
EARLY_S = 300.0
EARLY_SHARE = 0.1
PAUSE_S = 30.0  # between two tries to renew a token that still holds
TIMEOUT_S = (10.0, 30.0)  # to connect, and between two bytes of the answer


@dataclass(frozen=True)
class _Token:
    """A header's value, when to ask for the next, and when it ends; None: not known."""

    header: Secret
    renew_at: float | None
    ends_at: float | None


@dataclass(frozen=True)
class _Trouble:
    """Why there is no token, and how long to wait if another try makes sense."""

    code: str
    message: str
    hint: str
    passing: bool
    wait_s: float | None = None


class OAuth2Credentials:
    """A bearer token by client credentials.

    ca_path: certificates of a private authority, PEM; clock: monotonic seconds; sleep: waits them.
    Proxies come from the environment (HTTPS_PROXY, NO_PROXY), except for loopback addresses.
    """

    header_name = "Authorization"

    def __init__(
        self,
        scheme: OAuth2Auth,
        ca_path: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._scheme = scheme
        self._ca_path = ca_path
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._finished = 0  # requests that had an outcome, good or bad
        self._failure: AuthError | None = None

    def __repr__(self) -> str:
        return f"OAuth2Credentials({self._scheme.token_url})"

    def __reduce__(self) -> tuple[Any, ...]:
        return OAuth2Credentials, (self._scheme, self._ca_path)

    def header(self) -> str:
        """`Bearer …`, asked for at first use and again shortly before it ends.

        Raises AuthError where no token can be had; a token that still holds is used meanwhile.
        """
        token = self._token
        if token is not None and not self._is_due(token):
            return token.header
        try:
            return self._single_flight(lambda held: held is not None and not self._is_due(held))
        except AuthError as error:
            if token is None or not error.unreachable or not self._postpone(token):
                raise
            return token.header

    def refresh(self, rejected: str) -> str:
        """A token other than the rejected header; asks only if no other thread has done so."""
        return self._single_flight(lambda held: held is not None and held.header != rejected)

    def _single_flight(self, is_good: Callable[[_Token | None], bool]) -> str:
        """Make one request for all who wait, and give its outcome, good or bad, to each."""
        finished = self._finished
        with self._lock:
            if self._token is not None and is_good(self._token):
                return self._token.header
            if self._finished != finished and self._failure is not None:
                raise AuthError(*self._failure.args)
            self._failure = None
            try:
                self._token = self._fetch()
            except AuthError as error:
                self._failure = AuthError(*error.args)
                raise
            finally:
                self._finished += 1
            return self._token.header

    def _is_due(self, token: _Token) -> bool:
        return token.renew_at is not None and self._clock() >= token.renew_at

    def _postpone(self, token: _Token) -> bool:
        """Go on with a token whose renewal failed, for a while; False if it has ended."""
        now = self._clock()
        if token.ends_at is None or now >= token.ends_at:
            return False
        with self._lock:
            if self._token is token:
                until = min(now + PAUSE_S, token.ends_at)
                self._token = replace(token, renew_at=until)
        return True

    def _fetch(self) -> _Token:
        secret = resolve(self._scheme.client_secret)
        answer = self._ask(secret)
        for usual_s in WAITS_S:
            if isinstance(answer, _Token) or not answer.passing:
                break
            wait_s = usual_s if answer.wait_s is None else answer.wait_s
            if wait_s > LONGEST_WAIT_S:
                break
            self._sleep(wait_s)
            answer = self._ask(secret)
        if isinstance(answer, _Token):
            return answer
        where = self._scheme.token_url.split("?")[0]
        unreachable = answer.code in ("E602", "E604")
        raise AuthError(answer.code, answer.message, where, answer.hint, unreachable)

    def _ask(self, secret: Secret) -> _Token | _Trouble:
        """One token request; exceptions of the libraries, which hold the request, end here."""
        import requests
        from authlib.integrations.base_client import OAuthError
        from authlib.integrations.requests_client import OAuth2Session

        seen: list[requests.Response] = []
        method = "client_secret_basic" if self._scheme.client_auth == "basic" else _POST
        asked_at = self._clock()
        try:
            with OAuth2Session(
                self._scheme.client_id,
                str(secret),
                token_endpoint_auth_method=method,
                scope=self._scheme.scope,
            ) as session:
                session.register_client_auth_method(("client_secret_basic", _basic))
                session.register_compliance_hook("access_token_response", _keeping(seen))
                session.fetch_token(
                    self._scheme.token_url,
                    grant_type="client_credentials",
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                    verify=str(self._ca_path) if self._ca_path else True,
                    proxies=_direct_if_loopback(self._scheme.token_url),
                )
        except (requests.exceptions.RequestException, OSError) as error:
            if not seen:
                return _unreachable(error)
        except (OAuthError, ValueError):
            pass  # the answer itself is looked at below
        return _judged(seen[0], secret, asked_at) if seen else _unusable("cannot be read")


_POST = "client_secret_post"


def _basic(client: Any, _method: str, uri: str, headers: Any, body: Any) -> tuple[Any, ...]:
    """HTTP Basic with both parts form-encoded first, as RFC 6749 (2.3.1) wants."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
    return uri, headers, body


def _direct_if_loopback(url: str) -> dict[str, str] | None:
    """What keeps requests from asking a proxy for this very machine."""
    return {"no_proxy": "*"} if is_loopback(urlsplit(url).hostname or "") else None


def _keeping(seen: list[Any]) -> Callable[[Any], Any]:
    def keep(response: Any) -> Any:
        seen.append(response)
        return response

    return keep


def _judged(response: Any, secret: Secret, asked_at: float) -> _Token | _Trouble:
    """What an answer means, whatever the library thinks of it."""
    status = response.status_code
    try:
        body = response.json()
    except ValueError:
        body = None
    if status == 200 and isinstance(body, dict) and "error" not in body:
        return _token(body, asked_at)
    if 200 <= status < 400 and not (isinstance(body, dict) and "error" in body):
        return _unusable(f"is HTTP {status} without a token")
    found = read_refusal(status, body, [secret])
    code = "E602" if found.passing else "E601"
    wait_s = _retry_after(response.headers.get("Retry-After"))
    return _Trouble(code, found.message, found.hint, found.passing, wait_s)


def _token(answer: Any, asked_at: float) -> _Token | _Trouble:
    value = answer.get("access_token")
    if not isinstance(value, str) or not value or not all("!" <= mark <= "~" for mark in value):
        return _unusable("holds no access_token that a header can carry")
    kind = answer.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return _unusable("holds a token that is not of type Bearer")
    header = Secret(f"Bearer {value}")
    lifetime = _seconds(answer.get("expires_in"))
    if lifetime is None:
        return _Token(header, None, None)
    early = min(EARLY_S, lifetime * EARLY_SHARE)
    return _Token(header, asked_at + lifetime - early, asked_at + lifetime)


def _seconds(value: Any) -> float | None:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < 1e9 else None


def _retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _unusable(what: str) -> _Trouble:
    hint = "is token_url the token endpoint?"
    return _Trouble("E603", f"the token endpoint's answer {what}", hint, passing=False)


def _untrusted() -> _Trouble:
    hint = "a private authority's certificates go into ca_file or FIELDPOST_CA_FILE"
    return _Trouble("E604", "the token endpoint's certificate is not trusted", hint, passing=False)


def _unreachable(error: BaseException) -> _Trouble:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _untrusted()
    told = f"the token endpoint cannot be reached ({type(error).__name__})"
    return _Trouble("E602", told, "look at token_url, the network and the proxy", passing=True)
