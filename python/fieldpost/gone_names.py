"""Which names an environment has no more, for subscriptions that paused because of names."""

from __future__ import annotations

import logging
import shlex

from .config import DestinationConfig
from .dynamics.schema import Schema
from .environment_address import is_same
from .errors import FieldpostError
from .report import Counts, Report
from .saved_schema import SavedSchema

_log = logging.getLogger(__name__)
_NAMES_SHOWN = 8


def tell_gone_names(config: DestinationConfig, report: Report) -> None:
    """Add to `action_needed` which commands tell more, and what is gone.

    Asks the environment what is, and only where a subscription paused for its body and the schema
    was pulled from there.
    """
    of_names = [one for one in report.subscriptions.values() if _is_of_names(one)]
    if not of_names:
        return
    told = _told(shlex.quote(config.file), _gone(config) if _has_pulled(config) else None)
    for one in of_names:
        if one.paused is not None:
            one.paused = one.paused._replace(action_needed=one.paused.action_needed + told)


def _told(file: str, gone: list[str] | None) -> str:
    """gone: None where nothing was pulled that could tell."""
    look = f"`fieldpost schema pull {file}` and `fieldpost check {file}` show what to correct"
    if not gone:
        return f"; {look}" if gone is None else ""
    shown = ", ".join(gone[:_NAMES_SHOWN]) + (", …" if len(gone) > _NAMES_SHOWN else "")
    diff = f"`fieldpost schema diff {file}` lists what breaks"
    return f"; gone since the schema was pulled: {shown}; {diff}, {look}"


def _is_of_names(counts: Counts) -> bool:
    return counts.paused is not None and counts.paused.action_needed.startswith("mapping:")


def _has_pulled(config: DestinationConfig) -> bool:
    path = config.schema_path if config.type == "dynamics365" else None
    if path is None or not path.is_file():
        return False
    return is_same(config.url or "", Schema.load(path).environment)


def _gone(config: DestinationConfig) -> list[str]:
    try:
        changes = SavedSchema(config).diff().changes
    except FieldpostError as error:
        _log.warning("names that are gone could not be looked up: %s", error.code)
        return []
    removed = [one for one in changes if one.change == "removed"]
    return [one.table if one.kind == "table" else f"{one.table}.{one.name}" for one in removed]
