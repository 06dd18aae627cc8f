"""The Web API of one environment, asked. Nothing here writes but `delete`.

`get` gives any answer; `read` and `rows` raise AuthError or another FieldpostError where they
are refused, NotThere where nothing stands at a path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from ..errors import AuthError, FieldpostError
from ..inquiry import Answer, Inquiry

API = "/api/data/v9.2/"
_PARTS = 100  # the service takes 1000; an answer of 100 whole rows stays below a megabyte
_BOUNDARY = "batch_fieldpost"
_URL_HINT = (
    "look at the url: it is the environment's address; `fieldpost test-connection` tells more"
)
_RIGHTS_HINT = (
    "give the application user a security role that reads this; `fieldpost test-connection` "
    "names what is missing"
)
_HEADERS = {
    "OData-MaxVersion": "4.0",
    "OData-Version": "4.0",
    "If-None-Match": "null",
}
_FAULTS = {"untrusted": "E502", "unreachable": "E501"}


class NotThere(FieldpostError):
    """The environment has nothing at an address."""


class Found(NamedTuple):
    """What one address gave: the row where status is 200, else the error's code and message."""

    status: int
    row: dict[str, Any]
    code: str = ""
    message: str = ""


class WebApi:
    """url: the environment's address, https://org.crm.dynamics.com.

    dop_hint: how many requests at once the service advises, once it has told.
    """

    def __init__(self, url: str, inquiry: Inquiry) -> None:
        self.url = url.rstrip("/")
        self.inquiry = inquiry
        self.dop_hint: int | None = None

    @property
    def base(self) -> str:
        """Where the addresses of rows begin."""
        return self.url + API

    def get(self, path: str) -> Answer:
        """What stands at a path of the API."""
        return self.inquiry.ask("GET", self.base + path, _HEADERS)

    def read(self, path: str, *, accept: str = "application/json", prefer: str = "") -> bytes:
        """The body of what stands at a path."""
        headers = _HEADERS | {"Accept": accept} | ({"Prefer": prefer} if prefer else {})
        answer = self.inquiry.ask("GET", self.base + path, headers)
        if answer.status != 200:
            raise _refusal(answer, path)
        return answer.body

    def document(self, path: str, *, prefer: str = "") -> dict[str, Any]:
        """The JSON object that stands at a path."""
        try:
            told = json.loads(self.read(path, prefer=prefer))
        except ValueError:
            told = None
        if not isinstance(told, dict):
            at = path.partition("?")[0]
            raise FieldpostError("E505", "the answer is no JSON object", at, _URL_HINT)
        return told

    def delete(self, path: str) -> Answer:
        """Delete the row at a path of the API."""
        return self.inquiry.ask("DELETE", self.base + path, _HEADERS)

    def rows(self, paths: Sequence[str]) -> dict[str, Found]:
        """What stands at each of many paths, in few requests."""
        found: dict[str, Found] = {}
        for begin in range(0, len(paths), _PARTS):
            some = paths[begin : begin + _PARTS]
            found.update(zip(some, self._batch(some), strict=True))
        return found

    def _batch(self, paths: Sequence[str]) -> list[Found]:
        headers = _HEADERS | {
            "Content-Type": f"multipart/mixed; boundary={_BOUNDARY}",
            "Prefer": "odata.continue-on-error",
        }
        parts = [self._part(path) for path in paths]
        body = "".join([*parts, f"--{_BOUNDARY}--\r\n"]).encode()
        answer = self.inquiry.ask("POST", f"{self.base}$batch", headers, body)
        hint = answer.headers.get("x-ms-dop-hint", "")
        self.dop_hint = int(hint) if hint.isdigit() else self.dop_hint
        if answer.status != 200:
            raise _refusal(answer, "$batch")
        found = list(parts_of(answer.headers.get("content-type", ""), answer.body))
        if len(found) != len(paths):
            told = f"{len(found)} answers to {len(paths)} questions"
            told = told if found else f"{answer} that is none of the Web API, a web page perhaps"
            raise FieldpostError("E505", told, "$batch", _URL_HINT)
        return found

    def _part(self, path: str) -> str:
        target = self.base + path
        return (
            f"--{_BOUNDARY}\r\nContent-Type: application/http\r\n"
            "Content-Transfer-Encoding: binary\r\n\r\n"
            f"GET {target} HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n"
        )

    def app_address(self, table: str, row_id: str) -> str:
        """Where a person sees the row in the app."""
        scheme, host, *_ = urlsplit(self.url)
        host = host.replace(".api.crm", ".crm")
        query = f"etn={table}&pagetype=entityrecord&id={row_id}"
        return urlunsplit((scheme, host, "/main.aspx", query, ""))


def _refusal(answer: Answer, path: str) -> FieldpostError:
    at = path.partition("?")[0]
    if answer.status == 0:
        hint = "look at the address and the network; nothing was written"
        return FieldpostError(_FAULTS.get(answer.fault, "E503"), str(answer), at, hint)
    if answer.status in (401, 403):
        return AuthError("E605", str(answer), at, _RIGHTS_HINT)
    return (NotThere if answer.status == 404 else FieldpostError)(
        "E505", str(answer), at, _URL_HINT
    )


def unreadable(found: Found, path: str) -> AuthError:
    """What to raise where a row may not be read."""
    told = f"HTTP {found.status} {found.code} {found.message}".strip()
    return AuthError("E605", told, path, _RIGHTS_HINT)


def parts_of(content_type: str, body: bytes) -> Iterator[Found]:
    """The answers of a $batch without change sets, in their order."""
    named = re.search(r'boundary="?([^";]+)', content_type)
    if not named:
        return
    for part in body.split(b"--" + named[1].encode())[1:]:
        if part.startswith(b"--"):
            return
        _, _, inside = part.partition(b"\r\n\r\n")
        status_line, _, rest = inside.partition(b"\r\n")
        _headers, _, content = rest.partition(b"\r\n\r\n")
        yield _found(int(status_line.split()[1]), content)


def _found(status: int, content: bytes) -> Found:
    try:
        told = json.loads(content) if content.strip() else {}
    except ValueError:
        told = {}
    if status < 300:
        return Found(status, told if isinstance(told, dict) else {})
    error = told.get("error") if isinstance(told, dict) else None
    error = error if isinstance(error, dict) else {}
    return Found(status, {}, str(error.get("code", "")), str(error.get("message", "")))
