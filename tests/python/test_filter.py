"""fieldpost.Filter: verdicts for single events and for lines, and why."""

import json
import pickle
import threading

import pytest

import fieldpost as fp
from fieldpost.errors import CODES

EVENT = {"type": "track", "event": "Order Completed", "properties": {"total": 120, "tags": ["a"]}}


@pytest.mark.parametrize(
    "event",
    [
        EVENT,
        json.dumps(EVENT),
        json.dumps(EVENT).encode(),
        bytearray(json.dumps(EVENT).encode()),
        memoryview(json.dumps(EVENT).encode()),
    ],
)
def test_an_event_comes_as_dict_text_or_bytes(event):
    assert fp.Filter('type = "track" and properties.total > 100').matches(event) is True
    assert fp.Filter('type = "page"').matches(event) is False


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("{", "E401"),
        (b"", "E401"),
        (b"[1]", "E402"),
        ("7", "E402"),
        (b'{"a": "\xff"}', "E401"),
        ('{"a": "\ud800"}', "E401"),
        ({"a": {1, 2}}, "E401"),
        ({"a": float("nan")}, "E401"),
    ],
)
def test_what_is_no_event_is_told(event, code):
    for ask in (fp.Filter("all").matches, fp.Filter("all").explain):
        with pytest.raises(fp.EventError) as error:
            ask(event)
        assert error.value.code == code


def test_a_list_is_no_event():
    with pytest.raises(TypeError, match="bytes-like"):
        fp.Filter("all").matches([1])


def test_lines_give_one_byte_each():
    lines = b'{"type":"identify"}\n{"type":"page"}\n\nnot json\n{}\n{"type":"identify"}'
    wanted = bytes([1, 0, 0, 2, 0, 1])
    identifies = fp.Filter('type = "identify"')
    assert identifies.matches_lines(lines) == wanted
    assert identifies.matches_lines(bytearray(lines)) == wanted
    assert identifies.matches_lines(memoryview(lines)[20:]) == wanted[1:]
    assert identifies.matches_lines(b"") == b""
    assert identifies.matches_lines(lines + b"\n") == wanted


def test_lines_need_one_block_of_bytes():
    with pytest.raises(TypeError):
        fp.Filter("all").matches_lines("{}")
    with pytest.raises(BufferError):
        fp.Filter("all").matches_lines(memoryview(b"{}{}{}")[::2])


def test_a_mistake_has_code_span_and_hint():
    text = 'type = "track" and lowercas(event) = "x"'
    with pytest.raises(fp.FilterError) as error:
        fp.Filter(text)
    assert error.value.code == "E304"
    assert error.value.hint == "did you mean lowercase()?"
    begin, end = error.value.span
    assert text[begin:end] == "lowercas"
    assert error.value.code in CODES


def test_half_a_character_is_told():
    with pytest.raises(fp.FilterError, match="E301") as error:
        fp.Filter('a = "\ud800"')
    assert error.value.span == (5, 6)


def test_a_dialect_is_one_of_three():
    assert fp.Filter('type = "track"', dialect="trigger").matches(EVENT)
    assert fp.Filter("match('abcd', 'ab*')", dialect="destination").matches(EVENT)
    with pytest.raises(fp.FilterError, match="E321"):
        fp.Filter('!type = "track"', dialect="trigger")
    with pytest.raises(fp.FilterError, match="E315"):
        fp.Filter("all", dialect="fql")  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", ["fieldpost", "trigger", "destination"])
def test_a_filter_is_pickled_as_its_text(dialect):
    one = fp.Filter('type = "track"', dialect=dialect)
    other = pickle.loads(pickle.dumps(one))
    assert other == one and hash(other) == hash(one)
    assert other.matches(EVENT)
    assert repr(other) == repr(one)
    assert one != fp.Filter("all") and one != 'type = "track"'


def test_an_explanation_tells_every_condition():
    text = 'type = "page" and (properties.total > 100 or !contains(event, "É<b>"))'
    why = fp.Filter(text).explain(EVENT)
    assert not why
    assert [(one["text"], one["verdict"], one["seen"]) for one in why.conditions] == [
        ('type = "page"', False, {"type": "track"}),
        ("properties.total > 100", True, {"properties.total": 120}),
        ('contains(event, "É<b>")', False, {"event": "Order Completed"}),
    ]
    assert all(text[slice(*one["span"])] == one["text"] for one in why.conditions)
    assert why.tree["kind"] == "and" and why.tree["children"][1]["kind"] == "or"
    assert str(why).splitlines() == [
        "no  all of",
        'no    type = "page" (type is "track")',
        "yes   any of",
        "yes     properties.total > 100 (properties.total is 120)",
        "yes     not",
        'no        contains(event, "É<b>") (event is "Order Completed")',
    ]
    assert repr(why) == "<Explanation: no, 3 conditions>"
    assert "É&lt;b&gt;" in why._repr_html_() and "<b>" not in why._repr_html_()


def test_what_the_event_lacks_was_not_seen():
    why = fp.Filter("a = null and b = null").explain({"b": None})
    assert why
    assert [one["seen"] for one in why.conditions] == [{}, {"b": None}]
    assert [one["lacks"] for one in why.conditions] == [["a"], []]
    assert str(why).splitlines()[1:] == [
        "yes   a = null (a is missing)",
        "yes   b = null (b is null)",
    ]
    both = fp.Filter("lowercase(x) = $.y and z.a in [z.a, z.b, 1]").explain({"y": 1, "z": {"b": 2}})
    assert [(one["seen"], one["lacks"]) for one in both.conditions] == [
        ({"$.y": 1}, ["x"]),
        ({"z.b": 2}, ["z.a"]),
    ]


def test_threads_share_a_filter_and_run_at_once():
    shared = fp.Filter('lowercase(event) = "order completed" and properties.tags[0] = "a"')
    lines = (json.dumps(EVENT) + "\n{}\n").encode() * 2000
    results = [b""] * 4

    def run(index):
        results[index] = shared.matches_lines(lines)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [bytes([1, 0]) * 2000] * 4


def test_other_threads_run_while_lines_are_read():
    lines = (json.dumps(EVENT) + "\n").encode() * 100_000
    done = threading.Event()
    turns = 0

    def count():
        nonlocal turns
        while not done.wait(0.0005):
            turns += 1

    def turns_of_one_call():
        before = turns
        fp.Filter('type = "identify"').matches_lines(lines)
        return turns - before

    thread = threading.Thread(target=count)
    thread.start()
    try:
        # A busy machine may give the other thread no turn now and then; a held lock, never five.
        assert any(turns_of_one_call() >= 5 for _ in range(50))
    finally:
        done.set()
        thread.join()


def test_a_destination_names_the_dialect_of_its_filters(tmp_path):
    file = tmp_path / "d.yaml"
    text = """\
name: d
type: webhook
auth: {type: none}
subscriptions:
  - name: one
    url: https://example.com/in
    filter: {text: 'type = "track" and properties.x != 5', dialect: trigger}
"""
    file.write_text(text)
    assert fp.Destination.from_file(file).check().errors == []
    file.write_text(text.replace("properties.x != 5", "anonymousId = 5"))
    (error,) = fp.Destination.from_file(file).check().errors
    assert (error.code, error.path, error.line) == ("E323", "$.subscriptions[0].filter", 7)
