"""Grants that a person gives, certificates, and tokens that are kept: against a real server."""

import base64
import datetime
import json
import os
import pickle
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import keyring
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc.jwk import RSAKey
from keyring.backend import KeyringBackend

from authorization_server import AuthorizationServer
from fieldpost import auth
from fieldpost.auth.connect import Connection, Invitation, Person
from fieldpost.auth.token_store import FileTokens, Kept
from fieldpost.config import parse
from fieldpost.errors import AuthError, ConfigError
from fieldpost.secrets import Secret

PERSON = "grant: authorization_code, scope: [a/.default, offline_access]"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("fieldpost.auth.token_endpoint.WAITS_S", ())
    with AuthorizationServer() as started:
        yield started


def destination(server: AuthorizationServer, rest: str, folder: Path) -> Any:
    return parse(
        "name: People\ntype: webhook\nauth: {type: oauth2, client_id: app-1, "
        f"token_url: '{server.token_url}', {rest}}}\n"
        "subscriptions: [{name: A, url: 'https://example.com'}]\n",
        str(folder / "people.yaml"),
    )


def person_of(server: AuthorizationServer, folder: Path, more: str = "") -> Any:
    urls = f", authorize_url: '{server.authorize_url}', device_url: '{server.device_url}'"
    return destination(server, PERSON + urls + more, folder)


class Visit:
    """A person with a browser: notes what was told, and follows the address."""

    def __init__(self) -> None:
        self.told: list[Invitation] = []
        self.landed = ""
        self.threads: list[threading.Thread] = []

    def tell(self, invitation: Invitation) -> None:
        self.told.append(invitation)

    def browse(self, url: str) -> None:
        def visit() -> None:
            with urllib.request.urlopen(url, timeout=60) as page:
                self.landed = page.read().decode()

        self.threads.append(threading.Thread(target=visit))
        self.threads[-1].start()

    def where_it_leads(self) -> str:
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_args: Any) -> None:
                return None

        try:
            urllib.request.build_opener(Stay).open(self.told[0].url, timeout=60)
        except urllib.error.HTTPError as found:
            return str(found.headers["Location"]) + "\n"
        raise AssertionError("no redirect")


def signed_in(config: Any, way: auth.Way = "browser") -> Visit:
    visit = Visit()
    person = Person(visit.tell, visit.where_it_leads, visit.browse)
    auth.connection(config).sign_in(person, way, 60)
    for thread in visit.threads:
        thread.join(60)
    return visit


def test_a_browser_comes_back_and_the_tokens_are_kept(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    config = person_of(server, tmp_path, ", authorize_params: {prompt: consent}")
    visit = signed_in(config)
    assert "You are signed in" in visit.landed
    asked = server.addresses[0]
    assert (asked["prompt"], asked["scope"]) == ("consent", "a/.default offline_access")
    assert asked["redirect_uri"].startswith("http://localhost:")
    assert auth.open_credentials(config).header() == "Bearer access-1"
    assert len(server.forms) == 1
    kept = list((tmp_path / "state/fieldpost/tokens").glob("People-*.json"))
    assert [one.stat().st_mode & 0o777 for one in kept] == [0o600]


def test_another_visitor_does_not_end_the_waiting(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    visit, config = Visit(), person_of(server, tmp_path)

    def browse(url: str) -> None:
        def strangers() -> None:
            back = dict(p.split("=", 1) for p in url.split("?")[1].split("&"))["redirect_uri"]
            from urllib.parse import unquote

            for target in ("?code=evil&state=wrong", "other?code=evil", "?error=access_denied"):
                with pytest.raises(urllib.error.HTTPError, match="404"):
                    urllib.request.urlopen(unquote(back) + target, timeout=60)
            visit.browse(url)

        visit.threads.append(threading.Thread(target=strangers))
        visit.threads[-1].start()

    auth.connection(config).sign_in(Person(visit.tell, open_browser=browse), "browser", 60)
    for thread in visit.threads:
        thread.join(60)
    assert auth.open_credentials(config).header() == "Bearer access-1"


def test_an_address_is_pasted_back_where_there_is_no_browser(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    config = destination(server, f"{PERSON}, authorize_url: '{server.authorize_url}'", tmp_path)
    assert signed_in(config, "auto").told[0].way == "paste"
    assert server.addresses[0]["redirect_uri"] == "http://localhost/"
    assert auth.open_credentials(config).header() == "Bearer access-1"


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("", "does not belong"),
        ("http://localhost/?code=x&state=y", "does not belong"),
        ("http://localhost/?error=access_denied&state={}", "access_denied"),
        ("http://localhost/?state={}", "no code"),
        ("http://localhost/?code=pl4nted-code&state={}", "invalid_grant"),
    ],
)
def test_an_address_that_is_not_ours_gives_no_token(
    server: AuthorizationServer, tmp_path: Path, pasted: str, told: str
) -> None:
    visit = Visit()

    def paste() -> str:
        state = dict(p.split("=", 1) for p in visit.told[0].url.split("?")[1].split("&"))["state"]
        return pasted.format(state)

    config = person_of(server, tmp_path)
    with pytest.raises(AuthError, match=told) as caught:
        auth.connection(config).sign_in(Person(visit.tell, paste), "paste", 20)
    assert caught.value.code in ("E623", "E601")
    assert "pl4nted" not in str(caught.value)
    with pytest.raises(AuthError, match="E620"):
        auth.open_credentials(config).header()


def test_a_code_is_typed_in_elsewhere(server: AuthorizationServer, tmp_path: Path) -> None:
    config, slept, visit = person_of(server, tmp_path), [], Visit()
    store = auth.open_store(config.auth, config.id, config.directory)
    assert store is not None
    time = [0.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time[0] += seconds

    connection = Connection(config.auth, store, clock=lambda: time[0], sleep=sleep)
    connection.sign_in(Person(visit.tell), "auto", 300)
    assert visit.told == [Invitation("device", f"{server.url}/activate", "ABCD-EFGH")]
    assert slept == [2, 2, 7, 7]  # slow_down: five seconds more from then on
    assert auth.open_credentials(config).header() == "Bearer access-1"


def test_nobody_types_the_code(server: AuthorizationServer, tmp_path: Path) -> None:
    config, time = person_of(server, tmp_path), [0.0]
    store = auth.open_store(config.auth, config.id, config.directory)
    assert store is not None

    def sleep(seconds: float) -> None:
        time[0] += seconds

    connection = Connection(config.auth, store, clock=lambda: time[0], sleep=sleep)
    with pytest.raises(AuthError, match=r"E623.*within the time"):
        connection.sign_in(Person(lambda _: None), "device", 3)


def test_a_sign_in_without_a_refresh_token_is_told(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    server.gives_refresh = False
    with pytest.raises(AuthError, match=r"E623.*refresh token.*offline_access"):
        signed_in(person_of(server, tmp_path), "paste")


def test_nobody_signs_in_where_a_client_does(server: AuthorizationServer, tmp_path: Path) -> None:
    config = destination(server, "client_secret: {env: X}", tmp_path)
    with pytest.raises(ConfigError, match="E183"):
        auth.connection(config)


def test_the_command_signs_in_by_paste(server: AuthorizationServer, tmp_path: Path) -> None:
    text = (
        f"name: People\ntype: webhook\nauth: {{type: oauth2, client_id: app-1, {PERSON}, "
        f"token_url: '{server.token_url}', authorize_url: '{server.authorize_url}'}}\n"
        "subscriptions: [{name: A, url: 'https://example.com'}]\n"
    )
    (tmp_path / "people.yaml").write_text(text)
    child = subprocess.Popen(
        [sys.executable, "-m", "fieldpost", "connect", "people.yaml", "--output", "json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert child.stderr and child.stdin and child.stdout
    address = ""
    while not address.startswith("http"):
        address = child.stderr.readline()
    visit = Visit()
    visit.told = [Invitation("paste", address.strip())]
    out, _err = child.communicate(visit.where_it_leads(), timeout=60)
    told = json.loads(out)
    assert (child.returncode, told["connected"]) == (0, True)
    assert Path(told["tokens"]).stat().st_mode & 0o777 == 0o600


# -- refresh tokens


def test_a_new_refresh_token_is_kept_before_the_access_token_is_used(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    config = person_of(server, tmp_path)
    signed_in(config, "paste")
    credentials = auth.open_credentials(config)
    store = auth.open_store(config.auth, config.id, config.directory)
    assert store is not None
    header = credentials.header()
    for number in (2, 3, 4):
        header = credentials.refresh(header)
        kept = store.read()
        assert (header, kept.header) == (f"Bearer access-{number}", header)
        assert {str(kept.refresh_token)} == server.refresh_tokens


def test_a_refresh_token_that_stays_is_kept(server: AuthorizationServer, tmp_path: Path) -> None:
    config = person_of(server, tmp_path)
    signed_in(config, "paste")
    server.rotates = False
    credentials = auth.open_credentials(config)
    assert credentials.refresh(credentials.header()) == "Bearer access-2"
    assert auth.open_credentials(config).header() == "Bearer access-2"
    assert credentials.refresh("Bearer access-2") == "Bearer access-3"


def test_what_cannot_be_kept_is_not_used(server: AuthorizationServer, tmp_path: Path) -> None:
    config = person_of(server, tmp_path, ", tokens: kept.json")
    signed_in(config, "paste")
    credentials = auth.open_credentials(config)
    rejected = credentials.header()
    (tmp_path / "kept.json").chmod(0o644)
    with pytest.raises(AuthError, match=r"E622.*chmod 600"):
        credentials.refresh(rejected)
    assert len(server.forms) == 1
    (tmp_path / "kept.json").write_text("{}")
    (tmp_path / "kept.json").chmod(0o600)
    with pytest.raises(AuthError, match=r"E622.*something else"):
        credentials.refresh(rejected)


@pytest.mark.parametrize("obstacle", ["a link", "its owner"])
def test_a_refresh_token_is_not_used_up_where_its_successor_cannot_be_kept(
    server: AuthorizationServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    config = person_of(server, tmp_path, ", tokens: kept.json")
    signed_in(config, "paste")
    credentials = auth.open_credentials(config)
    rejected = credentials.header()
    before, asked = set(server.refresh_tokens), len(server.forms)
    with monkeypatch.context() as patched:
        if obstacle == "a link":
            (tmp_path / "kept.json").rename(tmp_path / "real.json")
            (tmp_path / "kept.json").symlink_to("real.json")
        else:
            told = "its owner 1:1 could not be kept"
            refuse = PermissionError(1, told)
            patched.setattr("fieldpost.own_file._made_beside", raising(refuse))
        with pytest.raises(AuthError, match=rf"E622.*{obstacle}"):
            credentials.refresh(rejected)
    assert (server.refresh_tokens, len(server.forms)) == (before, asked)
    if obstacle == "its owner":
        assert credentials.refresh(rejected) == "Bearer access-2", "once it can be kept"


def raising(error: Exception) -> Any:
    def refuse(*_args: object) -> None:
        raise error

    return refuse


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of other users")
def test_a_service_s_tokens_stay_the_service_s_when_root_renews_them(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    config = person_of(server, tmp_path, ", tokens: kept.json")
    signed_in(config, "paste")
    kept, lock = tmp_path / "kept.json", tmp_path / "kept.json.lock"
    os.chown(kept, 12345, 12345)
    lock.unlink()
    credentials = auth.open_credentials(config)
    credentials.refresh(credentials.header())
    for file in (kept, lock):
        assert (file.stat().st_uid, file.stat().st_gid) == (12345, 12345), file.name
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_sign_in_that_could_not_be_kept_is_not_asked_for(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    (tmp_path / "kept.json").mkdir()
    config = person_of(server, tmp_path, ", tokens: kept.json")
    with pytest.raises(AuthError, match=r"E622.*a folder, not a file"):
        signed_in(config, "paste")
    assert server.forms == []


def test_a_user_without_a_home_is_told_to_name_a_place(
    server: AuthorizationServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", raising(RuntimeError("Could not determine home directory.")))
    with pytest.raises(AuthError, match=r"E622.*no home folder.*tokens: names another place"):
        auth.open_credentials(person_of(server, tmp_path))
    named = person_of(server, tmp_path, ", tokens: kept.json")
    signed_in(named, "paste")
    assert auth.open_credentials(named).header() == "Bearer access-1"


def test_a_blip_takes_nothing_away_and_a_revocation_says_so(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    config = person_of(server, tmp_path)
    signed_in(config, "paste")
    credentials = auth.open_credentials(config)
    rejected = credentials.header()
    server.answers = [(503, {}), (429, {}), (500, {"error": "server_error"})]
    for _ in range(3):
        with pytest.raises(AuthError, match="E602") as caught:
            credentials.refresh(rejected)
        assert caught.value.unreachable
    assert credentials.refresh(rejected) == "Bearer access-2"
    server.refresh_tokens.clear()
    with pytest.raises(AuthError, match=r"E621.*fieldpost connect") as caught:
        credentials.refresh("Bearer access-2")
    assert not caught.value.unreachable
    signed_in(config, "paste")
    assert auth.open_credentials(config).header() == "Bearer access-3"


def test_a_kept_token_that_still_holds_outlives_a_blip(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    config = person_of(server, tmp_path, ", tokens: kept.json")
    store = FileTokens(tmp_path / "kept.json")
    import time

    now = time.time()
    due = Kept(Secret("Bearer old"), Secret("refresh-x"), now - 1, now + 200)
    store.write(due)
    server.answers = [(503, {})] * 2
    credentials = auth.open_credentials(config)
    assert credentials.header() == "Bearer old"
    with pytest.raises(AuthError, match="E602"):
        credentials.refresh("Bearer old")
    assert store.read() == due


def test_a_refresh_token_of_the_file_rotates_and_can_be_replaced(
    server: AuthorizationServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRST", "first")
    server.refresh_tokens = {"first"}
    config = destination(server, "grant: refresh_token, refresh_token: {env: FIRST}", tmp_path)
    header = auth.open_credentials(config).header()
    assert auth.open_credentials(config).refresh(header) == "Bearer access-2"
    assert server.forms[0]["refresh_token"] == "first"
    assert server.forms[1]["refresh_token"] not in ("first", "second")
    monkeypatch.setenv("FIRST", "second")
    server.refresh_tokens = {"second"}
    assert auth.open_credentials(config).refresh("Bearer access-2") == "Bearer access-3"
    assert server.forms[2]["refresh_token"] == "second"


CHILD = """
import sys
from fieldpost import auth
from fieldpost.config import load
credentials = auth.open_credentials(load(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(credentials.refresh("Bearer access-1"), flush=True)
"""


def test_processes_and_threads_renew_once(server: AuthorizationServer, tmp_path: Path) -> None:
    config = person_of(server, tmp_path)
    (tmp_path / "people.yaml").write_text(config.text)
    signed_in(config, "paste")
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "people.yaml")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout and child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin
        child.stdin.write("\n")
        child.stdin.flush()
    told = [child.communicate(timeout=60)[0] for child in children]
    assert told == ["Bearer access-2\n"] * 4
    assert [form["grant_type"] for form in server.forms] == ["authorization_code", "refresh_token"]


def test_a_client_may_keep_its_token_too(
    server: AuthorizationServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "s")
    server.client_secret = "s"
    config = destination(server, "client_secret: {env: SECRET}, tokens: kept.json", tmp_path)
    assert {auth.open_credentials(config).header() for _ in range(3)} == {"Bearer access-1"}
    assert "refresh" not in (tmp_path / "kept.json").read_text()


def test_a_pickle_names_the_place_and_holds_no_token(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    config = person_of(server, tmp_path)
    signed_in(config, "paste")
    credentials = auth.open_credentials(config)
    credentials.header()
    pickled = pickle.dumps(credentials)
    assert b"access-" not in pickled and b"refresh-" not in pickled
    assert pickle.loads(pickled).header() == "Bearer access-1"
    assert len(server.forms) == 1


# -- the system's keyring, by a backend that keeps a file


class FileKeyring(KeyringBackend):
    priority = 9

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def get_password(self, service: str, username: str) -> str | None:
        held = json.loads(self.path.read_text()) if self.path.exists() else {}
        return held.get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        held = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.path.write_text(json.dumps(held | {f"{service}/{username}": password}))


def test_tokens_and_secrets_lie_in_the_keyring(server: AuthorizationServer, tmp_path: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(FileKeyring(tmp_path / "keyring.json"))
    try:
        keyring.set_password("crm", "app", "s")
        server.client_secret = "s"
        secret = ", client_secret: {keyring: crm, user: app}, tokens: keyring"
        config = person_of(server, tmp_path, secret)
        signed_in(config, "paste")
        held = json.loads((tmp_path / "keyring.json").read_text())
        assert sorted(held)[0] == "crm/app" and sorted(held)[1].startswith("fieldpost/People-")
        header = auth.open_credentials(config).header()
        assert auth.open_credentials(config).refresh(header) == "Bearer access-2"
        missing = person_of(server, tmp_path, secret.replace("user: app", "user: nobody"))
        with pytest.raises(ConfigError, match=r"E180.*keyring set crm nobody"):
            auth.open_credentials(missing).refresh("Bearer access-2")
    finally:
        keyring.set_keyring(before)


# -- a certificate in place of a secret


def certificate(folder: Path, password: bytes | None = None, key: Any = None) -> tuple[Path, Any]:
    key = key or rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "app")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    cipher = BestAvailableEncryption(password) if password else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher)
    path = folder / "app.pem"
    path.write_bytes(pem + built.public_bytes(Encoding.PEM))
    return path, built


@pytest.mark.parametrize("password", [None, b"pl4nted"])
def test_a_certificate_signs_as_entra_wants_it(
    server: AuthorizationServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    password: bytes | None,
) -> None:
    _path, built = certificate(tmp_path, password)
    server.certificate_key = RSAKey.import_key(
        built.public_key().public_bytes(Encoding.PEM, _spki())
    )
    digest = built.fingerprint(hashes.SHA256())
    server.thumbprint = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    monkeypatch.setenv("PASSWORD", "pl4nted")
    more = ", certificate_password: {env: PASSWORD}" if password else ""
    config = destination(server, "certificate: {file: app.pem}" + more, tmp_path)
    credentials = auth.open_credentials(config)
    assert credentials.refresh(credentials.header()) == "Bearer access-2"
    first, second = server.jwts
    assert first.header["alg"] == "PS256" and first.header["typ"] == "JWT"
    assert 0 < first.claims["exp"] - first.claims["nbf"] <= 600
    assert first.claims["jti"] != second.claims["jti"]
    assert "client_secret" not in server.forms[0]


def _spki() -> Any:
    from cryptography.hazmat.primitives.serialization import PublicFormat

    return PublicFormat.SubjectPublicKeyInfo


def test_a_certificate_that_cannot_sign_is_told(
    server: AuthorizationServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = destination(server, "certificate: {file: app.pem}", tmp_path)

    def problem() -> str:
        with pytest.raises(AuthError) as caught:
            auth.open_credentials(config).header()
        assert caught.value.code == "E624"
        return str(caught.value)

    path, _built = certificate(tmp_path, b"pw")
    assert "is encrypted" in problem()
    path.write_text("no pem")
    assert "PEM form" in problem()
    certificate(tmp_path, key=ec.generate_private_key(ec.SECP256R1()))
    assert "not an RSA key" in problem()
    certificate(tmp_path)
    other = path.read_text().split("-----BEGIN CERTIFICATE")[0]
    certificate(tmp_path)
    path.write_text(
        other + "-----BEGIN CERTIFICATE" + path.read_text().split("BEGIN CERTIFICATE")[1]
    )
    assert "another certificate" in problem()
    assert server.forms == []


# -- more words in a token request


def test_parameters_are_added_and_their_secrets_hidden(
    server: AuthorizationServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "s")
    monkeypatch.setenv("EXTRA", "pl4nted-extra")
    server.client_secret = "s"
    config = destination(
        server,
        "client_secret: {env: SECRET}, token_prefix: Token, client_auth: basic, "
        "token_params: {resource: 'https://a b', data: x, account_secret: {env: EXTRA}}",
        tmp_path,
    )
    credentials = auth.open_credentials(config)
    assert credentials.header() == "Token access-1"
    assert server.forms == [
        {
            "grant_type": "client_credentials",
            "resource": "https://a b",
            "data": "x",
            "account_secret": "pl4nted-extra",
        }
    ]
    server.answers = [(400, {"error": "x", "error_description": "no good: pl4nted-extra"})]
    with pytest.raises(AuthError) as caught:
        credentials.refresh("Token access-1")
    assert "pl4nted" not in str(caught.value) and "***" in str(caught.value)


@pytest.mark.parametrize(
    ("rest", "code", "path"),
    [
        ("", "E111", "$.auth.client_secret"),
        ("grant: authorization_code", "E111", "$.auth.authorize_url"),
        ("grant: refresh_token", "E111", "$.auth.refresh_token"),
        ("client_secret: {env: A}, refresh_token: {env: B}", "E183", "$.auth.refresh_token"),
        ("client_secret: {env: A}, certificate: {env: B}", "E183", "$.auth.client_secret"),
        ("client_secret: {env: A}, certificate_password: {env: B}", "E183",
         "$.auth.certificate_password"),
        ("client_secret: {env: A}, token_params: {scope: a}", "E183", "$.auth.token_params.scope"),
        ("client_secret: {env: A}, token_params: {a_secret: b}", "E120", "$.auth.token_params"),
        ("client_secret: {env: A}, token_params: {a: [b]}", "E112", "$.auth.token_params"),
        ("client_secret: {env: A, keyring: b}", "E120", "$.auth.client_secret"),
        ("client_secret: {airflow: crm, felt: x}", "E120", "$.auth.client_secret"),
        ("client_secret: {env: A}, token_prams: {}", "E110", "$.auth.token_prams"),
        ("grant: authorization_code, device_url: 'https://x', redirect_url: 'https://x'", "E113",
         "$.auth.redirect_url"),
    ],
)  # fmt: skip
def test_each_mistake_of_a_sign_in_is_told(
    server: AuthorizationServer, tmp_path: Path, rest: str, code: str, path: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        destination(server, rest, tmp_path)
    assert [(one.code, one.path) for one in caught.value.mistakes] == [(code, path)]
    assert caught.value.line == 3
