"""What a source's content may be: arrays, delimited text, tables; and odd encodings."""

from __future__ import annotations

import datetime
import decimal
import gzip
import io
import json
import math
import mmap
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fieldpost as fp
from fieldpost._core import Plan
from fieldpost.errors import SourceError
from fieldpost.sources import open_source
from recipe import Recipe
from source_reading import PLAN, Reading, broken, read

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# -- JSON arrays


def test_items_of_an_array_are_lines_in_their_own_places() -> None:
    text = b'[{"id":1},\n  {"id":2, "a":[1,\n2]}\n,{"id":3,"t":"]},{\\"["}]\n'
    reading = read(text)
    assert reading.ids == [1, 2, 3]
    assert reading.bodies[1]["a"] == [1, 2]
    assert reading.bodies[2]["t"] == ']},{"['
    assert [line for line, _ in reading.places] == [1, 2, 3]
    for (_, offset), start in zip(reading.places, (b"[{", b",\n  {", b",{"), strict=True):
        assert text.find(start) in (offset, offset - 1)


@pytest.mark.parametrize("text", [b"[]", b" [ ] ", b"\xef\xbb\xbf[]", b"[\n]\n"])
def test_an_empty_array_has_no_events(text: bytes) -> None:
    assert read(text).bodies == []


def test_a_broken_item_costs_itself() -> None:
    text = b'[{"id":1},{"id":},{"id":3}},{"id":4},5,{"id":"a\nb"},{"id":7}]'
    reading = read(text)
    assert reading.ids == [1, 4, 7]
    assert reading.invalid == [(2, "E401"), (3, "E401"), (5, "E402"), (6, "E401")]


@pytest.mark.parametrize(
    ("text", "ids", "at", "told"),
    [
        (b'[{"id":1},{"id":2},{"id"', [1, 2], 24, "ends too early"),
        (b'[{"id":1},,{"id":2}]', [1, 2], 10, "no item"),
        (b'[{"id":1},]', [1], 10, "no item"),
        (b'[{"id":1}]\n{"id":2}\n', [1, 2], 11, "after the end"),
    ],
)
def test_what_is_wrong_between_items_is_told_after_the_good_ones(
    text: bytes, ids: list[int], at: int, told: str
) -> None:
    reading, error = broken(text)
    assert reading.ids == ids
    assert (error.code, error.position and error.position.offset) == ("E812", at)
    assert told in error.message


def test_an_array_larger_than_many_chunks_is_read_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    item = json.dumps({"id": 1, "text": 'x, "y" ]}\n' * 60}).encode()
    count = 150_000  # 100 MB
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(b"[\n" + (item + b",\n") * (count - 1) + item + b"\n]\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    plan, seen, chunks = Plan(PLAN), 0, 0
    for chunk in open_source(path).chunks():
        seen += len(plan.process(chunk))
        chunks += 1
    assert seen == count
    assert chunks > 10
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 80_000 or "libasan" in os.environ.get("LD_PRELOAD", "")


def test_a_line_that_never_ends_is_told_before_memory_is_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("fieldpost.sources.stream._LONGEST", 20 << 20)
    good = b'{"id":1}\n{"id":"' + b"x" * (19 << 20) + b'"}\n{"id":2}\n'
    (tmp_path / "a").write_bytes(good + b"x" * (50 << 20) + b'\n{"id":3}\n')
    (tmp_path / "b").write_bytes(b'{"id":4}\n')
    reading, error = broken(str(tmp_path / "*"))
    assert [str(one)[:3] for one in reading.ids] == ["1", "xxx", "2", "4"]
    assert (error.code, error.position) == ("E816", (str(tmp_path / "a"), 4, len(good)))


def test_lines_stay_lines_where_the_name_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b'[{"id":1}]\n{"id":2}\n')
    reading = read(tmp_path / "a.ndjson")
    assert (reading.ids, reading.invalid) == ([2], [(1, "E402")])
    assert read(b'[1]\n{"id":2}\n').ids == [2]


# -- text


def test_a_byte_order_mark_changes_nothing() -> None:
    reading = read(b'\xef\xbb\xbf{"id":1}\r\n\r\n{"id":2}')
    assert (reading.ids, reading.places) == ([1, 2], [(1, 0), (3, 15)])
    assert read(b"\xef\xbb\xbf").bodies == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.ndjson", "a.json", "a.csv"])
def test_utf16_is_named(encoding: str, name: str, tmp_path: Path) -> None:
    text = "id,name\n1,x\n" if name == "a.csv" else '{"id":1}\n'
    (tmp_path / name).write_bytes(text.encode(encoding))
    (tmp_path / "b.ndjson").write_bytes(b'{"id":2}\n')
    reading, error = broken([tmp_path / name, tmp_path / "b.ndjson"])
    assert (error.code, reading.ids, reading.invalid) == ("E811", [2], [])
    assert "iconv" in error.hint


def test_garbage_at_the_start_costs_its_line() -> None:
    for garbage in (b"\0", b"\xff\xfe", b"\0{", b"\xff", b"[x", b"BZ", b"\x1f"):
        reading = read(garbage + b'\n{"id":1}\n')
        assert (reading.ids, reading.invalid) == ([1], [(1, "E401")])


def test_memory_is_read_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"".join(b'{"id":%d}\n' % number for number in range(200_000)))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert len(read(mapped).bodies) == 200_000
        assert len(read(memoryview(mapped)[: 9 * 10]).bodies) == 10
    with path.open("rb") as file:
        assert len(read(file).bodies) == 200_000
    assert read(io.BytesIO(b'{"id":1}')).ids == [1]


# -- delimited text


def test_cells_are_texts_and_rows_stand_on_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        b'\xef\xbb\xbfid,zip,"a ""b"""\r\n1,007,\r\n\r\n2,"x\ny","z,"\r\n3,\xc3\xa9,1.50'
    )
    reading = read(path)
    assert reading.bodies == [
        {"id": "1", "zip": "007", 'a "b"': None},
        {"id": "2", "zip": "x\ny", 'a "b"': "z,"},
        {"id": "3", "zip": "é", 'a "b"': "1.50"},
    ]
    assert [line for line, _ in reading.places] == [2, 4, 6]
    assert open_source(path).has_place


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.csv", "id;n\n1;2\n"), ("a.tsv", "id\tn\n1\t2\n"), ("a.CSV", "id|n\n1|2\n")],
)
def test_the_header_tells_the_separator(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert read(tmp_path / name).bodies == [{"id": "1", "n": "2"}]


def test_a_row_that_does_not_fit_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    rows = b'id,n\n1,1\n2\n3,1,1\n4,"a"b\n5,\xff\n6,' + b"x" * 300_000 + b"\n"
    path.write_bytes(gzip.compress(rows))
    reading = read(path)
    assert reading.ids == ["1", "6"]
    assert reading.invalid == [(3, "E409"), (4, "E409"), (5, "E409"), (6, "E409")]


def test_why_a_row_does_not_fit_is_told_wherever_it_stands(tmp_path: Path) -> None:
    rows = "".join(f'{n},"x\ny"\n' if n % 9999 else f"{n}\n" for n in range(200_000))
    (tmp_path / "a.csv").write_text("id,n\n" + rows)
    asked = fp.transform(tmp_path / "a.csv", fp.Mapping({"@path": "$.id"}))
    ids = [json.loads(body) for body in asked]
    assert ids == [str(n) for n in range(200_000) if n % 9999]
    told = [(row.line, row.code, row.error) for row in asked.told.errors]
    why = "the row has 1 cells, the header 2 names"
    places = [n * 2 - n // 9999 + 2 - (n % 9999 > 0) for n in range(0, 200_000, 9999)]
    assert told == [(line, "E409", why) for line in places]


def test_names_of_columns_must_differ(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,n,n\n1,2,3\n")
    (tmp_path / "b.csv").write_text("id,n\n1,2\n")
    (tmp_path / "empty.csv").write_text("")
    reading, error = broken(str(tmp_path / "*.csv"))
    assert (error.code, reading.ids) == ("E814", ["1"])
    assert broken(pa.table([[1], [2]], names=["a", "a"]))[1].code == "E814"
    with pytest.raises(SourceError, match="E814"):
        open_source(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_truncated_csv_gives_its_rows_then_says_so(tmp_path: Path) -> None:
    rows = "id,n\n" + "".join(f"{number},{os.urandom(8).hex()}\n" for number in range(20_000))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(rows.encode())[:-9000])
    reading, error = broken(tmp_path / "a.csv.gz")
    assert error.code == "E803"
    assert len(reading.ids) > 10_000
    assert reading.ids == [str(number) for number in range(len(reading.ids))]


# -- tables


MOMENT = datetime.datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=datetime.UTC)


def arrow_table() -> pa.Table:
    berlin = pa.array([MOMENT, None], pa.timestamp("us", "Europe/Berlin"))
    columns = {
        "id": pa.array(["a", "b"]),
        "n": pa.array([2**63, None], pa.uint64()),
        "f": pa.array([math.nan, 1.5]),
        "d": pa.array([decimal.Decimal("10.50"), None], pa.decimal128(20, 2)),
        "t": berlin,
        "naive": pa.array([1, 2], pa.timestamp("ns")),
        "day": pa.array([MOMENT.date(), None]),
        "time": pa.array([datetime.time(1, 2, 3), None]),
        "took": pa.array([1_500, None], pa.duration("ms")),
        "raw": pa.array([b"\0\xff", None]),
        "s": pa.array([{"x": {"at": MOMENT}, "y": None}, None]),
        "l": pa.array([[{"d": decimal.Decimal("1.10")}], []]),
        "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        "c": pa.array(["u", "v"]).dictionary_encode(),
        "a.b": pa.array([True, None]),
        "three": pa.array([[1, 2, 3], None], pa.list_(pa.int8(), 3)),
    }
    return pa.table(columns)


ROWS = [
    {
        "id": "a",
        "n": 2**63,
        "f": None,
        "d": decimal.Decimal("10.50"),
        "t": "2026-03-01T12:30:00.250000Z",
        "naive": "1970-01-01T00:00:00.000000001Z",
        "day": "2026-03-01",
        "time": "01:02:03.000000",
        "took": "PT1.5S",
        "raw": "AP8=",
        "s": {"x": {"at": "2026-03-01T12:30:00.250000Z"}, "y": None},
        "l": [{"d": decimal.Decimal("1.10")}],
        "m": {"k": 1},
        "c": "u",
        "a.b": True,
        "three": [1, 2, 3],
    },
    {
        **dict.fromkeys(("n", "d", "t", "day", "time", "took", "raw", "s", "m", "a.b", "three")),
        "id": "b",
        "f": decimal.Decimal("1.5"),
        "naive": "1970-01-01T00:00:00.000000002Z",
        "l": [],
        "c": "v",
    },
]


def test_columns_become_fields_exactly(tmp_path: Path) -> None:
    table = arrow_table()
    pq.write_table(table, tmp_path / "a.parquet")
    sliced = pa.concat_tables([table, table]).combine_chunks().slice(1, 2)
    for given in (table, table.to_reader(), tmp_path / "a.parquet", table.to_batches()[0]):
        reading = read(given)
        assert reading.bodies == ROWS
        assert b'"d":10.50' in reading.texts[0]
        assert [line for line, _ in reading.places] == [1, 2]
    assert read(sliced).bodies == ROWS[::-1]
    assert open_source(tmp_path / "a.parquet").has_place
    assert not open_source(table).has_place


def test_polars_frames() -> None:
    frame = pl.DataFrame(
        {"id": ["a", "b"], "at": [MOMENT, None], "p": [{"x": [1, 2]}, {"x": None}]}
    )
    assert read(frame).bodies == [
        {"id": "a", "at": "2026-03-01T12:30:00.250000Z", "p": {"x": [1, 2]}},
        {"id": "b", "at": None, "p": {"x": None}},
    ]


def test_duckdb_results() -> None:
    connection = duckdb.connect()
    query = (
        "select 'e' || i as id, i::decimal(10, 2) / 1 as f, {'a': i} as s from range(10000) t(i)"
    )
    reading = read(connection.sql(query))
    assert len(reading.bodies) == 10_000
    assert reading.bodies[9999]["s"] == {"a": 9999}


@pytest.mark.filterwarnings("ignore::UserWarning")  # DuckDB advises to use sql()
def test_what_a_duckdb_connection_has_executed() -> None:
    assert read(duckdb.connect().execute("select 1 as id")).ids == [1]


def test_pandas_frames() -> None:
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "at": pd.to_datetime(["2026-03-01T14:30:00+02:00", None]),
            "n": pd.array([1, None], dtype="Int64"),
            "f": [math.nan, 1.5],
            "p": [{"x": 1, "d": decimal.Decimal("1.10")}, {"y": None}],
            "kind": pd.Categorical(["u", "v"]),
            5: [True, False],
            "took": pd.to_timedelta([1500, None], unit="ms"),
        },
        index=[7, 8],
    )
    reading = read(frame)
    assert reading.bodies == [
        {
            "id": "a",
            "at": "2026-03-01T12:30:00Z",
            "n": 1,
            "f": None,
            "p": {"x": 1, "d": decimal.Decimal("1.10")},
            "kind": "u",
            "5": True,
            "took": "PT1.5S",
        },
        {
            "id": "b",
            "at": None,
            "n": None,
            "f": decimal.Decimal("1.5"),
            "p": {"y": None},
            "kind": "v",
            "5": False,
            "took": None,
        },
    ]
    assert b'"d":1.10' in reading.texts[0]


def test_a_cell_that_json_cannot_hold_costs_its_row() -> None:
    frame = pd.DataFrame({"id": ["a", "b", "c"], "x": [1, {2}, 3]})
    reading = read(frame)
    assert (reading.ids, reading.invalid) == (["a", "c"], [(2, "E409")])


def test_a_table_that_breaks_tells_so_after_its_good_rows() -> None:
    schema = pa.schema([("id", pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch([[1, 2]], schema=schema)
        raise RuntimeError("gone")

    reading, error = broken(pa.RecordBatchReader.from_batches(schema, batches()))
    assert (reading.ids, error.code) == ([1, 2], "E810")


def test_an_iterable_that_breaks_tells_so_after_its_good_records() -> None:
    def records() -> Iterator[dict[str, Any]]:
        yield {"id": 1}
        yield {"id": 2}
        raise KeyError("secret")

    reading, error = broken(records())
    assert (reading.ids, error.code) == ([1, 2], "E810")
    assert "secret" not in str(error)


def test_a_column_that_has_no_form_is_named() -> None:
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    _, error = broken(pa.table({"id": [1], "odd": union}))
    assert error.code == "E815"
    assert '"odd"' in error.message


def test_what_is_no_source_is_named() -> None:
    whole = io.BytesIO()
    pq.write_table(arrow_table(), whole)
    assert broken(whole.getvalue())[1].code == "E806"
    with pytest.raises(SourceError, match="E805"):
        open_source(io.StringIO("{}"))


def test_a_damaged_parquet_is_told(tmp_path: Path) -> None:
    whole = io.BytesIO()
    pq.write_table(arrow_table(), whole)
    (tmp_path / "a.parquet").write_bytes(whole.getvalue()[:-20])
    (tmp_path / "b.ndjson").write_bytes(b'{"id":2}\n')
    reading, error = broken(str(tmp_path / "*"))
    assert (reading.ids, error.code) == ([2], "E804")


def test_a_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pq.write_table(arrow_table(), tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    assert broken(tmp_path / "a.parquet")[1].hint == "pip install 'fieldpost[arrow]'"
    with pytest.raises(SourceError, match=r"fieldpost\[arrow\]"):
        open_source(pl.DataFrame({"id": [1]}))
    with pytest.raises(SourceError, match=r"fieldpost\[fsspec\]"):
        open_source("memory://a")
    monkeypatch.undo()
    with pytest.raises(SourceError, match=r"E813.*s3fs"):
        open_source("s3://bucket/a.ndjson")


# -- addresses


def test_files_behind_addresses(tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    system.pipe("/in/b.ndjson", b'{"id":2}\n')
    system.pipe("/in/a.ndjson.gz", gzip.compress(b'{"id":1}\n'))
    system.pipe("/in/c.csv", b"id\n3\n")
    parquet = io.BytesIO()
    pq.write_table(pa.table({"id": [4]}), parquet)
    system.pipe("/in/d.parquet", parquet.getvalue())
    (tmp_path / "e.ndjson").write_bytes(b'{"id":5}\n')
    source = open_source(["memory://in/*", f"file://{tmp_path}/e.ndjson"])
    assert Reading(source).ids == [1, 2, "3", 4, 5]
    assert source.has_place
    assert next(source.chunks()).source == "memory:///in/a.ndjson.gz"
    system.rm("/in/b.ndjson")
    reading = Reading(source)
    assert reading.ids == [1, "3", 4, 5]
    assert reading.error is not None and reading.error.code == "E802"


def test_secrets_of_an_address_are_not_shown() -> None:
    from fieldpost.sources.remote import shown

    assert shown("ftp://me:secret@host/a") == "ftp://host/a"
    assert shown("https://host/a.ndjson?sig=secret") == "https://host/a.ndjson"
    assert shown("s3://bucket/a?b") == "s3://bucket/a?b"


# -- delivered


def test_the_same_events_in_any_form_are_delivered_once(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [json.loads(recipe._line(number)) for number in range(0, 40, 4)]
    (recipe.folder / "a.json").write_text(json.dumps(events, indent=1))
    (recipe.folder / "a.ndjson.zst").write_bytes(
        zstd.compress(b"".join(json.dumps(event).encode() + b"\n" for event in events))
    )
    pq.write_table(pa.Table.from_pylist(events), recipe.folder / "a.parquet")
    file = recipe.dynamics(extra='event_id: {"@path": $.messageId}\n')
    assert recipe.deliver(file, "a.json")["delivered"] == 10
    assert recipe.deliver(file, "a.parquet", "a.ndjson.zst")["already_delivered"] == 20
    monkeypatch.setenv("CID", recipe.emulator.client_id)
    monkeypatch.setenv("SECRET", recipe.emulator.client_secret)
    destination = fp.Destination.from_file(file)
    for table in (pd.DataFrame(events), pl.DataFrame(events), pa.Table.from_pylist(events)):
        assert destination.deliver(table)["already_delivered"] == 10
    assert recipe.trees_are_whole(10)


def test_rows_without_an_id_are_told_apart_by_file_and_row(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CID", recipe.emulator.client_id)
    monkeypatch.setenv("SECRET", recipe.emulator.client_secret)
    rows = "type,event,company\n" + "track,Account Created,Same\n" * 3
    (recipe.folder / "a.csv").write_text(rows)
    file = recipe.dynamics(body='      name: {"@path": $.company}\n')
    assert recipe.deliver(file, "a.csv")["delivered"] == 3
    assert recipe.deliver(file, "a.csv")["already_delivered"] == 3
    destination = fp.Destination.from_file(file)
    with pytest.raises(fp.ConfigError, match="E131"):
        destination.deliver(pd.DataFrame({"type": ["track"]}))
