"""An OAuth 2.0 authorization server on a free port: strict, in memory, for tests.

Codes are taken once and need their PKCE verifier; refresh tokens rotate, and one that is used a
second time ends the whole sign-in, as providers with reuse detection do.
"""

import base64
import hashlib
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Refused(Exception):
    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.status = error, status


class AuthorizationServer:
    """client_secret None: a public client. lifetime_s: of access tokens."""

    def __init__(self, client_id: str = "app-1", client_secret: str | None = None) -> None:
        self.client_id, self.client_secret = client_id, client_secret
        self.lifetime_s: float = 3600
        self.rotates = True
        self.gives_refresh = True
        self.certificate_key: Any = None  # public key of a client that signs
        self.thumbprint = ""
        self.codes: dict[str, dict[str, str]] = {}
        self.devices: dict[str, list[str]] = {}  # device code -> answers still to come
        self.refresh_tokens: set[str] = set()  # good ones
        self.spent: set[str] = set()
        self.access_tokens: list[str] = []
        self.answers: list[Any] = []  # (status, body) that come before anything else
        self.forms: list[dict[str, str]] = []
        self.jwts: list[Any] = []
        self.addresses: list[dict[str, str]] = []  # queries of /authorize
        self.denies = ""
        self.echoes = False  # refuses, and says back all that it was sent
        self.lock = threading.Lock()
        self.gate = threading.Event()
        self.gate.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.token_url, self.device_url = f"{self.url}/token", f"{self.url}/device"
        self.authorize_url = f"{self.url}/authorize"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self) -> "AuthorizationServer":
        return self

    def __exit__(self, *_error: object) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- what a person's browser does

    def authorize(self, query: str) -> str:
        """The address that the browser is sent to."""
        fields = {name: values[0] for name, values in parse_qs(query).items()}
        self.addresses.append(fields)
        assert fields["response_type"] == "code" and fields["client_id"] == self.client_id
        assert fields["code_challenge_method"] == "S256" and len(fields["code_challenge"]) == 43
        if self.denies:
            back = {"error": self.denies, "state": fields["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = fields
            back = {"code": code, "state": fields["state"]}
        return f"{fields['redirect_uri']}?{urlencode(back)}"

    # -- the token endpoint

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any]:
        self._check_client(form, authorization)
        grant = form.get("grant_type", "")
        if grant == "authorization_code":
            self._take_code(form)
        elif grant == "refresh_token":
            self._take_refresh(form["refresh_token"])
        elif grant == DEVICE:
            self._take_device(form["device_code"])
        elif grant != "client_credentials":
            raise Refused("unsupported_grant_type")
        return self._issue(grant, form)

    def _issue(self, grant: str, form: dict[str, str]) -> dict[str, Any]:
        token = f"access-{len(self.access_tokens) + 1}"
        self.access_tokens.append(token)
        told: dict[str, Any] = {"access_token": token, "token_type": "Bearer"}
        told["expires_in"] = self.lifetime_s
        if grant == "client_credentials" or not self.gives_refresh:
            return told
        if grant == "refresh_token" and not self.rotates:
            return told
        refresh = "refresh-" + secrets.token_urlsafe(12)
        self.refresh_tokens.add(refresh)
        return told | {"refresh_token": refresh}

    def _check_client(self, form: dict[str, str], authorization: str) -> None:
        in_body = "client_secret" in form or "client_assertion" in form
        if in_body and authorization:
            raise Refused("invalid_request")  # RFC 6749, 2.3: never both
        if self.certificate_key is not None:
            self._check_assertion(form)
        elif authorization:
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
            given = [unquote_plus(part) for part in pair]
            if given != [self.client_id, self.client_secret]:
                raise Refused("invalid_client", 401)
        elif [form.get("client_id"), form.get("client_secret")] != [
            self.client_id,
            self.client_secret,
        ]:
            raise Refused("invalid_client", 401)

    def _check_assertion(self, form: dict[str, str]) -> None:
        from joserfc import jwt

        if form.get("client_assertion_type") != ASSERTION or form["client_id"] != self.client_id:
            raise Refused("invalid_client", 401)
        token = jwt.decode(form["client_assertion"], self.certificate_key, algorithms=["PS256"])
        claims = token.claims
        named = (claims["iss"], claims["sub"], claims["aud"])
        if named != (self.client_id, self.client_id, self.token_url):
            raise Refused("invalid_client", 401)
        if token.header["x5t#S256"] != self.thumbprint:
            raise Refused("invalid_client", 401)
        self.jwts.append(token)

    def _take_code(self, form: dict[str, str]) -> None:
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge:
            raise Refused("invalid_grant")
        if asked["redirect_uri"] != form.get("redirect_uri"):
            raise Refused("invalid_grant")

    def _take_refresh(self, token: str) -> None:
        if token in self.spent:
            self.refresh_tokens.clear()
        if token not in self.refresh_tokens:
            raise Refused("invalid_grant")
        if self.rotates:
            self.refresh_tokens.discard(token)
            self.spent.add(token)

    def _take_device(self, code: str) -> None:
        if code not in self.devices:
            raise Refused("expired_token")
        if self.devices[code]:
            raise Refused(self.devices[code].pop(0))

    def _answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        if path == "/device":
            code = "device-" + secrets.token_urlsafe(8)
            self.devices[code] = ["authorization_pending", "slow_down", "authorization_pending"]
            told = {"device_code": code, "user_code": "ABCD-EFGH", "interval": 2}
            return 200, told | {"verification_uri": f"{self.url}/activate", "expires_in": 600}
        self.forms.append(form)
        if self.echoes:
            told = f"no good: {form} {authorization} {unquote_plus(authorization)}"
            return 400, {"error": "x", "error_description": told}
        if self.answers:
            status, body = self.answers.pop(0)
            return status, body
        try:
            return 200, self.token(form, authorization)
        except Refused as refused:
            return refused.status, {"error": refused.error}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(text).items()}
                server.gate.wait(20)
                with server.lock:
                    status, body = server._answer(
                        urlsplit(self.path).path, form, self.headers.get("Authorization", "")
                    )
                self._send(status, json.dumps(body).encode())

            def do_GET(self) -> None:
                self._send(302, b"", server.authorize(urlsplit(self.path).query))

            def _send(self, status: int, content: bytes, location: str = "") -> None:
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler
