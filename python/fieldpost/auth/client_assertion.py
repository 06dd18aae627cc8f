"""A client that shows a certificate instead of a secret (RFC 7523), as Microsoft Entra ID wants it.

The assertion is signed with PS256, names the certificate by its SHA-256 thumbprint (x5t#S256) and
holds for five minutes. https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from __future__ import annotations

import base64
import time
from typing import Any, NoReturn

from ..auth_scheme import OAuth2Auth
from ..errors import AuthError
from ..secrets import Secret, resolve, resolve_text

LIFETIME_S = 300


def client_assertion(scheme: OAuth2Auth) -> dict[str, Secret]:
    """The form's client_assertion and its type, newly signed.

    Raises AuthError (E624) where certificate and key cannot be used; ConfigError where they are not
    there.
    """
    from authlib.oauth2.rfc7523 import private_key_jwt_sign
    from authlib.oauth2.rfc7523.client import ASSERTION_TYPE

    key, thumbprint = _read(scheme)
    now = int(time.time())
    signed = private_key_jwt_sign(
        key,
        scheme.client_id,
        scheme.token_url,
        alg="PS256",
        claims={"nbf": now},
        header={"typ": "JWT", "x5t#S256": thumbprint},
        issued_at=now,
        expires_in=LIFETIME_S,
    )
    return {"client_assertion": Secret(signed), "client_assertion_type": Secret(ASSERTION_TYPE)}


def _read(scheme: OAuth2Auth) -> tuple[Any, str]:
    """The key for signing, and the certificate's thumbprint as base64url."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from joserfc.jwk import RSAKey

    assert scheme.certificate is not None
    pem = resolve_text(scheme.certificate).encode()
    secret = scheme.certificate_password
    password = resolve(secret).encode() if secret is not None else None
    problem = ""
    try:
        key = serialization.load_pem_private_key(pem, password)
        certificate = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError) as error:  # their texts do not quote the key
        problem = _problem(error, password)
    if problem:
        _refuse(problem)
    if not isinstance(key, RSAPrivateKey):
        _refuse("its key is not an RSA key")
    if certificate.public_key() != key.public_key():
        _refuse("the key belongs to another certificate")
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256()))
    plain = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return RSAKey.import_key(plain), thumbprint.rstrip(b"=").decode()


def _problem(error: Exception, password: bytes | None) -> str:
    if isinstance(error, TypeError):
        return "its key is encrypted" if password is None else "its key is not encrypted"
    return "it does not hold a private key and a certificate in PEM form, or the password is wrong"


def _refuse(problem: str) -> NoReturn:
    hint = "a file with both parts: -----BEGIN PRIVATE KEY----- and -----BEGIN CERTIFICATE-----"
    raise AuthError("E624", f"the certificate cannot sign: {problem}", "$.auth.certificate", hint)
