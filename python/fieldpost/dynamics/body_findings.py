"""What a check of bodies found, each with its place in the file; and how sure it is of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..errors import Mistake
from ..nearest_name import asked, nearest, same_but_case
from ..yaml_text import Path, YamlText

_SHOWN = 12


@dataclass
class BodyFindings:
    """Mistakes and warnings in the order in which they were found. tables: those it went through.

    is_sure: whether the schema is the environment's own. The standard tables know the types, but
    not what an administrator added or made longer, so that what hangs on that is a warning.
    """

    places: YamlText
    is_sure: bool
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)

    def wrong(self, code: str, message: str, path: Path, hint: str = "") -> None:
        """Something that the service refuses, or that has no effect, in any environment."""
        self.mistakes.append(self.places.mistake(code, message, path, hint))

    def doubtful(self, code: str, message: str, path: Path, hint: str = "") -> None:
        """Something that may be right, or may be wrong in a way that does no harm."""
        self.warnings.append(self.places.mistake(code, message, path, hint))

    def in_schema(self, code: str, message: str, path: Path, hint: str = "") -> None:
        """Something that the environment's own schema decides: without it a warning."""
        if self.is_sure:
            self.wrong(code, message, path, hint)
        else:
            pull = "an environment's own? `fieldpost schema pull` tells"
            self.doubtful(code, message, path, f"{hint}; {pull}" if hint else pull)

    def unknown_name(self, name: str, path: Path, known: Iterable[str], where: str) -> str:
        """A name that nothing has, told at its key; the nearest is the hint.

        Gives the one that is surely meant, "" where it may be another.
        """
        names = list(known)
        before = len(self.mistakes), len(self.warnings)
        cased = same_but_case(name, names)
        if cased:
            told = f"{where} has no {quoted(name)}: names are case sensitive"
            self.wrong("E263", told, path, asked(cased))
            meant = cased
        else:
            near = nearest(name, names)
            self.in_schema("E262", f"{where} has no {quoted(name)}", path, asked(near))
            meant = near if self.is_sure else ""
        line, column = self.places.locate_key(path)
        for some, first in zip((self.mistakes, self.warnings), before, strict=True):
            some[first:] = [replace(one, line=line, column=column) for one in some[first:]]
        return meant


def quoted(name: str) -> str:
    """A name of a key, as messages have it."""
    return json.dumps(name, ensure_ascii=False)


def listed(names: Iterable[object]) -> str:
    """Names for a hint, the first of many."""
    every = [str(one) for one in names]
    more = f", … ({len(every)} in all)" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
