"""A destination: checked, previewed, tested, enabled and delivered to.

    dest = Destination.from_file("dynamics.yaml")
    report = dest.deliver("events/*.ndjson.gz")

A Destination pickles as its file's text; nothing is opened before it is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from . import auth, check, documents
from .bench import Bench
from .by_place import tell_by_place
from .check import CheckResult
from .config import DestinationConfig, Subscription, load, parse, set_enabled
from .config_values import unshown
from .connection import ConnectionTest, Prober
from .day_count import operations_today
from .delivery import Delivery, Works, resends, takes_of
from .dry_run import DryRun
from .ending import Ending
from .errors import Mistake, SourceError
from .explain import EventExplanation, explain
from .filter import event_text
from .functions import load_functions
from .html_table import html_table
from .inquiry import Inquiry
from .kept_record import KeptRecords
from .ledger import Ledger, Takes, open_ledger
from .ledger_care import backup, migrate, prune, restore, settle
from .monitor import Glance, breakers_at_work, glances
from .observer import Observer, Progress, beginning
from .prefetch import Work
from .preview import Preview, Previewer, PreviewRow
from .preview_diff import Comparer, PreviewDiff, plan_of
from .progress import watching
from .replay import Replay
from .replay_source import SourceReplay
from .report import Counts, Report, Status
from .sample import Sample, event_of
from .saved_schema import SavedSchema
from .sources import Source, open_source
from .stage import DestinationStage
from .stand_ins import offline
from .standing import standing_of
from .step import Step
from .transformation import Transformation
from .unit_test import TestReport, cases_of


class Destination:
    """What the user configures, tests, enables and runs."""

    def __init__(self, config: DestinationConfig, ledger: str | os.PathLike[str] | None = None):
        self.config = config
        self._ledger_path = unshown(ledger)

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str], *, ledger: str | os.PathLike[str] | None = None
    ) -> Destination:
        """Read a destination file; raises ConfigError with every mistake.

        A variable of the environment that is not set is told by what needs it.
        ledger: wins over FIELDPOST_LEDGER and over what the file says.
        """
        ledger = unshown(ledger)  # so that a traceback that shows it does not
        return cls(load(path, strict=False), ledger)

    @classmethod
    def from_text(cls, text: str, name: str = "destination.yaml") -> Destination:
        """The same from text; relative paths start where `name` would be."""
        return cls(parse(text, name, strict=False))

    def __repr__(self) -> str:
        return f"<Destination {self.config.id!r} ({self.config.type})>"

    def _repr_html_(self) -> str:
        rows = [
            [one.name, one.filter.text, one.action, "on" if one.enabled else "off"]
            for one in self.config.subscriptions
        ]
        return html_table(("subscription", "filter", "action", "enabled"), rows)

    # -- before anything is sent

    def check(self, events: Any = None, *, limit: int = check.EVENTS_READ) -> CheckResult:
        """Find every mistake of the file, its mappings, filters and functions; sends nothing.

        events: a sample to hold the file against, a source as for `deliver`; its first `limit`
        events are read (0: all). What they lack is a warning, and `events` of the result has the
        counts. Functions are run on them. Raises SourceError.
        `fieldpost.check_file` does the same for a file that cannot be loaded.
        """
        return check.check(self.config, events, limit)

    @property
    def saved_schema(self) -> SavedSchema:
        """The schema file of a dynamics365 destination, to pull, to look at, to compare."""
        return SavedSchema(self.config)

    def test(self) -> TestReport:
        """Run the unit cases of the file and of the one beside it; sends nothing, needs no secret.

        Raises ConfigError where they cannot run. `fieldpost.unit_cases` gives them one by one.
        """
        cases = cases_of(self.config.text, self.config.file)
        return TestReport([one.run() for one in cases])

    def explain(self, event: dict[str, Any] | bytes | str) -> EventExplanation:
        """What becomes of one event and why: each condition, and where each field came from.

        Runs functions; sends nothing, needs no secret. Raises EventError where it is no event.
        """
        return explain(Bench(offline(self.config)), event_text(event))

    def preview(self, source: Any = None, limit: int = 5, *, diff: bool = False) -> Preview:
        """Show the exact requests of the first `limit` events that match; sends nothing.

        A variable that is not set is shown by a text that stands for it: ${NAME}, or the address
        https://name.invalid; no secret is needed.
        diff: look the rows up too and tell what would change, field by field, and how long a
        delivery of the whole source would take; gives a PreviewDiff. Reads with the destination's
        credentials; raises AuthError, or FieldpostError where it cannot.
        """
        if diff:
            self.config.require()
            return self._preview_diff(self._source(source), limit)
        config = offline(self.config)
        plan, functions = documents.compile_plan(config), load_functions(config)
        previewer, rows = Previewer(config), list[PreviewRow]()
        for work in Works(plan, functions, self._source(source)):
            rows += previewer.rows(work.batch, limit - len(rows))
            if len(rows) >= limit:
                break
        return Preview(previewer.shown(rows))

    def _preview_diff(self, source: Source, limit: int) -> PreviewDiff:
        inquiry = Inquiry(self.config)
        comparer = Comparer(self.config, inquiry)
        previewer, rows = Previewer(self.config), list[PreviewRow]()

        def watched(works: Iterator[Work]) -> Iterator[Work]:
            for work in works:
                if len(rows) < limit:
                    rows.extend(previewer.rows(work.batch, limit - len(rows)))
                yield work
                if len(rows) >= limit and not source.has_place:
                    return  # it may have no end

        run = self._dry_run(self.config, source, Takes(), None, watched)
        inquiry.sign_in()
        compared = comparer.compared(rows)
        with self._ledger(looking=True) as ledger:
            plan = plan_of(self.config, run, compared, ledger, comparer.api.dop_hint)
        return PreviewDiff(previewer.shown(compared), plan, inquiry.requests)

    def transform(self, source: Any = None, *, subscription: str | None = None) -> Transformation:
        """What would be delivered, as bodies and nothing more: no request, no ledger.

        source: as for `deliver`. subscription: the name or id of the only one to look at.
        """
        stage = DestinationStage(offline(self.config), subscription)
        return Transformation(self._source(source), stage)

    def test_connection(
        self, send: bool = False, sample: dict[str, Any] | None = None, *, delete: bool = False
    ) -> ConnectionTest:
        """Named steps: address, tls, token, who am i, application user, privileges, sample.

        Without `send` nothing is written; a sample is then only mapped and shown. With it the
        sample is delivered and read back; delete: the rows that it made are deleted again. It
        stays out of the ledger where sending again is safe: a run still delivers the event.
        sample: the event; its own messageId makes it one row however often it is sent.
        """
        if delete and not send:
            raise self.config.error([_NOTHING_TO_DELETE])
        self.config.require()
        prober = Prober(self.config, Inquiry(self.config))
        well = prober.run()
        if sample is None and not send:
            told = "nothing was written; --send sends a sample event"
            prober.add(Step("sample", None, told))
        elif send and not well:
            prober.add(Step("sample", None, "not reached"))
        else:
            self._test_sample(prober, event_of(sample), send, delete)
        return ConnectionTest(prober.steps)

    def _test_sample(self, prober: Prober, event: dict[str, Any], send: bool, delete: bool) -> None:
        tried = Sample(
            self.config,
            prober,
            event,
            preview=lambda one: self.preview([one], limit=len(self.config.subscriptions)),
            ledger=self._ledger,
        )
        if send:
            tried.send(delete)
        else:
            tried.show()

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
        limit: int | None = None,
        dry_run: bool = False,
        again: bool = False,
        for_s: float | None = None,
        progress: bool | Progress | None = None,
        observers: Sequence[Observer] = (),
    ) -> Report:
        """Deliver each event of a source once; what earlier runs delivered is not sent again.

        source: path, glob, list of paths, "-" for standard input, bytes, or an iterable of dicts;
        default: the file's own `source`. limit: read so many events. dry_run: send and write
        nothing; what would be sent counts as `waiting`. again: send delivered events again, where
        that is safe. for_s: stop after so many seconds, the next run goes on. progress: True,
        False, a function of the report so far, or None for a bar where somebody is watching.
        observers: who else is told of the run, such as fp.PrometheusMetrics().
        Raises ConfigError, AuthError, SourceError or LedgerError; what is wrong with one event is
        an outcome in the report. Ctrl-C in the main thread settles what is on its way, and the
        report says `interrupted`; so does SIGTERM, and then Terminated rises, which ends the
        process (docs/operating.md).
        """
        with self._beginning(() if dry_run else observers, "deliver") as told:
            config = self._required(dry_run)
            if not config.enabled:
                raise config.error([_DISABLED])
            takes = takes_of(config, again)
            opened = self._named_source(source)
            if dry_run:
                foretold = self._dry_run(config, opened, takes, limit).report
                tell_by_place(foretold)
                return foretold
            return self._deliver(opened, progress, takes, limit=limit, for_s=for_s, observers=told)

    def _beginning(
        self, observers: Sequence[Observer], verb: str
    ) -> AbstractContextManager[Sequence[Observer]]:
        """Observers who hear of a run also where it cannot begin."""
        counts = {one.name: Counts() for one in documents.active(self.config)}
        return beginning(observers, Report("", self.config.id, subscriptions=counts), verb)

    def _deliver(
        self,
        source: Source,
        progress: bool | Progress | None,
        takes: Takes | None = None,
        *,
        limit: int | None = None,
        for_s: float | None = None,
        observers: Sequence[Observer] = (),
    ) -> Report:
        plan, functions = documents.compile_plan(self.config), load_functions(self.config)
        works = Works(plan, functions, source, limit)
        return self._at_work(
            progress,
            observers,
            lambda delivery, _ledger: delivery.run(
                lambda _targets: works, takes=takes, for_s=for_s
            ),
        )

    def _at_work(
        self,
        progress: bool | Progress | None,
        observers: Sequence[Observer],
        work: Callable[[Delivery, Ledger], Report],
    ) -> Report:
        """Do a run's work, ledger and all, so that it ends in order whatever ends it."""
        ending = Ending(self.config.delivery.grace_s)
        with watching(progress) as watcher:

            def with_ledger() -> Report:
                with self._ledger() as ledger:
                    return work(Delivery(self.config, ledger, watcher, observers, ending), ledger)

            return ending.over(with_ledger)

    def _dry_run(
        self,
        config: DestinationConfig,
        source: Source,
        takes: Takes,
        limit: int | None,
        watched: Callable[[Iterator[Work]], Iterator[Work]] = iter,
    ) -> DryRun:
        plan, functions = documents.compile_plan(config), load_functions(config)
        with self._ledger(looking=True) as ledger:
            known = ledger if ledger.exists() else None
            delivery = Delivery(config, ledger)
            targets = [one.number for one in delivery.targets()] if known else []
            report = delivery.report("")
            run = DryRun(config, known, targets, report, takes, resend=resends(config))
            run.count(watched(iter(Works(plan, functions, source, limit))))
            report.warnings = list(source.doubts)
            return run

    # -- afterwards

    def status(self) -> Status:
        """Where the ledger's events stand, each once, by its current outcome."""
        with self._looking() as ledger:
            counts = {
                one.name: Counts(self._counts(ledger, one) if ledger.exists() else {})
                for one in documents.active(self.config)
            }
            breakers = breakers_at_work(self.config, ledger.meeting_place)
            today = operations_today(self.config, ledger)
            return Status(self.config.id, counts, today, breakers, standing_of(self.config, ledger))

    def _counts(self, ledger: Ledger, one: Subscription) -> dict[str, int]:
        address = documents.target_address(self.config, one)
        return ledger.counts(self.config.id, one.id, address.url, address.is_older)

    def outcomes(
        self,
        where: str = "",
        event_id: str | Sequence[str] | None = None,
        *,
        limit: int | None = None,
        kept: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """The current outcome of each (event, subscription) that was not filtered.

        where: SQL over the columns of docs/ledger.md, such as "outcome = 'rejected'". event_id: one
        or several, for theirs only. limit: so many at most. kept: each row has `kept` too: `event`
        and `request` as far as the ledger has them, and `not_kept`, which tells what it has not.
        """
        ids = [event_id] if isinstance(event_id, str) else event_id
        with self._looking() as ledger:
            if not ledger.exists():
                return
            if kept:
                rows = self._with_letters(ledger, where, ids)
            else:
                rows = ledger.outcomes(self.config.id, where, ids)
            yield from islice(rows, limit)

    def _with_letters(
        self, ledger: Ledger, where: str, ids: Sequence[str] | None
    ) -> Iterator[dict[str, Any]]:
        records = KeptRecords(self.config)
        for row, letter in ledger.outcomes_with_letters(self.config.id, where, ids):
            yield row | {"kept": records.of(row["subscription"], letter).to_dict()}

    def failures(self, limit: int = 1000) -> list[dict[str, Any]]:
        """What somebody has to look at, grouped by reason: count, message, samples, what to do.

        Of the subscriptions and addresses of today, as `status` counts them; the reasons that most
        events have come first, `limit` at most.
        """
        active = documents.active(self.config)
        with self._looking() as ledger:
            if not ledger.exists():
                return []
            now = [(one.id, *documents.target_address(self.config, one)[:2]) for one in active]
            return ledger.failures(self.config.id, limit, targets=now)

    def monitor(self, every_s: float = 2.0, for_s: float | None = None) -> Iterator[Glance]:
        """Look at the ledger every so many seconds, while runs are at work here or elsewhere.

        The last glance comes after `for_s`; without it they come until nobody asks for more.
        """
        return glances(self.status, self.failures, every_s, for_s)

    def replay(
        self,
        where: str | None = None,
        *,
        source: Any = None,
        recorded: bool = False,
        dry_run: bool = False,
        progress: bool | Progress | None = None,
        observers: Sequence[Observer] = (),
    ) -> Report:
        """Take up again what fits `where` (SQL as for `outcomes`); for what is delivered already,
        and was not kept, there is `deliver(again=True)`.

        Mapped anew with today's document; recorded: the body is sent as it was made then. What was
        not kept is left to the next `deliver` of its source. source: as for `deliver`; what stands
        rejected, invalid or expired is looked for there by its event id and sent as it is there
        now, through today's filter too; without `where` all of it.
        """
        if recorded and source is not None:
            raise self.config.error([_RECORDED_ELSEWHERE])
        with self._beginning(() if dry_run else observers, "replay") as told:
            config = self._required(dry_run)
            if not config.enabled:
                raise config.error([_DISABLED])
            plan, functions = documents.compile_plan(config), load_functions(config)
            works = None if source is None else Works(plan, functions, self._named_source(source))

            def work(delivery: Delivery, ledger: Ledger) -> Report:
                if works is not None:
                    return SourceReplay(config, ledger).run(delivery, works, where, dry_run)
                replay = Replay(config, ledger, functions, recorded)
                return replay.run(delivery, where or "", dry_run)

            if dry_run:
                with self._ledger(looking=True) as ledger:
                    return work(Delivery(config, ledger), ledger)
            return self._at_work(progress, told, work)

    def settle(self, where: str, outcome: str, dry_run: bool = False) -> int:
        """Set what fits `where` to delivered, rejected or ignored, after somebody looked; how many.

        An ignored event is closed: no run sends it, and no list of failures has it.
        """
        with self._looking(dry_run) as ledger:
            made = ledger.exists()
            return settle(ledger, self.config.id, where, outcome, dry_run) if made else 0

    def prune(self, older_than_s: float, dry_run: bool = False) -> dict[str, Any]:
        """Forget what was decided longer ago; tells how much of what, and what is lost with it."""
        with self._looking(dry_run) as ledger:
            return prune(ledger, self.config.id, older_than_s, dry_run)

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the ledger's file, also while runs are at work; not for PostgreSQL (pg_dump)."""
        with self._looking() as ledger:
            backup(ledger, Path(path))

    def restore(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """Put a copy in the place of the ledger's file, while no run is at work (E720).

        The replaced one is kept beside it. Tells `replaced`, `last_run` of the copy, and `unknown`:
        how many events the replaced one holds as delivered that the copy does not.
        """
        with self._looking() as ledger:
            return restore(ledger, Path(path))

    def migrate(self) -> tuple[int, int]:
        """Take the ledger to this version's schema; (number before, number now)."""
        with self._looking(False) as ledger:
            return migrate(ledger)

    def enable(self) -> None:
        """Set `enabled: true` in the file."""
        self._set_enabled(True)

    def disable(self) -> None:
        """Set `enabled: false` in the file; `deliver` then refuses."""
        self._set_enabled(False)

    def _set_enabled(self, enabled: bool) -> None:
        set_enabled(self.config.file, enabled)
        self.config = load(self.config.file, strict=False)

    # -- parts

    def _required(self, dry_run: bool) -> DestinationConfig:
        """The configuration that a verb goes by; one that sends nothing needs the ledger's names.

        Raises ConfigError where a variable is not set that is needed.
        """
        if dry_run:
            self.config.require(*_NAMING_PATHS, r"\$\.enabled$")
            return offline(self.config)
        self.config.require()
        return self.config

    def _named_source(self, source: Any) -> Source:
        """A source whose events can be told apart."""
        opened = self._source(source)
        if not (opened.has_place or self.config.event_id_given):
            raise self.config.error([documents.NAMELESS])
        return opened

    def _source(self, source: Any) -> Source:
        if source is None:
            self.config.require(r"\$\.source\b")
            if not self.config.sources:
                raise SourceError(
                    "E805", "no source", "", "name one, or write `source:` into the destination"
                )
            source = self.config.sources
        if isinstance(source, dict) and set(source) == {"csv"}:  # of the file's own source
            source = {"path": self.config.sources, **source}
        return open_source(source, self.config.dialect(source))

    @contextmanager
    def _ledger(self, looking: bool = False) -> Iterator[Ledger]:
        given = self._ledger_path or unshown(os.environ.get("FIELDPOST_LEDGER"))
        ledger = open_ledger(given or self.config.ledger_location, looking=looking)
        try:
            yield ledger
        finally:
            ledger.close()

    @contextmanager
    def _looking(self, looking: bool = True) -> Iterator[Ledger]:
        """The ledger, for verbs that need no more of the file than its targets."""
        self.config.require(*_NAMING_PATHS)
        with self._ledger(looking) as ledger:
            yield ledger


# What the ledger's memory is found by.
_NAMING_PATHS = (
    r"\$\.(id|name|type|url|ledger)$",
    r"\$\.subscriptions\[\d+\]\.(id|name|enabled|url)\b",
)
_NOTHING_TO_DELETE = Mistake(
    "E174", "`--delete` needs `--send`: nothing was sent", hint="add --send, or leave --delete out"
)
_RECORDED_ELSEWHERE = Mistake(
    "E729",
    "a body as it was recorded comes from the ledger, not from a source",
    hint="replay either what was recorded, or what a source holds now",
)
_DISABLED = Mistake(
    "E130",
    "the destination is disabled",
    "$.enabled",
    hint="`fieldpost enable` it, or set enabled: true",
)
