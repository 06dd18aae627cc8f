"""What stands in the brackets of an address: an id, or the values of an alternate key.

Forms as in "Reference table rows by using an alternate key".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote

from ..model import Mismatch, Table
from ..model.column import Choice, Integer, Text, guid, whole
from ..refusal import Refusal, bad_query, missing_key, missing_row, wrong_key
from ..store import Rows


@dataclass(frozen=True, slots=True)
class RowKey:
    """A row of a table by id, or by an alternate key and its kept values.

    partition: of an elastic table; None stands for the row's own, which is named like its id.
    """

    table: Table
    row_id: str | None
    values: Mapping[str, Any] | None = None
    partition: str | None = None

    def find(self, rows: Rows) -> str | None:
        """The id of the row that there is; None where there is none."""
        if self.row_id is not None:
            kept = kept_id(self.table, self.row_id, self.partition)
            return kept if rows.exists(self.table, kept) else None
        where, values = [], []
        for name, value in (self.values or {}).items():
            text = isinstance(self.table.columns[name], Text)
            where.append(f'fold(t0."{name}") = ?' if text else f't0."{name}" = ?')
            values.append(value.casefold() if text else value)
        found = rows.ids(self.table, " AND ".join(where), values, 2)
        if len(found) > 1:
            raise Refusal(
                400, "0x8006089d", "More than one record exists for entity with the given key."
            )
        return found[0] if found else None

    def written(self) -> dict[str, Any]:
        """The values as columns of a new row; refused where a column does not take them."""
        return {
            name: column.stored(value, self.table.name)
            if isinstance(column := self.table.columns[name], Text | Integer | Choice)
            else value
            for name, value in (self.values or {}).items()
        }

    def need(self, rows: Rows) -> str:
        """The id of the row; refused where there is none."""
        found = self.find(rows)
        if found is None:
            raise self.missing()
        return found

    def missing(self) -> Refusal:
        """The refusal that says so."""
        if self.row_id is None:
            return missing_key(self.table.name)
        return missing_row(self.table.name, self.row_id)


PARTITION = "partitionid"


def kept_id(table: Table, row_id: str, partition: str | None) -> str:
    """What a row is kept under: its id, and its partition where that has another name."""
    if not table.elastic or partition in (None, "", row_id):
        return row_id
    return f"{row_id},{partition}"


def shown_id(kept: str) -> str:
    """The id of a row that is kept under this."""
    return kept.partition(",")[0]


def row_key(text: str, table: Table) -> RowKey:
    """The key that the text in the brackets means; raises `Refusal`."""
    if "#" in text:  # begins the fragment of an address, encoded or not
        raise bad_query("Bad Request - Error in query syntax.")
    pairs = dict(_pair(part) for part in _parts(text))
    if table.elastic and pairs.keys() == {table.key, PARTITION}:
        partition = _value(table, PARTITION, pairs[PARTITION])
        return RowKey(table, _id(pairs[table.key]), None, partition)
    if len(pairs) == 1 and "" in pairs:
        return RowKey(table, _id(pairs[""]))
    # Users and teams inherit `ownerid` as their key, so the service refuses the named form.
    if pairs.keys() == {table.key} and table.base != "principal":
        return RowKey(table, _id(pairs[table.key]))
    for key in table.keys.values():
        names = {_kept_name(table, column): column for column in key.columns}
        if pairs.keys() == names.keys() and key.status == "Active":
            values = {name: _value(table, name, pairs[name]) for name in names}
            return RowKey(table, None, values)
    raise wrong_key(table.name)


def _kept_name(table: Table, column: str) -> str:
    return column if column in table.columns else f"_{column}_value"


def _parts(text: str) -> list[str]:
    """The parts between commas outside of quotes."""
    parts, quoted = [""], False
    for character in text:
        quoted ^= character == "'"
        if character == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _pair(part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals or name.startswith("'"):
        return "", part.strip()
    return name.strip(), value.strip()


def _id(text: str) -> str:
    try:
        return guid(unquote(text))
    except Mismatch:
        raise bad_query("Bad Request - Error in query syntax.") from None


def _value(table: Table, name: str, text: str) -> Any:
    column = table.columns[name]
    try:
        if column.edm == "Edm.String":
            if len(text) < 2 or text[0] != "'" or text[-1] != "'":
                raise bad_query("Bad Request - Error in query syntax.")
            return text[1:-1].replace("''", "'")
        if column.edm == "Edm.Int32":
            return whole(text)
        if column.edm in ("Edm.Decimal", "Edm.Double"):
            number = Decimal(text)
            return column.stored(int(number) if number == int(number) else number, table.name)
        if column.edm == "Edm.Guid":
            return guid(text)
        return column.stored(text, table.name)
    except (Mismatch, InvalidOperation):
        raise bad_query("Bad Request - Error in query syntax.") from None
