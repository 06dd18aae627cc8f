"""One JSON for each type, through Arrow, Parquet, polars, DuckDB and pandas."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from source_types import KINDS, Kind

import fieldpost as fp
from fieldpost.errors import SourceError
from fieldpost.sources import open_source


def _arrow(kind: Kind, _folder: Path) -> Any:
    return pa.table({"v": kind.arrow[1]()}) if kind.arrow else None


def _parquet(kind: Kind, folder: Path) -> Any:
    if not kind.arrow or not kind.parquet or kind.told:
        return None
    pq.write_table(pa.table({"v": kind.arrow[1]()}), folder / "a.parquet")
    return folder / "a.parquet"


def _polars(kind: Kind, _folder: Path) -> Any:
    return kind.polars[1]().rename("v").to_frame() if kind.polars else None


def _duckdb(kind: Kind, _folder: Path) -> Any:
    if not kind.duckdb:
        return None
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    made = f"SELECT {kind.duckdb[1]} AS v"
    return connection.sql(f"SELECT * FROM ({made} UNION ALL SELECT NULL) ORDER BY v IS NULL")


def _duckdb_parquet(kind: Kind, folder: Path) -> Any:
    # DuckDB writes these as something else, and pyarrow does not read its lists of one length.
    odd = ("bits", "with an offset", "longest", "many digits", "interval", "end of a day")
    odd = (*odd, "list of one length")
    if not kind.duckdb or kind.told or kind.lost or any(one in kind.name for one in odd):
        return None
    _duckdb(kind, folder).write_parquet(str(folder / "d.parquet"))
    return folder / "d.parquet"


def _pandas(kind: Kind, _folder: Path) -> Any:
    return pd.DataFrame({"v": kind.pandas[1]()}) if kind.pandas else None


def _pandas_of_arrow(kind: Kind, _folder: Path) -> Any:
    if not kind.arrow or kind.told:
        return None
    column = kind.arrow[1]()
    if isinstance(column.type, pa.BaseExtensionType | pa.DictionaryType | pa.RunEndEncodedType):
        return None
    return pd.DataFrame({"v": pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([column])))})


ENGINES = {
    "Arrow": _arrow,
    "Parquet": _parquet,
    "polars": _polars,
    "DuckDB": _duckdb,
    "DuckDB's Parquet": _duckdb_parquet,
    "pandas": _pandas,
    "pandas with Arrow's types": _pandas_of_arrow,
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_a_type_has_one_form_wherever_it_comes_from(
    kind: Kind, engine: str, tmp_path: Path
) -> None:
    given = ENGINES[engine](kind, tmp_path)
    if given is None:
        return
    source = open_source(given)
    if kind.told:
        with pytest.raises(SourceError, match=r'E815 .*"v" of type') as caught:
            list(source.chunks())
        assert "cast it to text" in caught.value.hint
        return
    lines = b"".join(bytes(chunk.lines()) for chunk in source.chunks())
    assert lines.decode() == f'{{"v":{kind.json}}}\n{{"v":null}}\n'
    told = [(one.code, one.message.startswith("1 moment ")) for one in source.doubts]
    assert told == ([("E817", True)] if kind.lost else [])


def test_every_engine_is_tried_often() -> None:
    for engine, least in {"arrow": 45, "polars": 25, "duckdb": 35, "pandas": 30}.items():
        assert sum(getattr(kind, engine) is not None for kind in KINDS) >= least, engine


def rows(given: Any) -> list[str]:
    return [line.decode() for line in fp.read_events(given)]


def test_a_connection_stays_of_use_whatever_became_of_its_rows() -> None:
    connection = duckdb.connect()
    for query in ("SELECT union_value(a := 1) AS v", "SELECT ['1'::BIT] AS v"):
        with pytest.raises(SourceError, match="E815"):
            rows(connection.sql(query))
        assert connection.execute("SELECT 42").fetchall() == [(42,)]
    chunks = open_source(connection.sql("SELECT i AS v FROM range(3000000) t(i)")).chunks()
    next(chunks)
    chunks.close()
    assert connection.execute("SELECT 42").fetchall() == [(42,)]
    assert rows(connection.sql('SELECT \'1\'::BIT AS "a ""b"""')) == ['{"a \\"b\\"":"1"}']


@pytest.mark.filterwarnings("ignore::UserWarning")  # DuckDB advises to use sql()
def test_what_was_executed_is_held_to_the_same_table() -> None:
    connection = duckdb.connect()
    assert rows(connection.execute("SELECT '{\"a\": 1}'::JSON AS v")) == ['{"v":{"a": 1}}']
    with pytest.raises(SourceError, match="E815"):
        rows(connection.execute("SELECT '1'::BIT AS v"))
    assert connection.execute("SELECT 42").fetchall() == [(42,)]


def test_one_column_is_no_table() -> None:
    with pytest.raises(SourceError, match=r"E805 one column .*to_frame"):
        open_source(pl.Series("v", [1]))


def test_all_columns_without_a_form_are_told_at_once() -> None:
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    table = pa.table({"a": union, "id": [1], "b": pa.array([[{"x": 1}]]), "c": union})
    with pytest.raises(SourceError, match=r'columns "a" of type .*, "c" of type'):
        rows(table)
    frame = pd.DataFrame({"a": [1j], "id": [1], "c": [2j]})
    with pytest.raises(SourceError, match=r'columns "a" of type .*, "c" of type'):
        rows(frame)


@pytest.mark.parametrize("schema", [True, False])
def test_moments_of_int96_keep_their_years(schema: bool, tmp_path: Path) -> None:
    moments = [datetime.datetime(9999, 12, 31, 23, 59, 59), datetime.datetime(1, 1, 1)]
    table = pa.table(
        {
            "v": pa.array(moments, pa.timestamp("us")),
            "s": pa.array([{"l": [one]} for one in moments]),
        }
    )
    options: dict[str, Any] = {"use_deprecated_int96_timestamps": True, "store_schema": schema}
    pq.write_table(table, tmp_path / "a.parquet", **options)
    found = rows(tmp_path / "a.parquet")
    last, first = "9999-12-31T23:59:59.000000Z", "0001-01-01T00:00:00.000000Z"
    assert found == [f'{{"v":"{one}","s":{{"l":["{one}"]}}}}' for one in (last, first)]


def test_moments_that_are_lost_are_counted_by_column() -> None:
    days = pa.array([2**31 - 1, 0, -(2**31)], pa.int32()).view(pa.date32())
    table = pa.table({"a": days, "s": pa.StructArray.from_arrays([days], ["d"])})
    source = open_source(table)
    list(source.chunks())
    assert [one.message for one in source.doubts] == [
        '2 moments of the column "a" lie outside of the years 1 to 9999, so null stands there',
        '2 moments of the column "s.d" lie outside of the years 1 to 9999, so null stands there',
    ]
    list(source.chunks())
    assert len(list(source.doubts)) == 2


def test_a_text_that_is_not_utf8_costs_its_row(tmp_path: Path) -> None:
    texts = pa.array([b"\xff", b"a", None], pa.binary())
    column = pa.StringArray.from_buffers(3, *texts.buffers()[1:], texts.buffers()[0], 1)
    for given in (pa.table({"v": column}), tmp_path / "a.parquet"):
        pq.write_table(pa.table({"v": column}), tmp_path / "a.parquet")
        asked = fp.transform(given, fp.Mapping({"v": {"@path": "$.v"}}))
        assert list(asked) == [b'{"v":"a"}', b'{"v":null}']
        assert [row.error for row in asked.told.errors] == [
            "an event holds what JSON can hold, not a text that is not UTF-8 at $.v"
        ]


def test_json_over_several_lines_stays_one_row() -> None:
    storage = pa.array(['{\n "a": 1\n}', "{", None], pa.string())
    column = pa.ExtensionArray.from_storage(pa.json_(), storage)
    assert rows(pa.table({"v": column})) == ['{"v":{  "a": 1 }}', "null", '{"v":null}']


def test_records_hold_what_cells_may_hold() -> None:
    record = {
        "long": 2**70,
        "half": "\ud800",
        "at": datetime.datetime(2026, 3, 1),
        "d": Decimal("1.10"),
        "n": [np.int64(5), np.float32(0.1), np.float64(0.1), np.bool_(True), np.str_("x")],
        "more": [np.bytes_(b"x"), np.datetime64("NaT"), np.timedelta64("NaT"), pd.NaT, pd.NA],
        "series": pd.Series([1, 2]),
        "arrow": pa.array([1, None]),
        "polars": pl.Series([1, 2]),
        "strings": np.array(["a"], dtype=np.dtypes.StringDType()),
        "every": np.arange(6)[::2],
        7: "key",
    }
    (line,) = rows([record])
    assert line == (
        '{"long":1180591620717411303424,"half":"\\ud800","at":"2026-03-01T00:00:00Z","d":1.10,'
        '"n":[5,0.1,0.1,true,"x"],"more":["eA==",null,null,null,null],"series":[1,2],'
        '"arrow":[1,null],"polars":[1,2],"strings":["a"],"every":[0,2,4],"7":"key"}'
    )


@pytest.mark.parametrize("odd", [{1, 2}, 1j, np.complex128(1), object()])
def test_the_part_that_has_no_form_is_named(odd: Any) -> None:
    record = {"at": datetime.datetime(2026, 3, 1), "l": [{"x": odd}]}
    asked = fp.transform([record], fp.Mapping({"@path": "$."}))
    assert list(asked) == []
    assert asked.told.errors[0].code == "E409"
    assert asked.told.errors[0].error.endswith(" at $.l[0].x")


def test_parquet_of_pandas_gives_what_the_frame_gives() -> None:
    frame = pd.DataFrame({"tags": [["a", "b"], ["c"]], "scores": [[1, 2], [3]]})
    whole = io.BytesIO()
    frame.to_parquet(whole)
    back = pd.read_parquet(io.BytesIO(whole.getvalue()))
    typed = pd.read_parquet(io.BytesIO(whole.getvalue()), dtype_backend="pyarrow")
    assert rows(frame) == rows(back) == rows(typed)
