"""The send action on the wire: what a recording server received, byte for byte."""

import base64
import hashlib
import hmac
import json
import os
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

import fieldpost as fp
from recording_server import Received, RecordingServer

KEY = bytes(range(32))
EVENT = {"type": "track", "messageId": "m-1", "userId": "u1"}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as started:
        yield started


def deliver(
    folder: Path, subscription: dict[str, Any], events: list[Any] | None = None, head: str = ""
) -> fp.Report:
    """A destination of one subscription, delivered to; JSON is YAML."""
    text = f"name: Hook\ntype: webhook\nevent_id: {{'@path': '$.messageId'}}\n{head}"
    text += f"subscriptions: {json.dumps([{'name': 'A', **subscription}])}\n"
    destination = fp.Destination.from_text(text, str(folder / "hook.yaml"))
    return destination.deliver(events or [EVENT], progress=False)


def sent(server: RecordingServer, report: fp.Report) -> Received:
    assert report["delivered"] == 1, list(report.failures)
    (one,) = server.requests
    return one


def code_of(report: fp.Report) -> str:
    (one,) = report.failures
    return str(one["code"])


# -- signatures


def test_standard_webhooks_signs_the_exact_bytes(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING", "whsec_" + base64.b64encode(KEY).decode())
    statuses = iter((503, 200))
    server.answer = lambda _: (next(statuses), {}, b"")
    head = "signing: {standard_webhooks: {env: SIGNING}}\n"
    head += "delivery: {retry: {wait_initial_s: 1.2}}\n"
    body = {"name": "Zoë", "n": {"@path": "$.n"}}
    event = EVENT | {"n": 12345678901234567890}
    began = time.time()
    report = deliver(tmp_path, {"url": server.url, "body": body}, [event], head)
    assert report["delivered"] == 1
    first, second = server.requests
    for request in server.requests:
        stamp = request.headers["webhook-timestamp"]
        assert int(began) <= int(stamp) <= time.time()
        text = f"{request.headers['webhook-id']}.{stamp}.".encode() + request.body
        digest = hmac.new(KEY, text, hashlib.sha256).digest()
        wanted = "v1," + base64.b64encode(digest).decode()
        assert request.headers["webhook-signature"] == wanted
        assert b"12345678901234567890" in request.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert "x-signature" not in first.headers and "idempotency-key" not in first.headers


def test_another_event_or_subscription_has_another_id(
    server: RecordingServer, tmp_path: Path
) -> None:
    both = {"url": server.url}
    head = "idempotency_key: true\n"
    deliver(tmp_path, both, [EVENT, EVENT | {"messageId": "m-2"}], head)
    deliver(tmp_path, both | {"id": "other"}, [EVENT], head)
    deliver(tmp_path, both | {"id": "other"}, [EVENT], head + "id: another\n")
    keys = [one.headers["idempotency-key"] for one in server.requests]
    assert len(set(keys)) == 4
    (tmp_path / "hook.ledger.db").unlink()
    deliver(tmp_path, both, [EVENT], head)
    assert server.requests[-1].headers["idempotency-key"] in keys


def test_a_lost_answer_is_sent_again_under_the_same_key(
    server: RecordingServer, tmp_path: Path
) -> None:
    answers = iter((None, (200, {}, b"")))
    server.answer = lambda _: next(answers)
    head = "idempotency_key: X-Key\ndelivery: {retry: {wait_initial_s: 0.01}}\n"
    report = deliver(tmp_path, {"url": server.url}, head=head)
    assert report["delivered"] == 1
    first, second = (one.headers["x-key"] for one in server.requests)
    assert first == second


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded"])
def test_segments_signature_is_over_the_json_text(
    server: RecordingServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content_type: str | None,
) -> None:
    monkeypatch.setenv("SHARED", "abc123")
    headers = {"Content-Type": content_type} if content_type else {}
    one = {"url": server.url, "body": {"a": "x y"}, "headers": headers}
    head = "signing: {segment: {env: SHARED}}\n"
    request = sent(server, deliver(tmp_path, one, head=head))
    wanted = hmac.new(b"abc123", b'{"a":"x y"}', hashlib.sha1).hexdigest()
    assert request.headers["x-signature"] == wanted
    assert request.body == (b"a=x+y" if content_type else b'{"a":"x y"}')


def test_a_malformed_signing_secret_sends_nothing(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for secret in ("whsec_c2hvcnQ=", "whsec_?", "plain text"):
        monkeypatch.setenv("SIGNING", secret)
        with pytest.raises(fp.ConfigError) as caught:
            deliver(
                tmp_path, {"url": server.url}, head="signing: {standard_webhooks: {env: SIGNING}}\n"
            )
        assert (caught.value.code, caught.value.path) == ("E184", "$.signing.standard_webhooks")
        assert secret not in str(caught.value)
    with pytest.raises(fp.ConfigError, match="E120"):
        deliver(tmp_path, {"url": server.url}, head="signing: {segment: literal}\n")
    assert server.requests == []


def open_shares() -> set[str]:
    """The files of limits that this process has open."""
    opened = (os.path.realpath(one) for one in Path("/proc/self/fd").iterdir())
    return {one for one in opened if one.endswith(".share")}


def test_a_run_that_cannot_begin_keeps_no_place_among_those_that_share_its_limits(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING", "plain text")
    head = "signing: {standard_webhooks: {env: SIGNING}}\n"
    before = open_shares()
    with pytest.raises(fp.ConfigError) as caught:
        deliver(tmp_path, {"url": server.url}, head=head)
    assert caught.tb is not None  # holds on to what the run had
    assert open_shares() == before


# -- bodies


def body_of(server: RecordingServer, folder: Path, content_type: str, body: Any) -> bytes:
    one = {"url": server.url, "headers": {"Content-Type": content_type}, "body": body}
    request = sent(server, deliver(folder, one))
    assert request.headers["content-type"] == content_type
    return request.body


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/vnd.x+json"]
)
def test_a_json_type_is_kept(server: RecordingServer, tmp_path: Path, content_type: str) -> None:
    assert body_of(server, tmp_path, content_type, {"a": [1, None]}) == b'{"a":[1,null]}'


def test_a_form_is_encoded_as_browsers_do(server: RecordingServer, tmp_path: Path) -> None:
    values = {"a": 1, "b": "ü &=+*", "n": None, "t": True, "l": ["x", 2, None], "e": ""}
    kind = "Application/X-WWW-Form-Urlencoded; charset=utf-8"
    body = body_of(server, tmp_path, kind, values)
    assert body == b"a=1&b=%C3%BC+%26%3D%2B*&n=null&t=true&l=x%2C2%2C&e="
    assert dict(parse_qsl(body.decode(), keep_blank_values=True))["b"] == "ü &=+*"


def test_a_text_is_sent_as_it_stands(server: RecordingServer, tmp_path: Path) -> None:
    body = {"@template": "user {{userId}}\n"}
    assert body_of(server, tmp_path, "text/plain", body) == b"user u1\n"


def test_an_object_becomes_xml_and_escapes_what_events_bring(
    server: RecordingServer, tmp_path: Path
) -> None:
    evil = "</name><admin/>&\"'\n]]>"
    event = EVENT | {"name": evil, "items": [{"sku": 1}, {"sku": 2}]}
    document = {
        "order": {
            "name": {"@path": "$.name"},
            "@@id": {"@path": "$.name"},
            "item": {"@arrayPath": ["$.items", {"sku": {"@path": "$.sku"}}]},
            "none": None,
            "note": {"@@lang": "en", "#text": "a<b"},
        }
    }
    one = {"url": server.url, "headers": {"content-type": "text/xml"}, "body": document}
    request = sent(server, deliver(tmp_path, one, [event]))
    root = ET.fromstring(request.body)
    assert (root.tag, root.attrib, root.findtext("name")) == ("order", {"id": evil}, evil)
    assert [one.findtext("sku") for one in root.findall("item")] == ["1", "2"]
    assert root.find("admin") is None and root.find("none") is not None
    note = root.find("note")
    assert note is not None and (note.get("lang"), note.text) == ("en", "a<b")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", {"a": {"b": 1}}),
        ("application/x-www-form-urlencoded", {"a": [[1]]}),
        ("application/x-www-form-urlencoded", ["a"]),
        ("application/xml", {"a": 1, "b": 2}),
        ("application/xml", {}),
        ("application/xml", {"a b": 1}),
        ("application/xml", {"a": "\u0001"}),
        ("application/xml", {"a": {"@@b": [1]}}),
        ("application/atom+xml", [1]),
    ],
)
def test_a_body_that_the_content_type_cannot_hold_is_invalid(
    server: RecordingServer, tmp_path: Path, content_type: str, body: Any
) -> None:
    one = {"url": server.url, "headers": {"Content-Type": content_type}, "body": body}
    report = deliver(tmp_path, one)
    assert (report["invalid"], code_of(report)) == (1, "E640")
    assert server.requests == []


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH"])
def test_every_method_goes_out(server: RecordingServer, tmp_path: Path, method: str) -> None:
    request = sent(server, deliver(tmp_path, {"url": server.url, "method": method}))
    assert request.method == method
    bodyless = method in ("GET", "DELETE")
    assert (request.body == b"", "content-type" in request.headers) == (bodyless, not bodyless)


# -- addresses


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("u1", "/users/u1?x=u1"),
        ("a/b c", "/users/a%2Fb%20c?x=a%2Fb%20c"),
        ("?admin=1#&x=2", "/users/%3Fadmin%3D1%23%26x%3D2?x=%3Fadmin%3D1%23%26x%3D2"),
        ("Zoë\r\nX: y\u0000", "/users/Zo%C3%AB%0D%0AX%3A%20y%00?x=Zo%C3%AB%0D%0AX%3A%20y%00"),
        (1.5, "/users/1.5?x=1.5"),
        ("%2e%2e", "/users/%252e%252e?x=%252e%252e"),
    ],
)
def test_what_a_template_puts_into_a_url_is_encoded(
    server: RecordingServer, tmp_path: Path, value: Any, path: str
) -> None:
    url = {"@template": server.url + "/users/{{v}}?x={{{ v }}}"}
    request = sent(server, deliver(tmp_path, {"url": url}, [EVENT | {"v": value}]))
    assert request.path == path
    assert unquote(request.path.split("=")[-1]) == str(value)
    assert "x" not in request.headers


@pytest.mark.parametrize("value", ["..", ".", "../x", "%2E%2e/x"])
def test_dots_do_not_leave_the_path(server: RecordingServer, tmp_path: Path, value: str) -> None:
    template = {"url": {"@template": server.url + "/users/{{v}}/x"}}
    report = deliver(tmp_path, template, [EVENT | {"v": value}])
    assert report["delivered"] == (1 if "/" in value else 0)
    assert all(".." not in unquote(one.path).split("/") for one in server.requests[1:])
    whole = {"url": {"@path": "$.url"}, "id": "whole"}
    event = EVENT | {"url": f"{server.url}/users/{value}/x"}
    report = deliver(tmp_path, whole, [event], "allow_hosts: ['*']\n")
    assert code_of(report) == "E511"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:{port}/in", None),
        ("http://127.0.0.1:{port}?q", None),
        ("http://localhost:{port}/in", "E641"),
        ("http://127.0.0.1:1/in", "E641"),
        ("http://127.0.0.1:{port}@example.com/", "E511"),
        ("http://example.com\\@127.0.0.1:{port}/", "E511"),
        ("https://example.com/", "E641"),
        ("http://example.com/", "E511"),
        ("file:///etc/passwd", "E511"),
        ("//example.com/", "E511"),
        ("https://127.0.0.1.example.com/", "E641"),
    ],
)
def test_events_choose_only_hosts_that_the_file_names(
    server: RecordingServer, tmp_path: Path, url: str, code: str | None
) -> None:
    document = {"@if": {"exists": {"@path": "$.url"}, "then": {"@path": "$.url"},
                        "else": f"{server.url}/usual"}}  # fmt: skip
    event = EVENT | {"url": url.format(port=server.port)}
    report = deliver(tmp_path, {"url": document}, [event])
    found = [one["code"] for one in report.failures]
    assert found == ([code] if code else []) and len(server.requests) == (0 if code else 1)
    assert "example" not in json.dumps(list(report.failures))


def test_allow_hosts_says_otherwise(server: RecordingServer, tmp_path: Path) -> None:
    by_event = {"url": {"@path": "$.url"}}
    events = [EVENT | {"url": server.url}]
    with pytest.raises(fp.ConfigError, match=r"E185.*allow_hosts"):
        deliver(tmp_path, by_event, events)
    for number, host in enumerate((f"127.0.0.1:{server.port}", "*")):
        head = f"allow_hosts: ['{host}']\nid: d{number}\n"
        assert deliver(tmp_path, by_event, events, head)["delivered"] == 1
    other = deliver(tmp_path, by_event, events, "allow_hosts: ['*.example.com']\nid: d3\n")
    assert code_of(other) == "E641"
    with pytest.raises(fp.ConfigError, match="E113"):
        deliver(tmp_path, by_event, events, "allow_hosts: ['https://example.com']\n")


# -- headers


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\n b", "a\u0000b", "Zoë", "a\u007f", ["a"]])
def test_a_header_that_an_event_would_split_is_refused(
    server: RecordingServer, tmp_path: Path, value: Any
) -> None:
    one = {"url": server.url, "headers": {"X-A": {"@path": "$.v"}}}
    report = deliver(tmp_path, one, [EVENT | {"v": value}])
    assert (report["invalid"], code_of(report)) == (1, "E512")
    assert server.requests == []


@pytest.mark.parametrize("header", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_headers_of_the_transport_are_not_the_authors(tmp_path: Path, header: str) -> None:
    with pytest.raises(fp.ConfigError, match="belongs to the transport"):
        deliver(tmp_path, {"url": "https://example.com", "headers": {header: "x"}})


def test_one_header_of_each_name_arrives(server: RecordingServer, tmp_path: Path) -> None:
    headers = {"X-A": "1", "x-n": {"@path": "$.n"}, "User-Agent": "me", "X-None": {"@path": "$.no"}}
    request = sent(
        server, deliver(tmp_path, {"url": server.url, "headers": headers}, [EVENT | {"n": 5}])
    )
    names = [name.lower() for name, _ in request.pairs]
    assert len(names) == len(set(names)) and "x-none" not in names
    wanted = ("1", "5", "me")
    assert tuple(request.headers[one] for one in ("x-a", "x-n", "user-agent")) == wanted
