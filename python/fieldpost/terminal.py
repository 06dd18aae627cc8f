"""A console for people, where no text that is printed can give it commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from .visible_text import one_line, visible


class Terminal(Console):
    """Prints texts as they are: no markup, no emoji codes, control characters as escapes.

    Styles come from `line` and from rich's own renderables.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

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


def line(*parts: str | tuple[str, str]) -> Text:
    """One line of texts, and of (text, style); a newline within a text is shown as an escape."""
    shown = [
        one_line(part) if isinstance(part, str) else (one_line(part[0]), part[1]) for part in parts
    ]
    return Text.assemble(*shown)
