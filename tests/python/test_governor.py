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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from fieldpost.config import parse
from fieldpost.governor import Alone, Shared, host, look_at_breaker, open_governor
from fieldpost.governor.host import HostGovernor, open_host_governor
from fieldpost.governor.opening import Kept, Opening, OpeningShare, current
from fieldpost.own_file import look_into_shared
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
    openings: list[tuple[str, float, float, str, str]] = field(default_factory=list)
    has_one_target: bool = True
    well_ago_s: float = -1.0
    followed: list[tuple[float, float]] = field(default_factory=list)
    released: int = 0

    def allow(self, max_in_flight: int, requests_per_window: int, starts: int = -1) -> None:
        self.allowed, self.requests, self.starts = max_in_flight, requests_per_window, starts

    def hold(self, seconds: float) -> None:
        self.held_s = seconds

    def fail(self, since_s: float, next_probe_s: float) -> None:
        """Its breaker is open."""
        self.openings = [("http://host", since_s, next_probe_s, "http_500", "words of the service")]

    def follow(self, since_s: float, next_probe_s: float) -> None:
        self.followed.append((since_s, next_probe_s))

    def release(self) -> None:
        self.openings, self.released = [], self.released + 1


class Member:
    made: ClassVar[list[Member]] = []

    def __init__(self, path: Path, most: int = 16, requests: int = 0, window_s: float = 1.0):
        self.governor = HostGovernor(path, most, requests, window_s)
        self.made.append(self)
        self.numbers = Numbers()

    def steer(self) -> Numbers:
        self.governor._next_s = 0.0
        Shared([self.governor]).steer(self.numbers)  # type: ignore[arg-type]
        return self.numbers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "share"


@pytest.fixture(autouse=True)
def _everybody_leaves() -> Iterator[None]:
    yield
    while Member.made:
        Member.made.pop().governor.close()


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
    with pytest.raises(OSError, match=r"symbolic links|no file of this user"):
        look_into_shared(path)
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


def test_an_open_breaker_is_everybodys(tmp_path: Path) -> None:
    one, other = Member(tmp_path / "a.share"), Member(tmp_path / "a.share")
    one.numbers.fail(5.0, 20.0)
    one.steer()
    ((since_s, next_probe_s),) = other.steer().followed
    assert since_s == pytest.approx(5.0, abs=0.5)
    assert next_probe_s == pytest.approx(20.5, abs=1.0), "behind the probe of the first"
    one.numbers.openings = []
    one.steer()
    other.numbers.followed.clear()
    assert not other.steer().followed, "a good answer to a probe is for all"


def test_the_first_good_answer_to_a_probe_releases_all(tmp_path: Path) -> None:
    one, other = Member(tmp_path / "a.share"), Member(tmp_path / "a.share")
    for member, probe_s in ((one, 20.0), (other, 30.0)):
        member.numbers.fail(5.0, probe_s)
        member.steer()
    assert other.numbers.followed, "its own probe waits behind the other's"
    one.numbers.openings = []
    one.steer()
    assert other.steer().released == 1
    assert other.numbers.openings == []


def test_the_first_good_answer_of_a_new_run_releases_all(tmp_path: Path) -> None:
    one, new = Member(tmp_path / "a.share"), Member(tmp_path / "a.share")
    one.numbers.fail(5.0, 200.0)
    one.steer()
    assert new.steer().followed, "its first failure opens its breaker at once"
    new.numbers.followed.clear()
    new.numbers.well_ago_s = 0.0
    assert not new.steer().followed, "what it saw itself is newer"
    assert one.steer().released == 1


def test_an_answer_from_before_says_nothing_of_an_opening(tmp_path: Path) -> None:
    one, other = Member(tmp_path / "a.share"), Member(tmp_path / "a.share")
    other.numbers.well_ago_s = 30.0
    for probe_s in (20.0, 10.0):
        one.numbers.fail(5.0, probe_s)
        one.steer()
        assert other.steer().followed
        other.numbers.followed.clear()
        one.numbers.openings = []
        one.steer()
        assert not other.steer().followed
        other.numbers.well_ago_s = 0.0  # while nothing was open
    assert one.numbers.released == 0


def test_a_run_of_several_targets_tells_nobody_of_one(tmp_path: Path) -> None:
    one, other = Member(tmp_path / "a.share"), Member(tmp_path / "a.share")
    one.numbers.has_one_target = False
    one.numbers.fail(5.0, 20.0)
    one.steer()
    assert not other.steer().followed


def test_the_earliest_probe_is_shared(tmp_path: Path) -> None:
    one, other = Member(tmp_path / "a.share"), Member(tmp_path / "a.share")
    one.numbers.fail(5.0, 20.0)
    one.steer()
    other.numbers.fail(3.0, 2.0)
    assert not other.steer().followed
    ((since_s, next_probe_s),) = one.steer().followed
    assert since_s == pytest.approx(5.0, abs=0.5)
    assert next_probe_s < 4


def test_a_look_sees_what_runs_at_work_found_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert look_at_breaker("name") is None
    assert list(tmp_path.iterdir()) == []
    member = Member(tmp_path / "fieldpost" / "name.share")
    assert look_at_breaker("name") is None
    member.numbers.fail(5.0, 20.0)
    member.steer()
    found = look_at_breaker("name")
    assert found is not None
    assert found.since == pytest.approx(time.time() - 5, abs=1)
    assert found.next_probe == pytest.approx(time.time() + 20, abs=1)
    assert found.reason == "http_500", "the service's words may show an event"
    member.governor.close()
    assert look_at_breaker("name") is None, "nobody is at work"


def test_an_opening_that_no_run_keeps_up_is_forgotten() -> None:
    kept = Kept(Opening(100.0, 200.0, "http_500"))
    assert current(kept, 250.0) is not None
    assert current(kept, 2000.0) is None
    assert OpeningShare().meet(kept, None, 2000.0, 0)[1].follow is None
