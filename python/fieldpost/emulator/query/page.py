"""Pages of a list: their size, and the opaque token that says where the next one starts."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote, unquote_plus

from ..refusal import bad_query

LARGEST = 5000
PREFIX = b"page-starts-at:"


def size(preferred: int | None) -> int:
    """Rows per page; a wish above the limit is ignored."""
    return preferred if preferred and preferred <= LARGEST else LARGEST


def token(start: int) -> str:
    """What `$skiptoken` says so that a page starts there."""
    return base64.urlsafe_b64encode(PREFIX + str(start).encode()).decode()


def position(text: str) -> int:
    """Where the page of this token starts."""
    try:
        decoded = base64.b64decode(text.encode(), b"-_", validate=True)
        if decoded.startswith(PREFIX):
            return int(decoded.removeprefix(PREFIX))
    except (ValueError, binascii.Error):
        pass
    raise bad_query("The paging cookie in $skiptoken is not valid.")


def next_link(url: str, query: str, start: int) -> str:
    """The same request with the token of the next page, its other options as they were written."""
    return _linked(url, query, "$skiptoken", token(start))


def delta_token(version: int, moment: str) -> str:
    """What `$deltatoken` says of a version: `42!08/22/2017 08:10:44`; moment: ISO, UTC."""
    day, _, time = moment.rstrip("Z").partition("T")
    year, month, date = day.split("-")
    return f"{version}!{month}/{date}/{year} {time[:8]}"


def delta_version(text: str) -> int:
    """The version of a delta token."""
    number, mark, _ = text.partition("!")
    if not (mark and number.isascii() and number.isdigit()):
        raise bad_query("The value of $deltatoken is not valid.")
    return int(number)


def delta_link(url: str, query: str, version: int, moment: str) -> str:
    """The same request for what changes from now on."""
    return _linked(url, query, "$deltatoken", delta_token(version, moment))


def _linked(url: str, query: str, name: str, value: str) -> str:
    told = ("$skiptoken", "$deltatoken")
    kept = [part for part in query.split("&") if part and _option(part) not in told]
    return f"{url}?" + "&".join([*kept, f"{name}={quote(value, safe='')}"])


def _option(part: str) -> str:
    return unquote_plus(part.partition("=")[0])
