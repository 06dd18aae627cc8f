"""What one run of a destination needs, put together: plan, functions, dispatcher, ledger."""

from __future__ import annotations

import getpass
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from itertools import chain, islice
from typing import NamedTuple

from . import auth, documents
from ._core import Chunk, Dispatcher, Plan
from .admission import Everything
from .brake import Brake
from .bulk_messages import BulkMessages
from .by_place import tell_by_place
from .config import DestinationConfig
from .day_count import DayCount, user_of
from .dead_letters import DeadLetters
from .ending import Ending
from .errors import LedgerError, Mistake
from .functions import Functions
from .gone_names import tell_gone_names
from .governor import Governor, open_governor
from .intake import Target
from .ledger import About, Ledger, Takes
from .observer import Observer, Progress, Watch
from .prefetch import Work
from .progress_log import ProgressLog
from .redaction import Redaction
from .report import Counts, Failures, Report, Stopped
from .run import Run
from .run_log import RunLog
from .signing import sign
from .sources import Source, log_doubts
from .stage import batch_of, first_events
from .telemetry import open_telemetry
from .transport import transport_that_sends

_log = logging.getLogger(__name__)
_FAILURES_SHOWN = 1000  # a report holds so many; the ledger holds all
_GROUPS_SHOWN = 100
_AIRFLOW = ("DAG_ID", "TASK_ID", "DAG_RUN_ID", "TRY_NUMBER")


class Works:
    """The batches of a source; limit: of its first so many events."""

    def __init__(
        self, plan: Plan, functions: Functions | None, source: Source, limit: int | None = None
    ) -> None:
        self._plan = plan
        self._functions = functions
        self._source = source
        self._limit = limit

    def __iter__(self) -> Iterator[Work]:
        chunks = self._source.chunks()
        try:
            for chunk in chunks if self._limit is None else first_events(chunks, self._limit):
                yield Work(batch_of(self._plan, self._functions, chunk), _lines_of(chunk))
        finally:
            log_doubts(self.doubts)

    @property
    def doubts(self) -> list[Mistake]:
        """What the source warned of so far."""
        return list(self._source.doubts)

    def stop(self) -> None:
        """Whoever waits for more of the source waits no longer; from any thread."""
        stop = getattr(self._source, "stop", None)
        if stop is not None:
            stop()


def _lines_of(chunk: Chunk) -> Callable[[str, int], bytes | None]:
    return lambda _event_id, offset: chunk.line(offset) or None


class _Made(NamedTuple):
    """The parts of a run."""

    run: Run
    dispatcher: Dispatcher
    watch: Watch
    governor: Governor
    targets: list[Target]
    messages: BulkMessages


class Delivery:
    """One run of a destination, of whatever verb."""

    def __init__(
        self,
        config: DestinationConfig,
        ledger: Ledger,
        progress: Progress | None = None,
        observers: Sequence[Observer] = (),
        ending: Ending | None = None,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._progress = progress
        self._observers = observers
        self._ending = ending or Ending(config.delivery.grace_s)
        self._subscriptions = documents.active(config)

    def run(
        self,
        works: Callable[[list[Target]], Iterable[Work]],
        *,
        verb: str = "deliver",
        takes: Takes | None = None,
        for_s: float | None = None,
        events: Everything | None = None,
    ) -> Report:
        """Deliver what `works` gives, and tell what it came to; events: the only ones of it."""
        began_s = time.monotonic()
        report = self.report(self._ledger.begin_run(_about(self._config, verb)))
        try:
            brake = Brake(for_s, self._config.delivery.stop_when)
            made = self._make(report, takes, brake, events)
        except BaseException as error:
            self._could_not_begin(report, error)
            raise
        taken = works(made.targets)
        with made.watch.over(verb):
            try:
                made.run.deliver(taken)
                tell_by_place(report)
                made.messages.note(made.dispatcher.lacks)
                if not report.interrupted:  # which has no time for more
                    tell_gone_names(self._config, report)
                    self._ledger.merge_filtered([target.number for target in made.targets])
            finally:
                made.dispatcher.hang_up()
                made.governor.close()
                report.duration_s = time.monotonic() - began_s
                report.warnings = list(getattr(taken, "doubts", ()))
                made.watch.count()
                self._tell(report, made.run.failed)
        return report

    def _make(
        self, report: Report, takes: Takes | None, brake: Brake, events: Everything | None
    ) -> _Made:
        """Put the parts of a run together; raises what keeps it from beginning."""
        config, ledger = self._config, self._ledger
        targets = self.targets()
        messages = BulkMessages(config, ledger)
        # In no variable: a traceback that shows them would show what came from the environment.
        dispatcher = Dispatcher(
            json.dumps(
                documents.dispatcher_document(
                    config, messages.taken(), transport_that_sends(config), ledger.addresses()
                )
            )
        )
        dispatcher.count_started(messages.asked)
        if messages.hold_s:
            dispatcher.hold(messages.hold_s)
        sign(dispatcher, config.signing)
        redaction = Redaction.of(config)
        for text in redaction.texts:
            dispatcher.hide(text)
        own = _own_observers(watched=self._progress is not None)
        watch = Watch(dispatcher, report, [*own, *self._observers], self._progress)
        credentials = auth.open_credentials(config)
        day_count = _day_count(config, ledger)
        # Last: what cannot begin holds no place among those that share the limits.
        target = documents.shared_address(config)
        governor = open_governor(config, target, ledger.meeting_place)
        run = Run(
            ledger,
            dispatcher,
            credentials,
            report,
            targets,
            resend=resends(config),
            events=events,
            takes=takes,
            letters=DeadLetters(config.delivery.keep, config.delivery.redact, redaction),
            brake=brake,
            governor=governor,
            day_count=day_count,
            progress=watch,
            ending=self._ending,
        )
        return _Made(run, dispatcher, watch, governor, targets, messages)

    def _could_not_begin(self, report: Report, error: BaseException) -> None:
        """Note the end of a run that did nothing, and why."""
        code = getattr(error, "code", "") or type(error).__name__
        report.stopped = Stopped(str(code), getattr(error, "message", ""))
        with suppress(LedgerError):
            self._end(report)

    def _tell(self, report: Report, standing: list[int]) -> None:
        """Note the end of a run, also where its failures cannot be read."""
        if self._ledger.is_taken_away:  # another may lie there, which knows nothing of this run
            return self._end(report)
        try:
            rows = chain(
                self._ledger.outcomes(self._config.id, failed_in=self._ledger.run),
                self._ledger.outcomes(self._config.id, claims=standing),
            )
            report.failures = Failures(list(islice(rows, _FAILURES_SHOWN)))
            report.groups = self._ledger.failures(
                self._config.id, _GROUPS_SHOWN, run=self._ledger.run, standing=standing
            )
        except LedgerError as error:
            _log.warning("the failures of run %s cannot be listed: %s", report.run, error)
        return self._end(report)

    def _end(self, report: Report) -> None:
        counts = report.to_dict()
        del counts["failures"]  # the ledger has them
        self._ledger.end_run(counts)

    def report(self, run: str) -> Report:
        """An empty report of this destination."""
        counts = {one.name: Counts() for one in self._subscriptions}
        return Report(run, self._config.id, subscriptions=counts)

    def targets(self) -> list[Target]:
        """What the ledger calls the subscriptions, in the plan's order."""
        config = self._config
        return [
            Target(
                self._ledger.target(config.id, one.id, *documents.target_address(config, one)),
                documents.mapping_version(config, one),
            )
            for one in self._subscriptions
        ]


def _own_observers(*, watched: bool) -> list[Observer]:
    found: list[Observer] = [RunLog()]
    if not watched:
        found.append(ProgressLog())
    telemetry = open_telemetry()
    return found if telemetry is None else [*found, telemetry]


def _day_count(config: DestinationConfig, ledger: Ledger) -> DayCount | None:
    user = user_of(config)
    return DayCount(ledger, user, config.delivery.requests_per_day) if user else None


def resends(config: DestinationConfig) -> bool:
    """Whether what may have arrived is sent again."""
    return documents.replay_safe(config) or config.delivery.on_unconfirmed == "resend"


def takes_of(config: DestinationConfig, again: bool) -> Takes:
    """What a delivery takes up; raises ConfigError where `again` would send twice."""
    if not again:
        return Takes()
    if not documents.replay_safe(config):
        raise config.error([_NOT_AGAIN])
    return Takes((*Takes().outcomes, "delivered"), anew=True)


_NOT_AGAIN = Mistake(
    "E171",
    "delivered events cannot be sent again here: the destination would take them twice",
    "$.type",
    hint="only forms that can be repeated without harm are; `replay` sends single ones again",
)


def _about(config: DestinationConfig, verb: str) -> About:
    return About(
        verb,
        config.id,
        config.document_hash,
        version("fieldpost"),
        socket.gethostname(),
        _user(),
        _airflow_run(),
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _airflow_run() -> str:
    """What Airflow tells a task about itself, as JSON; "" outside of Airflow."""
    names = {name.lower(): os.environ.get(f"AIRFLOW_CTX_{name}") for name in _AIRFLOW}
    known = {name: value for name, value in names.items() if value}
    return json.dumps(known) if known else ""
