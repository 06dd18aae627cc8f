"""A way of delivering that chaos is tried on, and what it owes.

A form writes a destination and events, lets faults loose in its server, and at the end compares
three witnesses: the events, the ledger, and the server's own count of effects.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from child import CRASH_POINTS, Doom
from conduct import Conduct, plainly

import fieldpost

IN_FLIGHT = 8

# Passed only with what is left over from before: it was claimed by a run that died, or it waits.
LEFT_OVER = ("dispatcher.offer", "ledger.hold_unconfirmed")
# What leaves claims undecided: nothing of them was sent yet, or all came back and no outcome is
# written.
_LEAVE_CLAIMS = ("after ledger.advance", "after dispatcher.offer_new", "before ledger._settle")


def delivery(batching: str) -> str:
    """The destination's lines on how to deliver."""
    return (
        f"delivery: {{batching: {batching}, max_in_flight: {IN_FLIGHT}, timeout_s: 6,"
        " retry: {wait_initial_s: 0.02, wait_max_s: 0.2}}\n"
    )


@dataclass
class Tally:
    """What the witnesses say; `losses` tells each difference in words."""

    lost: int = 0
    doubled: int = 0
    unaccounted: int = 0
    unconfirmed: int = 0
    losses: list[str] = field(default_factory=list)

    def __iadd__(self, other: Tally) -> Self:
        self.lost += other.lost
        self.doubled += other.doubled
        self.unaccounted += other.unaccounted
        self.unconfirmed += other.unconfirmed
        self.losses += other.losses
        return self

    def note(self, what: str, count: int, words: str) -> None:
        if count:
            setattr(self, what, getattr(self, what) + count)
            self.losses.append(f"{what}: {words}: {count}")


class Form:
    """One destination and its server.

    replay_safe: what may have arrived is sent again without harm, so nothing may end `unconfirmed`,
    and every other round throws the ledger away between tries.
    """

    name = ""
    replay_safe = True
    conduct: ClassVar[Conduct] = staticmethod(plainly)
    early_deaths = 6  # tries of a round that end at a named point, if they reach it

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.file = folder / f"{self.name}.yaml"
        self.log = folder / f"{self.name}.log"
        self.round = 0
        self.broken_off = 0  # runs of this round that were killed, or had no disk to end on
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def points(self) -> list[str]:
        """The named points that its deliveries can pass.

        Where what a dead run had claimed is sent again, nothing of it is ever held.
        """
        return [one for one in CRASH_POINTS if not (self.replay_safe and "hold_unconf" in one)]

    @property
    def forgets(self) -> bool:
        """Whether this round's workers are thrown away with their ledgers."""
        return self.replay_safe and self.round % 2 == 0

    @property
    def events(self) -> Path:
        return self.folder / f"{self.name}-{self.round}.ndjson"

    @property
    def ledger(self) -> Path:
        return self.folder / f"{self.name}-{self.round}.db"

    def begin_round(self, count: int) -> None:
        """New events, a new ledger, a server that has seen nothing."""
        self.round += 1
        self.broken_off = 0
        with self.events.open("w") as file:
            for i in range(count):
                name = self.event_name(i)
                event = {"type": "track", "event": name, "messageId": self.event_id(i)}
                file.write(json.dumps(event) + "\n")
                seen = {"type": "page", "messageId": f"p-{self.round}-{i}"}
                file.write(json.dumps(seen) + "\n")
        self.let_loose(True)

    def event_id(self, i: int) -> str:
        return f"{self.name}-{self.round}-{i}"

    def event_name(self, _: int) -> str:
        return "Signed Up"

    def filtered(self, count: int) -> int:
        """How many (event, subscription) the filters refuse."""
        return count

    def forget(self) -> None:
        for file in self.folder.glob(self.ledger.name + "*"):
            file.unlink()

    def close(self) -> None:
        raise NotImplementedError

    def let_loose(self, faults: bool) -> None:
        raise NotImplementedError

    def way_to(self, point: str) -> list[Doom]:
        """How the first children of a round have to die for the next one to pass a point for sure.

        Undisturbed, with everything still to be delivered, a child passes nearly all of them. What
        needs something left over chance seldom reaches: where one step claims all there is and one
        request delivers it, few children die in between.
        """
        self.let_loose(False)
        return [Doom(self.chance.choice(_LEAVE_CLAIMS))] if point.endswith(LEFT_OVER) else []

    def stir(self) -> None:
        """More faults for the next try, where those that were let loose run out."""

    def starting(self) -> None:
        """A child is about to start."""

    def disturb(self, pid: int) -> None:
        """End a child that is at work, or take from it what it works with."""
        os.kill(pid, signal.SIGINT if self.chance.random() < 0.15 else signal.SIGKILL)

    def ended(self, code: int) -> int:
        """A child ended with a code; what that means for the round."""
        return code

    def cuts(self) -> int:
        """Connections cut since the form began."""
        raise NotImplementedError

    def unheard(self) -> int:
        """Calls of this round that were sent, and whose answer the server kept to itself."""
        return 0

    def most_in_flight(self) -> int:
        return 0

    def effects(self, tally: Tally) -> dict[str, int]:
        """Event id -> how often it took effect, by the server's own count."""
        raise NotImplementedError

    def compare(self, count: int) -> Tally:
        """Hold events, ledger and effects against each other when everything is decided."""
        self.let_loose(False)
        tally = Tally()
        effects = self.effects(tally)
        destination = fieldpost.Destination.from_file(self.file, ledger=self.ledger)
        rows = {row["event_id"]: row for row in destination.outcomes()}
        wanted = {self.event_id(i) for i in range(count)}
        stands = {key: row["outcome"] for key, row in rows.items()}
        delivered = {key for key, outcome in stands.items() if outcome == "delivered"}
        unsure = {key for key, outcome in stands.items() if outcome == "unconfirmed"}
        ill = [rows[key] for key in wanted & rows.keys() - delivered - unsure]
        tally.note("lost", len(wanted - stands.keys()), "events without an outcome")
        tally.note("lost", len(delivered - effects.keys()), "delivered, and nothing took effect")
        tally.note("lost", len(ill), f"neither delivered nor unconfirmed, {_told(ill)}")
        tally.note("doubled", sum(n - 1 for n in effects.values() if n > 1), "took effect twice")
        strangers = effects.keys() - delivered - unsure
        tally.note("unaccounted", len(strangers), "took effect, and the ledger does not say so")
        filtered = destination.status().to_dict()["filtered"] - self.filtered(count)
        tally.note("unaccounted", abs(filtered), "filtered events miscounted")
        too_many = max(0, self.most_in_flight() - IN_FLIGHT)
        tally.note("unaccounted", too_many, "more in flight than allowed")
        self._doubts([rows[key] for key in unsure], tally)
        return tally

    def _doubts(self, unsure: list[dict[str, Any]], tally: Tally) -> None:
        """Only what cannot be repeated may be in doubt, and only so much of it."""
        tally.unconfirmed = len(unsure)
        if self.replay_safe:
            tally.note("unaccounted", len(unsure), f"in doubt for no reason, {_told(unsure)}")
            return
        killed = Counter(row["run"] for row in unsure if "was killed" in row["message"])
        more = max(0, len(killed) - self.broken_off)
        tally.note("unaccounted", more, "runs left calls in doubt though nobody killed them")
        for calls in killed.values():  # each record is a call of its own here
            more = max(0, calls - 2 * IN_FLIGHT)
            tally.note("unaccounted", more, "more left in doubt by a kill than 2 x max_in_flight")
        silent = len(unsure) - killed.total() - self.unheard()
        tally.note("unaccounted", max(0, silent), "more in doubt than answers were kept back")


def _told(rows: Iterable[dict[str, Any]]) -> str:
    """The first few of them, for whoever has to find out why."""
    few = sorted({f"{row['outcome']} {row['code']} {row['message']}" for row in rows})[:3]
    return "; ".join(few)
