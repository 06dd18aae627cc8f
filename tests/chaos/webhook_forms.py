"""Posts to the recorder: at most once and told where unsure, or exactly once by a key."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, ClassVar

from child import Doom
from form import Form, Tally, delivery
from recorder import CUTS, UNHEARD


class Webhook(Form):
    """Posts that are not replay-safe."""

    name = "webhook"
    replay_safe = False
    more = ""
    chances: ClassVar[dict[str, float]] = {
        "cut_before": 0.04,
        "cut_in_body": 0.03,
        "cut_after": 0.04,
        "truncate": 0.02,
        "late": 0.04,
        "silent": 0.0005,
        "status_500": 0.03,
        "status_502": 0.01,
        "status_503": 0.02,
        "status_504": 0.01,
        "storm_503": 0.004,
        "busy_s": 0.001,
        "busy_date": 0.001,
    }

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        command = [sys.executable, str(Path(__file__).parent / "recorder.py")]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout is not None
        self.url = f"http://127.0.0.1:{self.server.stdout.readline().strip()}"
        self._unheard_before = 0
        self.file.write_text(
            f"name: {self.name}\ntype: webhook\n{self.more}subscriptions:\n"
            f'  - {{name: s, filter: type = "track", url: {self.url}/in,'
            ' body: {id: {"@path": "$.messageId"}}}\n' + delivery("off")
        )

    def close(self) -> None:
        self.server.kill()
        self.server.wait()

    def _control(self, path: str, order: Any = None) -> Any:
        data = None if order is None else json.dumps(order).encode()
        with urllib.request.urlopen(f"{self.url}/_{path}", data, timeout=20) as answer:
            return json.load(answer)

    def begin_round(self, count: int) -> None:
        self.begin_anew()
        super().begin_round(count)

    def begin_anew(self) -> None:
        """The server has seen nothing."""
        self._unheard_before = self._faults(*UNHEARD)
        self._order(self.chances, anew=True)

    def let_loose(self, faults: bool) -> None:
        self._order(self.chances if faults else {}, anew=False)

    def way_to(self, point: str) -> list[Doom]:
        if self.replay_safe or not point.endswith("dispatcher.offer"):
            return super().way_to(point)
        # What a dead run had claimed is held, so only what waits is offered again: of what is
        # refused, that which is more than the dispatcher keeps until its next try.
        self._order({"status_503": 1.0}, anew=False)
        return []

    def _order(self, chances: dict[str, float], anew: bool) -> None:
        self._control("faults", {"seed": self.chance.random(), "chances": chances, "anew": anew})

    def _faults(self, *names: str) -> int:
        faults = self._control("counts")["faults"]
        return sum(faults.get(one, 0) for one in names)

    def cuts(self) -> int:
        return self._faults(*CUTS)

    def unheard(self) -> int:
        return self._faults(*UNHEARD) - self._unheard_before

    def most_in_flight(self) -> int:
        most: int = self._control("counts")["most_in_flight"]
        return most

    def effects(self, _: Tally) -> dict[str, int]:
        effects: dict[str, int] = self._control("counts")["effects"]
        return effects


class KeyedWebhook(Webhook):
    """Posts with a key that the recorder honours: sent again, and once in effect."""

    name = "keyed"
    replay_safe = True
    more = "idempotency_key: true\n"
    chances: ClassVar[dict[str, float]] = {**Webhook.chances, "acted_502": 0.02, "acted_504": 0.02}
