"""Why a run does not move, in our words, for who watches it: they hold no event and no secret."""

from __future__ import annotations

import re

from .report import Report
from .visible_text import one_line

_LONGEST = 160  # characters


def why_nothing_moves(report: Report) -> str:
    """The reasons, as far as they are known; "" where it moves."""
    parts = []
    if report.held_s:
        parts.append(f"the destination asked for a wait: {report.held_s:,.0f} s left")
    parts += [str(one) for one in report.breakers]
    if report.trouble is not None and not report.breakers:
        parts.append(_reason(report.trouble.code, report.trouble.message))
    return "; ".join(parts)


def _reason(code: str, message: str) -> str:
    """A code of ours in our words; a service's without its own, which may show an event."""
    if re.fullmatch(r"E\d{3}", code):
        return one_line(f"{code} {message}")[:_LONGEST]
    status = re.fullmatch(r"http_(\d{3})", code)
    return f"HTTP {status[1]}" if status else one_line(code)[:_LONGEST]
