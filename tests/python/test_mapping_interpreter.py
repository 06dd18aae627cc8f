"""Generated mappings and events: the compiled engine gives what the plain interpreter gives.

A default run tries the same examples each time; HYPOTHESIS_PROFILE=long searches on its own.
Recorded results of Segment's engine hold the interpreter itself, where FIELDPOST_VECTORS names
their folder.
"""

import json
import math
import os
from pathlib import Path

import mapping_interpreter as interpreter
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mapping_interpreter import UNDEFINED, Refused

import fieldpost as fp

FOLDER = os.environ.get("FIELDPOST_VECTORS", "")

KEYS = ["a", "b", "c", "0", "1", "10", "é", "a.b", "", "x y", "length", "$", "Z"]
TEXTS = [
    *["", "a", "b", "0", " ", "$", "a.b.a", "ΑΣ ΣΑΣ", "straße", "ŉ", "ﬁn", "İi", "I\u0307", "µΜμ"],
    *["K\u212a", "😀b", "\ud83d", "\ude00", "{{a}}", "{{{b}}}", '{"a":[1,null]}', "[1e400, -0]"],
    *[
        '{"b":1,"0":2,"b":3}',
        " 1.50 ",
        "01",
        '"\\ud83d"',
        "nul",
        'q"\\/',
        "\u2028\x7f\x01\n",
        "aaa",
    ],
]
NUMBERS = [
    *["0", "-0", "1", "-1", "1.0", "1.50", "1e21", "1e-7", "0.000001", "123456789012345678901"],
    *["12345678901234567890", "1e400", "-1e400", "1e-400", "5e-324", "1.7976931348623157e308"],
    *["0.1", "2.5E+3", "9007199254740993", "100", "1E2", "4.35", "123456789.123"],
]


class Number(str):
    """A number as it is written in an event."""


def written(value):
    """The JSON text of an event whose numbers are written as they stand."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}: {written(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


keys = st.sampled_from(KEYS)
texts = st.sampled_from(TEXTS) | st.text(alphabet="ab .$'\"[]{}0\\é", max_size=6)
numbers = st.sampled_from(NUMBERS).map(Number)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
events = st.dictionaries(keys, values, max_size=6)


def step(key):
    dotted = [f"['{key}']", f'["{key}"]']
    return st.sampled_from([f".{key}", f".{key}", f"[{key}]", *dotted])


paths = st.builds(
    lambda start, steps: start + "".join(steps),
    st.sampled_from(["$", "$", "$.", "$.a", "$.a", "$.b", "a", "", "$.$"]),
    st.lists(keys.flatmap(step), max_size=3),
) | st.text(alphabet="ab.$'\"[]01", max_size=8)
placeholders = st.builds(
    lambda before, path, braces, after: before + "{" * braces + path + "}" * braces + after,
    st.sampled_from(["", "x", "\\", "{", "\ud83d", '"']),
    st.sampled_from(["a", "a.b", " b ", "$.a", "", ".", "a['a.b']", "b.0", "\ufeffc\u2028", "é"]),
    st.sampled_from([2, 3, 2, 1]),
    st.sampled_from(["", "y", "}", "\ude00"]),
)
templates = st.lists(placeholders | texts, max_size=3).map("".join)


def storable(text):
    """A mapping's texts are whole characters."""
    return not any(0xD800 <= ord(c) < 0xE000 for c in interpreter.joined([text]))


documents_texts = texts.filter(storable)
literals = st.sampled_from([None, True, False, 0, 1, -2.5, 100000, 1e21]) | documents_texts


def directive(inner):
    """A directive whose parts are of `inner`."""
    texts_or = documents_texts | inner
    short = documents_texts.filter(lambda text: 1 <= len(interpreter.units(text)) <= 10)
    replacements = short | st.sampled_from(["", "$&", "$$", "[$`|$']", "$1$", "<$&>$"])
    objects = inner | st.dictionaries(keys, inner | literals, max_size=3)
    anything = objects | literals

    def options(required, optional):
        return st.fixed_dictionaries(required, optional=optional)

    return st.one_of(
        *(st.just("@if").flatmap(lambda name: conditions(name, anything)) for _ in range(2)),
        st.builds(lambda text: {"@path": text}, paths.filter(storable)),
        st.builds(lambda text: {"@template": text}, templates.filter(storable)),
        st.builds(lambda one: {"@template": one}, inner),
        st.builds(lambda one: {"@path": one}, inner),
        st.builds(lambda one: {"@literal": one}, anything | st.lists(anything, max_size=2)),
        st.builds(lambda one: {"@excludeWhenNull": one}, anything),
        options(
            {"operator": st.sampled_from(["lower", "upper", "upper", "Upper"]), "value": texts_or},
            {},
        ).map(lambda one: {"@case": one}),
        options(
            {"pattern": short, "value": texts_or},
            {
                "replacement": replacements,
                "pattern2": short | st.sampled_from(["", "longer than ten", None]),
                "replacement2": replacements,
                "ignorecase": st.booleans(),
                "global": st.booleans(),
            },
        ).map(lambda one: {"@replace": one}),
        st.tuples(paths.filter(storable) | inner, objects).map(lambda one: {"@arrayPath": [*one]}),
        st.tuples(paths.filter(storable)).map(lambda one: {"@arrayPath": [*one]}),
        options(
            {"separator": st.sampled_from([".", "_", "→"]), "value": anything},
            {"omitArrays": st.sampled_from([True, False, "false", 0])},
        ).map(lambda one: {"@flatten": one}),
        options(
            {
                "mode": st.sampled_from(["encode", "decode", "encode", "decode", "ENCODE"]),
                "value": inner | st.just({"@literal": None}) | documents_texts.filter(bool),
            },
            {},
        ).map(lambda one: {"@json": one}),
        options(
            {
                "direction": st.sampled_from(["left", "right", "LEFT"]),
                "objects": st.lists(objects, max_size=3),
            },
            {},
        ).map(lambda one: {"@merge": one}),
        options({"apply": objects, "mapping": objects}, {}).map(lambda one: {"@transform": one}),
    )


def conditions(name, anything):
    truthy = anything.filter(lambda one: one not in (None, 0, False, ""))
    branches = {"then": anything, "else": anything}
    return st.one_of(
        st.fixed_dictionaries({"exists": truthy}, optional=branches),
        st.fixed_dictionaries({"blank": truthy}, optional=branches),
        st.fixed_dictionaries({"exists": anything, "blank": truthy}, optional=branches),
    ).map(lambda one: {name: one})


leaves = st.builds(lambda text: {"@path": text}, paths.filter(storable))
directives = st.recursive(leaves, directive, max_leaves=5)
bodies = st.dictionaries(keys | st.just("@@type"), directives | literals, max_size=4)
mappings = (
    directives
    | bodies
    | st.builds(
        lambda body, rest: {**body, "list": rest},
        bodies,
        st.lists(directives | literals | bodies, max_size=3),
    )
)


def same(left, right):
    """Equal as JSON with numbers as doubles; no value is no other value."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def as_json(value):
    """What remains of a value in JSON: a list's missing elements are null."""
    if isinstance(value, list):
        return [None if one is UNDEFINED else as_json(one) for one in value]
    if isinstance(value, dict):
        return {interpreter.joined([key]): as_json(one) for key, one in value.items()}
    return interpreter.joined([value]) if isinstance(value, str) else value


def engine(mapping, event):
    try:
        body = mapping.apply_json(event)
    except fp.EventError as error:
        return error
    return interpreter.parse(body.decode()) if body else UNDEFINED


def expected(mapping, event):
    try:
        return as_json(interpreter.transform(interpreter.parse(json.dumps(mapping)), event))
    except Refused as refused:
        return refused


def check(document, event_text):
    given_body = expected(document, interpreter.parse(event_text))
    try:
        mapping = fp.Mapping(document)
    except fp.MappingError:
        # Told before any event comes what the reference tells with each.
        assert isinstance(given_body, Refused), (document, event_text, given_body)
        return
    body = engine(mapping, event_text)
    if isinstance(given_body, Refused):
        assert isinstance(body, fp.EventError), (document, event_text, given_body, body)
    else:
        assert same(body, given_body), (document, event_text, given_body, body)


@settings(max_examples=settings().max_examples * 8)
@given(document=mappings, event=events)
@example({"@template": "{{{a}}"}, {"a": "x", "{a": Number("1")})
@example({"@merge": {"direction": "left", "objects": [{"@path": "a"}, {"a": 1}]}}, {"a": "😀b"})
def test_the_engine_gives_what_the_interpreter_gives(document, event):
    check(document, written(event))


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_as_javascript_does(value):
    text = fp.Mapping({"@template": "{{n}}"}).apply({"n": value})
    assert text == interpreter.number_text(value)
    assert math.copysign(float(text), value) == value


def test_the_interpreter_gives_what_was_recorded():
    file = Path(FOLDER) / "mapping.jsonl"
    if not FOLDER or not file.exists():
        pytest.skip("no recorded results: FIELDPOST_VECTORS names no folder with mapping.jsonl")
    lines = [line for line in file.read_text().splitlines() if "@liquid" not in line]
    rows = [(json.loads(line), interpreter.parse(line)) for line in lines]
    rows = [(row, raw) for row, raw in rows if row["kind"] == "mapping.transform"]
    assert rows
    assert [row["id"] for row, raw in rows if not agrees(row, raw)] == []


def agrees(row, raw):
    event = raw.get("payload", UNDEFINED)
    if "payload_json" in row:
        event = interpreter.parse(row["payload_json"])
    try:
        body = interpreter.transform(raw["mapping"], event)
    except Refused:
        return "error" in row
    if "error" in row:
        return False
    if "expected_json" in row:
        return interpreter.json_text(body) == row["expected_json"]
    return same(as_json(body), UNDEFINED if row.get("expected_undefined") else raw["expected"])
