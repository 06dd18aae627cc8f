"""The recipe's job for tests: destination files, events, and what the emulator saw of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from fieldpost.emulator import Emulator

FIELDPOST = (sys.executable, "-m", "fieldpost")
OUTCOMES = (
    "filtered",
    "dropped",
    "invalid",
    "delivered",
    "already_delivered",
    "rejected",
    "expired",
    "unconfirmed",
    "waiting",
    "ignored",
)

BODY = """\
      name: {"@path": "$.properties.company"}
      primarycontactid:
        firstname: {"@path": "$.properties.first"}
        lastname: {"@path": "$.properties.last"}
      opportunity_customer_accounts:
        - name: {"@template": "Opportunity associated to {{properties.company}}"}
          Opportunity_Tasks: [{subject: Task associated to opportunity}]
"""
FUNCTION = """\
def on_track(event, settings):
    p = event["properties"]
    event["body"] = {
        "name": p["company"],
        "primarycontactid": {"firstname": p["first"], "lastname": p["last"]},
        "opportunity_customer_accounts": [
            {"name": "Opportunity associated to " + p["company"],
             "Opportunity_Tasks": [{"subject": "Task associated to opportunity"}]}
        ],
    }
    return event
"""
DELIVERY = "delivery: {batching: off, max_in_flight: 4, retry: {wait_initial_s: 0.01}}\n"
FILTER = 'type = "track" and event = "Account Created"'


class Recipe:
    """Files of one destination in a folder, pointed at an emulator."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder = folder
        self.emulator = emulator
        self.environment = os.environ | {
            "CID": emulator.client_id,
            "SECRET": emulator.client_secret,
        }

    def head(self, kind: str) -> str:
        return (
            f"id: recipe-{kind}\nname: Segment to Microsoft Dynamics Integration\nenabled: true\n"
            f"type: {kind}\n"
            + (f"ca_file: {self.emulator.ca_file}\n" if self.emulator.ca_file else "")
            + "auth: {type: oauth2, grant: client_credentials, client_id: {env: CID},"
            f" client_secret: {{env: SECRET}}, token_url: '{self.emulator.token_url}',"
            f" scope: '{self.emulator.scope}'}}\n"
        )

    def dynamics(self, body: str = BODY, extra: str = "") -> Path:
        text = (
            self.head("dynamics365")
            + f"url: {self.emulator.url}\nsubscriptions:\n  - name: New account\n"
            f"    filter: {FILTER}\n    action: create\n    table: account\n    body:\n{body}"
            f"{DELIVERY}{extra}"
        )
        return self.write("dynamics.yaml", text)

    def webhook(self, body: str = '{"@path": "$.body"}', extra: str = "") -> Path:
        self.write("accounts.py", FUNCTION)
        text = (
            self.head("webhook") + "functions: accounts.py\nsubscriptions:\n  - name: New account\n"
            f"    filter: {FILTER}\n"
            f"    action: send\n    url: {self.emulator.url}/api/data/v9.2/accounts\n"
            f"    method: POST\n    body: {body}\n"
            f"{DELIVERY}{extra}"
        )
        return self.write("webhook.yaml", text)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def events(self, count: int = 40, name: str = "events.ndjson", reverse: bool = False) -> Path:
        """Every fourth a sign-up, every tenth line broken (those are never sign-ups)."""
        lines = [self._line(number) for number in range(count)]
        if reverse:
            lines.reverse()
        return self.write(name, "\n".join(lines) + "\n")

    @staticmethod
    def _line(number: int) -> str:
        event: dict[str, Any] = {"type": "track", "event": "Page Seen", "messageId": f"m-{number}"}
        if number % 4 == 0:
            event["event"] = "Account Created"
            event["properties"] = {"company": f"Firm {number}", "first": "Jo", "last": f"S{number}"}
        line = json.dumps(event)
        return line[:-5] if number % 10 == 9 else line

    def control(self, path: str, order: Any = None) -> Any:
        data = None if order is None else json.dumps(order).encode()
        request = urllib.request.Request(f"{self.emulator.control_url}/{path}", data)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def commits(self, table: str = "account") -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.control(f"commits?table={table}")["commits"]
        return rows

    def trees_are_whole(self, count: int) -> bool:
        """Each of `count` accounts, and its three companions, was created exactly once."""
        tables = ("account", "contact", "opportunity", "task")
        return all([row["created"] for row in self.commits(t)] == [1] * count for t in tables)

    def run(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*FIELDPOST, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=180,
            env=self.environment | environment,
            cwd=self.folder,
            check=False,
        )

    def deliver(self, *arguments: object, expect: int = 0) -> dict[str, Any]:
        told = self.run("deliver", *arguments, "--output", "json")
        assert told.returncode == expect, told.stderr
        counts: dict[str, Any] = json.loads(told.stdout)
        assert counts["received"] == sum(counts[outcome] for outcome in OUTCOMES)
        return counts
