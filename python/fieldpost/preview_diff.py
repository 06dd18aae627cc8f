"""What would be sent, held against the rows as they are, field by field; and how long it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from .config import DestinationConfig
from .day_count import operations_today
from .destination_schema import schema_of
from .dry_run import DryRun
from .dynamics.current_rows import CurrentRows
from .dynamics.effect import Effect, FieldChange, effect_of
from .dynamics.operation import Operation, Reader
from .dynamics.people import People
from .dynamics.refused_value import refused_values
from .dynamics.web_api import WebApi
from .errors import Mistake
from .forecast import Forecast, Load, forecast, seen_latency_s
from .html_table import html_table, html_text
from .inquiry import Inquiry
from .ledger import Ledger
from .preview import FollowingRequest, Preview, PreviewRow
from .redaction import Redaction

EFFECTS = ("create", "update", "delete", "nothing", "refuse")
_UNWANTED = {"invalid": "refuse", "rejected": "refuse", "dropped": "nothing"}
_STRANGER = ("0x8004a110", "impersonate names no enabled user of the environment")
_AT_ONCE = 500  # rows that are looked up together

WEBHOOK = Mistake(
    "E173",
    "a webhook has no rows to compare with",
    "$.type",
    hint="preview without --diff shows the requests",
)


@dataclass(frozen=True)
class DiffRow(PreviewRow):
    """A row of a preview and what its requests would do. changes: field, before, after.

    requests: how many of them go out, the first and so many of `then`; 0 where none does.
    """

    effect: str = ""
    changes: tuple[FieldChange, ...] = ()
    requests: int = 0

    @classmethod
    def told(cls, row: PreviewRow, effect: Effect) -> DiffRow:
        """A row with its effect; a refusal's reason, where the row has none of its own."""
        kept = {one.name: getattr(row, one.name) for one in fields(PreviewRow)}
        kept["code"] = row.code or effect.code
        kept["message"] = row.message or effect.message
        return cls(**kept, effect=effect.effect, changes=effect.changes, requests=effect.requests)

    def without(self, secrets: Redaction) -> Self:
        """The same with *** in place of what came by reference, in its changes too."""
        shown = super().without(secrets)
        return replace(shown, changes=tuple(_shown(one, secrets) for one in self.changes))

    def to_dict(self) -> dict[str, Any]:
        """The row as `preview --diff --output json` prints it."""
        return super().to_dict() | {"changes": [one.to_dict() for one in self.changes]}

    @property
    def addresses(self) -> list[str]:
        """Method and url of each request that goes out, and when the second does."""
        told = [f"{self.method} {self.url}"] if self.url else []
        sent = self.then[: max(0, self.requests - 1)]
        return told + [f"then, {one.when}: {one.method} {one.url}" for one in sent]


class PreviewDiff(Preview):
    """Rows with their effects. counts: by effect; reads: requests that it took to look."""

    rows: Sequence[DiffRow]

    def __init__(self, rows: Sequence[DiffRow], plan: Forecast, reads: int) -> None:
        super().__init__(list(rows))
        self.plan = plan
        self.reads = reads
        found = Counter(row.effect for row in rows)
        self.counts = {effect: found[effect] for effect in EFFECTS}

    def to_dict(self) -> dict[str, Any]:
        """As `preview --diff --output json` prints it."""
        return {
            "counts": self.counts,
            "rows": [row.to_dict() for row in self.rows],
            "plan": self.plan.to_dict(),
            "reads": self.reads,
        }

    def _repr_html_(self) -> str:
        columns = ("event_id", "subscription", "effect", "field", "before", "after", "request")
        cells: list[list[Any]] = []
        for row in self.rows:
            request = "; ".join(row.addresses)
            head = [row.event_id, row.subscription, row.effect]
            if not row.changes:
                cells.append([*head, "", "", f"{row.code} {row.message}".strip(), request])
            for change in row.changes:
                cells.append([*head, change.field, shown(change.before), shown(change.after)])
                cells[-1].append(request)
                head, request = ["", "", ""], ""
        counts = ", ".join(f"{count:,} {effect}" for effect, count in self.counts.items() if count)
        told = f"<p>{html_text(counts)}</p><p>{html_text(str(self.plan))}</p>"
        return told + html_table(columns, cells)


def _shown(change: FieldChange, secrets: Redaction) -> FieldChange:
    before, after = (secrets.value(one, change.field) for one in (change.before, change.after))
    return change._replace(before=before, after=after)


def shown(value: Any) -> str:
    """A value for people; no value is a dash."""
    return "–" if value is None else str(value)


def plan_of(
    config: DestinationConfig,
    run: DryRun,
    rows: Sequence[DiffRow],
    ledger: Ledger,
    dop_hint: int | None,
) -> Forecast:
    """Of a source that a dry run counted; second requests are as frequent as in the rows."""
    sent = [row for row in rows if row.requests]
    again = sum(row.requests > 1 for row in sent) / len(sent) if sent else 0.0
    sizes = (run.report["waiting"], run.report["invalid"], run.operations)
    load = Load(*sizes, again, run.more_operations)
    used_today = operations_today(config, ledger) or 0
    return forecast(config, load, seen_latency_s(ledger, config.id), dop_hint, used_today)


class Comparer:
    """Looks rows up and tells what requests would do to them, one after the other."""

    def __init__(self, config: DestinationConfig, inquiry: Inquiry) -> None:
        if config.type != "dynamics365":
            raise config.error([WEBHOOK])
        self.api = WebApi(config.url or "", inquiry)
        schema = schema_of(config)
        self._reader = Reader(schema.tables)
        self._current = CurrentRows(self.api, schema.tables)
        self._refused = refused_values(schema)
        self._people = People(self.api)

    def compared(self, rows: Sequence[PreviewRow]) -> list[DiffRow]:
        """Each row with its effect, as if those before it had been sent."""
        told: list[DiffRow] = []
        for begin in range(0, len(rows), _AT_ONCE):
            some = [(row, self._operations(row)) for row in rows[begin : begin + _AT_ONCE]]
            self._people.load(dict(row.headers) for row, requests in some if requests)
            self._current.load(
                operation for _row, requests in some for one in requests for operation in one
            )
            told += [self._compared(row, requests) for row, requests in some]
        return told

    def _operations(self, row: PreviewRow) -> list[list[Operation]]:
        """What each of the requests does that a row may take."""
        if row.outcome != "would send":
            return []
        requests: list[PreviewRow | FollowingRequest] = [row, *row.then]
        return [
            self._reader.operations(one.method, one.url, dict(one.headers), one.body)
            for one in requests
        ]

    def _compared(self, row: PreviewRow, requests: list[list[Operation]]) -> DiffRow:
        if row.outcome != "would send":
            effect = _UNWANTED.get(row.outcome, "nothing")
            return DiffRow.told(row, Effect(effect, requests=0))
        if self._people.stranger(dict(row.headers)):
            return DiffRow.told(row, Effect("refuse", (), *_STRANGER))
        told = effect_of(self._current, requests, row.record_id, self._refused)
        return DiffRow.told(row, told)
