"""Marked secrets are planted wherever one can be; then everything that was written is searched."""

import base64
import io
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from proxy_servers import ForwardProxy

import fieldpost as fp
from authorization_server import AuthorizationServer
from fieldpost import auth
from recording_server import Received, RecordingServer

MARK = "pl4nted"
SECRETS = {
    "CLIENT_SECRET": f"{MARK}-client+/ü",
    "BEARER": f"{MARK}-bearer",
    "PASSWORD": f"{MARK}-password",
    "API_KEY": f"{MARK}-key",
    "SIGNING": "whsec_"
    + base64.b64encode(f"{MARK}-signing-of-24-bytes-at-least".encode()).decode(),
    "SHARED": f"{MARK}-shared",
    "REFRESH": f"{MARK}-refresh",
    "QUERY": f"{MARK}-query",
    "EXTRA": f"{MARK}-extra",
    "HEADER": f"{MARK}-header/+ of a partner",
    "PROXY": f"{MARK}-proxy/ü",
    "PATH_OF_HOOK": f"{MARK}-path",
    "CONSTANT": f'{MARK}-constant "/ü',
    "SETTING": f"{MARK}-setting",
}
SCHEMES = {
    "client": "{type: oauth2, token_url: {env: TOKEN_URL}, client_id: app-1, "
    "client_secret: {env: CLIENT_SECRET}, token_params: {a_secret: {env: EXTRA}}}",
    "basic_client": "{type: oauth2, token_url: '%s', client_id: app-1, client_auth: basic, "
    "client_secret: {env: CLIENT_SECRET}, tokens: kept.json}",
    "refresh": "{type: oauth2, grant: refresh_token, token_url: '%s', client_id: app-1, "
    "client_secret: {env: CLIENT_SECRET}, refresh_token: {env: REFRESH}, tokens: kept.json}",
    "bearer": "{type: bearer, token: {env: BEARER}}",
    "basic": "{type: basic, username: me, password: {env: PASSWORD}}",
    "api_key": "{type: api_key, header: X-Key, value: {env: API_KEY}}",
}


def forms(secret: str) -> set[str]:
    """The secret as it is, and as it is encoded on its ways."""
    raw = secret.encode()
    coded = {base64.b64encode(raw).decode().rstrip("="), quote(raw, safe=""), quote_plus(raw)}
    return {secret, json.dumps(secret)[1:-1], *coded}


def leaks(text: str, *more: str) -> list[str]:
    planted = {form for secret in SECRETS.values() for form in forms(secret)}
    for user, name in (("me", "PASSWORD"), ("svc", "PROXY")):
        planted.add(base64.b64encode(f"{user}:{SECRETS[name]}".encode()).decode())
    planted |= {MARK, *more}
    return sorted(one for one in planted if one in text)


def repeat(received: Received) -> tuple[int, dict[str, str], bytes]:
    """A service that says back what it was sent, path, headers and all, in its refusal."""
    told = " ".join([received.path, *map(str, received.headers.values()), received.body.decode()])
    told = json.dumps({"error": {"message": told}})
    return 400, {"X-Request-Id": "r-1"}, told.encode()


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[AuthorizationServer, Any]]:
    monkeypatch.setattr("fieldpost.auth.token_endpoint.WAITS_S", ())
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    with AuthorizationServer("app-1", SECRETS["CLIENT_SECRET"]) as signs_in:
        signs_in.refresh_tokens = {SECRETS["REFRESH"]}
        with RecordingServer(repeat) as receives:
            query = "?code=" + SECRETS["QUERY"]
            monkeypatch.setenv("TOKEN_URL", signs_in.token_url + query)
            hook = f"{receives.url}/services/T0/{SECRETS['PATH_OF_HOOK']}{query}"
            monkeypatch.setenv("HOOK_URL", hook)
            with ForwardProxy("svc:" + SECRETS["PROXY"]) as proxy:
                monkeypatch.setenv("PROXY_URL", proxy.url)
                yield signs_in, receives


def write(folder: Path, scheme: str, signs_in: AuthorizationServer, receives: Any) -> Path:
    auth_text = SCHEMES[scheme]
    if "%s" in auth_text:
        auth_text %= signs_in.token_url
    path = folder / "hook.yaml"
    path.write_text(
        f"name: Hook\ntype: webhook\nauth: {auth_text}\n"
        "event_id: {'@path': '$.messageId'}\nidempotency_key: true\n"
        "signing: {standard_webhooks: {env: SIGNING}, segment: {env: SHARED}}\n"
        "delivery: {proxy: {url: {env: PROXY_URL}, username: svc, password: {env: PROXY}}}\n"
        "url: {env: HOOK_URL}\n"
        "functions: add.py\nsettings: {key: {env: SETTING, secret: true}}\n"
        "subscriptions:\n  - name: A\n    filter: messageId != 'm-2'\n"
        "    headers: {X-Partner: {env: HEADER}, X-Event: {'@path': '$.messageId'}}\n"
        "    body: {id: {'@path': '$.messageId'}, key: {env: CONSTANT}, set: {'@path': '$.set'}}\n"
        "  - {name: B, url: {'@template': '" + receives.url + "/u?k={{q}}'}}\n"
    )
    (folder / "add.py").write_text(
        "def on_track(event, settings):\n    return event | {'set': settings['key']}\n"
    )
    return path


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What all loggers write at DEBUG."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def told_by(act: Any) -> str:
    """The whole traceback of what an act raises, with the reprs of what its frames hold."""
    try:
        return repr(act())
    except fp.FieldpostError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        ours = [line for line in shown.format() if "test_secrets_stay" not in line]
        return "\n".join([*ours, repr(error), str(pickle.dumps(error)), str(error.args)])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_planted_secret_is_anywhere(
    servers: Any,
    scheme: str,
    tmp_path: Path,
    written: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    signs_in, receives = servers
    path = write(tmp_path, scheme, signs_in, receives)
    (tmp_path / "events.ndjson").write_text(
        '{"messageId": "m-1", "type": "track", "q": "v"}\n{"messageId": "m-2"}\n'
    )
    destination = fp.Destination.from_file(path)
    metrics = fp.PrometheusMetrics(tmp_path / "fieldpost.prom")
    events = tmp_path / "events.ndjson"
    report = destination.deliver(events, progress=False, observers=[metrics])
    assert report["rejected"] == 3 and len(receives.requests) == 3, report.failures
    received = str(receives.requests)
    assert leaks(received) or "access-" in received, "the secrets were in use"
    texts = [
        repr(report),
        json.dumps(report.to_dict()),
        report._repr_html_(),
        str(pickle.dumps(report)),
    ]
    texts += [repr(report.failures), report.failures._repr_html_(), repr(report.groups)]
    preview = destination.preview(events)
    texts += [repr(list(preview)), preview._repr_html_()]
    texts += [json.dumps(row.to_dict()) for row in preview]
    texts += [repr(destination.failures()), destination.status()._repr_html_()]
    texts += [repr(destination.config), str(pickle.dumps(destination)), destination._repr_html_()]
    texts += [repr(row) for row in destination.outcomes()]
    texts.append(told_by(lambda: destination.test_connection().to_dict()))
    event = {"messageId": "m-4", "type": "track", "q": "v"}
    explained = destination.explain(event)
    texts += [str(explained), explained._repr_html_(), json.dumps(explained.to_dict())]
    again = destination.replay("outcome = 'rejected'", recorded=True, progress=False)
    assert again["rejected"] == 3, again.failures
    texts.append(repr(again.to_dict()))
    credentials = auth.open_credentials(destination.config)
    header = credentials.header()
    texts += [repr(credentials), repr(vars(credentials))]
    # Credentials alone travel with the addresses of their file; a Destination, with its text only.
    texts.append(str(pickle.dumps(credentials)).replace("?code=pl4nted-query", ""))
    receives.answer = lambda one: (401, {}, repeat(one)[2])
    (tmp_path / "more.ndjson").write_text('{"messageId": "m-3", "type": "track", "q": "v"}\n')
    signs_in.echoes = True
    more = tmp_path / "more.ndjson"
    texts.append(told_by(lambda: destination.deliver(more, progress=False).to_dict()))
    texts.append(told_by(lambda: credentials.refresh(header)))
    texts.append(told_by(auth.open_credentials(fp.Destination.from_file(path).config).header))
    texts += [written.getvalue(), *capfd.readouterr()]
    token = str(header).split(" ", 1)[-1]
    assert leaks(chr(10).join(texts), token) == []
    assert (tmp_path / "fieldpost.prom").stat().st_size > 0
    for file in tmp_path.iterdir():
        if file.name not in ("hook.yaml", "kept.json") and file.is_file():
            found = file.read_bytes().decode("latin-1")
            assert leaks(found, token) == [], file.name


def test_the_commands_print_none(servers: Any, tmp_path: Path) -> None:
    signs_in, receives = servers
    write(tmp_path, "client", signs_in, receives)
    (tmp_path / "events.ndjson").write_text('{"messageId": "m-1", "type": "track", "q": "v"}\n')
    printed = ""
    for verb in (
        "check",
        "preview",
        "test-connection",
        "deliver",
        "status",
        "outcomes",
        "failures",
        "explain",
    ):
        source = ["events.ndjson"] if verb in ("deliver", "preview", "explain") else []
        for output in ("text",) if verb in ("check", "test-connection") else ("text", "json"):
            done = subprocess.run(
                [sys.executable, "-m", "fieldpost", verb, "hook.yaml", *source, "--output", output],
                capture_output=True,
                text=True,
                timeout=60,
                cwd=tmp_path,
                env=os.environ | {"PYTHONFAULTHANDLER": "1"},
                check=False,
            )
            assert "Traceback" not in done.stderr
            printed += done.stdout + done.stderr
    assert leaks(printed, "access-") == []


_TRACED = """
import sys
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
import fieldpost as fp

reader, tracing = InMemoryMetricReader(), TracerProvider()
metrics.set_meter_provider(MeterProvider([reader]))
tracing.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stdout)))
trace.set_tracer_provider(tracing)
fp.Destination.from_file("hook.yaml").deliver("events.ndjson", progress=False)
print(reader.get_metrics_data().to_json())
"""


def test_metrics_and_spans_hold_none(servers: Any, tmp_path: Path) -> None:
    signs_in, receives = servers
    write(tmp_path, "client", signs_in, receives)
    (tmp_path / "events.ndjson").write_text('{"messageId": "m-1", "type": "track", "q": "v"}\n')
    done = subprocess.run(
        [sys.executable, "-c", _TRACED],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        check=False,
    )
    assert "fieldpost.outcomes" in done.stdout and "fieldpost deliver" in done.stdout, done.stderr
    assert leaks(done.stdout + done.stderr, "access-") == []


_PASSWORD = "pl4nted-of-the-ledger"


@pytest.mark.parametrize("way", ["the file", "the environment", "an argument"])
def test_a_ledger_s_password_is_in_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed (extra postgres)")
    address = f"postgresql://me:{_PASSWORD}@127.0.0.1:1/none"
    path = tmp_path / "hook.yaml"
    path.write_text(
        "name: Hook\ntype: webhook\nurl: https://host.example/in\n"
        "event_id: {'@path': '$.messageId'}\nsubscriptions: [{name: A}]\n"
        + ("ledger: {env: LEDGER}\n" if way == "the file" else "")
    )
    given = address if way == "an argument" else None
    monkeypatch.setenv("LEDGER", address)
    if way == "the environment":
        monkeypatch.setenv("FIELDPOST_LEDGER", address)
    monkeypatch.setattr("fieldpost.ledger.postgres._PATIENCE_S", 0.0)
    destination = fp.Destination.from_file(path, ledger=given)
    for act in (
        lambda: destination.deliver([{"messageId": "m-1"}], progress=False),
        destination.status,
        destination.failures,
        lambda: list(destination.outcomes("outcome = 'rejected'")),
    ):
        told = told_by(act)
        assert "E724" in told and "pl4nted" not in told
