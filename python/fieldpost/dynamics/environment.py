"""A live environment as a schema: which documents are asked for, and for which tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Protocol

from ..errors import ConfigError, FieldpostError, Mistake
from . import csdl
from .definitions import described
from .schema import Schema, Table

_VERSION = "Microsoft.Dynamics.CRM.globalmetadataversion"


class NotThere(FieldpostError):
    """The environment has nothing at an address."""


class Asks(Protocol):
    """Makes one signed-in GET; gives the body, or raises NotThere or another FieldpostError."""

    def __call__(self, path: str, *, accept: str = ..., prefer: str = ...) -> bytes:
        """path: behind `/api/data/v9.2/`."""
        ...


class Environment:
    """One environment while its schema is read. `told` is called with each table's name."""

    def __init__(
        self, address: str, asks: Asks, told: Callable[[str], None] = lambda _name: None
    ) -> None:
        self.address = address.rstrip("/")
        self._asks, self._told = asks, told

    @cached_property
    def tables(self) -> dict[str, Table]:
        """All tables by what `$metadata` says: no lengths, no choices."""
        try:
            return csdl.read(self._asks("$metadata", accept="application/xml"))
        except csdl.NotCsdl as error:
            raise _unusable(f"$metadata cannot be understood ({error})") from None

    def version(self, entity_set: str, key: str) -> str:
        """The metadata's version, which changes with every published change."""
        path = f"{entity_set}?$select={key}&$top=1"
        prefer = f'odata.include-annotations="{_VERSION}"'
        return str(_document(self._asks(path, prefer=prefer)).get(f"@{_VERSION}") or "")

    def schema(self, names: Iterable[str]) -> Schema:
        """These tables in full, and those that they lead to in part."""
        tables = dict(self.tables)
        kept = [name for name in dict.fromkeys(names) if name in tables]
        for name in kept:
            if tables[name].entity_set:
                self._told(name)
                tables[name] = self._described(tables[name])
        asked = next((tables[name] for name in kept if tables[name].entity_set), None)
        version = self.version(asked.entity_set, asked.key) if asked else ""
        return Schema(tables, self.address, version).only(kept)

    def _described(self, table: Table) -> Table:
        """As its definition says; types that are no tables (principal) have none."""
        try:
            return described(table, lambda path: _document(self._asks(path)))
        except NotThere:
            return table


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _unusable("an answer is no JSON object")
    return document


def _unusable(told: str) -> ConfigError:
    hint = "look at the url: it is the environment's address"
    return ConfigError([Mistake("E261", told, "$.url", hint=hint)])
