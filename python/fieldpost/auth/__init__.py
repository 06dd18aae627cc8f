"""Who we are: each scheme gives the value of one header, and none of them sends events.

credentials = auth.open_credentials(config)
credentials.header_name, credentials.header()     "Authorization", "Bearer …"
credentials.refresh(rejected)                     after a 401; many threads, one request
"""

from __future__ import annotations

from typing import Protocol

from ..client_certificate import client_certificate
from ..config import (
    ApiKeyAuth,
    AzureIdentityAuth,
    BasicAuth,
    BearerAuth,
    DestinationConfig,
    NoAuth,
    OAuth2Auth,
)
from ..errors import Mistake
from .azure import AzureCredentials
from .connect import Connection, Invitation, Person, Way
from .oauth2 import OAuth2Credentials
from .static import ApiKeyCredentials, BasicCredentials, BearerCredentials, NoCredentials
from .token_store import open_store

__all__ = [
    "Connection",
    "Credentials",
    "Invitation",
    "Person",
    "Way",
    "connection",
    "open_credentials",
    "open_store",
]


class Credentials(Protocol):
    """What every scheme offers; safe to use from several threads, pickled as configuration."""

    @property
    def header_name(self) -> str:
        """The header that carries the credentials: Authorization, or what the file names."""

    def header(self) -> str:
        """The header's value, or "" without credentials; asks for a token only where needed.

        Raises AuthError where none can be had, ConfigError where a secret is not there.
        """

    def refresh(self, rejected: str) -> str:
        """A value other than `rejected`, which the destination has refused.

        If another thread has got a newer one meanwhile, that one, without asking again.
        """


def open_credentials(config: DestinationConfig) -> Credentials:
    """The credentials that a destination's `auth` describes; nothing is asked yet."""
    scheme = config.auth
    if isinstance(scheme, BearerAuth):
        return BearerCredentials(scheme)
    if isinstance(scheme, BasicAuth):
        return BasicCredentials(scheme)
    if isinstance(scheme, ApiKeyAuth):
        return ApiKeyCredentials(scheme)
    if isinstance(scheme, AzureIdentityAuth):
        return AzureCredentials(scheme)
    if isinstance(scheme, NoAuth):
        return NoCredentials()
    store = open_store(scheme, config.id, config.directory)
    return OAuth2Credentials(
        scheme,
        config.ca_path,
        store=store,
        proxy=config.delivery.proxy,
        client=client_certificate(config),
    )


def connection(config: DestinationConfig) -> Connection:
    """A person's sign-in for a destination; raises ConfigError where none is foreseen."""
    scheme = config.auth
    if isinstance(scheme, OAuth2Auth) and scheme.grant == "authorization_code":
        store = open_store(scheme, config.id, config.directory)
        if store is not None:
            proxy, client = config.delivery.proxy, client_certificate(config)
            return Connection(scheme, store, config.ca_path, proxy=proxy, client=client)
    hint = "write auth: {type: oauth2, grant: authorization_code, …}"
    raise config.error([Mistake("E183", "nobody needs to sign in here", "$.auth", hint=hint)])
