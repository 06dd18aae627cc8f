"""A sample event sent on purpose: the last steps of a connection test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from . import documents
from .config import DestinationConfig
from .connection import Prober
from .destination_schema import schema_of
from .dynamics.operation import Operation, Reader
from .ledger import OPEN, Takes
from .preview import PreviewRow
from .report import Report
from .step import Step

Event = dict[str, Any]
_EVENT = {
    "type": "track",
    "event": "fieldpost connection test",
    "userId": "fieldpost-test",
    "properties": {},
}


def event_of(given: Event | None) -> Event:
    """The event to send; one without its own messageId is a new one each time."""
    return {"messageId": f"fieldpost-test-{time.time_ns()}", **(given or _EVENT)}


def takes_of_sample(config: DestinationConfig) -> Takes:
    """A sample is sent however it stands, where sending it again does no harm."""
    safe = ("delivered", "unconfirmed") if documents.replay_safe(config) else ()
    return Takes((*OPEN, "rejected", "expired", *safe), anew=True)


class Sample:
    """One event. preview, deliver: the destination's own; outcomes: what became of an event id."""

    def __init__(
        self,
        config: DestinationConfig,
        prober: Prober,
        event: Event,
        *,
        preview: Callable[[Event], Iterable[PreviewRow]],
        deliver: Callable[[Event], Report],
        outcomes: Callable[[str], Iterable[dict[str, Any]]],
    ) -> None:
        self._config = config
        self._prober = prober
        self._event = event
        self._rows = list(preview(event))
        self._deliver = deliver
        self._outcomes = outcomes
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
        report = self._deliver(self._event)
        done = report["delivered"] + report["already_delivered"]
        if done == 0 or report.failed or report.stopped:
            why = "; ".join(f"{f['code']} {f['message']}" for f in report.failures)
            why = why or " ".join(report.stopped or ()) or "nothing was delivered"
            self._failed(why, "; ".join(f["action_needed"] for f in report.failures))
            return
        told = f"{done} delivered" if report["delivered"] else "was there already"
        self._prober.add(Step("sample", True, told))
        for outcome in self._outcomes(str(self._event["messageId"])):
            self._read_back(outcome)
            if delete:
                self._delete(outcome)

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
        return named[outcome["subscription"]]

    def _table(self, outcome: dict[str, Any]) -> str | None:
        tables = {one.id: one.table for one in documents.active(self._config)}
        return tables[outcome["subscription"]] if self._config.type == "dynamics365" else None
