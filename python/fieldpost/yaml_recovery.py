"""Reading on after a syntax error, so that it hides no other mistake of the file.

The line of the error, and what is indented below it, is taken out; the rest keeps its lines. What
is then said of those lines would be of our making, so `is_taken_out` tells which they are.
"""

from __future__ import annotations

import re

from .errors import Mistake
from .yaml_text import NotYaml, YamlText

_ENTRY = re.compile(r"(?P<lead>[ ]*(?:-[ ]+)*)(?P<key>[^\s:#,\[\]{}&*!|>'\"%@`-][^:#]*:)(?=\s|$)")
_MOST = 20  # syntax errors that are told at once


class Recovery:
    """The rest of a text behind its syntax errors.

    mistakes: the syntax errors, in order; places: the rest, None where it cannot be told apart.
    """

    def __init__(self, text: str, first: Mistake) -> None:
        self.mistakes = [first]
        self.places: YamlText | None = None
        self._lines = text.splitlines(keepends=True)
        self._taken_out: set[int] = set()
        while len(self.mistakes) <= _MOST and self._take_out(self.mistakes[-1].line):
            try:
                self.places = YamlText("".join(self._lines))
                return
            except NotYaml as error:
                if error.mistake.line in self._taken_out:
                    return
                self._tell(error.mistake)

    def is_taken_out(self, line: int | None) -> bool:
        """Whether a line, counted from 1, was not read."""
        return line in self._taken_out

    def _tell(self, mistake: Mistake) -> None:
        # A quote that was never closed makes what follows look wrong.
        before = mistake.line or 0
        self.mistakes = [one for one in self.mistakes if (one.line or 0) < before]
        self.mistakes.append(mistake)

    def _take_out(self, line: int | None) -> bool:
        entry = _ENTRY.match(self._lines[line - 1]) if line and line <= len(self._lines) else None
        if line is None or entry is None:
            return False
        self._replace(line, entry.group() + " null\n")
        for below in range(line + 1, len(self._lines) + 1):
            text = self._lines[below - 1]
            if text.strip() and len(text) - len(text.lstrip(" ")) <= len(entry["lead"]):
                break
            self._replace(below, "\n")
        return True

    def _replace(self, line: int, text: str) -> None:
        self._lines[line - 1] = text
        self._taken_out.add(line)
