"""Deliver while everything breaks, until so many kills and cuts have been survived.

    python tests/chaos/run.py --kills 500 --cuts 500 [--seed 1] [--for 60] [--verbose]

Ends with one line: kills=… cuts=… lost=… doubled=… unaccounted=…; exit code 0 where the last three
are 0 and the numbers asked for were reached (with --for: whatever was reached in so many seconds).
The long form goes on for a few more rounds where a form has not died at each named point yet, and
tells which it never reached: whether a run passes a point is up to chance.
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
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import child
from dynamics_forms import Auto, Batched, BulkCreate, BulkUpsert, ChangeSet, DeepInsert
from form import Form, Tally
from points import Points
from webhook_forms import KeyedWebhook, Webhook

FORMS: tuple[type[Form], ...] = (
    Webhook,
    DeepInsert,
    BulkCreate,
    KeyedWebhook,
    ChangeSet,
    Batched,
    Auto,
    BulkUpsert,
)
_EVENTS = 120  # of a round
_EARLY_DEATHS = 6  # tries of a round that end at a named point, if they reach it
_LONGEST_S = 120  # that one child may take
_MORE_ROUNDS = 4  # of each form, for points that are still missing when the numbers are reached


class Chaos:
    """Rounds over all forms, and what became of them."""

    def __init__(self, folder: Path, seed: int, closing: ExitStack) -> None:
        self.chance = random.Random(seed)
        self.forms: list[Form] = []
        for number, kind in enumerate(FORMS):
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
        """One set of events, delivered by children that die, until all of it is decided."""
        form = self.forms[self.rounds % len(self.forms)]
        self.rounds += 1
        form.begin_round(_EVENTS)
        for attempt in range(60):
            calm = attempt > 40 or time.monotonic() > until_s
            if calm:
                form.let_loose(False)
            code = self._try(form, attempt < _EARLY_DEATHS, calm)
            self.kills += code == -signal.SIGKILL
            if code == child.BUG:
                raise AssertionError(f"a child failed; see {form.log}\n{form.log.read_text()}")
            if code == child.DONE:
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

    def _try(self, form: Form, early: bool, calm: bool) -> int:
        """One child, and what ended it."""
        dice = 1.0 if calm else self.chance.random() * (0.6 if early else 1.0)
        if dice < 0.03:
            return _ended(_start(form, room=self.chance.randrange(1, 60_000)))
        if dice < 0.6:
            point, hit = self.points.next(form)
            code = _ended(_start(form, at=point, hit=hit))
            if code == -signal.SIGKILL:
                self.points.reached(form, point)
            return code
        pid = _start(form)
        if not calm:
            time.sleep(self.chance.uniform(0.0, 0.3))
            os.kill(pid, signal.SIGINT if dice < 0.66 else signal.SIGKILL)
        return _ended(pid)


def _start(form: Form, **doom: object) -> int:
    return child.start(form.file, form.events, form.ledger, form.log, **doom)


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


def _goal(chaos: Chaos, wishes: argparse.Namespace, until_s: float) -> Callable[[], bool]:
    """Whether enough has been survived."""
    if wishes.seconds:
        return lambda: time.monotonic() >= until_s
    most_rounds: int | None = None

    def reached() -> bool:
        nonlocal most_rounds
        if chaos.kills < wishes.kills or chaos.cuts < wishes.cuts:
            return False
        if most_rounds is None:
            most_rounds = chaos.rounds + _MORE_ROUNDS * len(chaos.forms)
        done = not (_wants_all(chaos, wishes) and chaos.points.missing())
        return done or chaos.rounds >= most_rounds

    return reached


def _wants_all(chaos: Chaos, wishes: argparse.Namespace) -> bool:
    """Whether each point has to be reached: where there are kills enough for all of them."""
    return not wishes.seconds and bool(wishes.kills >= chaos.points.pairs)


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--cuts", type=int, default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--for", dest="seconds", type=float, default=0.0)
    parser.add_argument("--folder", type=Path, help="where files stay; else a new one, then gone")
    parser.add_argument("--verbose", action="store_true", help="deaths by point and form")
    return parser.parse_args()


def main() -> int:
    wishes = _wishes()
    folder = wishes.folder or Path(tempfile.mkdtemp(prefix="fieldpost-chaos-"))
    print(f"seed {wishes.seed}, files in {folder}", flush=True)
    until_s = time.monotonic() + (wishes.seconds or float("inf"))
    with ExitStack() as closing:
        chaos = Chaos(folder, wishes.seed, closing)
        enough = _goal(chaos, wishes, until_s)
        while not enough():
            chaos.next_round(until_s)
            print(f"round {chaos.rounds}: kills={chaos.kills} cuts={chaos.cuts}", flush=True)
        cuts = chaos.cuts
    tally = chaos.tally
    if wishes.verbose:
        print(chaos.points.table())
    missing = chaos.points.missing() if _wants_all(chaos, wishes) else []
    for one in [*tally.losses, *(f"nobody died at {point}" for point in missing)]:
        print(one)
    print(f"unconfirmed and told: {tally.unconfirmed}")
    wrong = tally.lost + tally.doubled + tally.unaccounted
    if not wrong and not wishes.folder:
        shutil.rmtree(folder)
    print(
        f"kills={chaos.kills} cuts={cuts} lost={tally.lost} doubled={tally.doubled}"
        f" unaccounted={tally.unaccounted}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
