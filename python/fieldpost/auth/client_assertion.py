"""A client that shows a certificate instead of a secret (RFC 7523), as Microsoft Entra ID wants it.

The assertion is signed with PS256, names the certificate by its SHA-256 thumbprint (x5t#S256) and
holds for five minutes. https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from __future__ import annotations

import base64
import time
from typing import Any

from ..auth_scheme import OAuth2Auth
from ..secrets import Secret
from .signing_certificate import signing_certificate

LIFETIME_S = 300


def client_assertion(scheme: OAuth2Auth) -> dict[str, Secret]:
    """The form's client_assertion and its type, newly signed.

    Raises AuthError (E624, E606) where certificate and key cannot be used; ConfigError where they
    are not there.
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
    from cryptography.hazmat.primitives import hashes, serialization
    from joserfc.jwk import RSAKey

    key, certificate = signing_certificate(scheme)
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256()))
    plain = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return RSAKey.import_key(plain), thumbprint.rstrip(b"=").decode()
