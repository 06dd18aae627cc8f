"""The JSON form of each Arrow type: a column's values as what orjson writes.

The form of a column is found before its first value is read. A moment that lies outside of the
years 1 to 9999 is null, and counted. docs/sources.md has the table; tests hold it.
"""

from __future__ import annotations

import base64
import itertools
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from .rows import Unwritable, duration_text, interval_text, json_value

Form = Callable[[Any], list[Any]]

_SECONDS = (-62_135_596_800, 253_402_300_799)  # 0001-01-01 to 9999-12-31
_DAYS = (-719_162, 2_932_896)
_DAY_S = 86_400
_PARTS = {"s": 1, "ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}  # of a second
_NOT_UTF8 = Unwritable("a text that is not UTF-8")


class NoForm(Exception):
    """A type that JSON has no form for."""


class Forms:
    """Finds the form of each column of one table. lost: by column, moments that became null.

    documents: paths of columns and fields whose text is JSON. digits: columns whose text is a whole
    number. An export to Arrow may have lost both.
    """

    def __init__(
        self,
        documents: frozenset[tuple[str, ...]] = frozenset(),
        digits: frozenset[str] = frozenset(),
    ) -> None:
        self.lost: Counter[str] = Counter()
        self._documents = documents
        self._digits = digits

    def of(self, column: Any) -> Form:
        """The form of a column by its pyarrow.Field. Raises NoForm with the type."""
        if column.name in self._digits:
            return _number_texts
        return self._of(column.type, (column.name,))

    def _of(self, kind: Any, path: tuple[str, ...]) -> Form:
        import pyarrow.types as types

        if path in self._documents:
            return _json_texts
        if hasattr(kind, "extension_name"):
            return self._extension(kind, path)
        for test, form in _PLAIN.items():
            if getattr(types, f"is_{test}", _never)(kind):
                return form
        for test, maker in _MADE.items():
            if getattr(types, f"is_{test}", _never)(kind):
                return maker(self, kind, path)
        raise NoForm(str(kind))

    def _extension(self, kind: Any, path: tuple[str, ...]) -> Form:
        name = kind.extension_name
        if name == "arrow.opaque":
            raise NoForm(f"{kind.vendor_name} {kind.type_name}")
        if name.startswith("pandas."):
            return _pandas_cells
        if name == "arrow.fixed_shape_tensor":
            return _tensors(kind, self._of(kind.storage_type, path))
        known = _EXTENSIONS.get(name)
        inner = known or self._of(kind.storage_type, path)
        return lambda array: inner(array.storage)

    def _moment(self, kind: Any, path: tuple[str, ...]) -> Form:
        import pyarrow as pa

        parts = _PARTS[kind.unit]
        bounds = (_SECONDS[0] * parts, _SECONDS[1] * parts + parts - 1)
        naive = pa.timestamp(kind.unit)  # from a zone: as in UTC

        def form(array: Any) -> list[Any]:
            within = self._within(array, bounds, path) if kind.unit != "ns" else array
            texts = within.cast(naive).cast("string").to_pylist()
            return [one and one.replace(" ", "T", 1) + "Z" for one in texts]

        return form

    def _day(self, kind: Any, path: tuple[str, ...]) -> Form:
        length = 1 if str(kind).startswith("date32") else _DAY_S * 1000
        bounds = (_DAYS[0] * length, _DAYS[1] * length + length - 1)

        def form(array: Any) -> list[Any]:
            within = self._within(array, bounds, path)
            return within.cast("date32").cast("string").to_pylist()  # type: ignore[no-any-return]

        return form

    def _time(self, kind: Any, path: tuple[str, ...]) -> Form:
        day = _DAY_S * _PARTS[kind.unit]

        def form(array: Any) -> list[Any]:
            ends = [one == day for one in _counts(array)]  # 24:00, the end of a day
            within = self._within(array, (0, day), path)
            if any(ends):
                within = _where(_not(ends), within)
            texts = within.cast("string").to_pylist()
            return ["24:00:00" if end else one for one, end in zip(texts, ends, strict=True)]

        return form

    def _within(self, array: Any, bounds: tuple[int, int], path: tuple[str, ...]) -> Any:
        """The array with null in place of what lies outside of the bounds."""
        import pyarrow.compute as pc

        counts = _as_counts(array)
        inside = pc.and_(pc.greater_equal(counts, bounds[0]), pc.less_equal(counts, bounds[1]))
        lost = pc.sum(pc.invert(inside)).as_py() or 0
        if not lost:
            return array
        self.lost[".".join(path)] += lost
        return _where(inside, array)

    def _struct(self, kind: Any, path: tuple[str, ...]) -> Form:
        names = [kind.field(index).name for index in range(kind.num_fields)]
        if len(set(names)) < len(names):
            raise NoForm(f"{kind}, with two fields of one name")
        forms = [
            self._of(kind.field(index).type, (*path, name)) for index, name in enumerate(names)
        ]

        def form(array: Any) -> list[Any]:
            parts = [one(array.field(index)) for index, one in enumerate(forms)]
            rows = zip(*parts, strict=True) if parts else ((),) * len(array)
            return [
                dict(zip(names, row, strict=True)) if known else None
                for row, known in zip(rows, _known(array), strict=True)
            ]

        return form

    def _list(self, kind: Any, path: tuple[str, ...]) -> Form:
        inner = self._of(kind.value_type, (*path, "[]"))
        return lambda array: _slices(
            array, lambda begin, end: inner(_part(array.values, begin, end))
        )

    def _view(self, kind: Any, path: tuple[str, ...]) -> Form:
        inner = self._of(kind.value_type, (*path, "[]"))

        def form(array: Any) -> list[Any]:
            begins, sizes = array.offsets.to_pylist(), array.sizes.to_pylist()
            items = inner(array.values)
            rows = zip(begins, sizes, _known(array), strict=True)
            return [items[at : at + size] if known else None for at, size, known in rows]

        return form

    def _other_list(self, kind: Any, path: tuple[str, ...]) -> Form:
        import pyarrow as pa

        plain = pa.large_list(kind.value_type)
        inner = self._list(plain, path)
        return lambda array: inner(array.cast(plain))

    def _map(self, kind: Any, path: tuple[str, ...]) -> Form:
        keys, items = self._key(kind.key_type, path), self._of(kind.item_type, (*path, "{}"))

        def pairs(array: Any, begin: int, end: int) -> list[tuple[str, Any]]:
            names = keys(_part(array.keys, begin, end))
            return list(zip(names, items(_part(array.items, begin, end)), strict=True))

        def form(array: Any) -> list[Any]:
            cells = _slices(array, lambda begin, end: pairs(array, begin, end))
            return [one if one is None else dict(one) for one in cells]

        return form

    def _key(self, kind: Any, path: tuple[str, ...]) -> Form:
        import pyarrow.types as types

        if types.is_nested(kind) and not types.is_dictionary(kind):
            raise NoForm(f"map with keys of {kind}")
        form = self._of(kind, (*path, "key"))
        return lambda array: [_key_text(one) for one in form(array)]

    def _dictionary(self, kind: Any, path: tuple[str, ...]) -> Form:
        inner = self._of(kind.value_type, path)

        def form(array: Any) -> list[Any]:
            meant = inner(array.dictionary)
            return [None if one is None else meant[one] for one in array.indices.to_pylist()]

        return form

    def _run_ends(self, kind: Any, path: tuple[str, ...]) -> Form:
        inner = self._of(kind.value_type, path)

        def form(array: Any) -> list[Any]:
            cells: list[Any] = []
            begin, end = array.offset, array.offset + len(array)
            for last, value in zip(array.run_ends.to_pylist(), inner(array.values), strict=True):
                length = min(last, end) - begin
                if length > 0:
                    cells += [value] * length
                    begin = min(last, end)
            return cells

        return form


def _never(_kind: Any) -> bool:
    return False


def _as_it_is(array: Any) -> list[Any]:
    return array.to_pylist()  # type: ignore[no-any-return]


def _texts(array: Any) -> list[Any]:
    try:
        return _as_it_is(array)
    except UnicodeDecodeError:
        return _each(array.cast("large_binary"), _text_or_not)


def _text_or_not(content: bytes) -> Any:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _NOT_UTF8


def _singles(array: Any) -> list[Any]:
    """Floats of 32 bits in as few digits as tell them apart."""
    return array.cast("string").cast("float64").to_pylist()  # type: ignore[no-any-return]


def _halves(array: Any) -> list[Any]:
    return _each(array, _half)


def _half(value: Any) -> float:
    wanted = struct.pack("e", value)
    shortest = (float(f"{float(value):.{digits}g}") for digits in range(1, 6))
    return next((one for one in shortest if _packs_as(one, wanted)), float(value))


def _packs_as(value: float, wanted: bytes) -> bool:
    try:
        return struct.pack("e", value) == wanted
    except OverflowError:
        return False


def _decimals(array: Any) -> list[Any]:
    return _each(array, lambda one: orjson.Fragment(format(one, "f")))


def _durations(array: Any) -> list[Any]:
    size = _PARTS["ns"] // _PARTS[array.type.unit]
    return [None if one is None else duration_text(one * size) for one in _counts(array)]


def _intervals(array: Any) -> list[Any]:
    return _each(array, lambda one: interval_text(*one))


def _binary(array: Any) -> list[Any]:
    return _each(array, lambda one: base64.b64encode(one).decode("ascii"))


def _uuids(array: Any) -> list[Any]:
    return _each(array, _uuid_text)


def _uuid_text(content: bytes) -> str:
    digits = content.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _bytes_as_booleans(array: Any) -> list[Any]:
    return _each(array, bool)


def _json_texts(array: Any) -> list[Any]:
    return [json_value(one) if isinstance(one, str) else one for one in _texts(array)]


def _number_texts(array: Any) -> list[Any]:
    return _each(array, orjson.Fragment)


def _pandas_cells(array: Any) -> list[Any]:
    cells = array.type.to_pandas_dtype().__from_arrow__(array)
    return [None if one != one else str(one) for one in cells]


def _tensors(kind: Any, inner: Form) -> Form:
    """Nested lists, in the order of the logical dimensions."""
    shape = list(kind.shape)
    order = list(kind.permutation or range(len(shape)))

    def form(array: Any) -> list[Any]:
        flat = inner(array.storage)
        return [one if one is None else _nested(one, shape, order) for one in flat]

    return form


def _nested(flat: list[Any], shape: list[int], order: list[int]) -> Any:
    """A list in row-major order of `shape` as nested lists, its axes taken in `order`."""
    steps = [1] * len(shape)
    for axis in reversed(range(len(shape) - 1)):
        steps[axis] = steps[axis + 1] * shape[axis + 1]

    def level(depth: int, at: int) -> Any:
        if depth == len(order):
            return flat[at]
        axis = order[depth]
        return [level(depth + 1, at + index * steps[axis]) for index in range(shape[axis])]

    return level(0, 0)


def _each(array: Any, convert: Callable[[Any], Any]) -> list[Any]:
    return [None if one is None else convert(one) for one in array.to_pylist()]


def _key_text(key: Any) -> str:
    if isinstance(key, str):
        return key
    return orjson.dumps(key).decode("utf-8")


def _known(array: Any) -> list[bool]:
    return array.is_valid().to_pylist()  # type: ignore[no-any-return]


def _as_counts(array: Any) -> Any:
    width = "int32" if array.type.bit_width == 32 else "int64"
    return array.view(width).cast("int64")


def _counts(array: Any) -> list[int | None]:
    return _as_counts(array).to_pylist()  # type: ignore[no-any-return]


def _where(mask: Any, array: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(mask, array, pa.scalar(None, array.type))


def _not(flags: Iterable[bool]) -> Any:
    import pyarrow as pa

    return pa.array([not one for one in flags], pa.bool_())


def _part(array: Any, begin: int, end: int) -> Any:
    return array.slice(begin, end - begin)


def _slices(array: Any, items_of: Callable[[int, int], list[Any]]) -> list[Any]:
    """The items of each list of an array with offsets; null where the list is."""
    if not len(array):
        return []
    ends = array.offsets.to_pylist()
    items = items_of(ends[0], ends[-1])
    return list(_cut(items, ends, _known(array)))


def _cut(items: list[Any], ends: list[int], known: list[bool]) -> Iterator[Any]:
    for (begin, end), is_known in zip(itertools.pairwise(ends), known, strict=True):
        yield items[begin - ends[0] : end - ends[0]] if is_known else None


# By the names of pyarrow.types.is_…; the first that holds.
_PLAIN: dict[str, Form] = {
    "null": _as_it_is,
    "boolean": _as_it_is,
    "integer": _as_it_is,
    "float16": _halves,
    "float32": _singles,
    "float64": _as_it_is,
    "string": _texts,
    "large_string": _texts,
    "string_view": _texts,
    "decimal": _decimals,
    "binary": _binary,
    "large_binary": _binary,
    "binary_view": _binary,
    "fixed_size_binary": _binary,
    "duration": _durations,
    "interval": _intervals,
}
_MADE: dict[str, Callable[[Forms, Any, tuple[str, ...]], Form]] = {
    "timestamp": Forms._moment,
    "date": Forms._day,
    "time": Forms._time,
    "struct": Forms._struct,
    "list": Forms._list,
    "large_list": Forms._list,
    "fixed_size_list": Forms._other_list,
    "list_view": Forms._view,
    "large_list_view": Forms._view,
    "map": Forms._map,
    "dictionary": Forms._dictionary,
    "run_end_encoded": Forms._run_ends,
}
_EXTENSIONS: dict[str, Form] = {
    "arrow.uuid": _uuids,
    "arrow.json": _json_texts,
    "arrow.bool8": _bytes_as_booleans,
}
