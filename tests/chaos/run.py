"""Deliver while everything breaks, until so many kills and cuts have been survived.

    python tests/chaos/run.py --kills 500 --cuts 500 [--seed 1] [--for 60]

Ends with one line: kills=… cuts=… lost=… doubled=… unaccounted=…; exit code 0 where the last three
are 0 and the numbers asked for were reached (with --for: whatever was reached in so many seconds).
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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import child
from forms import FORMS, IN_FLIGHT, Form, Tally

_EVENTS = 120  # of a round
_LONGEST_S = 120  # that one child may take
_FULL_DISK = 0.03  # share of tries that run out of disk


class Chaos:
    """Rounds over all forms, and what became of them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.forms = [kind(folder / kind.name, seed + i) for i, kind in enumerate(FORMS)]
        self.kills = 0
        self.tally = Tally()
        self.points = 0  # how many named points were asked for

    def close(self) -> None:
        for form in self.forms:
            form.close()

    @property
    def cuts(self) -> int:
        return sum(form.cuts() for form in self.forms)

    def round(self, form: Form, until_s: float) -> None:
        """One set of events, delivered by children that die, until all of it is decided."""
        form.begin_round(_EVENTS)
        kills = 0
        for attempt in range(60):
            calm = attempt > 40 or time.monotonic() > until_s
            if calm:
                form.let_loose(False)
            code = self._try(form, calm)
            kills += code == -signal.SIGKILL
            if code == child.BUG:
                raise AssertionError(f"a child failed; see {form.log}\n{form.log.read_text()}")
            if code == child.DONE:
                break
            if form.forgets and code != child.DONE:
                form.forget()
            elif not calm and self.chance.random() < 0.5:
                form.stir()
        else:
            raise AssertionError(f"{form.name}: not decided after 60 tries; see {form.log}")
        self.kills += kills
        found = form.compare(_EVENTS)
        most = kills * 2 * IN_FLIGHT + form.unheard()
        if found.unconfirmed > most:
            found.note("unaccounted", found.unconfirmed - most, "too many unconfirmed")
        found.losses = [f"{form.name} round {form.round}: {one}" for one in found.losses]
        self.tally += found

    def _try(self, form: Form, calm: bool) -> int:
        doom: dict[str, object] = {}
        dice = self.chance.random()
        random_kill = False
        if calm:
            pass
        elif dice < _FULL_DISK:
            doom = {"room": self.chance.randrange(1, 60_000)}
        elif dice < 0.5:
            point = child.CRASH_POINTS[self.points % len(child.CRASH_POINTS)]
            self.points += 1
            doom = {"at": point, "hit": self.chance.choice((1, 1, 2, 3, 7))}
        else:
            random_kill = True
        pid = child.start(form.file, form.events, form.ledger, form.log, **doom)
        if random_kill:
            time.sleep(self.chance.uniform(0.0, 0.4))
            os.kill(pid, signal.SIGKILL)
        return _ended(pid)


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--cuts", type=int, default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--for", dest="seconds", type=float, default=0.0)
    parser.add_argument("--folder", type=Path)
    wishes = parser.parse_args()
    folder = wishes.folder or Path(tempfile.mkdtemp(prefix="fieldpost-chaos-"))
    print(f"seed {wishes.seed}, files in {folder}", flush=True)
    chaos = Chaos(folder, wishes.seed)
    until_s = time.monotonic() + (wishes.seconds or float("inf"))
    cuts = 0
    try:
        number = 0
        while time.monotonic() < until_s and (
            wishes.seconds or chaos.kills < wishes.kills or cuts < wishes.cuts
        ):
            chaos.round(chaos.forms[number % len(chaos.forms)], until_s)
            number += 1
            cuts = chaos.cuts
            print(f"round {number}: kills={chaos.kills} cuts={cuts}", flush=True)
    finally:
        chaos.close()
    tally = chaos.tally
    for one in tally.losses:
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
