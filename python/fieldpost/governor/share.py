"""The numbers that governors and the core exchange."""

from __future__ import annotations

from typing import NamedTuple

from .opening import Opening


class Load(NamedTuple):
    """What a process does to a target now. started: requests so far; held_s: the wait it was told
    to make that is left; opening: its open breaker; well: when an answer last showed that the
    target is at work, None for never. Both in seconds of the monotonic clock."""

    in_flight: int = 0
    started: int = 0
    held_s: float = 0.0
    opening: Opening | None = None
    well: float | None = None


class Share(NamedTuple):
    """What a process may do. requests: in its window; starts: requests in all, None for no bound;
    hold_s: nothing starts for so long; follow: another process found the target failing, times as
    in `Load`; release: that is over."""

    calls: int = 0
    requests: int = 0
    starts: int | None = None
    hold_s: float = 0.0
    follow: Opening | None = None
    release: bool = False
