"""Processes that share a target: their parts never add up to more than it allows."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from fieldpost.governor import Shared
from fieldpost.governor.host import HostGovernor
from postgres_server import wait_until


@dataclass
class Numbers:
    """What a dispatcher tells a governor, and is told by it."""

    in_flight: int = 0
    started: int = 0
    held_s: float = 0.0
    allowed: int = -1
    requests: int = -1

    starts: int = -1

    def allow(self, max_in_flight: int, requests_per_window: int, starts: int = -1) -> None:
        self.allowed, self.requests, self.starts = max_in_flight, requests_per_window, starts

    def hold(self, seconds: float) -> None:
        self.held_s = seconds


class Member:
    def __init__(self, path: Path, most: int = 16, requests: int = 0, window_s: float = 1.0):
        self.governor = HostGovernor(path, most, requests, window_s)
        self.numbers = Numbers()

    def steer(self) -> Numbers:
        self.governor._next_s = 0.0
        Shared([self.governor]).steer(self.numbers)  # type: ignore[arg-type]
        return self.numbers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "share"


def test_one_alone_has_everything(path: Path) -> None:
    one = Member(path, 16, 20, 2.0)
    assert one.steer().allowed == 16
    assert one.numbers.requests == 20


def test_two_divide_what_is_in_flight_and_only_when_it_has_ended(path: Path) -> None:
    one = Member(path)
    one.steer()
    one.numbers.in_flight = 16
    two = Member(path)
    assert two.steer().allowed == 0, "all are out"
    assert one.steer().allowed == 8
    assert two.steer().allowed == 0, "they still are"
    one.numbers.in_flight = 11
    one.steer()
    assert two.steer().allowed == 5
    one.numbers.in_flight = 3
    one.steer()
    assert two.steer().allowed == 8


def test_who_leaves_gives_back(path: Path) -> None:
    one, two = Member(path), Member(path)
    one.steer()
    two.steer()
    assert one.steer().allowed == 8
    two.governor.close()
    assert one.steer().allowed == 16


def test_seven_processes_never_have_more_than_all_together(path: Path) -> None:
    members = [Member(path) for _ in range(7)]
    for _ in range(3):
        for one in members:
            one.steer()
    assert sum(one.numbers.allowed for one in members) <= 16
    assert all(one.numbers.allowed >= 1 for one in members)


def test_the_starts_of_others_count_in_the_window(path: Path) -> None:
    one = Member(path, 16, 20, 30.0)
    one.steer()
    one.numbers.started = 20
    one.steer()
    two = Member(path, 16, 20, 30.0)
    assert two.steer().requests == 0
    assert one.steer().requests == 10
    one.governor.close()
    assert two.steer().requests == 0, "what was used stays used for a window"


def test_what_was_used_is_free_after_a_window(path: Path) -> None:
    one = Member(path, 16, 20, 0.2)
    one.numbers.started = 20
    one.steer()
    one.governor.close()
    two = Member(path, 16, 20, 0.2)
    wait_until(lambda: two.steer().requests == 20)


def test_a_wait_is_everybody_s(path: Path) -> None:
    one, two = Member(path), Member(path)
    one.numbers.held_s = 60.0
    began = time.monotonic()
    one.steer()
    held_s = two.steer().held_s
    assert 60.0 - (time.monotonic() - began) - 0.1 <= held_s <= 60.1


def test_a_killed_process_gives_everything_back(path: Path) -> None:
    holder = (
        "import sys, time\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from test_governor import Member\n"
        "member = Member(Path(sys.argv[1]))\n"
        "member.steer()\n"
        "print(member.numbers.allowed, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", holder, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "16\n"
        one = Member(path)
        assert one.steer().allowed == 0
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    assert one.steer().allowed == 16
