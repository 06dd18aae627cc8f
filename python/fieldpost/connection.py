"""Tests of a connection, step by step; each step tells what to do where it fails."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from ._core import exchange
from .auth import Credentials
from .config import DestinationConfig
from .documents import active, transport_document
from .errors import AuthError, FieldpostError


@dataclass(frozen=True)
class Step:
    """One step: ok is True, False, or None where it does not apply or was not reached."""

    name: str
    ok: bool | None
    detail: str = ""
    hint: str = ""


class ConnectionTest:
    """The steps of one test. Truthy where nothing failed."""

    def __init__(self, steps: list[Step], exit_code: int) -> None:
        self.steps = steps
        self.exit_code = exit_code

    def __bool__(self) -> bool:
        return all(step.ok is not False for step in self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def to_dict(self) -> dict[str, Any]:
        """The steps as `test-connection --output json` prints them."""
        return {"ok": bool(self), "steps": [asdict(step) for step in self.steps]}

    def __repr__(self) -> str:
        told = ", ".join(f"{step.name}: {step.ok}" for step in self.steps)
        return f"<ConnectionTest {told}>"

    def _repr_html_(self) -> str:
        marks = {True: "✓", False: "✗", None: "–"}
        rows = "".join(
            f"<tr><td>{marks[s.ok]}</td><td>{html.escape(s.name)}</td>"
            f"<td>{html.escape(s.detail)}</td><td>{html.escape(s.hint)}</td></tr>"
            for s in self.steps
        )
        head = "<tr><th></th><th>step</th><th>what was seen</th><th>what to do</th></tr>"
        return f"<table>{head}{rows}</table>"


class Prober:
    """Makes the steps that write nothing: reach, sign in, who am I."""

    def __init__(self, config: DestinationConfig, credentials: Credentials) -> None:
        self._config = config
        self._credentials = credentials
        self._transport = json.dumps(transport_document(config))
        self._header = ""
        self.steps: list[Step] = []
        self.exit_code = 0

    def run(self) -> bool:
        """Make the steps until one fails; True where none did."""
        for name, step in (
            ("reach", self._reach),
            ("sign in", self._sign_in),
            ("who am i", self._who_am_i),
        ):
            if self.exit_code:
                self.add(name, None, "not reached")
                continue
            step(name)
        return self.exit_code == 0

    def add(self, name: str, ok: bool | None, detail: str, hint: str = "") -> None:
        """Note a step."""
        self.steps.append(Step(name, ok, detail, hint))

    def fail(self, name: str, exit_code: int, detail: str, hint: str = "") -> None:
        """Note a step that failed."""
        self.exit_code = exit_code
        self.add(name, False, detail, hint)

    def get(self, url: str) -> dict[str, Any]:
        """Ask, signed in where sign-in came before."""
        headers = [("Accept", "application/json")]
        if self._header:
            headers.append((self._credentials.header_name, self._header))
        request = {"method": "GET", "url": url, "headers": headers, "body": None}
        return exchange(request, self._transport)

    def _addresses(self) -> list[str]:
        if self._config.type == "dynamics365":
            return [(self._config.url or "").rstrip("/")]
        urls = [one.url for one in active(self._config) if isinstance(one.url, str)]
        return sorted({f"{u.scheme}://{u.netloc}/" for u in map(urlsplit, urls)})

    def _reach(self, name: str) -> None:
        addresses = self._addresses()
        if not addresses:
            self.add(name, None, "every address comes from the event")
            return
        for address in addresses:
            answer = self.get(address)
            if answer["status"] == 0:
                hint = _FAULT_HINTS.get(answer["fault"], "look at the address and the network")
                self.fail(name, 5, f"{address}: {answer['fault_text']}", hint)
                return
        self.add(name, True, ", ".join(addresses))

    def _sign_in(self, name: str) -> None:
        try:
            self._header = self._credentials.header()
        except AuthError as error:
            self.fail(
                name, 5 if error.unreachable else 3, f"{error.code} {error.message}", error.hint
            )
        except FieldpostError as error:
            self.fail(name, 2, str(error), "")
        else:
            told = "a token was given" if self._config.auth.type == "oauth2" else "as configured"
            self.add(
                name, True if self._header else None, told if self._header else "no credentials"
            )

    def _who_am_i(self, name: str) -> None:
        if self._config.type != "dynamics365":
            self.add(name, None, "a webhook does not tell")
            return
        answer = self.get(self._addresses()[0] + "/api/data/v9.2/WhoAmI")
        if answer["status"] == 200:
            user = json.loads(answer["body"]).get("UserId", "")
            self.add(name, True, f"application user {user}")
        elif answer["status"] in (401, 403):
            hint = (
                "create an application user for this client id in the environment and give it a "
                "security role (Power Platform admin center, Application users)"
            )
            self.fail(name, 3, f"HTTP {answer['status']} {_error_text(answer['body'])}", hint)
        else:
            told = answer["fault_text"] or f"HTTP {answer['status']} {_error_text(answer['body'])}"
            self.fail(name, 5, told, "look at the url: it is the environment's address")


def _error_text(body: bytes) -> str:
    try:
        error = json.loads(body)["error"]
        return f"{error['code']} {error['message']}"
    except (ValueError, KeyError, TypeError):
        return ""


_FAULT_HINTS = {
    "untrusted": "name the authority's certificate with ca_file, or FIELDPOST_CA_FILE",
    "unreachable": "is the address right, and does this machine reach it?",
}
