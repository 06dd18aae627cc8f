"""Tables whose export to Arrow loses what a type means, of DuckDB and polars, read so it stays.

DuckDB gives bits, times with an offset and long whole numbers in forms of its own, JSON as text;
polars gives whole numbers of 128 bits, and addresses of Python objects in place of the objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Path = tuple[str, ...]


class Exported(NamedTuple):
    """A table to read. documents, digits: as for Forms. unread: columns without a form, by type."""

    table: Any
    documents: frozenset[Path] = frozenset()
    digits: frozenset[str] = frozenset()
    unread: dict[str, str] = {}  # noqa: RUF012  (never changed)


def exported(table: Any) -> Exported:
    """What is read in place of a table."""
    package = type(table).__module__.partition(".")[0]
    if package in ("duckdb", "_duckdb"):
        return _of_relation(table) if hasattr(table, "project") else _of_result(table)
    if package == "polars" and hasattr(table, "schema") and hasattr(table, "with_columns"):
        return _of_polars(table)
    return Exported(table)


_TEXTS = ("BIT", "TIME WITH TIME ZONE")
_DIGITS = ("UHUGEINT", "BIGNUM", "VARINT")


def _of_relation(relation: Any) -> Exported:
    kinds = dict(zip(relation.columns, relation.types, strict=True))
    as_text = [name for name, kind in kinds.items() if str(kind) in (*_TEXTS, *_DIGITS)]
    nested = {
        name: str(kind)
        for name, kind in kinds.items()
        if name not in as_text and any(str(one) in (*_TEXTS, *_DIGITS) for _, one in _leaves(kind))
    }
    documents = {
        (name, *path)
        for name, kind in kinds.items()
        for path, one in _leaves(kind)
        if str(one) == "JSON"
    }
    digits = frozenset(name for name in as_text if str(kinds[name]) in _DIGITS)
    if as_text and len(kinds) == len(relation.columns):
        quoted = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in relation.columns]
        cells = [
            f"CAST({one} AS VARCHAR) AS {one}" if name in as_text else one
            for one, name in zip(quoted, relation.columns, strict=True)
        ]
        relation = relation.project(", ".join(cells))
    return Exported(relation, frozenset(documents), digits, nested)


def _leaves(kind: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The types within a type of DuckDB, with their paths as Forms names them."""
    if kind.id in ("list", "array"):
        yield from _leaves(kind.children[0][1], (*path, "[]"))
    elif kind.id == "struct":
        for name, one in kind.children:
            yield from _leaves(one, (*path, name))
    elif kind.id == "map":
        yield from _leaves(kind.children[1][1], (*path, "{}"))
    else:
        yield path, kind


def _of_result(connection: Any) -> Exported:
    """A connection that has executed a query: its columns cannot be cast any more."""
    kinds = {one[0]: str(one[1]) for one in connection.description or ()}
    documents = frozenset((name,) for name, kind in kinds.items() if kind == "JSON")
    unread = {name: kind for name, kind in kinds.items() if kind in (*_TEXTS, *_DIGITS)}
    return Exported(connection, documents, unread=unread)


def _of_polars(frame: Any) -> Exported:
    import polars

    long = [name for name, kind in frame.schema.items() if str(kind) in ("Int128", "UInt128")]
    nested = {
        name: str(kind)
        for name, kind in frame.schema.items()
        if name not in long and ("Int128" in str(kind) or "Object" in str(kind))
    }
    if long:
        frame = frame.with_columns(polars.col(long).cast(polars.String))
    return Exported(frame, digits=frozenset(long), unread=nested)
