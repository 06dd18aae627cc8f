"""How long a service wants to be left alone, out of the headers of its answer."""

from __future__ import annotations

import math
import time
from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["retry_after_s"]


def retry_after_s(value: str | None, date: str | None = None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3); None where it says nothing.

    A date is held against `date`, the answer's own Date header, so that the service's clock counts
    alone; against ours where there is none. All three forms of a date are read.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _until(value, date)
    return seconds if seconds >= 0 and math.isfinite(seconds) else None


def _until(value: str, date: str | None) -> float | None:
    end_s, now_s = _unix_s(value), _unix_s(date or "")
    if end_s is None:
        return None
    return max(0.0, end_s - (time.time() if now_s is None else now_s))


def _unix_s(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    # The form of asctime names no zone; it is always UTC.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
