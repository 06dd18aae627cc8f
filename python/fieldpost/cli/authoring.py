"""The verbs of whoever writes a destination. Nothing is sent; some read the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

import fieldpost as fp
from fieldpost.terminal import line

from . import exit_code, one_event, options, preview_diff, printing, starter
from .command import (
    CsvOption,
    DestinationFile,
    LedgerOption,
    Output,
    OutputOption,
    Sources,
    command,
    open_destination,
    table_schema,
)


@command("init")
def init(
    kind: Annotated[starter.Kind, typer.Argument(help="The system to deliver to.")],
    folder: Annotated[Path, typer.Argument(help="Where the files go.")] = Path(),
    url: Annotated[str | None, typer.Option("--url", help="The address that events go to.")] = None,
) -> int:
    """Write a first destination file, with comments; of a webhook with an insert function."""
    try:
        written = starter.write(kind, folder, url)
    except FileExistsError as error:
        told = f" {error.filename} is there already and is not changed"
        printing.err.print(line(("error", "red"), told))
        return exit_code.CONFIGURATION
    for path in written:
        printing.out.print(line(f"wrote {path}"))
    printing.out.print(line(f"next: fieldpost check {written[0]}"))
    return exit_code.DONE


@command("check")
def check(
    destination: DestinationFile,
    events: Annotated[
        list[str] | None,
        typer.Option(
            "--events", metavar="SOURCE", help='Hold it against a sample; "-" for standard input.'
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="Events to read of the sample; 0 for all.")
    ] = 100_000,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 4 where it warns.")] = False,
    csv: CsvOption = None,
    output: OutputOption = Output.text,
) -> int:
    """Tell every mistake of a destination file; sends nothing."""
    if csv and not events:
        raise typer.BadParameter("--csv tells how --events is written, which is not given")
    sample = options.sources(events, csv) if events else None
    result = fp.check_file(destination, sample, limit=limit)
    if output is Output.json:
        printing.as_json(result.to_dict())
    else:
        printing.check(result, str(destination))
    if not result:
        return exit_code.CONFIGURATION
    return exit_code.EVENTS if strict and result.warnings else exit_code.DONE


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

    schema.pull(open_destination(destination), tables or [], everything, output is Output.json)
    return exit_code.DONE


@command("show", table_schema, looks=True)
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

    told = open_destination(destination).saved_schema.diff(fp.Schema.load(other) if other else None)
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


@command("explain", looks=True)
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
        printing.out.print(str(told))
    return exit_code.DONE


@command("preview", looks=True)
def preview(
    destination: DestinationFile,
    source: Sources = None,
    limit: Annotated[int, typer.Option(min=1, help="Events to show.")] = 5,
    csv: CsvOption = None,
    diff: Annotated[
        bool,
        typer.Option("--diff", help="Read the rows: what would change, how long it takes."),
    ] = False,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Show the exact requests of the first matching events; sends nothing."""
    rows = open_destination(destination, ledger).preview(
        options.sources(source, csv), limit, diff=diff
    )
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


@command("transform", looks=True)
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
    csv: CsvOption = None,
    output: OutputOption = Output.text,
) -> int:
    """Write the bodies of events as NDJSON, in a pipe; json: with positions. Sends nothing."""
    from . import transform as verb

    as_json = output is Output.json
    asked = verb.transformation(arguments or [], mapping, filter, dialect, subscription, csv)
    if against is not None:
        bare = mapping is not None or filter is not None
        return verb.against(asked, against, bare, shown, as_json)
    return verb.write(asked, as_json, errors)
