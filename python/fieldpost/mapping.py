"""A mapping on its own: events in, bodies out, nothing delivered.

mapping = fp.Mapping({"name": {"@path": "$.properties.company"}})
mapping.apply({"properties": {"company": "Acme"}})      # {"name": "Acme"}
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple, Protocol, final

from . import _core, json_text
from .errors import EventError, MappingError, Mistake
from .html_table import html_table
from .lookup_tables import fill
from .yaml_text import NotYaml, YamlText

# How many filters a mapping keeps compiled pairs for.
_MOST_PAIRS = 8
_MOST_SHOWN = 25  # bodies, and invalid lines, in a notebook's table


@final
class Undefined:
    """No value at all, which is not null: what a mapping gives where its path leads nowhere."""

    _only: Undefined | None = None

    def __new__(cls) -> Undefined:  # noqa: D102
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "fieldpost.UNDEFINED"

    def __reduce__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()


class FilterLike(Protocol):
    """What is read of a filter: `fieldpost.Filter` has it."""

    @property
    def _text(self) -> str: ...
    @property
    def _dialect(self) -> str | None: ...


class InvalidLine(NamedTuple):
    """A line that is no event, or that the mapping cannot handle; `line` is counted from 1."""

    line: int
    offset: int
    code: str
    message: str


class Lines:
    """What lines of events became.

    text: every body, each ended by a newline, as one view of memory that lives as long as any
    view. line_numbers: of the lines that gave them, counted from 1. Lines whose body is undefined,
    or that the filter does not let through, are in neither; `invalid` has those that failed.
    """

    def __init__(self, lines: _core.Lines) -> None:
        self._lines = lines
        self._numbers: list[int] | None = None

    @property
    def received(self) -> int:
        """How many lines there were, blank ones not counted."""
        return self._lines.received

    @property
    def text(self) -> memoryview:
        """All bodies in UTF-8, one a line."""
        return self._lines.text

    @property
    def line_numbers(self) -> list[int]:
        """The number of the line that each body came from."""
        if self._numbers is None:
            self._numbers = self._lines.line_numbers
        return self._numbers

    @property
    def invalid(self) -> list[InvalidLine]:
        """The lines that gave no body because something is wrong with them."""
        return [InvalidLine(*row) for row in self._lines.invalid()]

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[bytes]:
        # A body holds no newline: JSON writes it as an escape.
        return iter(bytes(self.text).splitlines() if len(self) else ())

    def __repr__(self) -> str:
        return f"<Lines: {len(self)} bodies, {len(self._lines.invalid())} invalid>"

    def _repr_html_(self) -> str:
        bodies = islice(zip(self.line_numbers, self, strict=True), _MOST_SHOWN)
        rows = [(number, body.decode("utf-8"), "") for number, body in bodies]
        rows += [(one.line, "", f"{one.code} {one.message}") for one in self.invalid[:_MOST_SHOWN]]
        table = html_table(("line", "body", "invalid"), [list(row) for row in sorted(rows)])
        return f"{table}<p>{len(self)} bodies, {len(self.invalid)} invalid lines</p>"


class Mapping:
    """A compiled mapping: what the body of an event is. Immutable; share it between threads.

    document: the mapping as a value that JSON can hold. `{"@lookup": {"file": …}}` is read from
    `folder` (the working folder unless given), once, now.
    Raises MappingError with every mistake of the document.
    """

    def __init__(self, document: Any, *, folder: str | Path = ".") -> None:
        self._open(_text_of(fill(document, Path(folder))))

    @classmethod
    def from_file(cls, path: str | Path) -> Mapping:
        """The mapping that a YAML or JSON file holds; `@lookup` files are found beside it.

        Raises MappingError with every mistake, its line and its column.
        """
        name = str(path)
        try:
            places = YamlText(Path(path).read_bytes().decode("utf-8").removeprefix("\ufeff"))
        except NotYaml as error:
            raise MappingError([error.mistake], name) from None
        except (OSError, UnicodeDecodeError) as error:
            told = f"the file cannot be read ({type(error).__name__})"
            raise MappingError([Mistake("E104", told, hint="look at the path")], name) from None
        if places.mistakes:
            raise MappingError(places.mistakes, name)
        try:
            return cls(places.data, folder=Path(path).parent)
        except MappingError as error:
            raise MappingError([_placed(one, places) for one in error.mistakes], name) from None

    def _open(self, text: str) -> None:
        self._text = text
        self._expression = _compile(text, None, None)
        self._pairs: OrderedDict[tuple[str, str | None], _core.Expression] = OrderedDict()
        self._lock = Lock()

    def apply(self, event: dict[str, Any]) -> Any:
        """The body of one event as a Python value, or UNDEFINED. Raises EventError."""
        body = self.apply_json(_event_text(event))
        return json_text.read(body) if body else UNDEFINED

    def apply_json(self, event: bytes | bytearray | memoryview | str) -> bytes:
        """The body of one event's JSON text as compact UTF-8; b"" where it is undefined.

        Lone surrogates come out as \\udXXX escapes. Raises EventError.
        """
        if isinstance(event, str):
            event = event.encode("utf-8", "surrogatepass")
        try:
            return self._expression.apply(event)
        except _core.EventFault as fault:
            raise EventError(*fault.args) from None

    def apply_lines(
        self, ndjson: bytes | bytearray | memoryview, filter: FilterLike | None = None
    ) -> Lines:
        """The bodies of many events, one a line; of those that `filter` lets through, if given.

        The bytes are read where they lie; other threads run meanwhile.
        """
        expression = self._expression if filter is None else self._behind(filter)
        return Lines(expression.apply_lines(ndjson))

    def _behind(self, filter: FilterLike) -> _core.Expression:
        """Mapping and filter compiled into one, so that one walk over a line serves both."""
        key = (filter._text, filter._dialect)
        with self._lock:
            pair = self._pairs.get(key) or _compile(self._text, *key)
            self._pairs[key] = pair
            self._pairs.move_to_end(key)
            if len(self._pairs) > _MOST_PAIRS:
                self._pairs.popitem(last=False)
        return pair

    @property
    def paths(self) -> list[str]:
        """The paths of the event that are read, sorted: `$.a`, of a list's items `$.list[].b`."""
        return self._expression.paths()

    @property
    def warnings(self) -> list[Mistake]:
        """What works as for Segment but surprises; the hint is the clean way to write it."""
        return [Mistake(code, text, path, hint=hint) for code, text, path, hint in self._rows()]

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return self._expression.warnings()

    def __getstate__(self) -> str:
        return self._text

    def __setstate__(self, state: str) -> None:
        self._open(state)

    def __repr__(self) -> str:
        text = self._text if len(self._text) <= 60 else self._text[:57] + "..."
        return f"fieldpost.Mapping({text})"


def _placed(mistake: Mistake, places: YamlText) -> Mistake:
    line, column = places.locate(mistake.path)
    return replace(mistake, line=line, column=column)


def _compile(text: str, filter_text: str | None, dialect: str | None) -> _core.Expression:
    try:
        return _core.Expression(text, filter_text, dialect)
    except _core.DocumentError as error:
        mistakes = [
            Mistake(code, message, path, hint=hint)
            for code, message, path, hint, _begin, _end in error.args[1]
        ]
        raise MappingError(mistakes) from None


def _text_of(document: Any) -> str:
    try:
        text = json_text.write(document).decode("utf-8")
    except json_text.NotJson as error:
        message = f"a mapping holds what JSON can hold, not {error.kind}"
        raise MappingError([Mistake("E208", message, error.path)]) from None
    if "\\ud" in text:
        _refuse_lone_surrogates(document)
    return text


def _refuse_lone_surrogates(document: Any) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        message = "a mapping cannot hold half of a character (a lone surrogate)"
        raise MappingError([Mistake("E208", message, "$")]) from None


def _event_text(event: Any) -> bytes:
    try:
        return json_text.write(event)
    except json_text.NotJson as error:
        raise EventError(
            "E409", f"an event holds what JSON can hold, not {error.kind}", error.path
        ) from None
