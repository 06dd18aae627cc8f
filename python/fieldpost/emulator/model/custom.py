"""Tables an administrator made: one with alternate keys and all kinds of columns, one elastic.

Navigation properties of custom lookups are named in mixed case, after the schema name: a client
that lower-cases them is found out here.
"""

from __future__ import annotations

from decimal import Decimal

from .column import MultiChoice
from .declaration import (
    alternate_key,
    base_columns,
    booleans,
    choices,
    days,
    floats,
    integers,
    lookup,
    many,
    moments,
    money,
    numbers,
    states,
    table,
    texts,
)
from .schema import Table

BILLION = 10**9
TRILLION = 10**12
TOPICS = {100000000: "Price", 100000001: "Quality", 100000002: "Delivery", 100000003: "Other"}
TIERS = range(100000000, 100000003)


def _ticket() -> Table:
    return table(
        "new_ticket",
        "new_tickets",
        "new_ticketid",
        [
            base_columns(),
            states("Active Inactive", {1: 0, 2: 1}),
            texts(100, "new_name new_key new_region"),
            texts(2000, "new_notes"),
            integers(-(2**31), 2**31 - 1, "new_n"),
            integers(0, BILLION, "new_code"),
            numbers(-BILLION, BILLION, 2, "new_ratio"),
            floats(0, BILLION, "new_level"),
            money(Decimal(0), Decimal(TRILLION), "new_amount"),
            booleans("new_urgent"),
            moments("new_due"),
            days("new_day"),
            [MultiChoice(name="new_topics", options=tuple(TOPICS), labels=TOPICS)],
            choices(TIERS, "new_tier"),
            lookup("new_accountid", new_AccountId=("account", "new_account_new_ticket")),
            lookup("new_contactid", new_ContactId=("contact", "new_contact_new_ticket")),
            lookup(
                "transactioncurrencyid",
                transactioncurrencyid=("transactioncurrency", "TransactionCurrency_new_ticket"),
            ),
            many("new_ticket_contact", "contact"),
            alternate_key("new_ticket_key", "new_key"),
            alternate_key("new_ticket_place", "new_region new_code"),
            alternate_key("new_ticket_account", "new_accountid new_n"),
        ],
        primary_name="new_name",
        type_code=10001,
        custom=True,
    )


def _reading() -> Table:
    return table(
        "new_reading",
        "new_readings",
        "new_readingid",
        [
            base_columns(),
            states("Active Inactive", {1: 0, 2: 1}),
            texts(100, "new_name partitionid"),
            floats(-BILLION, BILLION, "new_value"),
            integers(0, 2**31 - 1, "ttlinseconds"),
            lookup("new_accountid", new_AccountId=("account", "new_account_new_reading")),
            alternate_key("KeyForNoSqlEntityWithPKPartitionId", "new_readingid partitionid"),
        ],
        primary_name="new_name",
        type_code=10002,
        elastic=True,
        custom=True,
    )


def custom_tables() -> list[Table]:
    """The tables of publisher `new`."""
    return [_ticket(), _reading()]
