"""A token of any credential of azure-identity: managed identity, workload identity, the Azure CLI.

The library keeps and renews its tokens; it is imported only when a token is wanted.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Any

from ..auth_scheme import AzureIdentityAuth
from ..config_values import SecretRef
from ..errors import AuthError
from ..secrets import Secret, resolve
from .entra_codes import BY_NUMBER

EARLY_S = 300.0  # the library renews by itself from here on
_CHECK_S = 30.0  # between two questions while a token is about to end


class AzureCredentials:
    """Authorization: Bearer <token>, from the class that the destination file names."""

    header_name = "Authorization"

    def __init__(self, scheme: AzureIdentityAuth) -> None:
        self._scheme = scheme
        self._lock = threading.Lock()
        self._credential: Any = None
        self._header: Secret | None = None
        self._ask_at = 0.0  # Unix seconds

    def __repr__(self) -> str:
        return f"AzureCredentials({self._scheme.credential})"

    def __reduce__(self) -> tuple[Any, ...]:
        return AzureCredentials, (self._scheme,)

    def header(self) -> str:
        """The token as a header; raises AuthError (E625) where the credential gives none."""
        with self._lock:
            if self._header is None or time.time() >= self._ask_at:
                self._header = self._fetch()
            return self._header

    def refresh(self, rejected: str) -> str:
        """A token other than the rejected one, by a credential that remembers none."""
        with self._lock:
            if self._header is None or self._header == rejected:
                self._credential = None
                self._header = self._fetch()
            if self._header == rejected:
                told = "the destination refuses the credential's token"
                raise AuthError("E605", told, "$.auth", "give the identity its rights there")
            return self._header

    def _fetch(self) -> Secret:
        if self._credential is None:
            self._credential = self._made()
        problem = ""
        try:
            token = self._credential.get_token(self._scheme.scope)
        except Exception as error:  # of each credential, its transport and its processes
            problem = f"{type(error).__name__}{_number(error)}"
            unreachable, hint = _is_passing(error), _hint(error)
        if problem:
            told = f"{self._scheme.credential} gives no token ({problem})"
            raise AuthError("E625", told, "$.auth", hint, unreachable)
        now = time.time()
        self._ask_at = max(token.expires_on - EARLY_S, now + _CHECK_S)
        if token.expires_on <= self._ask_at:
            self._ask_at = now
        return Secret(f"Bearer {token.token}")

    def _made(self) -> Any:
        problem = ""
        try:
            import azure.identity
        except ImportError:
            problem = "the library azure-identity is not installed"
        if problem:
            raise AuthError("E625", problem, "$.auth", "pip install 'fieldpost[azure]'")
        kind = getattr(azure.identity, self._scheme.credential, None)
        if kind is None:
            told = f"azure-identity has no {self._scheme.credential}"
            raise AuthError("E625", told, "$.auth.credential", "look at the class's name")
        given = self._scheme.arguments.items()
        arguments = {n: str(resolve(v)) if isinstance(v, SecretRef) else v for n, v in given}
        try:
            return kind(**arguments)
        except (TypeError, ValueError):  # their texts may quote an argument
            problem = f"{self._scheme.credential} does not take these arguments"
        hint = "they are those of the class in azure-identity"
        raise AuthError("E625", problem, "$.auth.arguments", hint)


def _is_passing(error: Exception) -> bool:
    """Whether the network failed, rather than the sign-in."""
    return type(error).__name__ in ("ServiceRequestError", "ServiceResponseError", "TimeoutError")


def _numbers(error: Exception) -> list[int]:
    return [int(one) for one in re.findall(r"AADSTS(\d{4,9})", str(error))]


def _number(error: Exception) -> str:
    return "".join(f", AADSTS{one}" for one in _numbers(error)[:1])


def _hint(error: Exception) -> str:
    known = [BY_NUMBER[one].hint for one in _numbers(error) if one in BY_NUMBER]
    return known[0] if known else "look at credential: and arguments:, and at the machine's sign-in"
