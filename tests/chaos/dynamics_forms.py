"""Rows in the emulator, whose ids make the write itself replay-safe, by each way of writing them.

The emulator's own ledger of commits says how often each row was created: once, whatever happens.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from form import Form, Tally, delivery

_NAME = {"@path": "$.messageId"}
_FLAT: dict[str, Any] = {"name": _NAME}
_DATA = {"path": "/api/data/"}


class DeepInsert(Form):
    """Account trees, each in one request."""

    name = "deep-insert"
    batching = "off"
    action = "action: create"
    BODY: ClassVar[dict[str, Any]] = {
        "name": _NAME,
        "primarycontactid": {"lastname": _NAME},
        "opportunity_customer_accounts": [
            {"name": "First", "Opportunity_Tasks": [{"subject": "Call"}]}
        ],
    }
    # table -> its rows in a tree
    TREE: ClassVar[dict[str, int]] = {"account": 1, "contact": 1, "opportunity": 1, "task": 1}
    EXPAND = (
        "primarycontactid($select=lastname),"
        "opportunity_customer_accounts($select=name;$expand=Opportunity_Tasks($select=subject))"
    )

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        command = [sys.executable, "-m", "fieldpost", "emulator", "--output", "json"]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout is not None
        self.told = json.loads(self.server.stdout.readline())
        os.environ["CHAOS_SECRET"] = self.told["client_secret"]
        self._cuts_before = 0
        self._write()

    def _write(self) -> None:
        told = self.told
        self.file.write_text(
            f"name: {self.name}\ntype: dynamics365\nurl: {told['url']}\n"
            "auth: {type: oauth2, grant: client_credentials,"
            f" client_id: {told['client_id']}, client_secret: {{env: CHAOS_SECRET}},"
            f" token_url: '{told['token_url']}', scope: '{told['scope']}'}}\n"
            f"subscriptions:\n{self.subscriptions()}" + delivery(self.batching)
        )

    def subscriptions(self) -> str:
        return self.subscription("s", 'type = "track"', self.BODY)

    def subscription(self, name: str, accepts: str, body: dict[str, Any]) -> str:
        return (
            f"  - {{name: {name}, filter: '{accepts}', {self.action}, table: account,"
            f" body: {json.dumps(body)}}}\n"
        )

    def body_of(self, _: str) -> dict[str, Any]:
        """The body of an event by its id."""
        return self.BODY

    def close(self) -> None:
        self.server.terminate()
        self.server.wait(20)

    def _control(self, path: str, order: Any = None, method: str | None = None) -> Any:
        data = None if order is None else json.dumps(order).encode()
        url = f"{self.told['control_url']}/{path}"
        request = urllib.request.Request(url, data, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    # -- faults

    def begin_round(self, count: int) -> None:
        self._cuts_before = self.cuts()
        self._control("reset", {})
        super().begin_round(count)

    def let_loose(self, faults: bool) -> None:
        self._cuts_before = self.cuts()
        self._control("faults", method="DELETE")
        if faults:
            self._control("faults", [self._fault() for _ in range(12)])
            if self.chance.random() < 0.3:
                self._control("tokens", {"revoke": True})

    def stir(self) -> None:
        self.let_loose(True)

    def _fault(self) -> dict[str, Any]:
        dice = self.chance.random()
        if dice < 0.1:
            return self._rare_fault()
        kinds: tuple[dict[str, Any], ...] = (
            {"close": True, "when": "before"},
            {"close": True, "when": "after"},
            {"close": "reset", "when": "before"},
            {"close": "reset", "when": "after"},
            {"close": "middle", "when": "after"},
            {"status": 503},
            {"status": self.chance.choice((502, 504)), "when": "before"},
            {"status": self.chance.choice((502, 504)), "when": "after"},
            {"status": 500, "when": self.chance.choice(("before", "after"))},
            {"delay_s": 0.3, "when": "after"},
        )
        fault = self.chance.choice(kinds)
        return {"match": _DATA, "times": self.chance.randint(1, 3), **fault}

    def _rare_fault(self) -> dict[str, Any]:
        """What takes its time: a wait that is asked for, a storm, an answer that never comes."""
        kinds: tuple[dict[str, Any], ...] = (
            {"status": 429, "retry_after_s": 1},
            {"status": 429, "retry_after_s": 1, "match": {**_DATA, "part": True}},
            {"status": 503, "match": {**_DATA, "part": True}, "times": 5},
            {"status": 500, "when": "after", "match": {**_DATA, "part": True}, "times": 5},
            {"status": self.chance.choice((502, 503, 504)), "times": 20},
            {"status": 429, "times": 10},
            {"status": 503, "match": {"path": "/oauth2/"}},
            {"delay_s": 8, "when": "after", "close": True},
        )
        return {"match": _DATA, "times": 1, **self.chance.choice(kinds)}

    def cuts(self) -> int:
        faults = self._control("faults")["faults"]
        return self._cuts_before + sum(one["hits"] for one in faults if one["close"])

    # -- what took effect

    def effects(self, tally: Tally) -> dict[str, int]:
        commits = {table: self._created(table) for table in self.TREE}
        accounts = self._accounts()
        trees = 0
        for row in accounts.values():
            body = self.body_of(row["name"])
            trees += body == self.BODY
            if not _is_whole(body, row):
                tally.note("lost", 1, f"the tree of {row['name']} is torn")
        for table, of_table in commits.items():
            expected = len(accounts) if table == "account" else trees * self.TREE[table]
            tally.note("unaccounted", abs(len(of_table) - expected), f"rows of {table}")
            if table != "account":
                twice = sum(n - 1 for n in of_table.values() if n > 1)
                tally.note("doubled", twice, f"rows of {table} created twice")
        effects: Counter[str] = Counter()
        for key, row in accounts.items():
            effects[row["name"]] += commits["account"].get(key, 0)
        return effects

    def _created(self, table: str) -> dict[str, int]:
        rows = self._control(f"commits?table={table}")["commits"]
        return {row["id"]: row["created"] for row in rows}

    def _accounts(self) -> dict[str, dict[str, Any]]:
        """Each account with its tree, read through the Web API."""
        token = self._token()
        query = "$select=name" + (f"&$expand={self.EXPAND}" if self.EXPAND else "")
        url = f"{self.told['url']}/api/data/v9.2/accounts?{quote(query, safe='$=&(),;')}"
        accounts: dict[str, dict[str, Any]] = {}
        while url:
            request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                page = json.load(answer)
            accounts.update({row["accountid"]: row for row in page["value"]})
            url = page.get("@odata.nextLink", "")
        return accounts

    def _token(self) -> str:
        told = self.told
        form = {"grant_type": "client_credentials"}
        form |= {key: told[key] for key in ("client_id", "client_secret", "scope")}
        data = urlencode(form).encode()
        with urllib.request.urlopen(told["token_url"], data, timeout=20) as answer:
            token: str = json.load(answer)["access_token"]
            return token


def _is_whole(body: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether all rows that a body nests hang on the row."""
    for name, part in body.items():
        parts = part if isinstance(part, list) else [] if "@path" in part else [part]
        found = row.get(name) if isinstance(part, list) else [row.get(name)]
        if parts and (not found or len(found) != len(parts)):
            return False
        for nested, below in zip(parts, found or [], strict=False):
            if not below or not _is_whole(_nested(nested), below):
                return False
    return True


def _nested(body: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in body.items() if not isinstance(part, str)}


class ChangeSet(DeepInsert):
    """Upserts of trees, each in one change set."""

    name = "change-set"
    action = 'action: upsert, key: {"@path": "$.messageId"}'
    BODY: ClassVar[dict[str, Any]] = {
        "name": _NAME,
        "primarycontactid": {"lastname": _NAME},
        "Account_Tasks": [{"subject": "Call"}, {"subject": "Write"}],
    }
    TREE: ClassVar[dict[str, int]] = {"account": 1, "contact": 1, "task": 2}
    EXPAND = "primarycontactid($select=lastname),Account_Tasks($select=subject)"


class Batched(DeepInsert):
    """The same trees as deep inserts, many in a batch."""

    name = "batch"
    batching = "batch"


class BulkCreate(DeepInsert):
    """Accounts alone, many in a bulk message: all of them are committed or none is."""

    name = "bulk-create"
    batching = "bulk"
    BODY: ClassVar[dict[str, Any]] = _FLAT
    TREE: ClassVar[dict[str, int]] = {"account": 1}
    EXPAND = ""


class BulkUpsert(BulkCreate):
    """The same by UpsertMultiple."""

    name = "bulk-upsert"
    action = ChangeSet.action


class Auto(DeepInsert):
    """Trees and accounts alone, packed as the engine likes."""

    name = "auto"
    batching = "auto"

    def subscriptions(self) -> str:
        tree = self.subscription("s", 'event = "Signed Up"', self.BODY)
        return tree + self.subscription("t", 'event = "Signed In"', _FLAT)

    def event_name(self, i: int) -> str:
        return "Signed In" if i % 2 else "Signed Up"

    def body_of(self, event_id: str) -> dict[str, Any]:
        return _FLAT if int(event_id.rsplit("-", 1)[1]) % 2 else self.BODY

    def filtered(self, count: int) -> int:
        return 3 * count  # both refuse a page, each refuses the other's
