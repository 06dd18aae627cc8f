"""A run that fails is not silent: a line on a terminal, a line in the log, and why."""

import json
import logging
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from held_server import destination, events

import fieldpost as fp
from fieldpost.progress import ProgressBar
from fieldpost.progress_log import ProgressLog
from fieldpost.report import Counts, OpenBreaker, Trouble
from fieldpost.run_log import RunLog
from fieldpost.standstill import why_nothing_moves
from recording_server import RecordingServer

FIELDPOST = [sys.executable, "-m", "fieldpost"]


def report(**more: object) -> fp.Report:
    return fp.Report("r1", "hook", subscriptions={"all": Counts()}, **more)  # type: ignore[arg-type]


def test_a_server_that_refuses_connections_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        (tmp_path / "hook.yaml").write_text(
            destination(f"http://127.0.0.1:{taken.getsockname()[1]}")
        )
        (tmp_path / "events.ndjson").write_text(json.dumps(events(1)[0]) + "\n")
        done = subprocess.run(
            [*FIELDPOST, "deliver", "hook.yaml", "events.ndjson", "--for", "1s", "-o", "json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 4
    first = done.stderr.splitlines()[0]
    assert "0 delivered" in first
    assert "E501 cannot connect to 127.0.0.1" in first


def test_the_log_tells_every_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    log = ProgressLog(lambda: now_s)
    told = report(received=5)
    caplog.set_level(logging.INFO, "fieldpost.progress")
    log.began(told, "deliver")
    for second in range(36):
        now_s = float(second)
        if second == 25:
            told.retries, told.trouble = 3, Trouble("E501", "cannot connect to host: refused")
        log.advanced(told)
        if second == 12:
            told.subscriptions["all"].add("delivered", 2)
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert lines == [
        ("INFO", "run r1 of hook after 10 s: 5 read, 0 delivered"),
        ("INFO", "run r1 of hook after 20 s: 5 read, 2 delivered"),
        (
            "WARNING",
            "run r1 of hook after 30 s: 5 read, 2 delivered, 3 retries;"
            " E501 cannot connect to host: refused",
        ),
    ]


def test_the_first_trouble_is_told_before_anything_is_delivered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = ProgressLog(lambda: 0.0)
    told = report(retries=1, trouble=Trouble("http_503", "try m1 again"))
    log.began(told, "deliver")
    log.advanced(told)
    log.advanced(told)
    assert [record.getMessage() for record in caplog.records] == [
        "run r1 of hook after 0 s: 0 read, 0 delivered, 1 retry; HTTP 503"
    ]


def test_the_line_on_a_terminal_says_why_nothing_moves() -> None:
    bar = ProgressBar()
    bar(report(received=7, retries=4, throttled_s=2.5, trouble=Trouble("E501", "no [way] there")))
    (task,) = bar._bar.tasks
    assert task.fields["told"] == "7 read, 0 delivered, 4 retries, waited 2 s"
    assert task.fields["why"] == "E501 no [way] there"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, ""),
        ({"held_s": 12.4}, "the destination asked for a wait: 12 s left"),
        ({"trouble": Trouble("http_500", "ada@example.com is odd")}, "HTTP 500"),
        ({"trouble": Trouble("0x80060891", "ada@example.com")}, "0x80060891"),
        ({"trouble": Trouble("E503", "the answer was lost")}, "E503 the answer was lost"),
    ],
)
def test_a_reason_is_in_our_words(more: dict[str, object], why: str) -> None:
    assert why_nothing_moves(report(**more)) == why


def test_retries_are_counted_and_trouble_is_known(tmp_path: Path) -> None:
    statuses = iter([503, 503])
    with RecordingServer(lambda _: (next(statuses, 204), {}, b"")) as server:
        text = destination(server.url, "{retry: {wait_initial_s: 0.01}}")
        hook = fp.Destination.from_text(text, str(tmp_path / "hook.yaml"))
        told = hook.deliver(events(1), progress=False)
    assert (told.retries, told["delivered"]) == (2, 1)
    assert told.trouble == Trouble("http_503", "HTTP 503")


def test_an_open_breaker_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fieldpost")
    told = report(breakers=[OpenBreaker("http://host", 0.0, 0.0, "a\ncode\x1b[2J")])
    told.destination = "ho\nok"
    log = RunLog()
    log.advanced(told)
    told.breakers = []
    log.advanced(told)
    assert len(caplog.messages) == 2
    assert not any(one in "".join(caplog.messages) for one in "\n\x1b")
