"""The verbs. Each reads its arguments, calls the library and prints; see exit_code.py."""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, cast

import typer

import fieldpost as fp

from . import exit_code, guide, one_event, options, preview_diff, printing, sample_file, starter

app = typer.Typer(
    name="fieldpost",
    help="Deliver customer events: filtered, mapped, each of them once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


care = typer.Typer(no_args_is_help=True)
app.add_typer(care, name="ledger", help="Look after the memory between runs.")


table_schema = typer.Typer(no_args_is_help=True)
app.add_typer(table_schema, name="schema", help="What an environment's tables are made of.")


class Output(enum.StrEnum):
    """What standard output holds."""

    text = "text"
    json = "json"


DestinationFile = Annotated[
    Path, typer.Argument(metavar="DESTINATION.yaml", help="The destination's file.")
]
Sources = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SOURCE]...", help='Files, globs, or "-" for standard input.'),
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="text, or json for scripts.")]
LedgerOption = Annotated[
    str | None,
    typer.Option("--ledger", help="A file or postgresql://…; wins over the destination's."),
]
WhereArgument = Annotated[
    str, typer.Option("--where", help="SQL over the columns, e.g. outcome = 'rejected'.")
]


TolerateOption = Annotated[
    str | None, typer.Option("--tolerate", help="Share of failures that is no failure: 0.1%.")
]


MetricsOption = Annotated[
    Path | None,
    typer.Option("--metrics-file", help="Keep Prometheus metrics of the run in this file."),
]


class SettledAs(enum.StrEnum):
    """What somebody may find out about an event."""

    delivered = "delivered"
    rejected = "rejected"


def command(
    name: str, group: typer.Typer = app
) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """A verb whose function returns its exit code and may raise fieldpost's errors."""

    def register(function: Callable[..., int]) -> Callable[..., None]:
        @wraps(function)
        def verb(*args: Any, **options: Any) -> None:
            raise typer.Exit(_guarded(lambda: function(*args, **options)))

        group.command(name)(verb)
        return verb

    return register


def _guarded(work: Callable[[], int]) -> int:
    try:
        return work()
    except fp.FieldpostError as error:
        printing.error(error)
        return exit_code.of_error(error)
    except KeyboardInterrupt:
        return exit_code.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_code.DONE


def _open(destination: Path, ledger: str | None = None) -> fp.Destination:
    return fp.Destination.from_file(destination, ledger=ledger)


@command("init")
def init(
    kind: Annotated[starter.Kind, typer.Argument(help="The system to deliver to.")],
    folder: Annotated[Path, typer.Argument(help="Where the files go.")] = Path(),
) -> int:
    """Write a first destination file, with comments, and an insert function."""
    try:
        written = starter.write(kind, folder)
    except FileExistsError as error:
        printing.err.print(f"[red]error[/red] {error.filename} is there already and is not changed")
        return exit_code.CONFIGURATION
    for path in written:
        printing.out.print(f"wrote {path}")
    printing.out.print(f"next: fieldpost check {written[0]}")
    return exit_code.DONE


@command("check")
def check(destination: DestinationFile, output: OutputOption = Output.text) -> int:
    """Tell every mistake of a destination file; sends nothing."""
    result = fp.check_file(destination)
    if output is Output.json:
        printing.as_json(result.to_dict())
    else:
        printing.check(result, str(destination))
    return exit_code.DONE if result else exit_code.CONFIGURATION


@command("pull", table_schema)
def schema_pull(
    destination: DestinationFile,
    tables: Annotated[
        list[str] | None, typer.Option("--table", help="One more; may be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every table there is.")] = False,
    output: OutputOption = Output.text,
) -> int:
    """Read the environment's schema and keep it in a file beside the destination."""
    from . import schema

    schema.pull(_open(destination), tables or [], everything, output is Output.json)
    return exit_code.DONE


@command("show", table_schema)
def schema_show(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Such as account.")],
    where: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DESTINATION.yaml]", help="Or a schema's file; default: the standard tables."
        ),
    ] = None,
    output: OutputOption = Output.text,
) -> int:
    """Show a table's columns, with types, lengths and choices, its navigation and its keys."""
    from . import schema

    schema.show(table, where, output is Output.json)
    return exit_code.DONE


@command("diff", table_schema)
def schema_diff(
    destination: DestinationFile,
    other: Annotated[
        Path | None, typer.Argument(metavar="[OTHER.json]", help="Default: the environment.")
    ] = None,
    output: OutputOption = Output.text,
) -> int:
    """Tell what changed since the schema was saved, and which subscriptions that breaks."""
    from . import schema

    told = _open(destination).saved_schema.diff(fp.Schema.load(other) if other else None)
    schema.diff(told, output is Output.json)
    return exit_code.DONE if told else exit_code.EVENTS


@command("test")
def test(destination: DestinationFile, output: OutputOption = Output.text) -> int:
    """Run the destination's own unit cases; no network, no secrets."""
    report = fp.TestReport([case.run() for case in fp.unit_cases(destination)])
    if output is Output.json:
        printing.as_json([one.to_dict() for one in report])
    else:
        printing.cases(report, str(destination))
    return exit_code.DONE if report else exit_code.EVENTS


@command("explain")
def explain(
    named: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DESTINATION.yaml] [EVENT.json]",
            help='The destination (not with --filter); a file of events or "-", the default.',
        ),
    ] = None,
    filter_text: Annotated[
        str | None, typer.Option("--filter", help="A filter instead of a destination.")
    ] = None,
    dialect: Annotated[str, typer.Option(help="Whose reading of --filter.")] = "fieldpost",
    number: Annotated[int, typer.Option("--number", min=1, help="Which event of the file.")] = 1,
    output: OutputOption = Output.text,
) -> int:
    """Show what becomes of one event: each condition, and where each field came from."""
    names = list(named or [])
    if len(names) > (1 if filter_text is not None else 2) or (not names and filter_text is None):
        raise typer.BadParameter("name a destination and an event, or --filter and an event")
    told: fp.EventExplanation | fp.Explanation
    if filter_text is not None:
        wanted = fp.Filter(filter_text, cast("Any", dialect))
        told = wanted.explain(one_event.read(names[0] if names else "-", number))
    else:
        event = one_event.read(names[1] if len(names) > 1 else "-", number)
        told = fp.explain_file(names[0], event)
    if output is Output.json:
        printing.as_json(told.to_dict())
    else:
        printing.out.print(str(told), markup=False)
    return exit_code.DONE


@command("preview")
def preview(
    destination: DestinationFile,
    source: Sources = None,
    limit: Annotated[int, typer.Option(min=1, help="Events to show.")] = 5,
    diff: Annotated[
        bool,
        typer.Option("--diff", help="Read the rows: what would change, how long it takes."),
    ] = False,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Show the exact requests of the first matching events; sends nothing."""
    rows = _open(destination, ledger).preview(source or None, limit, diff=diff)
    if isinstance(rows, fp.PreviewDiff):
        if output is Output.json:
            printing.as_json(rows.to_dict())
        else:
            preview_diff.show(rows)
        return exit_code.DONE
    if output is Output.json:
        printing.as_json([row.to_dict() for row in rows])
    else:
        printing.preview(rows)
    return exit_code.DONE


@command("transform")
def transform(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DESTINATION.yaml] [SOURCE]...",
            help="A destination (none with --mapping or --filter), files; default: standard input.",
        ),
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="A mapping's file, YAML or JSON.")] = None,
    filter: Annotated[str | None, typer.Option(help="Only the events that it wants.")] = None,
    dialect: Annotated[str, typer.Option(help="fieldpost, trigger, destination.")] = "fieldpost",
    subscription: Annotated[str | None, typer.Option(help="Only this one, by name.")] = None,
    against: Annotated[Path | None, typer.Option(help="Compare with this file.")] = None,
    shown: Annotated[int, typer.Option(min=0, help="Differing events to show.")] = 10,
    errors: Annotated[Path | None, typer.Option(help="Keep all invalid events here.")] = None,
    output: OutputOption = Output.text,
) -> int:
    """Write the bodies of events as NDJSON, in a pipe; json: with positions. Sends nothing."""
    from . import transform as verb

    as_json = output is Output.json
    asked = verb.transformation(arguments or [], mapping, filter, dialect, subscription)
    if against is not None:
        bare = mapping is not None or filter is not None
        return verb.against(asked, against, bare, shown, as_json)
    return verb.write(asked, as_json, errors)


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
    test = _open(destination, ledger).test_connection(send, event, delete=delete)
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
    place = _open(destination).connect(
        printing.invitation, paste=printing.pasted, way=way.value, timeout_s=timeout_s
    )
    if output is Output.json:
        printing.as_json({"connected": True, "tokens": place})
    else:
        printing.out.print(f"signed in; the tokens are in {place}", markup=False)
    return exit_code.DONE


def _observers(metrics: Path | None) -> list[fp.Observer]:
    return [] if metrics is None else [fp.PrometheusMetrics(metrics)]


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
    tolerate: TolerateOption = None,
    metrics: MetricsOption = None,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Deliver each event once; what was delivered before is not sent again."""
    tolerated = options.share(tolerate)
    report = _open(destination, ledger).deliver(
        source or None,
        limit=limit,
        dry_run=dry_run,
        again=again,
        for_s=options.seconds(time_limit, "--for"),
        observers=_observers(metrics),
    )
    printing.any_report(report, as_json=output is Output.json)
    return exit_code.of_report(report, tolerated)


@command("replay")
def replay(
    destination: DestinationFile,
    where: WhereArgument,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Send the bodies as they were made then.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send and write nothing.")] = False,
    tolerate: TolerateOption = None,
    metrics: MetricsOption = None,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Take up again what fits a condition, mapped anew or as recorded."""
    tolerated = options.share(tolerate)
    report = _open(destination, ledger).replay(
        where, recorded=recorded, dry_run=dry_run, observers=_observers(metrics)
    )
    printing.any_report(report, as_json=output is Output.json)
    return exit_code.of_report(report, tolerated)


@command("settle")
def settle(
    destination: DestinationFile,
    where: WhereArgument,
    outcome: Annotated[SettledAs, typer.Option("--as", help="What somebody found out.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Set the outcome of what fits a condition, after somebody looked; sends nothing."""
    events = _open(destination, ledger).settle(where, outcome.value, dry_run)
    if output is Output.json:
        printing.as_json({"settled": events, "as": outcome.value, "dry_run": dry_run})
    else:
        told = "would be settled" if dry_run else "settled"
        printing.out.print(f"{events:,} {told} as {outcome.value}")
    return exit_code.DONE


@command("failures")
def failures(
    destination: DestinationFile, output: OutputOption = Output.text, ledger: LedgerOption = None
) -> int:
    """List what somebody has to look at, by reason, and what to do."""
    groups = _open(destination, ledger).failures()
    if output is Output.json:
        printing.as_json(groups)
    else:
        printing.groups(groups)
    return exit_code.DONE


@command("status")
def status(
    destination: DestinationFile, output: OutputOption = Output.text, ledger: LedgerOption = None
) -> int:
    """Count the ledger's events, each once, by its current outcome."""
    told = _open(destination, ledger).status()
    if output is Output.json:
        printing.as_json(told.to_dict())
    else:
        printing.status(told)
    return exit_code.DONE


@command("outcomes")
def outcomes(
    destination: DestinationFile,
    where: Annotated[
        str, typer.Option(help="SQL over the columns, e.g. outcome = 'rejected'.")
    ] = "",
    event_id: Annotated[str | None, typer.Option("--event-id", help="One event.")] = None,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """List what became of each event, one object per line with --output json."""
    rows = _open(destination, ledger).outcomes(where, event_id)
    if output is Output.json:
        for row in rows:
            printing.as_json(row)
    else:
        printing.outcomes(rows)
    return exit_code.DONE


@command("prune", care)
def prune(
    destination: DestinationFile,
    older_than: Annotated[str, typer.Option("--older-than", help="Such as 90d.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell.")] = False,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Forget what was decided long ago, and tell what is lost with it."""
    age_s = options.seconds(older_than, "--older-than")
    told = _open(destination, ledger).prune(age_s or 0.0, dry_run)
    if output is Output.json:
        printing.as_json(told)
    else:
        printing.pruned(told)
    return exit_code.DONE


@command("backup", care)
def backup(
    destination: DestinationFile,
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="The file to write.")],
    ledger: LedgerOption = None,
) -> int:
    """Copy the ledger's file, also while runs are at work."""
    _open(destination, ledger).backup(copy)
    printing.out.print(f"wrote {copy}")
    return exit_code.DONE


@command("migrate", care)
def migrate(destination: DestinationFile, ledger: LedgerOption = None) -> int:
    """Take the ledger to this version's schema; every verb does so by itself."""
    before, now = _open(destination, ledger).migrate()
    printing.out.print(f"schema {now}" if before == now else f"schema {before}, now {now}")
    return exit_code.DONE


@command("enable")
def enable(destination: DestinationFile, output: OutputOption = Output.text) -> int:
    """Set `enabled: true` in the file."""
    opened = _open(destination)
    opened.enable()
    return _tell_enabled(opened, output)


@command("disable")
def disable(destination: DestinationFile, output: OutputOption = Output.text) -> int:
    """Set `enabled: false` in the file: `deliver` then refuses."""
    opened = _open(destination)
    opened.disable()
    return _tell_enabled(opened, output)


def _tell_enabled(opened: fp.Destination, output: Output) -> int:
    if output is Output.json:
        printing.as_json({"destination": opened.config.id, "enabled": opened.config.enabled})
    else:
        state = "enabled" if opened.config.enabled else "disabled"
        printing.out.print(f"{opened.config.file}: {state}")
    return exit_code.DONE


@command("emulator")
def emulator(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    tls: Annotated[bool, typer.Option("--tls", help="https, with a CA of its own.")] = False,
    output: OutputOption = Output.text,
) -> int:
    """Serve a local Dynamics 365 until SIGTERM; the first line tells how to reach it, as JSON."""
    from fieldpost.emulator import serve

    def announce(details: Any) -> None:
        printing.as_json(details)  # either way: scripts rely on it
        if output is Output.text:
            guide.show(details)

    serve(port, tls, announce=announce)
    return exit_code.DONE


@command("demo")
def demo(
    folder: Annotated[Path, typer.Option(help="Where its files go, to keep.")] = Path(
        "fieldpost-demo"
    ),
    events: Annotated[int, typer.Option(min=100, help="Events to make.")] = 10_000,
) -> int:
    """Run the whole job on a local Dynamics 365, and leave its files to play with."""
    from .demo import run_demo

    return run_demo(folder, events)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Deliver customer events: filtered, mapped, each of them once."""
    if version:
        printing.out.print(f"fieldpost {fp.__version__}")
        raise typer.Exit


def main() -> None:
    """The `fieldpost` command."""
    app()
