"""explain: why an event is taken or not, and where each field of its body came from."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import fieldpost as fp

TEXT = """\
name: d
type: webhook
url: {env: NOT_SET_HOOK}
functions: f.py
settings: {region: {env: NOT_SET_REGION}}
subscriptions:
  - name: Orders
    filter: type = "track" and properties.total > 100
    body:
      id: {"@path": "$.messageId"}
      "@@type": order
      who: {mail: {"@path": "$.traits.email"}, city: {"@path": "$.properties.coupon.city"}}
      total: {"@number": {"@path": "$.properties.total"}}
      region: {"@path": "$.region"}
      lines: {"@arrayPath": ["$.properties.lines", {sku: {"@path": "$.id"}}]}
      tags: [new, {"@path": "$.tags[1]"}]
  - name: Everything
"""
FUNCTION = """\
def on_track(event, settings):
    event["region"] = settings["region"]
    return event
"""
EVENT = {
    "messageId": "m1",
    "type": "track",
    "tags": ["a"],
    "properties": {"total": 120, "coupon": "X", "lines": [{"id": 7}]},
}


@pytest.fixture
def file(tmp_path):
    (tmp_path / "f.py").write_text(FUNCTION)
    (tmp_path / "d.yaml").write_text(TEXT)
    return tmp_path / "d.yaml"


def explained(file, **changes):
    event = EVENT | {"properties": EVENT["properties"] | changes}
    return fp.explain_file(file, json.dumps(event).encode())


def test_each_field_tells_where_it_came_from_or_why_it_is_missing(file):
    orders, everything = explained(file)
    assert (orders.outcome, everything.outcome) == ("mapped", "mapped")
    assert orders.body["region"] == "${NOT_SET_REGION}"
    told = {one.path: one.cells()[1:] for one in orders.fields}
    assert told == {
        "$.id": ['"m1"', '$.messageId is "m1"'],
        "$.@type": ['"order"', "as written"],
        "$.who.mail": ["nothing", 'the event has no "traits"'],
        "$.who.city": ["nothing", "nothing is inside $.properties.coupon, which is a text"],
        "$.total": ["120", "$.properties.total is 120"],
        "$.region": ['"${NOT_SET_REGION}"', '$.region is "${NOT_SET_REGION}"'],
        "$.lines": ['[{"sku": 7}]', '$.properties.lines is [{"id": 7}]'],
        "$.tags[0]": ['"new"', "as written"],
        "$.tags[1]": ["null", '$.tags has no "1"'],
    }
    assert [one.path for one in everything.fields] == ["$"]
    assert "<td>$.who.mail</td>" in orders._repr_html_()


def test_a_filter_that_says_no_tells_which_condition(file):
    orders, everything = explained(file, total=50)
    assert (orders.outcome, everything.outcome) == ("filtered", "mapped")
    assert orders.fields == []
    assert str(orders).splitlines() == [
        "Orders: filtered",
        "  no  all of",
        '  yes   type = "track"  (type is "track")',
        "  no    properties.total > 100  (properties.total is 50)",
    ]
    assert repr(explained(file, total=50)) == (
        "<EventExplanation: Orders filtered, Everything mapped>"
    )


def test_an_event_that_cannot_be_mapped_tells_which_field_failed(file):
    text = TEXT.replace("properties.total > 100", "messageId != null")
    file.write_text(text)
    orders, _ = explained(file, total="many")
    assert (orders.outcome, orders.code) == ("invalid", "E407")
    failed = [one.path for one in orders.fields if one.why.startswith("E407")]
    assert failed == ["$.total"]
    assert {one.path: one.value for one in orders.fields}["$.id"] == "m1"


def test_an_event_that_a_function_drops_has_no_fields(file):
    (file.parent / "f.py").write_text("def on_track(event, settings):\n    return None\n")
    orders, _ = explained(file)
    assert (orders.outcome, orders.code, orders.fields) == ("dropped", "E413", [])


def test_what_is_no_event_is_told(file):
    with pytest.raises(fp.EventError, match="E401"):
        fp.explain_file(file, b"{broken")


def test_a_loaded_destination_explains_too(file, monkeypatch):
    monkeypatch.setenv("NOT_SET_HOOK", "https://example.com")
    monkeypatch.setenv("NOT_SET_REGION", "eu")
    dest = fp.Destination.from_file(file)
    assert dest.explain(EVENT)[0].body["region"] == "eu"
    assert len(dest.explain(json.dumps(EVENT))) == 2


def run(*arguments, given=""):
    return subprocess.run(
        [sys.executable, "-m", "fieldpost", "explain", *map(str, arguments)],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_reads_a_file_or_standard_input(file, tmp_path):
    told = run(file, given=json.dumps(EVENT, indent=2))
    assert told.returncode == 0 and "Orders: mapped" in told.stdout
    (tmp_path / "e.ndjson").write_text('{"type": "page"}\n' + json.dumps(EVENT) + "\n")
    told = run(file, tmp_path / "e.ndjson", "--number", 2, "--output", "json")
    first, second = json.loads(told.stdout)["subscriptions"]
    assert (first["name"], first["outcome"], second["outcome"]) == ("Orders", "mapped", "mapped")
    assert first["filter"]["children"][1]["seen"] == {"properties.total": 120}
    missing = next(one for one in first["fields"] if one["path"] == "$.who.mail")
    assert missing == {
        "path": "$.who.mail",
        "written": {"@path": "$.traits.email"},
        "reads": {},
        "missing": ["$.traits.email"],
        "why": 'the event has no "traits"',
    }


def test_the_command_explains_a_filter_alone(tmp_path):
    told = run("--filter", 'type = "track" or a > 5', given='[{"a": 1}, {"a": 6}]')
    assert told.stdout.splitlines()[0] == "no  any of"
    told = run("--filter", "a > 5", "--number", 2, "-o", "json", given='[{"a": 1}, {"a": 6}]')
    assert json.loads(told.stdout)["verdict"] is True
    told = run("--filter", "type = x", given="{}")
    assert told.returncode == 2 and "E313" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["d.yaml", "nowhere.json"], "E802"),
        (["--filter", "all", "--number", "3", "-"], "E802"),
        (["--filter", "all"], "E402"),
        (["nowhere.yaml", "-"], "E104"),
    ],
)
def test_the_command_tells_what_is_wrong(arguments, code):
    told = run(*arguments, given="5")
    assert told.returncode == 2 and code in told.stderr


def test_the_command_needs_a_destination_or_a_filter():
    assert run().returncode == 2
