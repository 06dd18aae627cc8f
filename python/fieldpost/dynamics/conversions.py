"""What a subscription has done to values on their way: labels, cut dates, shortened texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .schema import Column

Otherwise = Literal["reject", "omit"] | int


@dataclass(frozen=True)
class Conversions:
    """choices: by column, what becomes of a label that is not there. truncate: columns.

    date_zone: the zone in which a time is cut to a date; "" where the file names none (UTC).
    """

    choices: Mapping[str, Otherwise] = field(default_factory=dict)
    date_zone: str = ""
    truncate: frozenset[str] = frozenset()

    def truncates(self, column: str) -> bool:
        """Whether a text that is too long is cut."""
        return column in self.truncate

    def otherwise(self, column: Column) -> bool:
        """Whether a label that is not there is something else than a refusal."""
        return self.choices.get(column.name, "reject") != "reject"

    def document(self, column: Column) -> dict[str, Any] | None:
        """What the core is told of a column; None where it leaves its values alone."""
        if column.choices:
            otherwise = self.choices.get(column.name, "reject")
            return {"kind": column.type, "labels": dict(column.labels), "otherwise": otherwise}
        if column.type == "date":
            return {"kind": "date", "zone": self.date_zone or "UTC"}
        if column.max_length is not None and self.truncates(column.name):
            return {"kind": "text", "max_length": column.max_length, "truncate": True}
        return None
