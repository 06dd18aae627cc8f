"""check: every mistake and every surprise of a destination, each fixable from its text alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import fieldpost as fp

DATA = Path(__file__).parent / "data"
HEAD = "name: d\ntype: webhook\nsubscriptions:\n  - name: one\n    url: https://example.com/in\n"


def told(text: str, tmp_path: Path) -> tuple[list[str], list[str]]:
    """Errors and warnings of a document, as `line:column CODE path; hint`."""
    file = tmp_path / "d.yaml"
    file.write_text(text)
    result = fp.check_file(file)
    return [_short(one) for one in result.errors], [_short(one) for one in result.warnings]


def _short(one):
    return f"{one.line}:{one.column} {one.code} {one.path}; {one.hint}"


def test_ten_mistakes_in_a_mapping_of_fifty_fields_are_told_at_once(tmp_path):
    text = (DATA / "ten_mistakes.yaml").read_text()
    assert text.count('"@path"') >= 50
    (tmp_path / "ten.yaml").write_text(text)
    (tmp_path / "countries.csv").write_text("code,name\nDE,Germany\n")
    run = subprocess.run(
        [sys.executable, "-m", "fieldpost", "check", "ten.yaml"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        check=False,
    )
    assert run.returncode == 2
    expected = (DATA / "ten_mistakes.txt").read_text()
    assert run.stdout == expected
    assert sum(": error " in line for line in expected.splitlines()) == 10


def test_every_place_of_the_ten_points_at_what_is_wrong(tmp_path):
    lines = (DATA / "ten_mistakes.yaml").read_text().splitlines()
    errors = fp.check_file(DATA / "ten_mistakes.yaml").errors
    found = [lines[one.line - 1][one.column - 1 :].split()[0].strip("\"',:{}") for one in errors]
    words = ["not-a-secret-but-written-here", "lowercas(event)", "number", "on_failur"]
    words += ["Europe/Berln", "@path", "city", "contries.csv", "=>", "max_in_fligt"]
    assert found == words


def test_a_bad_mapping_hides_no_bad_filter_and_no_bad_sign_in(tmp_path):
    text = HEAD.replace("type: webhook\n", "type: webhook\nauth: {type: bearer, token: abc}\n")
    text += '    filter: type = track\n    body: {a: {"@pth": 1}}\nfunctions: f.py\n'
    (tmp_path / "f.py").write_text("def on_trak(event, settings):\n    return event\n")
    errors, _ = told(text, tmp_path)
    codes = [one.split()[1] for one in errors]
    assert codes == ["E120", "E313", "E201", "E414"]
    assert fp.check_file(tmp_path / "d.yaml").errors[-1].file == "f.py"


def test_a_file_that_loads_tells_the_same(tmp_path):
    text = HEAD + '    filter: type = track\n    body: {"a.b": {"@pth": 1}}\n'
    errors, _ = told(text, tmp_path)
    assert errors == [
        '6:20 E313 $.subscriptions[0].filter; write "track" for the text, or $.track for the field',
        '7:12 E201 $.subscriptions[0].body["a.b"]; did you mean "@path"?',
    ]
    loaded = fp.Destination.from_file(tmp_path / "d.yaml").check()
    assert loaded == fp.check_file(tmp_path / "d.yaml")
    assert "E313" in loaded._repr_html_() and "6:20" in loaded._repr_html_()


@pytest.mark.parametrize(
    ("filter_text", "place"),
    [
        ("'type = x'", "6:21"),
        ('"type = x"', "6:21"),
        ("type = x", "6:20"),
        ("{text: type = x, dialect: fieldpost}", "6:27"),
        ("|\n      event = 'a' and\n      type = x", "8:14"),
        ("|-\n      type = x", "7:14"),
        (">\n      type = x", "6:13"),  # folded: only its begin is sure
    ],
)
def test_a_mistake_in_a_filter_is_placed_within_its_text(filter_text, place, tmp_path):
    errors, _ = told(HEAD + f"    filter: {filter_text}\n", tmp_path)
    assert [one.split()[:2] for one in errors] == [[place, "E313"]]


@pytest.mark.parametrize(
    ("body", "code", "path", "hint"),
    [
        ({"a": {"@path": "$"}}, "E224", ".a.@path", 'write "$."'),
        ({"a": {"@path": "x$.b"}}, "E224", ".a.@path", 'begin the path with "$."'),
        ({"a": {"@path": "$.it's"}}, "E165", ".a.@path", "rename the key"),
        ({"a": {"@path": "$.p[*].x"}}, "E165", ".a.@path", "@arrayPath for every element"),
        ({"a": {"@template": "{{p[x]}}"}}, "E165", ".a.@template", "['a key']"),
        ({"a": {"@template": "{{$.x}}"}}, "E237", ".a.@template", "write {{x}}"),
        ({"a": {"@template": "{{{x}}}"}}, "E236", ".a.@template", "write {{ }}"),
        ({"a": {"@literal": [{"@path": "$.x"}]}}, "E166", ".a.@literal", 'write "@@"'),
        (
            {"@if": {"exists": {"@path": "$.x"}, "then": 1, "else": 0}},
            "E225",
            ".@if.else",
            'write {"@literal": 0}',
        ),
        ({"@if": {"blank": {"@path": "$.x"}, "then": 1}}, "E227", ".@if", 'ask with "exists"'),
        (
            {"@if": {"blank": 1, "exists": {"@path": "$.x"}, "then": 1}},
            "E226",
            ".@if",
            "keep one of them",
        ),
        (
            {"@case": {"operator": "Upper", "value": {"@path": "$.x"}}},
            "E228",
            ".@case.operator",
            '"upper"',
        ),
        (
            {"@replace": {"pattern": "a", "replacement": "$&", "value": {"@path": "$.x"}}},
            "E229",
            ".@replace.replacement",
            'write "$$"',
        ),
        ({"@arrayPath": ["$.x", []]}, "E232", ".@arrayPath[1]", "leave the shape out"),
        (
            {"@flatten": {"value": {"@path": "$.x"}, "separator": ".", "omitArrays": "no"}},
            "E233",
            ".@flatten.omitArrays",
            "write true or false",
        ),
        (
            {"@json": {"mode": "ENCODE", "value": {"@path": "$.x"}}},
            "E234",
            ".@json.mode",
            'write "encode"',
        ),
        (
            {"@merge": {"direction": "LEFT", "objects": [{"a": 1}]}},
            "E235",
            ".@merge.direction",
            'write "left"',
        ),
        (
            {"@merge": {"direction": "right", "objects": [{"a": 1}, {"a": {"@path": "$.a"}}]}},
            "E167",
            ".@merge.objects[1].a",
            '"@default"',
        ),
        (
            {"@merge": {"direction": "left", "objects": [{"a": {"@path": "$.a"}}, {"a": 1}]}},
            "E167",
            ".@merge.objects[0].a",
            '"@default"',
        ),
        (
            [{"@merge": {"direction": "right", "objects": ["ab"]}}],
            "E168",
            "[0].@merge.objects[0]",
            "write an object",
        ),
        ([{"@path": "$.a", "b": 1}], "E223", "[0]", 'write "@@path"'),
        ([{"@path": "$.a", "@if": 1}], "E222", "[0]", 'leave "@if" out'),
    ],
)
def test_every_surprise_is_told_with_its_place_and_the_clean_way(body, code, path, hint, tmp_path):
    errors, warnings = told(HEAD + f"    body: {json.dumps(body)}\n", tmp_path)
    assert errors == []
    assert len(warnings) == 1, warnings
    place, told_code, rest = warnings[0].split(" ", 2)
    assert (told_code, rest.split(";")[0]) == (code, "$.subscriptions[0].body" + path)
    assert hint in rest
    assert place.startswith("6:") and place != "6:5"


@pytest.mark.parametrize(
    "body",
    [
        {"@merge": {"direction": "right", "objects": [{"a": {"@path": "$.a"}}, {"b": 1}]}},
        {"@merge": {"direction": "right", "objects": [{"a": 1}, {"a": {"@template": "x"}}]}},
        {"a": {"@path": "$.p['a.b'][0]"}, "b": {"@literal": {"c": [1]}}, "@@odata.type": "x"},
    ],
)
def test_what_does_not_surprise_is_not_warned_of(body, tmp_path):
    errors, warnings = told(HEAD + f"    body: {json.dumps(body)}\n", tmp_path)
    assert (errors, warnings) == ([], [])


def test_a_text_that_looks_like_a_path_is_told_wherever_it_is_sent(tmp_path, monkeypatch):
    monkeypatch.setenv("GIVEN", "$.secret")
    text = HEAD.replace("https://example.com/in", "https://example.com/{{userId}}")
    text += '    headers: {X-User: $.userId, X-Given: {env: GIVEN}, X-Cost: "costs $.50"}\n'
    text += '    body: {a: [{b: $.x}], c: {"@literal": $.x}, d: {env: GIVEN}}\n'
    errors, warnings = told(text, tmp_path)
    assert errors == []
    assert [one.split("; ")[0] for one in warnings] == [
        "5:10 E291 $.subscriptions[0].url",
        "6:23 E290 $.subscriptions[0].headers.X-User",
        "7:20 E290 $.subscriptions[0].body.a[0].b",
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0042", "42"),
        ("1.10", "1.1"),
        ("12e4", "120000.0"),
        ("+4930123456", "4930123456"),
        ("0x1F", "31"),
        ("0o17", "15"),
        ("0.1000000000000000055", "0.1"),
        ("12345678901234567890123", "1.2345678901234568e+22"),
        ("True", "true"),
        ("NULL", "null"),
    ],
)
def test_what_yaml_reads_otherwise_is_told_with_the_text_that_was_meant(tmp_path, written, read):
    text = HEAD + f"    headers: {{X-Store: {written}}}\n    body: {{list: [{written}]}}\n"
    errors, warnings = told(text + f"settings: {{store: {written}}}\n", tmp_path)
    assert [one for one in errors if "headers" not in one] == []
    hint = f'write "{written}" for the text, {read} for what it is read as'
    assert warnings == [
        f"6:24 E292 $.subscriptions[0].headers.X-Store; {hint}",
        f"7:19 E292 $.subscriptions[0].body.list[0]; {hint}",
        f"8:19 E292 $.settings.store; {hint}",
    ]


@pytest.mark.parametrize(
    ("written", "meant"), [("Order #5", "Order #5"), ("#fff", "#fff"), ("a #b", "a #b")]
)
def test_a_text_that_a_comment_cuts_is_told(tmp_path, written, meant):
    _, warnings = told(HEAD + f"    body:\n      a: {written}\n", tmp_path)
    assert len(warnings) == 1 and f'E292 $.subscriptions[0].body.a; write "{meant}"' in warnings[0]


@pytest.mark.parametrize(
    "written",
    [
        *("42", "-1", "1.5", "1.0", "12345678901234567890", "NO", "yes", "2026-08-06", "12:30:45"),
        *("1_000", "true", "null", "~", "", "abc # a comment", '"0042"', "'1.10'", "010101-1"),
    ],
)
def test_what_yaml_leaves_as_it_is_is_not_warned_of(tmp_path, written):
    text = HEAD + f"    enabled: True\n    body:\n      a: {written}\n"
    assert told(text + "delivery: {max_in_flight: 0x10}\n", tmp_path) == ([], [])


def test_a_content_type_that_segment_would_change_is_told(tmp_path):
    _, warnings = told(HEAD + "    headers: {content-type: text/plain}\n", tmp_path)
    assert warnings[0].startswith("6:29 E169 $.subscriptions[0].headers.content-type; leave")
    _, warnings = told(HEAD + "    headers: {Content-Type: application/json}\n", tmp_path)
    assert warnings == []


def test_transforms_are_checked_beside_what_else_is_wrong(tmp_path):
    hashed = "{type: hash_properties, config: {hash: {properties: [email]}}}"
    errors, warnings = told(HEAD + f"    transforms: [{hashed}, drop_propertis]\n", tmp_path)
    assert [one.split()[:2] for one in errors] == [["6:82", "E240"]]
    assert [one.split()[:2] for one in warnings] == [["6:18", "E249"]]
    errors, _ = told(HEAD + "    transforms: [drop_propertis]\n    methd: PUT\n", tmp_path)
    assert [one.split()[1] for one in errors] == ["E240", "E110"]


def test_a_root_directive_runs_in_a_body_as_in_a_mapping(tmp_path):
    (tmp_path / "d.yaml").write_text(
        HEAD + "    body:\n      __segment_internal_directive:\n        '@transform':\n"
        '          apply: {n: {"@path": "$.a"}}\n      m: {"@path": "$.n"}\n'
    )
    dest = fp.Destination.from_file(tmp_path / "d.yaml")
    assert dest.check()
    (row,) = dest.preview([{"messageId": "1", "a": 5}])
    assert json.loads(row.body) == {"m": 5}


def test_a_table_of_a_destination_lies_beside_it(tmp_path):
    (tmp_path / "countries.csv").write_text("code,name\nDE,Germany\n")
    text = '    body: {c: {"@lookup": {value: {"@path": "$.c"}, file: countries.csv}}}\n'
    (tmp_path / "d.yaml").write_text(HEAD + text)
    dest = fp.Destination.from_file(tmp_path / "d.yaml")
    assert dest.check()
    (row,) = dest.preview([{"messageId": "1", "c": "DE"}])
    assert json.loads(row.body) == {"c": "Germany"}


SYNTAX = """\
nme: d
type: webhook
subscriptions:
  - name: A
    filter: type = "track: x": y
    url: https://example.com
    body: {a: {"@pth": "$.x"}}
  - name: B
    url: https://example.com
    body: {a: {"@path": "$.x"}, b: [1, 2
    filter: lowercas(event) = "x"
"""


def test_a_syntax_error_hides_nothing_that_can_be_read(tmp_path):
    errors, _ = told(SYNTAX, tmp_path)
    assert [one.split()[:2] for one in errors] == [
        ["1:1", "E111"],
        ["1:1", "E110"],
        ["5:26", "E101"],
        ["7:12", "E201"],
        ["10:36", "E101"],
        ["11:13", "E304"],
    ]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (HEAD + '    filter: "type\nfunctions: f.py\n', "6:13", "a quote that is not closed"),
        (HEAD + "    body: {a: 1\n    method: PUT\n", "6:11", "a { that is not closed"),
        (HEAD + "    body: {a: {@path: $.x}}\n", "6:16", "found character '@'"),
        (HEAD + "\tmethod: PUT\n", "6:1", "found character '\\t'"),
        ("name: [", "1:8", "expected the node content"),
        ("{", "1:2", ""),
        ("a: 'x", "1:4", ""),
    ],
)
def test_a_syntax_error_is_placed_where_it_can_be_mended(text, place, message, tmp_path):
    (tmp_path / "d.yaml").write_text(text)
    error = next(one for one in fp.check_file(tmp_path / "d.yaml").errors if one.code == "E101")
    assert f"{error.line}:{error.column}" == place
    assert message in error.message
    assert error.hint


SALES = (
    "name: d\ntype: dynamics365\nurl: https://org.example\nauth: {type: bearer, token: {env: T}}\n"
    "subscriptions:\n"
)
TIE = "action: associate, relationship: Account_Tasks, key: a"


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("- {name: a, action: create, table: acount, body: {}}\n", ["E119 table"]),
        (
            "- {name: a, action: create, table: acount, body: {}, nul: 1}\n",
            ["E119 table", "E110 nul"],
        ),
        (
            f"- {{name: a, {TIE}, table: account, to: {{table: taks, key: b}}}}\ndelivry: {{}}\n",
            ["E119 to.table", "E110 delivry"],
        ),
        ("- {name: a, action: create, table: acount, body: {}, enabled: false}\n", []),
    ],
)
def test_an_unknown_table_is_told_beside_every_other_mistake(tmp_path, text, errors):
    (tmp_path / "d.yaml").write_text(SALES + text)
    found = fp.check_file(tmp_path / "d.yaml").errors
    assert [
        f"{one.code} {one.path.partition('[0].')[2] or one.path[2:]}" for one in found
    ] == errors
    for one in found:
        if one.code == "E119":
            near = "account" if one.path.endswith("[0].table") else "task"
            assert one.hint.startswith(f'did you mean "{near}"?') and one.line


@pytest.mark.parametrize("action", ["crate", "put"])
def test_an_action_is_expected_of_those_that_the_type_has(tmp_path, action):
    (tmp_path / "d.yaml").write_text(SALES + f"- {{name: a, action: {action}, table: account}}\n")
    told = [one for one in fp.check_file(tmp_path / "d.yaml").errors if one.code == "E113"]
    assert [one.message for one in told] == [
        "expected create or upsert or update or delete or associate or disassociate or assign or "
        "set_state or win_opportunity or lose_opportunity or qualify_lead"
    ]
    assert told[0].hint == ('did you mean "create"?' if action == "crate" else "")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- 1\n", "3\n", "null\n", "tests\n", "{}\n"])
@pytest.mark.parametrize("verb", ["check", "test", "preview", "transform"])
def test_a_file_that_is_no_destination_is_told_by_every_verb(tmp_path, text, verb):
    file = tmp_path / "d.yaml"
    file.write_text(text)
    words = [verb, str(file), *([] if verb in ("check", "test") else [str(file)])]
    told = subprocess.run(
        [sys.executable, "-m", "fieldpost", *words], capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 2, told.stderr
    assert "Traceback" not in told.stderr
    assert "E1" in told.stdout + told.stderr


def test_a_template_in_the_address_of_all_is_told_where_it_may_stand(tmp_path: Path) -> None:
    file = tmp_path / "hook.yaml"
    file.write_text(
        "name: hook\ntype: webhook\nurl: 'http://127.0.0.1/{{properties.id}}'\n"
        "event_id: {'@path': $.messageId}\nsubscriptions: [{name: all}]\n"
    )
    [warning] = fp.check_file(file).warnings
    assert (warning.code, warning.line) == ("E291", 3)
    assert "`url` of a subscription" in warning.hint


@pytest.mark.parametrize("dialect", ["trigger", "destination", "fieldpost"])
def test_a_filter_that_takes_a_number_for_its_neighbours_is_told(tmp_path, dialect):
    text = 'properties.id = 820982911946154508 and event = "9007199254740993"'
    filter_ = f"    filter: {{text: '{text}', dialect: {dialect}}}\n    body: {{a: 1}}\n"
    errors, warnings = told(HEAD + filter_, tmp_path)
    assert errors == []
    assert [one.split("; ")[0].split()[1:] for one in warnings] == (
        [] if dialect == "fieldpost" else [["E238", "$.subscriptions[0].filter"]]
    )


def test_a_body_that_rounds_an_id_is_told_and_an_address_is_not(tmp_path):
    text = HEAD.replace("https://example.com/in", '{"@template": "https://a.io/{{order.id}}"}')
    text += '    headers: {X-Order: {"@template": "{{order.id}}"}}\n'
    text += '    body: {id: {"@template": "{{order.id}}"}}\n'
    errors, warnings = told(text, tmp_path)
    assert errors == []
    hint = 'write {"@string": {"@path": "$.order.id"}}'
    assert warnings == [f"7:30 E238 $.subscriptions[0].body.id.@template; {hint}"]


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("trigger", 'type = "track"', "you mean filter"),
        ("subscribe", 'type = "track"', "you mean filter"),
        ("mapping", "{a: 1}", "you mean body"),
        ("data", "{a: 1}", "you mean body"),
    ],
)
def test_segment_s_names_of_parts_are_answered_with_ours(tmp_path, key, value, hint):
    errors, _ = told(f"{HEAD}    {key}: {value}\n    body: {{a: 1}}\n", tmp_path)
    assert [one.split("; ")[0] for one in errors] == [f"6:5 E110 $.subscriptions[0].{key}"]
    assert hint in errors[0]


def test_controls_of_segment_in_a_body_are_told(tmp_path):
    errors, warnings = told(f"{HEAD}    body: {{a: 1, enable_batching: true}}\n", tmp_path)
    assert errors == []
    assert [one.split("; ")[0].split()[1:] for one in warnings] == [
        ["E239", "$.subscriptions[0].body.enable_batching"]
    ]


def test_a_template_without_quotes_is_told(tmp_path):
    errors, _ = told(f"{HEAD}    body: {{email: {{{{properties.email}}}}}}\n", tmp_path)
    assert any("a template stands in quotes" in one for one in errors)
