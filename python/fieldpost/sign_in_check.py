"""The sign-in as far as it can be looked at without a network: what its references bring.

A secret that is not here is not missed: where the file is checked may not be where it runs. Nothing
of a secret is repeated.
"""

from __future__ import annotations

from typing import NamedTuple

from . import entra_rules
from .auth.signing_certificate import signing_certificate
from .auth_scheme import OAuth2Auth
from .config import DestinationConfig
from .config_values import SecretRef
from .errors import AuthError, ConfigError, Mistake
from .secret_marks import ID_FOR_VALUE, doubts_of
from .secrets import origin, resolve_text

_SECRETS = ("client_secret", "token", "password", "value", "certificate_password", "refresh_token")


class Findings(NamedTuple):
    """mistakes: it cannot work; warnings: it can hardly be meant."""

    mistakes: list[Mistake]
    warnings: list[Mistake]


def findings(config: DestinationConfig) -> Findings:
    """Of the `auth` of one file, with line and column."""
    warned = list(entra_rules.warnings(config.reading.resolved, config.reading.places))
    for name in _SECRETS:
        ref = getattr(config.auth, name, None)
        if isinstance(ref, SecretRef):
            warned += _doubts(ref, is_client_secret=name == "client_secret")
    return Findings(config.placed(_certificate(config)), warned)


def _doubts(ref: SecretRef, *, is_client_secret: bool) -> list[Mistake]:
    if ref.env is None and ref.file is None:
        return []  # a keyring or Airflow may ask a person, or a network
    try:
        secret = resolve_text(ref)
    except ConfigError:
        return []
    found = [one for one in doubts_of(secret) if is_client_secret or one != ID_FOR_VALUE]
    hint = "take it anew from where it was given, alone"
    if ID_FOR_VALUE in found:
        hint = "take the secret's value, which Entra shows once, when it is made"
    return [
        Mistake("E193", f"{origin(ref)} {one}", ref.path, ref.line, ref.column, hint)
        for one in found
    ]


def _certificate(config: DestinationConfig) -> list[Mistake]:
    if not isinstance(config.auth, OAuth2Auth) or config.auth.certificate is None:
        return []
    try:
        signing_certificate(config.auth)
    except AuthError as error:
        return [Mistake(error.code, error.message, "$.auth.certificate", hint=error.hint)]
    except ConfigError:  # not here, which is told where it is needed
        return []
    return []
