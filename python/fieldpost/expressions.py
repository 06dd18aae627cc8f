"""What is to be said of the filters and mappings of a destination file, each on its own.

Works on the file's data, so that a mistake elsewhere in it hides nothing here.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from . import _core, json_text
from .config_mistakes import ordered, placed
from .config_values import EnvText, Reading
from .errors import FilterError, Mistake
from .filter import Filter
from .lookup_tables import filled_and_mistakes
from .yaml_text import Path, parse_path, path_text

_DIRECTIVES = (
    *("url", "headers", "order_by", "key", "on_create", "if_match", "impersonate", "message"),
    *("status", "statecode", "statuscode"),
)
_OF_ADDRESS = 'an address with values of events is the `url` of a subscription: {"@template": …}'
# What is no value of a document: a number or a yes is meant, however it is written.
_SWITCHES = ("enabled", "duplicate_detection", "nulls", "bypass")
_BATCH_NUMBERS = (("batch", "max_records"), ("batch", "max_bytes"))
_DIALECTS = ("fieldpost", "trigger", "destination")


class Findings(NamedTuple):
    """In the order of the file, each with its line and column."""

    mistakes: list[Mistake]
    warnings: list[Mistake]


def findings(reading: Reading) -> Findings:
    """Mistakes and warnings of every filter, transform and mapping that takes part."""
    data = reading.resolved
    found = Findings([], [])
    if not isinstance(data, dict):
        return found
    found.mistakes.extend(_filter_mistakes(data.get("success"), ("success",)))
    found.warnings.extend(_reread(reading))
    for place, document in _mappings(data):
        _check_mapping(document, place, reading, found)
    for place, one in _subscriptions(data):
        if isinstance(one.get("transforms"), list):
            _check_transforms(one["transforms"], (*place, "transforms"), found)
        found.mistakes.extend(_filter_mistakes(one.get("filter"), (*place, "filter")))
        found.mistakes.extend(_filter_mistakes(one.get("success"), (*place, "success")))
        found.warnings.extend(_rounded(one.get("filter"), (*place, "filter")))
        found.warnings.extend(_content_type(data, one, place))
    return Findings(*(ordered([placed(one, reading.places) for one in some]) for some in found))


def _subscriptions(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    listed = data.get("subscriptions")
    for index, one in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(one, dict) and one.get("enabled") is not False:
            yield ("subscriptions", index), one


def _mappings(data: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    for key in ("event_id", "order_by", "message"):
        if isinstance(data.get(key), dict):
            yield (key,), data[key]
    if isinstance(data.get("url"), str):
        yield ("url",), data["url"]
    for place, one in _subscriptions(data):
        if one.get("body") is not None:
            yield (*place, "body"), one["body"]
        for key in _DIRECTIVES:
            if isinstance(one.get(key), dict | str):
                yield (*place, key), one[key]
        for name in ("to", "owner"):
            other = one.get(name)
            if isinstance(other, dict) and isinstance(other.get("key"), dict):
                yield (*place, name, "key"), other["key"]


def _check_mapping(document: Any, place: Path, reading: Reading, found: Findings) -> None:
    filled, mistakes = filled_and_mistakes(document, reading.directory, place)
    text = json_text.write(filled).decode("utf-8")
    wrong, surprising = _core.check_mapping(
        text, path_text(place), place[-1] in ("body", "message")
    )
    found.mistakes.extend([*mistakes, *(_mistake(row) for row in wrong)])
    if place == ("url",):  # a text, which the address of a subscription need not be
        surprising = [(code, message, at, _OF_ADDRESS) for code, message, at, _ in surprising]
    found.warnings.extend(
        one for one in map(_mistake, surprising) if not _is_from_outside(one, reading)
    )


def _is_from_outside(one: Mistake, reading: Reading) -> bool:
    """True of a text from the environment: not the author's own, and not to be shown."""
    found: Any = reading.resolved
    for step in parse_path(one.path):
        inside = isinstance(found, list) == isinstance(step, int)
        try:
            found = found[step] if inside else None
        except (KeyError, IndexError, TypeError):
            return False
    return isinstance(found, EnvText)


def _reread(reading: Reading) -> Iterator[Mistake]:
    """What YAML makes of unquoted texts, where the values of a file are sent or compared."""
    for path, written, read in reading.places.reread:
        if not _is_of_a_document(path):
            continue
        quoted = json_text.write(written).decode("utf-8")
        if "#" in written:
            told = f"YAML takes what begins with # for a comment, so {read} is left"
            hint = f"write {quoted}; a comment has a blank behind its #"
        else:
            told = f"YAML reads this as {read}, not as the text {quoted}"
            hint = f"write {quoted} for the text, {read} for what it is read as"
        yield Mistake("E292", told, path_text(path), hint=hint)


def _is_of_a_document(path: Path) -> bool:
    if path[:1] == ("subscriptions",):
        return len(path) > 2 and path[2] not in _SWITCHES and path[2:4] not in _BATCH_NUMBERS
    return path[:1] in {(key,) for key in ("event_id", "order_by", "message", "settings", "tests")}


def _check_transforms(listed: list[Any], place: Path, found: Findings) -> None:
    text = json_text.write(listed).decode("utf-8")
    wrong, surprising = _core.check_transforms(text, path_text(place))
    found.mistakes.extend(_mistake(row) for row in wrong)
    found.warnings.extend(_mistake(row) for row in surprising)


def _mistake(row: tuple[str, str, str, str]) -> Mistake:
    code, message, path, hint = row
    return Mistake(code, message, path, hint=hint)


def _filter_mistakes(written: Any, place: Path) -> list[Mistake]:
    parts = written if isinstance(written, dict) else {"text": written}
    text, dialect = parts.get("text"), parts.get("dialect", "fieldpost")
    if not isinstance(text, str) or not text.strip() or dialect not in _DIALECTS:
        return []
    try:
        Filter(text, cast("Any", dialect))
    except FilterError as error:
        path = path_text(place)
        return [dataclasses.replace(one, path=path) for one in error.mistakes]
    return []


def _rounded(written: Any, place: Path) -> Iterator[Mistake]:
    """Numbers of a filter that its dialect takes for their neighbours."""
    if not isinstance(written, dict) or written.get("dialect") not in ("trigger", "destination"):
        return
    plain = re.sub(r"'[^']*'|\"[^\"]*\"", "", str(written.get("text")))
    for number in re.findall(r"(?<![\w.])\d{16,}(?![\w.])", plain):
        if int(number) > 2**53:
            told = f"Segment compares doubles, so the neighbours of {number} count as it too"
            hint = "write the filter in fieldpost's own dialect, which compares digit by digit"
            yield Mistake("E238", told, path_text(place), hint=hint)


def _content_type(data: dict[str, Any], one: dict[str, Any], place: Path) -> Iterator[Mistake]:
    headers = one.get("headers")
    if data.get("type") != "webhook" or not isinstance(headers, dict):
        return
    for name, value in headers.items():
        if name.lower() == "content-type" and isinstance(value, str) and not _is_json(value):
            told = (
                "the body is sent as JSON under this content type; Segment would form-encode it or "
                "overwrite the header"
            )
            hint = "leave the header out, unless the other side wants JSON under this name"
            yield Mistake("E169", told, path_text((*place, "headers", name)), hint=hint)


def _is_json(content_type: str) -> bool:
    kind = content_type.split(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")
