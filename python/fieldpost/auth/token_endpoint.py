"""One request to a token endpoint: its form, its repetition, and what its answer means.

An endpoint that is ill is tried three times; one that refuses is asked once. Exceptions of the
libraries, which hold the request, end here: neither tokens nor secrets are in any message.
"""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from ..auth_scheme import OAuth2Auth
from ..client_certificate import ClientCertificate
from ..config_values import SecretRef
from ..errors import AuthError
from ..proxy import Proxy
from ..redaction import address_secrets, shown_address
from ..retry_after import retry_after_s
from ..secret_marks import doubts_of
from ..secrets import Secret, origin, resolve
from .client_assertion import client_assertion
from .client_tls import show_certificate
from .entra import read_refusal
from .proxies import proxies_for, verify_proxy

WAITS_S = (1.0, 2.0)  # before the second and the third try, unless Retry-After says more
LONGEST_WAIT_S = 60.0
_ASKED_IN_A_LOOP = 50196  # another try at once would prolong it
# In which OpenSSL says that the other side did not accept our certificate, or missed one.
_CERTIFICATE_ALERTS = (
    *("ALERT_CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA"),
    *("ALERT_CERTIFICATE_EXPIRED", "ALERT_CERTIFICATE_UNKNOWN", "ALERT_ACCESS_DENIED"),
    *("ALERT_CERTIFICATE_REVOKED", "ALERT_UNSUPPORTED_CERTIFICATE"),
)
TIMEOUT_S = (10.0, 30.0)  # to connect, and between two bytes of the answer


@dataclass(frozen=True)
class Grant:
    """What a token endpoint gave: the header's value, a refresh token, and how long it holds."""

    header: Secret
    refresh_token: Secret | None
    lifetime_s: float | None


@dataclass(frozen=True)
class Trouble:
    """Why there is no token; error is the endpoint's own word, such as invalid_grant."""

    code: str
    message: str
    hint: str
    passing: bool
    wait_s: float | None = None
    error: str = ""
    number: int = 0  # Entra's

    def raised(self, url: str) -> AuthError:
        """The exception that tells it."""
        unreachable = self.code in ("E602", "E604")
        return AuthError(self.code, self.message, shown_address(url), self.hint, unreachable)


class TokenEndpoint:
    """Asks the endpoint that `scheme` names, with the client's secret as it is at that moment.

    ca_path: certificates of a private authority, PEM; sleep: waits seconds. proxy: as the
    destination file names it; None: the environment's (HTTPS_PROXY, NO_PROXY), not for loopback.
    client: the certificate that is shown to an endpoint that asks for one.
    """

    def __init__(
        self,
        scheme: OAuth2Auth,
        ca_path: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
        proxy: Proxy | None = None,
        client: ClientCertificate | None = None,
    ) -> None:
        self.scheme = scheme
        self._ca_path = ca_path
        self._proxy = proxy
        self._client = client
        self._sleep = sleep

    def ask(self, grant_type: str, **form: str) -> Grant | Trouble:
        """A token by this grant, or why there is none; form: the grant's own parameters.

        What of it is a Secret is repeated nowhere, whatever the endpoint says.
        """
        client = self._client_secret()
        form |= {name: _parameter(value) for name, value in self.scheme.token_params.items()}
        hidden = [one for one in (*client.values(), *form.values()) if isinstance(one, Secret)]
        hidden += address_secrets(self.scheme.token_url)
        answer = self._once(grant_type, client, form, hidden)
        for usual_s in WAITS_S:
            if isinstance(answer, Grant) or not answer.passing:
                break
            wait_s = usual_s if answer.wait_s is None else answer.wait_s
            if wait_s > LONGEST_WAIT_S:
                break
            self._sleep(wait_s)
            answer = self._once(grant_type, client, form, hidden)
        return answer

    def _client_secret(self) -> dict[str, Secret]:
        scheme = self.scheme
        if scheme.certificate is not None:
            return client_assertion(scheme)
        if scheme.client_secret is None:
            return {}
        return {"client_secret": resolve(scheme.client_secret)}

    def _once(
        self, grant_type: str, client: dict[str, Secret], form: dict[str, str], hidden: list[Secret]
    ) -> Grant | Trouble:
        import requests
        from authlib.common.errors import AuthlibBaseError
        from authlib.integrations.requests_client import OAuth2Session

        hide_queries(self.scheme.token_url)
        scheme, seen = self.scheme, list[requests.Response]()
        secret = client.get("client_secret")
        try:
            with OAuth2Session(
                scheme.client_id,
                str(secret) if secret else None,
                token_endpoint_auth_method=_method(scheme, secret),
                scope=scheme.scope,
            ) as session:
                verify_proxy(session)
                show_certificate(session, self._client)
                session.register_client_auth_method(("client_secret_basic", _basic))
                for hook in ("access_token_response", "refresh_token_response"):
                    session.register_compliance_hook(hook, _keeping(seen))
                code = {"code": form["code"]} if "code" in form else {}  # the library looks for it
                given = {k: v for k, v in form.items() if k != "code"}
                session.fetch_token(
                    scheme.token_url,
                    urlencode(given if secret else given | client),
                    grant_type=grant_type,
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                    verify=str(self._ca_path) if self._ca_path else True,
                    proxies=proxies_for(scheme.token_url, self._proxy),
                    **code,
                )
        except (requests.exceptions.RequestException, OSError) as error:
            if not seen:
                return unreachable(error, "token_url")
        except (AuthlibBaseError, ValueError):
            pass  # the answer itself is looked at below
        return self._judged(seen[0], hidden) if seen else _unusable("cannot be read")

    def _judged(self, response: Any, hidden: list[Secret]) -> Grant | Trouble:
        """What an answer means, whatever the library thinks of it."""
        status = response.status_code
        body = json_of(response)
        if status == 200 and isinstance(body, dict) and "error" not in body:
            return self._grant(body)
        if isinstance(body, dict) and "error" in body:
            trouble = refused(response, body, hidden)
            return replace(trouble, hint=trouble.hint + self._doubts(trouble.number))
        return no_answer_of_a_token(response)

    def _doubts(self, number: int) -> str:
        """The marks in a secret that was refused which come from copying it."""
        if number not in (7000215, 70002) or self.scheme.client_secret is None:
            return ""
        found = doubts_of(resolve(self.scheme.client_secret))
        return f"; {origin(self.scheme.client_secret)} {' and '.join(found)}" if found else ""

    def _grant(self, answer: Any) -> Grant | Trouble:
        value = answer.get("access_token")
        if not _sendable(value):
            return _unusable("holds no access_token that a header can carry")
        kind = answer.get("token_type", "Bearer")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            return _unusable("holds a token that is not of type Bearer")
        refresh = answer.get("refresh_token")
        return Grant(
            Secret(f"{self.scheme.token_prefix} {value}"),
            Secret(refresh) if isinstance(refresh, str) and refresh else None,
            _seconds(answer.get("expires_in")),
        )


class _QueryFilter(logging.Filter):
    """Leaves the query, which may hold a key, out of what urllib3 logs of a request; and the path
    of an address that came by reference."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record."""
        if isinstance(record.args, tuple):
            record.args = tuple(map(self._shown, record.args))
        return True

    def _shown(self, one: object) -> object:
        if not isinstance(one, str):
            return one
        path, mark, _query = one.partition("?")
        return ("/…" if path in self.paths else path) + (mark and "?…")


_NO_QUERIES = _QueryFilter()


def hide_queries(url: str) -> None:
    """From now on, and the path of this address too where it came by reference."""
    _NO_QUERIES.paths |= {one for one in address_secrets(url) if one.startswith("/")}
    logging.getLogger("urllib3.connectionpool").addFilter(_NO_QUERIES)


def _sendable(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and all("!" <= mark <= "~" for mark in value)


def _parameter(value: Any) -> str:
    """A text of the file, or a secret of its own; as the form wants it."""
    if isinstance(value, SecretRef):
        return resolve(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _method(scheme: OAuth2Auth, secret: Secret | None) -> str:
    if secret is None:
        return "none"
    return "client_secret_basic" if scheme.client_auth == "basic" else "client_secret_post"


def _basic(client: Any, _method: str, uri: str, headers: Any, body: Any) -> tuple[Any, ...]:
    """HTTP Basic with both parts form-encoded first, as RFC 6749 (2.3.1) wants."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
    return uri, headers, body


def _keeping(seen: list[Any]) -> Callable[[Any], Any]:
    def keep(response: Any) -> Any:
        seen.append(response)
        return response

    return keep


def json_of(response: Any) -> Any:
    """The JSON of an answer, or None."""
    try:
        return response.json()
    except ValueError:
        return None


def refused(response: Any, body: Any, hidden: Iterable[str]) -> Trouble:
    """An answer that says no, in its own words."""
    found = read_refusal(response.status_code, body, hidden)
    code = "E602" if found.passing else "E601"
    wait_s = retry_after_s(response.headers.get("Retry-After"), response.headers.get("Date"))
    error = body.get("error") if isinstance(body, dict) else ""
    if found.number == _ASKED_IN_A_LOOP:
        wait_s = LONGEST_WAIT_S + 1
    return Trouble(code, found.message, found.hint, found.passing, wait_s, str(error), found.number)


def _seconds(value: Any) -> float | None:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < 1e9 else None


def no_answer_of_a_token(response: Any) -> Trouble:
    """An answer that is none of a token endpoint: a redirect, a web page, a gateway's word."""
    status, kind = response.status_code, response.headers.get("Content-Type", "")
    place = urlsplit(response.headers.get("Location", "")).hostname
    if 300 <= status < 400:
        told = f"is a redirect (HTTP {status}){f' to {place}' if place else ''}"
        return _unusable(told, f"author: token_url is the token endpoint itself; {_PROXY}")
    if "html" in kind.lower() or response.content[:512].lstrip()[:1] == b"<":
        told = f"is a web page (HTTP {status}), as of a proxy, a captive portal or a sign-in"
        if status == 429 or status >= 500:
            told = f"the token endpoint's answer {told}"
            return replace(refused(response, None, ()), message=told, hint=_ILL)
        return _unusable(told, f"{_PROXY}; author: is token_url the token endpoint?")
    if status >= 400:
        return refused(response, None, ())
    return _unusable(f"is HTTP {status} without a token")


_PROXY = "operator: look whether a proxy or the network's own sign-in page answered in its place"
_ILL = "nobody: a gateway before the token endpoint is ill; it is tried again"


def _unusable(what: str, hint: str = "author: is token_url the token endpoint?") -> Trouble:
    return Trouble("E603", f"the token endpoint's answer {what}", hint, passing=False)


def _untrusted() -> Trouble:
    hint = "a private authority's certificates go into ca_file or FIELDPOST_CA_FILE"
    return Trouble("E604", "the token endpoint's certificate is not trusted", hint, passing=False)


def _unshown() -> Trouble:
    told = "the token endpoint wants a client certificate that it accepts"
    hint = "give it as client_cert and client_key in the destination file"
    return Trouble("E604", told, hint, passing=False)


def unreachable(error: BaseException, key: str) -> Trouble:
    """No answer at all; key: which address of `auth` was asked."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _untrusted()
    if any(alert in str(error) for alert in _CERTIFICATE_ALERTS):
        return _unshown()
    told = f"the token endpoint cannot be reached ({type(error).__name__})"
    return Trouble("E602", told, f"look at {key}, the network and the proxy", passing=True)
