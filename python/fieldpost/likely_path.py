"""The path that somebody meant, among the names that events have.

A tree of names is what the core's profile tells: {"count", "types", "in": {key: tree}, "items":
tree}. Steps are keys; None stands for each item of a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from .nearest_name import slips, spelled_wrong

Tree = dict[str, Any]
Steps = tuple[str | None, ...]

_PLAIN = re.compile(r"""(?! )[^.\[\]'"]+(?<! )\Z""")
_ITEM_COST = 1  # for an index that was left out
_SHOWN = 8


def likely_path(tree: Tree, steps: Sequence[str | None]) -> Steps | None:
    """The path with the fewest slips, else the one that ends in the same name; None for none."""
    found = _repaired(tree, tuple(steps))
    return found[1] if found else _elsewhere(tree, tuple(steps))


def last_there(tree: Tree, steps: Sequence[str | None]) -> tuple[Steps, Tree]:
    """The part of a path that is there, and what is below it."""
    for at, step in enumerate(steps):
        below = _below(tree, step)
        if below is None:
            return tuple(steps[:at]), tree
        tree = below
    return tuple(steps), tree


def names_in(tree: Tree) -> list[str]:
    """The most frequent names of an object."""
    inside = tree.get("in", {})
    return sorted(inside, key=lambda name: (-inside[name]["count"], name))[:_SHOWN]


def path_text(steps: Sequence[str | None], root: str = "$") -> str:
    """As a mapping writes it: `$.a['b.c'].d`, the first item of a list for each of them."""
    text = root
    for step in steps:
        if step is None or step.isdigit():
            text += f"{'.' if text == root else ''}[{step or 0}]"
        elif _PLAIN.match(step):
            text += f".{step}"
        else:
            quote = '"' if "'" in step else "'"
            text += f"{'.' if text == root else ''}[{quote}{step}{quote}]"
    return text


def _below(tree: Tree, step: str | None) -> Tree | None:
    if step is None or (step.isdigit() and "items" in tree):
        return tree.get("items")
    found: Tree | None = tree.get("in", {}).get(step)
    return found


def _repaired(tree: Tree, steps: Steps) -> tuple[int, Steps] | None:
    """(cost, path) of the cheapest reading of all steps."""
    if not steps:
        return 0, ()
    best: tuple[int, Steps] | None = None
    for cost, taken, below, rest in _readings(tree, steps):
        further = _repaired(below, rest)
        if further and (best is None or cost + further[0] < best[0]):
            best = cost + further[0], (taken, *further[1])
    return best


def _readings(tree: Tree, steps: Steps) -> Iterator[tuple[int, str | None, Tree, Steps]]:
    """Each way to take the first step: its cost, what it is, what is below, what is left."""
    step, rest = steps[0], steps[1:]
    inside: dict[str, Tree] = tree.get("in", {})
    for more in range(2, len(steps) + 1):
        joined = ".".join(str(one) for one in steps[:more])
        if joined in inside:
            yield 1, joined, inside[joined], steps[more:]
    exact = _below(tree, step)
    if exact is not None:
        yield 0, step, exact, rest
        return
    if "items" in tree and step is not None:
        yield _ITEM_COST, None, tree["items"], steps
    if step is None:
        return
    if near := spelled_wrong(step, inside):
        yield max(1, slips(step.lower(), near.lower())), near, inside[near], rest


def _elsewhere(tree: Tree, steps: Steps) -> Steps | None:
    """A path that ends in the same name, as much of the way before it as can be."""
    last = _bare(steps[-1] or "")
    if not last:
        return None
    found = [(path, node) for path, node in _paths(tree, ()) if _bare(path[-1] or "") == last]
    if not found:
        return None

    def rank(one: tuple[Steps, Tree]) -> tuple[int, int, int, str]:
        path, node = one
        return -_common_end(path, steps), -node["count"], len(path), path_text(path)

    return min(found, key=rank)[0]


def _paths(tree: Tree, before: Steps) -> Iterator[tuple[Steps, Tree]]:
    for name, below in tree.get("in", {}).items():
        yield (*before, name), below
        yield from _paths(below, (*before, name))
    if "items" in tree:
        yield from _paths(tree["items"], (*before, None))


def _bare(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def _common_end(one: Steps, other: Steps) -> int:
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if _bare(left or "") != _bare(right or ""):
            break
        count += 1
    return count
