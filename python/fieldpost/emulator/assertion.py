"""Client assertions: a signed JWT instead of a secret. RFC 7523, and the rules of Entra."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import Certificate, load_pem_x509_certificate

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class AssertionRefused(Exception):
    """What is wrong with an assertion, as the number that Entra has for it."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number, self.text = number, text


def check_assertion(
    assertion: str, certificate: str | None, client_id: str, audience: str, now: float
) -> None:
    """Raise `AssertionRefused` unless the certificate's key signed this assertion for us, now."""
    head, payload, signature, signed = _parts(assertion)
    if certificate is None:
        raise AssertionRefused(
            700027, "The certificate used to sign the assertion is not registered."
        )
    registered = load_pem_x509_certificate(certificate.encode())
    _check_certificate(registered, head, now)
    public = registered.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise AssertionRefused(700027, "The key of the registered certificate is not an RSA key.")
    try:
        public.verify(signature, signed, _padding(head.get("alg")), hashes.SHA256())
    except InvalidSignature:
        text = "Client assertion failed signature validation."
        raise AssertionRefused(700027, text) from None
    if payload.get("iss") != client_id or payload.get("sub") != client_id:
        raise AssertionRefused(700021, "The issuer or subject of the assertion is not the client.")
    if payload.get("aud") != audience:
        raise AssertionRefused(700023, "The audience of the assertion is not this endpoint.")
    expiry, begin = payload.get("exp"), payload.get("nbf", 0)
    if not isinstance(expiry, int | float) or expiry <= now or begin > now + 300:
        raise AssertionRefused(700024, "Client assertion is not within its valid time range.")


def _check_certificate(registered: Certificate, head: dict[str, Any], now: float) -> None:
    """The assertion names the registered certificate, by either thumbprint, and it holds."""
    named = {"x5t#S256": hashes.SHA256(), "x5t": hashes.SHA1()}
    given = {name: head[name] for name in named if name in head}
    prints = {name: _encoded(registered.fingerprint(kind)) for name, kind in named.items()}
    if not given or any(str(one).rstrip("=") != prints[name] for name, one in given.items()):
        text = (
            "The certificate with identifier used to sign the client assertion is not registered "
            "on application. [Reason - The key was not found.]"
        )
        raise AssertionRefused(700027, text)
    begins = registered.not_valid_before_utc.timestamp()
    if not begins <= now < registered.not_valid_after_utc.timestamp():
        text = "The provided certificate is not within its specified validity window."
        raise AssertionRefused(1000502, text)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _parts(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    try:
        head, payload, signature = assertion.split(".")
        return (
            json.loads(_decoded(head)),
            json.loads(_decoded(payload)),
            _decoded(signature),
            f"{head}.{payload}".encode(),
        )
    except ValueError:
        raise AssertionRefused(50027, "JWT token is invalid or malformed.") from None


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _padding(algorithm: object) -> padding.AsymmetricPadding:
    if algorithm == "PS256":
        return padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    if algorithm == "RS256":
        return padding.PKCS1v15()
    raise AssertionRefused(5002738, "The algorithm of the assertion is neither PS256 nor RS256.")
