"""Options that are written for people: shares and lengths of time."""

from __future__ import annotations

import re
from typing import Any

import fieldpost as fp
from fieldpost import ConfigError, LedgerError, Mistake

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds(text: str | None, option: str) -> float | None:
    """90, 90s, 10m, 4h, 30d or 2w in seconds; raises ConfigError (E172)."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]?)", text.strip())
    if not found or found[2] not in _UNITS:
        told = f"{option} {text}: not a length of time"
        raise ConfigError([Mistake("E172", told, hint="write it as 90s, 10m, 4h or 30d")])
    return float(found[1]) * _UNITS[found[2]]


def share(text: str | None) -> float:
    """0.1% or 0.001 as a share from 0 to 1; 0 where nothing is given. Raises ConfigError (E170)."""
    try:
        return fp.share_of(text) if text is not None else 0.0
    except ValueError as error:
        mistake = Mistake("E170", f"--tolerate {text}: {error}", hint="write it as 0.1% or 0.001")
        raise ConfigError([mistake]) from None


def sources(named: list[str] | None, csv: list[str] | None) -> Any:
    """What is read, with the options of --csv beside it; None where nothing is told of either.

    Raises ConfigError (E820) for an option that is no KEY=VALUE.
    """
    if not csv:
        return named or None
    pairs = [one.partition("=") for one in csv]
    odd = [one for one, (_key, sign, _value) in zip(csv, pairs, strict=True) if not sign]
    if odd:
        told = f"--csv {odd[0]}: no key and value"
        raise ConfigError([Mistake("E820", told, hint='write it as --csv delimiter=";"')])
    options = {key: _csv_value(key, value) for key, _sign, value in pairs}
    return {"path": named, "csv": options} if named else {"csv": options}


def _csv_value(key: str, value: str) -> Any:
    if key != "header":
        return value
    return {"true": True, "false": False}.get(value, value.split(","))


def condition(where: str | None, everything: bool) -> str:
    """The condition of --where or --all; raises LedgerError (E703) where not one of them is given.

    A variable that a script left unset is an empty condition, and no wish for all.
    """
    if everything == (where is not None):
        told = "either --where or --all chooses events, and one of them has to"
        raise LedgerError("E703", told, "", "--where \"outcome = 'rejected'\", or --all")
    return "1=1" if where is None else stated(where)


def stated(where: str) -> str:
    """A condition that says something; raises LedgerError (E703) for an empty one."""
    if not where.strip():
        told = "the condition of --where is empty"
        raise LedgerError("E703", told, "", "write outcome = 'rejected', or 1=1 for all")
    return where
