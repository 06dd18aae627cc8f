"""What the commands show: JSON for scripts, tables for people."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from fieldpost import (
    CheckResult,
    Comparison,
    ConnectionTest,
    Difference,
    FieldpostError,
    Glance,
    Preview,
    Report,
    Status,
    TestReport,
)

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

_REASONS_SHOWN = 5
_MARKS = {True: "[green]ok[/green]  ", False: "[red]FAIL[/red]", None: "[dim]–[/dim]   "}
_COLOURS = {"delivered": "green", "already_delivered": "green", "filtered": "dim", "dropped": "dim"}


def invitation(invited: Any) -> None:
    """What a person has to do to sign in; on standard error, since results go to the other."""
    if invited.way == "device":
        err.print("Open this page and type the code:", markup=False)
        err.print(f"  {invited.url}", soft_wrap=True, markup=False)
        err.print(f"  {invited.code}", markup=False)
    elif invited.way == "paste":
        err.print("Open this page, on any machine:", markup=False)
        err.print(invited.url, soft_wrap=True, markup=False)
        err.print("It leads to a page that may not load. Paste its whole address here:")
    else:
        err.print("A browser opens; if it does not, open this page:", markup=False)
        err.print(invited.url, soft_wrap=True, markup=False)


def pasted() -> str:
    """A line of standard input."""
    return sys.stdin.readline()


def as_json(value: Any) -> None:
    """One JSON document on one line of standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def error(problem: FieldpostError) -> None:
    """An error, for people, on standard error."""
    err.print(f"[red]error[/red] {escape(str(problem))}")


def check(result: CheckResult, name: str) -> None:
    """Mistakes with their places."""
    for colour, kind, found in (
        ("red", "error", result.errors),
        ("yellow", "warning", result.warnings),
    ):
        for mistake in found:
            file = mistake.file or name
            place = f"{file}:{mistake.line}:{mistake.column}: " if mistake.line else f"{file}: "
            out.print(f"{escape(place)}[{colour}]{kind}[/{colour}] {escape(str(mistake))}")
    if result:
        out.print(f"{escape(name)}: [green]no mistakes[/green]")


def cases(report: TestReport, name: str) -> None:
    """Each unit case, and field by field what differs."""
    for one in report:
        out.print(f"{_MARKS[one.ok]} {escape(one.name)}")
        for each in one.difference:
            out.print(f"       {escape(str(each))}")
    failed = sum(1 for one in report if not one)
    if not report.results:
        out.print(f"{escape(name)}: no unit cases; write some under tests:")
    else:
        out.print(f"{escape(name)}: {len(report)} cases, {failed} failed")


def counts(subscriptions: dict[str, dict[str, int]]) -> None:
    """A table of counts, one column for each subscription."""
    out.print(_counts(subscriptions))


def _counts(subscriptions: dict[str, dict[str, int]]) -> Table:
    table = Table(box=None)
    table.add_column("")
    for name in subscriptions:
        table.add_column(escape(name), justify="right")
    rows = next(iter(subscriptions.values()), {})
    for outcome in rows:
        numbers = [one[outcome] for one in subscriptions.values()]
        if not any(numbers) and outcome not in ("received", "delivered"):
            continue
        colour = _COLOURS.get(outcome, "bold" if outcome == "received" else "red")
        cells = [f"[{colour}]{number:,}[/{colour}]" if number else "0" for number in numbers]
        table.add_row(outcome, *cells)
    return table


def any_report(told: Report, *, as_json: bool) -> None:
    """A report, for scripts or for people."""
    if not as_json:
        report(told)
        return
    sys.stdout.write(json.dumps(told.to_dict(), ensure_ascii=False) + "\n")
    sys.stdout.flush()
    if told.stopped:
        err.print(" ".join(told.stopped), markup=False)


def report(told: Report) -> None:
    """The counts of a run, and the first failures."""
    counts({name: one.to_dict() for name, one in told.subscriptions.items()})
    if told.dry_run:
        out.print(f"{told['waiting']:,} would be sent; nothing was sent or written")
        return
    out.print(f"run {told.run}, {told.received:,} events read in {told.duration_s:.1f} s")
    pace(told.to_dict())
    paused(told)
    if told.stopped:
        err.print(f"[red]stopped[/red] {escape(' '.join(told.stopped))}")
    if told.interrupted:
        err.print("interrupted: what was on its way is settled; run again to go on")
    failures(list(told.failures))


def paused(told: Report) -> None:
    """Subscriptions of which nothing more was sent, why, and what to do."""
    for name, one in told.subscriptions.items():
        if one.paused is not None:
            why = f"{name}: {one.paused.code} {one.paused.message}"
            err.print(f"[red]paused[/red] {escape(why)}")
            err.print(f"  [dim]{escape(one.paused.action_needed)}[/dim]")


def pace(told: dict[str, Any]) -> None:
    """How long records took, how often they were tried, how long the destination made us wait."""
    if not told["requests"]:
        return
    latency = told["latency_ms"]
    line = f"{told['requests']:,} requests, {told['attempts']:,} tries of records"
    if latency["p50"] is not None:
        line += ", " + ", ".join(f"{name} {value:g} ms" for name, value in latency.items())
    if told["throttled_s"]:
        line += f", {told['throttled_s']:.1f} s of waits that the destination asked for"
    out.print(line)


def failures(rows: list[dict[str, Any]], shown: int = 5) -> None:
    """The first failures, one line each, and how many more there are."""
    for row in rows[:shown]:
        line = f"{row['source']}:{row['line']}: {row['outcome']} {row['code']} {row['message']}"
        err.print(f"  {escape(line)}")
        if row["action_needed"]:
            err.print(f"    [dim]{escape(row['action_needed'])}[/dim]")
    if len(rows) > shown:
        err.print(f"  … `fieldpost outcomes` lists the others ({len(rows) - shown} or more)")


def groups(rows: list[dict[str, Any]]) -> None:
    """Failures by reason, the most frequent first."""
    if not rows:
        out.print("[green]nothing[/green] that somebody has to look at")
    for row in rows:
        reason = f"{row['code']} {row['message']}".strip()
        head = f"{row['count']:,} {row['outcome']}"
        out.print(f"[bold]{head}[/bold]  {escape(row['subscription'])}  {escape(reason)}")
        sample = row["sample"]
        place = f"{sample['event_id']} ({sample['source']}:{sample['line']})"
        out.print(f"  [dim]such as[/dim] {escape(place)}")
        if row["action_needed"]:
            out.print(f"  [yellow]{escape(row['action_needed'])}[/yellow]")


def pruned(told: dict[str, Any]) -> None:
    """What a ledger forgot, and what that means."""
    would = "would be forgotten" if told["dry_run"] else "forgotten"
    parts = ", ".join(f"{events:,} {name}" for name, events in told["outcomes"].items())
    out.print(f"{told['events']:,} events {would}" + (f": {parts}" if parts else ""))
    out.print(f"{told['letters']:,} dead letters and {told['runs']:,} runs with them")
    if told["events"]:
        out.print(f"[yellow]note[/yellow] {escape(told['lost'])}")


def status(told: Status) -> None:
    """The ledger's counts."""
    counts({name: one.to_dict() for name, one in told.subscriptions.items()})
    if told.operations_today is not None:
        out.print(f"{told.operations_today:,} operations asked of the environment today (UTC)")


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
    parts: list[RenderableType] = [f"[bold]{escape(look.status.destination)}[/bold] {moment}{rate}"]
    parts.append(_counts({name: one.to_dict() for name, one in look.status.subscriptions.items()}))
    for row in look.failures[:_REASONS_SHOWN]:
        reason = escape(f"{row['code']} {row['message']}".strip())
        parts.append(f"[red]{row['count']:,} {row['outcome']}[/red]  {reason}")
    if len(look.failures) > _REASONS_SHOWN:
        parts.append(f"and {len(look.failures) - _REASONS_SHOWN} more reasons: fieldpost failures")
    return Group(*parts)


def connection(test: ConnectionTest) -> None:
    """The steps of a connection test."""
    for step in test:
        out.print(f"{_MARKS[step.ok]} {escape(step.name)}: {escape(step.detail)}")
        if step.hint and step.ok is False:
            out.print(f"     [yellow]{escape(step.hint)}[/yellow]")


def preview(rows: Preview) -> None:
    """The exact requests."""
    if not len(rows):
        out.print("no event matches")
    for row in rows:
        out.print(f"[bold]{escape(row.subscription)}[/bold] line {row.line} {escape(row.event_id)}")
        if row.outcome != "would send":
            out.print(f"  [red]{row.outcome}[/red] {escape(row.code)} {escape(row.message)}")
            continue
        _request(row.method, row.url, row.headers, row.body)
        for one in row.then:
            out.print(f"  [bold]then, {escape(one.when)}[/bold]")
            _request(one.method, one.url, one.headers, one.body)


def _request(method: str, url: str, headers: Iterable[tuple[str, str]], body: str) -> None:
    out.print(f"  {method} {escape(url)}")
    for name, value in headers:
        out.print(f"  [dim]{escape(name)}: {escape(value)}[/dim]")
    if body:
        _body(body)


def _body(body: str) -> None:
    """As JSON where it is, else as it is sent: the parts of a change set, a form, plain text."""
    try:
        json.loads(body)
    except ValueError:
        for line in body.splitlines():
            out.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    else:
        out.print_json(body)


def comparison(told: Comparison) -> None:
    """What changed: counts, places, and some events field by field."""
    table = Table(box=None)
    table.add_column(f"{told.received:,} events")
    for name in told.subscriptions:
        table.add_column(escape(name), justify="right")
    for kind in next(iter(told.subscriptions.values()), {}):
        numbers = [f"{one[kind]:,}" for one in told.subscriptions.values()]
        table.add_row(kind.replace("_", " "), *numbers)
    out.print(table)
    for path, count in told.paths.most_common(20):
        out.print(f"  {count:>9,}  {escape(path)}")
    for one in told.examples:
        event = f" {one.event_id}" if one.event_id else ""
        out.print(f"[bold]{one.kind.replace('_', ' ')}[/bold] {escape(_where(one) + event)}")
        if one.error:
            out.print(f"  {escape(f'{one.code} {one.error}')}")
        for path, old, new in one.fields:
            before, after = ("nothing" if text is None else text for text in (old, new))
            out.print(
                f"  {escape(path)}: [red]{escape(before)}[/red] → [green]{escape(after)}[/green]"
            )


def _where(one: Difference) -> str:
    of = "" if one.subscription == "mapping" else f" ({one.subscription})"
    return f"{one.source}:{one.line}{of}"


def outcomes(rows: Iterable[dict[str, Any]]) -> None:
    """Outcomes, one line each."""
    for row in rows:
        told = f"{row['outcome']:<18} {row['event_id']}  {row['subscription']}"
        extra = " ".join(
            str(row[key]) for key in ("effect", "record_id", "code", "message") if row[key]
        )
        out.print(f"{escape(told)}  [dim]{escape(extra)}[/dim]")
