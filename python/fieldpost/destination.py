"""A destination: checked, previewed, tested, enabled and delivered to.

    dest = Destination.from_file("dynamics.yaml")
    report = dest.deliver("events/*.ndjson.gz")

A Destination pickles as its file's text; nothing is opened before it is needed.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from . import auth, check, documents
from ._core import Batch, CallFault, Dispatcher, Plan
from .bench import Bench
from .check import CheckResult
from .config import DestinationConfig, Subscription, load, parse, set_enabled
from .connection import ConnectionTest, Prober
from .dynamics import TABLES
from .errors import Mistake, SourceError
from .explain import EventExplanation, explain
from .filter import event_text
from .functions import Functions, load_functions
from .html_table import html_table
from .ledger import SqliteLedger
from .preview import Preview, PreviewRow
from .progress import ProgressBar, shows_progress
from .report import FAILURES, Counts, Failures, Report, Status
from .run import Progress, Run
from .signing import sign
from .sources import Source, open_source
from .stage import DestinationStage, batch_of
from .transformation import Transformation
from .unit_test import TestReport, cases_of

_FAILURES_SHOWN = 1000  # a report holds so many; the ledger holds all
_SAMPLE_EVENT = {
    "type": "track",
    "event": "fieldpost connection test",
    "userId": "fieldpost-test",
    "properties": {},
}


class Destination:
    """What the user configures, tests, enables and runs."""

    def __init__(self, config: DestinationConfig, ledger: str | os.PathLike[str] | None = None):
        self.config = config
        self._ledger_path = ledger

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str], *, ledger: str | os.PathLike[str] | None = None
    ) -> Destination:
        """Read a destination file; raises ConfigError with every mistake.

        ledger: wins over FIELDPOST_LEDGER and over what the file says.
        """
        return cls(load(path), ledger)

    @classmethod
    def from_text(cls, text: str, name: str = "destination.yaml") -> Destination:
        """The same from text; relative paths start where `name` would be."""
        return cls(parse(text, name))

    def __repr__(self) -> str:
        return f"<Destination {self.config.id!r} ({self.config.type})>"

    def _repr_html_(self) -> str:
        rows = [
            [one.name, one.filter.text, one.action, "on" if one.enabled else "off"]
            for one in self.config.subscriptions
        ]
        return html_table(("subscription", "filter", "action", "enabled"), rows)

    # -- before anything is sent

    def check(self) -> CheckResult:
        """Find every mistake of the file, its mappings, filters and functions; sends nothing.

        `fieldpost.check_file` does the same for a file that cannot be loaded.
        """
        return check.check(self.config)

    def test(self) -> TestReport:
        """Run the unit cases of the file and of the one beside it; sends nothing, needs no secret.

        Raises ConfigError where they cannot run. `fieldpost.unit_cases` gives them one by one.
        """
        cases = cases_of(self.config.text, self.config.file)
        return TestReport([one.run() for one in cases])

    def explain(self, event: dict[str, Any] | bytes | str) -> EventExplanation:
        """What becomes of one event and why: each condition, and where each field came from.

        Runs functions; sends nothing. Raises EventError where it is no event.
        """
        return explain(Bench(self.config), event_text(event))

    def preview(self, source: Any = None, limit: int = 5) -> Preview:
        """Show the exact requests of the first `limit` events that match; sends nothing."""
        plan, functions = documents.compile_plan(self.config), self._functions()
        dispatcher = Dispatcher(json.dumps(documents.dispatcher_document(self.config)))
        rows: list[PreviewRow] = []
        for batch in self._batches(plan, functions, self._source(source)):
            rows += self._preview_rows(batch, dispatcher, limit - len(rows))
            if len(rows) >= limit:
                break
        return Preview(rows)

    def _preview_rows(self, batch: Batch, dispatcher: Dispatcher, limit: int) -> list[PreviewRow]:
        names = [one.name for one in documents.active(self.config)]
        rows = []
        for index, (sub, event_id, _hash, line, _offset) in enumerate(batch.keys()[:limit]):
            try:
                told = dispatcher.preview(batch, index)
            except CallFault as fault:
                code, message, _hint = fault.args
                row = PreviewRow(names[sub], event_id, line, "rejected", code=code, message=message)
            else:
                row = PreviewRow.of(names[sub], event_id, line, told)
            rows.append(row)
        for sub, event_id, _hash, line, _offset, outcome, code, message in batch.ended():
            if len(rows) < limit:
                row = PreviewRow(names[sub], event_id, line, outcome, code=code, message=message)
                rows.append(row)
        return sorted(rows, key=lambda row: row.line)

    def transform(self, source: Any = None, *, subscription: str | None = None) -> Transformation:
        """What would be delivered, as bodies and nothing more: no request, no ledger.

        source: as for `deliver`. subscription: the name or id of the only one to look at.
        """
        return Transformation(self._source(source), DestinationStage(self.config, subscription))

    def test_connection(
        self, send: bool = False, sample: dict[str, Any] | None = None
    ) -> ConnectionTest:
        """Named steps: reach, sign in, who am i; with `send` a sample delivered and read back.

        sample: the event to send; its own messageId makes it one row however often it is sent.
        Without `send` nothing is written; a sample is then only mapped and shown.
        """
        prober = Prober(self.config, auth.open_credentials(self.config))
        well = prober.run()
        if sample is not None or send:
            self._test_sample(prober, sample or _SAMPLE_EVENT, send and well)
        else:
            prober.add("sample", None, "nothing was written; --send sends a sample event")
        return ConnectionTest(prober.steps, prober.exit_code)

    def _test_sample(self, prober: Prober, sample: dict[str, Any], send: bool) -> None:
        event = {"messageId": f"fieldpost-test-{time.time_ns()}", **sample}
        preview = self.preview([event], limit=len(self.config.subscriptions))
        wanted = [row for row in preview if row.outcome == "would send"]
        for row in preview:
            if row.outcome != "would send":
                prober.fail("sample", 4, f"{row.subscription}: {row.code} {row.message}")
                return
        if not wanted:
            hint = "give an event that a filter accepts: --sample event.json"
            prober.fail("sample", 4, "no subscription wants the sample event", hint)
        elif not send:
            told = ", ".join(f"{row.method} {row.url}" for row in wanted)
            prober.add("sample", True, f"would be sent by {told}")
        else:
            self._send_sample(prober, event)

    def _send_sample(self, prober: Prober, event: dict[str, Any]) -> None:
        report = self._deliver(open_source([event]), progress=False)
        done = report["delivered"] + report["already_delivered"]
        if done == 0 or report.failed or report.stopped:
            why = "; ".join(f"{f['code']} {f['message']}" for f in report.failures)
            why = why or " ".join(report.stopped or ())
            hint = "; ".join(f["action_needed"] for f in report.failures)
            prober.fail("sample", 4, why or "nothing was delivered", hint)
            return
        prober.add(
            "sample", True, f"{done} delivered" if report["delivered"] else "was there already"
        )
        for row in self.outcomes(event_id=event["messageId"]):
            self._read_back(prober, row)

    def _read_back(self, prober: Prober, outcome: dict[str, Any]) -> None:
        subscription = next(
            one for one in documents.active(self.config) if one.id == outcome["subscription"]
        )
        if self.config.type != "dynamics365" or subscription.table is None:
            prober.add("read back", None, "a webhook has nothing to read")
            return
        table = TABLES[subscription.table]
        address = f"{documents.target_url(self.config, subscription)}/api/data/v9.2/"
        address += f"{table.set}({outcome['record_id']})"
        answer = prober.get(f"{address}?$select={table.key}")
        if answer["status"] == 200:
            prober.add("read back", True, address)
        else:
            prober.fail("read back", 4, f"HTTP {answer['status']} for {address}")

    def connect(
        self,
        tell: Callable[[auth.Invitation], None],
        *,
        paste: Callable[[], str] = input,
        way: auth.Way = "auto",
        timeout_s: float = 300.0,
    ) -> str:
        """A person signs in once (`grant: authorization_code`); gives where the tokens are kept.

        tell: shows the person what to open or type; paste: asks for the address that it led to.
        Raises AuthError where it is not finished, ConfigError where nobody needs to sign in.
        """
        return auth.connection(self.config).sign_in(auth.Person(tell, paste), way, timeout_s)

    # -- delivery

    def deliver(
        self,
        source: Any = None,
        *,
        progress: bool | Progress | None = None,
    ) -> Report:
        """Deliver each event of a source once; what earlier runs delivered is not sent again.

        source: path, glob, list of paths, "-" for standard input, bytes, or an iterable of dicts;
        default: the file's own `source`. progress: True, False, a function of the report so far,
        or None for a bar where somebody is watching.
        Raises ConfigError, AuthError, SourceError or LedgerError; what is wrong with one event is
        an outcome in the report.
        """
        if not self.config.enabled:
            raise self.config.error([_DISABLED])
        opened = self._source(source)
        if not (opened.has_place or self.config.event_id_given):
            raise self.config.error([documents.NAMELESS])
        return self._deliver(opened, progress)

    def _deliver(self, source: Source, progress: bool | Progress | None) -> Report:
        plan, functions = documents.compile_plan(self.config), self._functions()
        with ExitStack() as stack:
            ledger = self._open_ledger()
            stack.callback(ledger.close)
            watcher = stack.enter_context(_watching(progress))
            return self._run(ledger, plan, functions, source, watcher)

    def _run(
        self,
        ledger: SqliteLedger,
        plan: Plan,
        functions: Functions | None,
        source: Source,
        progress: Progress | None,
    ) -> Report:
        started = time.monotonic()
        config = self.config
        subscriptions = documents.active(config)
        number = ledger.begin_run(config.id, config.document_hash, version("fieldpost"))
        report = Report(
            number, config.id, subscriptions={one.name: Counts() for one in subscriptions}
        )
        dispatcher = Dispatcher(json.dumps(documents.dispatcher_document(config)))
        sign(dispatcher, config.signing)
        targets = [self._target(ledger, one) for one in subscriptions]
        resend = documents.replay_safe(config) or config.delivery.on_unconfirmed == "resend"
        credentials = auth.open_credentials(config)
        run = Run(
            ledger, dispatcher, credentials, report, targets, resend=resend, progress=progress
        )
        try:
            with _interruptible(run):
                run.deliver(self._batches(plan, functions, source))
        finally:
            report.duration_s = time.monotonic() - started
            report.failures = Failures(_failed(ledger, config.id, number))
            ledger.end_run(report.to_dict())
        return report

    def _batches(self, plan: Plan, functions: Functions | None, source: Source) -> Iterator[Batch]:
        for chunk in source.chunks():
            yield batch_of(plan, functions, chunk)

    # -- afterwards

    def status(self) -> Status:
        """Where the ledger's events stand, each once, by its current outcome."""
        ledger = self._open_ledger()
        try:
            return Status(
                self.config.id,
                {
                    one.name: Counts(
                        ledger.counts(
                            self.config.id, one.id, documents.target_url(self.config, one)
                        )
                        if ledger.exists()
                        else {}
                    )
                    for one in documents.active(self.config)
                },
            )
        finally:
            ledger.close()

    def outcomes(self, where: str = "", event_id: str | None = None) -> Iterator[dict[str, Any]]:
        """The current outcome of each (event, subscription) that was not filtered.

        where: SQL over the columns of docs/ledger.md, such as "outcome = 'rejected'".
        """
        ledger = self._open_ledger()
        try:
            if ledger.exists():
                yield from ledger.outcomes(self.config.id, where, event_id)
        finally:
            ledger.close()

    def enable(self) -> None:
        """Set `enabled: true` in the file."""
        self._set_enabled(True)

    def disable(self) -> None:
        """Set `enabled: false` in the file; `deliver` then refuses."""
        self._set_enabled(False)

    def _set_enabled(self, enabled: bool) -> None:
        set_enabled(self.config.file, enabled)
        self.config = load(self.config.file)

    # -- parts

    def _functions(self) -> Functions | None:
        return load_functions(self.config)

    def _source(self, source: Any) -> Source:
        if source is None:
            if not self.config.sources:
                raise SourceError(
                    "E805", "no source", "", "name one, or write `source:` into the destination"
                )
            source = self.config.sources
        alone = list(source) == ["-"] if isinstance(source, list | tuple) else False
        return open_source("-" if alone else source)

    def _open_ledger(self) -> SqliteLedger:
        given = self._ledger_path or os.environ.get("FIELDPOST_LEDGER")
        return SqliteLedger(Path(given) if given else self.config.ledger_path)

    def _target(self, ledger: SqliteLedger, one: Subscription) -> int:
        return ledger.target(self.config.id, one.id, documents.target_url(self.config, one))


_DISABLED = Mistake(
    "E130",
    "the destination is disabled",
    "$.enabled",
    hint="`fieldpost enable` it, or set enabled: true",
)


def _failed(ledger: SqliteLedger, destination: str, run: str) -> list[dict[str, Any]]:
    where = f"outcome IN {FAILURES} AND run = '{run}'"
    return list(islice(ledger.outcomes(destination, where), _FAILURES_SHOWN))


@contextmanager
def _watching(progress: bool | Progress | None) -> Iterator[Progress | None]:
    if callable(progress):
        yield progress
    elif progress or (progress is None and shows_progress()):
        with ProgressBar() as bar:
            yield bar
    else:
        yield None


@contextmanager
def _interruptible(run: Run) -> Iterator[None]:
    """Ctrl-C asks the run to settle what is on its way; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Callable[..., Any] | int | None = signal.getsignal(signal.SIGINT)

    def ask(_number: int, _frame: Any) -> None:
        run.interrupted = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
