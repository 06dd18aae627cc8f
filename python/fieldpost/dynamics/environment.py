"""A live environment as a schema: which documents are asked for, and for which tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from ..errors import ConfigError, Mistake
from . import csdl
from .definitions import described
from .schema import Schema, Table
from .web_api import NotThere, WebApi

_VERSION = "Microsoft.Dynamics.CRM.globalmetadataversion"


class Environment:
    """One environment while its schema is read. `told` is called with each table's name."""

    def __init__(self, api: WebApi, told: Callable[[str], None] = lambda _name: None) -> None:
        self.address = api.url
        self._api, self._told = api, told

    @cached_property
    def tables(self) -> dict[str, Table]:
        """All tables by what `$metadata` says: no lengths, no choices."""
        try:
            return csdl.read(self._api.read("$metadata", accept="application/xml"))
        except csdl.NotCsdl as error:
            told = f"$metadata cannot be understood ({error})"
            hint = "look at the url: it is the environment's address"
            raise ConfigError([Mistake("E261", told, "$.url", hint=hint)]) from None

    def version(self, entity_set: str, key: str) -> str:
        """The metadata's version, which changes with every published change."""
        path = f"{entity_set}?$select={key}&$top=1"
        prefer = f'odata.include-annotations="{_VERSION}"'
        return str(self._api.document(path, prefer=prefer).get(f"@{_VERSION}") or "")

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
            return described(table, self._api.document)
        except NotThere:
            return table
