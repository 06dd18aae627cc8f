"""A sample event sent on purpose: the last steps of a connection test.

Where sending again is safe, a sample leaves nothing in the destination's ledger: the event itself
is still delivered by a run, under the same ids, so nothing is there twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import documents
from .config import DestinationConfig
from .connection import Prober
from .delivery import Delivery, works
from .destination_schema import schema_of
from .dynamics.operation import Operation, Reader
from .functions import load_functions
from .ledger import OPEN, Ledger, Takes, open_ledger
from .preview import PreviewRow
from .report import Report
from .sources import open_source
from .step import Step

Event = dict[str, Any]
OpenLedger = Callable[[], AbstractContextManager[Ledger]]
_EVENT = {
    "type": "track",
    "event": "fieldpost connection test",
    "userId": "fieldpost-test",
    "properties": {},
}
# A sample is sent however it stands, short of sending twice what would then be there twice.
_TAKES = Takes((*OPEN, "rejected", "expired"), anew=True)


def event_of(given: Event | None) -> Event:
    """The event to send; one without its own messageId is a new one each time."""
    return {"messageId": f"fieldpost-test-{time.time_ns()}", **(given or _EVENT)}


class Sample:
    """One event. preview: the destination's own; ledger: opens the destination's."""

    def __init__(
        self,
        config: DestinationConfig,
        prober: Prober,
        event: Event,
        *,
        preview: Callable[[Event], Iterable[PreviewRow]],
        ledger: OpenLedger,
    ) -> None:
        self._config = config
        self._prober = prober
        self._event = event
        self._rows = list(preview(event))
        self._ledger = ledger
        self._tables = schema_of(config).tables

    def show(self) -> bool:
        """The step `sample`, sending nothing; True where there is something to send."""
        for row in self._rows:
            if row.outcome != "would send":
                told = f"{row.subscription}: {row.outcome} {row.code} {row.message}"
                hint = "author of the file: `fieldpost explain` shows where each field came from"
                return self._failed(told, hint)
        if not self._rows:
            hint = "give an event that a filter accepts: --sample event.json"
            return self._failed("no subscription wants the sample event", hint)
        told = ", ".join(f"{row.method} {row.url}" for row in self._rows)
        self._prober.add(Step("sample", True, f"would be sent by {told}"))
        return True

    def send(self, delete: bool) -> None:
        """Deliver it, read it back, and delete it again where asked."""
        if not self.show():
            return
        self._prober.steps.pop()
        with self._ledger_for_it() as ledger:
            report = self._delivered(ledger)
            outcomes = list(self._outcomes(ledger))
        done = report["delivered"] + report["already_delivered"]
        if done == 0 or report.failed or report.stopped:
            why = "; ".join(f"{f['code']} {f['message']}" for f in report.failures)
            why = why or " ".join(report.stopped or ()) or "nothing was delivered"
            self._failed(why, "; ".join(f["action_needed"] for f in report.failures))
            return
        told = f"{done} delivered" if report["delivered"] else "was there already"
        self._prober.add(Step("sample", True, told))
        for outcome in outcomes:
            self._read_back(outcome)
            if delete:
                self._delete(outcome)

    @contextmanager
    def _ledger_for_it(self) -> Iterator[Ledger]:
        if not documents.replay_safe(self._config):
            with self._ledger() as ledger:
                yield ledger
            return
        with TemporaryDirectory() as folder:
            ledger = open_ledger(Path(folder) / "sample.ledger.db")
            try:
                yield ledger
            finally:
                ledger.close()

    def _delivered(self, ledger: Ledger) -> Report:
        plan, functions = documents.compile_plan(self._config), load_functions(self._config)
        source = open_source([self._event])
        return Delivery(self._config, ledger).run(
            lambda _targets: works(plan, functions, source), takes=_TAKES
        )

    def _outcomes(self, ledger: Ledger) -> Iterator[dict[str, Any]]:
        for row in self._rows:
            for outcome in ledger.outcomes(self._config.id, event_id=row.event_id):
                if self._name(outcome) == row.subscription:
                    yield outcome

    def _failed(self, detail: str, hint: str) -> bool:
        self._prober.add(Step("sample", False, detail, hint, 4))
        return False

    def _read_back(self, outcome: dict[str, Any]) -> None:
        table = self._table(outcome)
        if table is None or not outcome["record_id"]:
            self._prober.add(Step("read back", None, "there is nothing to read"))
            return
        api, known = self._prober.api, self._tables[table]
        answer = api.get(f"{known.entity_set}({outcome['record_id']})?$select={known.key}")
        address = api.app_address(table, outcome["record_id"])
        if answer.status == 200:
            self._prober.add(Step("read back", True, address))
            return
        hint = "administrator: let the user read what it writes"
        if answer.status == 404:
            hint = "administrator: something in the environment deletes or moves such rows"
        self._prober.add(Step("read back", False, f"{answer} for {address}", hint, 4))

    def _delete(self, outcome: dict[str, Any]) -> None:
        """Delete the rows that the sample made, the leaves first; others stay."""
        made = self._made(outcome) if self._table(outcome) else []
        if not made:
            told = "nothing that the sample made" if self._table(outcome) else "a webhook keeps it"
            self._prober.add(Step("delete", None, told))
            return
        for one in reversed(made):
            answer = self._prober.api.delete(one.path)
            if answer.status not in (204, 404):
                hint = f"delete by hand what is left: {', '.join(each.path for each in made)}"
                self._prober.add(Step("delete", False, f"{answer} for {one.path}", hint, 4))
                return
        self._prober.add(Step("delete", True, ", ".join(one.path for one in made)))

    def _made(self, outcome: dict[str, Any]) -> list[Operation]:
        """Whether a row was there before is known of the root alone."""
        row = next(one for one in self._rows if one.subscription == self._name(outcome))
        operations = Reader(self._tables).operations(
            row.method, row.url, dict(row.headers), row.body
        )
        created = [one for one in operations if one.kind == "create" and one.row_id]
        upserted = outcome["effect"] == "created"
        return created or [one for one in operations if one.kind == "upsert" and upserted]

    def _name(self, outcome: dict[str, Any]) -> str:
        named = {one.id: one.name for one in documents.active(self._config)}
        return named.get(outcome["subscription"], "")

    def _table(self, outcome: dict[str, Any]) -> str | None:
        tables = {one.id: one.table for one in documents.active(self._config)}
        return tables[outcome["subscription"]] if self._config.type == "dynamics365" else None
