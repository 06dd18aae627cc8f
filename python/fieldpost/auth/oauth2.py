"""OAuth 2.0: a token by the grant that `auth` names, kept and renewed in time.

Several threads may ask at once: one request is made and all get its answer. Where tokens are kept
(token_store.py) the same holds for processes. Nothing is opened before the first `header()`. A
token endpoint that cannot be reached takes nothing away: what is kept stays, and a token that still
holds is used meanwhile. Neither tokens nor secrets are in any message, repr or pickle.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..auth_scheme import OAuth2Auth
from ..client_certificate import ClientCertificate
from ..errors import AuthError
from ..proxy import Proxy
from ..redaction import shown_address
from ..secrets import Secret, resolve
from .token_endpoint import Grant, TokenEndpoint, Trouble
from .token_store import Kept, TokenStore

EARLY_S = 300.0
EARLY_SHARE = 0.1
PAUSE_S = 30.0  # between two tries to renew a token that still holds
CONNECT = "sign in: fieldpost connect"


@dataclass(frozen=True)
class _Token:
    """A header's value, when to ask for the next, and when it ends; None: not known."""

    header: Secret
    renew_at: float | None
    ends_at: float | None


_Good = Callable[[_Token | None], bool]


class OAuth2Credentials:
    """A bearer token.

    ca_path: certificates of a private authority, PEM; clock: monotonic seconds; sleep: waits them;
    store: where tokens are kept beyond this process. proxy, client: as the destination file names
    them.
    """

    header_name = "Authorization"

    def __init__(
        self,
        scheme: OAuth2Auth,
        ca_path: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        store: TokenStore | None = None,
        proxy: Proxy | None = None,
        client: ClientCertificate | None = None,
    ) -> None:
        self._scheme = scheme
        self._ca_path = ca_path
        self._clock = clock
        self._store = store
        self._proxy = proxy
        self._client = client
        self._endpoint = TokenEndpoint(scheme, ca_path, sleep, proxy, client)
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._finished = 0  # requests that had an outcome, good or bad
        self._failure: AuthError | None = None

    def __repr__(self) -> str:
        return f"OAuth2Credentials({shown_address(self._scheme.token_url)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self._scheme, self._ca_path, self._store, self._proxy, self._client)

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

    def _single_flight(self, is_good: _Good) -> str:
        """Make one request for all who wait, and give its outcome, good or bad, to each."""
        finished = self._finished
        with self._lock:
            if self._token is not None and is_good(self._token):
                return self._token.header
            if self._finished != finished and self._failure is not None:
                raise AuthError(*self._failure.args)
            self._failure = None
            try:
                self._token = self._renewed(is_good)
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
        with self._lock:
            later = self._later(token)
            if later is not None and self._token is token:
                self._token = later
        return later is not None

    def _later(self, token: _Token) -> _Token | None:
        now = self._clock()
        if token.ends_at is None or now >= token.ends_at:
            return None
        return replace(token, renew_at=min(now + PAUSE_S, token.ends_at))

    # -- one token

    def _renewed(self, is_good: _Good) -> _Token:
        asked_at = self._clock()
        if self._store is None:
            return self._dated(self._granted(self._endpoint.ask(self._scheme.grant)), asked_at)
        with self._store.locked():
            kept = self._store.read()
            token = self._of_kept(kept)
            if token is not None and is_good(token):
                return token
            try:
                return self._by_kept(kept)
            except AuthError as error:
                held = self._later(token) if token is not None and error.unreachable else None
                if held is None or not is_good(held):
                    raise
                return held

    def _by_kept(self, kept: Kept) -> _Token:
        """Ask with what is kept, and keep what comes before it is used."""
        assert self._store is not None
        asked_at = self._clock()
        if self._scheme.grant == "client_credentials":
            refresh, origin = None, ""
            grant = self._granted(self._endpoint.ask("client_credentials"))
        else:
            refresh, origin = self._refresh_token(kept)
            self._store.ready()  # the answer may take the old refresh token away
            grant = self._granted(self._endpoint.ask("refresh_token", refresh_token=refresh))
        token = self._dated(grant, asked_at)
        self.keep(grant, refresh, origin)
        return token

    def keep(self, grant: Grant, refresh: Secret | None = None, origin: str = "") -> None:
        """Keep a grant; refresh: the token that stays where the endpoint gives no new one."""
        assert self._store is not None
        now, token = time.time(), self._dated(grant, self._clock())
        since = now - self._clock()
        self._store.write(
            Kept(
                header=token.header,
                refresh_token=grant.refresh_token or refresh,
                renew_at=None if token.renew_at is None else token.renew_at + since,
                ends_at=None if token.ends_at is None else token.ends_at + since,
                origin=origin,
            )
        )

    def _of_kept(self, kept: Kept) -> _Token | None:
        """The kept token, its times in this process's seconds; None once it has ended."""
        if kept.header is None or (kept.ends_at is not None and time.time() >= kept.ends_at):
            return None
        since = self._clock() - time.time()
        renew_at = None if kept.renew_at is None else kept.renew_at + since
        return _Token(kept.header, renew_at, None if kept.ends_at is None else kept.ends_at + since)

    def _refresh_token(self, kept: Kept) -> tuple[Secret, str]:
        """The refresh token to use, and the hash of the one that the file refers to."""
        reference = self._scheme.refresh_token
        if reference is not None:
            given = resolve(reference)
            origin = hashlib.sha256(given.encode()).hexdigest()
            if kept.refresh_token is None or kept.origin != origin:
                return given, origin
            return kept.refresh_token, origin
        if kept.refresh_token is None:
            assert self._store is not None
            told = "nobody has signed in yet" if kept.header is None else "no refresh token is kept"
            raise AuthError("E620", f"{told}: {self._store.place} holds none", "$.auth", CONNECT)
        return kept.refresh_token, ""

    def _granted(self, answer: Grant | Trouble) -> Grant:
        if isinstance(answer, Grant):
            return answer
        if answer.error in ("invalid_grant", "interaction_required", "consent_required"):
            person = self._scheme.grant == "authorization_code"
            hint = CONNECT if person else answer.hint
            if self._scheme.grant != "client_credentials":
                answer = replace(answer, code="E621", hint=hint)
        raise answer.raised(self._scheme.token_url)

    def _dated(self, grant: Grant, asked_at: float) -> _Token:
        lifetime = grant.lifetime_s
        if lifetime is None:
            return _Token(grant.header, None, None)
        early = min(EARLY_S, lifetime * EARLY_SHARE)
        return _Token(grant.header, asked_at + lifetime - early, asked_at + lifetime)


def _again(
    scheme: OAuth2Auth,
    ca_path: Path | None,
    store: TokenStore | None,
    proxy: Proxy | None,
    client: ClientCertificate | None,
) -> OAuth2Credentials:
    return OAuth2Credentials(scheme, ca_path, store=store, proxy=proxy, client=client)
