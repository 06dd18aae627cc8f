"""CSV as people have it: separators, quotes, encodings, decimal commas; each doubt told once."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import fieldpost as fp
from fieldpost.config import parse
from fieldpost.errors import SourceError
from fieldpost.sources import open_source
from source_reading import Reading, broken, read


def events(folder: Path, content: str | bytes, name: str = "a.csv", **csv: Any) -> Reading:
    """What a file holds; it has no fault."""
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return read({"path": folder / name, "csv": csv} if csv else folder / name)


SEPARATORS = {
    "semicolons, a comma within a name": (
        "Artikel (kurz, Pflicht);Farbe;Preis\nA1;rot;90,0\nA2;blau;80,5\n",
        [
            {"Artikel (kurz, Pflicht)": "A1", "Farbe": "rot", "Preis": "90,0"},
            {"Artikel (kurz, Pflicht)": "A2", "Farbe": "blau", "Preis": "80,5"},
        ],
    ),
    "semicolons, a comma within a quoted name": (
        '"Umsatz, EUR";Stadt\n"1,5";Bonn\n',
        [{"Umsatz, EUR": "1,5", "Stadt": "Bonn"}],
    ),
    "semicolons, as many commas in each row": (
        "Stadt;Preis, EUR\nBonn;1,5\nKiel;2,5\n",
        [{"Stadt": "Bonn", "Preis, EUR": "1,5"}, {"Stadt": "Kiel", "Preis, EUR": "2,5"}],
    ),
    "bars, a comma within a name": (
        "id|name, first\n1|Ada\n",
        [{"id": "1", "name, first": "Ada"}],
    ),
    "tabs, a comma within a name": (
        "id\tname, first\n1\tAda\n",
        [{"id": "1", "name, first": "Ada"}],
    ),
    "commas, semicolons within cells": (
        "id,tags\n1,a;b\n2,a;b;c\n",
        [{"id": "1", "tags": "a;b"}, {"id": "2", "tags": "a;b;c"}],
    ),
    "commas, a semicolon within a name": ("id,a;b\n1,x\n", [{"id": "1", "a;b": "x"}]),
    "the separator's own line": (
        "sep=;\r\nemail;name\r\na@b.c;Ada\r\n",
        [{"email": "a@b.c", "name": "Ada"}],
    ),
    "the separator's own line, behind a mark": (
        "\ufeffSEP=|\nid|a,b\n1|2\n",
        [{"id": "1", "a,b": "2"}],
    ),
    "blank lines above the header": (
        "\n  \r\n\nid,name\n1,a\n",
        [{"id": "1", "name": "a"}],
    ),
    "empty columns at the end": (
        "id,name,,\n1,Ada,,\n,,,\n2,Bob,,\n,,,\n",
        [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Bob"}],
    ),
    "a separator at the end of the header": ("id,name,\n1,Ada\n", [{"id": "1", "name": "Ada"}]),
    "a separator at the end of the rows": ("id,name\n1,Ada,\n", [{"id": "1", "name": "Ada"}]),
    "the index of a frame": (",id\n0,1\n", [{"": "0", "id": "1"}]),
    "one column": ("id\n1\n\n2\n", [{"id": "1"}, {"id": "2"}]),
    "lines that end in CR": ("id,name\r1,Ada\r2,Bob\r", None),
    "a header alone": ("id;name\n", []),
    "nothing": ("", []),
    "blank lines alone": ("\n\n", []),
}


@pytest.mark.parametrize("text", SEPARATORS)
@pytest.mark.parametrize("packed", [False, True])
def test_the_separator_is_what_fits_the_first_rows(text: str, packed: bool, tmp_path: Path) -> None:
    content, bodies = SEPARATORS[text]
    data = content.encode()
    name = "a.csv.gz" if packed else "a.csv"
    reading = events(tmp_path, gzip.compress(data) if packed else data, name)
    two = [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Bob"}]
    assert reading.bodies == (two if bodies is None else bodies)
    assert reading.invalid == []
    assert list(open_source(tmp_path / name).doubts) == []


def test_rows_stand_on_their_lines_whatever_stands_above(tmp_path: Path) -> None:
    reading = events(tmp_path, 'sep=;\n\nid;n\n1;"a\nb"\n;\n2;c\n'.replace("\n\n", "\n", 1))
    assert [line for line, _ in reading.places] == [3, 6]
    assert [line for line, _ in events(tmp_path, "\n\nid,n\n1,2\n").places] == [4]


def test_a_tsv_has_tabs(tmp_path: Path) -> None:
    reading = events(tmp_path, "a, b\tc\n1\t2,3\n", "a.tsv")
    assert reading.bodies == [{"a, b": "1", "c": "2,3"}]
    assert events(tmp_path, "a;b\n1;2\n", "b.tsv", delimiter=";").bodies == [{"a": "1", "b": "2"}]


def test_a_separator_that_may_be_another_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b;c\n1,2;3\n4,5;6\n")
    source = open_source(tmp_path / "a.csv")
    assert Reading(source).bodies == [{"a": "1", "b;c": "2;3"}, {"a": "4", "b;c": "5;6"}]
    ((code, told, hint),) = [(one.code, one.message, one.hint) for one in source.doubts]
    assert (code, "a comma, as it is read, or a semicolon" in told) == ("E819", True)
    assert "csv: {delimiter: …" in hint


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('id,note\n1,"never closed\n2,b\n3,c\n4,d\n', 2),
        ('id,note\n0,"a\nb"\n\n1,"never closed\n2,b\n', 5),
        ('"id,note\n1,a\n', 1),
    ],
)
def test_a_quote_that_is_not_closed_is_told_with_its_line(
    content: str, line: int, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(content)
    reading, error = broken(tmp_path / "a.csv")
    assert (error.code, error.position and error.position.line) == ("E818", line)
    assert f"line {line} are not closed" in error.message
    assert reading.invalid == []


def test_a_quote_that_is_not_closed_takes_no_memory_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fieldpost.delimited_text._LONGEST_CELL", 1 << 20)
    rows = "2,b and some more of it\n" * 1_000_000
    (tmp_path / "a.csv").write_text('id,note\n1,"never closed\n' + rows)
    tracemalloc.start()
    _, error = broken(tmp_path / "a.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (error.code, peak < 20_000_000) == ("E818", True)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("# exported 2026-03-01\nid,name\n1,a\n", "is it a title?"),
        ("Report\nid;name;x\n1;a;b\n", "is it a title?"),
        ("id,name,more\n1,a\n2,b\n", "none of the first rows has as many cells"),
    ],
)
def test_a_first_line_that_is_no_header_is_told_once(
    content: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(content)
    reading, error = broken(tmp_path / "a.csv")
    assert (reading.bodies, reading.invalid, error.code) == ([], [], "E814")
    assert told in error.message
    assert "csv: {header" in error.hint


# -- encodings


LATIN = "id;straße;n\n1;Müller;90,5\n2;Bob;1\n3;Jörg;2\n"


def test_rows_in_another_encoding_are_told_once_with_the_cure(tmp_path: Path) -> None:
    one_row = LATIN.replace("ß", "ss").replace("ö", "oe").encode("cp1252")
    (tmp_path / "a.csv").write_bytes(one_row)
    source = open_source(tmp_path / "a.csv")
    reading = Reading(source)
    assert (reading.ids, reading.invalid) == (["2", "3"], [(2, "E409")])
    ((message, line, hint),) = [(one.message, one.line, one.hint) for one in source.doubts]
    assert (message, line) == ("rows are not UTF-8", 2)
    assert "csv: {encoding: cp1252}" in hint
    for text in (LATIN, LATIN.replace("ß", "ss")):  # the header, or most rows: nothing is read
        (tmp_path / "a.csv").write_bytes(text.encode("cp1252"))
        source = open_source(tmp_path / "a.csv")
        reading = Reading(source)
        assert (reading.bodies, reading.invalid, list(source.doubts)) == ([], [], [])
        assert reading.error is not None and reading.error.code == "E811"
        assert "csv: {encoding: cp1252}" in reading.error.hint


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "utf-8", "utf-8-sig", "cp850"])
def test_any_encoding_is_read_that_is_told(encoding: str, tmp_path: Path) -> None:
    reading = events(tmp_path, LATIN.encode(encoding), encoding=encoding)
    assert [body["straße"] for body in reading.bodies] == ["Müller", "Bob", "Jörg"]
    assert reading.invalid == []


def test_an_encoding_that_does_not_fit_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(LATIN.encode("utf-16")[:-1])
    with pytest.raises(SourceError, match=r"E811 the text is not utf-16"):
        fp.read_events({"path": tmp_path / "a.csv", "csv": {"encoding": "utf-16"}})
    asked = (
        fp.transform(
            {"path": tmp_path / "b.csv", "csv": {"encoding": "cp1252"}},
            fp.Mapping({"@path": "$.id"}),
        )
        if (tmp_path / "b.csv").write_bytes(b"id,n\n1,\x81\n2,x\n")
        else None
    )
    assert asked is not None and list(asked) == [b'"2"']
    assert [row.error for row in asked.told.errors] == ["the row is not cp1252"]


# -- what is told


def test_a_decimal_comma_becomes_a_point(tmp_path: Path) -> None:
    cells = ["90,0", "1.234,50", "-0,5", "1 234,5", "1.200", "7", "a,b", "1,2,3", "192.168.100.200"]
    content = "id;v\n" + "".join(f"{at};{one}\n" for at, one in enumerate(cells))
    (tmp_path / "a.csv").write_text(content)
    source = open_source({"path": tmp_path / "a.csv", "csv": {"decimal": ","}})
    found = [body["v"] for body in Reading(source).bodies]
    assert found == [
        *("90.0", "1234.50", "-0.5", "1234.5", "1.200", "7", "a,b", "1,2,3"),
        "192.168.100.200",
    ]
    ((message, line),) = [(one.message, one.line) for one in source.doubts]
    assert 'column "v" has numbers with a decimal comma' in message
    assert line == 6


def test_a_file_without_a_header(tmp_path: Path) -> None:
    content = "1;Ada\n2;Bob\n"
    assert events(tmp_path, content, header=False).bodies == [
        {"column_1": "1", "column_2": "Ada"},
        {"column_1": "2", "column_2": "Bob"},
    ]
    named = events(tmp_path, content, header=["id", "name"])
    assert named.bodies == [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Bob"}]
    assert [line for line, _ in named.places] == [1, 2]
    assert events(tmp_path, content, "a.txt", header=["id", "name"]).ids == ["1", "2"]


@pytest.mark.parametrize(
    ("csv", "told"),
    [
        ({"delimiter": "ab"}, "delimiter: expected one sign"),
        ({"delimiter": 5}, "delimiter: expected one sign"),
        ({"encoding": "none of these"}, "encoding: no encoding of that name"),
        ({"encoding": "base64"}, "encoding: no encoding of that name"),
        ({"decimal": ";"}, "decimal: "),
        ({"header": []}, "header: expected true, false or a list"),
        ({"header": ["a", "a"]}, "header: two columns of one name"),
        ({"delimeter": ";"}, 'unknown key "delimeter" (did you mean "delimiter"?)'),
        ({"delimiter": "", "header": 5}, "; header: expected"),
    ],
)
def test_options_that_do_not_hold_are_told(csv: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        open_source({"path": tmp_path / "a.csv", "csv": csv})
    assert (caught.value.code, told in caught.value.message) == ("E820", True), caught.value


# -- in the destination's file, and on the command line


HOOK = """\
name: Hook
type: webhook
url: https://example.com/in
event_id: content
subscriptions:
  - {name: All, body: {"@path": "$."}}
"""


def test_the_file_tells_how_its_source_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(LATIN.encode("cp1252"))
    (tmp_path / "b.csv").write_bytes(LATIN.encode("cp1252"))
    told = 'source: {path: a.csv, csv: {encoding: cp1252, decimal: ",", delimiter: ";"}}\n'
    (tmp_path / "d.yaml").write_text(HOOK + told)
    destination = fp.Destination.from_file(tmp_path / "d.yaml")
    assert destination.check()
    whole = b'{"id":"1","stra\xc3\x9fe":"M\xc3\xbcller","n":"90.5"}'
    assert next(iter(destination.transform())) == whole
    assert next(iter(destination.transform(tmp_path / "b.csv"))) == whole  # the same export
    other = {"csv": {"encoding": "cp1252", "delimiter": ";"}}
    assert b'"n":"90,5"' in next(iter(destination.transform(other)))


def test_an_open_file_stays_the_callers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;n\n1;2\n")
    with (tmp_path / "a.csv").open("rb") as file:
        assert read({"path": file, "csv": {}}).ids == ["1"]
        assert not file.closed


def test_standard_input_is_csv_only_where_it_is_named_so() -> None:
    csv = "csv: {delimiter: ';'}}\n"
    of_a_file = parse(HOOK + "source: {path: a.csv, " + csv, "d.yaml", {})
    of_a_pipe = parse(HOOK + "source: {path: '-', " + csv, "d.yaml", {})
    assert of_a_file.dialect("b.csv") is not None
    assert (of_a_file.dialect("-"), of_a_file.dialect(["-"])) == (None, None)
    assert of_a_pipe.dialect(["-"]) is not None


@pytest.mark.parametrize(
    ("source", "mistakes"),
    [
        ("source: {path: a.csv, csv: {delimiter: ab, encoding: x-y}}", ["delimiter", "encoding"]),
        ("source: {path: a.csv, csv: {delimeter: ';'}}", ["delimeter"]),
        ("source: {pth: a.csv}", ["pth"]),
        ("source: {path: [a.csv, 5]}", ["[1]"]),
        ("source: [a.csv, 5]", ["[1]"]),
        ("source: {path: a.csv, csv: {header: [a, a]}}", ["header"]),
    ],
)
def test_mistakes_of_a_source_have_their_places(source: str, mistakes: list[str]) -> None:
    with pytest.raises(fp.ConfigError) as caught:
        parse(HOOK + source + "\n", "d.yaml", {})
    found = [one.path for one in caught.value.mistakes]
    assert [
        path.startswith("$.source") and path.endswith(end)
        for path, end in zip(found, mistakes, strict=True)
    ] == [True] * len(mistakes), found
    assert all(one.line == 7 for one in caught.value.mistakes)


def test_the_command_line_tells_how_csv_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id|n\n1|ü\n".encode("cp1252"))

    def transform(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "fieldpost", "transform", "--filter", "all"]
        return subprocess.run(
            [*command, str(tmp_path / "a.csv"), *options],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    named = ["--csv", "encoding=cp1252", "--csv", "header=number,text", "--csv", "delimiter=|"]
    assert transform(*named).stdout.splitlines() == [
        '{"number":"id","text":"n"}',
        '{"number":"1","text":"ü"}',
    ]
    piped = subprocess.run(
        [sys.executable, "-m", "fieldpost", "transform", "--filter", "all", "-", *named],
        input=(tmp_path / "a.csv").read_bytes(),
        capture_output=True,
        timeout=60,
    )
    assert piped.stdout.decode("utf-8").splitlines()[1] == '{"number":"1","text":"ü"}'
    told = transform("--csv", "encoding")
    assert (told.returncode, "E820" in told.stderr) == (2, True)
