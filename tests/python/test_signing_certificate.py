"""The certificate that signs: out of chains, PKCS #12, and only in its time."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from fieldpost.auth.signing_certificate import signing_certificate
from fieldpost.auth_scheme import OAuth2Auth
from fieldpost.check import check_file
from fieldpost.config_values import SecretRef
from fieldpost.errors import AuthError

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def built(name: str, issuer: str, begins: datetime, ends: datetime) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key(name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key(issuer), hashes.SHA256())
    )


def leaf(begins: datetime = NOW - DAY, ends: datetime = NOW + 90 * DAY) -> x509.Certificate:
    return built("loader", "middle", begins, ends)


def chain() -> tuple[x509.Certificate, x509.Certificate]:
    times = (NOW - DAY, NOW + 900 * DAY)
    return built("middle", "root", *times), built("root", "root", *times)


def pem(*parts: x509.Certificate | rsa.RSAPrivateKey) -> bytes:
    text = b""
    for one in parts:
        if isinstance(one, x509.Certificate):
            text += one.public_bytes(serialization.Encoding.PEM)
        else:
            text += one.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
    return text


def pfx(password: bytes | None = b"pw") -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"loader",
        key("loader"),
        leaf(),
        list(chain()),
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


def chosen(folder: Path, data: bytes, password: str = "", **more: Any) -> x509.Certificate:
    path = folder / "app.pem"
    path.write_bytes(data)
    return _chosen(SecretRef(file=str(path)), folder, password, **more)


def _chosen(ref: SecretRef, folder: Path, password: str, **more: Any) -> x509.Certificate:
    secret = None
    if password:
        (folder / "password").write_text(password)
        secret = SecretRef(file=str(folder / "password"))
    scheme = OAuth2Auth(
        type="oauth2",
        token_url="https://x/t",
        client_id="a",
        certificate=ref,
        certificate_password=secret,
    )
    found, certificate = signing_certificate(scheme, **more)
    assert found.public_key() == certificate.public_key()
    return certificate


@pytest.mark.parametrize("order", ["leaf first", "leaf last", "certificate first", "crlf", "bag"])
def test_the_certificate_that_fits_the_key_is_taken_wherever_it_stands(
    tmp_path: Path, order: str
) -> None:
    middle, root = chain()
    data = {
        "leaf first": pem(key("loader"), leaf(), middle, root),
        "leaf last": pem(key("loader"), root, middle, leaf()),
        "certificate first": pem(leaf(), middle, key("loader")),
        "crlf": pem(key("loader"), leaf()).replace(b"\n", b"\r\n"),
        "bag": b"Bag Attributes\n    localKeyID: 01\n" + pem(root, key("loader"), leaf()),
    }[order]
    assert chosen(tmp_path, data) == leaf()


def test_of_several_that_fit_the_one_that_holds_longest_is_taken(tmp_path: Path) -> None:
    old, new = leaf(NOW - 90 * DAY, NOW - DAY), leaf()
    assert chosen(tmp_path, pem(key("loader"), old, new)) == new


def test_pkcs_12_is_read_also_in_base64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(tmp_path, pfx(), "pw") == leaf()
    assert chosen(tmp_path, pfx(None)) == leaf()
    monkeypatch.setenv("PFX", base64.encodebytes(pfx()).decode())
    assert _chosen(SecretRef(env="PFX"), tmp_path, "pw") == leaf()


@pytest.mark.parametrize(
    ("data", "password", "told"),
    [
        (lambda: pfx(), "", "no certificate_password is given"),
        (lambda: pfx(), "other", "certificate_password does not open"),
        (lambda: pem(leaf()), "", "without its private key"),
        (lambda: pem(key("loader")), "", "a key alone"),
        (lambda: pem(key("loader"), *chain()), "", "another certificate"),
        (lambda: pem(key("loader")) + b"-----BEGIN CERTIFICATE-----\nx", "", "damaged"),
        (lambda: b"secret", "", "neither in PEM form nor PKCS #12"),
    ],
)
def test_what_cannot_sign_is_told_by_its_kind(
    tmp_path: Path, data: Any, password: str, told: str
) -> None:
    with pytest.raises(AuthError) as caught:
        chosen(tmp_path, data(), password)
    assert caught.value.code == "E624"
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("begins", "ends", "told"),
    [(NOW - 90 * DAY, NOW - DAY, "expired on"), (NOW + DAY, NOW + 9 * DAY, "holds from")],
)
def test_a_certificate_out_of_its_time_is_told_by_check_too(
    tmp_path: Path, begins: datetime, ends: datetime, told: str
) -> None:
    data = pem(key("loader"), leaf(begins, ends))
    with pytest.raises(AuthError) as caught:
        chosen(tmp_path, data)
    assert caught.value.code == "E606"
    assert told in caught.value.message
    (tmp_path / "d.yaml").write_text(
        "name: n\ntype: webhook\nurl: https://example.com\n"
        "auth: {type: oauth2, token_url: 'https://example.com/t', client_id: a,"
        " certificate: {file: app.pem}}\nsubscriptions: [{name: s, body: {a: 1}}]\n"
    )
    found = check_file(tmp_path / "d.yaml").errors
    assert [(one.code, one.path, one.line) for one in found] == [("E606", "$.auth.certificate", 4)]
