"""What may stand in --where: one SQL condition that reads, and can do nothing else.

The stores open it read-only besides; here is told, in words, what it must not hold.
"""

from __future__ import annotations

import re

from ..errors import LedgerError
from ..nearest_name import meant_or_all

COLUMNS = (
    "event_id",
    "source",
    "line",
    "offset",
    "subscription",
    "outcome",
    "effect",
    "attempts",
    "http_status",
    "code",
    "message",
    "action_needed",
    "record_id",
    "request_id",
    "latency_ms",
    "run",
    "mapping",
)
# Words that may stand before a parenthesis: operators, and functions that only compute.
_WORDS = """
and or not in like between is exists any all some case when then else end select from where values
cast as coalesce nullif lower upper length substr substring trim ltrim rtrim replace abs round min
max count sum avg instr position strpos left right concat date datetime strftime julianday
to_timestamp to_char extract char_length starts_with iif glob
"""
_BEFORE_PARENTHESIS = frozenset(_WORDS.split())
_KEYWORDS = _BEFORE_PARENTHESIS | {"true", "false", "null", "escape", "collate", "nocase"}
_TOKEN = re.compile(
    r"(?P<text>'(?:[^']|'')*')"
    r"|(?P<comment>--|/\*)"
    r'|(?P<name>"[^"]*"|[A-Za-z_][A-Za-z0-9_.$]*)'
    r"|(?P<other>\$|;|'|\"|\\|\s+|.)",
    re.S,
)
_HINT = "write SQL over the columns of `outcomes`, such as outcome = 'rejected'"
_HINT_OF_ALL = "write 1=1 for all, or SQL over the columns, such as outcome = 'rejected'"


def checked(where: str) -> str:
    """The condition, or LedgerError (E703, E726) with what is wrong about it."""
    if not where.strip():
        raise LedgerError("E703", "the condition is empty", "", _HINT_OF_ALL)
    name, depth, kinds = "", 0, set()
    for token in _TOKEN.finditer(where):
        kind, text = token.lastgroup, token[0]
        kinds.add("column" if _is_name(kind, text) else kind)
        if kind == "text" and name.lower() in ("e", "u&", "b", "x", "n"):
            raise refused("only plain texts in single quotes are understood", where)
        if kind == "comment" or text in (";", "$", "\\", "'", '"'):
            what = {"'": "a text without its closing quote"}.get(text, f"{text} is not allowed")
            raise refused(what, where)
        if text == "(":
            depth += 1
            if name and name.strip('"').lower() not in _BEFORE_PARENTHESIS:
                raise refused(f"the function {name} is not allowed", where, "E726")
        elif text == ")":
            depth -= 1
            if depth < 0:
                raise refused("a parenthesis too many", where)
        if not text.isspace():
            name = text if kind == "name" else ""
            if text == "&":
                name = "u&"
    if depth:
        raise refused("a parenthesis too few", where)
    if "text" in kinds and "column" not in kinds:
        # A misspelt name in single quotes, which would fit every row or none.
        raise refused("it compares texts and names no column", where)
    return where


def strict(condition: str) -> str:
    """A condition of which SQLite takes no name in double quotes for a text.

    It does so with every name that it does not know; one in backquotes stays a name.
    """
    return _TOKEN.sub(lambda token: _backquoted(token[0]), condition)


def _backquoted(text: str) -> str:
    return "`" + text[1:-1].replace("`", "``") + "`" if text.startswith('"') else text


def _is_name(kind: str | None, text: str) -> bool:
    return kind == "name" and text.lower() not in _KEYWORDS


def refused(what: str, where: str, code: str = "E703") -> LedgerError:
    """The error for a condition that is not taken."""
    return LedgerError(code, f"the ledger does not understand the question ({what})", where, _HINT)


def misread(error: Exception, where: str) -> LedgerError:
    """The error for what a store says of a condition."""
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    unknown = re.search(r"(?:no such column: |column \")([A-Za-z_][A-Za-z0-9_.]*)", first)
    hint = _HINT
    if unknown:
        hint = meant_or_all(unknown[1], COLUMNS)
    told = f"the ledger does not understand the question ({first})"
    return LedgerError("E703", told, where, hint)
