"""Changes of the schema while the environment runs, as an administrator makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from .model import AlternateKey, Column, Schema, Table
from .model.column import Boolean, Choice, Integer, Money, MultiChoice, Number, Text
from .model.moment import Day, Moment
from .store import Database

FAR = Decimal(10**11)


class DriftError(Exception):
    """A change that cannot be made."""


class Drift:
    """Makes changes, and remembers how it was."""

    def __init__(self, schema: Schema, database: Database) -> None:
        self._schema = schema
        self._database = database
        self._before: dict[str, dict[str, Any]] = {}
        self._kept = {
            (table.name, name) for table in schema.tables.values() for name in table.columns
        }

    def change(self, order: Any) -> None:
        """One change: `table`, and what is to be done with it or with its `column`."""
        if not isinstance(order, dict) or not isinstance(order.get("table"), str):
            raise DriftError("a change of the schema names its table")
        table = self._schema.tables.get(order["table"])
        if table is None:
            raise DriftError(f"there is no table {order['table']}")
        actions = {n: v for n, v in order.items() if n not in ("table", "column")}
        if len(actions) != 1 or next(iter(actions)) not in CHANGES:
            raise DriftError(f"a change is one of {sorted(CHANGES)}")
        self._remember(table)
        [(name, value)] = actions.items()
        CHANGES[name](self, table, str(order.get("column", "")), value)
        self._schema.changed()

    def _remember(self, table: Table) -> None:
        traits = ("columns", "keys", "bulk", "locks_optimistically")
        self._before.setdefault(table.name, {n: _copied(getattr(table, n)) for n in traits})

    def reset(self) -> None:
        """Undo every change of the model; columns that were added stay in the database, unseen."""
        for name, traits in self._before.items():
            for trait, value in traits.items():
                setattr(self._schema.tables[name], trait, value)
        if self._before:
            self._before.clear()
            self._schema.changed()

    def _column(self, table: Table, name: str) -> Column:
        column = table.columns.get(name)
        if column is None:
            raise DriftError(f"{table.name} has no column {name}")
        return column

    def add(self, table: Table, name: str, wish: Any) -> None:
        """A new column: `{"type": "text", "length": 50}` and the like."""
        if name in table.members or not isinstance(wish, dict):
            raise DriftError("a new column has a name that is free, and an object with its type")
        column = _made(name, wish)
        if (table.name, name) not in self._kept:
            self._database.add_column(table, column)
            self._kept.add((table.name, name))
        table.columns[name] = column

    def drop(self, table: Table, name: str, wish: Any) -> None:
        """A column that is gone."""
        self._column(table, name)
        if name == table.key:
            raise DriftError("the id cannot be dropped")
        del table.columns[name]

    def length(self, table: Table, name: str, wish: Any) -> None:
        """Another length of a text column."""
        column = self._column(table, name)
        if not isinstance(column, Text) or not isinstance(wish, int):
            raise DriftError("length is for text columns")
        table.columns[name] = replace(column, limit=wish)

    def drop_choice(self, table: Table, name: str, wish: Any) -> None:
        """An option that is gone."""
        column = self._column(table, name)
        if not isinstance(column, Choice | MultiChoice) or wish not in column.options:
            raise DriftError("drop_choice is for an option that a choice has")
        options = tuple(option for option in column.options if option != wish)
        table.columns[name] = replace(column, options=options)

    def add_choice(self, table: Table, name: str, wish: Any) -> None:
        """A new option: `{"value": 100000003, "label": "Platinum"}`."""
        column = self._column(table, name)
        if not isinstance(column, Choice | MultiChoice) or not isinstance(wish, dict):
            raise DriftError("add_choice is for choices: value and label")
        value, words = int(wish["value"]), str(wish.get("label", wish["value"]))
        table.columns[name] = replace(
            column, options=(*column.options, value), labels={**column.labels, value: words}
        )

    def key_status(self, table: Table, name: str, wish: Any) -> None:
        """The index status of an alternate key, named as `column`: Active, Pending, Failed."""
        key = table.keys.get(name)
        if key is None:
            raise DriftError(f"{table.name} has no key {name}")
        table.keys[name] = AlternateKey(key.name, key.columns, str(wish))

    def bulk(self, table: Table, name: str, wish: Any) -> None:
        """Whether the table takes bulk messages."""
        table.bulk = bool(wish)
        sql = (
            "DELETE FROM sdkmessagefilter WHERE primaryobjecttypecode = ? AND _sdkmessageid_value "
            "IN (SELECT sdkmessageid FROM sdkmessage WHERE name LIKE '%Multiple')"
        )
        if not table.bulk:
            with self._database.transaction():
                self._database.execute(sql, (table.name,))

    def optimistic(self, table: Table, name: str, wish: Any) -> None:
        """Whether the table takes If-Match with a version."""
        table.locks_optimistically = bool(wish)


CHANGES: dict[str, Callable[[Drift, Table, str, Any], None]] = {
    "add": Drift.add,
    "drop": Drift.drop,
    "length": Drift.length,
    "drop_choice": Drift.drop_choice,
    "add_choice": Drift.add_choice,
    "key_status": Drift.key_status,
    "bulk": Drift.bulk,
    "optimistic_concurrency": Drift.optimistic,
}


def _made(name: str, wish: dict[str, Any]) -> Column:
    kind = wish.get("type")
    if kind == "text":
        return Text(name=name, limit=int(wish.get("length", 100)))
    if kind == "integer":
        return Integer(name=name)
    if kind == "decimal":
        return Number(name=name, low=-FAR, high=FAR, places=int(wish.get("places", 2)))
    if kind == "money":
        return Money(name=name, low=-FAR, high=FAR)
    if kind == "boolean":
        return Boolean(name=name, default=0)
    if kind == "datetime":
        return Moment(name=name)
    if kind == "date":
        return Day(name=name)
    if kind == "choice":
        labels = {int(value): str(words) for value, words in dict(wish["options"]).items()}
        return Choice(name=name, options=tuple(labels), labels=labels)
    raise DriftError("the type is text, integer, decimal, money, boolean, datetime, date or choice")


def _copied(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value
