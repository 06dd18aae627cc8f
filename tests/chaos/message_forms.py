"""Messages that close rows: opportunities won, leads qualified, which have no ids of ours.

The rows stand there before a round begins. How often each was closed is told by what the service
makes of it: an activity for each opportunity, a contact for each lead.
"""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from typing import Any, ClassVar

from dynamics_forms import DeepInsert
from form import Tally

import fieldpost

_TYPE = "Microsoft.Dynamics.CRM"


class Won(DeepInsert):
    """Opportunities that are won, each by one request."""

    name = "won"
    TABLE: ClassVar[str] = "opportunity"
    SET: ClassVar[str] = "opportunities"
    ID: ClassVar[str] = "opportunityid"
    NAME: ClassVar[str] = "name"
    # What the service makes, and the way back to the row.
    MADE: ClassVar[str] = "opportunitycloses"
    BACK: ClassVar[str] = "opportunityid"
    MESSAGE: ClassVar[str] = "action: win_opportunity, body: {subject: Won}"

    def subscriptions(self) -> str:
        key = json.dumps({"@path": "$.messageId"})
        return f"  - {{name: s, filter: 'type = \"track\"', {self.MESSAGE}, key: {key}}}\n"

    def begin_round(self, count: int) -> None:
        super().begin_round(count)
        self.let_loose(False)
        self._stand_ready(count)
        self.let_loose(True)

    def _stand_ready(self, count: int) -> None:
        """The rows that the events of this round are about, by the ids that their keys mean."""
        destination = fieldpost.Destination.from_file(self.file, ledger=self.ledger)
        events = [{"type": "track", "messageId": self.event_id(i)} for i in range(count)]
        rows = [
            {
                "@odata.type": f"{_TYPE}.{self.TABLE}",
                self.ID: row.record_id,
                self.NAME: row.event_id,
            }
            for row in destination.preview(events, limit=count)
        ]
        self._api("POST", f"{self.SET}/{_TYPE}.CreateMultiple", {"Targets": rows})

    def effects(self, tally: Tally) -> dict[str, int]:
        effects: Counter[str] = Counter()
        path: str | None = f"{self.MADE}?$expand={self.BACK}($select={self.NAME})"
        while path:
            page = self._api("GET", path)
            effects.update(row[self.BACK][self.NAME] for row in page["value"])
            path = page.get("@odata.nextLink", "").partition("/api/data/v9.2/")[2]
        commits = self._control(f"commits?table={self.TABLE}")["commits"]
        twice = [row for row in commits if row["updated"] > 1]
        tally.note("doubled", len(twice), f"rows of {self.TABLE} closed twice")
        return effects

    def _api(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.told['url']}/api/data/v9.2/{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


class WonTogether(Won):
    """The same, many in a batch."""

    name = "won-batch"
    batching = "auto"


class Qualified(Won):
    """Leads that are qualified, each into a contact."""

    name = "qualified"
    batching = "batch"
    TABLE = "lead"
    SET = "leads"
    ID = "leadid"
    NAME = "subject"
    MADE = "contacts"
    BACK = "originatingleadid"
    MESSAGE = "action: qualify_lead, make: contact"
