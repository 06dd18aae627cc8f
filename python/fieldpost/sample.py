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
from .delivery import Delivery, Works
from .destination_schema import schema_of
from .dynamics.operation import Reader
from .ending import Ending
from .functions import load_functions
from .ledger import OPEN, Ledger, Takes, open_ledger
from .preview import PreviewRow
from .report import Report
from .sources import open_source
from .step import Step

Event = dict[str, Any]
OpenLedger = Callable[[bool], AbstractContextManager[Ledger]]  # looking: it only answers
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
        theirs = self._of_a_run() if delete else ""
        made = self._absent() if delete and not theirs else []
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
        if theirs:
            self._prober.add(Step("delete", None, theirs))
        elif delete:
            self._delete(made)

    @contextmanager
    def _ledger_for_it(self) -> Iterator[Ledger]:
        if not documents.replay_safe(self._config):
            with self._ledger(False) as ledger:
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
        works, ending = Works(plan, functions, source), Ending(self._config.delivery.grace_s)
        delivery = Delivery(self._config, ledger, ending=ending)
        return ending.over(lambda: delivery.run(lambda _targets: works, takes=_TAKES))

    def _outcomes(self, ledger: Ledger) -> Iterator[dict[str, Any]]:
        for row in self._rows:
            for outcome in ledger.outcomes(self._config.id, event_ids=[row.event_id]):
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

    def _of_a_run(self) -> str:
        """Why the rows are to stay: a run has sent the event, or is about to."""
        with self._ledger(True) as ledger:
            for outcome in self._outcomes(ledger) if ledger.exists() else ():
                return f"the rows stay: a run knows the event, which is {outcome['outcome']}"
        return ""

    def _absent(self) -> list[str]:
        """Addresses of rows that the sample writes and that are not there yet."""
        if self._config.type != "dynamics365":
            return []
        reader, api = Reader(self._tables), self._prober.api
        keys = {
            one.path: self._tables[one.table].key
            for row in self._rows
            for one in reader.operations(row.method, row.url, dict(row.headers), row.body)
            if one.kind in ("create", "upsert", "update") and "(" in one.path
        }
        return [p for p, key in keys.items() if api.get(f"{p}?$select={key}").status == 404]

    def _delete(self, made: list[str]) -> None:
        """Delete the rows that the sample made, the leaves first; others stay."""
        deleted = []
        for path in reversed(made):
            answer = self._prober.api.delete(path)
            if answer.status == 204:
                deleted.append(path)
            elif answer.status != 404:
                left = ", ".join(one for one in made if one not in deleted)
                hint = f"delete by hand what is left: {left}"
                self._prober.add(Step("delete", False, f"{answer} for {path}", hint, 4))
                return
        if deleted:
            self._prober.add(Step("delete", True, ", ".join(deleted)))
        else:
            webhook = self._config.type != "dynamics365"
            told = "a webhook keeps it" if webhook else "nothing that the sample made"
            self._prober.add(Step("delete", None, told))

    def _name(self, outcome: dict[str, Any]) -> str:
        named = {one.id: one.name for one in documents.active(self._config)}
        return named.get(outcome["subscription"], "")

    def _table(self, outcome: dict[str, Any]) -> str | None:
        tables = {one.id: one.table for one in documents.active(self._config)}
        return tables[outcome["subscription"]] if self._config.type == "dynamics365" else None
