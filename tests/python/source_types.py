"""Each type that a table may have, in each kind of table that can hold it, and its JSON.

docs/sources.md shows this list (`./dev docs`); test_source_types.py holds the sources to it. Each
column has the value and, below it, a null.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

MOMENT = dt.datetime(2026, 3, 1, 12, 30, 0, 250_000)
BERLIN = MOMENT.replace(tzinfo=dt.timezone(dt.timedelta(hours=1)))
LONG = 2**100
UUID = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")


@dataclass(frozen=True)
class Kind:
    """A kind of value. Each engine: the name of its type, and what makes a column of it.

    arrow gives an array, which is also written as Parquet unless `parquet` says no; polars and
    pandas give a series, duckdb is an expression of SQL. told: instead of JSON, the type as the
    mistake names it. lost: it becomes null, and is counted.
    """

    name: str
    json: str = ""
    arrow: tuple[str, Callable[[], Any]] | None = None
    polars: tuple[str, Callable[[], Any]] | None = None
    duckdb: tuple[str, str] | None = None
    pandas: tuple[str, Callable[[], Any]] | None = None
    parquet: bool = True
    told: bool = False
    lost: bool = False


def _arrow(value: Any, kind: Any) -> Callable[[], Any]:
    return lambda: pa.array([value, None], kind)


def _polars(value: Any, kind: Any = None) -> Callable[[], Any]:
    return lambda: pl.Series("v", [value, None], kind)


def _pandas(value: Any, kind: Any = None) -> Callable[[], Any]:
    return lambda: pd.Series([value, None], dtype=kind)


def _object(value: Any) -> Callable[[], Any]:
    cells = np.empty(2, dtype=object)
    cells[0] = value
    return lambda: pd.Series(cells, dtype=object)


def _extension(kind: Any, storage: Any) -> Callable[[], Any]:
    return lambda: pa.ExtensionArray.from_storage(kind, storage)


def _dictionary(values: Any) -> Callable[[], Any]:
    indices = pa.array([0, None], pa.int8())
    return lambda: pa.DictionaryArray.from_arrays(indices, values)


def _table(**columns: Any) -> Any:
    return pa.table(columns)


def _tensor() -> Any:
    kind = pa.fixed_shape_tensor(pa.int64(), [2, 2])
    return pa.ExtensionArray.from_storage(
        kind, pa.array([[1, 2, 3, 4], None], pa.list_(pa.int64(), 4))
    )


def _turned_tensor() -> Any:
    kind = pa.fixed_shape_tensor(pa.int64(), [2, 3], permutation=[1, 0])
    storage = pa.array([[1, 2, 3, 4, 5, 6], None], pa.list_(pa.int64(), 6))
    return pa.ExtensionArray.from_storage(kind, storage)


def _counts(value: int, width: Any, kind: Any) -> Callable[[], Any]:
    """A count of units that may lie outside of the years that there are."""
    return lambda: pa.array([value, None], width).view(kind)


KINDS = [
    Kind(
        "null",
        "null",
        arrow=("null", _arrow(None, pa.null())),
        polars=("Null", _polars(None, pl.Null)),
        duckdb=("NULL", "NULL"),
        pandas=("None, NA, NaT", _object(pd.NA)),
    ),
    Kind(
        "boolean",
        "true",
        arrow=("bool", _arrow(True, pa.bool_())),
        polars=("Boolean", _polars(True)),
        duckdb=("BOOLEAN", "true"),
        pandas=("boolean", _pandas(True, "boolean")),
    ),
    Kind(
        "boolean of a byte",
        "true",
        arrow=("arrow.bool8", _extension(pa.bool8(), pa.array([5, None], pa.int8()))),
    ),
    Kind(
        "whole number",
        str(2**63 - 1),
        arrow=("int8 to int64", _arrow(2**63 - 1, pa.int64())),
        polars=("Int8 to Int64", _polars(2**63 - 1, pl.Int64)),
        duckdb=("TINYINT to BIGINT", f"{2**63 - 1}::BIGINT"),
        pandas=("Int64", _pandas(2**63 - 1, "Int64")),
    ),
    Kind(
        "whole number without a sign",
        str(2**64 - 1),
        arrow=("uint8 to uint64", _arrow(2**64 - 1, pa.uint64())),
        polars=("UInt8 to UInt64", _polars(2**64 - 1, pl.UInt64)),
        duckdb=("UTINYINT to UBIGINT", f"{2**64 - 1}::UBIGINT"),
        pandas=("UInt64", _pandas(2**64 - 1, "UInt64")),
    ),
    Kind(
        "whole number of many digits",
        str(LONG),
        arrow=("decimal128(38, 0)", _arrow(Decimal(LONG), pa.decimal128(38, 0))),
        polars=("Int128", _polars(LONG, pl.Int128)),
        duckdb=("HUGEINT", f"{LONG}::HUGEINT"),
        pandas=("object: int", _object(LONG)),
    ),
    Kind(
        "the longest whole number",
        str(2**128 - 1),
        duckdb=("UHUGEINT, BIGNUM", f"{2**128 - 1}::UHUGEINT"),
    ),
    Kind(
        "float of 64 bits",
        "0.1",
        arrow=("float64", _arrow(0.1, pa.float64())),
        polars=("Float64", _polars(0.1, pl.Float64)),
        duckdb=("DOUBLE", "0.1::DOUBLE"),
        pandas=("float64", _pandas(0.1, "float64")),
    ),
    Kind(
        "float of 32 bits",
        "0.1",
        arrow=("float32", _arrow(0.1, pa.float32())),
        polars=("Float32", _polars(0.1, pl.Float32)),
        duckdb=("FLOAT", "0.1::FLOAT"),
        pandas=("float32, Float32", _pandas(0.1, "float32")),
    ),
    Kind(
        "float of 16 bits",
        "0.1",
        arrow=("float16", _arrow(np.float16(0.1), pa.float16())),
        pandas=("float16", _pandas(0.1, "float16")),
    ),
    Kind(
        "not a number, infinity",
        "null",
        arrow=("float64", _arrow(float("nan"), pa.float64())),
        polars=("Float64", _polars(float("inf"), pl.Float64)),
        duckdb=("DOUBLE", "'-inf'::DOUBLE"),
        pandas=("float64", _pandas(float("nan"), "float64")),
    ),
    Kind(
        "decimal",
        "10.50",
        arrow=("decimal32 to decimal256", _arrow(Decimal("10.50"), pa.decimal256(50, 2))),
        polars=("Decimal", _polars(Decimal("10.50"), pl.Decimal(10, 2))),
        duckdb=("DECIMAL", "10.50::DECIMAL(10, 2)"),
        pandas=("object: Decimal", _object(Decimal("10.50"))),
    ),
    Kind(
        "text",
        '"a é"',
        arrow=("string, large_string", _arrow("a é", pa.large_string())),
        polars=("String", _polars("a é")),
        duckdb=("VARCHAR", "'a é'"),
        pandas=("str, string, object", _pandas("a é", "string")),
    ),
    Kind("text, as a view", '"a é"', arrow=("string_view", _arrow("a é", pa.string_view()))),
    Kind(
        "category",
        '"pro"',
        arrow=("dictionary", _dictionary(pa.array(["pro"]))),
        polars=("Categorical", _polars("pro", pl.Categorical)),
        duckdb=("ENUM", "'pro'::ENUM('free', 'pro')"),
        pandas=("category", _pandas("pro", "category")),
    ),
    Kind("enumeration", '"pro"', polars=("Enum", _polars("pro", pl.Enum(["free", "pro"])))),
    Kind(
        "category of views",
        '"pro"',
        arrow=("dictionary of string_view", _dictionary(pa.array(["pro"], pa.string_view()))),
        parquet=False,
    ),
    Kind(
        "category of decimals",
        "1.10",
        arrow=("dictionary of decimal128", _dictionary(pa.array([Decimal("1.10")]))),
        parquet=False,
    ),
    Kind(
        "runs of one value",
        '"a"',
        arrow=(
            "run_end_encoded",
            lambda: pa.RunEndEncodedArray.from_arrays([2, 3, 4], ["x", "a", None]).slice(2),
        ),
        parquet=False,
    ),
    Kind(
        "binary",
        '"AP8="',
        arrow=("binary, large_binary", _arrow(b"\0\xff", pa.binary())),
        polars=("Binary", _polars(b"\0\xff", pl.Binary)),
        duckdb=("BLOB", r"'\x00\xFF'::BLOB"),
        pandas=("object: bytes", _object(b"\0\xff")),
    ),
    Kind(
        "binary of one length, as a view",
        '"AP8="',
        arrow=("fixed_size_binary, binary_view", _arrow(b"\0\xff", pa.binary(2))),
    ),
    Kind("bits", '"10101"', duckdb=("BIT", "'10101'::BIT")),
    Kind(
        "UUID",
        f'"{UUID}"',
        arrow=("arrow.uuid", _extension(pa.uuid(), pa.array([UUID.bytes, None], pa.binary(16)))),
        duckdb=("UUID", f"'{UUID}'::UUID"),
        pandas=("object: UUID", _object(UUID)),
    ),
    Kind(
        "JSON",
        '{"a":[1.10,null]}',
        arrow=(
            "arrow.json",
            _extension(pa.json_(), pa.array(['{"a":[1.10,null]}', None], pa.string())),
        ),
        duckdb=("JSON", "'{\"a\":[1.10,null]}'::JSON"),
    ),
    Kind(
        "moment without a zone",
        '"2026-03-01T12:30:00.250000Z"',
        arrow=("timestamp", _arrow(MOMENT, pa.timestamp("us"))),
        polars=("Datetime", _polars(MOMENT, pl.Datetime("us"))),
        duckdb=("TIMESTAMP", "timestamp '2026-03-01 12:30:00.25'"),
        pandas=("datetime64, object: datetime", _pandas(MOMENT, "datetime64[us]")),
    ),
    Kind(
        "moment with a zone",
        '"2026-03-01T11:30:00.250000Z"',
        arrow=("timestamp with a zone", _arrow(BERLIN, pa.timestamp("us", "Europe/Berlin"))),
        polars=("Datetime with a zone", _polars(BERLIN, pl.Datetime("us", "Europe/Berlin"))),
        duckdb=("TIMESTAMP WITH TIME ZONE", "timestamptz '2026-03-01 12:30:00.25+01'"),
        pandas=("datetime64 with a zone", _pandas(BERLIN, "datetime64[us, Europe/Berlin]")),
    ),
    Kind(
        "moment to the nanosecond",
        '"2026-03-01T12:30:00.123456789Z"',
        arrow=("timestamp[ns]", _arrow(1772368200123456789, pa.timestamp("ns"))),
        polars=("Datetime(ns)", lambda: _polars(1772368200123456789)().cast(pl.Datetime("ns"))),
        duckdb=("TIMESTAMP_NS", "'2026-03-01 12:30:00.123456789'::TIMESTAMP_NS"),
        pandas=("datetime64[ns]", _pandas(1772368200123456789, "datetime64[ns]")),
    ),
    Kind(
        "moment of numpy",
        '"2026-03-01T12:30:00.250000Z"',
        pandas=("object: datetime64", _object(np.datetime64(MOMENT, "us"))),
    ),
    Kind(
        "the last moment",
        '"9999-12-31T23:59:59.999999Z"',
        arrow=("timestamp", _arrow(dt.datetime.max, pa.timestamp("us"))),
        polars=("Datetime", _polars(dt.datetime.max, pl.Datetime("us"))),
        duckdb=("TIMESTAMP", "timestamp '9999-12-31 23:59:59.999999'"),
        pandas=("object: datetime", _object(dt.datetime.max)),
    ),
    Kind(
        "moment outside of the years 1 to 9999",
        "null",
        arrow=("timestamp", _counts(2**63 - 1, pa.int64(), pa.timestamp("us"))),
        polars=("Datetime", lambda: _polars(2**62)().cast(pl.Datetime("us"))),
        duckdb=("TIMESTAMP", "timestamp 'infinity'"),
        pandas=("object: datetime64", _object(np.datetime64("10000-01-01T00:00", "s"))),
        lost=True,
    ),
    Kind(
        "day",
        '"2026-03-01"',
        arrow=("date32, date64", _arrow(MOMENT.date(), pa.date32())),
        polars=("Date", _polars(MOMENT.date())),
        duckdb=("DATE", "date '2026-03-01'"),
        pandas=("object: date", _object(MOMENT.date())),
    ),
    Kind(
        "day in milliseconds",
        '"2026-03-01"',
        arrow=("date64", _arrow(MOMENT.date(), pa.date64())),
        pandas=("object: datetime64[D]", _object(np.datetime64("2026-03-01"))),
    ),
    Kind(
        "day outside of the years 1 to 9999",
        "null",
        arrow=("date32", _counts(2**31 - 1, pa.int32(), pa.date32())),
        polars=("Date", lambda: _polars(2**31 - 1, pl.Int32)().cast(pl.Date)),
        duckdb=("DATE", "date '0044-03-15 (BC)'"),
        lost=True,
    ),
    Kind(
        "time",
        '"12:30:00.250000"',
        arrow=("time32, time64", _arrow(MOMENT.time(), pa.time64("us"))),
        duckdb=("TIME", "time '12:30:00.25'"),
        pandas=("object: time", _object(MOMENT.time())),
    ),
    Kind(
        "time to the nanosecond",
        '"12:30:00.250000000"',
        arrow=("time64[ns]", _arrow(MOMENT.time(), pa.time64("ns"))),
        polars=("Time", _polars(MOMENT.time())),
    ),
    Kind(
        "the end of a day",
        '"24:00:00"',
        arrow=("time64", _counts(86_400_000_000, pa.int64(), pa.time64("us"))),
        duckdb=("TIME", "time '24:00:00'"),
    ),
    Kind(
        "time with an offset",
        '"12:30:00+02"',
        duckdb=("TIME WITH TIME ZONE", "'12:30:00+02'::TIMETZ"),
    ),
    Kind(
        "duration",
        '"PT1.5S"',
        arrow=("duration", _arrow(dt.timedelta(seconds=1.5), pa.duration("ms"))),
        polars=("Duration", _polars(dt.timedelta(seconds=1.5), pl.Duration("us"))),
        pandas=("timedelta64", _pandas(dt.timedelta(seconds=1.5), "timedelta64[us]")),
    ),
    Kind(
        "duration of numpy",
        '"-PT1.5S"',
        pandas=("object: timedelta64", _object(np.timedelta64(-1500, "ms"))),
    ),
    Kind(
        "interval",
        '"P-1M2DT-3S"',
        arrow=(
            "month_day_nano_interval",
            _arrow(pa.MonthDayNano([-1, 2, -3_000_000_000]), pa.month_day_nano_interval()),
        ),
        duckdb=("INTERVAL", "interval '-1 month 2 days -3 seconds'"),
        parquet=False,
    ),
    Kind(
        "period",
        '"2026-03"',
        arrow=(
            "pandas.period",
            lambda: pa.array(pd.array([pd.Period("2026-03"), None], dtype="period[M]")),
        ),
        pandas=("period", _pandas(pd.Period("2026-03"), "period[M]")),
    ),
    Kind(
        "interval of numbers",
        '"(0.0, 5.0]"',
        arrow=("pandas.interval", lambda: pa.array(pd.array([pd.Interval(0.0, 5.0), None]))),
        pandas=("interval", _pandas(pd.Interval(0, 5), None)),
    ),
    Kind(
        "list",
        '["a",null]',
        arrow=("list, large_list", _arrow(["a", None], pa.list_(pa.string()))),
        polars=("List", _polars(["a", None])),
        duckdb=("LIST", "['a', NULL]"),
        pandas=("object: list, tuple, numpy array", _object(np.array(["a", None], dtype=object))),
    ),
    Kind(
        "list as a view",
        "[1,2]",
        arrow=("list_view, large_list_view", _arrow([1, 2], pa.list_view(pa.int64()))),
        parquet=False,
    ),
    Kind(
        "list of one length",
        "[1,2]",
        arrow=("fixed_size_list", _arrow([1, 2], pa.list_(pa.int64(), 2))),
        polars=("Array", _polars([1, 2], pl.Array(pl.Int64, 2))),
        duckdb=("ARRAY", "array_value(1, 2)"),
        pandas=("object: numpy array", _object(np.arange(1, 5)[:2])),
    ),
    Kind(
        "list of lists",
        "[[1,2],[3,4]]",
        arrow=("list of list", _arrow([[1, 2], [3, 4]], pa.list_(pa.list_(pa.int64())))),
        polars=("List of List", _polars([[1, 2], [3, 4]])),
        duckdb=("LIST of LIST", "[[1, 2], [3, 4]]"),
        pandas=("object: numpy array of two dimensions", _object(np.array([[1, 2], [3, 4]]))),
    ),
    Kind("tensor", "[[1,2],[3,4]]", arrow=("arrow.fixed_shape_tensor", _tensor)),
    Kind(
        "tensor whose axes are turned",
        "[[1,4],[2,5],[3,6]]",
        arrow=("arrow.fixed_shape_tensor", _turned_tensor),
    ),
    Kind(
        "list of floats, not a number among them",
        "[0.1,null]",
        arrow=("list of float32", _arrow([0.1, float("nan")], pa.list_(pa.float32()))),
        pandas=("object: numpy array", _object(np.array([0.1, np.nan], dtype="float32"))),
    ),
    Kind(
        "list of moments",
        '["2026-03-01T12:30:00.250000Z"]',
        arrow=("list of timestamp", _arrow([MOMENT], pa.list_(pa.timestamp("us")))),
        pandas=("object: numpy array", _object(np.array([MOMENT], dtype="M8[us]"))),
    ),
    Kind(
        "list of categories",
        '["pro","free"]',
        arrow=(
            "list of dictionary",
            lambda: pa.ListArray.from_arrays(
                pa.array([0, None, 2], pa.int32()), pa.array(["pro", "free"]).dictionary_encode()
            ),
        ),
        polars=("List of Categorical", _polars(["pro", "free"], pl.List(pl.Categorical))),
        duckdb=("LIST of ENUM", "['pro', 'free']::ENUM('free', 'pro')[]"),
        pandas=("object: Categorical", _object(pd.Categorical(["pro", "free"]))),
        parquet=False,
    ),
    Kind(
        "struct",
        '{"x":1,"y":null}',
        arrow=(
            "struct",
            _arrow({"x": 1, "y": None}, pa.struct([("x", pa.int64()), ("y", pa.string())])),
        ),
        polars=(
            "Struct",
            _polars({"x": 1, "y": None}, pl.Struct({"x": pl.Int64, "y": pl.String})),
        ),
        duckdb=("STRUCT", "{'x': 1, 'y': NULL::VARCHAR}"),
        pandas=("object: dict", _object({"x": 1, "y": None})),
    ),
    Kind(
        "map",
        '{"k":1,"l":null}',
        arrow=("map", _arrow([("k", 1), ("l", None)], pa.map_(pa.string(), pa.int64()))),
        duckdb=("MAP", "MAP {'k': 1, 'l': NULL}"),
    ),
    Kind(
        "map with keys that are no texts",
        '{"7":1}',
        arrow=("map", _arrow([(7, 1)], pa.map_(pa.int64(), pa.int64()))),
        duckdb=("MAP", "MAP {7: 1}"),
        pandas=("object: dict", _object({7: 1})),
    ),
    Kind(
        "map with keys of bytes",
        '{"/w==":1}',
        arrow=("map", _arrow([(b"\xff", 1)], pa.map_(pa.binary(), pa.int64()))),
        duckdb=("MAP", r"MAP {'\xFF'::BLOB: 1}"),
    ),
    Kind(
        "map with keys that are days",
        '{"2026-03-01":1}',
        arrow=("map", _arrow([(MOMENT.date(), 1)], pa.map_(pa.date32(), pa.int64()))),
        duckdb=("MAP", "MAP {date '2026-03-01': 1}"),
    ),
    Kind(
        "map with keys that are structs",
        told=True,
        arrow=("map", _arrow([({"a": 1}, 1)], pa.map_(pa.struct([("a", pa.int64())]), pa.int64()))),
        duckdb=("MAP", "MAP {{'a': 1}: 1}"),
    ),
    Kind(
        "union",
        told=True,
        arrow=(
            "sparse_union, dense_union",
            lambda: pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array([1, None])]),
        ),
        duckdb=("UNION", "union_value(a := 1)"),
    ),
    Kind(
        "opaque",
        told=True,
        arrow=(
            "arrow.opaque",
            _extension(pa.opaque(pa.binary(), "geo", "X"), pa.array([b"x"] * 2)),
        ),
    ),
    Kind(
        "bits, long whole numbers and times with an offset within others",
        told=True,
        duckdb=("LIST of BIT", "['1'::BIT]"),
    ),
    Kind(
        "complex number",
        told=True,
        pandas=("complex128", _pandas(1j, "complex128")),
    ),
    Kind(
        "any object",
        told=True,
        polars=("Object", lambda: pl.Series("v", [object(), None], dtype=pl.Object)),
    ),
]
