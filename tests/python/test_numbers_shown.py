"""Numbers are shown in their own digits, and what is printed as JSON is JSON."""

from __future__ import annotations

import copy
import json
import math
import pickle

import pytest
from typer.testing import CliRunner

import fieldpost as fp
from fieldpost import json_text
from fieldpost.cli import printing
from fieldpost.cli.app import app
from fieldpost.dead_letters import Content, DeadLetters
from fieldpost.ledger import Key

DIGITS = {
    "price": "19.90",
    "big": "12345678901234567890",
    "id": "9007199254740993",
    "huge": "1e400",
    "zero": "-0",
    "thousand": "1E3",
    "long": "9" * 5000,
    "list": "[1.0, 2.50, -1e999]",
}
_MEMBERS = ", ".join(f'"{name}": {text}' for name, text in DIGITS.items())
EVENT = '{"type": "track", "messageId": "1", ' + _MEMBERS + "}"
_BODY = ", ".join(f'{name}: {{"@path": $.{name}}}' for name in DIGITS)
FILE = """\
name: n
type: webhook
url: https://h.example/in
subscriptions:
  - name: all
    filter: price = 19.9
    body: {BODY}
  - name: broken
    body: {a: {"@path": $.price}, b: {"@number": {"@path": $.type}}, c: {"@path": $.id}}
tests:
  - {name: t, subscription: all, file: one.json, expect: {body: {price: 7}}}
""".replace("BODY", _BODY)
VERBS = {
    "explain": ["explain", "n.yaml", "one.json"],
    "explain a filter": ["explain", "--filter", "price = 1 or big = 1", "one.json"],
    "preview": ["preview", "n.yaml", "one.json"],
    "test": ["test", "n.yaml"],
    "compare": ["transform", "n.yaml", "one.json", "--against", "old.yaml"],
    "transform": ["transform", "n.yaml", "one.json"],
}


@pytest.fixture(autouse=True)
def _files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.yaml").write_text(FILE)
    old = FILE.replace(': {"@path": $.', ': {"@path": $.x')
    (tmp_path / "old.yaml").write_text(old)
    (tmp_path / "one.json").write_text(EVENT + "\n")


def run(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result.stdout


def refused(name):
    raise AssertionError(f"{name} is no JSON")


@pytest.mark.parametrize("verb", VERBS)
def test_json_is_json_and_has_the_digits(verb):
    printed = run(*VERBS[verb], "--output", "json")
    for one in printed.splitlines():
        json.loads(one, parse_constant=refused, parse_int=str)
    seen = ["19.90", "12345678901234567890"]
    if verb not in ("explain a filter",):
        seen += ["1e400", "-0", "1E3", "9007199254740993", "2.50", "9" * 5000]
    assert [one for one in seen if one not in printed] == []


@pytest.mark.parametrize("verb", ["explain", "preview", "compare", "test"])
def test_people_see_the_same_digits(verb):
    printed = (
        run(*VERBS[verb]).replace("[\n    ", "[").replace(",\n    ", ", ").replace("\n  ]", "]")
    )
    seen = [*DIGITS.values()]
    assert [one for one in seen if one not in printed] == []
    assert "Infinity" not in printed and "inf" not in printed.split()


def test_explain_blames_the_one_field_that_fails_beside_a_number_nobody_reads():
    told = json.loads(run(*VERBS["explain"], "--output", "json"), parse_int=str)
    fields = {one["path"]: one for one in told["subscriptions"][1]["fields"]}
    assert (fields["$.a"]["value"], fields["$.a"]["why"]) == (19.9, "")
    assert (fields["$.c"]["value"], fields["$.c"]["why"]) == ("9007199254740993", "")
    assert "E407" in fields["$.b"]["why"] and fields["$.b"]["missing"] == []


def test_a_page_shows_them_too():
    dest = fp.Destination.from_file("n.yaml")
    shown = dest.explain(EVENT)._repr_html_() + dest.preview("one.json")._repr_html_()
    assert shown.count("19.90") >= 3 and "Infinity" not in shown


def test_a_number_is_a_float_that_keeps_its_text():
    price = json_text.read_exact("[19.90]")[0]
    assert price == 19.9 and isinstance(price, float) and str(price) == "19.90"
    for one in (copy.deepcopy(price), pickle.loads(pickle.dumps(price))):
        assert (one, repr(one)) == (19.9, "19.90")
    assert json_text.read_exact("9007199254740993") == 9007199254740993
    assert math.isinf(json_text.read_exact("1e400"))


@pytest.mark.parametrize("indent", [None, 2])
def test_values_are_written_as_the_standard_library_writes_them(indent):
    value = {"a": [1, 2.5, None, True, 'é\ud83d"\n', [], {}, ()], "": {"b": [[{"c": "d"}]]}}
    assert json_text.shown(value, indent) == json.dumps(value, ensure_ascii=False, indent=indent)
    assert json_text.shown(value, ascii_only=True) == json.dumps(value)


def test_infinity_and_nan_are_null(capsys):
    printing.as_json({"a": [float("nan"), float("inf"), -float("inf")]})
    assert capsys.readouterr().out == '{"a": [null, null, null]}\n'


def test_deep_values_are_written():
    deep = []
    for _ in range(50_000):
        deep = [deep]
    assert json_text.shown(deep) == "[" * 50_001 + "]" * 50_001


def test_events_of_a_list_keep_their_digits(tmp_path):
    (tmp_path / "one.json").write_text(f"[{EVENT},\n {EVENT}]")
    text = FILE.replace(
        "file: one.json, expect: {body: {price: 19.9}}", "file: one.json, expect: filtered"
    )
    (tmp_path / "n.yaml").write_text(text)
    printed = run("test", "n.yaml", "--output", "json")
    assert json.loads(printed, parse_int=str)[0]["ok"] is False


def test_a_number_that_must_not_stay_is_taken_out_however_it_is_written():
    letters = DeadLetters("failed", ["price", "huge"])
    body = b'{"a":19.90,"b":"for 19.9","c":1e400,"d":2.50}'
    event = b'{"price": 19.90, "huge": 1e400, "other": 2.50, "name": "Infinity"}'
    kept = letters.letter(Key(1, "e", 0, "s", 1, 0, ""), Content(event, body))
    assert kept.body == b'{"a":***,"b":"for ***","c":***,"d":2.50}'
    assert kept.event == b'{"price": "***", "huge": "***", "other": 2.50, "name": "Infinity"}'
