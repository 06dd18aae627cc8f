"""The verbs. Each reads its arguments, calls the library and prints; see exit_code.py."""

from __future__ import annotations

import enum
import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, cast

import typer

import fieldpost as fp

from . import exit_code, one_event, printing, starter

app = typer.Typer(
    name="fieldpost",
    help="Deliver customer events: filtered, mapped, each of them once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


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
    Path | None, typer.Option("--ledger", help="The ledger's file; wins over the destination's.")
]


def command(name: str) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """A verb whose function returns its exit code and may raise fieldpost's errors."""

    def register(function: Callable[..., int]) -> Callable[..., None]:
        @wraps(function)
        def verb(*args: Any, **options: Any) -> None:
            raise typer.Exit(_guarded(lambda: function(*args, **options)))

        app.command(name)(verb)
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


def _open(destination: Path, ledger: Path | None = None) -> fp.Destination:
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
    output: OutputOption = Output.text,
) -> int:
    """Show the exact requests of the first matching events; sends nothing."""
    rows = _open(destination).preview(source or None, limit)
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
    errors: Annotated[Path | None, typer.Option(help="Keep what has no body here.")] = None,
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
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Reach, sign in, ask who we are; with --send deliver a sample and read it back."""
    event = None
    if sample is not None:
        try:
            event = json.loads(sample.read_bytes())
        except (OSError, ValueError) as error:
            raise fp.SourceError(
                "E802", f"the sample cannot be read ({error})", str(sample)
            ) from None
    test = _open(destination, ledger).test_connection(send, event)
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


@command("deliver")
def deliver(
    destination: DestinationFile,
    source: Sources = None,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Deliver each event once; what was delivered before is not sent again."""
    report = _open(destination, ledger).deliver(source or None)
    if output is Output.json:
        printing.as_json(report.to_dict())
        if report.stopped:
            printing.err.print(" ".join(report.stopped), markup=False)
    else:
        printing.report(report)
    return exit_code.of_report(report)


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


@command("enable")
def enable(destination: DestinationFile) -> int:
    """Set `enabled: true` in the file."""
    _open(destination).enable()
    printing.out.print(f"{destination}: enabled")
    return exit_code.DONE


@command("disable")
def disable(destination: DestinationFile) -> int:
    """Set `enabled: false` in the file: `deliver` then refuses."""
    _open(destination).disable()
    printing.out.print(f"{destination}: disabled")
    return exit_code.DONE


@command("emulator")
def emulator(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    tls: Annotated[bool, typer.Option("--tls", help="https, with a CA of its own.")] = False,
    output: OutputOption = Output.text,
) -> int:
    """Serve a local Dynamics 365 until SIGTERM; the first line tells how to reach it, as JSON."""
    from fieldpost.emulator import serve

    _ = output  # the first line is JSON either way: people read it, scripts rely on it
    serve(port, tls, announce=printing.as_json)
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
