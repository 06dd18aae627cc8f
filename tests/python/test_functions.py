"""Insert functions: a user's Python on an event, and what it may do wrong."""

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from fieldpost.config import parse
from fieldpost.errors import ConfigError, Mistake
from fieldpost.functions import Dropped, Failed, Functions, load, load_functions

BODY = """
def on_track(event, settings):
    event["body"] = {"name": event["properties"]["company"], "region": settings.get("region")}
    return event
"""


def functions(folder: Path, text: str, settings: dict[str, Any] | None = None) -> Functions:
    path = folder / "accounts.py"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return load(path, settings)


def mistakes(folder: Path, text: str) -> list[Mistake]:
    with pytest.raises(ConfigError) as caught:
        functions(folder, text)
    assert caught.value.file == str(folder / "accounts.py")
    return caught.value.mistakes


def track(**more: Any) -> bytes:
    return json.dumps({"type": "track", **more}).encode()


def test_a_handler_changes_the_event(tmp_path: Path) -> None:
    mine = functions(tmp_path, BODY, {"region": "eu"})
    changed = mine.apply(track(properties={"company": "Grüße"}))
    assert isinstance(changed, bytes)
    assert json.loads(changed)["body"] == {"name": "Grüße", "region": "eu"}
    assert "Grüße".encode() in changed
    assert mine.types == ("track",)


@pytest.mark.parametrize("kind", ["identify", "unheard", None, 5, ["track"]])
def test_an_event_without_a_handler_goes_on_as_it_is(tmp_path: Path, kind: Any) -> None:
    event = b'{ "type" : ' + json.dumps(kind).encode() + b', "x": 1.10 }'
    assert functions(tmp_path, BODY).apply(event) is event


@pytest.mark.parametrize(
    "kind", ["track", "identify", "group", "page", "screen", "alias", "delete"]
)
def test_each_type_has_its_handler(tmp_path: Path, kind: str) -> None:
    mine = functions(tmp_path, f"def on_{kind}(event, settings):\n    return {{'seen': 1}}\n")
    assert mine.apply(json.dumps({"type": kind}).encode()) == b'{"seen":1}'


def test_numbers_and_texts_survive(tmp_path: Path) -> None:
    mine = functions(tmp_path, "def on_track(event, settings):\n    return event\n")
    event = (
        b'{"type":"track","n":123456789012345678901234567890,"s":"\\ud83d \\u00e9 \\ud83d\\ude00"}'
    )
    changed = mine.apply(event)
    assert isinstance(changed, bytes)
    assert b"123456789012345678901234567890" in changed
    assert json.loads(changed.decode("utf-8")) == json.loads(event)
    assert b"\\ud83d \xc3\xa9 \xf0\x9f\x98\x80" in changed


def test_settings_are_a_fresh_copy_each_time(tmp_path: Path) -> None:
    text = "def on_track(event, settings):\n    settings['n'].append(1)\n    return settings\n"
    mine = functions(tmp_path, text, {"n": []})
    assert [mine.apply(track()) for _ in range(2)] == [b'{"n":[1]}', b'{"n":[1]}']


def test_dropping(tmp_path: Path) -> None:
    text = """
from fieldpost.functions import DropEvent
def on_track(event, settings):
    if "why" in event:
        raise DropEvent(event["why"])
"""
    mine = functions(tmp_path, text)
    assert mine.apply(track()) == Dropped("E413", "on_track returned nothing")
    assert mine.apply(track(why="not \ud800 ours")) == Dropped("E413", "not \\ud800 ours")
    assert mine.apply(track(why="")) == Dropped("E413", "the function dropped the event")
    assert mine.result(track(why="no")) == ("E413", "no", "dropped")


def test_an_exception_is_told_by_class_and_line_and_never_by_its_text(tmp_path: Path) -> None:
    text = """import json
def on_track(event, settings):
    return deeper(event)
def deeper(event):
    json.loads(event["value"])
"""
    failed = functions(tmp_path, text).apply(track(value="m4rked"))
    assert failed == Failed("E411", "on_track raised JSONDecodeError at accounts.py:5")
    missing = functions(tmp_path, text).result(track())
    assert missing == ("E411", "on_track raised KeyError at accounts.py:5")


@pytest.mark.parametrize("raised", ["SystemExit(1)", "RecursionError()", "MemoryError()"])
def test_hard_exceptions_end_the_event_only(tmp_path: Path, raised: str) -> None:
    mine = functions(tmp_path, f"def on_track(event, settings):\n    raise {raised}\n")
    failed = mine.apply(track())
    assert isinstance(failed, Failed)
    assert failed.message == f"on_track raised {raised.split('(')[0]} at accounts.py:2"


def test_a_keyboard_interrupt_passes_through(tmp_path: Path) -> None:
    mine = functions(tmp_path, "def on_track(event, settings):\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        mine.apply(track())


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("[event]", "on_track returned list, expected a dict"),
        ("'m4rked'", "on_track returned str, expected a dict"),
        ("{'a': [{'b': {1, 2}}]}", "on_track returned set at $.a[0].b, which JSON cannot hold"),
        ("{'a': b'm4rked'}", "on_track returned bytes at $.a, which JSON cannot hold"),
        (
            "{'a': float('nan')}",
            "on_track returned a number that is not finite at $.a, which JSON cannot hold",
        ),
        ("{(1, 2): 3}", "on_track returned a key of type tuple at $, which JSON cannot hold"),
    ],
)
def test_what_is_no_event_is_told_with_its_place(tmp_path: Path, returned: str, told: str) -> None:
    mine = functions(tmp_path, f"def on_track(event, settings):\n    return {returned}\n")
    assert mine.apply(track()) == Failed("E412", told)


def test_an_event_nested_in_itself_is_told(tmp_path: Path) -> None:
    text = "def on_track(event, settings):\n    event['me'] = event\n    return event\n"
    failed = functions(tmp_path, text).apply(track())
    assert isinstance(failed, Failed)
    assert "nested in itself" in failed.message


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (b"{", "E401"),
        (b"\xff", "E401"),
        (b'{"a": NaN}', "E401"),
        (b'{"a": ' + b"9" * 5000 + b"}", "E401"),
        (b"[" * 100_000, "E401"),
        (b"[1]", "E402"),
    ],
)
def test_what_cannot_be_given_to_a_function_is_invalid(
    tmp_path: Path, event: bytes, code: str
) -> None:
    failed = functions(tmp_path, BODY).apply(event)
    assert isinstance(failed, Failed)
    assert failed.code == code


@pytest.mark.parametrize(
    ("text", "code", "line", "hint"),
    [
        ("def on_trak(event, settings): ...\n", "E414", 1, 'did you mean "on_track"?'),
        ("\ndef onTrack(event, settings): ...\n", "E414", 2, 'did you mean "on_track"?'),
        ("def on_batch(events, settings): ...\n", "E117", 1, "handle single events"),
        ("def on_track(event): ...\n", "E414", 1, "def on_track(event, settings):"),
        ("async def on_track(event, settings): ...\n", "E414", 1, "def on_track(event, settings):"),
        ("on_track = 5\n", "E414", None, "def on_track(event, settings):"),
        ("x = 1\ny = (\n", "E410", 2, ""),
        ("import os\n1 / 0\n", "E410", 2, ""),
        ("raise SystemExit\n", "E410", 1, ""),
        (
            "import nowhere.at_all\n",
            "E410",
            1,
            "install nowhere, or put nowhere.py into the folder of accounts.py",
        ),
        ("from .nowhere import x\n", "E410", 1, "put nowhere.py into the folder of accounts.py"),
        ("x = '\x00'\n", "E410", 1, ""),
    ],
)
def test_a_file_that_cannot_serve_is_a_mistake_with_its_line(
    tmp_path: Path, text: str, code: str, line: int | None, hint: str
) -> None:
    (found,) = mistakes(tmp_path, text)
    assert (found.code, found.line, found.hint) == (code, line, hint)


def test_all_mistakes_of_a_file_come_at_once(tmp_path: Path) -> None:
    text = "def on_trak(e, s): ...\ndef on_page(e): ...\n"
    assert [one.path for one in mistakes(tmp_path, text)] == ["on_trak", "on_page"]


def test_a_file_without_any_handler_is_a_mistake(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, "def track(event, settings): ...\n")
    assert (found.code, found.message) == ("E414", "no handler in this file")


def test_imported_names_and_callable_objects_are_fine(tmp_path: Path) -> None:
    text = """
from dataclasses import dataclass
from functools import partial
from os.path import basename as on_basename
@dataclass
class Shape:
    n: int = 0
def helper(more, event, settings):
    return {"n": Shape(more).n}
on_track = partial(helper, 3)
"""
    mine = functions(tmp_path, text)
    changed = mine.apply(track())
    assert changed == b'{"n":3}'


def test_javascript_comes_later(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="E117"):
        load(tmp_path / "accounts.js")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="E410"):
        load(tmp_path / "none.py")


def test_nothing_is_left_beside_the_file_and_no_failed_module_stays(tmp_path: Path) -> None:
    functions(tmp_path, BODY)
    assert [one.name for one in tmp_path.iterdir()] == ["accounts.py"]
    before = set(sys.modules)
    broken = tmp_path / "broken"
    broken.mkdir()
    mistakes(broken, "1 / 0\n")
    assert set(sys.modules) == before


def test_two_files_of_one_name_do_not_meet(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        text = f"N = '{name}'\ndef on_track(event, settings):\n    return {{'n': N}}\n"
        made.append(functions(tmp_path / name, text))
    assert [one.apply(track()) for one in made] == [b'{"n":"a"}', b'{"n":"b"}']


def test_functions_travel_as_path_and_settings(tmp_path: Path) -> None:
    mine = functions(tmp_path, BODY, {"region": "eu"})
    back = pickle.loads(pickle.dumps(mine))
    event = track(properties={"company": "A"})
    assert back.apply(event) == mine.apply(event)


def test_a_destination_names_its_functions(tmp_path: Path) -> None:
    text = (
        "name: H\ntype: webhook\nsubscriptions: [{name: A, url: 'https://example.com'}]\n"
        "settings: {region: {env: REGION}}\n"
    )
    name = os.fspath(tmp_path / "d.yaml")
    assert load_functions(parse(text, name, {"REGION": "us"})) is None
    (tmp_path / "accounts.py").write_text(BODY)
    mine = load_functions(parse(text + "functions: accounts.py\n", name, {"REGION": "us"}))
    assert mine is not None
    changed = mine.result(track(properties={"company": "A"}))
    assert isinstance(changed, bytes)
    assert json.loads(changed)["body"]["region"] == "us"
