"""Single requests to a destination, signed in, with the core's own transport: to look, not to send.

A 401 gets one new token. A service that is busy or away is asked again, a few times; so is one that
loses a connection or fails, where the request only reads.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import auth
from ._core import exchange
from .config import DestinationConfig
from .redaction import Redaction
from .retry_after import retry_after_s
from .transport import transport_that_sends

_TRIES = 5
_LATER = (429, 502, 503, 504)
_NOT_REACHED = ("unreachable", "untrusted")
_LONGEST_WAIT_S = 300.0


@dataclass(frozen=True)
class Answer:
    """An answer. status 0: nothing did, `fault` says of what kind, `fault_advice` what to do.

    headers: by lower-case name. elapsed_s: from the request to the end of the answer.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    fault: str = ""
    fault_text: str = ""
    fault_advice: str = ""
    elapsed_s: float = 0.0
    redaction: Redaction = field(default=Redaction(), repr=False)

    def json(self) -> Any:
        """The body as a JSON value, None where it is none."""
        return _json_of(self.body)

    @property
    def is_page(self) -> bool:
        """Whether it is a web page, and so of somebody else than the Web API."""
        kind = self.headers.get("content-type", "")
        return "html" in kind.lower() or self.body[:512].lstrip()[:1] == b"<"

    @property
    def error(self) -> tuple[str, str]:
        """(code, message) of the service's error object; ("", "") without one.

        Escapes that JSON does not know are taken as the text they are.
        """
        told = self.json()
        if told is None:
            told = _json_of(_with_valid_escapes(self.body))
        if not isinstance(told, dict):
            return "", ""
        error = told.get("error", told.get("_error"))
        if not isinstance(error, dict):
            error = {"message": told.get("ExceptionMessage", told.get("Message", ""))}
        code, message = str(error.get("code", "")), str(error.get("message", ""))
        return self.redaction.text(code), self.redaction.text(message)

    @property
    def wait_s(self) -> float:
        """How long the service wants to be left alone, where it says so."""
        return _seconds(self.headers) or 0.0

    def __str__(self) -> str:
        if self.status == 0:
            return self.redaction.text(self.fault_text)
        return f"HTTP {self.status} {' '.join(self.error)}".strip()


class Inquiry:
    """Asks. `header` is what it is signed in with, "" before `sign_in`; one thread at a time.

    sleep: waits seconds. tries: of one question. Owns no connection.
    """

    def __init__(
        self,
        config: DestinationConfig,
        sleep: Callable[[float], None] = time.sleep,
        tries: int = _TRIES,
    ) -> None:
        self._credentials = auth.open_credentials(config)
        self._config = config
        self._redaction = Redaction.of(config)
        self._sleep, self._tries = sleep, tries
        self._with_header = ("", self._redaction)
        self.header = ""
        self.requests = 0

    def sign_in(self) -> str:
        """The credentials' header; raises AuthError or ConfigError where there is none."""
        self.header = self._credentials.header()
        return self.header

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One request and its answer; nothing is raised for an answer that says no.

        What must not be carried out twice does not belong here.
        """
        given = {"Accept": "application/json", **(headers or {})}
        answer = self._once(method, url, given, body)
        if answer.status == 401 and self.header:
            self.header = self._credentials.refresh(self.header)
            answer = self._once(method, url, given, body)
        for attempt in range(self._tries - 1):
            if not _passes(method, answer):
                break
            self._sleep(_wait_s(answer.headers, attempt))
            answer = self._once(method, url, given, body)
        return answer

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        pairs = list(headers.items())
        if self.header:
            pairs.append((self._credentials.header_name, self.header))
        request = {"method": method, "url": url, "headers": pairs, "body": body}
        told = exchange(request, json.dumps(transport_that_sends(self._config)))
        self.requests += 1
        return Answer(
            told["status"],
            {name.lower(): value for name, value in told["headers"]},
            told["body"],
            told["fault"],
            told["fault_text"],
            told["fault_advice"],
            told["elapsed_s"],
            self._with_token(),
        )

    def _with_token(self) -> Redaction:
        """Texts that must not come back in the words of whoever answers."""
        if self._with_header[0] != self.header:
            token = self.header.split(" ", 1)[-1]
            self._with_header = (self.header, self._redaction.with_text(token))
        return self._with_header[1]


# Pairs are passed over, so that the second of two backslashes begins nothing.
_ESCAPE = re.compile(rb"\\(.)", re.S)


def _with_valid_escapes(body: bytes) -> bytes:
    def kept(found: re.Match[bytes]) -> bytes:
        return found[0] if found[1] in b'"\\/bfnrtu' else b"\\" + found[0]

    return _ESCAPE.sub(kept, body)


def _json_of(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _passes(method: str, answer: Answer) -> bool:
    """Whether asking again may help: what only reads is asked again after a lost answer too."""
    if answer.status in _LATER:
        return True
    is_lost = answer.status == 0 and answer.fault not in _NOT_REACHED
    return method == "GET" and (is_lost or answer.status == 500)


def _wait_s(headers: Mapping[str, str], attempt: int) -> float:
    wait_s = _seconds(headers)
    return float(2**attempt) if wait_s is None else wait_s


def _seconds(headers: Mapping[str, str]) -> float | None:
    asked_s = retry_after_s(headers.get("retry-after"), headers.get("date"))
    return None if asked_s is None else min(asked_s, _LONGEST_WAIT_S)
