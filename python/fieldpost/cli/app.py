"""The command `fieldpost`. A verb reads its arguments, calls the library and prints."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

import fieldpost as fp

from . import authoring, delivering, exit_code, guide, printing, remembering, streams
from .command import Output, OutputOption, app, command

VERBS = (authoring, delivering, remembering)  # each made its own when it was imported


@command("emulator")
def emulator(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    tls: Annotated[bool, typer.Option("--tls", help="https, with a CA of its own.")] = False,
    output: OutputOption = Output.text,
) -> int:
    """Serve a local Dynamics 365 until SIGTERM; the first line tells how to reach it, as JSON."""
    from fieldpost.emulator import serve

    def announce(details: Any) -> None:
        printing.as_json(details)  # either way: scripts rely on it
        if output is Output.text:
            guide.show(details)

    try:
        serve(port, tls, announce=announce)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise fp.FieldpostError("E738", _NO_PORT, str(port), _ANOTHER_PORT) from error
    return exit_code.DONE


_NO_PORT = "the port cannot be served: another program has it, or it is not ours to take"
_ANOTHER_PORT = "name another one with --port, or 0 for any that is free"


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


def run() -> NoReturn:
    """Do what the arguments ask for, and end the process."""
    if os.environ.get("NO_COLOR"):
        import typer.rich_utils

        typer.rich_utils.COLOR_SYSTEM = None  # bold and dim are colours too
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, fp.Terminated.rise)
    try:
        app()
    except SystemExit as end:
        _leave(end)
    raise AssertionError("a verb has an exit code")


def _leave(end: SystemExit) -> NoReturn:
    """End the process, also where a thread hangs that was told to end."""
    if isinstance(end.code, int) and any(
        one.name.startswith("fieldpost-") for one in threading.enumerate()
    ):
        for stream in (streams.results(), sys.stdout, sys.stderr):
            stream.flush()
        os._exit(end.code)
    raise end
