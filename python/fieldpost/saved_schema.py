"""The schema file of a destination: pulled from the environment, compared with it.

`pull` and `diff` read the live environment with the destination's own sign-in, and write nothing
there.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import destination_schema
from .config import DestinationConfig
from .dynamics.body_findings import quoted
from .dynamics.environment import Environment
from .dynamics.schema import Schema
from .dynamics.schema_change import SchemaChange, changes
from .dynamics.web_api import WebApi
from .errors import Mistake
from .inquiry import Inquiry
from .nearest_name import meant


@dataclass(frozen=True)
class Pulled:
    """What a pull did. add: the line that makes the file required, "" where it stands there."""

    path: Path
    schema: Schema
    changed: bool
    add: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As `schema pull --output json` prints it."""
        return {
            "path": str(self.path),
            "environment": self.schema.environment,
            "version": self.schema.version,
            "tables": sorted(one.name for one in self.schema.full_tables),
            "changed": self.changed,
            "add": self.add,
        }


@dataclass(frozen=True)
class SchemaDiff:
    """What changed, and what it breaks: the mistakes of each subscription that were none before.

    Truthy where it breaks nothing.
    """

    changes: list[SchemaChange]
    broken: dict[str, list[Mistake]]

    def __bool__(self) -> bool:
        return not self.broken

    def to_dict(self) -> dict[str, Any]:
        """As `schema diff --output json` prints it."""
        shown = ("code", "message", "path", "line", "column", "hint")
        return {
            "changes": [{**dataclasses.asdict(one), "text": str(one)} for one in self.changes],
            "broken": {
                name: [{key: getattr(one, key) for key in shown} for one in some]
                for name, some in self.broken.items()
            },
        }


class SavedSchema:
    """The schema file of one destination."""

    def __init__(self, config: DestinationConfig) -> None:
        if config.type != "dynamics365":
            hint = "only a destination of type dynamics365 has a schema"
            raise config.error([Mistake("E115", "this type has no schema", "$.type", hint=hint)])
        self._config = config

    @property
    def path(self) -> Path:
        """Where the file is, or will be: as `schema:` says, else beside the destination."""
        return self._config.schema_path or self._config.reading.schema_beside

    def load(self) -> Schema:
        """What `check` uses: the file if it is there, else the standard tables."""
        return destination_schema.schema_of(self._config)

    def pull(
        self,
        tables: Iterable[str] = (),
        *,
        everything: bool = False,
        told: Callable[[str], None] = lambda _name: None,
    ) -> Pulled:
        """Read the environment and write the file; of one that is up to date only the version.

        tables: more than the bodies reach and the file has. told: called with each table's name.
        """
        self._config.require()
        saved, environment = self._saved(), self._environment(told)
        add = "" if self._config.schema_file else f"schema: {self.path.name}"
        more = list(tables)
        if saved is not None and not everything and self._is_up_to_date(saved, environment, more):
            return Pulled(self.path, saved, False, add)
        schema = environment.schema(
            environment.tables if everything else self._wanted(environment, saved, more)
        )
        changed = saved != schema
        if changed:
            schema.save(self.path)
        return Pulled(self.path, schema, changed, add)

    def diff(self, other: Schema | None = None) -> SchemaDiff:
        """What another schema, or the live environment, has otherwise than the saved file."""
        saved = self._saved()
        if saved is None:
            hint = f"`fieldpost schema pull {shlex.quote(self._config.file)}` writes one"
            raise self._config.error([Mistake("E260", "no schema was saved", "$", hint=hint)])
        if other is None:
            self._config.require()
            names = [one.name for one in saved.full_tables]
            environment = self._environment()
            other = environment.schema(name for name in names if name in environment.tables)
        return SchemaDiff(changes(saved, other), self._broken(saved, other))

    def _environment(self, told: Callable[[str], None] = lambda _name: None) -> Environment:
        inquiry = Inquiry(self._config)
        inquiry.sign_in()
        return Environment(WebApi(self._config.url or "", inquiry), told)

    def _saved(self) -> Schema | None:
        return Schema.load(self.path) if self.path.is_file() else None

    def _is_up_to_date(self, saved: Schema, environment: Environment, more: list[str]) -> bool:
        """Whether it is of this environment as it is now, and has all that is wanted."""
        full = {one.name: one for one in saved.full_tables}
        found = destination_schema.findings(self._config.reading, saved)
        wanted = {*self._subscribed(), *found.tables, *more}
        if saved.environment != environment.address or not saved.version or wanted - full.keys():
            return False
        one = next((t for t in full.values() if t.entity_set), None)
        return one is not None and environment.version(one.entity_set, one.key) == saved.version

    def _subscribed(self) -> list[str]:
        return [one.table for one in self._config.subscriptions if one.table]

    def _wanted(
        self, environment: Environment, saved: Schema | None, more: Sequence[str]
    ) -> list[str]:
        """The tables of the subscriptions, those that their bodies reach, and those asked for."""
        known = environment.tables
        named = {f"$.subscriptions[{i}].table": one.table for i, one in self._tables()}
        missing = [*named.items(), *(("--table", name) for name in more)]
        mistakes = [_unknown(path, name, known) for path, name in missing if name not in known]
        if mistakes:
            raise self._config.error(mistakes)
        names = Schema(known, environment.address)
        found = destination_schema.findings(self._config.reading, names)
        kept = [one.name for one in saved.full_tables] if saved is not None else []
        return sorted({*named.values(), *found.tables, *more, *(n for n in kept if n in known)})

    def _tables(self) -> list[tuple[int, Any]]:
        return [(i, one) for i, one in enumerate(self._config.subscriptions) if one.table]

    def _broken(self, old: Schema, new: Schema) -> dict[str, list[Mistake]]:
        reading = self._config.reading
        before = {_said(one) for one in destination_schema.findings(reading, old).mistakes}
        found = destination_schema.findings(reading, new).mistakes
        broken: dict[str, list[Mistake]] = {}
        for i, one in enumerate(self._config.subscriptions):
            path = f"$.subscriptions[{i}]"
            mine = [m for m in found if m.path.startswith(f"{path}.") and _said(m) not in before]
            if one.table and one.enabled and one.table not in new.tables:
                told = f"the table {quoted(one.table)} is gone"
                mine = self._config.placed([Mistake("E119", told, f"{path}.table")])
            if mine:
                broken[one.name] = mine
        return broken


def _said(mistake: Mistake) -> tuple[str, str, str]:
    """What makes a mistake the same; its hint may follow from what is around it."""
    return mistake.code, mistake.path, mistake.message


def _unknown(path: str, name: str, known: Iterable[str]) -> Mistake:
    told = f"the environment has no table {quoted(name)}"
    return Mistake("E119", told, path, hint=meant(name, known))
