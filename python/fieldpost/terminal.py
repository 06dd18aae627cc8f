"""A console for people, where no text that is printed can give it commands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from .visible_text import one_line, visible


class Terminal(Console):
    """Prints texts as they are: no markup, no emoji codes, control characters as escapes.

    Styles come from `line` and from rich's own renderables; with NO_COLOR there are none, bold and
    dim among them. On a terminal lines break between words; elsewhere they do not break.
    """

    def __init__(self, **options: Any) -> None:
        if os.environ.get("NO_COLOR"):
            options["color_system"] = None
        super().__init__(markup=False, emoji=False, highlight=False, **options)
        self.soft_wrap = not self.is_terminal

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; a word that is longer than a line stays whole. soft_wrap: no line is broken, for
        what somebody copies or searches."""
        are_texts = all(isinstance(one, str | Text) for one in objects)
        if self.soft_wrap or options or not objects or not are_texts:
            super().print(*objects, **options)
            return
        texts = [one if isinstance(one, Text) else Text(visible(one)) for one in objects]
        for one in Text(" ").join(texts).split("\n", allow_blank=True):
            for part in _broken(one, self.width):
                super().print(part, soft_wrap=True)

    def render_str(self, text: str, **options: Any) -> Text:
        """A text's escapes take part in its width; rich would drop some characters unseen."""
        return super().render_str(visible(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Every text passes here, whichever way it was made."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)


def _broken(text: Text, width: int) -> list[Text]:
    """A line as lines of so many cells, broken between words; those behind the first stand in."""
    stands_in = len(text.plain) - len(text.plain.lstrip(" ")) + 2
    ends, at = [], 0
    for word in re.finditer(r"\s*\S+", text.plain):
        cells = cell_len(word[0])
        if at and at + cells > width:
            ends.append(word.start() + len(word[0]) - len(word[0].lstrip()))
            at = stands_in + cell_len(word[0].lstrip())
        else:
            at += cells
    first, *rest = text.divide(ends)
    lines = [first, *(Text.assemble(" " * stands_in, one) for one in rest)]
    for one in lines:
        one.rstrip()
    return lines


def grid(head: Sequence[str], rows: Sequence[Sequence[Text | str]], right: int = 1) -> list[Text]:
    """Aligned lines that are never broken, without spaces at their ends.

    right: the first column, from 0, whose cells stand at its right side.
    """
    lines = [[one if isinstance(one, Text) else line(one) for one in row] for row in (head, *rows)]
    widths = [max(one.cell_len for one in cells) for cells in zip(*lines, strict=True)]
    for row in lines:
        for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
            room = " " * (width - cell.cell_len)
            row[at] = Text.assemble(room, cell) if at >= right else Text.assemble(cell, room)
    made = [Text(" ") + Text("  ").join(row) for row in lines]
    for one in made:
        one.rstrip()
    return made


def line(*parts: str | tuple[str, str]) -> Text:
    """One line of texts, and of (text, style); a newline within a text is shown as an escape."""
    shown = [
        one_line(part) if isinstance(part, str) else (one_line(part[0]), part[1]) for part in parts
    ]
    return Text.assemble(*shown)
