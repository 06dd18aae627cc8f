"""Tables as Apache Arrow sees them: polars, DuckDB, pyarrow, Parquet, anything with a C stream.

A column is a field of its name, a struct an object, a list a list. Moments are ISO 8601 in UTC (a
zoneless one is taken as UTC), decimals keep their digits, binary is base64; null, NaN and infinity
are null.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import orjson

from ..errors import SourceError
from .rows import duration_text, event_line, unlike
from .stream import LineStream, NoEvent, Stream, chunks_of

if TYPE_CHECKING:
    from .._core import Chunk

_ROWS = 4096  # at once
_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}


class Table:
    """Anything with `__arrow_c_stream__` or `__arrow_c_array__`, or a DuckDB result."""

    def __init__(self, table: Any) -> None:
        _pyarrow()
        self._table = table
        self.name = type(table).__name__
        self.has_place = False

    def chunks(self) -> Iterator[Chunk]:
        """The rows as lines."""
        faults: list[SourceError] = []
        stream = LineStream(self._lines())
        yield from chunks_of(stream, self.name, self.has_place, faults.append)
        if faults:
            raise faults[0]

    def _lines(self) -> Iterator[bytes | NoEvent]:
        try:
            reader = _reader(self._table)
            unlike(reader.schema.names, self.name)
            yield from _rows(reader, self.name)
        except SourceError:
            raise
        except Exception as error:
            told = f"the table cannot be read to its end ({type(error).__name__})"
            raise SourceError("E810", told, self.name) from error


def is_table(source: Any) -> bool:
    """Whether Arrow can read it."""
    named = ("__arrow_c_stream__", "__arrow_c_array__", "to_arrow_reader", "fetch_record_batch")
    return any(hasattr(source, one) for one in named)


def parquet_lines(file: io.BufferedReader, name: str) -> Stream:
    """The rows of a Parquet file as lines."""
    pa = _pyarrow()
    import pyarrow.parquet

    try:
        opened = pyarrow.parquet.ParquetFile(pa.PythonFile(file, mode="r"), pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name) from error
    unlike(opened.schema_arrow.names, name)
    return LineStream(_parquet_rows(opened, name))


def _parquet_rows(opened: Any, name: str) -> Iterator[bytes | NoEvent]:
    pa = _pyarrow()
    try:
        yield from _rows(opened.iter_batches(batch_size=_ROWS, use_threads=False), name)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name) from error


def _damaged(name: str) -> SourceError:
    return SourceError("E804", "the Parquet file is damaged", name, "copy it again")


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        hint = "pip install 'fieldpost[arrow]'"
        raise SourceError("E813", "tables are read with pyarrow", "", hint) from None
    return pyarrow


def _reader(table: Any) -> Any:
    """A RecordBatchReader; one that reads as it goes wherever there is one."""
    pa = _pyarrow()
    for name in ("to_arrow_reader", "fetch_record_batch"):  # DuckDB
        if hasattr(table, name):
            return getattr(table, name)(_ROWS)
    if hasattr(table, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(table)
    batch = pa.record_batch(table)
    return pa.RecordBatchReader.from_batches(batch.schema, [batch])


def _rows(batches: Iterable[Any], name: str) -> Iterator[bytes | NoEvent]:
    for batch in batches:
        names = batch.schema.names
        for begin in range(0, batch.num_rows, _ROWS):
            part = batch.slice(begin, _ROWS)
            columns = [_column(one, at, name) for at, one in zip(names, part.columns, strict=True)]
            if not columns:
                yield b"{}\n" * part.num_rows
            for cells in zip(*columns, strict=True):
                yield event_line(dict(zip(names, cells, strict=True)))


def _column(array: Any, column: str, source: str) -> list[Any]:
    try:
        return values(array)
    except NotImplementedError as unknown:
        told = f'JSON has no form for the column "{column}" of type {unknown}'
        raise SourceError("E815", told, source, "cast it to text, or leave it out") from None


def values(array: Any) -> list[Any]:
    """An Arrow array as what orjson writes. Raises NotImplementedError with the type."""
    types = _pyarrow().types
    for test, convert in _FORMS:
        if getattr(types, f"is_{test}")(array.type):
            return convert(array)
    if hasattr(array, "storage"):
        return values(array.storage)
    raise NotImplementedError(str(array.type))


def _as_it_is(array: Any) -> list[Any]:
    return array.to_pylist()  # type: ignore[no-any-return]


def _decoded(array: Any) -> list[Any]:
    return values(array.dictionary_decode())


def _run_ends(array: Any) -> list[Any]:
    import pyarrow.compute as pc

    return values(pc.run_end_decode(array))


def _decimal(array: Any) -> list[Any]:
    return _each(array, lambda one: orjson.Fragment(format(one, "f")))


def _text(array: Any) -> list[Any]:
    return array.cast("string").to_pylist()  # type: ignore[no-any-return]


def _day(array: Any) -> list[Any]:
    return _text(array.cast("date32"))


def _moment(array: Any) -> list[Any]:
    naive = array.cast(_pyarrow().timestamp(array.type.unit))  # from a zone: as in UTC
    return [one and one.replace(" ", "T", 1).rstrip("Z") + "Z" for one in _text(naive)]


def _duration(array: Any) -> list[Any]:
    size = _NANOSECONDS[array.type.unit]
    counts = array.cast("int64").to_pylist()
    return [None if one is None else duration_text(one * size) for one in counts]


def _interval(array: Any) -> list[Any]:
    return _each(array, lambda one: f"P{one[0]}M{one[1]}D{duration_text(one[2])[1:]}")


def _binary(array: Any) -> list[Any]:
    return _each(array, lambda one: base64.b64encode(one).decode("ascii"))


def _each(array: Any, convert: Callable[[Any], Any]) -> list[Any]:
    return [None if one is None else convert(one) for one in array.to_pylist()]


def _struct(array: Any) -> list[Any]:
    names = [array.type.field(index).name for index in range(array.type.num_fields)]
    parts = [values(array.field(index)) for index in range(len(names))]
    rows = zip(*parts, strict=True) if parts else ((),) * len(array)
    there = array.is_valid().to_pylist()
    return [
        dict(zip(names, row, strict=True)) if known else None
        for row, known in zip(rows, there, strict=True)
    ]


def _list(array: Any) -> list[Any]:
    if not len(array):
        return []
    ends = array.offsets.to_pylist()
    items = values(array.values.slice(ends[0], ends[-1] - ends[0]))
    there = array.is_valid().to_pylist()
    return [
        items[begin - ends[0] : end - ends[0]] if known else None
        for (begin, end), known in zip(pairwise(ends), there, strict=True)
    ]


def _other_list(array: Any) -> list[Any]:
    return _list(array.cast(_pyarrow().large_list(array.type.value_type)))


def _map(array: Any) -> list[Any]:
    if not len(array):
        return []
    ends = array.offsets.to_pylist()
    keys = array.keys.slice(ends[0], ends[-1] - ends[0])
    items = values(array.items.slice(ends[0], ends[-1] - ends[0]))
    pairs = list(zip(_text(keys), items, strict=True))
    there = array.is_valid().to_pylist()
    return [
        dict(pairs[begin - ends[0] : end - ends[0]]) if known else None
        for (begin, end), known in zip(pairwise(ends), there, strict=True)
    ]


# By the names of pyarrow.types.is_…; the first that holds.
_FORMS: list[tuple[str, Callable[[Any], list[Any]]]] = [
    ("null", _as_it_is),
    ("boolean", _as_it_is),
    ("integer", _as_it_is),
    ("floating", _as_it_is),
    ("string", _as_it_is),
    ("large_string", _as_it_is),
    ("string_view", _as_it_is),
    ("timestamp", _moment),
    ("date", _day),
    ("time", _text),
    ("decimal", _decimal),
    ("struct", _struct),
    ("list", _list),
    ("large_list", _list),
    ("fixed_size_list", _other_list),
    ("list_view", _other_list),
    ("large_list_view", _other_list),
    ("map", _map),
    ("dictionary", _decoded),
    ("binary", _binary),
    ("large_binary", _binary),
    ("binary_view", _binary),
    ("fixed_size_binary", _binary),
    ("duration", _duration),
    ("interval", _interval),
    ("run_end_encoded", _run_ends),
]
