"""The ways of delivering that chaos is tried on, and what each of them owes.

A form writes a destination and events, lets faults loose in its server, and at the end compares
three witnesses: the events, the ledger, and the server's own count of effects.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

from recorder import CUTS

import fieldpost

HERE = Path(__file__).parent
IN_FLIGHT = 8
DELIVERY = (
    f"delivery: {{batching: BATCHING, max_in_flight: {IN_FLIGHT}, timeout_s: 10,"
    " retry: {wait_initial_s: 0.02, wait_max_s: 0.2}}\n"
)


@dataclass
class Tally:
    """What the witnesses say; `losses` tells each difference in words."""

    lost: int = 0
    doubled: int = 0
    unaccounted: int = 0
    unconfirmed: int = 0
    losses: list[str] = field(default_factory=list)

    def __iadd__(self, other: Tally) -> Self:
        self.lost += other.lost
        self.doubled += other.doubled
        self.unaccounted += other.unaccounted
        self.unconfirmed += other.unconfirmed
        self.losses += other.losses
        return self

    def note(self, what: str, count: int, words: str) -> None:
        if count:
            setattr(self, what, getattr(self, what) + count)
            self.losses.append(f"{words}: {count}")


class Form:
    """One destination and its server. `forgets`: the ledger is thrown away between tries."""

    name = ""
    forgets = False

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.file = folder / f"{self.name}.yaml"
        self.log = folder / f"{self.name}.log"
        self.round = 0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def events(self) -> Path:
        return self.folder / f"{self.name}-{self.round}.ndjson"

    @property
    def ledger(self) -> Path:
        return self.folder / f"{self.name}-{self.round}.db"

    def begin_round(self, count: int) -> None:
        """New events, a new ledger, a server that has seen nothing."""
        self.round += 1
        with self.events.open("w") as file:
            for i in range(count):
                event = {"type": "track", "event": "Signed Up", "messageId": self.event_id(i)}
                file.write(json.dumps(event) + "\n")
                seen = {"type": "page", "messageId": f"p-{self.round}-{i}"}
                file.write(json.dumps(seen) + "\n")
        self.let_loose(True)

    def event_id(self, i: int) -> str:
        return f"{self.name}-{self.round}-{i}"

    def forget(self) -> None:
        for file in self.folder.glob(self.ledger.name + "*"):
            file.unlink()

    def close(self) -> None:
        raise NotImplementedError

    def let_loose(self, faults: bool) -> None:
        raise NotImplementedError

    def stir(self) -> None:
        """More faults for the next try, where those that were let loose run out."""

    def cuts(self) -> int:
        """Connections cut since the form began."""
        raise NotImplementedError

    def unheard(self) -> int:
        """Calls of this round that were sent, and whose answer the server kept to itself."""
        return 0

    def most_in_flight(self) -> int:
        return 0

    def effects(self) -> dict[str, int]:
        """Event id -> how often it took effect, by the server's own count."""
        raise NotImplementedError

    def compare(self, count: int) -> Tally:
        """Hold events, ledger and effects against each other when everything is decided."""
        self.let_loose(False)
        effects = self.effects()
        destination = fieldpost.Destination.from_file(self.file, ledger=self.ledger)
        rows = {row["event_id"]: row for row in destination.outcomes()}
        wanted = {self.event_id(i) for i in range(count)}
        stands = {key: row["outcome"] for key, row in rows.items()}
        tally = Tally()
        delivered = {key for key, outcome in stands.items() if outcome == "delivered"}
        unsure = {key for key, outcome in stands.items() if outcome == "unconfirmed"}
        tally.unconfirmed = len(unsure)
        tally.note("lost", len(wanted - stands.keys()), "events without an outcome")
        tally.note("lost", len(delivered - effects.keys()), "delivered, and nothing took effect")
        tally.note("lost", len(wanted - delivered - unsure), "neither delivered nor unconfirmed")
        tally.note("doubled", sum(n - 1 for n in effects.values() if n > 1), "took effect twice")
        strangers = effects.keys() - delivered - unsure
        tally.note("unaccounted", len(strangers), "took effect, and the ledger does not say so")
        filtered = destination.status().to_dict()["filtered"]
        tally.note("unaccounted", abs(filtered - count), "filtered events miscounted")
        too_many = max(0, self.most_in_flight() - IN_FLIGHT)
        tally.note("unaccounted", too_many, "more in flight than allowed")
        return tally


class Webhook(Form):
    """Posts that are not replay-safe, to the recorder: at most once, and told where unsure."""

    name = "webhook"
    chances: ClassVar[dict[str, float]] = {
        "cut_before": 0.04,
        "cut_in_body": 0.03,
        "cut_after": 0.04,
        "truncate": 0.02,
        "late": 0.04,
        "status_500": 0.03,
        "status_502": 0.01,
        "status_503": 0.04,
        "status_504": 0.01,
        "busy_s": 0.001,
        "busy_date": 0.001,
    }

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        command = [sys.executable, str(HERE / "recorder.py")]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout is not None
        self.url = f"http://127.0.0.1:{self.server.stdout.readline().strip()}"
        self.file.write_text(
            f"name: {self.name}\ntype: webhook\nsubscriptions:\n"
            f'  - {{name: s, filter: type = "track", url: {self.url}/in,'
            ' body: {id: {"@path": "$.messageId"}}}\n' + DELIVERY.replace("BATCHING", "off")
        )

    def close(self) -> None:
        self.server.kill()
        self.server.wait()

    def _control(self, path: str, order: Any = None) -> Any:
        data = None if order is None else json.dumps(order).encode()
        with urllib.request.urlopen(f"{self.url}/_{path}", data, timeout=20) as answer:
            return json.load(answer)

    def begin_round(self, count: int) -> None:
        self._unheard_before = self._faults(*CUTS, "truncate")
        super().begin_round(count)

    def let_loose(self, faults: bool) -> None:
        if faults:
            seed = self.chance.random()
            self._control("faults", {"seed": seed, "chances": self.chances})

    def _faults(self, *names: str) -> int:
        faults = self._control("counts")["faults"]
        return sum(faults.get(one, 0) for one in names)

    def cuts(self) -> int:
        return self._faults(*CUTS)

    def unheard(self) -> int:
        return self._faults(*CUTS, "truncate") - self._unheard_before

    def most_in_flight(self) -> int:
        most: int = self._control("counts")["most_in_flight"]
        return most

    def effects(self) -> dict[str, int]:
        effects: dict[str, int] = self._control("counts")["effects"]
        return effects


class Dynamics(Form):
    """Account trees, whose ids make the write itself replay-safe, to the emulator."""

    name = "dynamics"
    batching = "off"
    TREE: tuple[str, ...] = ("account", "contact", "opportunity", "task")
    BODY: ClassVar[dict[str, Any]] = {
        "name": {"@path": "$.messageId"},
        "primarycontactid": {"lastname": {"@path": "$.messageId"}},
        "opportunity_customer_accounts": [
            {"name": "First", "Opportunity_Tasks": [{"subject": "Call"}]}
        ],
    }

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        command = [sys.executable, "-m", "fieldpost", "emulator"]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout is not None
        self.told = json.loads(self.server.stdout.readline())
        os.environ["CHAOS_SECRET"] = self.told["client_secret"]
        self._cuts_before = 0
        self._write()

    def _write(self) -> None:
        told = self.told
        delivery = DELIVERY.replace("BATCHING", self.batching)
        self.file.write_text(
            f"name: {self.name}\ntype: dynamics365\nurl: {told['url']}\n"
            "auth: {type: oauth2, grant: client_credentials,"
            f" client_id: {told['client_id']}, client_secret: {{env: CHAOS_SECRET}},"
            f" token_url: '{told['token_url']}', scope: '{told['scope']}'}}\n"
            'subscriptions:\n  - {name: s, filter: type = "track", action: create,'
            f" table: account, body: {json.dumps(self.BODY)}}}\n" + delivery
        )

    def close(self) -> None:
        self.server.terminate()
        self.server.wait(20)

    def _control(self, path: str, order: Any = None, method: str | None = None) -> Any:
        data = None if order is None else json.dumps(order).encode()
        url = f"{self.told['control_url']}/{path}"
        request = urllib.request.Request(url, data, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def begin_round(self, count: int) -> None:
        self._cuts_before = self.cuts()
        self._control("reset", {})
        super().begin_round(count)

    def let_loose(self, faults: bool) -> None:
        self._cuts_before = self.cuts()
        self._control("faults", method="DELETE")
        if faults:
            self._control("faults", [self._fault() for _ in range(12)])
            if self.chance.random() < 0.2:
                self._control("tokens", {"revoke": True})

    def stir(self) -> None:
        self.let_loose(True)

    def _fault(self) -> dict[str, Any]:
        kinds: tuple[dict[str, Any], ...] = (
            {"close": True, "when": "before"},
            {"close": True, "when": "after"},
            {"close": "reset", "when": "after"},
            {"status": 503},
            {"status": self.chance.choice((502, 504))},
            {"status": 429, "retry_after_s": 1},
            {"status": 500},
            {"delay_s": 0.3, "when": "after"},
        )
        fault = self.chance.choice(kinds)
        times = 1 if "retry_after_s" in fault else self.chance.randint(1, 3)
        return {**fault, "match": {"path": "/api/data/"}, "times": times}

    def cuts(self) -> int:
        faults = self._control("faults")["faults"]
        return self._cuts_before + sum(one["hits"] for one in faults if one["close"])

    def effects(self) -> dict[str, int]:
        rows = {table: self._commits(table) for table in self.TREE}
        if len({len(of_table) for of_table in rows.values()}) > 1:
            torn = {table: len(of_table) for table, of_table in rows.items()}
            raise AssertionError(f"a tree is torn: {torn}")
        created = rows["account"]
        twice = sum(n - 1 for of_table in rows.values() for n in of_table.values())
        names = self._names()
        effects = {names[key]: n for key, n in created.items()}
        if twice:
            effects["every row together"] = twice + 1
        return effects

    def _commits(self, table: str) -> dict[str, int]:
        rows = self._control(f"commits?table={table}")["commits"]
        return {row["id"]: row["created"] for row in rows}

    def _names(self) -> dict[str, str]:
        """Row id -> the event id in its name, read through the Web API."""
        token = self._token()
        url = f"{self.told['url']}/api/data/v9.2/accounts?$select=name"
        names: dict[str, str] = {}
        while url:
            request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
            with urllib.request.urlopen(request, timeout=20) as answer:
                page = json.load(answer)
            names.update({row["accountid"]: row["name"] for row in page["value"]})
            url = page.get("@odata.nextLink", "")
        return names

    def _token(self) -> str:
        told = self.told
        form = {"grant_type": "client_credentials"}
        form |= {key: told[key] for key in ("client_id", "client_secret", "scope")}
        data = urlencode(form).encode()
        with urllib.request.urlopen(told["token_url"], data, timeout=20) as answer:
            token: str = json.load(answer)["access_token"]
            return token


class BatchedDynamics(Dynamics):
    """The same trees, many in a batch."""

    name = "batch"
    batching = "batch"


class BulkDynamics(Dynamics):
    """Accounts alone, many in a bulk message: all of them are committed or none is."""

    name = "bulk"
    batching = "auto"
    TREE = ("account",)
    BODY: ClassVar[dict[str, Any]] = {"name": {"@path": "$.messageId"}}


class ForgetfulDynamics(Dynamics):
    """The same on a worker that is thrown away with its ledger: ids alone keep rows single."""

    name = "forgetful"
    forgets = True


FORMS: tuple[type[Form], ...] = (
    Webhook,
    Dynamics,
    BatchedDynamics,
    BulkDynamics,
    ForgetfulDynamics,
)
