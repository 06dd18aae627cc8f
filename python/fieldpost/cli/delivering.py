"""The verbs that sign in and send."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

import fieldpost as fp
from fieldpost.terminal import line

from . import exit_code, options, printing, run_lines, sample_file
from .command import (
    AllOption,
    CsvOption,
    DestinationFile,
    LedgerOption,
    Output,
    OutputOption,
    Sources,
    WhereOption,
    command,
    open_destination,
)

TolerateOption = Annotated[
    str | None, typer.Option("--tolerate", help="Share of failures that is no failure: 0.1%.")
]
MetricsOption = Annotated[
    Path | None,
    typer.Option("--metrics-file", help="Keep Prometheus metrics of the run in this file."),
]


@command("test-connection")
def test_connection(
    destination: DestinationFile,
    send: Annotated[bool, typer.Option("--send", help="Deliver a sample event.")] = False,
    sample: Annotated[Path | None, typer.Option(help="A file with one event.")] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete what the sample made, after reading it back.")
    ] = False,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Reach, sign in, ask what we may do; with --send deliver a sample and read it back."""
    event = None if sample is None else sample_file.read(sample)
    test = open_destination(destination, ledger).test_connection(send, event, delete=delete)
    if output is Output.json:
        printing.as_json(test.to_dict())
    else:
        printing.connection(test)
    return test.exit_code


class Way(enum.StrEnum):
    """How a person signs in."""

    auto = "auto"
    browser = "browser"
    device = "device"
    paste = "paste"


@command("connect")
def connect(
    destination: DestinationFile,
    way: Annotated[Way, typer.Option(help="A browser here, a code, or an address.")] = Way.auto,
    timeout_s: Annotated[float, typer.Option("--for", min=1, help="Seconds to wait.")] = 300.0,
    output: OutputOption = Output.text,
) -> int:
    """Sign in as a person, once; the tokens are kept and renewed from then on."""
    place = open_destination(destination).connect(
        printing.invitation, paste=printing.pasted, way=way.value, timeout_s=timeout_s
    )
    if output is Output.json:
        printing.as_json({"connected": True, "tokens": place})
    else:
        printing.out.print(line(f"signed in; the tokens are in {place}"))
    return exit_code.DONE


def _opened(
    destination: Path, ledger: str | None, metrics: Path | None
) -> tuple[fp.Destination, list[fp.Observer]]:
    """A destination and who looks on; metrics tell also of a file that cannot be opened."""
    kept = None if metrics is None else fp.PrometheusMetrics(metrics)
    try:
        return open_destination(destination, ledger), [kept] if kept else []
    except fp.ConfigError:
        if kept is not None:
            kept.could_not_begin(destination)
        raise


@command("deliver")
def deliver(
    destination: DestinationFile,
    source: Sources = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read so many events.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send and write nothing.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Send delivered events again, where that is safe.")
    ] = False,
    time_limit: Annotated[
        str | None, typer.Option("--for", help="Stop after so long, such as 10m.")
    ] = None,
    csv: CsvOption = None,
    tolerate: TolerateOption = None,
    metrics: MetricsOption = None,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Deliver each event once; what was delivered before is not sent again."""
    tolerated, for_s = options.share(tolerate), options.seconds(time_limit, "--for")
    read = options.sources(source, csv)
    opened, observers = _opened(destination, ledger, metrics)

    def run() -> fp.Report:
        return opened.deliver(
            read,
            limit=limit,
            dry_run=dry_run,
            again=again,
            for_s=for_s,
            observers=observers,
        )

    return _reported(run, tolerated, output)


@command("replay")
def replay(
    destination: DestinationFile,
    where: WhereOption = None,
    everything: AllOption = False,
    source: Annotated[
        list[str] | None,
        typer.Option("--from", help="Look there for what stands rejected, invalid or expired."),
    ] = None,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Send the bodies as they were made then.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send and write nothing.")] = False,
    csv: CsvOption = None,
    tolerate: TolerateOption = None,
    metrics: MetricsOption = None,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Take up again what fits a condition: mapped anew, as recorded, or as a source has it now."""
    tolerated = options.share(tolerate)
    read = options.sources(source, csv) if source else None
    chosen = None
    if where is not None or everything or not source:
        chosen = options.condition(where, everything)
    opened, observers = _opened(destination, ledger, metrics)

    def run() -> fp.Report:
        report = opened.replay(
            chosen, source=read, recorded=recorded, dry_run=dry_run, observers=observers
        )
        if dry_run and output is Output.text:
            printing.out.print(f"{report.received:,} fit the condition")
        return report

    return _reported(run, tolerated, output)


def _reported(run: Callable[[], fp.Report], tolerated: float, output: Output) -> int:
    """Print what a run came to, also where the process is told to end; its exit code."""
    as_json = output is Output.json
    run_lines.show()
    try:
        report = run()
    except fp.Terminated as ended:
        if ended.report is not None:
            printing.any_report(ended.report, as_json=as_json)
        raise
    printing.any_report(report, as_json=as_json)
    return exit_code.of_report(report, tolerated)


@command("enable")
def enable(destination: DestinationFile, output: OutputOption = Output.text) -> int:
    """Set `enabled: true` in the file."""
    opened = open_destination(destination)
    opened.enable()
    return _tell_enabled(opened, output)


@command("disable")
def disable(destination: DestinationFile, output: OutputOption = Output.text) -> int:
    """Set `enabled: false` in the file: `deliver` then refuses."""
    opened = open_destination(destination)
    opened.disable()
    return _tell_enabled(opened, output)


def _tell_enabled(opened: fp.Destination, output: Output) -> int:
    if output is Output.json:
        printing.as_json({"destination": opened.config.id, "enabled": opened.config.enabled})
    else:
        state = "enabled" if opened.config.enabled else "disabled"
        printing.out.print(line(f"{opened.config.file}: {state}"))
    return exit_code.DONE
