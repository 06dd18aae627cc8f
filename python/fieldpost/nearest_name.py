"""The name that somebody meant: the same in another case, else the one with the fewest slips."""

from __future__ import annotations

import json
from collections.abc import Iterable

_TOO_SHORT = 2


def same_but_case(word: str, names: Iterable[str]) -> str:
    """The name that differs in nothing but upper and lower case; "" where there is none."""
    return next((name for name in names if name.lower() == word.lower()), "")


def nearest(word: str, names: Iterable[str]) -> str:
    """The most similar name, the earlier of two; "" where none is similar.

    A slip is a letter left out, put in, replaced, or swapped with its neighbour; one is allowed
    for every three letters.
    """
    most = max(1, len(word) // 3)
    best, best_slips = "", most + 1
    for name in names:
        if abs(len(name) - len(word)) <= most:
            count = slips(word.lower(), name.lower())
            if count < best_slips:
                best, best_slips = name, count
    return best


def named(word: str, names: Iterable[str]) -> str:
    """The same name in another case, else the most similar one; "" where none is."""
    known = list(names)
    return same_but_case(word, known) or nearest(word, known)


def spelled_wrong(word: str, names: Iterable[str]) -> str:
    """As `named`, but of a word of one or two letters only the same in another case: any other
    word of its length would do."""
    known = list(names)
    return same_but_case(word, known) or (nearest(word, known) if len(word) > _TOO_SHORT else "")


def asked(name: str) -> str:
    """`did you mean "…"?`; "" for no name."""
    return f"did you mean {json.dumps(name, ensure_ascii=False)}?" if name else ""


def meant(word: str, names: Iterable[str]) -> str:
    """`did you mean "…"?`; "" where no name is similar."""
    return asked(named(word, names))


def meant_or_all(word: str, names: Iterable[str]) -> str:
    """`did you mean "…"?`, or the list of what there is."""
    known = list(names)
    return meant(word, known) or ("there are " + ", ".join(known) if known else "")


def slips(one: str, other: str) -> int:
    """How many slips lead from one to the other (optimal string alignment distance)."""
    before, last = list[int](), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
