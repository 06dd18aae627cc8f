"""Processes that share a target: their parts never add up to more than it allows."""

from __future__ import annotations

import errno
import math
import os
import signal
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from fieldpost.config import parse
from fieldpost.governor import Alone, Shared, host, open_governor
from fieldpost.governor.host import HostGovernor, open_host_governor
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


def test_a_folder_that_is_not_ours_alone_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = tmp_path / f"fieldpost-{os.geteuid()}"
    folder.mkdir(mode=0o700)
    folder.chmod(0o755)
    with pytest.raises(PermissionError, match="not this user's alone"):
        open_host_governor("a", 4, 0, 1.0)
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to("elsewhere")
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        open_host_governor("a", 4, 0, 1.0)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of other users")
def test_a_folder_and_a_file_of_somebody_else_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path / "theirs"
    runtime.mkdir(mode=0o700)
    os.chown(runtime, 12345, 12345)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    open_host_governor("a", 4, 0, 1.0).close()
    assert list(runtime.iterdir()) == [], "as after sudo: it is of who called"
    ours = tmp_path / "fieldpost-0"
    os.chown(ours / "a.share", 12345, 12345)
    with pytest.raises(PermissionError, match="no file of this user"):
        open_host_governor("a", 4, 0, 1.0)
    os.chown(ours, 12345, 12345)
    with pytest.raises(PermissionError, match="not this user's alone"):
        open_host_governor("b", 4, 0, 1.0)


@pytest.mark.parametrize("kind", ["link", "second name", "pipe"])
def test_a_prepared_file_leads_nowhere(path: Path, tmp_path: Path, kind: str) -> None:
    diary = tmp_path / "diary.txt"
    diary.write_text("Dear diary\n")
    if kind == "link":
        path.symlink_to(diary)
    elif kind == "second name":
        path.hardlink_to(diary)
    else:
        os.mkfifo(path)
    with pytest.raises(OSError, match=r"symbolic links|no file of this user"):
        Member(path)
    assert diary.read_text() == "Dear diary\n"


def test_where_nothing_can_be_shared_a_run_is_told_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "fieldpost").symlink_to(tmp_path)
    config = parse(
        "name: a\ntype: webhook\nurl: https://host.example/\nsubscriptions: [{name: b}]\n"
    )
    assert isinstance(open_governor(config, "https://host.example"), Alone)
    assert [one.levelname for one in caplog.records] == ["WARNING"]
    assert "limits are not shared" in caplog.text


@pytest.mark.parametrize(
    ("failing", "reason"),
    [("pwrite", errno.ENOSPC), ("pwrite", errno.EDQUOT), ("pread", errno.EIO)],
)
def test_a_disk_that_fails_costs_the_sharing_and_not_the_run(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failing: str,
    reason: int,
) -> None:
    one = Member(path, 16, 20, 30.0)
    one.steer()
    one.numbers.started, one.numbers.held_s = 5, 60.0

    def fail(*_args: object) -> None:
        raise OSError(reason, os.strerror(reason))

    with monkeypatch.context() as patched:
        patched.setattr(os, failing, fail)
        one.steer()
        one.steer()
    assert (one.numbers.allowed, one.numbers.requests, one.numbers.starts) == (16, 20, -1)
    assert [line.levelname for line in caplog.records] == ["WARNING"]
    assert Member(path).steer().allowed == 16, "the others have its part"
    one.governor.close()


def test_a_full_disk_is_met_before_anything_is_shared(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", fail)
    with pytest.raises(OSError, match="No space"):
        Member(path)


def test_numbers_that_cannot_be_true_are_not_believed(path: Path) -> None:
    one = Member(path, 16, 20, 30.0)
    now_s = time.monotonic()
    for untrue in (now_s + 365 * 86_400, math.inf, math.nan, -1e300):
        path.write_bytes(struct.pack("=d", untrue).ljust(4096, b"\xff"))
        assert one.steer().held_s == 0.0
        assert one.numbers.requests >= 1, "a window of starts below nothing"
    one.numbers.held_s = 60.0
    path.write_bytes(struct.pack("=d", math.inf).ljust(4096, b"\0"))
    one.steer()
    assert 50.0 < Member(path).steer().held_s <= 60.1, "a true wait takes its place"


def test_more_processes_than_places_share_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "_MEMBERS", 2)
    members = [Member(path), Member(path)]
    with pytest.raises(OSError, match="too many processes"):
        Member(path)
    assert sum(one.steer().allowed for one in members) == 16
