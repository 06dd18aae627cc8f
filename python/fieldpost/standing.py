"""A destination and its newest run, as `status` tells them beside the counts."""

from __future__ import annotations

import json
from typing import Any

from . import documents
from .config import DestinationConfig
from .ledger import Ledger
from .report import OUTCOMES, DestinationStanding, LastRun, Stopped


def standing_of(config: DestinationConfig, ledger: Ledger) -> DestinationStanding:
    """A destination as its file and its ledger have it."""
    active = documents.active(config)
    addresses = dict.fromkeys(documents.shown_address(config, one) for one in active)
    exists = ledger.exists()
    found = ledger.last_run(config.id) if exists else None
    return DestinationStanding(
        config.type,
        list(addresses),
        config.enabled,
        [one.name for one in config.subscriptions if not one.enabled],
        ledger.name,
        exists,
        None if found is None else _last_run(found),
    )


def _last_run(found: dict[str, Any]) -> LastRun:
    told = json.loads(found.pop("counts") or "{}")
    counts = {name: told[name] for name in ("received", *OUTCOMES) if name in told}
    stopped = told.get("stopped")
    return LastRun(**found, counts=counts, stopped=Stopped(**stopped) if stopped else None)
