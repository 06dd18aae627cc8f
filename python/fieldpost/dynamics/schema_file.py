"""A schema as a file: JSON with sorted keys and a column to a line, so that changes can be read.

What has its usual value is left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any, cast

from ..errors import ConfigError, Mistake
from ..own_file import replace
from .schema import EDM, Column, Key, Navigation, Schema, Table

FORMAT = 1
STANDARD = Path(__file__).with_name("standard.schema.json")
_PARTS: dict[str, type[Column] | type[Navigation] | type[Key]] = {
    "columns": Column,
    "navigation": Navigation,
    "keys": Key,
}


def load(path: str | os.PathLike[str]) -> Schema:
    """Read a saved file; raises ConfigError (E260)."""
    name = os.fspath(path)
    try:
        document = json.loads(Path(name).read_bytes())
    except OSError as error:
        raise _unreadable(name, error.strerror or "it cannot be opened") from None
    except (ValueError, RecursionError):
        raise _unreadable(name, "it is not JSON") from None
    found = document.get("format") if isinstance(document, dict) else None
    if found != FORMAT:
        raise _unreadable(name, f"it is not a schema of format {FORMAT}")
    try:
        return _schema(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _unreadable(name, "a part of it is missing or wrong") from None


@cache
def standard() -> Schema:
    """The standard tables, as this package knows them."""
    return load(STANDARD)


def save(schema: Schema, path: str | os.PathLike[str]) -> None:
    """Write a file that `load` reads; whole or not at all. Raises ConfigError (E260)."""
    try:
        replace(Path(os.path.realpath(path)), text(schema).encode(), mode=0o644)
    except OSError as error:
        told = f"the schema cannot be written: {error.strerror or error}"
        hint = "`schema:` in the destination's file says where it is kept"
        raise ConfigError([Mistake("E260", told, "$", hint=hint)], os.fspath(path)) from None


def text(schema: Schema) -> str:
    """The file's text."""
    tables = {name: _table_document(schema.tables[name]) for name in sorted(schema.tables)}
    document = {"environment": schema.environment, "format": FORMAT, "version": schema.version}
    return "".join(_written({**document, "tables": tables})) + "\n"


def _unreadable(name: str, why: str) -> ConfigError:
    hint = "delete it and write it anew: `fieldpost schema pull DESTINATION.yaml`"
    return ConfigError([Mistake("E260", f"the schema cannot be read: {why}", "$", hint=hint)], name)


# -- to JSON


def _table_document(table: Table) -> dict[str, Any]:
    plain = _fields(table, without=("name", *_PARTS))
    for part in _PARTS:
        members: Mapping[str, Any] = getattr(table, part)
        if members:
            plain[part] = {name: _fields(members[name], ("name",)) for name in sorted(members)}
    return plain


def _fields(item: Any, without: tuple[str, ...]) -> dict[str, Any]:
    kept = {}
    for one in fields(item):
        value = getattr(item, one.name)
        if one.name not in without and value != _default(one):
            kept[one.name] = _plain(value)
    return kept


def _default(one: Any) -> Any:
    if one.default_factory is not MISSING:
        return one.default_factory()
    return None if one.default is MISSING else one.default


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): value[key] for key in sorted(value)}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return list(value) if isinstance(value, tuple) else value


_COLUMN_DEPTH = 4  # the file, its tables, a table, its columns; from there on one line each


def _written(value: Any, depth: int = 0) -> Iterator[str]:
    if not isinstance(value, dict) or depth == _COLUMN_DEPTH:
        yield json.dumps(value, ensure_ascii=False)
        return
    indent = " " * (depth + 1)
    yield "{"
    for index, key in enumerate(value):
        yield ",\n" if index else "\n"
        yield f"{indent}{json.dumps(key, ensure_ascii=False)}: "
        yield from _written(value[key], depth + 1)
    yield "\n" + " " * depth + "}" if value else "}"


# -- from JSON


def _schema(document: dict[str, Any]) -> Schema:
    tables = {name: _table(name, one) for name, one in document["tables"].items()}
    return Schema(tables, str(document["environment"]), str(document["version"]))


def _table(name: str, document: dict[str, Any]) -> Table:
    parts = {
        part: {key: _member(kind, key, one) for key, one in document.get(part, {}).items()}
        for part, kind in _PARTS.items()
    }
    plain = {key: value for key, value in document.items() if key in _NAMES[Table]}
    return Table(name, **cast("dict[str, Any]", {**plain, **parts}))


def _member(kind: type[Column] | type[Navigation] | type[Key], name: str, given: Any) -> Any:
    known = {key: _read(key, value) for key, value in given.items() if key in _NAMES[kind]}
    if known.get("type", "text") not in EDM:
        known["type"] = "other"  # a later version's
    return kind(name=name, **known)


def _read(key: str, value: Any) -> Any:
    if key == "states":
        return {int(number): int(state) for number, state in value.items()}
    if key == "choices":
        return {int(number): str(label) for number, label in value.items()}
    return tuple(value) if isinstance(value, list) else value


_NAMES = {kind: {one.name for one in fields(kind)} for kind in (Table, *_PARTS.values())}
