"""The schema that a destination's bodies are for, and what is wrong with them against it.

Nothing is asked of anybody: the schema is the file that `schema:` names, else the one beside the
destination that a pull wrote, else the standard tables.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

from . import _core
from .action_rules import table_of
from .config import DestinationConfig, Subscription
from .config_values import Reading
from .dynamics.body_check import BodyCheck, Mode
from .dynamics.body_findings import BodyFindings, quoted
from .dynamics.conversions import Conversions
from .dynamics.schema import Schema, Table
from .dynamics.tables import TABLES
from .errors import ConfigError, Mistake
from .lookup_tables import filled_and_mistakes
from .nearest_name import meant
from .yaml_text import Path

_ROWS: dict[Any, Mode] = {
    None: "create",
    "create": "create",
    "update": "update",
    "upsert": "upsert",
}
# The state that a message leaves, and the columns of its table whose numbers others give.
_STATES = {"win_opportunity": 1, "lose_opportunity": 2, "qualify_lead": 1}
_CLOSES = ("win_opportunity", "lose_opportunity")
_CHOSEN = {"statecode": "statecode", "statuscode": "statuscode", "status": "statuscode"}


def schema_of(config: DestinationConfig) -> Schema:
    """The schema of a destination; raises ConfigError (E260)."""
    return _loaded(config.reading, config.schema_file)


def _loaded(reading: Reading, written: str | None) -> Schema:
    path = reading.schema_path(written)
    if path is None:
        return Schema.standard()
    try:
        return _read(path, path.stat().st_mtime_ns) if path.is_file() else Schema.load(path)
    except ConfigError as error:
        line, column = reading.places.locate("$.schema")
        placed = dataclasses.replace(
            error.mistakes[0], path="$.schema", line=line, column=column, file=""
        )
        raise ConfigError([placed], reading.name) from None


@lru_cache(maxsize=8)
def _read(path: pathlib.Path, _written_at: int) -> Schema:
    return Schema.load(path)


def findings(reading: Reading, schema: Schema | None = None) -> BodyFindings:
    """What is to be said of every body of a dynamics365 file; the file may have other mistakes.

    schema: another one than the file names.
    """
    data = reading.resolved
    found = BodyFindings(reading.places, is_sure=True)
    if not isinstance(data, dict) or data.get("type") != "dynamics365":
        return found
    written = data.get("schema")
    if schema is None:
        try:
            schema = _loaded(reading, written if isinstance(written, str) else None)
        except ConfigError as error:
            found.mistakes.extend(error.mistakes)
            return found
    found.is_sure = not schema.is_standard
    for place, one in _subscriptions(data):
        _Subscribed(reading, schema, one, place, found).check()
    return found


def unknown_tables(reading: Reading) -> list[Mistake]:
    """The tables that a dynamics365 file names, and that nothing describes."""
    data = reading.resolved
    if not isinstance(data, dict) or data.get("type") != "dynamics365":
        return []
    written = data.get("schema")
    try:
        schema = _loaded(reading, written if isinstance(written, str) else None)
    except ConfigError:
        return []  # told as a mistake of its own
    own = () if schema.is_standard else schema.tables.values()
    known = [*TABLES, *(one.name for one in own if one.entity_set and one.name not in TABLES)]
    pull = "; for others, `fieldpost schema pull` and write schema:" if schema.is_standard else ""
    return [
        reading.places.mistake("E119", f"an unknown table {quoted(name)}", path, hint + pull)
        for path, name in _named_tables(data)
        if name not in known
        for hint in [meant(name, known) or "known: " + ", ".join(known)]
    ]


def absent_tables(reading: Reading, schema: Schema) -> list[Mistake]:
    """The tables that a dynamics365 file names, and that an environment does not have."""
    data = reading.resolved
    told = "the environment has no table {}"
    return [
        reading.places.mistake("E119", told.format(quoted(name)), path, meant(name, TABLES))
        for path, name in (_named_tables(data) if isinstance(data, dict) else ())
        if name not in schema.tables
    ]


def _named_tables(data: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for place, one in _subscriptions(data):
        others = ((key, one.get(key)) for key in ("to", "owner"))
        for path, name in (
            ((*place, "table"), one.get("table")),
            *(((*place, k, "table"), o.get("table")) for k, o in others if isinstance(o, dict)),
        ):
            if isinstance(name, str) and name:
                yield path, name


def _subscriptions(data: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    listed = data.get("subscriptions")
    for index, one in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(one, dict) and one.get("enabled") is not False:
            yield ("subscriptions", index), one


def conversions_of(one: Subscription) -> Conversions:
    """What a subscription says of labels, dates and texts."""
    return Conversions(cast("Any", one.choices), one.date_zone or "", frozenset(one.truncate))


def _written_conversions(one: Mapping[str, Any]) -> Conversions:
    """The same from a file that may have mistakes."""
    choices, zone, truncate = one.get("choices"), one.get("date_zone"), one.get("truncate")
    names = truncate if isinstance(truncate, list) else [truncate]
    return Conversions(
        choices if isinstance(choices, dict) else {},
        zone if isinstance(zone, str) else "",
        frozenset(name for name in names if isinstance(name, str)),
    )


class _Subscribed:
    """One subscription's parts against the schema."""

    def __init__(
        self,
        reading: Reading,
        schema: Schema,
        one: Mapping[str, Any],
        place: Path,
        found: BodyFindings,
    ) -> None:
        self._reading, self._schema, self._one, self._place = reading, schema, one, place
        self._found = found
        self._conversions = _written_conversions(one)

    def check(self) -> None:
        """Tell what is wrong with its body, its key and its conversions."""
        name = table_of(self._one)
        table = self._schema.table(name) if isinstance(name, str) else None
        if table is None:
            return
        check = BodyCheck(self._schema, self._found, self._conversions)
        mode = _ROWS.get(self._one.get("action"))
        if mode is not None and "body" in self._one:
            creates = self._one.get("if_match") is None
            body, path = self._filled("body"), (*self._place, "body")
            check.check(table, mode, body, path, creates=creates)
        if mode == "upsert" and "on_create" in self._one:
            check.check_more(table, self._filled("on_create"), (*self._place, "on_create"))
        if mode is None:
            self._message(check, table)
        if mode != "create" and "key" in self._one:
            check.check_key(table, self._filled("key"), (*self._place, "key"))
        check.check_names(table, self._cleared())
        self._tied(check, table)
        self._order(table, mode)
        self._zone()
        self._converted()

    def _message(self, check: BodyCheck, table: Table) -> None:
        """Parts of an action that are no row of its table: states, the activity that closes."""
        action, place = str(self._one.get("action")), self._place
        closing = self._schema.table("opportunityclose")
        if action in _CLOSES and isinstance(self._one.get("body"), dict) and closing is not None:
            check.check(closing, "create", self._filled("body"), (*place, "body"))
        for key, column in _CHOSEN.items():
            if self._one.get(key) is not None:
                check.check_choice(table, column, self._filled(key), (*place, key))
        if action == "set_state":
            state = self._one.get("statecode")
            check.check_closing(table, state, (*place, "statecode"))
            check.check_reason(table, state, self._one.get("statuscode"), (*place, "statuscode"))
        elif action in _STATES:
            status = self._one.get("status")
            check.check_reason(table, _STATES[action], status, (*place, "status"))
        elif action == "assign":
            self._owned(check)

    def _owned(self, check: BodyCheck) -> None:
        owner, path = self._one.get("owner"), (*self._place, "owner")
        name = owner.get("table") if isinstance(owner, dict) else None
        other = self._schema.table(name) if isinstance(name, str) else None
        if other is None or not isinstance(owner, dict):
            return
        if not self._schema.fits(other.name, "principal"):
            told = f"a row of {other.name} cannot own"
            self._found.wrong("E265", told, (*path, "table"), "write systemuser or team")
        elif "key" in owner:
            check.check_key(other, owner["key"], (*path, "key"))

    def _cleared(self) -> Iterator[tuple[str, Path]]:
        nulls = self._one.get("nulls")
        names = nulls.get("clear") if isinstance(nulls, dict) else None
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if isinstance(name, str):
                yield name, (*self._place, "nulls", "clear", index)

    def _tied(self, check: BodyCheck, table: Table) -> None:
        """The other row of associate and disassociate."""
        to, relationship = self._one.get("to"), self._one.get("relationship")
        if not isinstance(to, dict) or not isinstance(to.get("table"), str):
            return
        other = self._schema.table(to["table"])
        if other is not None and "key" in to:
            check.check_key(other, to["key"], (*self._place, "to", "key"))
            if self._one.get("action") == "disassociate":
                check.check_untied(other, to["key"], (*self._place, "to", "key"))
        if isinstance(relationship, str):
            path = (*self._place, "relationship")
            check.check_relationship(table, relationship, to["table"], path)

    def _filled(self, key: str) -> Any:
        """With the tables of @lookup that lie in files; mistakes of those are told elsewhere."""
        return filled_and_mistakes(self._one[key], self._reading.directory)[0]

    def _order(self, table: Table, mode: Mode | None) -> None:
        """A row that is not there takes a second request, behind those of later events."""
        kept = self._one.get("order_by", self._reading.resolved.get("order_by"))
        has_more = self._one.get("on_create") is not None
        in_two_steps = has_more or (table.elastic and self._one.get("if_match") is None)
        if mode == "upsert" and in_two_steps and kept is None:
            told = "of two events for a new row, the values of the earlier may be the last written"
            hint = 'write order_by with what the key is made of, such as {"@path": "$.userId"}'
            self._found.doubtful(
                "E281", told, (*self._place, "on_create" if has_more else "action"), hint
            )

    def _zone(self) -> None:
        if not self._conversions.date_zone:
            return
        asked = {"@date": {"value": "", "to": "date", "zone": self._conversions.date_zone}}
        path = (*self._place, "date_zone")
        wrong, _surprising = _core.check_mapping(json.dumps({"zone": asked}), "$")
        for _code, message, _path, hint in wrong:
            self._found.wrong("E277", message, path, hint)

    def _converted(self) -> None:
        """Columns that are named for a conversion are there, and are such columns."""
        wanted = {"choices": ("choice", "choices"), "truncate": ("text", "memo")}
        for key, types in wanted.items():
            for name, path in self._named(key):
                columns = [
                    table.columns[name]
                    for table in self._schema.full_tables
                    if name in table.columns and table.name in self._found.tables
                ]
                if not columns:
                    told = f"no table of this subscription has a column {quoted(name)}"
                    self._found.in_schema("E277", told, path, meant(name, self._columns(types)))
                elif not any(column.type in types for column in columns):
                    told = f"{quoted(name)} is no {'choice' if key == 'choices' else 'text'}"
                    self._found.wrong("E277", told, path, "remove it")
                elif key == "choices":
                    self._otherwise(name, columns, path)

    def _columns(self, types: tuple[str, ...]) -> list[str]:
        """The columns of these types that the subscription's tables have."""
        return [
            column.name
            for table in self._schema.full_tables
            if table.name in self._found.tables
            for column in table.columns.values()
            if column.type in types
        ]

    def _named(self, key: str) -> Iterator[tuple[str, Path]]:
        written = self._one.get(key)
        path = (*self._place, key)
        if isinstance(written, dict):
            yield from ((str(name), (*path, name)) for name in written)
        elif isinstance(written, str):
            yield written, path
        elif isinstance(written, list):
            yield from ((n, (*path, i)) for i, n in enumerate(written) if isinstance(n, str))

    def _otherwise(self, name: str, columns: list[Any], path: Path) -> None:
        number = self._conversions.choices.get(name)
        if isinstance(number, int) and not any(number in one.choices for one in columns):
            told = f"{quoted(name)} has no choice of this number"
            self._found.in_schema("E270", told, path)


def mistakes(config: DestinationConfig) -> list[Mistake]:
    """What keeps a run from beginning: all that is wrong, where there is a schema of its own."""
    return findings(config.reading).mistakes if config.schema_path else []
