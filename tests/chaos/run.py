"""Deliver while everything breaks, until so many kills and cuts have been survived.

    python tests/chaos/run.py --kills 500 --cuts 500 [--seed 1] [--for 60] [--form auto] [--verbose]

Ends with one line: kills=… cuts=… lost=… doubled=… unaccounted=…; exit code 0 where the last three
are 0 and the numbers asked for were reached (with --for: whatever was reached in so many seconds).
The long form goes on with rounds for the named points that a form has not died at yet, and fails
where one stays out of reach. A short one tells how many it did not come to.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import child
from child import Doom, Task
from conduct import BUG, DONE
from dynamics_forms import Auto, Batched, BulkCreate, BulkUpsert, ChangeSet, DeepInsert
from form import Form, Tally
from message_forms import Qualified, Won, WonTogether
from points import Points
from troubled_forms import Ended, Forked, KeyedLostLedger, LostLedger, Unheard
from webhook_forms import KeyedWebhook, Webhook

FORMS: tuple[type[Form], ...] = (
    Webhook,
    DeepInsert,
    Forked,
    BulkCreate,
    Ended,
    KeyedWebhook,
    LostLedger,
    ChangeSet,
    Unheard,
    Batched,
    KeyedLostLedger,
    Auto,
    BulkUpsert,
    Won,
    WonTogether,
    Qualified,
)
_EVENTS = 120  # of a round
_LONGEST_S = 120  # that one child may take
_MORE_ROUNDS = 3  # at most, for each point that is still missing when the numbers are reached


class Chaos:
    """Rounds over all forms, and what became of them."""

    def __init__(
        self, kinds: list[type[Form]], folder: Path, seed: int, closing: ExitStack
    ) -> None:
        self.chance = random.Random(seed)
        self.forms: list[Form] = []
        for number, kind in enumerate(kinds):
            self.forms.append(kind(folder / kind.name, seed + number))
            closing.callback(self.forms[-1].close)
        self.points = Points(self.forms, self.chance)
        self.kills = 0
        self.rounds = 0
        self.tally = Tally()

    @property
    def cuts(self) -> int:
        return sum(form.cuts() for form in self.forms)

    def next_round(self, until_s: float) -> None:
        """A round of the form whose turn it is, which begins at a point that is missing."""
        form = self.forms[self.rounds % len(self.forms)]
        self.deliver(form, self.points.aim(form), until_s)

    def deliver(self, form: Form, aim: str, until_s: float = float("inf")) -> None:
        """One set of events, delivered by children that die, until all of it is decided.

        aim: where one of the first children has to die, if it matters.
        """
        self.rounds += 1
        form.begin_round(_EVENTS)
        if aim:
            for doom in [*form.way_to(aim), Doom(aim)]:
                self._end_at(form, doom)
            form.let_loose(True)
        for attempt in range(60):
            calm = attempt > 40 or time.monotonic() > until_s
            if calm:
                form.let_loose(False)
            if self._try(form, attempt < form.early_deaths, calm) == DONE:
                break
            if form.forgets:
                form.forget()
            if not calm and self.chance.random() < 0.5:
                form.stir()
        else:
            raise AssertionError(f"{form.name}: not decided after 60 tries; see {form.log}")
        found = form.compare(_EVENTS)
        found.losses = [f"{form.name} round {form.round}: {one}" for one in found.losses]
        self.tally += found
        print(f"round {self.rounds}: kills={self.kills} cuts={self.cuts}", flush=True)

    def _try(self, form: Form, early: bool, calm: bool) -> int:
        """One child, and what ended it."""
        dice = 1.0 if calm else self.chance.random() * (0.6 if early else 1.0)
        if dice < 0.03:
            form.broken_off += 1
            return self._wait_for(form, _start(form, room=self.chance.randrange(1, 60_000)))
        if dice < 0.6:
            return self._end_at(form, self.points.next(form))
        pid = _start(form)
        if not calm:
            time.sleep(self.chance.uniform(0.0, 0.3))
            form.disturb(pid)
        return form.ended(self._wait_for(form, pid))

    def _end_at(self, form: Form, doom: Doom) -> int:
        code = self._wait_for(form, _start(form, doom))
        if code == -signal.SIGKILL:
            self.points.reached(form, doom.at)
        return code

    def _wait_for(self, form: Form, pid: int) -> int:
        """Wait for a child, and count how it ended."""
        code = _ended(pid)
        self.kills += code == -signal.SIGKILL
        form.broken_off += code == -signal.SIGKILL
        if code == BUG or (code < 0 and code != -signal.SIGKILL):
            raise AssertionError(
                f"a child ended with {code}; see {form.log}\n{form.log.read_text()}"
            )
        return code


def _start(form: Form, doom: Doom | None = None, room: int = 0) -> int:
    form.starting()
    conduct = type(form).conduct
    return child.start(Task(form.file, form.events, form.ledger, form.log, conduct, doom, room))


def _ended(pid: int) -> int:
    """Wait for a child, which must not hang."""
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.alarm(_LONGEST_S)
    began = time.monotonic()
    code = child.wait(pid)
    signal.alarm(0)
    if time.monotonic() - began > _LONGEST_S - 1:
        raise AssertionError("a child hung and was ended")
    return code


def _survive(chaos: Chaos, wishes: argparse.Namespace) -> None:
    """Rounds until enough has been survived."""
    until_s = time.monotonic() + (wishes.seconds or float("inf"))

    def enough() -> bool:
        if wishes.seconds:
            return time.monotonic() >= until_s
        return bool(chaos.kills >= wishes.kills and chaos.cuts >= wishes.cuts)

    while not enough():
        chaos.next_round(until_s)
    if _wants_all(chaos, wishes):
        _reach_all(chaos)


def _reach_all(chaos: Chaos) -> None:
    """Rounds for the points that are still missing when the numbers are reached."""
    for _ in range(_MORE_ROUNDS):
        for form, point in chaos.points.missing():
            chaos.deliver(form, point)


def _wants_all(chaos: Chaos, wishes: argparse.Namespace) -> bool:
    """Whether each point has to be reached: where there are kills enough for all of them."""
    return not wishes.seconds and bool(wishes.kills >= chaos.points.pairs)


def _tell_missing(chaos: Chaos, all_wanted: bool) -> None:
    missing = chaos.points.missing()
    if all_wanted:
        for form, point in missing:
            print(f"nobody died at {form.name}: {point}")
    elif missing:
        print(f"not died at: {len(missing)} of {chaos.points.pairs} points, which --verbose tells")


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--cuts", type=int, default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--for", dest="seconds", type=float, default=0.0)
    names = [kind.name for kind in FORMS]
    parser.add_argument("--form", action="append", choices=names, help="only this one, or these")
    parser.add_argument("--folder", type=Path, help="where files stay; else a new one, then gone")
    parser.add_argument("--verbose", action="store_true", help="deaths by point and form")
    return parser.parse_args()


def main() -> int:
    wishes = _wishes()
    folder = wishes.folder or Path(tempfile.mkdtemp(prefix="fieldpost-chaos-"))
    print(f"seed {wishes.seed}, files in {folder}", flush=True)
    with ExitStack() as closing:
        kinds = [kind for kind in FORMS if not wishes.form or kind.name in wishes.form]
        chaos = Chaos(kinds, folder, wishes.seed, closing)
        _survive(chaos, wishes)
        cuts = chaos.cuts
    tally, all_wanted = chaos.tally, _wants_all(chaos, wishes)
    if wishes.verbose:
        print(chaos.points.table())
    for one in tally.losses:
        print(one)
    _tell_missing(chaos, all_wanted)
    print(f"unconfirmed and told: {tally.unconfirmed}")
    wrong = tally.lost + tally.doubled + tally.unaccounted
    if not wrong and not wishes.folder:
        shutil.rmtree(folder)
    print(
        f"kills={chaos.kills} cuts={cuts} lost={tally.lost} doubled={tally.doubled}"
        f" unaccounted={tally.unaccounted}"
    )
    return 1 if wrong or (all_wanted and chaos.points.missing()) else 0


if __name__ == "__main__":
    sys.exit(main())
