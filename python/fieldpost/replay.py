"""Taking up again what stands: chosen rows of the ledger, mapped anew or as they were sent.

An event comes from its dead letter. Where none was kept, or fields were taken out of it, the row
is released instead: the next `deliver` of its source sends it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import documents
from ._core import Plan
from .config import DestinationConfig
from .config_values import EnvText
from .delivery import Delivery, resends
from .dry_run import DryRun
from .functions import Functions
from .intake import Target
from .ledger import FINAL, OPEN, Kept, Ledger, Lost, Takes
from .prefetch import Work
from .redaction import Redaction
from .report import Report

_PAGE = 500  # events mapped at once
_NOT_KEPT = "its event was not kept; the next `deliver` of its source sends it"
_DELIVER = "run `deliver` over the source of this event"


class Sorted(NamedTuple):
    """Chosen rows by what can be done with them."""

    ready: list[int]  # claims whose letter can be sent
    released: list[int]  # claims that the next `deliver` takes up
    stand: list[tuple[str, str]]  # (subscription's name, outcome) of what stays as it is


class Replay:
    """Takes rows up again. recorded: at sending with the body of then, else at the mapping."""

    def __init__(
        self, config: DestinationConfig, ledger: Ledger, functions: Functions | None, recorded: bool
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._functions = None if recorded else functions
        self._recorded = recorded
        self._subscriptions = documents.active(config)
        self._secrets = Redaction.of(config) if recorded else Redaction()
        safe = ("delivered",) if documents.replay_safe(config) else ()
        self._takes = Takes((*OPEN, *FINAL, *safe), anew=True)
        self._plan = Plan(
            json.dumps(_recorded_document(config) if recorded else documents.plan_document(config))
        )

    def run(self, delivery: Delivery, where: str, dry_run: bool = False) -> Report:
        """Replay the rows that fit a condition."""
        if dry_run and not self._ledger.exists():
            report = delivery.report("")
            report.dry_run = True
            return report
        claims = self._ledger.choose(self._config.id, where)
        targets = delivery.targets()
        found = self._sort(claims, targets)
        if dry_run:
            report = self._foretold(delivery, found.ready, targets)
        else:
            if found.released:
                self._ledger.release(found.released, "E735", _NOT_KEPT, _DELIVER)
            report = delivery.run(
                lambda targets: self._works(found.ready, targets), verb="replay", takes=self._takes
            )
        for claim in self._ledger.kept(found.released):
            self._count_of(report, claim)["waiting"] += 1
        for name, outcome in found.stand:
            report.subscriptions[name].add(
                "already_delivered" if outcome == "delivered" else outcome
            )
        report.received = len(claims)
        return report

    def _foretold(self, delivery: Delivery, ready: list[int], targets: list[Target]) -> Report:
        run = DryRun(
            self._config,
            self._ledger,
            [target.number for target in targets],
            delivery.report(""),
            self._takes,
            resend=resends(self._config),
        )
        run.count(self._works(ready, targets))
        return run.report

    def _count_of(self, report: Report, row: Kept) -> Counter[str]:
        return report.subscriptions[self._names[row.key.target]].by_outcome

    def _sort(self, claims: list[int], targets: list[Target]) -> Sorted:
        names = [one.name for one in self._subscriptions]
        self._names = {target.number: names[i] for i, target in enumerate(targets)}
        found = Sorted([], [], [])
        for row in self._ledger.kept(claims):
            name = self._names.get(row.key.target)
            if name is None:  # of another address, or a subscription that is off
                continue
            undecided = row.outcome is None and self._ledger.is_live(row.run)
            if undecided or (row.outcome or "waiting") not in self._takes.outcomes:
                found.stand.append((name, row.outcome or "waiting"))
            elif self._is_ready(row):
                found.ready.append(row.claim)
            elif row.outcome == "delivered" or (self._recorded and _can_be_mapped(row)):
                found.stand.append((name, row.outcome or "waiting"))
            else:
                found.released.append(row.claim)
        return found

    def _is_ready(self, row: Kept) -> bool:
        if self._recorded:
            return row.body is not None and self._recorded_text(row, 0) is not None
        return _can_be_mapped(row)

    def _works(self, claims: list[int], targets: list[Target]) -> Iterator[Work]:
        subscriptions = {target.number: i for i, target in enumerate(targets)}
        for begin in range(0, len(claims), _PAGE):
            by_source: defaultdict[str, list[Kept]] = defaultdict(list)
            for row in self._ledger.kept(claims[begin : begin + _PAGE]):
                by_source[row.key.source].append(row)
            for source, rows in by_source.items():
                yield self._work(source, rows, subscriptions)

    def _work(self, source: str, rows: list[Kept], subscriptions: dict[int, int]) -> Work:
        """The batch of some rows; several subscriptions of one event are mapped together."""
        events: dict[tuple[str, bytes], tuple[int, int, bytes, bytes, list[int]]] = {}
        texts = {}
        for row in rows:
            text = self._text(row, subscriptions[row.key.target])
            texts[row.key.event_id] = row.event
            identity = row.identity or row.key.event_id.encode("utf-8", "surrogatepass")
            fresh: list[int] = []
            place = (row.key.line, row.key.offset, identity, text, fresh)
            *_, wanted = events.setdefault((row.key.event_id, text), place)
            wanted.append(subscriptions[row.key.target])
        chosen = self._plan.recall(source, [*events.values()])
        batch = self._plan.render(chosen, self._results(chosen.events()))
        return Work(batch, lambda event_id, _offset: texts.get(event_id))

    def _results(self, texts: list[bytes]) -> list[Any]:
        if self._functions is None:
            return list(texts)
        return [self._functions.result(text) for text in texts]

    def _text(self, row: Kept, subscription: int) -> bytes:
        text = self._recorded_text(row, subscription) if self._recorded else row.event
        return text or b""

    def _recorded_text(self, row: Kept, subscription: int) -> bytes | None:
        """A record's parts as they were, with the secrets of today; None where they cannot be."""
        if row.redacted in (Lost.FIELDS, Lost.PARTS) or not _is_named(row):
            return None
        parts = [row.body or b"null", (row.url or "").encode(), (row.headers or "").encode()]
        if row.redacted:
            anew = [self._secrets.put_in(one, is_address=one is parts[1]) for one in parts]
            parts = [one for one in anew if one is not None]
            if len(parts) < len(anew):
                return None  # a reference is none of this file's any more
        body, url, headers = parts
        text = b'{"body":' + body
        if url:
            text += b',"url":' + json.dumps(url.decode()).encode()
        if headers:
            text += b',"headers":' + self._with_own(headers, subscription)
        return text + b"}"

    def _with_own(self, headers: bytes, subscription: int) -> bytes:
        """Headers with what the file takes by reference, also where a letter is of an older kind
        that kept it as it was."""
        written = self._subscriptions[subscription].headers
        own = {name: str(one) for name, one in written.items() if isinstance(one, EnvText)}
        return json.dumps(json.loads(headers) | own).encode() if own else headers


def _is_named(row: Kept) -> bool:
    """True where its id is there as it was."""
    return "\\x" not in row.key.event_id


def _can_be_mapped(row: Kept) -> bool:
    whole = row.redacted != Lost.FIELDS and _is_named(row)
    return row.event is not None and whole and _is_event(row.event)


def _is_event(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _recorded_document(config: DestinationConfig) -> dict[str, Any]:
    """A plan that takes a record's parts as they were."""
    document = documents.plan_document(config)
    document.pop("order_by", None)  # the event that it is made of may not be there
    for entry in document["subscriptions"]:
        entry["filter"], entry["dialect"] = "all", "fieldpost"
        entry.pop("transforms", None)
        entry.pop("order_by", None)
        if entry.get("body", True) is not None:
            entry["body"] = {"@path": "$.body"}
        if "url" in entry:
            entry["url"] = {"@path": "$.url"}
        if "headers" in entry:
            entry["headers"] = {"@path": "$.headers"}
    return document
