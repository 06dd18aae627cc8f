"""Tables as Apache Arrow sees them: polars, DuckDB, pyarrow, Parquet, anything with a C stream.

A column is a field of its name; arrow_forms.py has the form of each type.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from .arrow_forms import Form, Forms, NoForm
from .doubts import Doubts
from .exported import Exported, exported
from .rows import RowWriter, unlike
from .stream import LineStream, NoEvent, Stream, chunks_of

if TYPE_CHECKING:
    from .._core import Chunk

_ROWS = 4096  # at once


class Table:
    """Anything with `__arrow_c_stream__` or `__arrow_c_array__`, or a DuckDB result."""

    def __init__(self, table: Any) -> None:
        _pyarrow()
        self._table = table
        self.name = type(table).__name__
        self.has_place = False
        self.doubts = Doubts()

    def chunks(self) -> Iterator[Chunk]:
        """The rows as lines."""
        self.doubts.clear()
        faults: list[SourceError] = []
        with closing(self._lines()) as lines:
            stream = LineStream(lines)
            yield from chunks_of(stream, self.name, self.has_place, faults.append)
        if faults:
            raise faults[0]

    def _lines(self) -> Generator[bytes | NoEvent]:
        try:
            table = exported(self._table)
            _refuse_formless(list(table.unread.items()), self.name)
            with closing(_reader(table.table)) as reader:
                columns = Columns(reader.schema, self.name, table)
                yield from columns.rows(reader)
                self.doubts.tell_lost(columns.lost, self.name)
        except SourceError:
            raise
        except Exception as error:
            told = f"the table cannot be read to its end ({type(error).__name__})"
            raise SourceError("E810", told, self.name) from error


class Columns:
    """The columns of one table, each with its form. lost: by column, moments that became null.

    Raises SourceError where one has no form, or two have one name.
    """

    def __init__(self, schema: Any, name: str, table: Exported | None = None) -> None:
        unlike(schema.names, name)
        known = table or Exported(None)
        forms = Forms(known.documents, known.digits)
        self.lost = forms.lost
        self._names: list[str] = schema.names
        self._forms = _forms_of(schema, forms, name)

    def rows(self, batches: Iterable[Any]) -> Iterator[bytes | NoEvent]:
        """The rows as lines."""
        writer = RowWriter()
        for batch in batches:
            for begin in range(0, batch.num_rows, _ROWS):
                part = batch.slice(begin, _ROWS)
                columns = [form(one) for form, one in zip(self._forms, part.columns, strict=True)]
                if not columns:
                    yield b"{}\n" * part.num_rows
                for cells in zip(*columns, strict=True):
                    yield writer.line(dict(zip(self._names, cells, strict=True)))


def _forms_of(schema: Any, forms: Forms, source: str) -> list[Form]:
    found: list[Form] = []
    formless: list[tuple[str, str]] = []
    for field in schema:
        try:
            found.append(forms.of(field))
        except NoForm as kind:
            formless.append((field.name, str(kind)))
    _refuse_formless(formless, source)
    return found


def _refuse_formless(columns: list[tuple[str, str]], source: str) -> None:
    """Raise SourceError with all columns that have no form, before the first row."""
    if columns:
        named = ", ".join(f'"{name}" of type {kind}' for name, kind in columns)
        told = f"JSON has no form for the column{'s' if len(columns) > 1 else ''} {named}"
        raise SourceError("E815", told, source, "cast it to text, or leave it out")


def is_table(source: Any) -> bool:
    """Whether Arrow can read it."""
    named = ("__arrow_c_stream__", "__arrow_c_array__", "to_arrow_reader", "fetch_record_batch")
    return any(hasattr(source, one) for one in named)


def parquet_lines(file: io.BufferedReader, name: str, doubts: Doubts) -> Stream:
    """The rows of a Parquet file as lines."""
    pa = _pyarrow()
    import pyarrow.parquet

    # INT96 holds any year, nanoseconds since 1970 do not. Extensions tell UUID and JSON.
    options: dict[str, Any] = {"pre_buffer": False, "coerce_int96_timestamp_unit": "us"}
    if "arrow_extensions_enabled" in inspect.signature(pyarrow.parquet.ParquetFile).parameters:
        options["arrow_extensions_enabled"] = True
    try:
        opened = pyarrow.parquet.ParquetFile(pa.PythonFile(file, mode="r"), **options)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name) from error
    return LineStream(_parquet_rows(opened, Columns(opened.schema_arrow, name), name, doubts))


def _parquet_rows(
    opened: Any, columns: Columns, name: str, doubts: Doubts
) -> Iterator[bytes | NoEvent]:
    pa = _pyarrow()
    try:
        yield from columns.rows(opened.iter_batches(batch_size=_ROWS, use_threads=False))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name) from error
    doubts.tell_lost(columns.lost, name)


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
