"""What the commands show: JSON for scripts, tables for people."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Group, RenderableType
from rich.highlighter import JSONHighlighter
from rich.live import Live
from rich.text import Text

from fieldpost import EventError, FieldpostError, json_text
from fieldpost.terminal import Terminal, grid, line
from fieldpost.visible_text import one_line, visible

from . import streams

if TYPE_CHECKING:
    from fieldpost import (
        CheckResult,
        Comparison,
        ConnectionTest,
        Difference,
        EventProfile,
        Glance,
        Preview,
        Report,
        Status,
        TestReport,
    )

out = Terminal(file=cast("IO[str]", streams.Results()))
err = Terminal(stderr=True)

_REASONS_SHOWN = 5
_LONGEST_PLACE = 50
_MARKS = {True: ("ok   ", "green"), False: ("FAIL ", "red"), None: ("–    ", "dim")}
_COLOURS = {"delivered": "green", "already_delivered": "green"} | dict.fromkeys(
    ("filtered", "dropped", "ignored"), "dim"
)


def invitation(invited: Any) -> None:
    """What a person has to do to sign in; on standard error, since results go to the other."""
    if invited.way == "device":
        err.print("Open this page and type the code:")
        err.print(line("  ", invited.url))
        err.print(line("  ", invited.code))
    elif invited.way == "paste":
        err.print("Open this page, on any machine:")
        err.print(line(invited.url))
        err.print("It leads to a page that may not load. Paste its whole address here:")
    else:
        err.print("A browser opens; if it does not, open this page:")
        err.print(line(invited.url))


def pasted() -> str:
    """A line of standard input."""
    return sys.stdin.readline()


def as_json(value: Any) -> None:
    """One JSON document on one line of standard output."""
    _json_line(value)


def _json_line(value: Any) -> None:
    results = streams.results()
    results.write(_json(value, results.encoding) + "\n")
    results.flush()


def _json(value: Any, encoding: str | None) -> str:
    """JSON that standard output can encode: a half of a surrogate pair needs its escape."""
    text = json_text.shown(value)
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return json_text.shown(value, ascii_only=True)
    return text


def error(problem: FieldpostError) -> None:
    """An error, for people, on standard error."""
    err.print(Text("error", "red"), str(problem))


def counted(number: int, one: str, several: str = "") -> str:
    """A number and its noun: 1 event, 2 events, 3 tries."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def check(result: CheckResult, name: str) -> None:
    """Mistakes with their places."""
    for colour, kind, found in (
        ("red", "error", result.errors),
        ("yellow", "warning", result.warnings),
    ):
        for mistake in found:
            place = (mistake.file or name, mistake.line, mistake.column)
            at = ":".join(str(part) for part in place if part)
            out.print(line(f"{at}: ", (kind, colour), " ", str(mistake)))
    if result.events is not None:
        profile(result.events)
    if result:
        out.print(line(name, ": ", ("no mistakes", "green")))


def profile(told: EventProfile) -> None:
    """What a sample's events have of all that a destination looks for."""
    of = f", the first {told.limit:,}" if told.limit and told.received >= told.limit else ""
    out.print(line(f"{counted(told.received, 'event')} read from ", told.source, of))
    _rows(("subscription", "events"), [(one.name, one.events) for one in told.subscriptions])
    paths: list[_Cells] = [
        (
            *(f"{one.line}:{one.column}", one.path, one.matching, one.present, one.null),
            *(one.missing, one.type_text),
        )
        for one in told.paths
    ]
    _rows(("", "path", "of", "present", "null", "missing", "type"), paths)
    values: list[_Cells] = [
        (f"{one.line}:{one.column}", one.field or "", one.text, one.events) for one in told.values
    ]
    _rows(("", "field", "compared with", "events"), values)


_Cells = tuple[str | int, ...]


def _rows(columns: tuple[str, ...], rows: Sequence[_Cells]) -> None:
    """Aligned lines, numbers to the right; whole however narrow the terminal is."""
    if not rows:
        return
    texts = [[f"{one:,}" if isinstance(one, int) else one_line(one) for one in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    is_number = [isinstance(one, int) for one in rows[0]]
    for number, row in enumerate([list(columns), *texts]):
        cells = zip(row, widths, is_number, strict=True)
        text = "  ".join(
            one.rjust(width) if right else one.ljust(width) for one, width, right in cells
        )
        out.print(line((f" {text.rstrip()}", "bold" if number == 0 else "")), soft_wrap=True)


def cases(report: TestReport, name: str) -> None:
    """Each unit case, and field by field what differs."""
    for one in report:
        out.print(line(_MARKS[one.ok], one.name))
        for each in one.difference:
            out.print(line("       ", str(each)))
    failed = sum(1 for one in report if not one)
    if not report.results:
        out.print(line(name, ": no unit cases; write some under tests:"))
    else:
        out.print(line(name, f": {counted(len(report), 'case')}, {failed} failed"))


def counts(subscriptions: dict[str, dict[str, int]]) -> None:
    """A table of counts, one column for each subscription; a line for each where they are many."""
    out.print(_counts(subscriptions))


def _counts(subscriptions: dict[str, dict[str, int]]) -> Group:
    rows: list[list[Text | str]] = []
    for outcome in next(iter(subscriptions.values()), {}):
        numbers = [one[outcome] for one in subscriptions.values()]
        if any(numbers) or outcome in ("received", "delivered"):
            rows.append([outcome, *(_number(outcome, number) for number in numbers)])
    table = grid(["", *subscriptions], rows)
    if max(one.cell_len for one in table) <= out.width or len(subscriptions) < 2:
        return Group(*table)
    return Group(*(_counted(name, one) for name, one in subscriptions.items()))


def _number(outcome: str, number: int) -> Text:
    colour = _COLOURS.get(outcome, "bold" if outcome == "received" else "red")
    return line((f"{number:,}", colour)) if number else line("0")


def _counted(name: str, one: dict[str, int]) -> Text:
    """The counts of one subscription on a line."""
    parts: list[str | tuple[str, str]] = [f" {name}: "]
    for outcome, number in one.items():
        if number or outcome in ("received", "delivered"):
            colour = _COLOURS.get(outcome, "bold" if outcome == "received" else "red")
            parts += ["" if len(parts) == 1 else ", ", (f"{number:,}", colour), f" {outcome}"]
    return line(*parts)


def any_report(told: Report, *, as_json: bool) -> None:
    """A report, for scripts or for people."""
    if not as_json:
        report(told)
        return
    _json_line(told.to_dict())
    if told.stopped:
        err.print(line(reason(*told.stopped)))


def report(told: Report) -> None:
    """The counts of a run, and the first failures."""
    counts({name: one.to_dict() for name, one in told.subscriptions.items()})
    if told.dry_run:
        out.print(f"{told['waiting']:,} would be sent; nothing was sent or written")
        return
    read = counted(told.received, "event")
    out.print(f"run {told.run}, {read} read in {told.duration_s:.1f} s")
    pace(told.to_dict())
    paused(told)
    if told.interrupted:
        err.print("interrupted: what was on its way is settled; run again to go on")
    groups([one for one in told.groups if one["code"]], _REASONS_SHOWN)


def paused(told: Report) -> None:
    """Why a run ended early, and subscriptions of which nothing more was sent; each reason once."""
    if told.stopped:
        err.print(line(("stopped", "red"), " ", reason(*told.stopped)))
    for name, one in told.subscriptions.items():
        if one.paused is None:
            continue
        if told.stopped is None or one.paused[:2] != tuple(told.stopped):
            err.print(line(("paused", "red"), " ", f"{name}: {reason(*one.paused[:2])}"))
        err.print(line("  ", (one.paused.action_needed, "dim")))


def pace(told: dict[str, Any]) -> None:
    """How long records took, how often they were tried, how long the destination made us wait."""
    if not told["requests"]:
        return
    latency = told["latency_ms"]
    tries = counted(told["attempts"], "try", "tries")
    text = f"{counted(told['requests'], 'request')}, {tries} of records"
    if latency["p50"] is not None:
        text += ", " + ", ".join(f"{name} {value:g} ms" for name, value in latency.items())
    if told["throttled_s"]:
        text += f", {told['throttled_s']:.1f} s of waits that the destination asked for"
    out.print(text)


def reason(code: str, message: str) -> str:
    """A code and its words, in which a service may have put the code already."""
    return message if code and message.startswith(code) else f"{code} {message}".strip()


def failures(rows: list[dict[str, Any]], file: str) -> None:
    """Failures that need somebody, by reason, and how to see one of them whole."""
    if not rows:
        out.print(line(("nothing", "green"), " that somebody has to look at"))
        return
    groups(rows, len(rows), out)
    out.print(line((f"one of them whole: fieldpost outcomes {file} --event-id ID", "dim")))


def groups(rows: list[dict[str, Any]], shown: int, to: Terminal = err) -> None:
    """Failures by reason, the most frequent first."""
    for row in rows[:shown]:
        why = reason(row["code"], row["message"]) or _UNDECIDED
        head = f"{row['count']:,} {row['outcome']}"
        to.print(line((head, "bold"), "  ", row["subscription"], "  ", why))
        to.print(line("  ", ("such as", "dim"), " ", ", ".join(map(_place, row["samples"]))))
        if row["action_needed"]:
            to.print(line("  ", (row["action_needed"], "yellow")))
    if len(rows) > shown:
        more = counted(len(rows) - shown, "more reason")
        to.print(f"  … and {more}: `fieldpost failures` lists them")


_UNDECIDED = "not decided yet; the next run goes on with it"


def _place(sample: dict[str, Any]) -> str:
    return f"{sample['event_id']} ({short_place(sample['source'])}:{sample['line']})"


def short_place(source: str) -> str:
    """A source's name, short enough for a line: as from here, or its end."""
    with suppress(ValueError, OSError):
        source = str(Path(source).relative_to(Path.cwd()))
    if len(source) <= _LONGEST_PLACE:
        return source
    end = source[-_LONGEST_PLACE + 1 :]
    return "…" + end[max(end.find("/"), 0) :]


def pruned(told: dict[str, Any]) -> None:
    """What a ledger forgot, and what that means."""
    would = "would be forgotten" if told["dry_run"] else "forgotten"
    parts = ", ".join(f"{events:,} {name}" for name, events in told["outcomes"].items())
    out.print(f"{counted(told['events'], 'event')} {would}" + (f": {parts}" if parts else ""))
    letters, runs = counted(told["letters"], "dead letter"), counted(told["runs"], "run")
    out.print(f"{letters} and {runs} with them")
    if told["events"]:
        out.print(line(("note", "yellow"), " ", told["lost"]))


def restored(told: dict[str, Any]) -> None:
    """The copy that replaced a ledger, and what that means."""
    out.print(line(f"restored {told['restored']} from {told['copy']}"))
    if told["replaced"]:
        out.print(line(f"the ledger that it replaces is kept in {told['replaced']}"))
    out.print(f"the last run that it knows began {told['last_run'] or 'never'}")
    if told["unknown"]:
        out.print(f"delivered, and not known to it: {counted(told['unknown'], 'event')}")
    if told["unknown"] != 0:
        out.print(line(("note", "yellow"), " ", told["lost"]))


def status(told: Status, file: str) -> None:
    """One look: what the destination is, what it did last, where its events stand."""
    if told.standing is not None:
        out.print(line((told.destination, "bold"), f" ({told.standing.type})"))
        for name, value in told.standing.rows():
            out.print(line(f"{name:<9} ", value))
    counts({name: one.to_dict() for name, one in told.subscriptions.items()})
    for breaker in told.breakers:
        out.print(line((str(breaker), "yellow")))
    if told.operations_today is not None:
        asked = counted(told.operations_today, "operation")
        out.print(f"{asked} asked of the environment today (UTC)")
    if told.failed:
        out.print(line((f"{told.failed:,} to look at: fieldpost failures {file}", "yellow")))


def glances(looks: Iterable[Glance]) -> None:
    """Where a destination stands, on one place of a terminal; elsewhere one behind the other."""
    with Live(console=out, auto_refresh=False) as live:
        for look in looks:
            if out.is_terminal:
                live.update(_glance(look), refresh=True)
            else:
                out.print(_glance(look))


def _glance(look: Glance) -> RenderableType:
    rate = "" if look.per_second is None else f", {look.per_second:,.0f} events a second"
    moment = time.strftime("%H:%M:%S", time.localtime(look.at))
    head = line((look.status.destination, "bold"), f" {moment}{rate}")
    parts: list[RenderableType] = [head]
    parts.append(_counts({name: one.to_dict() for name, one in look.status.subscriptions.items()}))
    parts += [line((str(one), "yellow")) for one in look.status.breakers]
    for row in look.failures[:_REASONS_SHOWN]:
        why = reason(row["code"], row["message"]) or _UNDECIDED
        parts.append(line((f"{row['count']:,} {row['outcome']}", "red"), "  ", why))
    if len(look.failures) > _REASONS_SHOWN:
        more = counted(len(look.failures) - _REASONS_SHOWN, "more reason")
        parts.append(f"and {more}: fieldpost failures")
    return Group(*parts)


def connection(test: ConnectionTest) -> None:
    """The steps of a connection test."""
    for step in test:
        out.print(line(_MARKS[step.ok], step.name, ": ", step.detail))
        if step.hint and step.ok is False:
            out.print(line("     ", (step.hint, "yellow")))


def preview(rows: Preview) -> None:
    """The exact requests."""
    if not len(rows):
        out.print("no event matches")
    for row in rows:
        out.print(line((row.subscription, "bold"), f" line {row.line} ", row.event_id))
        if row.outcome != "would send":
            out.print(line("  ", (row.outcome, "red"), f" {row.code} {row.message}"))
            continue
        _request(row.method, row.url, row.headers, row.body)
        for one in row.then:
            out.print(line("  ", (f"then, {one.when}", "bold")))
            _request(one.method, one.url, one.headers, one.body)


def _request(method: str, url: str, headers: Iterable[tuple[str, str]], body: str) -> None:
    out.print(line(f"  {method} {url}"))
    for name, value in headers:
        out.print(line("  ", (f"{name}: {value}", "dim")))
    if body:
        _body(body)


def value(told: Any) -> None:
    """A JSON value over several lines; a text that is none as it is."""
    if isinstance(told, str):
        out.print(told, soft_wrap=True)
    else:
        shown = JSONHighlighter()(visible(json_text.shown(told, indent=2)))
        out.print(shown, soft_wrap=True)


def _body(body: str) -> None:
    """As JSON where it is, else as it is sent: the parts of a change set, a form, plain text."""
    try:
        told = json_text.read_exact(body)
    except (ValueError, EventError):
        for part in body.replace("\r\n", "\n").removesuffix("\n").split("\n"):
            out.print(line("  ", part))
    else:
        value(told)


def comparison(told: Comparison) -> None:
    """What changed: counts, places, and some events field by field."""
    rows = [
        [kind.replace("_", " "), *(f"{one[kind]:,}" for one in told.subscriptions.values())]
        for kind in next(iter(told.subscriptions.values()), {})
    ]
    out.print(Group(*grid([counted(told.received, "event"), *told.subscriptions], rows)))
    for path, count in told.paths.most_common(20):
        out.print(line(f"  {count:>9,}  ", path))
    for one in told.examples:
        event = f" {one.event_id}" if one.event_id else ""
        out.print(line((one.kind.replace("_", " "), "bold"), " ", _where(one) + event))
        if one.error:
            out.print(line(f"  {one.code} {one.error}"))
        for path, old, new in one.fields:
            before, after = ("nothing" if text is None else text for text in (old, new))
            out.print(line(f"  {path}: ", (before, "red"), " → ", (after, "green")))


def _where(one: Difference) -> str:
    of = "" if one.subscription == "mapping" else f" ({one.subscription})"
    return f"{one.source}:{one.line}{of}"


def outcomes(rows: Iterable[dict[str, Any]]) -> None:
    """Outcomes, one line each."""
    for row in rows:
        told = f"{row['outcome']:<18} {row['event_id']}  {row['subscription']}"
        why = reason(row["code"], row["message"])
        extra = " ".join(part for part in (row["effect"], row["record_id"], why) if part)
        out.print(line(told, "  ", (extra, "dim")))
