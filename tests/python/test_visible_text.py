"""What data brings is shown to people and not obeyed: by terminals, by logs, by pages."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
from rich.table import Table
from typer.testing import CliRunner

import fieldpost as fp
from fieldpost.cli.app import app
from fieldpost.html_table import html_text
from fieldpost.terminal import Terminal, line
from fieldpost.visible_text import one_line, visible
from recording_server import RecordingServer

# What no output for people may hold; Terminal's own styles are off where nobody watches.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
BAD = "\x1b[2J\x1b]0;owned\x07\x9b1m\u202etxt\u2066\u2028\r[red]x[/green]:warning:\n"
SHOWN = "\\x1b[2J\\x1b]0;owned\\x07\\x9b1m\\u202etxt\\u2066\\u2028\\r[red]x[/green]:warning:"
EVENT_ID = "m1" + BAD + "two"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x00\x07\x08\x0b\x1b\x1f", "\\x00\\x07\\x08\\x0b\\x1b\\x1f"),
        ("\x7f\x80\x9b\x9f", "\\x7f\\x80\\x9b\\x9f"),
        ("\u2028\u2029\u202a\u202e\u2066\u2069", "\\u2028\\u2029\\u202a\\u202e\\u2066\\u2069"),
        ("\ud83d!\udc00", "\\ud83d!\\udc00"),
        ("a\tb\nc\r\nd\re", "a\tb\nc\nd\\re"),
        ("Zoë 😀 שלום \\x1b", "Zoë 😀 שלום \\x1b"),
        ("", ""),
    ],
)
def test_controls_become_escapes_and_the_rest_stays(text, shown):
    assert visible(text) == shown


def test_within_a_line_newlines_and_tabs_are_escapes_too():
    assert one_line("a\tb\nc\r\nd") == "a\\tb\\nc\\r\\nd"


def test_a_terminal_obeys_no_text_however_it_is_given():
    file = io.StringIO()
    terminal = Terminal(file=file, soft_wrap=True, width=200)
    table = Table(BAD, box=None)
    table.add_row(line(BAD, (BAD, "red")))
    terminal.print(BAD, table, line(BAD))
    terminal.print_json(json.dumps({BAD: BAD}, ensure_ascii=False))
    printed = file.getvalue()
    assert not OBEYED.search(printed)
    assert printed.count(SHOWN) == 5 and SHOWN + "\\n" + SHOWN + "\\n" in printed
    assert printed.count(":warning:") == 7 and printed.count("[/green]") == 7


def test_a_style_is_given_beside_the_text():
    file = io.StringIO()
    terminal = Terminal(file=file, force_terminal=True, color_system="standard", soft_wrap=True)
    terminal.print(line("a ", ("b[/]\x1b", "red")))
    assert file.getvalue() == "a \x1b[31mb[/]\\x1b\x1b[0m\n"


def test_a_page_shows_escapes_and_no_markup():
    assert html_text("<b>\x1b\u202e") == "&lt;b&gt;\\x1b\\u202e"


DESTINATION = """\
name: {name}
id: a
type: webhook
url: {url}/in
subscriptions:
  - name: {name}
    filter: properties.v != 1 and type = "track"
    body: {{v: {{'@path': $.properties.v}}, text: {{'@path': $.properties.text}}}}
tests:
  - name: {name}
    event: {event}
    expect: {{body: {{v: 3}}}}
"""


@pytest.fixture(name="hostile")
def fixture_hostile(tmp_path, monkeypatch):
    """A folder with a destination and events whose every text would command a terminal."""
    monkeypatch.chdir(tmp_path)
    properties = {"v": "\ud83d" + BAD, "text": BAD}
    events = [
        {"type": "track", "messageId": EVENT_ID, "properties": properties},
        {"type": "track", "messageId": EVENT_ID + "3", "properties": {"v": 3, "text": "a\nb"}},
    ]
    lines = [json.dumps(one) for one in events]
    for name in ("e[", "cfg[", "copy["):
        (tmp_path / name).mkdir()
    (tmp_path / "e[/red]\x1b.ndjson").write_text("\n".join([*lines, '{"messageId": "\\ud83d']))
    (tmp_path / "one.json").write_text(lines[0])
    answer = (422, {"Content-Type": "text/plain"}, f"no {BAD}".encode())
    with RecordingServer(lambda _: answer) as server:
        text = DESTINATION.format(name=json.dumps(BAD), url=server.url, event=lines[0])
        (tmp_path / "cfg[/prod]\x1b.yaml").write_text(text)
        other = text.replace("$.properties.v", "$.properties.text")
        (tmp_path / "other.yaml").write_text(other)
        yield "cfg[/prod]\x1b.yaml", "e[/red]\x1b.ndjson"


def told(*arguments, code=None):
    """What a verb printed, on both streams, as a script would read it."""
    result = CliRunner().invoke(app, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert code is None or result.exit_code == code, result.output
    return (result.stdout_bytes + result.stderr_bytes).decode("utf-8")


VERBS = {
    "check": ["check", "FILE"],
    "test": ["test", "FILE"],
    "explain": ["explain", "FILE", "one.json"],
    "explain a filter": ["explain", "--filter", "properties.text != 1 and type = 2", "one.json"],
    "preview": ["preview", "FILE", "EVENTS"],
    "transform": ["transform", "FILE", "EVENTS", "--output", "text"],
    "compare": ["transform", "FILE", "EVENTS", "--against", "other.yaml"],
    "dry run": ["deliver", "FILE", "EVENTS", "--dry-run"],
    "deliver again": ["deliver", "FILE", "EVENTS"],
    "outcomes": ["outcomes", "FILE"],
    "one outcome": ["outcomes", "FILE", "--event-id", EVENT_ID, "--event-id", "gone" + BAD],
    "failures": ["failures", "FILE"],
    "check events": ["check", "FILE", "--events", "EVENTS"],
    "init": ["init", "webhook", "new[/red]\x1b"],
    "ledger by name": ["status", "FILE", "--ledger", "led[/red]\x1b\u202e.db"],
    "status": ["status", "FILE"],
    "monitor": ["monitor", "FILE", "--for", "0.1s"],
    "replay": ["replay", "FILE", "--where", "outcome = 'rejected'"],
    "settle": ["settle", "FILE", "--where", "outcome = 'rejected'", "--as", "delivered"],
    "backup": ["ledger", "backup", "FILE", "copy[/prod]\x1b.db"],
    "disable": ["disable", "FILE"],
    "enable": ["enable", "FILE"],
    "no such file": ["check", "gone[/red]\x1b.yaml"],
    "test-connection": ["test-connection", "FILE", "--send", "--sample", "one.json"],
}


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_prints_what_a_terminal_obeys(hostile, verb):
    file, events = hostile
    told("deliver", file, events, code=4)
    names = {"FILE": file, "EVENTS": events}
    printed = told(*(names.get(one, one) for one in VERBS[verb]))
    # A body of `transform` is data for the next program in the pipe.
    lines = [one for one in printed.split("\n") if not (verb == "transform" and one[:1] == "{")]
    assert [one for one in lines if OBEYED.search(one)] == []
    assert not re.search("⚠|^two", "\n".join(lines), re.M)


@pytest.mark.parametrize("verb", ["disable", "ledger backup", "check"])
def test_a_name_with_brackets_is_told_as_it_is(hostile, tmp_path, verb):
    copy = ["copy[/prod].db"] if verb == "ledger backup" else []
    shown = "copy[/prod].db" if copy else "cfg[/prod]\\x1b.yaml"
    told("deliver", *hostile)
    assert shown in told(*verb.split(), hostile[0], *copy, code=0)


def test_control_characters_of_data_are_shown_and_not_left_out(hostile):
    file, events = hostile
    told("deliver", file, events)
    listed = told("outcomes", file, code=0)
    assert "m1" + SHOWN + "\\ntwo" in listed
    assert "1m\\u202etxt\\u2066\\u2028 [red]x[/green]:warning:" in listed  # of the answer
    assert "\\ud83d" in told("preview", file, events, code=0)
    assert "\\ud83d" in told("explain", file, "one.json", code=0)


@pytest.mark.parametrize(
    "verb", ["explain", "preview", "test", "compare", "outcomes", "failures", "status"]
)
def test_json_for_scripts_keeps_the_values(hostile, verb):
    file, events = hostile
    told("deliver", file, events)
    names = {"FILE": file, "EVENTS": events}
    arguments = [names.get(one, one) for one in VERBS[verb]]
    result = CliRunner().invoke(app, [*arguments, "--output", "json"])
    rows = [json.loads(one) for one in result.stdout.split("\n") if one]
    assert rows
    if verb == "outcomes":
        assert {one["event_id"] for one in rows} >= {EVENT_ID, EVENT_ID + "3"}


def test_pages_show_escapes(hostile):
    file, events = hostile
    dest = fp.Destination.from_file(file)
    report = dest.deliver(events)
    event = {"messageId": EVENT_ID, "type": "track", "properties": {"v": BAD}}
    shown = [
        dest,
        dest.check(),
        dest.preview(events),
        report,
        report.failures,
        dest.status(),
        fp.explain_file(file, json.dumps(event).encode()),
        fp.Filter("properties.v = 1").explain(event),
        fp.transform(events, fp.Mapping({"v": {"@path": "$.properties.text"}})),
        dest.test_connection(),
        dest.test(),
        fp.transform(events, fp.Mapping({"v": {"@path": "$.properties.text"}})).against(
            fp.Mapping({"v": {"@path": "$.messageId"}})
        ),
        fp.Mapping({BAD: {"@path": "$.properties.text"}}).apply_lines(
            (json.dumps(event) + "\n[").encode()
        ),
    ]
    assert [type(one) for one in shown if OBEYED.search(one._repr_html_())] == []


def test_a_notebook_gets_escapes_from_a_console_and_no_markup_of_data(monkeypatch):
    pages = []
    monkeypatch.setattr("rich.jupyter.display", lambda parts, text: pages.append(text))
    terminal = Terminal(force_jupyter=True, width=200, color_system=None)
    terminal.print(BAD, line("<b>", (BAD, "red")))
    assert pages and not OBEYED.search("".join(pages)) and ":warning:" in "".join(pages)


def test_bodies_that_are_half_a_character_make_a_table():
    pytest.importorskip("pandas")
    lines = b'{"v": "cut \\ud83d"}\n{"v": "whole"}\n'
    table = fp.transform(lines, fp.Mapping({"@path": "$.v"})).to_pandas()
    assert list(table["body"]) == ["cut \ud83d", "whole"] and list(table["line"]) == [1, 2]


def test_a_page_of_bodies_shows_json_and_no_python():
    shown = fp.transform(b'{"v": "a\\ud83d"}', fp.Mapping({"v": {"@path": "$.v"}}))._repr_html_()
    assert "<td>{&quot;v&quot;:&quot;a\\ud83d&quot;}</td><td></td>" in shown


def test_a_log_line_stays_one(hostile, caplog):
    caplog.set_level(logging.INFO, "fieldpost")
    file, events = hostile
    fp.Destination.from_file(file).deliver(events)
    lines = [one.getMessage() for one in caplog.records]
    assert len(lines) >= 2
    assert [one for one in lines if OBEYED.search(one) or "\n" in one] == []


# Events that the core takes, and of which Python's own JSON reader makes nothing.
TOO_MUCH = {
    "a number of 5,000 digits": "9" * 5000,
    "a thousand levels": "[" * 1000 + "]" * 1000,
    "nine hundred levels": "[" * 900 + "]" * 900,
}
OFFLINE = {
    "explain": (0, 2),
    "explain a filter": (0, 2),
    "preview": (0,),
    "transform": (0,),
    "compare": (0,),
    "dry run": (0,),
}


def _event(text):
    return f'{{"type":"track","messageId":"1","properties":{{"v":3,"text":{text}}}}}'


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("verb", OFFLINE)
@pytest.mark.parametrize("odd", TOO_MUCH)
def test_one_event_that_is_too_much_is_told(hostile, tmp_path, verb, odd, output):
    file, _ = hostile
    (tmp_path / "one.json").write_text(_event(TOO_MUCH[odd]))
    names = {"FILE": file, "EVENTS": "one.json"}
    given = [names.get(one, one) for one in VERBS[verb] if one not in ("--output", "text")]
    result = CliRunner().invoke(app, [*given, "--output", output])
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code in OFFLINE[verb]
    if result.exit_code:
        assert re.match("error E40[59]", result.stderr)


def test_a_row_of_transform_keeps_its_digits(hostile, tmp_path):
    file, _ = hostile
    (tmp_path / "one.json").write_text(_event(f"[19.90,1e999,{10**30}]"))
    printed = told("transform", file, "one.json", "--output", "json", code=0)
    assert '"text":[19.90,1e999,1000000000000000000000000000000]' in printed
