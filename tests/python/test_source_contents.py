"""Contents as people have them: JSON of several lines, marks, compression, other kinds."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import struct
import sys
import tarfile
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fieldpost as fp
from fieldpost.errors import SourceError
from fieldpost.sources import open_source
from source_reading import Reading, broken, read

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MARK = b"\xef\xbb\xbf"
EVENT = {"id": 1, "properties": {"emails": [{"id": "nested"}, {"id": "too"}]}}
PRETTY = json.dumps(EVENT, indent=2).encode()


# -- values of several lines


@pytest.mark.parametrize("name", ["a.json", "a.ndjson", "a.json.gz"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_value_of_several_lines_is_one_event(name: str, end: bytes, tmp_path: Path) -> None:
    text = MARK + PRETTY.replace(b"\n", end) + end + b'{"id":2}' + end + PRETTY
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    reading = read(tmp_path / name)
    assert reading.bodies == [EVENT, {"id": 2}, EVENT]
    assert [place[0] for place in reading.places] == [1, 2, 3]
    assert reading.invalid == []


@pytest.mark.parametrize("name", ["a.json", "a.ndjson"])
def test_an_array_that_begins_alone_on_its_line_is_one_in_any_file(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(json.dumps([EVENT, {"id": 2}], indent=1).encode())
    assert read(tmp_path / name).ids == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        '{"batch": [\n{"id": 1},\n{"id": 2}\n]}',
        '{"a": {"b": 1}\n,"batch":\n[\n{"id": 1}\n,\n{"id": 2}\n]\n}',
        '[\n[\n{"id": 1}\n]\n]',
        '"batch": [\n{"id": 1}\n]\n}',
    ],
)
def test_no_part_of_a_value_is_an_event(text: str) -> None:
    reading = Reading(open_source(text.encode()))
    assert [body for body in reading.bodies if "id" in body] == []
    assert len(reading.bodies) <= 1


def test_a_value_of_several_lines_that_does_not_end_is_told_once() -> None:
    reading, error = broken(b'{"id":0}\n' + PRETTY[:-20])
    assert (reading.ids, reading.invalid) == ([0], [])
    assert (error.code, error.position and error.position.offset) == ("E812", 9)


def test_a_line_that_was_cut_costs_itself_alone() -> None:
    for cut in (b'{"id":1,"a":{', b'{"id":1,"a":"x', b'{"id":1,', b'{"id":1,"a":[2'):
        reading = read(cut + b'\n{"id":2}\n{"id":3}\n')
        assert (reading.ids, reading.invalid) == ([2, 3], [(1, "E401")])


def test_values_of_several_lines_are_the_same_wherever_a_read_ends() -> None:
    text = b"".join(b'{\n "id": %d,\n "l": [\n  {}\n ]\n}\n' % n for n in range(2000))
    for step in (1, 7, 4096):
        assert read(Steps(text, step)).ids == list(range(2000))


class Steps(io.RawIOBase):
    """Bytes that come in small parts."""

    def __init__(self, content: bytes, step: int) -> None:
        self._content = io.BytesIO(content)
        self._step = step

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        part = self._content.read(min(len(room), self._step))
        room[: len(part)] = part
        return len(part)


# -- lines


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"id":1}{"id":2}', "another value follows on the same line"),
        (b'{"id":1} {"id":2}', "another value follows on the same line"),
        (b'{"id":1}\r{"id":2}', "another value follows on the same line"),
        (b'{"id":1}[2]', "another value follows on the same line"),
        (b'{"id":1},', "a comma follows the event"),
        (b'{"id":1},{"id":2}', "a comma follows the event"),
        (b'\0\0\0\0{"id":1}', "NUL bytes"),
        (b'{"id":1}\0\0', "NUL bytes"),
        (b"\0" * 512, "NUL bytes"),
        (b'{"id":1} x', "not valid JSON (byte"),
    ],
)
def test_a_line_that_is_no_event_says_why(line: bytes, told: str) -> None:
    asked = fp.transform(line + b'\n{"id":3}\n', fp.Mapping({"@path": "$.id"}))
    assert list(asked) == [b"3"]
    ((code, error),) = [(row.code, row.error) for row in asked.told.errors]
    assert code == "E401"
    assert told in error


@pytest.mark.parametrize("step", [1, 2, 3, 5, 1000])
def test_a_mark_at_the_start_of_a_line_is_blank(step: int) -> None:
    day = MARK + b'{"id":1}\r\n{"id":2}\r\n'
    assert read(Steps(day + MARK + MARK + day + MARK, step)).ids == [1, 2, 1, 2]
    assert read(Steps(b'\x1e{"id":1}\n\x1e{"id":2}\n', step)).ids == [1, 2]


def test_a_mark_begins_each_member_of_a_compressed_file(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(MARK + b'{"id":1}\n') * 3)
    assert read(tmp_path / "a.gz").ids == [1, 1, 1]


def test_one_reader_serves_every_file_of_a_few_events(tmp_path: Path) -> None:
    contents = {
        "a.json": MARK + PRETTY + b"\n" + MARK + b'{"id":2}',
        "a.ndjson.gz": gzip.compress(PRETTY) + gzip.compress(b'\n\n{"id":2}'),
        "b.json": json.dumps([EVENT, {"id": 2}]).encode(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        found = fp.read_events(tmp_path / name)
        assert [json.loads(line) for line in found] == [EVENT, {"id": 2}]
    (tmp_path / "a.csv").write_text("id,n\n1,\n2,x\n")
    assert fp.read_events(tmp_path / "a.csv", 1) == [b'{"id":"1","n":null}']
    assert fp.read_events(b"") == []


# -- compressed


def test_zstandard_with_any_window_is_read(tmp_path: Path) -> None:
    for log in (27, 28, 31):
        options = {
            zstd.CompressionParameter.window_log: log,
            zstd.CompressionParameter.enable_long_distance_matching: 1,
        }
        # Without the content's size, a frame asks for the window that it may have needed.
        packer = zstd.ZstdCompressor(options=options)
        content = packer.compress(b'{"id":1}\n') + packer.compress(b'{"id":2}\n') + packer.flush()
        (tmp_path / "a.zst").write_bytes(content)
        assert read(tmp_path / "a.zst").ids == [1, 2]


def test_frames_that_may_be_skipped_are(tmp_path: Path) -> None:
    def skipped(number: int, payload: bytes) -> bytes:
        return struct.pack("<II", 0x184D2A50 + number, len(payload)) + payload

    one, two = zstd.compress(b'{"id":1}\n'), zstd.compress(b'{"id":2}\n')
    content = skipped(0, b"size") + one + skipped(15, b"") + two
    (tmp_path / "a.zst").write_bytes(content)
    assert read(tmp_path / "a.zst").ids == [1, 2]


def test_layers_of_compression_are_taken_off(tmp_path: Path) -> None:
    line = b'{"id":1}\n'
    packed = (
        gzip.compress(gzip.compress(line)),
        zstd.compress(gzip.compress(line)),
        gzip.compress(zstd.compress(gzip.compress(line))),
    )
    for content in packed:
        (tmp_path / "a").write_bytes(content)
        assert read(tmp_path / "a").ids == [1]
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(gzip.compress(b"id\n1\n")))
    assert read(tmp_path / "a.csv.gz").ids == ["1"]
    (tmp_path / "a").write_bytes(gzip.compress(b"\x1f\x8bnothing of the kind"))
    assert broken(tmp_path / "a")[1].code == "E804"


# -- other kinds


def _archive() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("a.ndjson")
        entry.size = 9
        archive.addfile(entry, io.BytesIO(b'{"id":1}\n'))
    return file.getvalue()


def _workbook() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
    return file.getvalue()


KINDS = {
    "a tar archive": _archive(),
    "a tar archive, compressed": gzip.compress(_archive()),
    "an Excel workbook": _workbook(),
    "an Excel workbook of old": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "an HTML page": b"\n<!DOCTYPE HTML>\n<html><body>Sign in</body></html>",
    "an HTML page, bare": MARK + b"<html>",
    "XML": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "Avro": b"Obj\x01",
    "ORC": b"ORC",
    "an Arrow file (Feather)": b"ARROW1\0\0",
    "an SQLite database": b"SQLite format 3\0",
    "xz": b"\xfd7zXZ\0",
    "LZ4": b"\x04\x22\x4d\x18",
    "7-Zip": b"7z\xbc\xaf\x27\x1c",
    "Parquet, compressed": gzip.compress(b"PAR1" + bytes(100)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.parquet"])
def test_another_kind_of_content_is_told_for_what_it_is(
    kind: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(KINDS[kind])
    reading, error = broken(tmp_path / name)
    if kind.endswith("compressed") and name == "a.parquet":
        assert error.code == "E804"
        return
    assert (reading.bodies, reading.invalid, error.code) == ([], [], "E806")
    assert kind.split(",")[0].removesuffix(" of old") in error.message
    assert error.hint


@pytest.mark.parametrize("content", [b"", b'{"id":1}\n'])
def test_a_file_named_as_parquet_is_parquet(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    reading, error = broken(tmp_path / "a.parquet")
    assert (reading.bodies, error.code) == ([], "E804")


@pytest.mark.parametrize("name", ["a.ndjson", "a.csv"])
@pytest.mark.parametrize("text", ["Ärzte;Größe\n1;2\n", "Имя,Дата\nИван,2026\n", "é\n1\n"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_told_with_and_without_its_mark(
    name: str, text: str, encoding: str, tmp_path: Path
) -> None:
    if "И" in text and encoding != "utf-16":
        pytest.skip("without a mark, a text with little of ASCII may be anything")
    (tmp_path / name).write_bytes(text.encode(encoding))
    reading, error = broken(tmp_path / name)
    assert (reading.bodies, error.code) == ([], "E811")
    assert "iconv -f UTF-16" in error.hint


# -- files that are none, and addresses


def test_a_link_that_leads_nowhere_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").symlink_to(tmp_path / "gone.ndjson")
    with pytest.raises(SourceError, match="a link to a file that is not there") as caught:
        open_source(tmp_path / "a.ndjson")
    assert (caught.value.code, "gone.ndjson" in caught.value.hint) == ("E801", True)


def test_a_socket_is_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        with pytest.raises(SourceError, match="E805"):
            open_source("s")


def test_a_named_pipe_is_read_and_has_no_places(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    source = open_source(path)
    assert not source.has_place
    writer = threading.Thread(target=path.write_bytes, args=(b'{"id":1}\n',))
    writer.start()
    assert Reading(source).ids == [1]
    writer.join()


class Answer(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


def _answered(status: int) -> FileNotFoundError:
    error = FileNotFoundError("https://host/a.csv?sig=secret")
    error.__cause__ = Answer(status)
    return error


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (_answered(403), "E802", "access is refused (HTTP 403)"),
        (_answered(401), "E802", "access is refused (HTTP 401)"),
        (PermissionError("s3"), "E802", "access is refused"),
        (_answered(503), "E802", "the server answers HTTP 503"),
        (_answered(404), "E801", "no such file"),
        (FileNotFoundError("a"), "E801", "no such file"),
        (TimeoutError(), "E802", "cannot be looked at (TimeoutError)"),
    ],
)
def test_an_address_is_told_by_the_answer_of_its_server(
    raised: Exception, code: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class System:
        def info(self, path: str) -> Any:
            raise raised

    address = "https://host/a.csv?sig=secret"
    monkeypatch.setattr("fieldpost.sources.remote._file_system", lambda *_: (System(), address))
    with pytest.raises(SourceError) as caught:
        open_source(address)
    assert (caught.value.code, caught.value.message) == (code, told)
    assert "secret" not in str(caught.value)


# -- any layout

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from('{}[],:"\\'),
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part, max_size=3)
    ),
    max_leaves=8,
)
EVENTS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), min_size=1, max_size=4)


@given(
    EVENTS,
    st.sampled_from([None, 0, 1, 2, "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 9),
)
def test_a_value_is_one_event_however_it_is_laid_out(
    events: list[dict[str, Any]], indent: Any, end: str, step: int
) -> None:
    text = "".join(json.dumps(one, indent=indent) + "\n" for one in events).replace("\n", end)
    found = fp.read_events(Steps(text.encode(), step))
    assert [json.loads(line) for line in found] == events
