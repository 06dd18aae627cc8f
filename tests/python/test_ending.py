"""However a run ends, what is on its way is settled: signals, exceptions of handlers, defects."""

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from held_server import HeldServer, destination, events

import fieldpost as fp
from fieldpost.ending import Ending, _Worker
from fieldpost.ledger import open_ledger
from recording_server import RecordingServer

FIELDPOST = [sys.executable, "-m", "fieldpost"]
EIGHT = "{max_in_flight: 8, adaptive: false}"
SLOWLY_S = 0.3  # an answer: 300 of them take longer than any signal to be heard
ENDS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]

_children: list["subprocess.Popen[str]"] = []


class TimedOut(BaseException):
    """An orchestrator raises such a thing out of the handler of a signal."""


@pytest.fixture
def held() -> Iterator[HeldServer]:
    with HeldServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    numbers = (signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _no_child_stays() -> Iterator[None]:
    yield
    while _children:
        with _children.pop() as child:
            child.kill()


def write(folder: Path, url: str, delivery: str = EIGHT, count: int = 300) -> None:
    (folder / "hook.yaml").write_text(destination(url, delivery))
    lines = "".join(json.dumps(event) + "\n" for event in events(count))
    (folder / "events.ndjson").write_text(lines)


def start(folder: Path, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    child = subprocess.Popen(
        [*FIELDPOST, *(arguments or ("deliver", "hook.yaml", "events.ndjson", "-o", "json"))],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    _children.append(child)
    return child


def told_by(child: "subprocess.Popen[str]") -> dict[str, Any]:
    out, err = child.communicate(timeout=60)
    assert "Traceback" not in err, err
    return dict(json.loads(out))


def deliver_rest(folder: Path) -> dict[str, Any]:
    """The report of the next run; nothing has to be looked at."""
    child = start(folder)
    told = told_by(child)
    assert (child.returncode, told["unconfirmed"]) == (0, 0)
    return told


def own_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("fieldpost-")]


# -- signals to the command


@pytest.mark.parametrize(("number", "code"), ENDS, ids=[number.name for number, _ in ENDS])
def test_a_signal_settles_what_is_on_its_way(
    held: HeldServer, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    write(tmp_path, held.url)
    child = start(tmp_path)
    held.has(8)
    child.send_signal(number)
    held.let_go(SLOWLY_S)
    told = told_by(child)
    assert child.returncode == code
    assert told["interrupted"]
    assert told["unconfirmed"] == 0
    assert 8 <= told["delivered"] == len(held.requests) < 300
    assert told["received"] == sum(
        told[name] for name in ("delivered", "waiting", "already_delivered")
    )
    held.let_go()
    assert deliver_rest(tmp_path)["delivered"] == 300 - told["delivered"]


@pytest.mark.parametrize(
    ("policy", "outcome"), [("hold", "unconfirmed"), ("resend", "waiting")], ids=["hold", "resend"]
)
def test_when_the_grace_is_over_nothing_is_waited_for(
    held: HeldServer, tmp_path: Path, policy: str, outcome: str
) -> None:
    delivery = f"{{max_in_flight: 8, adaptive: false, grace_s: 0.2, on_unconfirmed: {policy}}}"
    write(tmp_path, held.url, delivery, count=8)
    child = start(tmp_path)
    held.has(8)
    child.send_signal(signal.SIGTERM)
    told = told_by(child)  # though the server holds them still
    assert child.returncode == 143
    assert told[outcome] == told["received"] == 8
    if policy == "hold":
        assert told["failures"][0]["code"] == "E503"
    held.let_go()
    assert told_by(start(tmp_path))["delivered"] == (8 if policy == "resend" else 0)


def test_a_second_signal_ends_the_grace(held: HeldServer, tmp_path: Path) -> None:
    write(tmp_path, held.url, "{max_in_flight: 8, adaptive: false, grace_s: 600}", count=8)
    child = start(tmp_path)
    held.has(8)
    child.send_signal(signal.SIGTERM)
    time.sleep(0.8)
    assert child.poll() is None
    child.send_signal(signal.SIGTERM)
    assert told_by(child)["unconfirmed"] == 8
    assert child.returncode == 143


def test_the_first_process_of_a_container_ends_too(held: HeldServer, tmp_path: Path) -> None:
    if os.getuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a process namespace needs root and unshare")
    write(tmp_path, held.url)
    unshare = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        pytest.skip("a process namespace cannot be made here")
    command = [*unshare, *FIELDPOST, "deliver", "hook.yaml", "events.ndjson", "-o", "json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as outer:
        held.has(8)
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text()
        os.kill(int(children.split()[0]), signal.SIGTERM)
        held.let_go(SLOWLY_S)
        told = json.loads(outer.communicate(timeout=60)[0])
    assert outer.returncode == 143
    assert (told["interrupted"], told["unconfirmed"]) == (True, 0)


def test_replay_ends_as_deliver_does(held: HeldServer, tmp_path: Path) -> None:
    write(tmp_path, held.url)
    held.answer = lambda _: (422, {}, b"no")
    held.let_go()
    assert told_by(start(tmp_path))["rejected"] == 300
    held.answer = lambda _: (204, {}, b"")
    held.hold()
    child = start(tmp_path, "replay", "hook.yaml", "--where", "outcome = 'rejected'", "-o", "json")
    held.has(308)
    child.send_signal(signal.SIGTERM)
    held.let_go(SLOWLY_S)
    told = told_by(child)
    assert child.returncode == 143
    assert told["unconfirmed"] == 0
    assert 8 <= told["delivered"] == len(held.requests) - 300 < 300


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_idle_pipe_keeps_nobody(tmp_path: Path, number: signal.Signals) -> None:
    with RecordingServer() as server:
        write(tmp_path, server.url)
        child = start(tmp_path, "deliver", "hook.yaml", "-", "-o", "json", stdin=subprocess.PIPE)
        assert child.stdin is not None
        child.stdin.write('{"messageId":"a"}\n')
        child.stdin.flush()
        end_s = time.monotonic() + 60
        while not server.requests and time.monotonic() < end_s:
            time.sleep(0.01)
        begun_s = time.monotonic()
        child.send_signal(number)
        assert child.wait(timeout=60) == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
        assert time.monotonic() - begun_s < 5  # a tenth of it, where the machine is free
        assert told_by(child)["delivered"] == 1


def test_monitor_ends_in_order(tmp_path: Path) -> None:
    write(tmp_path, "http://127.0.0.1:9")
    child = start(tmp_path, "monitor", "hook.yaml", "--every", "0.1s", "-o", "json")
    assert child.stdout is not None
    assert child.stdout.readline()
    child.send_signal(signal.SIGTERM)
    assert child.communicate(timeout=60)[1] == ""
    assert child.returncode == 0


# -- exceptions out of a handler, in Python


def test_an_exception_of_a_handler_rises_after_all_is_settled(
    held: HeldServer, tmp_path: Path
) -> None:
    write(tmp_path, held.url)

    def timed_out(*_: object) -> None:
        held.let_go(SLOWLY_S)
        raise TimedOut

    signal.signal(signal.SIGALRM, timed_out)
    waiter = threading.Thread(
        target=lambda: (held.has(8), os.kill(os.getpid(), signal.SIGALRM))  # type: ignore[func-returns-value]
    )
    waiter.start()
    hook = fp.Destination.from_file(tmp_path / "hook.yaml")
    with pytest.raises(TimedOut):
        hook.deliver(tmp_path / "events.ndjson", progress=False)
    waiter.join()
    assert own_threads() == []
    told = hook.status().subscriptions["all"]
    assert told["unconfirmed"] == 0
    assert 8 <= told["delivered"] == len(held.requests) < 300


def test_it_may_rise_anywhere(tmp_path: Path) -> None:
    """A run is cut off again and again, at moments of all kinds; each event arrives once."""
    chance = random.Random(8)
    signal.signal(signal.SIGALRM, _time_out)
    with RecordingServer() as server:
        write(tmp_path, server.url, "{max_in_flight: 4}", count=600)
        hook = fp.Destination.from_file(tmp_path / "hook.yaml")
        risen, report = 0, None
        while report is None:
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.002, 0.25))
            try:
                report = hook.deliver(tmp_path / "events.ndjson", progress=False)
            except TimedOut:
                risen += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            assert own_threads() == []
            if risen == 12:
                report = hook.deliver(tmp_path / "events.ndjson", progress=False)
        assert risen > 0
        assert report["delivered"] + report["already_delivered"] == 600
        sent = Counter(json.loads(one.body)["messageId"] for one in server.requests)
    assert set(sent.values()) == {1}
    assert len(sent) == 600


def test_work_that_was_called_off_never_begins() -> None:
    done: list[int] = []
    worker = _Worker(lambda: done.append(1))  # type: ignore[arg-type,return-value,func-returns-value]
    assert worker.is_called_off()
    worker._begin()
    assert not worker.ended(0)
    assert done == []


def test_work_that_has_begun_is_waited_for() -> None:
    report = fp.Report("r", "d")
    worker = _Worker(lambda: report)
    worker.begin()
    assert worker.ended(60)
    assert not worker.is_called_off()
    assert worker.report is report


def _time_out(*_: object) -> None:
    raise TimedOut


def test_a_handler_of_somebody_else_is_called_and_stays(held: HeldServer, tmp_path: Path) -> None:
    """One that returns: the process goes on, but it was told to end."""
    write(tmp_path, held.url)
    called: list[int] = []

    def note(number: int, _frame: Any) -> None:
        called.append(number)
        held.let_go(SLOWLY_S)

    signal.signal(signal.SIGTERM, note)
    waiter = threading.Thread(
        target=lambda: (held.has(8), os.kill(os.getpid(), signal.SIGTERM))  # type: ignore[func-returns-value]
    )
    waiter.start()
    report = fp.Destination.from_file(tmp_path / "hook.yaml").deliver(
        tmp_path / "events.ndjson", progress=False
    )
    waiter.join()
    assert called == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is note
    assert report.interrupted
    assert report["unconfirmed"] == 0
    assert 8 <= report["delivered"] == len(held.requests) < 300


def test_python_ends_with_the_code_of_the_signal(held: HeldServer, tmp_path: Path) -> None:
    write(tmp_path, held.url)
    script = (
        "import fieldpost as fp\n"
        "try: fp.Destination.from_file('hook.yaml').deliver('events.ndjson', progress=False)\n"
        "except SystemExit as ended: print(ended.report['delivered'], flush=True); raise\n"
        "print('it went on')\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    held.has(8)
    child.send_signal(signal.SIGTERM)
    held.let_go(SLOWLY_S)
    told = child.communicate(timeout=60)[0]
    assert told == f"{len(held.requests)}\n"
    assert child.returncode == 143


def test_handlers_are_as_they_were_and_ignored_signals_stay_ignored(tmp_path: Path) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    seen: list[Any] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with RecordingServer() as server:
        write(tmp_path, server.url, count=3)
        hook = fp.Destination.from_file(tmp_path / "hook.yaml")
        hook.deliver(
            tmp_path / "events.ndjson",
            progress=lambda _: seen.append([signal.getsignal(number) for number in numbers]),
        )
    assert seen[0][0] is not before[0]
    assert seen[0][1] is not before[1]
    assert seen[0][2] is signal.SIG_IGN
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_thread_of_its_own_can_deliver(tmp_path: Path) -> None:
    reports: list[fp.Report] = []
    with RecordingServer() as server:
        write(tmp_path, server.url, count=3)
        hook = fp.Destination.from_file(tmp_path / "hook.yaml")
        thread = threading.Thread(
            target=lambda: reports.append(hook.deliver(tmp_path / "events.ndjson", progress=False))
        )
        thread.start()
        thread.join(60)
    assert reports[0]["delivered"] == 3


# -- defects


def test_a_defect_of_somebody_else_rises_when_all_is_settled(
    held: HeldServer, tmp_path: Path
) -> None:
    write(tmp_path, held.url)
    hook = fp.Destination.from_file(tmp_path / "hook.yaml")

    def look(_report: fp.Report) -> None:
        if len(held.requests) == 8:
            held.let_go(SLOWLY_S)
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        hook.deliver(tmp_path / "events.ndjson", progress=look)
    assert own_threads() == []
    delivered = hook.status().subscriptions["all"]["delivered"]
    assert 8 <= delivered == len(held.requests) < 300
    held.let_go()
    report = hook.deliver(tmp_path / "events.ndjson", progress=False)
    assert (report["delivered"], report["unconfirmed"]) == (300 - delivered, 0)


def test_a_run_that_cannot_begin_has_an_end_in_the_ledger(tmp_path: Path) -> None:
    text = destination("http://127.0.0.1:9", more="signing: {segment: {env: NOT_SET_HERE}}\n")
    hook = fp.Destination.from_text(text, str(tmp_path / "hook.yaml"))
    with pytest.raises(fp.ConfigError):
        hook.deliver(events(1), progress=False)
    with sqlite3.connect(tmp_path / "hook.ledger.db") as ledger:
        rows = ledger.execute("SELECT ended IS NULL, counts FROM runs").fetchall()
    ((endless, counts),) = rows
    assert not endless
    assert json.loads(counts)["stopped"]["code"] == "E121"
    assert hook.prune(0.0)["runs"] == 1


# -- a limit of the machine


def test_a_run_with_few_files_left_tells_what_it_did(tmp_path: Path) -> None:
    with HeldServer() as server:
        write(tmp_path, server.url, "{max_in_flight: 64, adaptive: false}", count=100)
        command = [*FIELDPOST, "deliver", "hook.yaml", "events.ndjson", "-o", "json"]
        few = ["bash", "-c", 'ulimit -n 40; exec "$@"', "bash", *command]
        child = subprocess.Popen(
            few, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        server.has(4)
        server.let_go()
        told = told_by(child)
    assert child.returncode == 0
    assert told["delivered"] == 100


def test_a_ledger_that_cannot_be_opened_for_want_of_files_says_so(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "hook.ledger.db")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        with pytest.raises(fp.LedgerError) as caught:
            ledger.prepare()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        ledger.close()
    assert caught.value.code == "E739"
    assert "too many open files" in str(caught.value)
    assert "ulimit -n" in str(caught.value)


# -- the grace


def test_asking_twice_leaves_no_grace() -> None:
    now_s = 100.0
    ending = Ending(8, lambda: now_s)
    assert (ending.asked, ending.left_s) == (False, float("inf"))
    ending.ask()
    assert (ending.asked, ending.left_s) == (True, 8)
    now_s += 0.1
    ending.ask()  # the same signal, to the process and to its group
    assert ending.left_s == pytest.approx(7.9)
    now_s += 0.9
    ending.ask()
    assert ending.left_s == 0
