"""The verbs of the ledger: what became of events, and what somebody found out."""

from __future__ import annotations

import enum
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

import fieldpost as fp
from fieldpost.terminal import line

from . import exit_code, kept_events, options, printing
from .command import (
    AllOption,
    DestinationFile,
    LedgerOption,
    LimitOption,
    Output,
    OutputOption,
    WhereOption,
    care,
    command,
    open_destination,
)


class SettledAs(enum.StrEnum):
    """What somebody may find out about an event."""

    delivered = "delivered"
    rejected = "rejected"
    ignored = "ignored"


@command("status", looks=True)
def status(
    destination: DestinationFile, output: OutputOption = Output.text, ledger: LedgerOption = None
) -> int:
    """Count the ledger's events, each once, by its current outcome."""
    told = open_destination(destination, ledger).status()
    if output is Output.json:
        printing.as_json(told.to_dict())
    else:
        printing.status(told, str(destination))
    return exit_code.DONE


@command("monitor", looks=True)
def monitor(
    destination: DestinationFile,
    every: Annotated[str, typer.Option("--every", help="How often to look.")] = "2s",
    time_limit: Annotated[
        str | None, typer.Option("--for", help="Stop after so long, such as 10m.")
    ] = None,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Watch where the events stand while runs are at work; Ctrl-C or SIGTERM ends it."""
    every_s = options.seconds(every, "--every") or 0.0
    looks = open_destination(destination, ledger).monitor(
        max(every_s, 0.1), options.seconds(time_limit, "--for")
    )
    with suppress(KeyboardInterrupt, fp.Terminated):
        if output is Output.json:
            for look in looks:
                printing.as_json(look.to_dict())
        else:
            printing.glances(looks)
    return exit_code.DONE


@command("outcomes", looks=True)
def outcomes(
    destination: DestinationFile,
    where: WhereOption = None,
    event_ids: Annotated[
        list[str] | None,
        typer.Option("--event-id", help="Show all that is known of this event; may be repeated."),
    ] = None,
    limit: LimitOption = None,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """List what became of each event, one object per line with --output json."""
    chosen = "" if where is None else options.stated(where)
    opened = open_destination(destination, ledger)
    rows = opened.outcomes(chosen, event_ids or None, limit=limit, kept=bool(event_ids))
    if output is Output.json:
        for row in rows:
            printing.as_json(row)
    elif event_ids:
        kept_events.show(rows, event_ids)
    else:
        printing.outcomes(rows)
    return exit_code.DONE


@command("failures", looks=True)
def failures(
    destination: DestinationFile,
    limit: LimitOption = None,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """List what somebody has to look at, by reason, and what to do."""
    groups = open_destination(destination, ledger).failures(limit or 1000)
    if output is Output.json:
        printing.as_json(groups)
    else:
        printing.failures(groups, str(destination))
    return exit_code.DONE


@command("settle")
def settle(
    destination: DestinationFile,
    outcome: Annotated[SettledAs, typer.Option("--as", help="What somebody found out.")],
    where: WhereOption = None,
    everything: AllOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Set the outcome of what fits a condition, after somebody looked; sends nothing."""
    chosen = options.condition(where, everything)
    events = open_destination(destination, ledger).settle(chosen, outcome.value, dry_run)
    if output is Output.json:
        printing.as_json({"settled": events, "as": outcome.value, "dry_run": dry_run})
    else:
        told = "would be settled" if dry_run else "settled"
        printing.out.print(f"{events:,} {told} as {outcome.value}")
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
    told = open_destination(destination, ledger).prune(age_s or 0.0, dry_run)
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
    open_destination(destination, ledger).backup(copy)
    printing.out.print(line(f"wrote {copy}"))
    return exit_code.DONE


@command("restore", care)
def restore(
    destination: DestinationFile,
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="A backup of the ledger.")],
    output: OutputOption = Output.text,
    ledger: LedgerOption = None,
) -> int:
    """Put a copy in the place of the ledger's file, and tell what may be sent again."""
    told = open_destination(destination, ledger).restore(copy)
    if output is Output.json:
        printing.as_json(told)
    else:
        printing.restored(told)
    return exit_code.DONE


@command("migrate", care)
def migrate(destination: DestinationFile, ledger: LedgerOption = None) -> int:
    """Take the ledger to this version's schema; every verb that writes does so by itself."""
    before, now = open_destination(destination, ledger).migrate()
    printing.out.print(f"schema {now}" if before == now else f"schema {before}, now {now}")
    return exit_code.DONE
