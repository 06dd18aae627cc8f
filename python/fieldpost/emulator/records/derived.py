"""Columns of a row that follow from others: its state, its full name, its amounts and currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..model import Table
from ..refusal import wrong_status
from .seed import CURRENCY

ONE = 10**10  # the exchange rate 1 at the ten places of its column


def fill_changed(
    table: Table, values: dict[str, Any], current: Mapping[str, Any], row_id: str
) -> None:
    """Complete what an update writes into the row as it is."""
    if table.states and ("statecode" in values or "statuscode" in values):
        fill_status(table, values, current["statecode"], current["statuscode"], row_id)
    fill_derived(table, values, {**current, **values})


def fill_status(
    table: Table, values: dict[str, Any], old_state: int, old_status: int | None, row_id: str
) -> None:
    """A state without a status reason gets its first one; a reason must belong to its state."""
    assert table.states
    given = values.get("statecode")
    state: int = old_state if given is None else given
    status = values.get("statuscode")
    if status is None:
        status = old_status if state == old_state and old_status else table.states.first(state)
    if table.states.statuses[status] != state:
        raise wrong_status(status, table.states.labels[state], table.name, row_id)
    values["statecode"], values["statuscode"] = state, status


def fill_derived(table: Table, values: dict[str, Any], whole: Mapping[str, Any]) -> None:
    """Full name, base amounts and currency: columns that follow from others."""
    if table.full_name and ("firstname" in values or "lastname" in values):
        parts = (whole.get("firstname"), whole.get("lastname"))
        values["fullname"] = " ".join(part for part in parts if part) or None
    for name in table.money.keys() & values.keys():
        values[table.money[name].base] = values[name]
        if values[name] is not None and whole.get("_transactioncurrencyid_value") is None:
            values |= {"_transactioncurrencyid_value": CURRENCY, "exchangerate": ONE}


def known_columns(table: Table) -> Iterable[str]:
    """What an update must know of the row as it is."""
    names = ("versionnumber", "statecode", "statuscode", "firstname", "lastname")
    wanted = (*names, "_transactioncurrencyid_value", table.primary_name, table.key)
    return dict.fromkeys(name for name in wanted if name and name in table.columns)
