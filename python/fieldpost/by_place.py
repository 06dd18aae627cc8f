"""Events that only their place tells apart: source name, line and bytes.

A row added on top, a line edited or a file renamed makes other events of them, which are sent
again.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from . import documents
from .config import DestinationConfig
from .errors import FieldpostError, Mistake
from .report import Report
from .sources import open_source

_log = logging.getLogger(__name__)

_CODE = "E708"
_HINT = (
    'name a key column, such as event_id: {"@path": "$.order_id"}, or write event_id: content,'
    " which tells rows apart by their bytes wherever they stand"
)


def tell_by_place(report: Report) -> None:
    """Say once how many events of a run were told apart by their place."""
    if report.by_place:
        _log.warning(
            "%s %d events were told apart by their place in the source, so an edited or renamed"
            " file sends them again; %s",
            _CODE,
            report.by_place,
            _HINT,
        )


def findings(config: DestinationConfig) -> list[Mistake]:
    """A warning where the first events of the file's own source have no id; reads local files."""
    with suppress(FieldpostError):  # other checks tell of files and documents that do not work
        if _count(config):
            told = "the events of this source are told apart by their place in it alone"
            return [Mistake(_CODE, told, "$.source", hint=_HINT)]
    return []


def _count(config: DestinationConfig) -> int:
    local = [one for one in config.sources if one != "-" and "://" not in one]
    plan = documents.compile_plan(config)
    for one in local:
        source = open_source(one, config.dialect(one))
        for chunk in source.chunks() if source.has_place else ():  # a named pipe is read once
            if count := plan.process(chunk).by_place:
                return count
            break  # the first events of each show how it is made
    return 0
