"""What comes by reference is shown and kept nowhere, and put in anew when it is sent again."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

import fieldpost as fp
from fieldpost import auth
from fieldpost.config import parse
from fieldpost.documents import active, target_address
from fieldpost.redaction import Redaction
from recording_server import RecordingServer

KEY = 'pl4nted/key+of "ü'


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with RecordingServer(lambda _: (422, {}, b"no")) as server:
        monkeypatch.setenv("HOOK_URL", f"{server.url}/services/T00/pl4nted-path?code=pl4nted-code")
        monkeypatch.setenv("KEY", "Bearer pl4nted-old")
        monkeypatch.setenv("REGION", "eu")
        yield server


def write(folder: Path, url: str, more: str) -> fp.Destination:
    path = folder / "hook.yaml"
    path.write_text(
        f"name: Hook\ntype: webhook\nurl: {url}\nevent_id: {{'@path': $.messageId}}\n"
        f"subscriptions:\n  - name: all\n{more}"
    )
    return fp.Destination.from_file(path)


def deliver(destination: fp.Destination, *events: dict[str, Any]) -> fp.Report:
    numbered = [{"messageId": f"m-{n}", **one} for n, one in enumerate(events)]
    return destination.deliver(numbered, progress=False)


def ask(folder: Path, sql: str) -> list[Any]:
    with sqlite3.connect(folder / "hook.ledger.db") as db:
        return db.execute(sql).fetchall()


def ledger_bytes(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in sorted(folder.glob("hook.ledger.db*")))


MIXED = (
    "    headers: {X-User: {'@path': $.messageId}, X-Key: {env: KEY}, X-Region: {env: REGION}}\n"
)


def test_a_letter_names_the_reference_and_a_replay_sends_the_value_of_today(
    refusing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "    body: {key: {env: KEY}, in: {text: {env: KEY}}, region: {env: REGION}, n: 1.5}\n"
    destination = write(tmp_path, refusing.url, MIXED + body)
    deliver(destination, {"region": "eu"})
    ((headers, kept, redacted),) = ask(tmp_path, "SELECT headers, body, redacted FROM letters")
    assert json.loads(headers) == {
        "X-User": "m-0",
        "X-Key": {"env": "KEY"},
        "X-Region": {"env": "REGION"},
    }
    assert json.loads(kept) == {
        "key": {"env": "KEY"},
        "in": {"text": {"env": "KEY"}},
        "region": {"env": "REGION"},
        "n": 1.5,
    }
    assert redacted == 2
    assert b"pl4nted" not in ledger_bytes(tmp_path)
    monkeypatch.setenv("KEY", 'Bearer "new"')
    monkeypatch.setenv("REGION", "us")
    refusing.answer = lambda _: (204, {}, b"")
    again = fp.Destination.from_file(tmp_path / "hook.yaml")
    assert again.replay("outcome = 'rejected'", recorded=True, progress=False)["delivered"] == 1
    sent = refusing.requests[-1]
    assert sent.headers["x-key"] == 'Bearer "new"'
    assert (sent.headers["x-user"], sent.headers["x-region"]) == ("m-0", "us")
    text = sent.body.decode()
    assert json.loads(text)["in"] == {"text": 'Bearer "new"'}
    assert '"n":1.5' in text and json.loads(text)["region"] == "us"


def test_a_reference_that_the_file_has_no_more_is_not_sent_as_a_text(
    refusing: Any, tmp_path: Path
) -> None:
    deliver(write(tmp_path, refusing.url, MIXED), {})
    destination = write(tmp_path, refusing.url, "    headers: {X-User: {'@path': $.messageId}}\n")
    report = destination.replay("outcome = 'rejected'", recorded=True, progress=False)
    assert report["rejected"] == 1 and len(refusing.requests) == 1
    assert destination.replay("outcome = 'rejected'", progress=False)["rejected"] == 1
    assert len(refusing.requests) == 2, "its event is whole, so it can be mapped anew"


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("key_in", ["the body", "a header"])
def test_an_event_cannot_ask_for_a_secret(
    refusing: Any, tmp_path: Path, quoted: bool, key_in: str
) -> None:
    """Who writes events could write a reference of ours, to be given its value by a replay."""
    key = "key: {env: KEY}, " if key_in == "the body" else ""
    body = f"    body: {{{key}note: {{'@path': $.note}}}}\n"
    destination = write(tmp_path, refusing.url, body + ("" if key else MIXED))
    asking: Any = {"env": "KEY"}
    deliver(destination, {"note": json.dumps(asking) if quoted else asking})
    assert b"pl4nted" not in ledger_bytes(tmp_path)
    refusing.answer = lambda _: (204, {}, b"")
    destination.replay("outcome = 'rejected'", recorded=True, progress=False)
    assert len(refusing.requests) == 1, "it is for reading only"
    assert destination.replay("outcome = 'rejected'", progress=False)["delivered"] == 1
    note = json.loads(refusing.requests[-1].body)["note"]
    assert note == (json.dumps(asking) if quoted else asking)


def test_a_ledger_cannot_ask_for_what_the_file_does_not_name(
    refusing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "pl4nted-of-somebody-else")
    destination = write(tmp_path, refusing.url, "    body: {key: {env: KEY}}\n")
    deliver(destination, {})
    with sqlite3.connect(tmp_path / "hook.ledger.db") as db:
        db.execute("UPDATE letters SET body = ?", (b'{"key":{"env":"AWS_SECRET_ACCESS_KEY"}}',))
    destination.replay("outcome = 'rejected'", recorded=True, progress=False)
    assert len(refusing.requests) == 1


def test_a_letter_of_an_older_kind_is_sent_with_the_header_of_today(
    refusing: Any, tmp_path: Path
) -> None:
    destination = write(tmp_path, refusing.url, MIXED)
    deliver(destination, {})
    with sqlite3.connect(tmp_path / "hook.ledger.db") as db:
        old = json.dumps({"X-User": "m-0", "X-Key": "Bearer rotated", "X-Region": "eu"})
        db.execute("UPDATE letters SET redacted = 0, headers = ?", (old,))
    refusing.answer = lambda _: (204, {}, b"")
    destination.replay("outcome = 'rejected'", recorded=True, progress=False)
    assert refusing.requests[-1].headers["x-key"] == "Bearer pl4nted-old"


def test_a_value_of_the_event_itself_is_the_event_s(
    refusing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "production")
    body = "    body: {stage: {env: STAGE}, site: {'@path': $.site}}\n"
    deliver(write(tmp_path, refusing.url, body), {"site": "production"})
    ((kept,),) = ask(tmp_path, "SELECT body FROM letters")
    assert json.loads(kept) == {"stage": {"env": "STAGE"}, "site": "production"}


# -- addresses


def test_an_address_by_reference_is_hidden_behind_its_host(refusing: Any, tmp_path: Path) -> None:
    refusing.answer = lambda one: (404, {}, f"no_service at {one.path}".encode())
    destination = write(tmp_path, "{env: HOOK_URL}", "    body: {a: 1}\n")
    report = deliver(destination, {})
    assert report["rejected"] == 1
    ((url,),) = ask(tmp_path, "SELECT url FROM targets")
    assert url.startswith(f"{refusing.url}/***?") and len(url) == len(refusing.url) + 21
    assert b"pl4nted" not in ledger_bytes(tmp_path)
    shown = destination.preview([{"messageId": "m-9"}])
    assert shown[0].url == f"{refusing.url}/***"
    assert "pl4nted" not in json.dumps(shown[0].to_dict()) + shown._repr_html_()


def test_targets_behind_one_host_are_told_apart(
    refusing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing.answer = lambda _: (204, {}, b"")
    for path in ("one-of-two", "two-of-two", "one-of-two"):
        monkeypatch.setenv("HOOK_URL", f"{refusing.url}/{path}")
        deliver(write(tmp_path, "{env: HOOK_URL}", "    body: {a: 1}\n"), {})
    assert [one.path for one in refusing.requests] == ["/one-of-two", "/two-of-two"]


@pytest.mark.parametrize("way", ["from an older version", "to a reference", "from a reference"])
def test_an_event_delivered_before_is_recognised(refusing: Any, tmp_path: Path, way: str) -> None:
    refusing.answer = lambda _: (204, {}, b"")
    literal = refusing.url + "/services/T00/pl4nted-path?code=pl4nted-code"
    urls = ("{env: HOOK_URL}", f"'{literal}'")
    first, second = reversed(urls) if way == "to a reference" else urls
    if way == "from an older version":
        second = first
    deliver(write(tmp_path, first, "    body: {a: 1}\n"), {})
    if way == "from an older version":
        config = fp.Destination.from_file(tmp_path / "hook.yaml").config
        path, query = literal.split("?")
        older = f"{path}?{hashlib.sha256(query.encode()).hexdigest()[:16]}"
        assert target_address(config, active(config)[0]).is_older(older)
        with sqlite3.connect(tmp_path / "hook.ledger.db") as db:
            db.execute("UPDATE targets SET url = ?", (older,))
            assert db.total_changes == 1
    again = write(tmp_path, second, "    body: {a: 1}\n")
    assert again.status().to_dict()["delivered"] == 1, "looking finds it, and changes nothing"
    assert deliver(again, {})["already_delivered"] == 1
    assert len(refusing.requests) == 1
    ((url,),) = ask(tmp_path, "SELECT url FROM targets")
    assert ("pl4nted" in url) is (way == "from a reference"), "then the file itself has it"


def test_an_address_made_of_a_reference_is_kept_without_it(
    refusing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPLATE", refusing.url + "/pl4nted-path/{{id}}/in")
    destination = write(tmp_path, "https://a.example", "    url: {'@template': {env: TEMPLATE}}\n")
    (tmp_path / "hook.yaml").write_text(
        (tmp_path / "hook.yaml").read_text() + "allow_hosts: ['127.0.0.1']\n"
    )
    destination = fp.Destination.from_file(tmp_path / "hook.yaml")
    report = deliver(destination, {"id": 7})
    assert report["rejected"] == 1, report.failures
    assert b"pl4nted" not in ledger_bytes(tmp_path)
    assert "pl4nted" not in json.dumps(destination.preview([{"id": 7}])[0].to_dict())
    destination.replay("outcome = 'rejected'", recorded=True, progress=False)
    assert refusing.requests[-1].path == "/pl4nted-path/7/in"


# -- for people


def redaction(**environ: str) -> Redaction:
    config = parse(
        "name: a\ntype: webhook\nurl: https://host.example/in\n"
        "auth: {type: basic, username: me, password: {env: KEY}}\n"
        "subscriptions:\n  - name: b\n    headers: {X-Region: {env: REGION}}\n"
        "    body: {region: {env: REGION}, list: [{env: REGION}], key: {env: KEY}}\n",
        environ=environ,
    )
    return Redaction.of(config)


FORMS = {
    "as it is": KEY,
    "percent-encoded": quote(KEY, safe=""),
    "percent-encoded in lower case": quote(KEY, safe="")
    .replace("%2F", "%2f")
    .replace("%2B", "%2b")
    .replace("%C3%BC", "%c3%bc"),
    "a form": quote_plus(KEY),
    "JSON": json.dumps(KEY)[1:-1],
    "JSON with its letters": json.dumps(KEY, ensure_ascii=False)[1:-1],
    "JSON of PHP": json.dumps(KEY)[1:-1].replace("/", "\\/"),
    "HTML": escape(KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 of user and password": base64.b64encode(f"me:{KEY}".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_hidden_in_each_of_its_forms(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("KEY", KEY)
    secrets = redaction(KEY=KEY, REGION="eu")
    assert secrets.text(f"a {form} b").replace("=", "") == "a *** b"
    assert form.rstrip("=") in secrets.texts, "the core hides it too"
    assert "pl4nted" not in repr(secrets) + repr(vars(secrets)["_origins"]) + repr(secrets.texts)


def test_a_short_value_is_hidden_in_its_own_place_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", KEY)
    secrets = redaction(KEY=KEY, REGION="eu")
    assert secrets.text("eu is closed: neutral") == "eu is closed: neutral"
    shown = secrets.headers([("x-region", "eu"), ("X-Other", "eu")])
    assert shown == (("x-region", "***"), ("X-Other", "eu"))
    assert secrets.body('{"region":"eu","other":"eu"}') == '{"region":"***","other":"eu"}'
    assert secrets.value({"region": "eu", "other": ["eu"]}) == {"region": "***", "other": ["eu"]}
    deep: Any = "eu"
    for _ in range(5000):
        deep = [deep]
    hidden: Any = secrets.value({"region": deep, "a": 1})["region"]
    while isinstance(hidden, list):
        (hidden,) = hidden
    assert hidden == "***"
    taken = secrets.take_out(b'{"region":"eu","other":"eu"}')
    assert taken.text == b'{"region":{"env":"REGION"},"other":"eu"}'
    assert secrets.put_in(taken.text) == b'{"region":"eu","other":"eu"}'


@pytest.mark.parametrize(
    ("text", "is_address"),
    [
        (json.dumps({"a": KEY, KEY: 1, "b": f"x {KEY} y", "c": [KEY, 1.50]}).encode(), False),
        (json.dumps({"a": KEY, "b": f"{KEY}!"}, ensure_ascii=False).encode(), False),
        (json.dumps({"a": f"q={quote(KEY, safe='')}&r={quote_plus(KEY)}"}).encode(), False),
        (json.dumps({"a": base64.b64encode(KEY.encode()).decode()}).encode(), False),
        (f"https://host.example/in?k={quote(KEY, safe='')}&l=1".encode(), True),
    ],
)
def test_a_secret_that_is_taken_out_is_put_in_again(
    monkeypatch: pytest.MonkeyPatch, text: bytes, is_address: bool
) -> None:
    monkeypatch.setenv("KEY", KEY)
    secrets = redaction(KEY=KEY, REGION="eu")
    taken = secrets.take_out(text, is_address=is_address)
    assert (taken.found, taken.whole) == (True, True)
    assert b"pl4nted" not in taken.text
    again = secrets.put_in(taken.text, is_address=is_address)
    assert again is not None
    if is_address:
        assert again == text
    else:
        assert json.loads(taken.text) is not None
        assert json.loads(again) == json.loads(text)


def test_explain_shows_no_reference_s_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "pl4nted-key")
    monkeypatch.setenv("REGION", "eu")
    body = "    body: {key: {env: KEY}, region: {env: REGION}, unset: {env: NOT_SET}, a: eu}\n"
    destination = write(tmp_path, "https://host.example", body)
    for told in (
        fp.explain_file(tmp_path / "hook.yaml", b'{"messageId": "m-1"}'),
        *([destination.explain({"messageId": "m-1"})] if not destination.config.missing else []),
    ):
        (one,) = told
        assert one.body == {"key": "***", "region": "***", "unset": "${NOT_SET}", "a": "eu"}
        assert "pl4nted" not in str(told) + told._repr_html_() + json.dumps(told.to_dict())
        assert " eu " not in str(one.fields[1].cells())


# -- settings


def test_a_marked_setting_is_given_to_functions_and_to_nobody_else(
    refusing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTING", "pl4nted-setting")
    (tmp_path / "key").write_text("pl4nted-in-a-file\n")
    (tmp_path / "f.py").write_text(
        "from fieldpost import DropEvent\n"
        "def on_track(event, settings):\n"
        "    if event.get('drop'):\n"
        "        raise DropEvent('no ' + settings['key'])\n"
        "    return event | {'key': settings['key'], 'in': 'x' + settings['deep'][0]['file']}\n"
    )
    more = (
        "functions: f.py\n"
        "settings: {key: {env: SETTING, secret: true}, deep: [{file: {file: key, secret: true}}],"
        " plain: {secret: true}}\n"
    )
    write(tmp_path, refusing.url, "    body: {a: {'@path': $.key}, b: {'@path': $.in}}\n")
    text = (tmp_path / "hook.yaml").read_text() + more
    (tmp_path / "hook.yaml").write_text(text)
    destination = fp.Destination.from_file(tmp_path / "hook.yaml")
    assert destination.config.settings["plain"] == {"secret": True}, "no reference: as it stands"
    report = deliver(destination, {"type": "track"}, {"type": "track", "drop": True})
    assert (report["rejected"], report["dropped"]) == (1, 1), report.failures
    sent = json.loads(refusing.requests[0].body)
    assert sent == {"a": "pl4nted-setting", "b": "xpl4nted-in-a-file"}
    assert b"pl4nted" not in ledger_bytes(tmp_path)
    monkeypatch.setenv("SETTING", "of today")
    destination.replay("outcome = 'rejected'", recorded=True, progress=False)
    assert json.loads(refusing.requests[-1].body)["a"] == "of today"
    shown = destination.preview([{"type": "track", "messageId": "m-5"}])
    assert shown[0].to_dict()["body"]["b"] == "x***"
    monkeypatch.delenv("SETTING")
    with pytest.raises(fp.ConfigError, match=r"E121.*SETTING.*\$\.settings\.key"):
        deliver(destination, {"type": "track"})


def test_a_case_runs_without_the_secrets_of_settings(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(
        "def on_track(event, settings):\n    return event | {'key': settings['key']}\n"
    )
    path = tmp_path / "hook.yaml"
    path.write_text(
        "name: Hook\ntype: webhook\nurl: https://host.example\nfunctions: f.py\n"
        "settings: {key: {env: NOT_SET, secret: true}}\n"
        "subscriptions: [{name: all, body: {key: {'@path': $.key}}}]\n"
        "tests:\n  - {name: a, event: {type: track}, expect: {body: {key: '${NOT_SET}'}}}\n"
    )
    assert fp.unit_cases(path)[0].run()


# -- signing in


def test_a_token_endpoint_by_reference_is_told_without_its_path(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fieldpost.auth.token_endpoint.WAITS_S", ())
    caplog.set_level(logging.DEBUG)

    def echo(one: Any) -> Any:
        told = {"error": "invalid_client", "error_description": f"no client at {one.path}"}
        return 400, {"Content-Type": "application/json"}, json.dumps(told).encode()

    with RecordingServer(echo) as server:
        monkeypatch.setenv("TOKEN_URL", f"{server.url}/t/pl4nted-path?code=pl4nted-code")
        monkeypatch.setenv("CLIENT", "pl4nted-client")
        config = parse(
            "name: a\ntype: webhook\nurl: https://host.example/in\n"
            "auth: {type: oauth2, token_url: {env: TOKEN_URL}, client_id: app-1,"
            " client_secret: {env: CLIENT}}\nsubscriptions: [{name: b}]\n"
        )
        credentials = auth.open_credentials(config)
        with pytest.raises(fp.AuthError) as caught:
            credentials.header()
    assert caught.value.at == f"{server.url}/***"
    assert "no client at ***" in str(caught.value)
    told = str(caught.value) + repr(credentials) + caplog.text
    assert "pl4nted" not in told and "/…?…" in caplog.text
