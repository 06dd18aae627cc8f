"""Turning a destination on or off in its file, without touching anything else in it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from .errors import ConfigError, Mistake
from .own_file import replace
from .yaml_text import NotYaml, YamlText


def set_enabled(path: str | os.PathLike[str], enabled: bool) -> bool:
    """Write `enabled: true` or `false` into a destination file; tells whether it changed.

    Only that value changes; where the key is absent a line is added after `name:`. Every other
    byte stays, and the file is replaced at once or not at all. Raises ConfigError where it cannot.
    """
    name = os.fspath(path)
    target = Path(os.path.realpath(name))
    try:
        text = target.read_bytes().decode("utf-8")
        changed = _edited(text, "true" if enabled else "false")
        if changed == text:
            return False
        _replace(target, changed.encode("utf-8"))
        return True
    except NotYaml as error:
        found = error.mistake
    except _NoPlace as error:
        found = error.mistake
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        hint = f"set enabled: {str(enabled).lower()} where the file is kept"
        found = Mistake("E105", f"the file cannot be changed ({reason})", "$.enabled", hint=hint)
    raise ConfigError([found], name)


class _NoPlace(Exception):
    """The text has no place where the value can be written."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


def _edited(text: str, value: str) -> str:
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    body = text[len(bom) :]
    places = YamlText(body)
    if not isinstance(places.root, MappingNode) or places.mistakes:
        first = places.mistakes[0] if places.mistakes else places.mistake("E104", "no mapping", ())
        raise _NoPlace(first)
    members = {key.value: (key, node) for key, node in places.root.value}
    if "enabled" in members:
        edited = _rewritten(body, *members["enabled"], value, places)
    else:
        edited = _added(body, members, value, places)
    _check(places.data, edited, value, places)
    return bom + edited


def _rewritten(text: str, key: Node, node: Node, value: str, places: YamlText) -> str:
    if not isinstance(node, ScalarNode):
        hint = "change what it refers to instead"
        raise _NoPlace(places.mistake("E105", "enabled is a reference", ("enabled",), hint))
    if isinstance(places.data["enabled"], bool) and places.data["enabled"] is (value == "true"):
        return text
    begin, end = node.start_mark.index, node.end_mark.index
    if begin == end:  # nothing is written there yet
        begin = end = text.index(":", key.end_mark.index) + 1
        value = " " + value
    return text[:begin] + value + text[end:]


def _added(text: str, members: dict[str, tuple[Node, Node]], value: str, places: YamlText) -> str:
    if "name" not in members:
        raise _NoPlace(places.mistake("E111", 'the key "name" is missing', ("name",)))
    key, name = members["name"]
    start = key.start_mark.index
    if isinstance(places.root, MappingNode) and places.root.flow_style:
        quote = '"' if text[start] == '"' else ""
        return f"{text[:start]}{quote}enabled{quote}: {value}, {text[start:]}"
    newline = "\r\n" if "\r\n" in text else "\n"
    line = " " * key.start_mark.column + f"enabled: {value}"
    if name.end_mark.line != key.start_mark.line:
        begin = start - key.start_mark.column
        return f"{text[:begin]}{line}{newline}{text[begin:]}"
    end = text.find("\n", name.end_mark.index)
    if end < 0:
        return f"{text}{newline}{line}"
    return f"{text[: end + 1]}{line}{newline}{text[end + 1 :]}"


def _check(before: dict[str, Any], edited: str, value: str, places: YamlText) -> None:
    """Believe the edit only when reading it again says the same but for `enabled`."""
    with contextlib.suppress(NotYaml):
        after = YamlText(edited)
        if not after.mistakes and after.data == {**before, "enabled": value == "true"}:
            return
    hint = f"write enabled: {value} on a line of its own"
    raise _NoPlace(places.mistake("E105", "enabled cannot be edited here", ("enabled",), hint))


def _replace(target: Path, content: bytes) -> None:
    if not target.stat().st_mode & 0o222:
        raise PermissionError(13, "it is read-only")
    replace(target, content)
