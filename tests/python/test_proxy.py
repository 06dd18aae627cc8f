"""`delivery.proxy`: everything a destination sends goes through it; its password stays secret."""

from __future__ import annotations

import base64
import json
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from proxy_servers import ForwardProxy, SocksProxy
from sales import Sales

import fieldpost as fp
from authorization_server import AuthorizationServer
from fieldpost import auth
from fieldpost.auth.connect import Connection, Person
from fieldpost.config import parse
from fieldpost.emulator import Emulator
from fieldpost.emulator.certificate import Certificate
from fieldpost.errors import ConfigError, Mistake
from recording_server import Answer, Received, RecordingServer

PASSWORD = "pl4nted/ü+:@"
LOGIN = f"svc:{PASSWORD}"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment that nobody serves, and a `no_proxy` for everything."""
    for name in NAMES:
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr("urllib.request._opener", None)  # one that knows these would be kept
    monkeypatch.setenv("PASSWORD", PASSWORD)
    monkeypatch.setenv("CLIENT_SECRET", "client-secret")
    monkeypatch.setattr("fieldpost.auth.token_endpoint.WAITS_S", ())


@pytest.fixture
def certificate() -> Iterator[Certificate]:
    made = Certificate()
    yield made
    made.close()


def written(folder: Path, url: str, proxy: str, more: str = "auth: {type: none}\n") -> Path:
    path = folder / "hook.yaml"
    path.write_text(
        f"name: hook\nid: hook\ntype: webhook\nurl: {url}/in\nsubscriptions:\n  - {{name: all}}\n"
        'event_id: {"@path": "$.messageId"}\n'
        "delivery:\n"
        f"  proxy: {proxy}\n"
        f"  retry: {{wait_initial_s: 0.01, max_attempts: 2, max_elapsed_s: 2}}\n{more}"
    )
    return path


def with_login(url: str) -> str:
    return f"{{url: '{url}', username: svc, password: {{env: PASSWORD}}}}"


def oauth(token_url: str) -> str:
    return (
        f"auth: {{type: oauth2, token_url: '{token_url}', client_id: app-1,"
        " client_secret: {env: CLIENT_SECRET}}\n"
    )


def deliver(path: Path) -> tuple[fp.Report, dict[str, Any]]:
    destination = fp.Destination.from_file(path)
    report = destination.deliver([{"messageId": "m0"}], progress=False)
    return report, next(iter(destination.outcomes()))


# -- what goes through it


def test_deliveries_and_token_requests_go_through_it(tmp_path: Path) -> None:
    with (
        ForwardProxy(LOGIN) as proxy,
        AuthorizationServer("app-1", "client-secret") as signs_in,
        RecordingServer() as service,
    ):
        path = written(tmp_path, service.url, with_login(proxy.url), oauth(signs_in.token_url))
        report, _row = deliver(path)
        assert report["delivered"] == 1
        assert proxy.paths == ["/token", "/in"]
        [received] = service.requests
        assert received.headers["authorization"] == "Bearer access-1"
        assert not [name for name in received.headers if name.startswith("proxy")]


def test_a_connection_test_and_a_schema_go_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator() as emulator, ForwardProxy(LOGIN) as proxy:
        monkeypatch.setenv("CID", emulator.client_id)
        monkeypatch.setenv("SECRET", emulator.client_secret)
        sales = Sales(tmp_path, emulator)
        sales.subscribe("action: create\ntable: account\nbody: {name: A}")
        sales.delivery = f"delivery: {{proxy: {with_login(proxy.url)}}}\n"
        before = sales.sent("/")
        assert sales.destination.test_connection(send=True)
        sales.destination.saved_schema.pull()
        through = [one for one in proxy.paths if not one.startswith("/oauth")]
        assert any(one.endswith("/WhoAmI") for one in through)
        assert any("EntityDefinitions" in one or one.endswith("$metadata") for one in through)
        assert sales.sent("/") - before == len(proxy.requests), "nothing went past it"


def test_a_person_signs_in_through_it(tmp_path: Path) -> None:
    with ForwardProxy(LOGIN) as proxy, AuthorizationServer() as signs_in:
        more = (
            "auth: {type: oauth2, grant: authorization_code, client_id: app-1, tokens: kept.json,"
            f" token_url: '{signs_in.token_url}', device_url: '{signs_in.device_url}'}}\n"
        )
        config = fp.Destination.from_file(
            written(tmp_path, "http://127.0.0.1:1", with_login(proxy.url), more)
        ).config
        connection: Connection = auth.connection(config)
        connection._sleep = lambda _s: None
        connection.sign_in(Person(lambda _invitation: None), "device")
        assert proxy.paths[0] == "/device" and set(proxy.paths[1:]) == {"/token"}
        assert len(proxy.paths) == 1 + len(signs_in.forms), "nothing went past it"


def test_a_proxy_may_ask_for_no_password(tmp_path: Path) -> None:
    with ForwardProxy() as proxy, RecordingServer() as service:
        report, _row = deliver(written(tmp_path, service.url, proxy.url))
        assert report["delivered"] == 1 and proxy.paths == ["/in"]


def test_a_socks_proxy_looks_names_up(tmp_path: Path) -> None:
    with (
        SocksProxy(LOGIN) as proxy,
        AuthorizationServer("app-1", "client-secret") as signs_in,
        RecordingServer() as service,
    ):
        port = int(signs_in.url.rpartition(":")[2])
        more = "allow_http: true\n" + oauth(f"http://login.invalid:{port}/token")
        url = f"http://service.invalid:{service.port}"
        report, _row = deliver(written(tmp_path, url, with_login(proxy.url), more))
        assert report["delivered"] == 1
        assert proxy.asked == [("login.invalid", port), ("service.invalid", service.port)]


def test_a_proxy_with_tls_shows_its_certificate(tmp_path: Path, certificate: Certificate) -> None:
    with (
        ForwardProxy(LOGIN, certificate) as proxy,
        AuthorizationServer("app-1", "client-secret") as signs_in,
        RecordingServer() as service,
    ):
        more = oauth(signs_in.token_url)
        trusted = more + f"ca_file: {certificate.ca_file}\n"
        report, _row = deliver(written(tmp_path, service.url, with_login(proxy.url), trusted))
        assert report["delivered"] == 1 and proxy.paths == ["/token", "/in"]
        path = written(tmp_path, service.url, with_login(proxy.url), more)
        with pytest.raises(fp.AuthError, match="E604"):
            deliver(path)
        path = written(tmp_path, service.url, with_login(proxy.url))
        report = fp.Destination.from_file(path).deliver([{"messageId": "m1"}], progress=False)
        assert report.stopped is not None and report.stopped.code == "E502"
        assert len(proxy.requests) == 2, "no password for one that is not trusted"


def test_none_leaves_the_proxies_of_the_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "")
    with RecordingServer() as proxy:
        for name in NAMES:
            monkeypatch.setenv(name, proxy.url)
        more = "allow_http: true\n"
        url = "http://service.invalid"
        _report, row = deliver(written(tmp_path, url, "none", more))
        assert row["code"] == "E501" and proxy.requests == []
        token = more + oauth("http://login.invalid/token")
        with pytest.raises(fp.AuthError, match="E602"):
            deliver(written(tmp_path, url, "none", token))
        assert proxy.requests == []


# -- what it refuses


def test_a_proxy_that_wants_another_password_rejects_no_event(tmp_path: Path) -> None:
    with ForwardProxy("svc:other") as proxy, RecordingServer() as service:
        path = written(tmp_path, service.url, with_login(proxy.url))
        _report, row = deliver(path)
        assert (row["outcome"], row["code"]) == ("expired", "E501")
        assert "HTTP 407" in row["message"] and service.requests == []
        [step] = [s for s in fp.Destination.from_file(path).test_connection() if s.ok is False]
        assert step.name == "address" and "HTTP 407" in step.detail


def test_a_tunnel_that_is_refused_rejects_no_event(tmp_path: Path) -> None:
    with RecordingServer() as proxy:  # it knows no CONNECT, and says 501
        path = written(tmp_path, "https://service.invalid", with_login(proxy.url))
        _report, row = deliver(path)
        assert (row["outcome"], row["code"]) == ("expired", "E501")
        assert "tunnel" in row["message"]


def test_a_password_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PASSWORD")
    path = written(tmp_path, "http://127.0.0.1:1", with_login("http://127.0.0.1:1"))
    destination = fp.Destination.from_file(path)
    assert destination.check() and len(list(destination.preview([{"messageId": "m"}]))) == 1
    with pytest.raises(fp.ConfigError) as caught:
        deliver(path)
    assert (caught.value.code, caught.value.path) == ("E121", "$.delivery.proxy.password")
    [step] = [one for one in destination.test_connection() if one.ok is False]
    assert (step.name, step.exit_code) == ("address", 2) and step.detail.startswith("E121")


def test_a_password_that_changes_needs_no_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ForwardProxy("svc:second") as proxy, RecordingServer() as service:
        destination = fp.Destination.from_file(
            written(tmp_path, service.url, with_login(proxy.url))
        )
        assert not destination.test_connection()
        monkeypatch.setenv("PASSWORD", "second")
        assert destination.test_connection()


def test_nobody_at_the_proxy_is_nobody_reached(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        proxy = f"http://127.0.0.1:{taken.getsockname()[1]}"
        _report, row = deliver(written(tmp_path, "http://127.0.0.1:1", with_login(proxy)))
        assert (row["outcome"], row["code"]) == ("expired", "E501")
        path = written(tmp_path, "http://127.0.0.1:1", proxy, oauth("http://127.0.0.1:1/token"))
        with pytest.raises(fp.AuthError, match="E602") as caught:
            deliver(path)
        assert "proxy" in caught.value.hint


# -- what stays secret


def test_what_travels_and_what_is_shown_holds_no_password(tmp_path: Path) -> None:
    path = written(tmp_path, "http://127.0.0.1:1", with_login("http://127.0.0.1:1"))
    config = fp.Destination.from_file(path).config
    credentials = auth.open_credentials(config)
    shown = [repr(config), repr(vars(credentials)), str(pickle.dumps(credentials))]
    shown += [str(pickle.dumps(config)), json.dumps(config.delivery.model_dump(mode="json"))]
    assert not [one for one in shown if "pl4nted" in one]
    assert pickle.loads(pickle.dumps(config)).delivery.proxy == config.delivery.proxy


def test_what_a_proxy_says_back_is_not_shown(tmp_path: Path) -> None:
    def repeat(received: Received) -> Answer:
        pair = received.headers["proxy-authorization"]
        told = f"{pair} {base64.b64decode(pair.split()[1]).decode()} {quote(PASSWORD, safe='')}"
        return 400, {}, json.dumps({"error": {"message": told}}).encode()

    with RecordingServer(repeat) as proxy:
        path = written(tmp_path, "http://127.0.0.1:1", with_login(proxy.url))
        report, row = deliver(path)
        assert report["rejected"] == 1 and "***" in row["message"]
        kept = (tmp_path / "hook.ledger.db").read_bytes().decode("latin-1")
        coded = base64.b64encode(LOGIN.encode()).decode()
        for text in (str(row), repr(report.failures), kept):
            assert "pl4nted" not in text and coded not in text


def test_what_answers_in_the_service_s_place_is_not_shown_by_what_only_looks(
    tmp_path: Path,
) -> None:
    def repeat(received: Received) -> Answer:
        told = {"error": {"code": "1", "message": received.headers["proxy-authorization"]}}
        return 403, {}, json.dumps(told).encode()

    with RecordingServer(repeat) as proxy:
        path = tmp_path / "sales.yaml"
        path.write_text(
            "name: sales\ntype: dynamics365\nurl: http://127.0.0.1:1\nauth: {type: none}\n"
            "subscriptions: [{name: s, action: create, table: account, body: {name: a}}]\n"
            f"delivery: {{proxy: {with_login(proxy.url)}}}\n"
        )
        told = str(fp.Destination.from_file(path).test_connection().to_dict())
    assert "***" in told
    assert "pl4nted" not in told and base64.b64encode(LOGIN.encode()).decode() not in told


# -- what the file may say


def mistakes(proxy: str) -> list[Mistake]:
    with pytest.raises(ConfigError) as caught:
        parse(
            "name: h\ntype: webhook\nurl: https://example.com\nsubscriptions: [{name: a}]\n"
            f"delivery:\n  proxy: {proxy}\n",
            "d.yaml",
            {"WHOLE": "http://user:pl4nted@proxy:3128"},
        )
    assert "pl4nted" not in str(caught.value) + repr(caught.value.mistakes)
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("proxy", "code", "message", "path"),
    [
        ("ftp://proxy:21", "E113", "expected an http, https or socks5h proxy, or none", ""),
        ("socks5://proxy:1080", "E113", "expected an http, https or socks5h proxy, or none", ""),
        ("proxy:3128", "E113", "expected an http, https or socks5h proxy, or none", ""),
        ("http://proxy", "E113", "expected the proxy's host and port", ""),
        ("http://proxy:99999", "E113", "not a proxy's address", ""),
        ("http://proxy:3128/x", "E113", "expected nothing behind the proxy's port", ""),
        ("''", "E113", "expected an http, https or socks5h proxy, or none", ""),
        ("8080", "E112", "expected a mapping of keys and values, found a number", ""),
        (
            "http://me:pl4nted@proxy:3128",
            "E120",
            "a user name or password inside the proxy's address",
            "",
        ),
        ("{env: WHOLE}", "E120", "a user name or password inside the proxy's address", ""),
        ("{username: me}", "E111", 'the key "url" is missing', ".url"),
        (
            "{url: 'http://p:1', username: me, password: pl4nted}",
            "E120",
            "a secret does not belong into this file",
            ".password",
        ),
        (
            "{url: 'http://p:1', password: {env: P}}",
            "E111",
            'the key "username" is missing',
            ".username",
        ),
        ("{url: none, username: me}", "E115", 'no proxy has no "username"', ".username"),
        (
            "{url: 'http://p:1', username: 'a:b'}",
            "E113",
            "a sign that no user name of a proxy can hold",
            ".username",
        ),
        ("{url: 'http://p:1', user: me}", "E110", 'unknown key "user"', ".user"),
    ],
)
def test_every_mistake_has_its_place(proxy: str, code: str, message: str, path: str) -> None:
    [told] = mistakes(proxy)
    assert (told.code, told.message, told.path) == (code, message, f"$.delivery.proxy{path}")
    assert told.line == 6 and (told.hint or code == "E112" or path == ".url")


def test_what_a_file_may_say() -> None:
    text = (
        "name: h\ntype: webhook\nurl: https://example.com\nsubscriptions: [{name: a}]\n"
        "delivery: {proxy: %s}\n"
    )

    def read(proxy: str) -> Any:
        return parse(text % proxy, "d.yaml", {"P": "https://proxy:443"}).delivery.proxy

    assert read("none").is_none and read("null") is None
    assert read("{env: P}").url == "https://proxy:443"
    assert read("'socks5h://[::1]:1080/'").url == "socks5h://[::1]:1080"
    assert read("{url: 'http://p:1', username: me}").username == "me"
