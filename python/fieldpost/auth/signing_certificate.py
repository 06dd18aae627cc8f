"""The certificate that signs for a client, with its private key: out of PEM or PKCS #12 (.pfx).

A file often holds a chain: the certificate that fits the key is taken, wherever it stands; of
several, as after a renewal with the same key, the one that holds longest.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from ..auth_scheme import OAuth2Auth
from ..errors import AuthError
from ..secrets import resolve, resolve_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

_BEGIN = b"-----BEGIN"
_FORMS = (
    "a file with both parts, -----BEGIN PRIVATE KEY----- and -----BEGIN CERTIFICATE-----, or a .pfx"
)
_RENEW = (
    "administrator of Entra: make a new certificate and upload its public part to the app "
    "registration; author: put it in place of this one"
)


def signing_certificate(
    scheme: OAuth2Auth, now: datetime | None = None
) -> tuple[RSAPrivateKey, Certificate]:
    """The key and the certificate of a client, at this moment.

    Raises AuthError where they cannot be used (E624), or the certificate is out of its time (E606);
    ConfigError where they are not there.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    assert scheme.certificate is not None
    secret = scheme.certificate_password
    password = resolve(secret).encode() if secret is not None else None
    data = _binary(resolve_bytes(scheme.certificate))
    key, certificates = (_of_pem if _BEGIN in data else _of_pkcs12)(data, password)
    if not isinstance(key, RSAPrivateKey):
        _refuse("its key is not an RSA key")
    own = [one for one in certificates if one.public_key() == key.public_key()]
    if not own:
        _refuse("the key belongs to another certificate" if certificates else "it is a key alone")
    chosen = max(own, key=lambda one: one.not_valid_after_utc)
    _look_at_time(chosen, now or datetime.now(UTC))
    return key, chosen


def _binary(data: bytes) -> bytes:
    """PKCS #12 as it is, also where a vault has it in base64."""
    if _BEGIN in data or data[:1] == b"\x30":
        return data
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        return data


def _of_pem(data: bytes, password: bytes | None) -> tuple[object, Sequence[Certificate]]:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    problem = ""
    try:
        key = load_pem_private_key(data, password)
    except TypeError:  # their texts do not quote the key
        problem = "its key is encrypted" if password is None else "its key is not encrypted"
    except (ValueError, UnsupportedAlgorithm):
        problem = "it holds no private key in PEM form, or the password is wrong"
        if b"PRIVATE KEY" not in data:
            problem = "it is a certificate without its private key"
    if problem:
        _refuse(problem)
    certificates: Sequence[Certificate] = ()
    try:
        if b"BEGIN CERTIFICATE" in data:
            certificates = x509.load_pem_x509_certificates(data)
    except ValueError:
        problem = "its certificate is damaged"
    if problem:
        _refuse(problem)
    return key, certificates


def _of_pkcs12(data: bytes, password: bytes | None) -> tuple[object, Sequence[Certificate]]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    problem = ""
    try:
        key, certificate, others = load_key_and_certificates(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        problem = "it is neither in PEM form nor PKCS #12 (.pfx)"
        if data[:1] == b"\x30":
            problem = "it is PKCS #12 (.pfx) that certificate_password does not open"
            if password is None:
                problem = "it is PKCS #12 (.pfx) or DER, and no certificate_password is given"
    if problem:
        _refuse(problem)
    if key is None:
        _refuse("it is PKCS #12 (.pfx) without a private key")
    return key, [one for one in (certificate, *others) if one is not None]


def _look_at_time(certificate: Certificate, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if ends < now:
        _out_of_time(f"the certificate that signs expired on {ends:%Y-%m-%d}", _RENEW)
    if begins > now:
        told = f"the certificate that signs holds from {begins:%Y-%m-%d %H:%M} UTC on"
        _out_of_time(told, "operator: is this machine's clock right?")


def _out_of_time(message: str, hint: str) -> NoReturn:
    raise AuthError("E606", message, "$.auth.certificate", hint)


def _refuse(problem: str) -> NoReturn:
    raise AuthError(
        "E624", f"the certificate cannot sign: {problem}", "$.auth.certificate", _FORMS
    ) from None
