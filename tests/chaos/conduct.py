"""How a child delivers: plainly, while it forks, unheard, told to end, or with an account of it.

A conduct is called in a process of its own and returns one of the exit codes below; fieldpost's
errors and SystemExit are its caller's to read.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fieldpost

# Everything is decided; something waits; an error that names itself; a bug.
DONE, WAITING, TOLD, BUG = 0, 10, 11, 12

Conduct = Callable[[Path, Path, Path], int]  # destination, events, ledger

ENDS = (signal.SIGTERM, signal.SIGHUP)
_GRANDCHILD_S = 20  # a fork that hangs is ended


def plainly(file: Path, events: Path, ledger: Path) -> int:
    """Deliver, and nothing else."""
    destination = fieldpost.Destination.from_file(file, ledger=ledger)
    return _code_of(destination.deliver(events, progress=False))


def _code_of(report: fieldpost.Report) -> int:
    undecided = report.stopped or report.interrupted or report["waiting"]
    return WAITING if undecided else DONE


def and_fork(file: Path, events: Path, ledger: Path) -> int:
    """Deliver in a thread; meanwhile fork a child that tries to deliver too, and must be refused.

    A fork after the run's end is a process like any other.
    """
    destination = fieldpost.Destination.from_file(file, ledger=ledger)
    began, ended = threading.Event(), threading.Event()
    found: list[int | BaseException] = []

    def work() -> None:
        try:
            found.append(_code_of(destination.deliver(events, progress=lambda _: began.set())))
        except BaseException as error:
            found.append(error)
        ended.set()
        began.set()

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    time.sleep(random.uniform(0.0, 0.2))
    grandchild = os.fork()
    if grandchild == 0:
        os._exit(_try_beside(destination, file, events, ledger))
    was_at_work = not ended.is_set()
    code = os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1])
    thread.join()
    if code != TOLD and was_at_work:
        raise AssertionError(f"a fork of a process that delivers was not refused: {code}")
    if code not in (DONE, WAITING, TOLD):
        raise AssertionError(f"a fork failed: {code}")
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def _try_beside(destination: fieldpost.Destination, file: Path, events: Path, ledger: Path) -> int:
    """With what was inherited, or with a destination of the fork's own."""
    signal.alarm(_GRANDCHILD_S)
    try:
        if random.random() < 0.5:
            destination = fieldpost.Destination.from_file(file, ledger=ledger)
        return _code_of(destination.deliver(events, progress=False))
    except fieldpost.FieldpostError as error:
        print(f"the fork was told: {error}", flush=True)
        return TOLD
    except BaseException as error:
        print(f"the fork failed: {type(error).__name__} {error}", flush=True)
        return BUG


def unheard(file: Path, events: Path, ledger: Path) -> int:
    """The command line, whose standard streams are closed, full, or end in a broken pipe."""
    from fieldpost.cli import main

    for number in random.choice(((1,), (2,), (1, 2), (0, 1, 2))):
        _break(number, random.choice(("closed", "full", "pipe")))
    output = ["--output", "json"] if random.random() < 0.5 else []
    sys.argv = ["fieldpost", "deliver", *map(str, (file, events, "--ledger", ledger)), *output]
    try:
        main()
    except SystemExit as end:
        return _code_of_exit(end.code, file, ledger)
    return DONE


def _break(number: int, how: str) -> None:
    name = ("stdin", "stdout", "stderr")[number]
    if how == "closed" or number == 0:
        os.close(number)
        setattr(sys, name, None)  # as Python finds it when it starts
        return
    if how == "full":
        out = os.open("/dev/full", os.O_WRONLY)
    else:
        read, out = os.pipe()
        os.close(read)
    os.dup2(out, number)
    if out > 2:
        os.close(out)
    setattr(sys, name, os.fdopen(number, "w", closefd=False))


def _code_of_exit(code: Any, file: Path, ledger: Path) -> int:
    """What an exit code of the command line says, held against the ledger."""
    if code == 4:  # failures or waiting
        stands = fieldpost.Destination.from_file(file, ledger=ledger).status()
        return WAITING if stands.to_dict()["waiting"] else DONE
    known = {0: DONE, 2: TOLD, 5: WAITING, 129: WAITING, 130: WAITING, 143: WAITING}
    if code not in known:
        raise AssertionError(f"exit code {code}")
    return known[code]


def and_end_when_told(file: Path, events: Path, ledger: Path) -> int:
    """Deliver; a signal that comes before the run listens, or after it, is kept back."""
    destination = fieldpost.Destination.from_file(file, ledger=ledger)

    def advanced(_: fieldpost.Report) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)

    try:
        return _code_of(destination.deliver(events, progress=advanced))
    except SystemExit as end:
        return _code_of_exit(end.code, file, ledger)
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)


class _Account:
    """An observer that writes down what a run says of itself when it is over."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def began(self, _report: fieldpost.Report, _verb: str) -> None:
        pass

    def advanced(self, _report: fieldpost.Report) -> None:
        pass

    def ended(self, report: fieldpost.Report, error: BaseException | None) -> None:
        sent = re.search(r"(\d+) records? of this run had been sent", str(error))
        told = {"delivered": report["delivered"], "sent": int(sent[1]) if sent else 0}
        self._place.write_text(json.dumps(told))


def account_of(ledger: Path) -> Path:
    """Where the last run over a ledger says what it did."""
    return ledger.with_suffix(".account")


def and_account(file: Path, events: Path, ledger: Path) -> int:
    """Deliver; what the run says of itself outlives its ledger."""
    place = account_of(ledger)
    with contextlib.suppress(FileNotFoundError):
        place.unlink()
    destination = fieldpost.Destination.from_file(file, ledger=ledger)
    return _code_of(destination.deliver(events, progress=False, observers=[_Account(place)]))


def restore(file: Path, _events: Path, ledger: Path) -> int:
    """Put back what a run kept of the ledger that it lost."""
    [rescued] = rescued_of(ledger)
    fieldpost.Destination.from_file(file, ledger=ledger).restore(rescued)
    rescued.unlink()
    return DONE


def rescued_of(ledger: Path) -> list[Path]:
    """What runs kept of a ledger that was taken away."""
    return list(ledger.parent.glob(f"{ledger.name}.*.rescued"))
