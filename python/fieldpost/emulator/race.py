"""Races on demand: two upserts of one new row that both find it missing before either writes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

TIMEOUT_S = 5.0


@dataclass(slots=True)
class Race:
    """Waits for its second runner; a lone one goes on after the timeout."""

    table: str
    arrived: int = 0
    both: asyncio.Event = field(default_factory=asyncio.Event)


class Races:
    """The races that are ordered, by table."""

    def __init__(self) -> None:
        self._races: list[Race] = []

    def add(self, table: str, times: int) -> None:
        """Let the next two upserts of an absent row of the table race, that many times."""
        self._races += [Race(table) for _ in range(times)]

    async def run(self, table: str) -> bool:
        """Called for an upsert of a missing row; true once it raced against another."""
        race = next((race for race in self._races if race.table == table), None)
        if race is None:
            return False
        race.arrived += 1
        if race.arrived == 2:
            self._races.remove(race)
            race.both.set()
            return True
        try:
            await asyncio.wait_for(race.both.wait(), TIMEOUT_S)
        except TimeoutError:
            if race in self._races:
                self._races.remove(race)
            return False
        return True

    def __bool__(self) -> bool:
        return bool(self._races)

    def clear(self) -> None:
        """Call off what has not begun."""
        self._races.clear()
