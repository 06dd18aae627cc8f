"""Annotations on values: formatted values, and what a lookup points at.

Only those that the `Prefer: odata.include-annotations` of the request asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from ..model import Column, Lookup, Schema, Table
from ..model.column import Boolean, Choice, Float, Integer, Money, MultiChoice, Number
from ..model.moment import Day, Moment
from ..store import Rows

FORMATTED = "OData.Community.Display.V1.FormattedValue"
TARGET = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The annotations that a request asks for, as patterns."""

    patterns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def __contains__(self, name: str) -> bool:
        excluded = any(p.startswith("-") and fnmatchcase(name, p[1:]) for p in self.patterns)
        return not excluded and any(fnmatchcase(name, p) for p in self.patterns)


class Annotator:
    """Adds annotations to rows of one table. Call inside a transaction."""

    def __init__(self, rows: Rows, schema: Schema, wanted: Wanted) -> None:
        self._rows = rows
        self._schema = schema
        self._wanted = wanted

    def annotate(
        self, table: Table, columns: Iterable[Column], rows: Sequence[Row], shown: Sequence[Row]
    ) -> None:
        """`rows` hold what is kept, `shown` what is sent."""
        for column in columns:
            if isinstance(column, Lookup):
                self._annotate_lookup(table, column, rows, shown)
            elif FORMATTED in self._wanted:
                for row, target in zip(rows, shown, strict=True):
                    words = formatted(column, row[column.name])
                    if words is not None:
                        target[f"{column.name}@{FORMATTED}"] = words

    def _annotate_lookup(
        self, table: Table, lookup: Lookup, rows: Sequence[Row], shown: Sequence[Row]
    ) -> None:
        names = self._names(lookup, rows) if FORMATTED in self._wanted else {}
        singles = [s for s in table.singles.values() if s.lookup.name == lookup.name]
        for row, target in zip(rows, shown, strict=True):
            row_id = row[lookup.name]
            if row_id is None:
                continue
            kind = row[lookup.kind] if lookup.several else lookup.targets[0]
            if names.get(row_id) is not None:
                target[f"{lookup.name}@{FORMATTED}"] = names[row_id]
            if NAVIGATION in self._wanted:
                fitting = [s for s in singles if kind in self._schema.kinds(s.target)]
                if fitting:
                    target[f"{lookup.name}@{NAVIGATION}"] = fitting[0].name
            if TARGET in self._wanted:
                target[f"{lookup.name}@{TARGET}"] = kind

    def _names(self, lookup: Lookup, rows: Sequence[Row]) -> dict[str, str | None]:
        """The primary names of all rows that the lookup points at."""
        by_kind: dict[str, set[str]] = {}
        for row in rows:
            kind = row[lookup.kind] if lookup.several else lookup.targets[0]
            if row[lookup.name] is not None and kind:
                by_kind.setdefault(kind, set()).add(row[lookup.name])
        found: dict[str, str | None] = {}
        for kind, ids in by_kind.items():
            table = self._schema.tables[kind]
            if table.primary_name is None:
                continue
            sql = (
                f'SELECT "{table.key}", "{table.primary_name}" FROM "{table.name}" '
                f'WHERE "{table.key}" IN ({",".join("?" * len(ids))})'
            )
            found |= dict(self._rows.raw(sql, tuple(ids)))
        return found


def formatted(column: Column, kept: Any) -> str | None:
    """A kept value as the service words it for people of the United States; None: not worded."""
    if kept is None:
        return None
    if isinstance(column, Choice):
        return column.labels.get(kept, str(kept))
    if isinstance(column, MultiChoice):
        return "; ".join(column.labels.get(int(part), part) for part in kept.split(","))
    if isinstance(column, Boolean):
        return "Yes" if kept else "No"
    if isinstance(column, Money):
        return f"${Decimal(kept).scaleb(-column.places):,.{column.precision}f}"
    if isinstance(column, Number):
        return f"{Decimal(kept).scaleb(-column.places):,.{column.places}f}"
    if isinstance(column, Integer | Float):
        return f"{kept:,}"
    if isinstance(column, Day):
        return _day(kept)
    if isinstance(column, Moment):
        hour, minute = int(kept[11:13]), kept[14:16]
        return f"{_day(kept)} {hour % 12 or 12}:{minute} {'AM' if hour < 12 else 'PM'}"
    return f"{kept:,}" if column.edm == "Edm.Int64" else None


def _day(kept: str) -> str:
    return f"{int(kept[5:7])}/{int(kept[8:10])}/{int(kept[:4])}"
