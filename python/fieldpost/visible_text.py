"""Text that a terminal or a page shows and does not obey: control characters become escapes.

They come with data: ids and texts of events, a service's messages, names of files and
subscriptions. ESC begins a command to the terminal, U+009B does so in one character; bidirectional
overrides show a line in another order than it has; a newline begins a line that nobody wrote.
"""

from __future__ import annotations

import re

# C0 but tab and newline, DEL, C1, line and paragraph separators, bidirectional embeddings,
# overrides and isolates, halves of surrogate pairs (which no output could encode).
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_LINES = re.compile(f"[{_CONTROLS}]")
_IN_ONE_LINE = re.compile(f"[{_CONTROLS}\t\n]")
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def visible(text: str) -> str:
    r"""The text with its control characters as escapes such as \x1b; tabs and newlines stay."""
    return _IN_LINES.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    r"""The same for a text that has its place within a line: tabs and newlines too, as \t, \n."""
    return _IN_ONE_LINE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    sign = found[0]
    code = ord(sign)
    return _NAMED.get(sign) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
