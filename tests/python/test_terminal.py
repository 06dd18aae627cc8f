"""The looks of the command line: words, columns, colours, and the frame that stays."""

from __future__ import annotations

import io
import re
import socket
import time

import pytest
from typer.testing import CliRunner

import fieldpost as fp
from fieldpost import progress
from fieldpost.cli import printing
from fieldpost.cli.app import app
from fieldpost.report import Counts
from fieldpost.terminal import Terminal, grid, line

STYLES = re.compile(r"\x1b\[[0-9;]*m")


def shown(printed, *, terminal=True, width=80, **options):
    """The output of a console of that kind."""
    file = io.StringIO()
    console = Terminal(file=file, force_terminal=terminal, width=width, **options)
    printed(console)
    return file.getvalue()


@pytest.mark.parametrize(("value", "plain"), [("1", True), ("", False), (None, False)])
def test_no_color_leaves_no_style_at_all(monkeypatch, value, plain):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    text = line(("bold", "bold"), ("dim", "dim"), ("red", "red"), ("link", "link https://x"))
    told = shown(lambda console: console.print(text))
    assert (("\x1b" not in told) is plain and "bolddimredlink" in STYLES.sub("", told)) or not plain


def test_on_a_terminal_lines_break_between_words_and_long_words_stay_whole():
    words = "the destination refuses the credentials of this subscription for now " * 3
    path = "/a" * 60
    told = shown(lambda console: console.print(line(f"{words}{path} end")))
    lines = told.splitlines()
    assert " ".join(one.rstrip() for one in lines).split() == [*words.split(), path, "end"]
    assert [one.strip() for one in lines if len(one) > 80] == [path]
    assert all(one.startswith("  ") for one in lines[1:]) and len(lines) == 5


def test_elsewhere_no_line_is_broken():
    words = "word " * 100
    told = shown(lambda console: console.print(line(words)), terminal=False)
    assert told == words + "\n"


def test_a_body_to_copy_is_not_broken():
    body = {"text": "word " * 60}
    file = io.StringIO()
    console = Terminal(file=file, force_terminal=True, width=80, color_system=None)
    before, printing.out = printing.out, console
    try:
        printing.value(body)
    finally:
        printing.out = before
    assert '"text": "' + "word " * 60 + '"\n' in file.getvalue()


def test_columns_are_aligned_and_end_where_they_end():
    rows = [["received", "13"], ["名前", "4"], ["x", line(("1,000", "red"))]]
    found = [one.plain for one in grid(["", "All"], rows)]
    assert found == ["             All", " received     13", " 名前          4", " x         1,000"]


def test_many_subscriptions_get_a_line_each_and_no_spaces_to_the_edge():
    names = [f"A subscription with a name of its own, number {n}" for n in range(6)]
    report = fp.Report("r", "d", subscriptions={name: Counts({"delivered": 3}) for name in names})
    told = shown(
        lambda console: console.print(
            printing._counts({n: one.to_dict() for n, one in report.subscriptions.items()})
        ),
        terminal=False,
        width=80,
    )
    assert told.splitlines()[0] == f" {names[0]}: 3 received, 3 delivered"
    assert len(told.splitlines()) == 6 and all(one == one.rstrip() for one in told.splitlines())


def test_one_thing_is_one_thing():
    assert [printing.counted(n, "event") for n in (0, 1, 2)] == ["0 events", "1 event", "2 events"]
    assert printing.counted(1000, "try", "tries") == "1,000 tries"


def test_the_last_frame_of_a_bar_is_of_the_end(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)  # all within a tenth of a second
    counts = Counts()
    report = fp.Report("r", "d", subscriptions={"all": counts})
    with progress.ProgressBar() as bar:
        for _ in range(500):
            report.received += 1
            counts.add("delivered")
            bar(report)
        assert bar._bar.tasks[0].fields["told"].startswith("1 ")
    assert bar._bar.tasks[0].fields["told"].startswith("500 ")


def test_help_is_in_groups_and_says_nothing_of_flags():
    told = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"}).stdout
    heads = re.findall(r"╭─ (.*?) ─", told)
    assert heads == ["Options", "Write a destination", "Deliver", "Look at what happened", "More"]
    every = told + CliRunner().invoke(app, ["deliver", "--help"]).stdout
    assert "<bool>" not in every and "int range" not in every


def test_every_verb_has_a_group():
    from fieldpost.cli.command import _PANEL_OF

    registered = {one.name for one in app.registered_commands}
    assert registered == set(_PANEL_OF)


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_port_that_is_taken_is_told(output):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = CliRunner().invoke(app, ["emulator", "--port", port, "-o", output])
    assert told.exit_code == 2 and not told.stdout
    assert told.stderr.startswith("error E738 ") and port in told.stderr


@pytest.mark.parametrize("port", ["65536", "-1"])
def test_a_port_that_is_none_is_told(port):
    told = CliRunner().invoke(app, ["emulator", "--port", port])
    assert told.exit_code == 2 and "--port" in told.stderr
