"""Tables for notebooks."""

from __future__ import annotations

import html
from typing import Any

from .visible_text import visible


def html_table(columns: tuple[str, ...], rows: list[list[Any]], limit: int = 50) -> str:
    """A static table, everything escaped, at most `limit` rows."""
    head = "".join(f"<th>{html_text(column)}</th>" for column in columns)
    lines = [
        "<tr>" + "".join(f"<td>{html_text(cell)}</td>" for cell in row) + "</tr>"
        for row in rows[:limit]
    ]
    more = f"<p>and {len(rows) - limit} more</p>" if len(rows) > limit else ""
    body = "".join(lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def html_text(value: Any) -> str:
    """A value's text as a page shows it: no markup, and control characters as escapes."""
    return html.escape(visible(str(value)))
