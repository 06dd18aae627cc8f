"""Which value of a row the service would refuse: as `preview --diff` foretells it, without asking.

Only what is certain: what a column's type takes, and, where the schema is the environment's own,
lengths, ranges and choices. Codes are the service's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .body_findings import quoted
from .operation import Operation
from .schema import Column, Schema, text_length

_DIGITS = re.compile(r"-?[0-9]{1,10}")
_TYPE, _LENGTH, _WHOLE_RANGE = "0x80048d19", "0x80044331", "0x8004432f"
_RANGE, _CHOICE = "0x80044330", "0x8004431a"


class RefusedValue(NamedTuple):
    """The service's code, and what is wrong; never the value."""

    code: str
    message: str


Refusing = Callable[[Operation], RefusedValue | None]


def refused_values(schema: Schema) -> Refusing:
    """What tells the first value of an operation that its column does not take."""

    def told(one: Operation) -> RefusedValue | None:
        table = schema.tables.get(one.table)
        if table is None:
            return None
        for name, value in one.values.items():
            column = table.columns.get(name)
            if value is None or column is None or not (column.creatable or column.updatable):
                continue
            refused = _of_type(column, value) or (
                None if schema.is_standard else _of_schema(column, value)
            )
            if refused is not None:
                return refused
        return None

    return told


def _of_type(column: Column, value: Any) -> RefusedValue | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_whole = isinstance(value, int) and is_number
    if column.type in ("text", "memo"):
        fits, expected = isinstance(value, str), "a text"
    elif column.type in ("whole", "choice"):
        is_text = isinstance(value, str) and _DIGITS.fullmatch(value) is not None
        fits, expected = is_whole or is_text, "a whole number"
    elif column.type in ("decimal", "float", "money"):
        fits, expected = is_number, "a number"
    elif column.type == "boolean":
        fits, expected = isinstance(value, bool), "true or false"
    else:
        return None
    return None if fits else RefusedValue(_TYPE, f"{quoted(column.name)} takes {expected}")


def _of_schema(column: Column, value: Any) -> RefusedValue | None:
    name = quoted(column.name)
    if column.type in ("text", "memo"):
        length, limit = text_length(value), column.max_length
        if limit is not None and length > limit:
            told = f"a text of {length} characters where {name} takes {limit}"
            return RefusedValue(_LENGTH, told)
    elif column.type == "choice":
        if column.choices and int(value) not in column.choices:
            return RefusedValue(_CHOICE, f"{name} has no such choice")
    elif column.type in ("whole", "decimal", "float", "money") and not column.holds(float(value)):
        code = _WHOLE_RANGE if column.type == "whole" else _RANGE
        return RefusedValue(code, f"{name} takes {column.low:,.15g} to {column.high:,.15g}")
    return None
