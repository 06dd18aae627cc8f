"""A schema for tests: the standard tables as an environment of its own, with what it added."""

from __future__ import annotations

import dataclasses

from fieldpost.dynamics.schema import Column, Key, Navigation, Schema, Table


def own_schema() -> Schema:
    """The standard tables as an environment of its own, with a custom table and a custom key."""
    tables = dict(Schema.standard().tables)
    ticket = Table(
        "new_ticket",
        "new_tickets",
        "new_ticketid",
        columns={
            one.name: one
            for one in (
                Column("new_ticketid", "id"),
                Column("new_name", "text", max_length=5, required=True),
                Column("new_tier", "choice", choices={1: "Gold", 2: "Silver"}),
                Column("new_topics", "choices", choices={1: "Price", 3: "Quality"}),
                Column("new_day", "date"),
                Column("new_due", "moment"),
                Column("new_ratio", "decimal", low=0, high=10),
                Column("_new_accountid_value", "lookup", targets=("account",)),
                Column("_new_whoid_value", "lookup", targets=("account", "contact")),
            )
        },
        navigation={
            one.name: one
            for one in (
                Navigation("new_AccountId", "account", column="_new_accountid_value"),
                Navigation("new_Log", "new_log", column="_new_logid_value"),
                Navigation("new_who_account", "account", column="_new_whoid_value"),
                Navigation("new_who_contact", "contact", column="_new_whoid_value"),
            )
        },
        keys={
            "k": Key("k", ("new_name", "new_accountid")),
            "p": Key("p", ("new_tier",), "Pending"),
        },
    )
    account = tables["account"]
    tables["account"] = dataclasses.replace(
        account,
        navigation={
            **account.navigation,
            "new_Tickets": Navigation("new_Tickets", "new_ticket", True, "new_AccountId"),
        },
    )
    tables["new_ticket"] = ticket
    tables["new_log"] = Table("new_log", "new_logs", "new_logid", partial=True)
    return Schema(tables, "https://org.example", "7")
