"""The core without sending: bodies, rows, comparisons; in Python and in a shell pipe."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import fieldpost as fp

DESTINATION = """\
name: Two
type: webhook
subscriptions:
  - name: Names
    filter: type = "track"
    url: https://example.com/names
    body: {name: {"@path": "$.name"}, n: {"@number": {"@path": "$.n"}}}
  - name: All
    id: everything
    url: https://example.com/all
"""
FUNCTIONS = """\
from fieldpost import DropEvent

def on_track(event, settings):
    if event["name"] == "drop":
        raise DropEvent("not wanted")
    event["name"] = event["name"].upper()
    return event
"""
EVENTS = b"""\
{"messageId":"1","type":"track","name":"a","n":"1"}
{"messageId":"2","type":"page"}

{broken
{"type":"track","name":"b","n":"x"}
"""
# How many lines stand around the broken one; a million is run by hand.
MANY = int(os.environ.get("FIELDPOST_LINES", "200000"))


@pytest.fixture
def destination(tmp_path: Path) -> fp.Destination:
    (tmp_path / "two.yaml").write_text(DESTINATION)
    return fp.Destination.from_file(tmp_path / "two.yaml")


def test_bodies_of_all_subscriptions_in_order(destination: fp.Destination) -> None:
    asked = destination.transform(EVENTS)
    first, second, fourth = (json.loads(EVENTS.splitlines()[i]) for i in (0, 1, 4))
    assert [json.loads(body) for body in asked] == [{"name": "a", "n": 1}, first, second, fourth]
    assert asked.told.to_dict() == {
        "received": 4,
        "bodies": 4,
        "filtered": 1,
        "dropped": 0,
        "invalid": 3,
        "subscriptions": {
            "Names": {"bodies": 1, "filtered": 1, "dropped": 0, "invalid": 2},
            "All": {"bodies": 3, "filtered": 0, "dropped": 0, "invalid": 1},
        },
    }
    assert [(row.line, row.offset, row.code) for row in asked.told.errors] == [
        (4, 85, "E401"),
        (4, 85, "E401"),
        (5, 93, "E407"),
    ]


def test_rows_tell_position_subscription_body_and_error(destination: fp.Destination) -> None:
    rows = list(destination.transform(EVENTS).rows())
    told = [(row.line, row.subscription, row.event_id, row.outcome, row.code) for row in rows]
    place = "line:bytes:5:"
    assert [(*one[:2], (one[2] or "")[: len(place)], *one[3:]) for one in told] == [
        (1, "Names", "1", None, None),
        (1, "All", "1", None, None),
        (2, "All", "2", None, None),
        (4, "Names", "line:bytes:4:", "invalid", "E401"),
        (4, "All", "line:bytes:4:", "invalid", "E401"),
        (5, "Names", place, "invalid", "E407"),
        (5, "All", place, None, None),
    ]
    assert rows[0].body == b'{"name":"a","n":1}'
    assert rows[3].error


def test_tables(destination: fp.Destination) -> None:
    asked = destination.transform(EVENTS, subscription="everything")
    frame = asked.to_pandas()
    assert list(frame["line"]) == [1, 2, 4, 5]
    assert frame["body"][0]["name"] == "a"
    assert frame["code"][2] == "E401"
    table = asked.to_arrow()
    assert table.column_names == list(frame.columns)
    assert json.loads(table["body"][0].as_py())["name"] == "a"
    assert table["body"][2].as_py() is None
    assert fp.transform(b"", fp.Mapping({})).to_arrow().num_rows == 0
    assert "Transformation of 'bytes'" in repr(asked)
    assert "E401" not in asked._repr_html_()
    assert "not valid JSON" in asked._repr_html_()


def test_functions_run_and_drop(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(FUNCTIONS)
    (tmp_path / "two.yaml").write_text(DESTINATION + "functions: f.py\n")
    events = [
        {"type": "track", "name": name, "n": "1"} for name in ("a", "drop", "b") for _ in range(5)
    ]
    asked = fp.Destination.from_file(tmp_path / "two.yaml").transform(events, subscription="Names")
    assert [json.loads(body)["name"] for body in asked] == ["A"] * 5 + ["B"] * 5
    assert (asked.told["dropped"], asked.told["invalid"]) == (5, 0)
    assert {row.outcome for row in asked.told.errors} == {"dropped"}


def test_writing_to_a_path_and_to_a_file(destination: fp.Destination, tmp_path: Path) -> None:
    asked = destination.transform(EVENTS)
    seen: list[fp.Row] = []
    told = asked.write(tmp_path / "out", seen.append)
    assert (tmp_path / "out").read_bytes() == b"".join(body + b"\n" for body in asked)
    assert [row.line for row in seen] == [4, 4, 5]
    assert told["invalid"] == 3
    into = io.BytesIO()
    assert asked.write(into)["bodies"] == 4
    assert into.getvalue() == (tmp_path / "out").read_bytes()


def test_an_unknown_subscription_is_named(destination: fp.Destination) -> None:
    with pytest.raises(fp.ConfigError, match=r"E150.*Names, All"):
        destination.transform(EVENTS, subscription="Name")


def many(count: int, broken: int) -> Iterator[bytes]:
    """`count` lines, one of them broken, blank ones and CRLF among them."""
    for number in range(count):
        if number == broken:
            yield b'{"messageId":"%d","type":"track",\n' % number
        elif number % 1000 == 7:
            yield b"\r\n"
        else:
            yield b'{"messageId":"%d","type":"track","name":"x","n":"%d"}\n' % (number, number)


@pytest.mark.parametrize("broken", [0, MANY // 2 + 1, MANY - 1])
@pytest.mark.parametrize("bare", [False, True])
def test_one_broken_line_costs_one_outcome_at_its_place(
    broken: int, bare: bool, destination: fp.Destination, tmp_path: Path
) -> None:
    lines = list(many(MANY, broken))
    (tmp_path / "in.ndjson").write_bytes(b"".join(lines))
    if bare:
        asked = fp.transform(tmp_path / "in.ndjson", fp.Mapping({"n": {"@path": "$.n"}}))
    else:
        asked = destination.transform(tmp_path / "in.ndjson", subscription="Names")
    told = asked.write(tmp_path / "out")
    (row,) = told.errors
    offset = sum(map(len, lines[:broken]))
    assert (row.line, row.offset, row.code) == (broken + 1, offset, "E401")
    blank = len(range(7, MANY, 1000))
    assert (told.received, told["bodies"], told["invalid"]) == (MANY - blank, MANY - blank - 1, 1)
    numbers = [int(json.loads(line)["n"]) for line in (tmp_path / "out").read_bytes().splitlines()]
    assert numbers == [n for n in range(MANY) if n != broken and n % 1000 != 7]


def test_a_source_that_breaks_is_told_after_what_was_good(tmp_path: Path) -> None:
    lines = [b'{"n":%d,"noise":"%s"}\n' % (n, os.urandom(9).hex().encode()) for n in range(300_000)]
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"".join(lines), 1)[:-50_000])
    asked = fp.transform(tmp_path / "a.gz", fp.Mapping({"@path": "$.n"}))
    with pytest.raises(fp.SourceError, match="E803"):
        asked.write(tmp_path / "out")
    numbers = (tmp_path / "out").read_text().split()
    assert numbers == [str(n) for n in range(len(numbers))]
    assert 200_000 < len(numbers) < 300_000


# -- review


def test_a_comparison_counts_every_kind(tmp_path: Path) -> None:
    old = fp.Mapping({"@if": {"exists": {"@path": "$.old"}, "then": {"@path": "$.old"}}})
    new = fp.Mapping({"@if": {"exists": {"@path": "$.new"}, "then": {"@path": "$.new"}}})
    events = [
        {"old": {"a": 1}, "new": {"a": 1}},
        {"old": {"a": 1, "l": [1, {"x": 2}]}, "new": {"l": [1, {"x": 3}, 4], "b": None}},
        {"new": {"a": 1}},
        {"old": {"a": 1}},
        {},
    ]
    told = fp.transform(events, new).against(old)
    assert told.to_dict()["subscriptions"] == {
        "mapping": {
            "unchanged": 2,
            "changed": 1,
            "newly_matched": 1,
            "no_longer_matched": 1,
            "newly_invalid": 0,
            "no_longer_invalid": 0,
        }
    }
    assert told.paths == {"$.a": 1, "$.l[*].x": 1, "$.l[*]": 1, "$.b": 1}
    changed = told.examples[0]
    assert (changed.kind, changed.line, changed.source) == ("changed", 2, "records")
    assert set(changed.fields) == {
        ("$.a", "1", None),
        ("$.l[1].x", "2", "3"),
        ("$.l[2]", None, "4"),
        ("$.b", None, "null"),
    }
    assert told and not fp.transform(events, new).against(new)
    assert "1 changed" in repr(told) and "$.l[2]" in told._repr_html_()


def test_what_is_equal_as_json_is_unchanged() -> None:
    event = b'{"a":{"x":1,"y":2},"b":{"y":2.0,"x":1},"c":{"x":true,"y":2}}\n'
    a, b, c = (fp.Mapping({"@path": f"$.{name}"}) for name in "abc")
    assert not fp.transform(event, a).against(b)
    assert fp.transform(event, a).against(c).paths == {"$.x": 1}


def test_a_comparison_of_destinations(destination: fp.Destination, tmp_path: Path) -> None:
    text = DESTINATION.replace('{"@number": {"@path": "$.n"}}', '{"@path": "$.n"}')
    text = text.replace("name: All", "name: Everything").replace('"track"', '"page"')
    new = fp.Destination.from_text(text, str(tmp_path / "new.yaml"))
    told = new.transform(EVENTS).against(destination)
    assert told.subscriptions["Names"] == {
        "unchanged": 1,
        "changed": 0,
        "newly_matched": 1,
        "no_longer_matched": 1,
        "newly_invalid": 0,
        "no_longer_invalid": 1,
    }
    assert told.subscriptions["Everything"]["unchanged"] == 4
    back = destination.transform(EVENTS).against(new)
    assert back["newly_invalid"] == 1
    assert back.examples[-1].code == "E407"
    only = new.transform(EVENTS, subscription="Everything").against(destination)
    assert (list(only.subscriptions), bool(only)) == (["Everything"], False)
    with pytest.raises(fp.ConfigError, match="E151"):
        new.transform(EVENTS).against(fp.Mapping({}))


def test_many_alike_events_are_compared_at_once(destination: fp.Destination) -> None:
    events = b"".join(many(100_000, 500))
    new = fp.Destination.from_text(DESTINATION.replace("{name:", "{extra: 1, name:"))
    assert destination.transform(events).against(destination)["unchanged"] == 2 * 99_900
    told = new.transform(events).against(destination, shown=3)
    assert (told["changed"], told["unchanged"]) == (99_899, 99_901)
    assert (len(told.examples), told.paths) == (3, {"$.extra": 99_899})


def test_a_comparison_of_a_broken_source_keeps_what_it_saw(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b'{"n":1}\n' * 9)[:-4])
    mapping = fp.Mapping({"@path": "$.n"})
    told = fp.transform(tmp_path / "a.gz", mapping).against(mapping)
    assert (told.received, told.error and told.error.code) == (9, "E803")


# -- the command line


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "fieldpost", "transform", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    (tmp_path / "m.yaml").write_text('n: {"@path": $.n}\n')
    return tmp_path / "m.yaml"


def test_a_pipe(mapping: Path) -> None:
    told = run("--mapping", mapping, "--filter", 'type = "track"', stdin=EVENTS)
    assert told.stdout == b'{"n":"1"}\n{"n":"x"}\n'
    assert told.stderr == b"standard input:4: E401 not valid JSON (byte 1 of the line)\n"
    assert told.returncode == 4
    only = run("--filter", 'type = "page"', "-", stdin=EVENTS.replace(b"{broken\n", b""))
    assert (only.stdout, only.returncode) == (b'{"messageId":"2","type":"page"}\n', 0)


def test_a_destination_and_files(destination: fp.Destination, tmp_path: Path) -> None:
    (tmp_path / "e.ndjson").write_bytes(EVENTS)
    told = run(tmp_path / "two.yaml", tmp_path / "e.ndjson", "--subscription", "Names")
    assert (told.stdout, told.returncode) == (b'{"name":"a","n":1}\n', 4)
    assert told.stderr.decode().splitlines()[1].startswith(f"{tmp_path}/e.ndjson:5: E407 ")
    rows = run(tmp_path / "two.yaml", "-o", "json", stdin=EVENTS)
    parsed = [json.loads(line) for line in rows.stdout.splitlines()]
    assert [row["line"] for row in parsed] == [1, 1, 2, 4, 4, 5, 5]
    assert set(parsed[0]) == set(fp.Row._fields)
    assert parsed[0]["body"] == {"name": "a", "n": 1}


def test_errors_are_bounded_and_counted(mapping: Path, tmp_path: Path) -> None:
    stdin = b"{\n" * 1234 + b'{"n":1}\n'
    told = run("--mapping", mapping, stdin=stdin)
    assert len(told.stderr.splitlines()) == 21
    assert b"1,214 more" in told.stderr
    run("--mapping", mapping, "--errors", tmp_path / "e", stdin=stdin)
    kept = [json.loads(line) for line in (tmp_path / "e").read_bytes().splitlines()]
    assert [row["line"] for row in kept] == list(range(1, 1235))


def test_a_review(mapping: Path, tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text('n: {"@number": {"@path": $.n}}\n')
    asked = ("--mapping", tmp_path / "new.yaml", "--against", mapping)
    told = run(*asked, "-o", "json", stdin=EVENTS)
    counts = json.loads(told.stdout)
    assert (counts["changed"], counts["newly_invalid"], counts["unchanged"]) == (1, 1, 2)
    assert counts["examples"][0]["fields"] == [{"path": "$.n", "old": '"1"', "new": "1"}]
    assert told.returncode == 4
    shown = run(*asked, stdin=EVENTS).stdout.decode()
    assert '$.n: "1" → 1' in shown and "newly invalid" in shown


def test_mistakes_are_told_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text('a: {"@pth": $.n}\nb:\n  - {"@path": 5}\n')
    told = run("--mapping", tmp_path / "m.yaml")
    lines = told.stderr.decode().splitlines()
    assert told.returncode == 2
    assert f"{tmp_path}/m.yaml:1:1: E201" in lines[0]
    assert f"{tmp_path}/m.yaml:3:" in lines[1]
    assert run("--mapping", tmp_path / "none.yaml").returncode == 2
    assert run("--filter", "type =").returncode == 2
    assert b"E152" in run().stderr


@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="sanitizers take memory of their own")
def test_memory_stays_flat() -> None:
    benchmark = Path(__file__).parents[2] / "benchmarks/transform_memory.py"
    asked = [sys.executable, benchmark, "--gigabytes", "0.2", "--jq-megabytes", "0"]
    told = subprocess.run(
        [*map(str, asked), "--limit-mb", "150"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_who_stops_reading_ends_it_quietly(mapping: Path, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b'{"n":"%s"}\n' % (b"x" * 100) * 300_000)
    command = [sys.executable, "-m", "fieldpost", "transform", "--mapping", str(mapping)]
    with subprocess.Popen(
        [*command, str(tmp_path / "in")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout and child.stderr
        assert child.stdout.readline().startswith(b'{"n"')
        child.stdout.close()
        assert child.wait(30) == 0
        assert child.stderr.read() == b""


def test_lines_are_not_held_back_while_nothing_comes(mapping: Path) -> None:
    command = [sys.executable, "-m", "fieldpost", "transform", "--mapping", str(mapping)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin and child.stdout
        for number in range(3):
            child.stdin.write(b'{"n":%d}\n{"n"' % number)
            child.stdin.flush()
            began = time.monotonic()
            assert child.stdout.readline() == b'{"n":%d}\n' % number
            assert time.monotonic() - began < 20
            child.stdin.write(b":5}\n")
            child.stdin.flush()
            assert child.stdout.readline() == b'{"n":5}\n'
        child.stdin.close()
        assert child.wait(30) == 0


def test_a_source_that_breaks_exits_with_2_after_what_was_good(
    mapping: Path, tmp_path: Path
) -> None:
    told = run("--mapping", mapping, stdin=gzip.compress(b'{"n":1}\n' * 9)[:-4])
    assert (told.stdout, told.returncode) == (b'{"n":1}\n' * 9, 2)
    assert b"E803" in told.stderr
