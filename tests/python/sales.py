"""Deliveries to Dynamics 365 for tests: subscriptions as YAML, events, what came of them."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import fieldpost as fp
from fieldpost.emulator import Emulator

DELIVERY = "delivery: {max_in_flight: 4, retry: {wait_initial_s: 0.01, wait_max_s: 0.02}}\n"


class Sales:
    """A destination of type dynamics365 in a folder, pointed at an emulator."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder, self.emulator = folder, emulator
        self.subscriptions: list[str] = []
        self.delivery = DELIVERY
        self._runs = 0
        self._token = ""

    def subscribe(self, text: str, name: str = "", when: str = "all") -> Sales:
        """Add a subscription: the keys after `filter:`, as YAML."""
        name = name or f"s{len(self.subscriptions)}"
        head = f"  - name: {name}\n    filter: {json.dumps(when)}\n"
        lines = [f"    {line}" for line in text.strip("\n").splitlines()]
        self.subscriptions.append(head + "\n".join(lines) + "\n")
        return self

    @property
    def destination(self) -> fp.Destination:
        emulator = self.emulator
        text = (
            f"id: sales\nname: Sales\ntype: dynamics365\nurl: {emulator.url}\n"
            'event_id: {"@path": "$.messageId"}\n'
            f"auth: {{type: oauth2, grant: client_credentials, token_url: '{emulator.token_url}',"
            f" client_id: {{env: CID}}, client_secret: {{env: SECRET}}, scope: '{emulator.scope}'}}"
            "\nsubscriptions:\n" + "".join(self.subscriptions) + self.delivery
        )
        path = self.folder / "sales.yaml"
        path.write_text(text)
        return fp.Destination.from_file(path)

    def deliver(self, *events: dict[str, Any]) -> list[dict[str, Any]]:
        """The outcomes of these events, in their order; an event without messageId gets one."""
        named = [{"type": "track", "messageId": f"m{self._next()}"} | one for one in events]
        destination = self.destination
        destination.deliver(named)
        return [
            row for one in named for row in destination.outcomes(event_id=str(one["messageId"]))
        ]

    def _next(self) -> int:
        self._runs += 1
        return self._runs

    def one(self, event: dict[str, Any]) -> dict[str, Any]:
        """The outcome of one event with one subscription."""
        [row] = self.deliver(event)
        return row

    # -- the service's side

    def control(self, path: str, order: Any = None, method: str | None = None) -> Any:
        data = None if order is None else json.dumps(order).encode()
        request = urllib.request.Request(f"{self.emulator.control_url}/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def commits(self, table: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.control(f"commits?table={table}")["commits"]
        return rows

    def sent(self, part: str) -> int:
        """How many requests were made whose method and path hold this."""
        counts: dict[str, int] = self.control("requests")["requests"]
        return sum(count for request, count in counts.items() if part in request)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A request of the test's own; None where the row is not there."""
        if not self._token:
            self._token = self._signed_in()
        request = urllib.request.Request(
            f"{self.emulator.url}/api/data/v9.2/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
            | headers,
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise AssertionError(error.read()) from None
        return json.loads(text) if text else {}

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def rows(self, table_set: str, select: str = "") -> list[dict[str, Any]]:
        options = f"?$select={select}" if select else ""
        listed: list[dict[str, Any]] = self.get(table_set + options)["value"]
        return listed

    def _signed_in(self) -> str:
        emulator = self.emulator
        form = urllib.parse.urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": emulator.client_id,
                "client_secret": emulator.client_secret,
                "scope": emulator.scope,
            }
        ).encode()
        with urllib.request.urlopen(emulator.token_url, form, timeout=60) as answer:
            return str(json.load(answer)["access_token"])
