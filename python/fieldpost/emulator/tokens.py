"""Tokens that were issued and until when; the Web API asks here. They live in memory only."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from .answer import Answer, header

LIFETIME_S = 3599


@dataclass(frozen=True, slots=True)
class Issued:
    """Whom a token was given to, for which name of the environment, and until when."""

    client_id: str
    resource: str
    expiry: float


class Tokens:
    """`url` is the environment's address."""

    def __init__(self, tenant: str, url: str, clock: Callable[[], float]) -> None:
        self._tenant = tenant
        self._url = url
        self._clock = clock
        self._issued: dict[str, Issued] = {}
        self._refreshing: dict[str, tuple[str, str]] = {}
        self.lifetime_s: float = LIFETIME_S
        self.issued = 0

    def issue(self, client_id: str, resource: str) -> str:
        """A new token with the lifetime now in force."""
        token = secrets.token_urlsafe(48)
        self._issued[token] = Issued(client_id, resource, self._clock() + self.lifetime_s)
        self.issued += 1
        return token

    def issue_refreshing(self, client_id: str, scope: str) -> str:
        """A token that only buys other tokens."""
        token = secrets.token_urlsafe(64)
        self._refreshing[token] = (client_id, scope)
        return token

    def refreshing(self, token: str) -> tuple[str, str] | None:
        """The client and the scope of such a token."""
        return self._refreshing.get(token)

    def holder(self, authorization: str | None) -> Issued | None:
        """Whose token this Authorization header carries; None where it opens no door."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        issued = self._issued.get(token.strip())
        return issued if issued and self._clock() < issued.expiry else None

    def revoke(self) -> None:
        """Make every token that was issued an unknown one, those for refreshing too."""
        self._issued.clear()
        self._refreshing.clear()

    def reset(self) -> None:
        """Count from nothing, with the usual lifetime; tokens that are out stay good."""
        self.lifetime_s, self.issued = LIFETIME_S, 0

    def challenge(self) -> Answer:
        """The 401 that tells a client where to sign in; it has no body."""
        url = self._url
        text = f"Bearer authorization_uri={url}/{self._tenant}/oauth2/authorize, resource_id={url}/"
        return Answer(401, [header(b"www-authenticate", text)])
