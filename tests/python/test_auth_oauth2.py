"""Client credentials against a real token endpoint on a free port; time is given, not waited."""

import base64
import datetime
import ipaddress
import json
import pickle
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fieldpost.auth.entra import read_refusal
from fieldpost.auth.entra_codes import BY_NUMBER
from fieldpost.auth.oauth2 import OAuth2Credentials
from fieldpost.config import OAuth2Auth, SecretRef
from fieldpost.errors import AuthError, ConfigError

SECRET = "pl4nted secret+/%&=ü"
Answer = tuple[int, Any, dict[str, str]]


def token(number: int, **more: Any) -> Answer:
    said = {"token_type": "Bearer", "expires_in": 3599, "access_token": f"t{number}"}
    return 200, said | more, {}


def entra(number: int, status: int = 401, error: str = "invalid_client") -> Answer:
    said = f"AADSTS{number}: No good {SECRET}.\r\nTrace ID: 1\r\nTimestamp: 2"
    return status, {"error": error, "error_description": said, "error_codes": [number]}, {}


class Endpoint:
    """A token endpoint that answers from a list; the last answer stays."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: list[Answer] = []
        self.forms: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.arrived = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_address[1]}/token"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def take(self, form: str, headers: dict[str, str]) -> Answer:
        self.forms.append({key: values[0] for key, values in parse_qs(form).items()})
        self.headers.append(headers)
        self.arrived.release()
        self.gate.wait(20)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = self.rfile.read(length).decode()
                status, body, headers = endpoint.take(form, dict(self.headers))
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("SECRET", SECRET)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # nobody there: loopback goes directly
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    started = Endpoint()
    yield started
    started.gate.set()
    started.close()


class Time:
    """A clock that only moves when told, and a sleep that notes what was asked."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []


def credentials(
    url: str, time: Time | None = None, ca_path: Path | None = None, **more: Any
) -> OAuth2Credentials:
    time = time or Time()
    scheme = OAuth2Auth(
        type="oauth2",
        token_url=url,
        client_id="app:1",
        client_secret=SecretRef(env="SECRET"),
        **{"scope": "https://org/.default", **more},
    )
    return OAuth2Credentials(scheme, ca_path, clock=lambda: time.now, sleep=time.slept.append)


def refused(act: Callable[[], str]) -> AuthError:
    with pytest.raises(AuthError) as caught:
        act()
    error = caught.value
    assert "pl4nted" not in str(error) + repr(error) + str(pickle.dumps(error))
    assert error.__context__ is None
    return error


def test_the_secret_travels_in_the_body_and_only_there(endpoint: Endpoint) -> None:
    endpoint.answers = [token(1)]
    assert credentials(endpoint.url).header() == "Bearer t1"
    assert endpoint.forms == [
        {
            "grant_type": "client_credentials",
            "scope": "https://org/.default",
            "client_id": "app:1",
            "client_secret": SECRET,
        }
    ]
    assert "Authorization" not in endpoint.headers[0]


def test_or_in_the_header_and_only_there(endpoint: Endpoint) -> None:
    endpoint.answers = [token(1)]
    credentials(endpoint.url, client_auth="basic", scope=None).header()
    assert endpoint.forms == [{"grant_type": "client_credentials"}]
    kind, coded = endpoint.headers[0]["Authorization"].split()
    parts = base64.b64decode(coded).decode().split(":")
    assert (kind, [unquote_plus(part) for part in parts]) == ("Basic", ["app:1", SECRET])


@pytest.mark.parametrize(
    ("lifetime", "holds_s", "due_s"),
    [(3600, 3299, 3300), ("3600", 3299, 3300), (600, 539, 540), (20, 17, 18)],
)
def test_a_token_is_renewed_before_it_ends(
    endpoint: Endpoint, lifetime: Any, holds_s: float, due_s: float
) -> None:
    time = Time()
    endpoint.answers = [token(1, expires_in=lifetime), token(2)]
    mine = credentials(endpoint.url, time)
    assert mine.header() == "Bearer t1"
    time.now += holds_s
    assert mine.header() == "Bearer t1"
    time.now += due_s - holds_s
    assert mine.header() == "Bearer t2"
    assert len(endpoint.forms) == 2


@pytest.mark.parametrize("lifetime", [None, "soon", -5, 0])
def test_a_token_of_unknown_life_is_kept_until_refused(endpoint: Endpoint, lifetime: Any) -> None:
    time = Time()
    endpoint.answers = [token(1, expires_in=lifetime), token(2)]
    mine = credentials(endpoint.url, time)
    mine.header()
    time.now += 1e6
    assert mine.header() == "Bearer t1"
    assert mine.refresh("Bearer t1") == "Bearer t2"


def test_a_refused_token_is_replaced_once(endpoint: Endpoint) -> None:
    endpoint.answers = [token(1), token(2), token(3)]
    mine = credentials(endpoint.url)
    rejected = mine.header()
    assert mine.refresh(rejected) == "Bearer t2"
    assert mine.refresh(rejected) == "Bearer t2"
    assert len(endpoint.forms) == 2


@pytest.mark.parametrize("good", [True, False])
def test_many_threads_make_one_request_and_share_its_outcome(
    endpoint: Endpoint, good: bool
) -> None:
    endpoint.answers = [token(1), token(2) if good else entra(7000215)]
    mine = credentials(endpoint.url)
    rejected = mine.header()
    endpoint.gate.clear()
    outcomes: list[str] = []
    flights = threading.Barrier(9)

    def ask() -> None:
        flights.wait(20)
        try:
            outcomes.append(mine.refresh(rejected))
        except AuthError as error:
            outcomes.append(error.code)

    waiting = _Waiting(8)
    mine._lock = waiting  # type: ignore[assignment]
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    flights.wait(20)
    assert waiting.all_there.wait(20)
    endpoint.gate.set()
    for thread in threads:
        thread.join()
    assert outcomes == ["Bearer t2" if good else "E601"] * 8
    assert len(endpoint.forms) == 2


class _Waiting:
    """A lock that tells when `count` threads have come to it."""

    def __init__(self, count: int) -> None:
        self._lock, self._count = threading.Lock(), count
        self.all_there = threading.Event()

    def __enter__(self) -> None:
        self._count -= 1
        if not self._count:
            self.all_there.set()
        self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()


def test_a_wrong_secret_is_told_in_entras_words_with_what_to_do(endpoint: Endpoint) -> None:
    endpoint.answers = [entra(7000215)]
    time = Time()
    error = refused(credentials(endpoint.url, time).header)
    assert (error.code, error.unreachable) == ("E601", False)
    assert "AADSTS7000215" in str(error)
    assert "not its id" in error.hint
    assert "Trace" not in str(error)
    assert (time.slept, len(endpoint.forms)) == ([], 1)


def test_a_corrected_secret_works_without_a_restart(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.answers = [entra(7000222), token(1)]
    mine = credentials(endpoint.url)
    assert "expired" in refused(mine.header).hint
    monkeypatch.setenv("SECRET", "renewed")
    assert mine.header() == "Bearer t1"
    assert endpoint.forms[-1]["client_secret"] == "renewed"
    monkeypatch.delenv("SECRET")
    with pytest.raises(ConfigError, match="E121"):
        mine.refresh("Bearer t1")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_ill_endpoint_is_tried_three_times(endpoint: Endpoint, status: int) -> None:
    ill: Answer = (status, b"<html>busy</html>", {})
    endpoint.answers = [(ill[0], ill[1], {"Retry-After": "7"}), ill, token(1)]
    time = Time()
    assert credentials(endpoint.url, time).header() == "Bearer t1"
    assert time.slept == [7.0, 2.0]
    endpoint.answers = [ill]
    error = refused(credentials(endpoint.url).header)
    assert (error.code, error.unreachable) == ("E602", True)
    assert str(status) in str(error)
    assert len(endpoint.forms) == 6


def test_a_wait_that_is_too_long_is_not_waited(endpoint: Endpoint) -> None:
    endpoint.answers = [(503, {}, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})]
    time = Time()
    assert refused(credentials(endpoint.url, time).header).unreachable
    assert (time.slept, len(endpoint.forms)) == ([], 1)


def test_a_token_that_still_holds_is_used_while_the_endpoint_is_ill(endpoint: Endpoint) -> None:
    time = Time()
    endpoint.answers = [token(1), (503, {}, {})]
    mine = credentials(endpoint.url, time)
    mine.header()
    time.now += 3300
    assert mine.header() == "Bearer t1"
    asked = len(endpoint.forms)
    assert mine.header() == "Bearer t1"
    assert len(endpoint.forms) == asked
    time.now += 299
    assert refused(mine.header).unreachable


def test_an_endpoint_that_is_not_there_is_unreachable() -> None:
    gone = Endpoint()
    gone.close()
    time = Time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET", SECRET)
        error = refused(credentials(gone.url, time).header)
    assert (error.code, error.unreachable, time.slept) == ("E602", True, [1.0, 2.0])
    assert error.at == gone.url


def self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1, and a server's context that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fieldpost test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "ca.pem"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, folder / "key.pem")
    return pem, context


def test_a_private_certificate_is_trusted_only_when_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    pem, context = self_signed(tmp_path)
    secured = Endpoint(context)
    try:
        secured.answers = [token(1)]
        time = Time()
        error = refused(credentials(secured.url, time).header)
        assert (error.code, error.unreachable, time.slept) == ("E604", True, [])
        assert "ca_file" in error.hint
        assert credentials(secured.url, ca_path=pem).header() == "Bearer t1"
    finally:
        secured.close()


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>sign in</html>", {}),
        (200, {}, {}),
        (200, [], {}),
        (200, {"access_token": "a\nb"}, {}),
        (200, {"access_token": 5}, {}),
        token(1, token_type="mac"),
        (302, b"", {"Location": "/elsewhere"}),
        (204, b"", {}),
    ],
)
def test_what_is_no_token_is_told_and_no_redirect_followed(
    endpoint: Endpoint, answer: Answer
) -> None:
    endpoint.answers = [answer]
    error = refused(credentials(endpoint.url).header)
    assert (error.code, error.unreachable) == ("E603", False)
    assert len(endpoint.forms) == 1


def test_a_refusal_in_other_forms_is_read_too() -> None:
    named = read_refusal(400, {"error": "invalid_scope"}, [])
    assert named.message == "the token endpoint refused: HTTP 400 invalid_scope"
    assert named.hint == "look at scope"
    described = {"error": "invalid_request", "error_description": "AADSTS90002: Tenant not found"}
    assert read_refusal(400, described, []).hint == BY_NUMBER[90002].hint
    assert "HTTP 404" in read_refusal(404, None, []).message
    assert read_refusal(400, {"error": "temporarily_unavailable"}, []).passing
    assert "x y" not in read_refusal(400, {"error": "x y\n"}, []).message


def test_a_pickle_is_configuration_only(endpoint: Endpoint) -> None:
    endpoint.answers = [token(1, access_token="pl4nted-token"), token(2)]
    mine = credentials(endpoint.url)
    mine.header()
    pickled = pickle.dumps(mine)
    assert b"pl4nted" not in pickled
    assert "pl4nted" not in repr(mine) + repr(vars(mine))
    assert pickle.loads(pickled).header() == "Bearer t2"
