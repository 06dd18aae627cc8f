"""Segment's own requests, recorded: an extra that runs where FIELDPOST_VECTORS names their folder.

`webhook.jsonl`: one JSON object a line with "settings", "subscribe", "mapping", "event" (or
"events"), "server_script" and the "requests" that Segment put on the wire. Each is delivered to a
recording server by a destination of the same meaning; what differs has its rule here and in
docs/compatibility.md.
"""

import base64
import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

import fieldpost as fp

FOLDER = os.environ.get("FIELDPOST_VECTORS", "")
ROOT = Path(__file__).parent.parent.parent


def vectors() -> list[dict[str, Any]]:
    file = Path(FOLDER) / "webhook.jsonl"
    if not FOLDER or not file.exists():
        return []
    rows = map(json.loads, file.read_text().split("\n")[:-1])
    return [row for row in rows if row["kind"] == "webhook.send"]


# -- the recording server, which plays a vector's script


class Wire:
    def __init__(self, script: list[dict[str, Any]]) -> None:
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        wire = self

        class Handler(BaseHTTPRequestHandler):
            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                wire.requests.append(
                    {"method": self.command, "path": self.path, "headers": headers, "body": body}
                )
                if self.path.startswith("/token"):
                    number = len(wire.requests)
                    told = {"access_token": f"NEW-{number}", "refresh_token": "R2"}
                    return self._send(200, {}, {**told, "expires_in": 3600})
                turn = wire.script.pop(0) if wire.script else {"status": 200, "body": {"ok": True}}
                return self._send(turn["status"], turn.get("headers") or {}, turn.get("body"))

            def _send(self, status: int, headers: dict[str, str], body: Any) -> None:
                content = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value.replace("HOST", wire.host))
                if body is not None:
                    self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler


# -- a destination of the same meaning


def sign_in(settings: dict[str, Any], environ: dict[str, str]) -> dict[str, Any]:
    """The `auth` that Segment's settings mean."""
    dynamic = settings.get("dynamicAuthSettings") or {}
    if "bearer" in dynamic:
        environ["BEARER"] = dynamic["bearer"]["bearerToken"]
        return {"type": "bearer", "token": {"env": "BEARER"}}
    oauth = dynamic.get("oauth") or {}
    if oauth.get("type") not in ("authCode", "clientCredentials"):
        return {"type": "none"}
    held = settings.get("oauth") or {}
    environ["SECRET"] = oauth["clientSecret"]
    params = oauth.get("customParams") or {}
    scheme = {
        "type": "oauth2",
        "token_url": oauth["refreshTokenServerUrl"],
        "client_id": oauth["clientId"],
        "client_secret": {"env": "SECRET"},
        "client_auth": "basic",
        "scope": oauth["scopes"],
        "token_prefix": params.get("tokenPrefix", "Bearer"),
        "tokens": "kept.json",
    }
    if oauth["type"] == "authCode":
        environ["REFRESH"] = held.get("refresh_token") or oauth["access"]["refresh_token"]
        scheme |= {"grant": "refresh_token", "refresh_token": {"env": "REFRESH"}}
    token = held.get("access_token") or oauth["access"].get("access_token")
    environ["ACCESS"] = f"{scheme['token_prefix']} {token}"
    for one in params.get("refreshRequest") or []:
        if one["sendIn"] == "body":
            scheme.setdefault("token_params", {})[one["key"]] = one["value"]
    return scheme


def subscription(mapping: dict[str, Any], subscribe: str) -> dict[str, Any]:
    """The fields of Segment's action under the names they have here."""
    given: dict[str, Any] = {"name": "A", "filter": {"text": subscribe, "dialect": "trigger"}}
    given |= {key: mapping[key] for key in ("url", "method") if key in mapping}
    if not isinstance(mapping.get("headers", {}), dict):
        given["headers"] = mapping["headers"]
    elif "headers" in mapping:
        given["headers"] = {
            name: value if isinstance(value, dict) else json_text(value)
            for name, value in mapping["headers"].items()
        }
    data = mapping.get("data")
    given["body"] = data if data != "" else None
    return given


def json_text(value: Any) -> Any:
    return value if isinstance(value, str) else json.dumps(value)


def delivered(vector: dict[str, Any], folder: Path, patch: pytest.MonkeyPatch) -> Any:
    """What this side puts on the wire, or the code by which it refuses to."""
    wire = Wire(vector.get("server_script") or [])
    try:
        text = json.dumps({k: vector.get(k) for k in ("settings", "mapping")})
        given = json.loads(text.replace("http://HOST", f"http://{wire.host}"))
        environ: dict[str, str] = {}
        document = {
            "name": vector["id"],
            "type": "webhook",
            "auth": sign_in(given["settings"], environ),
            "event_id": "content",
            "subscriptions": [subscription(given["mapping"], vector["subscribe"])],
            "delivery": {"retry": {"max_attempts": 1}, "batching": "events" in vector},
        }
        if given["settings"].get("sharedSecret"):
            environ["SHARED"] = str(given["settings"]["sharedSecret"])
            document["signing"] = {"segment": {"env": "SHARED"}}
        for name, value in environ.items():
            patch.setenv(name, value)
        keep(document["auth"], environ, folder)
        try:
            name = str(folder / "hook.yaml")
            destination = fp.Destination.from_text(json.dumps(document), name)
            events = vector.get("events") or [vector["event"]]
            report = destination.deliver(events, progress=False)
        except fp.ConfigError as error:
            return error.code
        failed = [one["code"] for one in report.failures]
        return [plain(one) for one in wire.requests] or (failed[0] if failed else [])
    finally:
        wire.close()


def keep(scheme: dict[str, Any], environ: dict[str, str], folder: Path) -> None:
    """The token that Segment already holds, as one kept from before."""
    if scheme["type"] != "oauth2":
        return
    import hashlib

    kept = {"version": 1, "header": environ["ACCESS"]}
    if "REFRESH" in environ:
        origin = hashlib.sha256(environ["REFRESH"].encode()).hexdigest()
        kept |= {"refresh_token": environ["REFRESH"], "origin": origin}
    path = folder / "kept.json"
    path.write_text(json.dumps(kept))
    path.chmod(0o600)


# -- comparing


IGNORED = ("host", "connection", "content-length", "accept", "accept-encoding", "user-agent")


def plain(request: dict[str, Any]) -> dict[str, Any]:
    """A request with what tells nothing left out, its body as JSON or as a form's fields."""
    headers = {k: v for k, v in request["headers"].items() if k not in IGNORED}
    body: Any = request.get("body") or ""
    kind = headers.get("content-type", "").split(";")[0]
    if kind == "application/x-www-form-urlencoded":
        body = parse_qs(body, keep_blank_values=True)
    elif body:
        with suppress(ValueError):
            body = json.loads(body, parse_int=float)
    if "authorization" in headers and request["path"].startswith("/token"):
        coded = headers["authorization"].removeprefix("Basic ")
        pair = base64.b64decode(coded).decode()
        headers["authorization"] = pair.replace("%2F", "/").replace("+", " ")
    return {"method": request["method"], "path": request["path"], "headers": headers, "body": body}


def name_has(*words: str) -> Callable[[dict[str, Any]], bool]:
    return lambda vector: any(word in vector["name"] for word in words)


# Rule (its name in docs/compatibility.md) -> the vectors that meet it.
RULES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "no settings, no header": name_has("no auth settings at all"),
    "the author's headers": name_has("custom authorization", "header null", "header object",
                                     "undefined dropped"),
    "the content type stays": name_has("content-type", "form header stays"),
    "the method is checked": name_has("method ", "several schema"),
    "urls are encoded": name_has("url template"),
    "a body is any JSON": name_has("data string", "data array", "data number"),
    "other keys": name_has("batch_size", "unknown mapping"),
    "redirects": name_has("response 301", "response 302", "response 307"),
    "sign-in": name_has("401"),
    "batches": lambda vector: "events" in vector,
}  # fmt: skip


def test_requests_agree_except_by_rule(tmp_path: Path) -> None:
    given = vectors()
    if not given:
        pytest.skip("no recorded requests: FIELDPOST_VECTORS names no folder with webhook.jsonl")
    agree, differ = 0, []
    for vector in given:
        folder = tmp_path / vector["id"]
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            ours = delivered(vector, folder, patch)
        theirs = [plain(one) for one in vector.get("requests") or []]
        if ours == theirs or (not theirs and (isinstance(ours, str) or not ours)):
            agree += 1
            continue
        if not any(meets(vector) for meets in RULES.values()):
            differ.append((vector["id"], vector["name"], theirs, ours))
    assert differ == []
    assert agree >= 0.55 * len(given), f"{agree} of {len(given)}"


def test_every_rule_is_in_the_documentation() -> None:
    text = (ROOT / "docs/compatibility.md").read_text()
    assert [rule for rule in RULES if f"**{rule}**" not in text] == []
