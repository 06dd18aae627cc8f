"""Which named points were reached, by which form: what has not been tried proves nothing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from child import Doom
from form import LEFT_OVER, Form

# What a run passes once, or few times.
_ONCE = ("begin_run", "note_ended", "hold_unconfirmed", "merge_filtered", "end_run", "authorize")


class Points:
    """Chooses the next point to die at, and counts the deaths."""

    def __init__(self, forms: Sequence[Form], chance: random.Random) -> None:
        self._forms = forms
        self._chance = chance
        self._aimed: Counter[tuple[str, str]] = Counter()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._reached: Counter[tuple[str, str]] = Counter()

    @property
    def pairs(self) -> int:
        """How many points there are, over all forms."""
        return sum(len(form.points) for form in self._forms)

    def aim(self, form: Form) -> str:
        """A point that nobody died at yet, if any; first of those that chance seldom reaches."""
        points = self._missing_of(form)
        self._chance.shuffle(points)
        points.sort(key=lambda one: (self._aimed[form.name, one], not one.endswith(LEFT_OVER)))
        if points:
            self._aimed[form.name, points[0]] += 1
        return points[0] if points else ""

    def _missing_of(self, form: Form) -> list[str]:
        return [one for one in form.points if not self._reached[form.name, one]]

    def next(self, form: Form) -> Doom:
        """A point of those least tried, and at which pass of it to die: the first until reached.

        Some are passed only where another child died before, so others are mixed in.
        """
        points = form.points
        missing = self._missing_of(form)
        if missing and self._chance.random() < 0.4:
            points = missing
        least = min(self._asked[form.name, one] for one in points)
        few = [one for one in points if self._asked[form.name, one] == least]
        point = self._chance.choice(few)
        self._asked[form.name, point] += 1
        later = self._reached[form.name, point] > 0 and not point.endswith(_ONCE)
        return Doom(point, self._chance.choice((1, 1, 2, 3, 7)) if later else 1)

    def reached(self, form: Form, point: str) -> None:
        """A child died there."""
        self._reached[form.name, point] += 1

    def missing(self) -> list[tuple[Form, str]]:
        """The points that nobody died at."""
        return [(form, point) for form in self._forms for point in self._missing_of(form)]

    def table(self) -> str:
        """Deaths by point and form."""
        names = [form.name for form in self._forms]
        points = dict.fromkeys(point for form in self._forms for point in form.points)
        rows = [f"{'':32}" + " ".join(f"{name:>11}" for name in names)]
        for point in points:
            cells = [
                f"{self._reached[form.name, point] if point in form.points else '-':>11}"
                for form in self._forms
            ]
            rows.append(f"{point:32}" + " ".join(cells))
        return "\n".join(rows)
