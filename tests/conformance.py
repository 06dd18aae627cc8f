"""Recorded behaviour of Segment's own engines against ours: `./dev conformance [FOLDER]`.

The folder has mapping.jsonl, fql.jsonl and destfilter.jsonl, one JSON object a line: a document, an
event and what Segment's code gave for them. Prints a tally for each kind and every difference that
docs/compatibility.md does not name; then the exit code is 1. Without the folder it says so and is
content.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fieldpost as fp

sys.path.insert(0, str(Path(__file__).parent / "python"))
import mapping_interpreter
import trigger_interpreter

Row = dict[str, Any]
SHOWN = 20  # differences of one kind that are printed


class Refusal(str):
    """Why fieldpost gives no value."""


@dataclass
class Tally:
    """One kind of recordings; `least` is the share that has to be equal."""

    kind: str
    least: float
    equal: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # by code, the reference has a verdict
    by_rule: Counter[str] = field(default_factory=Counter)  # as docs/compatibility.md names it
    different: list[str] = field(default_factory=list)
    left_out: int = 0

    @property
    def compared(self) -> int:
        told = self.refused.total() + self.by_rule.total() + len(self.different)
        return self.equal + told

    @property
    def holds(self) -> bool:
        return not self.different and self.equal >= self.least * self.compared > 0

    def lines(self) -> Iterator[str]:
        yield (
            f"{self.kind}: {self.equal}/{self.compared} equal, {self.refused.total()} refused, "
            f"{self.by_rule.total()} by rule, {len(self.different)} different "
            f"({self.left_out} left out){'' if self.holds else '  FAILS'}"
        )
        if self.refused:
            codes = ", ".join(f"{code} {count}" for code, count in sorted(self.refused.items()))
            yield f"  refused: {codes}"
        for rule, count in self.by_rule.items():
            yield f"  by rule: {count} x {rule}"
        yield from (f"  {one}" for one in self.different[:SHOWN])


def same(a: Any, b: Any) -> bool:
    """Equal as JSON, numbers as doubles."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return float(a) == float(b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def text_of(row: Row) -> bytes:
    """The event as it was given; none at all is an empty one."""
    text = row.get("payload_json") or json.dumps(row.get("payload", {}), ensure_ascii=False)
    return str(text).encode("utf-8", "surrogatepass")


def told(row: Row, document: Any, got: Any) -> str:
    expected = "an error" if "error" in row else json.dumps(row.get("expected"))
    return f"{row['id']} {json.dumps(document)[:160]}: {str(got)[:120]}, recorded {expected[:120]}"


# -- mappings


def mapping(rows: list[Row]) -> Tally:
    tally = Tally("mapping.transform", 0.99)
    for row in rows:
        if row["kind"] != tally.kind or "@liquid" in json.dumps(row["mapping"]):
            tally.left_out += 1
            continue
        got = mapped(row)
        if "error" in row:
            is_equal = isinstance(got, Refusal)
        else:
            is_equal = not isinstance(got, Refusal) and same(got, row.get("expected"))
        if is_equal:
            tally.equal += 1
        elif rule := mapping_rule(row, got):
            tally.by_rule[rule] += 1
        else:
            tally.different.append(told(row, row["mapping"], got))
    return tally


def mapped(row: Row) -> Any:
    try:
        body = fp.Mapping(row["mapping"]).apply_json(text_of(row))
    except fp.FieldpostError as error:
        return Refusal(str(error))
    return json.loads(body) if body else None


def mapping_rule(row: Row, got: Any) -> str:
    if isinstance(got, Refusal) and got.startswith("E205"):
        return "a directive that fails whenever it is reached is refused at once"
    document = json.dumps(row["mapping"], ensure_ascii=False)
    if re.search(r"\[(\\\"|')[^\"']*\.[^\"']*(\\\"|')\]", document):
        return "dots between the quotes of a bracket belong to the key"
    numbers = re.findall(r"[0-9.]+[eE]\+?[0-9]{3,}", text_of(row).decode("utf-8", "replace"))
    if any(math.isinf(float(one)) for one in numbers):
        return "a number beyond a double is kept"
    return ""


def shipped_mapping(rows: list[Row]) -> Tally:
    """Mappings that Segment's destinations ship."""
    tally = mapping(rows)
    tally.kind, tally.least = "shipped mappings", 1.0
    return tally


# -- filters


def trigger(rows: list[Row]) -> Tally:
    def is_read(row: Row) -> bool:
        return "error" not in row and "error" not in (row.get("ast") or {})

    return filters("fql.eval", rows, "trigger", is_read, lambda row: "", 0.7)


def destination_filter(rows: list[Row]) -> Tally:
    def is_read(row: Row) -> bool:
        return "expected" in row

    return filters("destfilter.match", rows, "destination", is_read, missing_is_null, 0.8)


def missing_is_null(row: Row) -> str:
    """Documentation and evaluator disagree about what is missing; ours is the documentation."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", row["fql"])
    asks = re.search(r"\bnull\b|\b(length|lowercase|uppercase)\(|= *[A-Za-z]", bare)
    words = [one for one in re.findall(r"[A-Za-z_][\w.]*(?!\w*\()", bare) if one not in WORDS]
    if asks and any(is_missing(path, row["payload"]) for path in words):
        return "a missing value equals null and has length 0, as documented"
    return ""


WORDS = ("and", "or", "in", "null", "true", "false", "all")


def is_missing(path: str, event: Any) -> bool:
    for key in path.split("."):
        if not isinstance(event, dict) or key not in event:
            return True
        event = event[key]
    return False


def filters(
    kind: str,
    rows: list[Row],
    dialect: str,
    is_read: Callable[[Row], bool],
    rule_of: Callable[[Row], str],
    least: float,
) -> Tally:
    tally = Tally(kind, least)
    for row in rows:
        if row["kind"] != kind or "fql" not in row or not isinstance(row.get("payload"), dict):
            tally.left_out += 1
            continue
        try:
            got = fp.Filter(row["fql"], dialect=dialect).matches(text_of(row))
        except fp.FilterError as error:
            if is_read(row):
                tally.refused[error.code] += 1
            else:
                tally.left_out += 1
            continue
        if is_read(row) and got is row["expected"]:
            tally.equal += 1
        elif rule := rule_of(row):
            tally.by_rule[rule] += 1
        else:
            tally.different.append(told(row, row["fql"], got))
    return tally


def shipped_triggers(rows: list[Row]) -> Tally:
    """Texts that Segment's destinations ship: taken, with the verdict of Segment's reader."""
    tally = Tally("shipped triggers", 0.96)
    for row in rows:
        text = row["text"]
        try:
            trigger = fp.Filter(text, dialect="trigger")
        except fp.FilterError as error:
            tally.refused[error.code] += 1
            continue
        wrong = [one for one in events_for(text) if trigger.matches(one) is not reader(text, one)]
        if wrong:
            tally.different.append(f"{text}: otherwise than Segment for {wrong[0][:120]}")
        else:
            tally.equal += 1
    return tally


def reader(text: str, event: str) -> bool:
    return trigger_interpreter.verdict(text, mapping_interpreter.parse(event))


def events_for(text: str) -> list[str]:
    """Events of every type with each text that the trigger compares with, and with none of them."""
    texts = [*re.findall(r"[\"']([^\"']*)[\"']", text), "other", None, 7, True]
    types = ["track", "identify", "page", "screen", "group", "alias", "other"]
    fields = re.findall(r"\b(properties|traits|context)((?:\.[\w-]+)+)", text)
    events = []
    for kind, value in itertools.product(types, texts):
        event: Row = {"type": kind, "event": value, "name": value, "userId": value}
        for word, path in fields:
            below = event.setdefault(word, {})
            *parents, last = path[1:].split(".")
            for key in parents:
                below = below.setdefault(key, {})
            below[last] = value
        events.append(json.dumps(event))
    return events


# -- transforms


def transforms(rows: list[Row]) -> Tally:
    tally = Tally("destfilter.transform", 0.99)
    for row in rows:
        if row["kind"] != tally.kind or not isinstance(row["payload"], dict):
            tally.left_out += 1
            continue
        got = transformed(row)
        if isinstance(got, Refusal) if "error" in row else same(got, row["expected"]):
            tally.equal += 1
        else:
            tally.different.append(told(row, row["transformers"], got))
    return tally


def transformed(row: Row) -> Any:
    """The event that Segment's own transformers leave; None where they drop it."""
    document = {
        "name": "conformance",
        "type": "webhook",
        "url": "https://host.example/",
        "event_id": "content",
        "subscriptions": [{"name": "one", "transforms": row["transformers"]}],
    }
    try:
        (shown,) = fp.Destination.from_text(json.dumps(document)).preview([row["payload"]])
    except fp.FieldpostError as error:
        return Refusal(str(error))
    if shown.outcome == "invalid":
        return Refusal(shown.message)
    return None if shown.outcome == "dropped" else json.loads(shown.body)


KINDS: list[tuple[str, Callable[[list[Row]], Tally]]] = [
    ("mapping.jsonl", mapping),
    ("fql.jsonl", trigger),
    ("destfilter.jsonl", destination_filter),
    ("destfilter.jsonl", transforms),
    ("shipped/mapping.jsonl", shipped_mapping),
    ("shipped/triggers.jsonl", shipped_triggers),
]


def main(folder: Path) -> int:
    if not folder.is_dir():
        print(f"conformance: skipped, there is no folder {folder} with recorded behaviour")
        return 0
    fails = False
    for name, tally_of in KINDS:
        file = folder / name
        if not file.exists():
            print(f"{name}: skipped, not in the folder")
            continue
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
        tally = tally_of(rows)
        print(*tally.lines(), sep="\n")
        fails |= not tally.holds
    return int(fails)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
