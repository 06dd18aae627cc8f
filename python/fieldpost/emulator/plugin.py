"""Plug-ins on demand: custom logic that refuses rows, or takes its time with each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .refusal import plug_in_refused, plug_in_too_slow

FIELDS = {"table", "messages", "refuse", "status", "code", "where", "delay_ms", "times"}
MESSAGES = ("Create", "Update", "Delete")
ABORTED = "0x80040265"


class PlugInError(Exception):
    """A plug-in that cannot be understood."""


@dataclass(slots=True)
class PlugIn:
    """Runs for every row of a table that a message touches. All of one operation have a limit.

    `where` limits it to rows with these values, `times` to so many of them. `delay_ms` is execution
    time of the service, counted and waited for like any other.
    """

    table: str | None
    messages: tuple[str, ...]
    refuse: str | None
    status: int
    code: str
    where: Mapping[str, Any]
    delay_ms: float
    times: int | None
    hits: int = 0

    def concerns(self, table: str, message: str, values: Mapping[str, Any]) -> bool:
        """Whether it runs for this row."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.table not in (None, table) or message not in self.messages:
            return False
        return all(values.get(name) == value for name, value in self.where.items())

    def described(self) -> dict[str, Any]:
        """As it was ordered, and how often it ran."""
        return {name: getattr(self, name) for name in (*sorted(FIELDS), "hits")}


def plug_in_of(order: Any) -> PlugIn:
    """A plug-in from its JSON form."""
    if not isinstance(order, dict) or order.keys() - FIELDS:
        raise PlugInError(f"a plug-in has {sorted(FIELDS)}")
    messages = order.get("messages", ["Create", "Update"])
    if not isinstance(messages, list) or not set(messages) <= set(MESSAGES):
        raise PlugInError(f"messages are of {MESSAGES}")
    where = order.get("where", {})
    if not isinstance(where, dict):
        raise PlugInError("where is an object of columns and values")
    return PlugIn(
        order.get("table"),
        tuple(messages),
        order.get("refuse"),
        int(order.get("status", 400)),
        str(order.get("code", ABORTED)),
        where,
        float(order.get("delay_ms", 0)),
        order.get("times"),
    )


class PlugIns:
    """All that are registered, and the execution time that they took since last asked."""

    def __init__(self) -> None:
        self._registered: list[PlugIn] = []
        self._spent_ms = 0.0
        self.limit_ms = 140_000.0

    def add(self, plug_ins: list[PlugIn]) -> None:
        """Register these behind the others."""
        self._registered += plug_ins

    def run(self, table: str, message: str, values: Mapping[str, Any]) -> None:
        """What runs when a row is written; raises `Refusal`."""
        for plug_in in self._registered:
            if plug_in.concerns(table, message, values):
                plug_in.hits += 1
                self._spent_ms += plug_in.delay_ms
                if self._spent_ms > self.limit_ms:
                    self._spent_ms = self.limit_ms
                    raise plug_in_too_slow()
                if plug_in.refuse is not None:
                    raise plug_in_refused(plug_in.status, plug_in.code, plug_in.refuse)

    def spent(self) -> float:
        """The milliseconds taken since the last call."""
        spent, self._spent_ms = self._spent_ms, 0.0
        return spent

    def described(self) -> list[dict[str, Any]]:
        """All of them."""
        return [plug_in.described() for plug_in in self._registered]

    def clear(self) -> None:
        """Remove all."""
        self._registered.clear()
        self._spent_ms = 0.0
