"""Whether rows are given states that the service lets them have: on creation, by an update.

Sources: "Create a table row using the Web API" (a new row is in its first state), "WinOpportunity"
and "LoseOpportunity" (no write of a column closes an opportunity).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..yaml_text import Path
from .body_findings import BodyFindings, quoted
from .body_part import parts
from .schema import Column, Table

_FIRST = 0
_CLOSING = {1: "win_opportunity", 2: "lose_opportunity"}
_UNKNOWN = object()  # an event decides it


class StateCheck:
    """Checks statecode and statuscode; what it finds goes to `findings`."""

    def __init__(self, findings: BodyFindings) -> None:
        self._found = findings

    def created(
        self, table: Table, column: Column, document: Any, path: Path, surely: bool
    ) -> None:
        """A state or a reason in a row that is new, or may be. surely: every time."""
        for state, place in self._states(table, column, document, path):
            if state == _FIRST or (table.name == "opportunity" and state in _CLOSING):
                continue
            told = f"{quoted(column.name)}: the service makes a row of {table.name} in its first "
            told += "state alone" if surely else "state alone, and this row may be new"
            hint = "change the state afterwards: action: set_state, in a subscription of its own"
            tell = self._found.wrong if surely and state is not _UNKNOWN else self._found.doubtful
            tell("E282", told, place, hint if surely else f'{hint}; or if_match: "*"')

    def closed(self, table: Table, column: Column, document: Any, path: Path) -> None:
        """A state that only a message gives."""
        if table.name != "opportunity":
            return
        for state, place in self._states(table, column, document, path):
            action = _CLOSING.get(state) if isinstance(state, int) else None
            told = "an opportunity is won and lost by messages of the service, not by a column"
            if action:
                self._found.wrong("E283", told, place, f"write action: {action}")
            elif state is _UNKNOWN:
                hint = "write action: win_opportunity or lose_opportunity for those that close"
                self._found.doubtful("E283", told, place, hint)

    def reason(self, table: Table, state: Any, status: Any, path: Path) -> None:
        """A status reason that belongs to another state than the one that stands beside it."""
        wanted = _number(table.columns.get("statecode"), state)
        column = table.columns.get("statuscode")
        if wanted is None or column is None:
            return
        for found, place in self._states(table, column, status, path):
            if isinstance(found, int) and found != wanted:
                told = f"{quoted('statuscode')}: this reason belongs to state {found}, not {wanted}"
                fitting = [str(one) for one, of in column.states.items() if of == wanted]
                self._found.in_schema("E284", told, place, f"there are {', '.join(fitting)}")

    def _states(
        self, table: Table, column: Column, document: Any, path: Path
    ) -> Iterator[tuple[Any, Path]]:
        """The states that a value means, each with its place; none where that is not known."""
        for part in parts(document, path):
            if part.is_null:
                continue
            number = _number(column, part.value) if part.kind == "literal" else None
            if part.kind != "literal" and column.name == "statecode":
                yield _UNKNOWN, part.path
            elif number is not None and column.name == "statecode":
                yield number, part.path
            elif number is not None and number in column.states:
                yield column.states[number], part.path


def _number(column: Column | None, value: Any) -> int | None:
    """The number of a choice that is written out, as it is or by its label."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if column is None or not isinstance(value, str):
        return None
    folded = {label.strip().lower(): number for label, number in column.labels.items()}
    found = folded.get(value.strip().lower())
    return int(value) if found is None and value.strip().isdigit() else found
