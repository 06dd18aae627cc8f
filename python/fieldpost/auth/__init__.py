"""Who we are: each scheme gives the value of one header, and none of them sends events.

credentials = auth.open_credentials(config)
credentials.header_name, credentials.header()     "Authorization", "Bearer …"
credentials.refresh(rejected)                     after a 401; many threads, one request
"""

from __future__ import annotations

from typing import Protocol

from ..config import ApiKeyAuth, BasicAuth, BearerAuth, DestinationConfig, NoAuth
from .oauth2 import OAuth2Credentials
from .static import ApiKeyCredentials, BasicCredentials, BearerCredentials, NoCredentials

__all__ = ["Credentials", "open_credentials"]


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
    if isinstance(scheme, NoAuth):
        return NoCredentials()
    return OAuth2Credentials(scheme, config.ca_path)
