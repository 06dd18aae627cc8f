"""Credentials that are not asked for but kept: a token, a user name and password, a key.

They are read anew for each header, so that a rotated secret needs no restart.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod

from ..config import ApiKeyAuth, BasicAuth, BearerAuth, SecretRef
from ..errors import AuthError, ConfigError, Mistake
from ..secrets import Secret, resolve


def _refused(hint: str) -> AuthError:
    return AuthError("E605", "the destination refuses the credentials", "$.auth", hint)


class _Kept(ABC):
    """A header made of a secret; `refresh` helps only if the secret has been replaced."""

    header_name = "Authorization"

    @abstractmethod
    def header(self) -> str:
        """The header's value, made of the secret as it is now."""

    def refresh(self, rejected: str) -> str:
        """The value again if the secret has changed; AuthError if it is the rejected one."""
        value = self.header()
        if value == rejected:
            raise _refused("replace the secret that auth refers to")
        return value


class BearerCredentials(_Kept):
    """Authorization: Bearer <token>."""

    def __init__(self, scheme: BearerAuth) -> None:
        self._scheme = scheme

    def header(self) -> str:
        """The token as a header."""
        return Secret(f"Bearer {_sendable(self._scheme.token)}")


class BasicCredentials(_Kept):
    """Authorization: Basic <base64 of user:password>, in UTF-8 (RFC 7617)."""

    def __init__(self, scheme: BasicAuth) -> None:
        self._scheme = scheme

    def header(self) -> str:
        """User name and password as a header."""
        pair = f"{self._scheme.username}:{resolve(self._scheme.password)!s}"
        return Secret("Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii"))


class ApiKeyCredentials(_Kept):
    """A key in a header that the destination file names."""

    def __init__(self, scheme: ApiKeyAuth) -> None:
        self._scheme = scheme
        self.header_name = scheme.header

    def header(self) -> str:
        """The key."""
        return _sendable(self._scheme.value)


class NoCredentials:
    """Nothing to show, and nothing to refresh."""

    header_name = "Authorization"

    def header(self) -> str:
        """Always ""."""
        return ""

    def refresh(self, rejected: str) -> str:
        """Always an AuthError: the destination asks for credentials."""
        raise _refused("it asks for a sign-in; write auth: into the destination file")


def _sendable(ref: SecretRef) -> Secret:
    """A secret that may stand in a header as it is: visible ASCII."""
    value = resolve(ref)
    if all(" " <= mark <= "~" for mark in value):
        return value
    told = "the secret holds characters that no header can carry"
    raise ConfigError(
        [Mistake("E123", told, ref.path, ref.line, ref.column, "look at how it was copied")],
        ref.document,
    )
