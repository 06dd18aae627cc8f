"""A person signs in once, and the tokens are kept: what `fieldpost connect` does.

Three ways to the same grant: a browser of this machine that is sent back here (RFC 8252, PKCE); a
code typed in on any device (RFC 8628); an address that the person pastes back. What is told and
asked goes through the caller's functions: this module prints nothing.
"""

from __future__ import annotations

import html
import os
import secrets
import sys
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit, urlunsplit

from ..auth_scheme import OAuth2Auth
from ..client_certificate import ClientCertificate
from ..errors import AuthError
from ..proxy import Proxy
from ..secrets import Secret
from .client_tls import show_certificate
from .oauth2 import OAuth2Credentials
from .proxies import proxies_for, verify_proxy
from .token_endpoint import (
    TIMEOUT_S,
    Grant,
    TokenEndpoint,
    Trouble,
    hide_queries,
    json_of,
    refused,
    unreachable,
)
from .token_store import TokenStore

Way = Literal["auto", "browser", "device", "paste"]
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER_S = 5.0  # RFC 8628, 3.5
_MOST_WAIT_S = 1800.0


@dataclass(frozen=True)
class Invitation:
    """What a person has to do: open `url`; type `code` there, or paste back where it led."""

    way: Literal["browser", "device", "paste"]
    url: str
    code: str = ""


@dataclass(frozen=True)
class Person:
    """The caller's side: how a person is told, asked, and shown a page."""

    tell: Callable[[Invitation], None]
    paste: Callable[[], str] = input
    open_browser: Callable[[str], object] = webbrowser.open


class Connection:
    """One sign-in by a person. clock: monotonic seconds; sleep: waits them."""

    def __init__(
        self,
        scheme: OAuth2Auth,
        store: TokenStore,
        ca_path: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        proxy: Proxy | None = None,
        client: ClientCertificate | None = None,
    ) -> None:
        self._scheme = scheme
        self._store = store
        self._ca_path = ca_path
        self._clock = clock
        self._sleep = sleep
        self._proxy = proxy
        self._client = client
        self._endpoint = TokenEndpoint(scheme, ca_path, sleep, proxy, client)

    def sign_in(self, person: Person, way: Way = "auto", timeout_s: float = 300.0) -> str:
        """Get a grant and keep it; gives the place where it is kept.

        Raises AuthError: E623 where it was not finished in time, was denied or does not belong to
        this sign-in; E601 to E604 where the token endpoint gives nothing; E622 where it cannot be
        kept.
        """
        chosen = self._chosen(way)
        with self._store.locked():
            self._store.ready()  # before a person does what would be lost
        if chosen == "device":
            grant = self._by_device(person, timeout_s)
        else:
            grant = self._by_address(person, chosen == "browser", timeout_s)
        if grant.refresh_token is None:
            told = "the endpoint gave no refresh token, so the sign-in would end with the token"
            raise AuthError("E623", told, "$.auth.scope", "add offline_access to scope")
        with self._store.locked():
            OAuth2Credentials(self._scheme, self._ca_path, store=self._store).keep(grant)
        return self._store.place

    def _chosen(self, way: Way) -> str:
        if way != "auto":
            key = "device_url" if way == "device" else "authorize_url"
            if getattr(self._scheme, key) is None:
                told = f"this way of signing in needs {key}"
                raise AuthError("E623", told, f"$.auth.{key}", "write it into the file")
            return way
        if self._scheme.authorize_url and has_browser():
            return "browser"
        return "device" if self._scheme.device_url else "paste"

    # -- a page that leads back

    def _by_address(self, person: Person, browser: bool, timeout_s: float) -> Grant:
        from authlib.integrations.requests_client import OAuth2Session

        verifier, scheme = Secret(secrets.token_urlsafe(64)), self._scheme
        listener = _Listener(scheme.redirect_url) if browser else None
        redirect = listener.url if listener else _whole(scheme.redirect_url)
        try:
            with OAuth2Session(
                scheme.client_id,
                scope=scheme.scope,
                redirect_uri=redirect,
                code_challenge_method="S256",
            ) as session:
                url, state = session.create_authorization_url(
                    scheme.authorize_url, code_verifier=str(verifier), **scheme.authorize_params
                )
            person.tell(Invitation("browser" if listener else "paste", url))
            if listener:
                person.open_browser(url)
                answer = listener.wait(state, self._clock, timeout_s)
            else:
                answer = _fields(person.paste())
        finally:
            if listener:
                listener.close()
        code = _code(answer, state)
        return _granted(
            self._endpoint.ask(
                "authorization_code", code=code, redirect_uri=redirect, code_verifier=verifier
            ),
            scheme,
        )

    # -- a code typed in elsewhere

    def _by_device(self, person: Person, timeout_s: float) -> Grant:
        offer = self._device_offer()
        page = offer.get("verification_uri") or offer.get("verification_url")
        device_code, user_code = offer.get("device_code"), offer.get("user_code")
        if not all(isinstance(one, str) and one for one in (page, device_code, user_code)):
            hint = "is device_url the device authorization endpoint?"
            raise AuthError("E603", "the endpoint offers no device code", "$.auth.device_url", hint)
        person.tell(Invitation("device", str(page), str(user_code)))
        wait_s = _positive(offer.get("interval"), 5.0)
        end = self._clock() + min(timeout_s, _positive(offer.get("expires_in"), _MOST_WAIT_S))
        while self._clock() + wait_s < end:
            self._sleep(wait_s)
            answer = self._endpoint.ask(DEVICE, device_code=Secret(device_code))
            if isinstance(answer, Trouble) and answer.error == "slow_down":
                wait_s += _SLOWER_S
            elif isinstance(answer, Grant) or answer.error != "authorization_pending":
                return _granted(answer, self._scheme)
        raise _unfinished("nobody signed in within the time", "run it again")

    def _device_offer(self) -> dict[str, Any]:
        import requests

        hide_queries(self._scheme.device_url or "")
        scheme = self._scheme
        url = scheme.device_url or ""
        form = {"client_id": scheme.client_id} | ({"scope": scheme.scope} if scheme.scope else {})
        response = None
        try:
            with requests.Session() as session:
                verify_proxy(session)
                show_certificate(session, self._client)
                response = session.post(
                    url,
                    form,
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                    verify=str(self._ca_path) if self._ca_path else True,
                    proxies=proxies_for(url, self._proxy),
                )
        except (requests.exceptions.RequestException, OSError) as error:
            trouble = unreachable(error, "device_url")
        if response is None:
            raise trouble.raised(url)
        body = json_of(response)
        if response.status_code != 200 or not isinstance(body, dict):
            raise refused(response, body, []).raised(url)
        return body


def has_browser() -> bool:
    """Whether a page can be opened for a person at this machine."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


class _Listener:
    """Waits on this machine for the browser to come back; takes one answer."""

    def __init__(self, redirect_url: str) -> None:
        parts = urlsplit(redirect_url)
        self._answer: dict[str, str] | None = None
        self._path, problem = parts.path or "/", ""
        # A name such as localhost may mean ::1 to the browser; 127.0.0.1 is tried by all of them.
        host = parts.hostname if parts.hostname not in (None, "localhost") else "127.0.0.1"
        try:
            self._server = HTTPServer((str(host), parts.port or 0), self._handler())
        except OSError as error:
            problem = error.strerror or "it cannot be opened"
        if problem:
            told = f"port {parts.port or 0} of this machine cannot be used ({problem})"
            raise AuthError("E623", told, "$.auth.redirect_url", "name another port, or none")
        port = self._server.server_address[1]
        self.url = urlunsplit((parts.scheme, f"{parts.hostname}:{port}", self._path, "", ""))

    def wait(self, state: str, clock: Callable[[], float], timeout_s: float) -> dict[str, str]:
        """The fields of the address with this state by which the browser came back."""
        end = clock() + timeout_s
        self._state = state
        while self._answer is None:
            left_s = end - clock()
            if left_s <= 0:
                raise _unfinished("the browser did not come back in time", "run it again")
            self._server.timeout = min(left_s, 0.5)
            self._server.handle_request()
        return self._answer

    def close(self) -> None:
        """Let go of the port."""
        self._server.server_close()

    def _take(self, target: str) -> str:
        """What the person sees; other visitors than the expected one change nothing."""
        fields = _fields(target)
        if urlsplit(target).path != self._path or fields.get("state") != self._state:
            return ""
        self._answer = fields
        if "error" in fields:
            return "The sign-in was refused. You can close this page."
        return "You are signed in. You can close this page."

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                told = listener._take(self.path)
                page = f"<!doctype html><title>fieldpost</title><p>{html.escape(told)}</p>".encode()
                self.send_response(200 if told else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_args: Any) -> None:
                pass  # the address holds the code

        return Handler


def _whole(redirect_url: str) -> str:
    parts = urlsplit(redirect_url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", "", ""))


def _fields(address: str) -> dict[str, str]:
    query = urlsplit(address.strip()).query
    return {name: values[0] for name, values in parse_qs(query).items()}


def _code(answer: dict[str, str], state: str) -> Secret:
    """The code of an answer to our own question, or an AuthError."""
    if not secrets.compare_digest(answer.get("state", "").encode(), state.encode()):
        hint = "paste the whole address of the page that the sign-in led to"
        raise _unfinished("the answer does not belong to this sign-in", hint)
    if "error" in answer:
        word = "".join(mark for mark in answer["error"] if mark.isalnum() or mark in "_-.")[:64]
        raise _unfinished(f"the sign-in was refused: {word}", "ask who looks after the account")
    if not answer.get("code"):
        raise _unfinished("the answer holds no code", "run it again")
    return Secret(answer["code"])


def _granted(answer: Grant | Trouble, scheme: OAuth2Auth) -> Grant:
    if isinstance(answer, Grant):
        return answer
    if answer.error in ("access_denied", "expired_token"):
        raise _unfinished(f"the sign-in was refused: {answer.error}", "run it again")
    raise answer.raised(scheme.token_url)


def _unfinished(message: str, hint: str) -> AuthError:
    return AuthError("E623", message, "$.auth", hint)


def _positive(value: Any, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else otherwise
