"""The rows that a fresh environment has: its user, business unit, currency, role and messages."""

from __future__ import annotations

import uuid
from typing import Any

from ..model import Schema, Table
from ..store import Rows

USER = "5d1e0000-0000-4000-8000-000000000001"
BUSINESS_UNIT = "5d1e0000-0000-4000-8000-000000000002"
ORGANIZATION = "5d1e0000-0000-4000-8000-000000000003"
CURRENCY = "5d1e0000-0000-4000-8000-000000000004"
ROLE = "5d1e0000-0000-4000-8000-000000000005"
EPOCH = "2024-01-01T00:00:00Z"
MESSAGES = ("Create", "Update", "Delete", "CreateMultiple", "UpdateMultiple")
NAMES = uuid.UUID("5d1e0000-0000-4000-8000-00000000ffff")


def named_id(name: str) -> str:
    """The same id for the same name, in every environment."""
    return str(uuid.uuid5(NAMES, name))


class Seeder:
    """Puts the rows in; does nothing where they are."""

    def __init__(self, schema: Schema, rows: Rows) -> None:
        self._schema = schema
        self._rows = rows

    def seed(self, application_id: str) -> None:
        """Fill an empty environment."""
        if self._rows.exists(self._schema.tables["systemuser"], USER):
            return
        self._insert("organization", ORGANIZATION, name="emulator", languagecode=1033)
        self._insert("businessunit", BUSINESS_UNIT, name="emulator")
        self._insert(
            "transactioncurrency",
            CURRENCY,
            currencyname="US Dollar",
            isocurrencycode="USD",
            currencysymbol="$",
            currencyprecision=2,
            exchangerate=10**10,
        )
        self._insert("role", ROLE, name="System Administrator", _businessunitid_value=BUSINESS_UNIT)
        self.user(USER, "# fieldpost", application_id)
        self.messages()

    def user(self, row_id: str, name: str, application_id: str) -> None:
        """An application user, with the role."""
        self._insert(
            "systemuser",
            row_id,
            fullname=name,
            domainname=f"{application_id}@emulator.invalid",
            applicationid=application_id.lower(),
            azureactivedirectoryobjectid=named_id(f"object of {application_id}"),
            accessmode=4,
            ownerid=row_id,
            _businessunitid_value=BUSINESS_UNIT,
        )
        association = self._schema.tables["systemuser"].associations["systemuserroles_association"]
        self._rows.pair(association, row_id, ROLE)

    def messages(self) -> None:
        """Which table takes which message."""
        for message in MESSAGES:
            message_id = named_id(f"message {message}")
            self._insert("sdkmessage", message_id, name=message)
            for table in self._schema.tables.values():
                if "Multiple" not in message or table.bulk:
                    self._message_filter(message, message_id, table)

    def _message_filter(self, message: str, message_id: str, table: Table) -> None:
        self._insert(
            "sdkmessagefilter",
            named_id(f"message {message} of {table.name}"),
            primaryobjecttypecode=table.name,
            _sdkmessageid_value=message_id,
        )

    def _insert(self, table_name: str, row_id: str, /, **values: Any) -> None:
        table = self._schema.tables[table_name]
        standing = {"createdon": EPOCH, "modifiedon": EPOCH, "versionnumber": 0}
        kept = {n: v for n, v in standing.items() if n in table.columns}
        self._rows.insert(table, {table.key: row_id, **kept, **values})
