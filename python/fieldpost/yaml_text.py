"""YAML 1.2 read into plain data, with the line and column of every key and value.

Scalars follow the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema) and
nothing more: `NO`, `off` and dates are text. What JSON cannot hold is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from .errors import Mistake

Path = tuple[str | int, ...]

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_PLAIN_NAME = re.compile(r"[^.\[\]\"' \x00-\x1f]+\Z")  # as the core writes paths
_STEP = re.compile(r"""\.([^.\[]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\['((?:[^'\\]|\\.)*)'\]""")
HALF = re.compile("[\ud800-\udfff]")
_STANDARD = "tag:yaml.org,2002:"
_KNOWN_TAGS = frozenset(
    _STANDARD + kind
    for kind in ("str", "null", "bool", "int", "float", "timestamp", "value", "merge")
)
_CUT = re.compile(r"\s*(#\w[^,}\]]*)")  # "Order #5": a comment, though it does not look so
_TOO_MANY = 200_000


class NotYaml(Exception):
    """The text is no YAML at all; `mistake` tells where."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


def scalar(text: str) -> Any:
    """The value of a plain (unquoted) scalar in the core schema; ValueError where JSON has none."""
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text.lower() == "true"
    if _INT.match(text):
        return int(text)
    if _OCTAL.match(text):
        return int(text[2:], 8)
    if _HEX.match(text):
        return int(text[2:], 16)
    if _NOT_FINITE.match(text) or (_FLOAT.match(text) and abs(float(text)) == float("inf")):
        raise ValueError("JSON has no such number")
    return float(text) if _FLOAT.match(text) else text


def path_text(path: Path) -> str:
    """A path as people read it: `$.subscriptions[0].body["a key"].@path`."""
    return "$" + "".join(map(_step_text, path))


def _step_text(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return "." + step if _PLAIN_NAME.match(step) else f"[{json.dumps(step, ensure_ascii=False)}]"


def parse_path(text: str) -> Path:
    """The steps of a path written as `path_text` writes it; what cannot be read ends it."""
    steps: list[str | int] = []
    at = 1 if text.startswith("$") else 0
    while match := _STEP.match(text, at):
        name, index, double, single = match.groups()
        if index is not None:
            steps.append(int(index))
        elif double is not None:
            steps.append(str(json.loads(double, strict=False)))
        else:
            steps.append(name if name is not None else re.sub(r"\\(.)", r"\1", single))
        at = match.end()
    return tuple(steps)


class Reread(NamedTuple):
    """A plain scalar that is something else than what is written: 0042, 1.10, a text before #5.

    written: as it stands in the file; read: the JSON of what it became.
    """

    path: Path
    written: str
    read: str


class YamlText:
    """One parsed text: its data, where each part stands, and what is wrong on the way.

    data: dicts, lists and scalars, sharing nothing; mistakes: what was found without giving up;
    reread: plain scalars that YAML reads as something else than what is written;
    root: the node graph, for those who edit the text. Raises NotYaml where there is no data.
    """

    def __init__(self, text: str) -> None:
        self.mistakes: list[Mistake] = []
        self.reread: list[Reread] = []
        self._keys: dict[Path, tuple[int, int]] = {}
        self._values: dict[Path, tuple[int, int]] = {}
        self._scalars: dict[Path, ScalarNode] = {}
        self._lines = text.splitlines()
        self._open: list[int] = []
        self._count = 0
        self.root = _compose(text)
        self.data: Any = self._read(self.root, ()) if self.root is not None else None

    def value(self, path: Path) -> Any:
        """The data at a path; None where there is nothing."""
        found = self.data
        for step in path:
            inside = isinstance(step, int) == isinstance(found, list) and isinstance(
                found, list | dict
            )
            try:
                found = found[step] if inside else None
            except (KeyError, IndexError):
                return None
        return found

    def locate(self, path: str | Path) -> tuple[int, int]:
        """Line and column of a part, or of its nearest ancestor that exists.

        For a text, number or other scalar this is where the value begins, else its key.
        """
        steps = parse_path(path) if isinstance(path, str) else path
        while steps and steps not in self._values:
            steps = steps[:-1]
        return self._values.get(steps, (1, 1))

    def locate_key(self, path: str | Path) -> tuple[int, int]:
        """Line and column of the key that leads to a part, else as `locate`."""
        steps = parse_path(path) if isinstance(path, str) else path
        return self._keys.get(steps) or self.locate(steps)

    def locate_within(self, path: str | Path, offset: int) -> tuple[int, int]:
        """Line and column of a character of the text at a path; where that is not clear, its begin.

        Folded texts and texts with escapes have characters that stand elsewhere than they count.
        """
        steps = parse_path(path) if isinstance(path, str) else path
        node = self._scalars.get(steps)
        if node is None:
            return self.locate(steps)
        line, column = _place(node)
        before = str(node.value)[:offset]
        row = before.count("\n")
        if node.style == "|" and line + row < len(self._lines):
            written = str(node.value).split("\n")[row]
            indent = self._lines[line + row].find(written)
            return line + row + 1, indent + len(before) - (before.rfind("\n") + 1) + 1
        if node.start_mark.line != node.end_mark.line or node.style in ("|", ">"):
            return line, column
        width = node.end_mark.column - node.start_mark.column
        quote = 0 if node.style is None else 1
        return line, column + quote + offset if width == len(node.value) + 2 * quote else column

    def mistake(self, code: str, message: str, path: Path, hint: str = "") -> Mistake:
        """A mistake about the value at a path."""
        line, column = self.locate(path)
        return Mistake(code, message, path_text(path), line, column, hint)

    def _read(self, node: Node, path: Path) -> Any:
        self._values[path] = self._keys.get(path) or _place(node)
        self._count += 1
        if id(node) in self._open or self._count > _TOO_MANY:
            self._refuse("E103", "an alias that never ends", node, path, "write the value out")
            return None
        self._open.append(id(node))
        try:
            return self._content(node, path)
        finally:
            self._open.pop()

    def _content(self, node: Node, path: Path) -> Any:
        if isinstance(node, ScalarNode):
            self._values[path] = _place(node)
            self._scalars[path] = node
            return self._scalar(node, path)
        kind = "map" if isinstance(node, MappingNode) else "seq"
        if node.tag != _STANDARD + kind:
            self._refuse("E103", f"a tag ({node.tag})", node, path, "leave the tag out")
        if isinstance(node, MappingNode):
            return dict(self._members(node, path))
        assert isinstance(node, SequenceNode)
        return [self._read(item, (*path, index)) for index, item in enumerate(node.value)]

    def _members(self, node: MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = self._key(key, path)
            if name is None:
                continue
            if name in seen:
                told = f"the key {json.dumps(name, ensure_ascii=False)} stands twice"
                hint = f"it is already on line {seen[name]}; keep one of them"
                self._refuse("E102", told, key, (*path, name), hint)
                continue
            seen[name] = key.start_mark.line + 1
            self._keys[(*path, name)] = _place(key)
            yield name, self._read(value, (*path, name))

    def _key(self, node: Node, path: Path) -> str | None:
        if not isinstance(node, ScalarNode):
            hint = "write a plain name; a text that begins with { or [ stands in quotes"
            if isinstance(node, MappingNode):
                hint = 'a template stands in quotes: {"@template": "{{properties.name}}"}'
            self._refuse("E103", "a key that is not a text", node, path, hint)
            return None
        if node.style is None and node.value == "<<":
            hint = "YAML 1.2 has none; write the keys out, or alias a whole value"
            self._refuse("E103", 'a merge key "<<"', node, path, hint)
            return None
        return _joined(str(node.value))

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        tag = str(node.tag)
        if tag not in _KNOWN_TAGS:
            self._refuse("E103", f"a tag ({tag})", node, path, "leave the tag out")
        if node.style is not None:
            return _joined(str(node.value))
        try:
            value = node.value if tag == _STANDARD + "str" else scalar(node.value)
            self.reread += _reread(path, node, value, self._after(node, path))
            return _joined(value) if isinstance(value, str) else value
        except ValueError:
            hint = "put it in quotes if a text is meant"
            self._refuse("E103", "a number that JSON cannot hold", node, path, hint)
            return None

    def _after(self, node: ScalarNode, path: Path) -> str:
        """What follows a scalar on its last line; of an empty one, what follows its key."""
        if node.value == "" and path in self._keys:
            line, column = self._keys[path]
            return self._lines[line - 1][column - 1 :].partition(":")[2]
        mark = node.end_mark
        return self._lines[mark.line][mark.column :] if mark.line < len(self._lines) else ""

    def _refuse(self, code: str, message: str, node: Node, path: Path, hint: str) -> None:
        line, column = _place(node)
        self.mistakes.append(Mistake(code, message, path_text(path), line, column, hint))


def _reread(path: Path, node: ScalarNode, value: Any, after: str) -> Iterator[Reread]:
    """The scalar, where another text than the written one is sent."""
    if cut := (isinstance(value, str) or node.value == "") and _CUT.match(after):
        written = f"{node.value} {cut[1]}".strip()
        yield Reread(path, written, json.dumps(value, ensure_ascii=False))
    elif not isinstance(value, str) and node.value not in ("", "~"):
        sent = float(value) if isinstance(value, int) and _is_beyond(value) else value
        if json.dumps(sent) != node.value:
            yield Reread(path, node.value, json.dumps(sent))


def _is_beyond(number: int) -> bool:
    """True where JSON readers, the core's too, take a float for it."""
    return not -(2**63) <= number < 2**64


def _joined(text: str) -> str:
    """With the halves of characters put together, as JSON writes them in escapes; a lone one stays,
    since an event of a unit case may have it."""
    if not HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _compose(text: str) -> Node | None:
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        found = _syntax_error(error)
    except YAMLError:
        line, column = _first_unprintable(text)
        hint = "save the file as plain UTF-8 text"
        found = Mistake("E101", "a character that YAML does not allow", "$", line, column, hint)
    except RecursionError:
        found = Mistake("E101", "nested too deeply to read", "$", 1, 1)
    else:
        return node
    raise NotYaml(found)


# What was begun and never ended: the error shows where the text gave up, which is far behind it.
_UNENDED = {
    "while scanning a quoted scalar": (
        "a quote that is not closed",
        "close it, or put the whole text in the other quotes",
    ),
    "while parsing a flow mapping": ("a { that is not closed", "close it with }"),
    "while parsing a flow sequence": ("a [ that is not closed", "close it with ]"),
}


def _syntax_error(error: MarkedYAMLError) -> Mistake:
    begun, mark = error.context_mark, error.problem_mark or error.context_mark
    unended = _UNENDED.get(str(error.context))
    gave_up = "end of stream" in str(error.problem)
    if unended and begun and mark and (begun.line < mark.line or gave_up):
        told, hint = unended
        return Mistake("E101", f"not YAML: {told}", "$", begun.line + 1, begun.column + 1, hint)
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    problem = str(error.problem or error.context or "it cannot be read")
    return Mistake("E101", f"not YAML: {problem}", "$", line, column, _advice(problem, error))


def _advice(problem: str, error: MarkedYAMLError) -> str:
    if "\\t" in problem or "tab" in problem:
        return "indent with spaces, not with tabs"
    if "cannot start any token" in problem:
        return 'put it in quotes, as in {"@path": "$.userId"}: a plain text cannot begin so'
    if "mapping values are not allowed" in problem:
        return 'put a text that holds ": " in quotes'
    if "expected a single document" in str(error.context):
        return "one file holds one destination; remove what follows ---"
    return "look at the indentation and the quotes of this line and the one before"


def _first_unprintable(text: str) -> tuple[int, int]:
    found = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    before = text[: found.start()] if found else ""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
