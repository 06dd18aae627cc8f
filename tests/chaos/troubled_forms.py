"""Posts by processes in trouble: they fork, their streams are closed, they are told to end, or
their ledger is deleted or replaced while they deliver."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import ClassVar

import child
from child import Task
from conduct import (
    DONE,
    ENDS,
    TOLD,
    WAITING,
    Conduct,
    account_of,
    and_account,
    and_end_when_told,
    and_fork,
    plainly,
    rescued_of,
    restore,
    unheard,
)
from form import IN_FLIGHT, Tally
from webhook_forms import KeyedWebhook, Webhook

_UNTIL_AT_WORK_S = 5.0  # a child that does nothing for so long is left in peace


class Forked(Webhook):
    """A thread delivers; its process forks children that try to deliver as well."""

    name = "forked"
    conduct: ClassVar[Conduct] = staticmethod(and_fork)
    early_deaths = 2


class Unheard(Webhook):
    """The command line with standard streams that are closed, full or broken."""

    name = "unheard"
    conduct: ClassVar[Conduct] = staticmethod(unheard)
    early_deaths = 2


class Ended(Webhook):
    """Told to end (SIGTERM, SIGHUP): what is on its way is settled, nothing is in doubt for it."""

    name = "ended"
    conduct: ClassVar[Conduct] = staticmethod(and_end_when_told)
    early_deaths = 2

    def disturb(self, pid: int) -> None:
        os.kill(pid, self.chance.choice(ENDS))


class KeyedLostLedger(KeyedWebhook):
    """The ledger is deleted or replaced while a run is at work; the keys keep effects single."""

    name = "keyed-lost"
    early_deaths = 2

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self._lost = LedgerLoss(self)

    def starting(self) -> None:
        self._lost.begin()

    def disturb(self, pid: int) -> None:
        self._lost.take(pid)

    def ended(self, code: int) -> int:
        if not self._lost.noticed():
            return code
        self._lost.mend(code)
        return WAITING


class LostLedger(Webhook):
    """The same without keys: what the run kept of the ledger is put back, or all begins anew.

    The run stops sending, what it sent took effect once, and it says how much that was.
    With its memory put back nothing is sent twice. Without it a new ledger knows nothing, so the
    server's count begins anew as well.
    """

    name = "lost"
    conduct: ClassVar[Conduct] = staticmethod(and_account)
    early_deaths = 2

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self._lost = LedgerLoss(self)
        self._found = Tally()

    def starting(self) -> None:
        self._lost.begin()

    def disturb(self, pid: int) -> None:
        self._lost.take(pid)

    def ended(self, code: int) -> int:
        if not self._lost.noticed():
            return code
        if code == TOLD:
            self._hold_to_account()
        if not self._lost.mend(code):
            self.begin_anew()
        return WAITING

    def _hold_to_account(self) -> None:
        effects = self.effects(self._found)
        told = json.loads(account_of(self.ledger).read_text())
        since = sum(effects.values()) - self._lost.before
        after = sum(effects.values()) - self._lost.at_loss
        note = self._found.note
        note("doubled", sum(n - 1 for n in effects.values()), "twice when a ledger was lost")
        note("unaccounted", max(0, after - 2 * IN_FLIGHT), "sent on after the ledger was lost")
        note("unaccounted", max(0, told["delivered"] - since), "told as delivered, and not there")
        silent = since - told["sent"]
        note(
            "unaccounted", max(0, silent), "arrived under a lost ledger, and the run told of fewer"
        )

    def compare(self, count: int) -> Tally:
        found = super().compare(count)
        found += self._found
        self._found = Tally()
        return found


class LedgerLoss:
    """Takes a ledger from the run that works with it, and puts it back or lets all begin anew.

    before, at_loss: how many effects the server counted when the run began, and after the loss.
    """

    def __init__(self, form: Webhook) -> None:
        self._form = form
        self._copy = form.folder / "empty.db"
        self._taken = False
        self._way = ""
        self.before = self.at_loss = 0

    def begin(self) -> None:
        """A child is about to start."""
        self.before = self._effects()

    def take(self, pid: int) -> None:
        """Wait until the child has sent something, then delete or replace its ledger.

        Another run that begins meanwhile has to be refused: it would know nothing.
        """
        until_s = time.monotonic() + _UNTIL_AT_WORK_S
        while self._effects() == self.before and time.monotonic() < until_s:
            if _has_ended(pid):
                return
            time.sleep(0.005)
        self._way = self._form.chance.choice(("deleted", "deleted with all beside it", "replaced"))
        if self._way == "replaced":
            self._replace()
        elif self._way == "deleted":
            self._form.ledger.unlink(missing_ok=True)
        else:
            self._form.forget()
        self._taken = True
        self.at_loss = self._effects()
        if not _has_ended(pid) and self._form.chance.random() < 0.5:
            child.wait(child.start(self._task(plainly)))

    def noticed(self) -> bool:
        """Whether the run that ended had lost its ledger; says so once."""
        taken, self._taken = self._taken, False
        return taken

    def mend(self, code: int) -> bool:
        """Whether what the run remembered is put back. One that had ended before kept nothing."""
        if code == TOLD and self._form.chance.random() < 0.7:
            if child.wait(child.start(self._task(restore))) != DONE:
                raise AssertionError(f"nothing was put back; see {self._form.log}")
            return True
        for one in rescued_of(self._form.ledger):
            one.unlink()
        if code != TOLD or self._way == "replaced" or self._form.chance.random() < 0.5:
            self._form.forget()  # what was put in place has the journal of another beside it
        return False

    def _effects(self) -> int:
        return sum(self._form.effects(Tally()).values())

    def _task(self, conduct: Conduct) -> Task:
        form = self._form
        return Task(form.file, form.events, form.ledger, form.log, conduct)

    def _replace(self) -> None:
        """By one that knows of nothing."""
        form = self._form
        if not self._copy.exists():
            nothing = form.folder / "nothing.ndjson"
            nothing.write_text("")
            child.wait(child.start(Task(form.file, nothing, self._copy, form.log)))
        new = form.folder / "new.db"
        shutil.copyfile(self._copy, new)
        new.replace(form.ledger)


def _has_ended(pid: int) -> bool:
    """Without taking its exit code."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
