"""Change tracking: "Use change tracking to synchronize data with external systems" (Web API).

A list with `Prefer: odata.track-changes` ends in a delta link; what that link gives is what was
created, updated or deleted since. One answer holds all of it: there are no pages here.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from ..model import Table
from ..refusal import Refusal, bad_query
from ..store import Ledger
from .filter import Sql
from .options import Query
from .page import delta_link, delta_version

OPTION = "$deltatoken"
_NOT_WITH = ("$filter", "$orderby", "$top", "$expand", "$apply")


def since_of(query: str) -> int | None:
    """The version that a delta link begins after; None where the request is no delta link."""
    text = dict(parse_qsl(query)).get(OPTION)
    return None if text is None else delta_version(text)


def check(table: Table, query: str) -> None:
    """Refuse what cannot be tracked."""
    if not table.tracks_changes:
        message = f"Change tracking is not enabled for the entity {table.name}."
        raise Refusal(400, "0x80072491", message)
    options = {name for name, _ in parse_qsl(query)}
    wrong = next((name for name in _NOT_WITH if name in options), None)
    if wrong is not None:
        raise bad_query(f"The query parameter {wrong} is not supported with change tracking.")


def narrowed(query: Query, since: int | None) -> Query:
    """Only the rows that changed since."""
    if since is not None:
        query.condition = Sql('t0."versionnumber" > ?', (since,))
    return query


def tracked(
    page: dict[str, Any],
    table: Table,
    query: str,
    since: int | None,
    ledger: Ledger,
    address: tuple[str, str],
) -> dict[str, Any]:
    """The page with what was deleted since, and the link to what comes. address: (base, moment)."""
    base, moment = address
    if since is not None:
        page["@odata.context"] = f"{page['@odata.context']}/$delta"
        page["value"] += [
            {
                "@odata.context": f"{base}/$metadata#{table.entity_set}/$deletedEntity",
                "id": row_id,
                "reason": "deleted",
            }
            for row_id in ledger.deleted_since(table.name, since)
        ]
    url = f"{base}/{table.entity_set}"
    page["@odata.deltaLink"] = delta_link(url, query, ledger.version, moment)
    return page
