"""Tables of @lookup in files are held to what events in such files are held to."""

from __future__ import annotations

import pytest

import fieldpost as fp

LONG = "x" * 200_000
QUOTES = "the row's quotes do not match"
HALF = "half of a character (a lone surrogate)"
TWICE = "a key stands twice in one object"
DEEP = b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
ODD_NUMBER = b'{"a": 1,\n"b": [%s]}'


def mapping(folder, name, content, **options):
    """A mapping that looks up $.k in a file of that content."""
    (folder / name).write_bytes(content)
    lookup = {"value": {"@path": "$.k"}, "file": name, "on_miss": "null"} | options
    return fp.Mapping({"v": {"@lookup": lookup}}, folder=folder)


@pytest.mark.parametrize(
    ("name", "content", "key", "value"),
    [
        ("a long cell.csv", f"k,v\na,{LONG}\n".encode(), "a", LONG),
        ("bom.csv", b"\xef\xbb\xbfk,v\na,1\n", "a", "1"),
        ("a cell of two lines.csv", b'k,v\na,"1\n2"\nb,3\n', "b", "3"),
        ("blank lines.csv", b"k,v\n\na,1\n\n", "a", "1"),
        ("carriage returns.csv", b"k,v\r\na,1\r\n", "a", "1"),
        ("the same row twice.csv", b"k,v\na,1\na,1\n", "a", "1"),
        ("an empty cell.csv", b"k,v\na,\n", "a", ""),
        ("semicolons.csv", b"k;v\na;1\n", "a", "1"),
        ("tabs.tsv", b"k\tv\na\t1,5\n", "a", "1,5"),
        ("a header alone.csv", b"k,v\n", "a", None),
        ("bom.json", b'\xef\xbb\xbf{"a": 1}', "a", 1),
        ("a pair.json", b'{"a": "\\ud83d\\ude00"}', "a", "\U0001f600"),
        ("no directives.json", b'{"a": [{"@path": "$.k"}]}', "a", [{"@path": "$.k"}]),
        ("no directive.json", b'{"a": {"@path": "$.k"}}', "a", {"@path": "$.k"}),
        ("signs.json", b'{"a": {"@@b": {}}}', "a", {"@@b": {}}),
        ("braces in a text.json", b'{"a": "}{[\\"{", "}": {}}', "a", '}{["{'),
    ],
)
def test_a_table_is_read_whole(tmp_path, name, content, key, value):
    assert mapping(tmp_path, name, content).apply({"k": key}) == {"v": value}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (
            "an open quote.csv",
            b'k,v\na,1\nb,"2\nc,3\nd,4\n',
            f"line 3: {QUOTES}",
        ),
        ("a loose quote.csv", b'k,v\na,"1"2\n', f"line 2: {QUOTES}"),
        ("short.csv", b"k,v\na,1\nb\n", "line 3: the row has 1 cells, the header 2 names"),
        ("long.csv", b"k,v\na,1,2\n", "line 2: the row has 3 cells, the header 2 names"),
        ("twice.csv", b"k,v\na,1\nb,2\na,3\n", "line 4: the key of line 2, with another value"),
        ("latin.csv", b"k,v\na,1\nb,\xe9\n", "line 3: the row is not UTF-8"),
        ("latin header.csv", b"k,\xe9\na,1\n", "line 1: the row is not UTF-8"),
        ("open header.csv", b'k,"v\na,1\n', f"line 1: {QUOTES}"),
        ("two names.csv", b"k,k\na,1\n", "line 1: two columns have one name"),
        ("empty.csv", b"", "it needs a header with two columns"),
        ("one column.csv", b"k\na\n", "it needs a header with two columns"),
        ("empty.json", b" \n", "line 1: it is empty"),
        ("a list.json", b"[1]", "it holds no object"),
        ("torn.json", b'{"a": 1,\n"b": ', "line 2: it is no JSON (Expecting value)"),
        ("more.json", b'{"a": 1}\n{"b": 2}', "line 2: it is no JSON (Extra data)"),
        ("latin.json", b'{"a": 1,\n"b": "\xe9"}', "line 2: it is not UTF-8"),
        ("utf-16.json", '{"a": 1}'.encode("utf-16"), "line 1: it is not UTF-8"),
        ("nan.json", ODD_NUMBER % b"NaN", "line 2: a number that JSON does not have"),
        ("minus.json", ODD_NUMBER % b"-Infinity", "line 2: a number that JSON does not have"),
        ("huge.json", ODD_NUMBER % b"1e999", "line 2: a number out of range"),
        ("digits.json", ODD_NUMBER % (b"9" * 5000), "line 2: a number out of range"),
        (
            "half.json",
            b'{"a": 1,\n"b": "\\ud83d"}',
            f"line 2: {HALF}",
        ),
        ("deep.json", DEEP, "line 1: it is nested too deeply"),
        ("twice.json", b'{"a": 1,\n"a": 2}', f"line 2: {TWICE}"),
        (
            "inside.json",
            b'{"a": {"b": 1,\n"\\u0062": 2}}',
            f"line 2: {TWICE}",
        ),
    ],
)
def test_a_table_that_is_not_whole_is_refused_with_its_line(tmp_path, name, content, why):
    with pytest.raises(fp.MappingError) as caught:
        mapping(tmp_path, name, content)
    [mistake] = caught.value.mistakes
    place = "$.v.@lookup.file"
    assert str(mistake) == f'E209 the table "{name}" cannot be read: {why} at {place}'


def test_two_hundred_levels_compile(tmp_path):
    content = b'{"a":' + b"[" * 200 + b"]" * 200 + b"}"
    mapped = mapping(tmp_path, "deep.json", content).apply({"k": "a"})["v"]
    for _ in range(199):
        [mapped] = mapped
    assert mapped == []
