"""Tests of a connection, step by step; each step tells what to do where it fails.

Nothing of this writes. What sends a sample is in sample.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from . import destination_schema
from .config import DestinationConfig, Subscription
from .documents import active
from .dynamics.connection_steps import NAMES, NOT_REACHED, ConnectionSteps
from .dynamics.privileges import Wanted
from .dynamics.schema import Schema
from .dynamics.web_api import WebApi
from .errors import AuthError, ConfigError, FieldpostError, Mistake
from .html_table import html_text
from .inquiry import Answer, Inquiry
from .step import Step

__all__ = ["ConnectionTest", "Prober", "Step"]


class ConnectionTest:
    """The steps of one test. Truthy where nothing failed."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps

    @property
    def exit_code(self) -> int:
        """What a script is told: that of the first step that failed, or 0."""
        return next((step.exit_code for step in self.steps if step.ok is False), 0)

    def __bool__(self) -> bool:
        return all(step.ok is not False for step in self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def to_dict(self) -> dict[str, Any]:
        """The steps as `test-connection --output json` prints them."""
        return {"ok": bool(self), "steps": [step.to_dict() for step in self.steps]}

    def __repr__(self) -> str:
        told = ", ".join(f"{step.name}: {step.ok}" for step in self.steps)
        return f"<ConnectionTest {told}>"

    def _repr_html_(self) -> str:
        marks = {True: "✓", False: "✗", None: "–"}
        rows = "".join(
            f"<tr><td>{marks[s.ok]}</td><td>{html_text(s.name)}</td>"
            f"<td>{html_text(s.detail)}</td><td>{html_text(s.hint)}</td></tr>"
            for s in self.steps
        )
        head = "<tr><th></th><th>step</th><th>what was seen</th><th>what to do</th></tr>"
        return f"<table>{head}{rows}</table>"


class Prober:
    """Makes the steps that write nothing: address, tls, token, and those of Dynamics 365.

    A step that needs an earlier one is not reached where that failed.
    """

    def __init__(self, config: DestinationConfig, inquiry: Inquiry) -> None:
        self._config = config
        self.inquiry = inquiry
        self.api = WebApi(config.url or "", self.inquiry)
        self.steps: list[Step] = []

    def run(self) -> bool:
        """Make the steps; True where none failed."""
        self._reach()
        self._step("token", self._token)
        if self._config.type == "dynamics365":
            self._dynamics()
        else:
            for name in NAMES:
                self.add(Step(name, None, "a webhook does not tell"))
        return not self.failed

    @property
    def failed(self) -> bool:
        """Whether a step failed so far."""
        return any(step.ok is False for step in self.steps)

    def add(self, step: Step) -> None:
        """Note a step."""
        self.steps.append(step)

    def _step(self, name: str, make: Callable[[], Step]) -> None:
        self.add(Step(name, None, NOT_REACHED) if self.failed else make())

    def _dynamics(self) -> None:
        wanted = [_wanted(one) for one in active(self._config)]
        client = str(getattr(self._config.auth, "client_id", "") or "")
        steps = ConnectionSteps(
            self.api, destination_schema.schema_of(self._config).tables, wanted, client
        )
        reached = not self.failed
        makers: tuple[Callable[[], Step], ...] = (
            steps.who_am_i,
            steps.application_user,
            steps.privileges,
            lambda: steps.schema(self._mistakes),
        )
        for name, make in zip(NAMES, makers, strict=True):
            self.add(make() if reached else Step(name, None, NOT_REACHED))

    def _mistakes(self, schema: Schema) -> list[Mistake]:
        """What is wrong with the file's tables and bodies against the environment as it is now."""
        reading = self._config.reading
        absent = destination_schema.absent_tables(reading, schema)
        return [*absent, *destination_schema.findings(reading, schema).mistakes]

    def _addresses(self) -> list[str]:
        if self._config.type == "dynamics365":
            return [self.api.url]
        urls = [one.url for one in active(self._config) if isinstance(one.url, str)]
        return sorted({f"{u.scheme}://{u.netloc}/" for u in map(urlsplit, urls)})

    def _reach(self) -> None:
        """The steps `address` and `tls`: one request tells both."""
        addresses = self._addresses()
        if not addresses:
            for name in ("address", "tls"):
                self.add(Step(name, None, "every address comes from the event"))
            return
        reached = ", ".join(addresses)
        for address in addresses:
            try:
                answer = self.inquiry.ask("GET", address)
            except ConfigError as error:  # no password for the proxy
                self.add(Step("address", False, f"{error.code} {error.message}", error.hint, 2))
                self.add(Step("tls", None, NOT_REACHED))
                return
            if answer.status == 0:
                self._not_reached(address, answer)
                return
        self.add(Step("address", True, reached))
        if all(address.startswith("http:") for address in addresses):
            self.add(Step("tls", None, "plain http on this machine"))
        else:
            self.add(Step("tls", True, "the certificate is trusted"))

    def _not_reached(self, address: str, answer: Answer) -> None:
        told = answer.fault_text
        if answer.fault == "untrusted":
            self.add(Step("address", True, address))
            hint = answer.fault_advice or _UNTRUSTED
            self.add(Step("tls", False, f"{address}: {told}", hint, 5))
        else:
            self.add(Step("address", False, f"{address}: {told}", _UNREACHABLE, 5))
            self.add(Step("tls", None, NOT_REACHED))

    def _token(self) -> Step:
        name = "token"
        try:
            header = self.inquiry.sign_in()
        except AuthError as error:
            code = 5 if error.unreachable else 3
            return Step(name, False, f"{error.code} {error.message}", error.hint, code)
        except FieldpostError as error:
            return Step(name, False, f"{error.code} {error.message}", error.hint, 2)
        if not header:
            return Step(name, None, "no credentials")
        oauth = self._config.auth.type in ("oauth2", "azure_identity")
        return Step(name, True, "a token was given" if oauth else "as configured")


def _wanted(one: Subscription) -> Wanted:
    return Wanted(
        one.name,
        one.action,
        one.table or "",
        (one.body, one.on_create),
        one.relationship or "",
        one.to.table if one.to else "",
        acts_for=one.impersonate is not None,
        bypasses=bool({"sync", "async"} & set(one.bypass)),
        made=one.make,
    )


_UNTRUSTED = (
    "author of the file: name the authority's certificate with ca_file, or FIELDPOST_CA_FILE; "
    "where a company's proxy opens connections, that is its authority"
)
_UNREACHABLE = (
    "author of the file: is the address right? whoever runs the network: does this machine reach "
    "it (name, firewall, proxy)?"
)
