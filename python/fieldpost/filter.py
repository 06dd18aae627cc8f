"""Filters on their own: which events a query wants, without sending anything.

fp.Filter('type = "track" and properties.total > 100').matches(event)
"""

from __future__ import annotations

from typing import Any, Literal

from ._core import DocumentError
from ._core import Filter as _Filter
from .errors import EventError, FilterError, Mistake
from .html_table import html_text
from .json_text import NotJson, read_exact, shown, write

Dialect = Literal["fieldpost", "trigger", "destination"]

_INVALID = 2


class Filter:
    """A compiled query: event → yes or no. Immutable, picklable, shared by threads as it is.

    text: the query; docs/filters.md describes it.
    dialect: "fieldpost", or whose reading a text that comes from Segment has: "trigger" (of a
        mapping) or "destination" (a destination filter).

    Raises FilterError with code, span and hint where the text cannot be read, or would be read
    otherwise than it is written.
    """

    def __init__(self, text: str, dialect: Dialect = "fieldpost") -> None:
        self._text = text
        self._dialect = dialect
        try:
            self._filter = _Filter(_utf8(text), dialect)
        except DocumentError as error:
            raise FilterError([_mistake(*row) for row in error.args[1]]) from None

    def matches(self, event: dict[str, Any] | bytes | bytearray | memoryview | str) -> bool:
        """Whether the filter wants that event: a dict, or its JSON as bytes or text.

        Raises EventError where it is not one JSON object.
        """
        verdict, code, message, offset, _ = self._filter.matches(event_text(event))
        if verdict == _INVALID:
            raise EventError(code, f"{message} (byte {offset})")
        return verdict == 1

    def matches_lines(self, ndjson: bytes | bytearray | memoryview) -> bytes:
        r"""One byte for each line of newline-separated events: 0 no, 1 yes, 2 not an event.

        A blank line counts as a line that does not match (0), so that byte i belongs to line i; a
        newline at the end begins no further line. Any bytes-like object is read where it stands,
        and other threads run meanwhile.
        """
        return self._filter.matches_lines(ndjson)

    def explain(self, event: dict[str, Any] | bytes | bytearray | memoryview | str) -> Explanation:
        """The verdict of every condition for that event, with the values it saw.

        Raises EventError where it is not one JSON object.
        """
        verdict, code, message, offset, tree = self._filter.explain(event_text(event))
        if verdict == _INVALID:
            raise EventError(code, f"{message} (byte {offset})")
        return Explanation(self._text, read_exact(tree))

    def __repr__(self) -> str:
        dialect = "" if self._dialect == "fieldpost" else f", dialect={self._dialect!r}"
        return f"Filter({self._text!r}{dialect})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Filter):
            return NotImplemented
        return (self._text, self._dialect) == (other._text, other._dialect)

    def __hash__(self) -> int:
        return hash((self._text, self._dialect))

    def __reduce__(self) -> tuple[type[Filter], tuple[str, Dialect]]:
        return Filter, (self._text, self._dialect)


class Explanation:
    """Why a filter said yes or no to one event. True where it said yes.

    tree: {"kind": "and" | "or" | "not" | "condition", "text", "span", "verdict"}, with "children",
        or of a condition "seen": what the event has at each path that the condition reads, and
        "lacks": the paths that it does not have.
    conditions: the conditions alone, in the order of the text.
    """

    def __init__(self, text: str, tree: dict[str, Any]) -> None:
        self.tree = _with_text(text, tree)
        self.conditions = list(_conditions(self.tree))

    def __bool__(self) -> bool:
        return bool(self.tree["verdict"])

    def to_dict(self) -> dict[str, Any]:
        """As `explain --filter … --output json` prints it."""
        return {"verdict": bool(self), "tree": self.tree}

    def refusal(self) -> str:
        """The parts that made it say no, on one line; "" where it said yes."""
        return "; ".join(_told(part) for part in _refusing(self.tree))

    def __str__(self) -> str:
        return "\n".join(
            f"{'yes' if part['verdict'] else 'no':<4}{'  ' * depth}{_told(part)}"
            for depth, part in _lines(self.tree)
        )

    def __repr__(self) -> str:
        return f"<Explanation: {'yes' if self else 'no'}, {len(self.conditions)} conditions>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{'yes' if part['verdict'] else 'no'}</td>"
            f'<td style="text-align: left; padding-left: {depth + 1}em">'
            f"<code>{html_text(_name(part))}</code></td>"
            f'<td style="text-align: left">{html_text(_seen(part))}</td></tr>'
            for depth, part in _lines(self.tree)
        )
        return (
            "<table><thead><tr><th>verdict</th><th>condition</th><th>seen</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def _with_text(text: str, node: dict[str, Any]) -> dict[str, Any]:
    begin, end = node["begin"], node["end"]
    rest = {"kind": node["kind"], "text": text[begin:end], "span": (begin, end)}
    rest["verdict"] = node["verdict"]
    if "children" in node:
        return rest | {"children": [_with_text(text, one) for one in node["children"]]}
    return rest | {"seen": node["seen"], "lacks": node["lacks"]}


def _conditions(node: dict[str, Any]) -> list[dict[str, Any]]:
    if "children" not in node:
        return [node]
    return [one for child in node["children"] for one in _conditions(child)]


def _refusing(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The smallest parts that have to change for a part to say yes."""
    if node["verdict"]:
        return []
    if node["kind"] not in ("and", "or"):
        return [node]
    return [one for child in node["children"] for one in _refusing(child)]


def _lines(node: dict[str, Any], depth: int = 0) -> list[tuple[int, dict[str, Any]]]:
    below = [line for child in node.get("children", ()) for line in _lines(child, depth + 1)]
    return [(depth, node), *below]


def _name(node: dict[str, Any]) -> str:
    words = {"and": "all of", "or": "any of", "not": "not"}
    return str(words.get(node["kind"], node["text"]))


def _seen(node: dict[str, Any]) -> str:
    if "seen" not in node:
        return ""
    there = [f"{p} is {shown(one)}" for p, one in node["seen"].items()]
    return ", ".join([*there, *(f"{path} is missing" for path in node["lacks"])])


def _told(node: dict[str, Any]) -> str:
    seen = _seen(node)
    return f"{_name(node)} ({seen})" if seen else _name(node)


def _mistake(code: str, message: str, path: str, hint: str, begin: int, end: int) -> Mistake:
    return Mistake(code, message, path, hint=hint, span=(begin, end) if end > begin else None)


def _utf8(text: str) -> str:
    """The text, if UTF-8 can hold it: a lone surrogate has no place in a filter."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        mistake = Mistake("E301", "half of a character", span=(error.start, error.end))
        raise FilterError([mistake]) from None
    return text


def event_text(
    event: dict[str, Any] | bytes | bytearray | memoryview | str,
) -> bytes | bytearray | memoryview:
    """An event's JSON as bytes; raises EventError where JSON cannot hold it."""
    if isinstance(event, str):
        return event.encode("utf-8", "surrogatepass")
    if not isinstance(event, dict):
        return event
    try:
        return write(event)
    except NotJson as fault:
        raise EventError("E401", f"JSON cannot hold {fault.kind}", fault.path) from None
