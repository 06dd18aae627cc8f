"""The certificate that a destination is shown, where it wants one, with its private key.

`client_cert`, `client_key` and `client_key_password` of a destination file are references or paths.
They are read each time they are needed, and looked at before anything is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from .config import DestinationConfig, SecretRef
from .errors import ConfigError, Mistake
from .secrets import Secret, resolve, resolve_text

__all__ = ["ClientCertificate", "client_certificate"]

_HINT = "PEM, as -----BEGIN CERTIFICATE-----, the chain behind it"
_KEY_HINT = "PEM, as -----BEGIN PRIVATE KEY-----, in client_key or in client_cert itself"


@dataclass(frozen=True)
class ClientCertificate:
    """Where the parts are kept; key None: in the certificate's own text."""

    certificate: SecretRef
    key: SecretRef | None = None
    password: SecretRef | None = None

    def read(self) -> tuple[Secret, Secret, Secret]:
        """(certificate and chain, key, the key's password or ""), in PEM.

        Raises ConfigError where a part is not there, or where they cannot be used: E642, or E643
        for a certificate out of its time.
        """
        certificate = resolve_text(self.certificate)
        key = resolve_text(self.key) if self.key is not None else certificate
        password = resolve(self.password) if self.password is not None else Secret("")
        self._look_at(certificate, key, password)
        return certificate, key, password

    def _look_at(self, certificate: str, key: str, password: str) -> None:
        from cryptography import x509

        try:
            shown = x509.load_pem_x509_certificate(certificate.encode())
        except ValueError:
            shown = None
        if shown is None:
            _refuse(self.certificate, "E642", "it holds no certificate in PEM form", _HINT)
        public = self._key_of(key, password)
        if public != shown.public_key():
            told = "the key belongs to another certificate"
            _refuse(self.key or self.certificate, "E642", told, "the leaf stands first in the file")
        now = datetime.now(UTC)
        if shown.not_valid_after_utc < now:
            told = f"the client certificate expired on {shown.not_valid_after_utc:%Y-%m-%d}"
            _refuse(self.certificate, "E643", told, "have it renewed")
        if shown.not_valid_before_utc > now:
            told = f"the client certificate holds from {shown.not_valid_before_utc:%Y-%m-%d} on"
            _refuse(self.certificate, "E643", told, "is this machine's clock right?")

    def _key_of(self, key: str, password: str) -> Any:
        """The public half of the key."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        place, problem, hint = self.key or self.certificate, "", _KEY_HINT
        try:
            private = load_pem_private_key(key.encode(), password.encode() or None)
        except TypeError:  # its text does not quote the key
            problem = "the key is not encrypted" if password else "the key is encrypted"
            hint = "remove client_key_password" if password else "give client_key_password"
        except (ValueError, UnsupportedAlgorithm):
            problem = "it holds no private key in PEM form"
            problem += ", or client_key_password is wrong" if password else ""
        if problem:
            _refuse(place, "E642", problem, hint)
        return private.public_key()


def client_certificate(config: DestinationConfig) -> ClientCertificate | None:
    """The certificate that the destination file names; None without."""
    if config.client_cert is None:
        return None
    return ClientCertificate(config.client_cert, config.client_key, config.client_key_password)


def _refuse(ref: SecretRef, code: str, message: str, hint: str) -> NoReturn:
    mistake = Mistake(code, message, ref.path, ref.line, ref.column, hint)
    raise ConfigError([mistake], ref.document) from None
