"""Which bulk messages the tables of an environment take: asked once, remembered in the ledger.

Source: "Use bulk operation messages": an entity that supports a message is listed in
sdkmessagefilters; UpsertMultiple never is, and is there where both others are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import quote

from . import destination_schema, documents
from .config import DestinationConfig, Subscription
from .dynamics.schema import Table
from .dynamics.web_api import WebApi
from .errors import FieldpostError
from .inquiry import Inquiry
from .ledger import Ledger

_log = logging.getLogger(__name__)
_CREATE, _UPDATE, _UPSERT = "CreateMultiple", "UpdateMultiple", "UpsertMultiple"
# What has to be known before rows of an action may go together.
_FOR = {
    "create": (_CREATE,),
    "update": (_UPDATE,),
    "upsert": (_CREATE, _UPDATE),
    "assign": (_UPDATE,),
    "set_state": (_UPDATE,),
}


class BulkMessages:
    """Of one destination, for one run.

    asked: requests that were made. hold_s: how long the service wants nothing to be sent.
    """

    def __init__(self, config: DestinationConfig, ledger: Ledger) -> None:
        self._config, self._ledger = config, ledger
        self._environment = documents.shared_address(config)
        self.asked = 0
        self.hold_s = 0.0

    def taken(self) -> dict[str, list[str]]:
        """The messages that each table takes; tables of which that cannot be told stay out."""
        wanted = dict.fromkeys(self._wanted())
        if not wanted:
            return {}
        known = self._ledger.bulk_messages(self._environment)
        asked = self._ask([one for one in wanted if one not in known])
        if asked:
            self._ledger.note_bulk_messages(self._environment, asked)
        known |= asked
        told = {table for table, _ in wanted} - {one[0] for one in wanted if one not in known}
        return {table: _with_upsert(known, table) for table in sorted(told)}

    def note(self, lacks: list[tuple[str, str]]) -> None:
        """Remember what the service refused."""
        if lacks:
            self._ledger.note_bulk_messages(self._environment, dict.fromkeys(lacks, False))

    def _wanted(self) -> Iterator[tuple[str, str]]:
        if self._config.type != "dynamics365":
            return
        if self._config.delivery.batching not in ("bulk", "auto"):
            return
        schema = destination_schema.schema_of(self._config)
        for one in documents.active(self._config):
            if one.table and _may_be_flat(one, schema.table(one.table)):
                yield from ((one.table, message) for message in _FOR.get(one.action, ()))

    def _ask(self, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], bool]:
        """What the environment says; where it says no, the run finds out by itself."""
        found: dict[tuple[str, str], bool] = {}
        if not wanted:
            return found
        try:
            inquiry = Inquiry(self._config, tries=1)
            inquiry.sign_in()
            for table, message in wanted:
                answer = WebApi(self._environment, inquiry).get(_question(table, message))
                self.asked = inquiry.requests
                rows = (answer.json() or {}).get("value") if answer.status == 200 else None
                if not isinstance(rows, list):
                    self.hold_s = answer.wait_s if answer.status == 429 else 0.0
                    _log.info("bulk messages of %s are not told: %s", table, answer)
                    break
                found[table, message] = bool(rows)
        except FieldpostError as error:  # the run meets it too, and tells it
            _log.info("bulk messages are not told: %s", error.code)
        return found


def _question(table: str, message: str) -> str:
    condition = quote("sdkmessageid/name eq @m and primaryobjecttypecode eq @t")
    select = "$select=sdkmessagefilterid"
    return f"sdkmessagefilters?{select}&$filter={condition}&@m='{message}'&@t='{table}'"


def _with_upsert(known: dict[tuple[str, str], bool], table: str) -> list[str]:
    both = [one for one in (_CREATE, _UPDATE) if known.get((table, one))]
    upserts = len(both) == 2 and known.get((table, _UPSERT), True)
    return [*both, _UPSERT] if upserts else both


def _may_be_flat(one: Subscription, table: Table | None) -> bool:
    """Rows that others hang on never go together so."""
    if one.on_create is not None:
        return False
    if table is None or not isinstance(one.body, dict):
        return True
    nested = (name for name, value in one.body.items() if isinstance(value, dict | list))
    return not any(name in table.navigation and _is_tree(one.body[name]) for name in nested)


def _is_tree(value: object) -> bool:
    return isinstance(value, list) or (
        isinstance(value, dict) and not any(key.startswith("@") for key in value)
    )
