"""If-Match and If-None-Match: "Perform conditional operations using the Web API"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..refusal import bad_version, duplicate_key, stale_version
from .key import RowKey

ETAG = re.compile(r'W/"(\d+)"')


def etag(version: int) -> str:
    """The version as a header and an annotation say it."""
    return f'W/"{version}"'


@dataclass(frozen=True, slots=True)
class Condition:
    """What the request demands of the row. The literal word null means no demand."""

    match: str | None
    none_match: str | None

    @staticmethod
    def of(headers: Mapping[str, str]) -> Condition:
        """The demands in these headers; raises `Refusal` where they make no sense."""
        match, none_match = headers.get("if-match"), headers.get("if-none-match")
        if match is not None and match != "*" and not ETAG.fullmatch(match):
            raise bad_version()
        return Condition(match, None if none_match == "null" else none_match)

    def check(self, version: int | None, key: RowKey) -> None:
        """Refuse a write to the row at this version (None: there is no such row)."""
        if version is None:
            if self.match is not None:
                raise key.missing()
            return
        if self.none_match == "*":
            raise duplicate_key()
        if self.match not in (None, "*", etag(version)):
            raise stale_version()
