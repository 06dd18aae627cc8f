"""Any bytes at all, and documents made to harm: told, in bounded time, and the neighbours stand."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

import fieldpost as fp
from fieldpost import _core

GOOD = b'{"a":{"b":"x"},"n":1}'
MAPPING = fp.Mapping({"b": {"@path": "$.a.b"}, "all": {"@path": "$.v"}})
FILTER = fp.Filter('a.b = "x"')
PLAN = json.dumps(
    {"event_id": "content", "subscriptions": [{"filter": "all", "body": {"@path": "$.v"}}]}
)

# What is JSON, with what stands at "v" as it is passed on.
ACCEPTED = {
    "blanks of JSON everywhere": (b' \t{ "v" :\t[ 1 , {  } ] }\t \r', b"[1,{}]"),
    "a key given twice: the last counts": (b'{"v":1,"a":2,"v":3}', b"3"),
    "a key given twice, once with escapes": (b'{"v":1,"\\u0076":4}', b"4"),
    "an inner key given twice is passed on": (b'{"v":{"k":1,"k":2}}', b'{"k":1,"k":2}'),
    "an empty key": (b'{"":0,"v":true}', b"true"),
    "every escape": (
        b'{"v":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"}',
        b'"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"',
    ),
    "an escaped NUL": (b'{"v":"\\u0000"}', b'"\\u0000"'),
    "DEL and line separators": ('{"v":"\x7f\u2028\ufeff"}'.encode(), '"\x7f\u2028\ufeff"'.encode()),
    "a pair of surrogates": (b'{"v":"\\ud83d\\ude00"}', b'"\\ud83d\\ude00"'),
    "a lone high surrogate": (b'{"v":"\\ud83d"}', b'"\\ud83d"'),
    "a lone low surrogate": (b'{"v":"\\udc00x"}', b'"\\udc00x"'),
    "surrogates the wrong way round": (b'{"v":"\\udc00\\ud83d"}', b'"\\udc00\\ud83d"'),
    "a character beyond U+FFFF": ('{"v":"\U0010ffff"}'.encode(), '"\U0010ffff"'.encode()),
    "a number beyond a double": (b'{"v":1e400}', b"1e400"),
    "a number below a double": (b'{"v":-1E-400}', b"-1E-400"),
    "an integer beyond 64 bits": (b'{"v":123456789012345678901}', b"123456789012345678901"),
    "minus zero": (b'{"v":-0}', b"-0"),
    "a long fraction": (b'{"v":0.' + b"1" * 400 + b"}", b"0." + b"1" * 400),
    "1024 levels": (b'{"v":' + b"[" * 1023 + b"]" * 1023 + b"}", b"[" * 1023 + b"]" * 1023),
}

# What is none, or no event.
REFUSED = {
    "garbage": b"x",
    "binary": bytes(range(1, 10)) + bytes(range(11, 256)),
    "a lone brace": b"{",
    "a closing brace": b"}",
    "cut within a text": b'{"v":"tra',
    "cut after a backslash": b'{"v":"\\',
    "cut within a word": b'{"v":tru',
    "cut after a comma": b'{"v":1,',
    "cut after a key": b'{"v"',
    "cut after a colon": b'{"v":',
    "cut within a list": b'{"v":[1',
    "a comma at the end of an object": b'{"v":1,}',
    "a comma at the end of a list": b'{"v":[1,]}',
    "a comma at the beginning": b'{,"v":1}',
    "two commas": b'{"v":[1,,2]}',
    "no comma": b'{"v":1 "a":2}',
    "no colon": b'{"v" 1}',
    "two colons": b'{"v"::1}',
    "a comma for a colon": b'{"v",1}',
    "a colon in a list": b'{"v":[1:2]}',
    "the wrong bracket": b'{"v":[1}',
    "the wrong brackets": b'{"v":[{]}}',
    "a bracket too many": b'{"v":1}}',
    "two values": b'{"v":1}{"v":2}',
    "text behind": b'{"v":1} x',
    "a comment": b'{"v":1/*x*/}',
    "a line comment": b'{"v":1}//',
    "a key without quotes": b"{v:1}",
    "single quotes": b"{'v':1}",
    "a number as key": b"{1:1}",
    "a word in capitals": b'{"v":TRUE}',
    "a word and a half": b'{"v":nulll}',
    "half a word": b'{"v":nul}',
    "no value": b'{"v":}',
    "not a number": b'{"v":NaN}',
    "infinity": b'{"v":-Infinity}',
    "undefined": b'{"v":undefined}',
    "a number with a plus": b'{"v":+1}',
    "a leading zero": b'{"v":01}',
    "a negative leading zero": b'{"v":-01}',
    "a minus alone": b'{"v":-}',
    "two minuses": b'{"v":--1}',
    "a point at the end": b'{"v":1.}',
    "a point at the beginning": b'{"v":.5}',
    "a minus and a point": b'{"v":-.5}',
    "two points": b'{"v":1.2.3}',
    "an empty exponent": b'{"v":1e}',
    "an exponent's sign alone": b'{"v":1e+}',
    "a broken exponent": b'{"v":1e1.5}',
    "a hexadecimal number": b'{"v":0x1}',
    "digits of another script": '{"v":١}'.encode(),
    "two numbers": b'{"v":1 2}',
    "an unknown escape": b'{"v":"\\a"}',
    "an escaped quote of the other kind": b'{"v":"\\\'"}',
    "a short escape": b'{"v":"\\u12"}',
    "an escape that is no number": b'{"v":"\\u12g4"}',
    "an escape outside a text": b'{"v":\\n}',
    "a tab in a text": b'{"v":"\t"}',
    "a carriage return in a text": b'{"v":"\r"}',
    "a NUL in a text": b'{"v":"\x00"}',
    "a NUL between": b'{"v":\x001}',
    "a NUL behind": b'{"v":1}\x00',
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16-le"),
    "a form feed between": b'{\x0c"v":1}',
    "a blank that JSON does not know": '{\u00a0"v":1}'.encode(),
    "a byte that is no UTF-8": b'{"v":"\xff"}',
    "a character cut short": b'{"v":"\xc3"}',
    "a character written too long": b'{"v":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"v":"\xed\xa0\x80"}',
    "a character beyond Unicode": b'{"v":"\xf4\x90\x80\x80"}',
    "bad UTF-8 in a key": b'{"\xff":1}',
    "1025 levels": b'{"v":' + b"[" * 1024 + b"]" * 1024 + b"}",
    "10,000 open brackets": b'{"v":' + b"[" * 10_000,
    "10,000 open objects": b'{"v":' * 10_000,
    "100,000 closing brackets": b"]" * 100_000,
    "a list": b'[{"v":1}]',
    "a text": b'"v"',
    "a number": b"1",
    "null": b"null",
}


def plan_lines(text):
    """(line, offset) of the lines that a plan makes no record of, read in pieces."""
    plan, chunk = _core.Plan(PLAN), _core.Chunk("source", True, 4096)
    for at in range(0, len(text), 1000):
        piece = text[at : at + 1000]
        while piece:
            spare = chunk.spare()
            size = min(len(spare), len(piece))
            spare[:size] = piece[:size]
            chunk.filled(size)
            piece = piece[size:]
    chunk.finish()
    batch = plan.process(chunk)
    return [(row[3], row[4]) for row in batch.ended()]


@pytest.mark.parametrize("line, value", ACCEPTED.values(), ids=ACCEPTED)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_json_is_accepted_and_passed_on(line, value, end):
    lines = MAPPING.apply_lines(end.join([GOOD, line, GOOD]))
    assert lines.invalid == []
    assert list(lines) == [b'{"b":"x"}', b'{"all":' + value + b"}", b'{"b":"x"}']
    assert FILTER.matches_lines(end.join([GOOD, line, GOOD, b""])) == bytes([1, 0, 1])
    assert fp.Mapping({"@path": "$.v"}).apply_json(line) == value


@pytest.mark.parametrize("line", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_what_is_no_event_costs_itself_alone(line, end):
    text = end.join([GOOD, line, GOOD])
    place = (2, len(GOOD) + len(end))
    lines = MAPPING.apply_lines(text)
    assert list(lines) == [b'{"b":"x"}'] * 2
    assert lines.line_numbers == [1, 3]
    assert [(one.line, one.offset) for one in lines.invalid] == [place]
    assert lines.invalid[0].code in ("E401", "E402", "E405")
    assert FILTER.matches_lines(text) == bytes([1, 2, 1])
    assert [one for one in plan_lines(text) if one[0] == 2] == [place]
    with pytest.raises(fp.EventError):
        FILTER.matches(line)


def test_blank_lines_are_no_events():
    lines = MAPPING.apply_lines(b"\n\r\n \t\n" + GOOD + b"\n\n")
    assert (lines.line_numbers, lines.invalid) == ([4], [])
    assert FILTER.matches_lines(b"\n\r\n" + GOOD) == bytes([0, 0, 1])
    assert MAPPING.apply_lines(b"").line_numbers == []


def test_a_long_line_costs_itself_alone():
    size = 20_000_000
    for long in (b'{"a":{"b":"' + b"y" * size + b'"}}', b"x" * size, b"[" * size, b'"' * size):
        lines = MAPPING.apply_lines(b"\n".join([GOOD, long, GOOD]))
        assert [number for number in lines.line_numbers if number != 2] == [1, 3]
        assert len(lines) + len(lines.invalid) == 3
    assert FILTER.matches_lines(b"\n".join([GOOD, long, GOOD])) == bytes([1, 2, 1])


def nested(depth, key="a"):
    text = ""
    for _ in range(depth):
        text += "{" + json.dumps(key) + ":"
    return text + "1" + "}" * depth


@pytest.mark.parametrize("key", ["a", "@literal", "@excludeWhenNull", "@path", "@@"])
@pytest.mark.parametrize("depth", [255, 257, 10_000])
def test_a_deeply_nested_mapping_is_told(key, depth):
    try:
        _core.Expression(nested(depth, key))
    except _core.DocumentError as error:
        assert error.args[1]
    else:
        assert depth < 257


@pytest.mark.parametrize("depth", [257, 10_000, 100_000])
def test_deeply_nested_lists_are_told(depth):
    for document in ("[" * depth + "]" * depth, '{"a":' + "[" * depth + "]" * depth + "}"):
        with pytest.raises(_core.DocumentError, match="256 levels"):
            _core.Expression(document)


def test_a_document_nested_in_itself_is_told():
    loop = {}
    loop["a"] = loop
    with pytest.raises(fp.MappingError, match="nested in itself"):
        fp.Mapping(loop)


def test_a_mapping_of_many_fields_is_read_at_once():
    count = 30_000
    mapping = fp.Mapping({f"f{i}": {"@path": f"$.f{i}"} for i in range(count)})
    assert mapping.apply({"f7": 1, f"f{count - 1}": 2}) == {"f7": 1, f"f{count - 1}": 2}
    assert len(mapping.paths) == count
    with pytest.raises(fp.MappingError) as error:
        fp.Mapping({f"f{i}": {"@pth": "a"} for i in range(count)})
    assert len(error.value.errors) == count


def test_a_large_table_is_read_at_once():
    table = {str(i): i for i in range(200_000)}
    mapping = fp.Mapping({"@lookup": {"value": {"@path": "$.a"}, "table": table}})
    assert mapping.apply({"a": "199999"}) == 199999


def test_a_path_longer_than_any_event_is_deep_is_told():
    long = "$." + "a." * 30_000
    for document in ({"@path": long}, {"@template": "{{" + long + "}}"}, {"@arrayPath": [long]}):
        with pytest.raises(fp.MappingError, match="more than 1024 keys"):
            fp.Mapping(document)
    with pytest.raises(fp.FilterError, match="more than 1024 keys"):
        fp.Filter("a" + ".b" * 30_000 + " = 1")
    with pytest.raises(fp.FilterError, match="more than 1024 keys"):
        fp.Filter("properties" + ".b" * 30_000 + " = 1", dialect="trigger")


@pytest.mark.parametrize("dialect", ["fieldpost", "trigger", "destination"])
@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 100_000 + 'type = "a"' + ")" * 100_000,
        "!" * 100_000,
        "!(" * 50_000,
        "contains(" * 50_000,
        "a in " + "[" * 100_000,
        '"' + "x" * 1_000_000,
        "\\" * 99_999,
        "a and " * 100_000,
        "a or b and " * 50_000,
        "\0" * 1000,
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_filter_is_told(text, dialect):
    with pytest.raises(fp.FilterError):
        fp.Filter(text, dialect=dialect)


def test_a_long_filter_works():
    text = " or ".join(f'event = "e{i}"' for i in range(50_000))
    assert fp.Filter(text).matches({"event": "e49999"})
    assert fp.Filter('event = "' + "x" * 1_000_000 + '"').matches({"event": "x" * 1_000_000})


def test_patterns_take_no_exponential_time():
    stars = fp.Filter('match(a, "' + "*a" * 1000 + 'b")')
    assert not stars.matches({"a": "a" * 20_000})
    classes = fp.Filter('match(a, "' + "*[a-z]" * 200 + '?")')
    assert classes.matches({"a": "a" * 20_000})


def replaced(times):
    document = {"@path": "$.a"}
    for _ in range(times):
        document = {"@replace": {"pattern": "a", "replacement": "$`a$'a", "value": document}}
    return document


def encoded(times):
    document = {"@path": "$.a"}
    for _ in range(times):
        document = {"@json": {"mode": "encode", "value": document}}
    return document


@pytest.mark.parametrize("document", [replaced(6), encoded(60)], ids=["replace", "encode"])
def test_texts_do_not_grow_without_bounds(document):
    mapping = fp.Mapping(document)
    with pytest.raises(fp.EventError, match="32 MB"):
        mapping.apply({"a": 'a"' * 100})


def test_flattened_keys_do_not_grow_without_bounds():
    event = json.dumps({"a": {"k" * 300_000: list(range(2_000))}})
    with pytest.raises(fp.EventError, match="32 MB"):
        fp.Mapping({"@flatten": {"value": {"@path": "$."}, "separator": "."}}).apply_json(event)


def test_a_template_of_an_event_is_bounded():
    mapping = fp.Mapping({"@template": {"@path": "$.t"}})
    assert mapping.apply({"t": "{{a}}" * 1000, "a": "x"}) == "x" * 1000
    assert mapping.apply({"t": "{{" * 300_000 + "}"}) == "{{" * 300_000 + "}"
    with pytest.raises(fp.EventError, match="1000 placeholders"):
        mapping.apply({"t": "{{a}}" * 1001, "a": "x"})


def test_a_template_does_not_expand_what_it_puts_in_twice():
    mapping = fp.Mapping({"@template": "{{{a}}}"})
    assert mapping.apply({"a": "{{a}}"}) == "{{a}}"
    assert mapping.apply({"a": "{{b}}", "b": "{{{a}}} {{a}}"}) == "{{{a}}} {{a}}"


def test_a_mapping_and_a_filter_are_shared_by_threads_and_pickled():
    mapping = pickle.loads(pickle.dumps(fp.Mapping({"v": {"@path": "$.n"}})))
    wanted = pickle.loads(pickle.dumps(fp.Filter("n < 50")))
    text = b"\n".join(b'{"n":%d}' % n for n in range(100)) + b"\n}\n"

    def work(_):
        lines = mapping.apply_lines(text, filter=wanted)
        return bytes(lines.text), len(lines.invalid), wanted.matches_lines(text)

    with ThreadPoolExecutor(8) as pool:
        results = set(pool.map(work, range(200)))
    bodies = b"".join(b'{"v":%d}\n' % n for n in range(50))
    assert results == {(bodies, 1, b"\1" * 50 + b"\0" * 50 + b"\2")}
