"""What every verb is made with: how it is registered, and the arguments that many take."""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

import fieldpost as fp

from . import exit_code, printing, streams

WRITE, DELIVER, LOOK, MORE = "Write a destination", "Deliver", "Look at what happened", "More"
_PANELS = {
    WRITE: "init check explain preview test transform",
    DELIVER: "test-connection connect deliver replay settle enable disable",
    LOOK: "status monitor outcomes failures",
    MORE: "emulator demo",
}
_PANEL_OF = {name: panel for panel, names in _PANELS.items() for name in names.split()}


class _Plain:
    """A command whose help says in plain words what an option takes, and of a flag nothing."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its parameters."""
        found: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for one in found:
            if one.param_type_name == "option" and one.metavar is None:
                one.metavar = "" if getattr(one, "is_flag", False) else _word(one)
        return found


def _word(option: Any) -> str | None:
    """The word for what an option takes; None where its choices tell, or Typer does not say."""
    kind = getattr(option, "type_descriptor", None)
    if kind is None or kind.is_choice:
        return None
    if kind.is_ranged:
        return "N"
    return "PATH" if kind.is_path else "TEXT"


class _Verb(_Plain, typer.core.TyperCommand):
    pass


class _Verbs(_Plain, typer.core.TyperGroup):
    pass


app = typer.Typer(
    name="fieldpost",
    cls=_Verbs,
    help="Deliver customer events: filtered, mapped, each of them once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


care = typer.Typer(cls=_Verbs, no_args_is_help=True)
app.add_typer(care, name="ledger", help="Look after the memory between runs.", rich_help_panel=MORE)


table_schema = typer.Typer(cls=_Verbs, no_args_is_help=True)
app.add_typer(
    table_schema,
    name="schema",
    help="What an environment's tables are made of.",
    rich_help_panel=WRITE,
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
CsvOption = Annotated[
    list[str] | None,
    typer.Option(
        "--csv",
        metavar="KEY=VALUE",
        help="How CSV is written: delimiter, encoding, decimal or header. May be repeated.",
    ),
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="text, or json for scripts.")]
LedgerOption = Annotated[
    str | None,
    typer.Option("--ledger", help="A file or postgresql://…; wins over the destination's."),
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="Show so many at most.")]
WhereOption = Annotated[
    str | None, typer.Option("--where", help="SQL over the columns, e.g. outcome = 'rejected'.")
]
AllOption = Annotated[bool, typer.Option("--all", help="All of the ledger, instead of --where.")]


def command(
    name: str, group: typer.Typer = app, *, looks: bool = False
) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """A verb whose function returns its exit code and may raise fieldpost's errors.

    looks: it changes nothing, and ends when nobody reads its results any more.
    """

    def register(function: Callable[..., int]) -> Callable[..., None]:
        @wraps(function)
        def verb(*args: Any, **options: Any) -> None:
            with streams.kept_apart(looks=looks):
                code = _guarded(lambda: function(*args, **options))
            raise typer.Exit(_printed(code, looks))

        panel = _PANEL_OF.get(name) if group is app else None
        group.command(name, cls=_Verb, rich_help_panel=panel)(verb)
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
    except fp.Terminated as ended:
        return int(ended.code or 0)
    except streams.ReaderLeft:
        return exit_code.DONE


def _printed(code: int, looks: bool) -> int:
    """The exit code when all is printed: a full disk takes a verb's results, not what it did."""
    fault = streams.fault()
    if fault is None:
        return code
    printing.error(fp.FieldpostError("E737", _FULL, fault.strerror or "", _ELSEWHERE))
    return exit_code.CONFIGURATION if looks and code == exit_code.DONE else code


_FULL = "not all results could be written to standard output"
_ELSEWHERE = "what a run did is in the ledger: `fieldpost status`, `fieldpost failures`"


def open_destination(destination: Path, ledger: str | None = None) -> fp.Destination:
    """The destination of a verb's arguments."""
    return fp.Destination.from_file(destination, ledger=ledger)
