"""Services that want a client certificate, and certificates that are not trusted."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tls_server import TlsServer

import fieldpost as fp
from recording_server import RecordingServer

DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates, and writes them into a folder."""

    def __init__(self, folder: Path, name: str = "an authority") -> None:
        self.folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._signed(self._name, self._key, is_authority=True)
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(_pem(self.certificate))

    def issue(
        self, name: str, *, host: str = "localhost", ends: datetime.timedelta = DAY
    ) -> tuple[Path, Path]:
        """Files of a certificate and its key. ends: from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signed = self._signed(subject, key, host=host, ends=ends)
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        paths[0].write_bytes(_pem(signed))
        paths[1].write_bytes(_key(key))
        return paths

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        is_authority: bool = False,
        host: str = "localhost",
        ends: datetime.timedelta = DAY,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if host == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        identifier = x509.SubjectKeyIdentifier.from_public_key
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * DAY)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(identifier(key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key(key: ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def service(request: pytest.FixtureRequest, authority: Authority) -> Iterator[TlsServer]:
    """Wants a certificate of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = request.param
    context.load_cert_chain(*authority.issue("server"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    with TlsServer(context) as server:
        yield server


def write(folder: Path, url: str, more: str = "", count: int = 60) -> Path:
    path = folder / "hook.yaml"
    path.write_text(
        f"name: hook\nid: hook\ntype: webhook\nurl: {url}/in\n{more}"
        "subscriptions:\n  - {name: all}\ndelivery: {retry: {wait_initial_s: 0.01}}\n"
    )
    lines = "".join(f'{{"messageId": "m{n}"}}\n' for n in range(count))
    (folder / "events.ndjson").write_text(lines)
    return path


def deliver(path: Path) -> tuple[fp.Report, list[dict[str, Any]]]:
    destination = fp.Destination.from_file(path)
    report = destination.deliver(path.parent / "events.ndjson", progress=False)
    return report, list(destination.outcomes())


def test_a_service_that_wants_a_certificate_pauses_the_run(
    tmp_path: Path, authority: Authority, service: TlsServer
) -> None:
    path = write(tmp_path, service.url, f"ca_file: {authority.file}\n")
    report, rows = deliver(path)
    assert report["waiting"] == 60 and report["unconfirmed"] == 0, rows[:1]
    assert report.stopped is not None and report.stopped.code == "E502"
    assert "wants a client certificate" in report.stopped.message
    assert {row["outcome"] for row in rows} == {"waiting"}
    told = {row["message"] for row in rows}
    told -= {one for one in told if one.startswith("nothing was sent")}  # gone before it began
    assert all("client certificate" in one for one in told if one), told
    assert any("client_cert" in row["action_needed"] for row in rows)
    assert service.bodies == []
    steps = fp.Destination.from_file(path).test_connection().steps
    (tls,) = [one for one in steps if one.name == "tls"]
    assert tls.ok is False and "client certificate" in tls.detail and "client_cert" in tls.hint


@pytest.mark.parametrize(
    "page",
    ["<html><head><title>400 No required SSL certificate was sent</title>", "<html>\n<title>other"],
)
def test_a_page_of_nginx_that_wants_a_certificate_pauses_the_run(tmp_path: Path, page: str) -> None:
    with RecordingServer(lambda _: (400, {"Content-Type": "text/html"}, page.encode())) as server:
        report, rows = deliver(write(tmp_path, server.url, count=3))
    wants = "No required" in page
    assert report["waiting"] == (3 if wants else 0)
    if wants:
        assert report.stopped is not None and report.stopped.code == "E502"
        assert any("client_cert" in row["action_needed"] for row in rows)


@pytest.mark.parametrize("how", ["two files", "one file", "variables", "encrypted"])
def test_a_certificate_of_the_file_is_shown(
    tmp_path: Path,
    authority: Authority,
    service: TlsServer,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    certificate, key = authority.issue("client")
    more = "client_cert: client.pem\nclient_key: {file: client.key}\n"
    if how == "one file":
        certificate.write_bytes(key.read_bytes() + certificate.read_bytes())
        more = "client_cert: client.pem\n"
    elif how == "variables":
        monkeypatch.setenv("CERT", certificate.read_text())
        monkeypatch.setenv("KEY", key.read_text())
        more = "client_cert: {env: CERT}\nclient_key: {env: KEY}\n"
    elif how == "encrypted":
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        key.write_bytes(_key(private, b"open sesame"))
        monkeypatch.setenv("PASSWORD", "open sesame")
        more += "client_key_password: {env: PASSWORD}\n"
    path = write(tmp_path, service.url, f"ca_file: {authority.file}\n{more}")
    assert fp.Destination.from_file(path).check()
    report, _rows = deliver(path)
    assert report["delivered"] == 60 and len(service.bodies) == 60
    steps = fp.Destination.from_file(path).test_connection().steps
    assert [one.ok for one in steps if one.name == "tls"] == [True]


def test_a_certificate_that_is_not_accepted_pauses_the_run(
    tmp_path: Path, authority: Authority, service: TlsServer
) -> None:
    Authority(tmp_path, "another authority").issue("client")
    more = f"ca_file: {authority.file}\nclient_cert: client.pem\nclient_key: client.key\n"
    report, rows = deliver(write(tmp_path, service.url, more))
    assert report["waiting"] == 60 and report["unconfirmed"] == 0
    assert any("compare client_cert" in row["action_needed"] for row in rows)


def test_a_client_certificate_that_cannot_be_used_is_told_before_anything_is_sent(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.issue("client")
    authority.issue("other")
    authority.issue("old", ends=-DAY)
    (tmp_path / "note.txt").write_text("no PEM")
    monkeypatch.setenv("PASSWORD", "sesame")
    cases = {
        "client_cert: note.txt\n": ("E642", "holds no certificate"),
        "client_cert: client.pem\n": ("E642", "holds no private key"),
        "client_cert: client.pem\nclient_key: other.key\n": ("E642", "another certificate"),
        "client_cert: old.pem\nclient_key: old.key\n": ("E643", "expired on"),
        "client_cert: absent.pem\n": ("E122", "cannot be read"),
        "client_cert: client.pem\nclient_key: client.key\nclient_key_password: {env: PASSWORD}\n": (
            "E642",
            "the key is not encrypted",
        ),
    }
    for more, (code, words) in cases.items():
        path = write(tmp_path, "https://localhost:1", more)
        (mistake,) = fp.Destination.from_file(path).check().errors
        assert mistake.code == code and words in mistake.message, mistake
        assert mistake.line is not None
        with pytest.raises(fp.ConfigError) as raised:
            deliver(path)
        assert raised.value.mistakes[0].code == code
        assert "-----END" not in str(raised.value)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("client_key: client.key\n", "E111"),
        ("client_key_password: {env: P}\n", "E111"),
        ("client_cert: '-----BEGIN CERTIFICATE----- MII'\n", "E120"),
        ("client_cert: c.pem\nclient_key: c.key\nclient_key_password: secret\n", "E120"),
    ],
)
def test_parts_that_are_no_reference_or_stand_alone_are_mistakes(
    tmp_path: Path, more: str, code: str
) -> None:
    path = write(tmp_path, "https://localhost:1", more)
    assert code in {one.code for one in fp.check_file(path).errors}


@pytest.mark.parametrize(
    ("name", "reason", "advice"),
    [
        ("expired", "the certificate has expired", "have the certificate renewed"),
        ("other-host", "the certificate is for another host", "into url"),
        ("unknown", "issuer is not known", "ca_file"),
    ],
)
def test_a_certificate_that_is_not_trusted_says_why_in_every_outcome(
    tmp_path: Path, authority: Authority, name: str, reason: str, advice: str
) -> None:
    days = -DAY if name == "expired" else DAY
    host = "elsewhere.example.com" if name == "other-host" else "localhost"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", host=host, ends=days))
    trusted = Authority(tmp_path, "nobody").file if name == "unknown" else authority.file
    with TlsServer(context) as server:
        path = write(tmp_path, server.url, f"ca_file: {trusted}\n", count=40)
        report, rows = deliver(path)
    assert report["waiting"] == 40
    told = [row["message"] for row in rows]
    assert all("certificate" in one for one in told), told[:3]
    assert any(reason in one for one in told), told[:3]
    assert all(advice in row["action_needed"] for row in rows), rows[0]
    assert ("ca_file" in rows[0]["action_needed"]) == (name == "unknown")
