"""What two mappings, or two destinations, make of the same events: a mapping's review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from . import json_text
from ._core import Chunk
from .difference import MISSING, sides
from .errors import EventError, SourceError
from .html_table import html_table
from .stage import Piece, Row, Stage, in_order
from .yaml_text import Path, path_text

KINDS = (
    "unchanged",
    "changed",
    "newly_matched",
    "no_longer_matched",
    "newly_invalid",
    "no_longer_invalid",
)
_MOST_PATHS = 1000
_MOST_FIELDS = 50  # of one event


class Field(NamedTuple):
    """A place of a body; old and new are JSON text, None where there is no such place."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Difference:
    """One event that is not as it was, for one subscription."""

    kind: str
    subscription: str
    source: str
    line: int
    event_id: str | None
    code: str | None
    error: str | None
    fields: tuple[Field, ...]


@dataclass
class Comparison:
    """Events by what changed between an old and a new mapping, and some of them field by field.

    subscriptions: counts by name, of `unchanged` (no body in both counts, too), `changed`,
    `newly_matched`, `no_longer_matched`, `newly_invalid`, `no_longer_invalid`; they add up to
    `received`. paths: how many bodies changed at each place (the items of a list are one place).
    Bodies are equal as JSON, numbers as doubles. error: why the source was not read to its end.
    Truthy where something changed.
    """

    received: int = 0
    subscriptions: dict[str, dict[str, int]] = field(default_factory=dict)
    paths: Counter[str] = field(default_factory=Counter)
    examples: list[Difference] = field(default_factory=list)
    error: SourceError | None = None

    def __getitem__(self, kind: str) -> int:
        """Events of a kind, over all subscriptions."""
        return sum(counts[kind] for counts in self.subscriptions.values())

    def __bool__(self) -> bool:
        return any(self[kind] for kind in KINDS[1:])

    def to_dict(self) -> dict[str, Any]:
        """As `transform --against --output json` prints it."""
        return {
            "received": self.received,
            **{kind: self[kind] for kind in KINDS},
            "subscriptions": self.subscriptions,
            "paths": dict(self.paths.most_common()),
            "examples": [
                asdict(one) | {"fields": [part._asdict() for part in one.fields]}
                for one in self.examples
            ],
            "error": str(self.error) if self.error else None,
        }

    def __repr__(self) -> str:
        told = ", ".join(f"{self[kind]} {kind}" for kind in KINDS if self[kind])
        broken = f"; {self.error}" if self.error else ""
        return f"<Comparison: {self.received} received; {told or 'nothing'}{broken}>"

    def _repr_html_(self) -> str:
        counts = [[name, *one.values()] for name, one in self.subscriptions.items()]
        rows = [
            [one.kind, f"{one.source}:{one.line}", part.path, part.old, part.new]
            for one in self.examples
            for part in one.fields or (Field("", None, one.error),)
        ]
        parts = ("kind", "event", "path", "old", "new")
        return html_table(("subscription", *KINDS), counts) + html_table(parts, rows)


def compare(chunks: Iterable[Chunk], new: Stage, old: Stage, shown: int = 10) -> Comparison:
    """Every event through both stages. Subscriptions belong together by id."""
    told = Comparison()
    names = dict([*old.subscriptions, *new.subscriptions])
    told.subscriptions = {name: dict.fromkeys(KINDS, 0) for name in names.values()}
    titles = ({one: key for key, one in old.subscriptions}, {n: k for k, n in new.subscriptions})
    threads = min(new.threads, old.threads)
    try:
        for before, after in in_order(chunks, lambda one: (old.work(one), new.work(one)), threads):
            _compare_pieces(told, before, after, titles, names, shown)
    except SourceError as error:
        told.error = error
    return told


def _compare_pieces(
    told: Comparison,
    before: Piece,
    after: Piece,
    titles: tuple[dict[str, str], dict[str, str]],
    names: dict[str, str],
    shown: int,
) -> None:
    told.received += after.received
    seen = Counter[str]()
    if titles[0] != titles[1] or not _same(before, after):
        old, new = _by_place(before, titles[0]), _by_place(after, titles[1])
        for place in sorted(old.keys() | new.keys()):
            name = names[place[1]]
            seen[name] += 1
            _compare_rows(told, name, old.get(place), new.get(place), shown)
    for name, counts in told.subscriptions.items():
        counts["unchanged"] += after.received - seen[name]


def _same(before: Piece, after: Piece) -> bool:
    """Whether two pieces are alike to the byte; nearly all are in a review."""
    return (
        before.tallies() == after.tallies()
        and bytes(before.text()) == bytes(after.text())
        and before.positions() == after.positions()
        and before.ended() == after.ended()
    )


def _by_place(piece: Piece, titles: dict[str, str]) -> dict[tuple[int, str], Row]:
    return {(row.line, titles[row.subscription]): row for row in piece.rows()}


def _compare_rows(
    told: Comparison, name: str, old: Row | None, new: Row | None, shown: int
) -> None:
    kind = _kind(old, new)
    fields: list[tuple[Path, Any, Any]] = []
    if kind == "changed":
        assert old is not None and new is not None
        fields = _fields(old.body, new.body)
        kind = "changed" if fields else "unchanged"
    told.subscriptions[name][kind] += 1
    if kind == "unchanged":
        return
    for path in {_place(path) for path, _, _ in fields}:
        if path in told.paths or len(told.paths) < _MOST_PATHS:
            told.paths[path] += 1
    if len(told.examples) < shown:
        row = new or old
        assert row is not None
        parts = tuple(
            Field(path_text(path), _text(a), _text(b)) for path, a, b in fields[:_MOST_FIELDS]
        )
        place = (row.source, row.line, row.event_id, row.code, row.error)
        told.examples.append(Difference(kind, name, *place, parts))


def _fields(old: bytes | None, new: bytes | None) -> list[tuple[Path, Any, Any]]:
    if old == new:
        return []
    try:
        return list(sides(_value(old), _value(new)))
    except (EventError, RecursionError):
        return [((), "nested too deeply to show", "nested too deeply to show")]


def _kind(old: Row | None, new: Row | None) -> str:
    before, after = _state(old), _state(new)
    if before == after:
        return "changed" if before == "body" else "unchanged"
    if after == "invalid":
        return "newly_invalid"
    if before == "invalid":
        return "no_longer_invalid"
    return "newly_matched" if after == "body" else "no_longer_matched"


def _state(row: Row | None) -> str:
    if row is None or row.outcome == "dropped":
        return "nothing"
    return row.outcome or "body"


def _value(body: bytes | None) -> Any:
    return MISSING if body is None else json_text.read_exact(body)


def _text(value: Any) -> str | None:
    return None if value is MISSING else json_text.shown(value)


def _place(path: Path) -> str:
    """A path with all items of a list as one."""
    steps = ("[*]" if isinstance(step, int) else path_text((step,))[1:] for step in path)
    return "$" + "".join(steps)
