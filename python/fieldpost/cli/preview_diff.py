"""A preview against the rows as they are, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group

from fieldpost.terminal import grid, line

from .printing import counted, out

if TYPE_CHECKING:
    from fieldpost import PreviewDiff

_COLOURS = {"create": "green", "update": "yellow", "delete": "red", "refuse": "red"}
_SHOWN = 5  # events in full; the counts are of all
_FIRST = ("refuse", "delete")  # what somebody has to see, wherever it stands


def show(told: PreviewDiff) -> None:
    """Some events field by field, refusals and deletions first; the counts of all, and the plan."""
    ranks = {effect: rank for rank, effect in enumerate(_FIRST)}
    rows = sorted(told.rows, key=lambda row: ranks.get(row.effect, len(_FIRST)))
    for row in rows[:_SHOWN]:
        colour = _COLOURS.get(row.effect, "dim")
        head = f"{row.subscription} line {row.line} {row.event_id}"
        out.print(line((head, "bold"), " ", (row.effect, colour)))
        for address in row.addresses:
            out.print(line("  ", (address, "dim")))
        if row.code or row.message:
            out.print(line("  ", f"{row.code} {row.message}".strip()))
        for change in row.changes:
            before, after = (_text(value) for value in (change.before, change.after))
            out.print(line(f"  {change.field}: ", (before, "red"), " → ", (after, "green")))
    if len(told) > _SHOWN:
        out.print(line((f"… and {len(told) - _SHOWN:,} more", "dim")))
    _counts(told)
    _plan(told)


def _counts(told: PreviewDiff) -> None:
    parts: list[str | tuple[str, str]] = []
    for effect, count in told.counts.items():
        if count:
            parts += [", " if parts else "", (f"{count:,} {effect}", _COLOURS.get(effect, "dim"))]
    out.print(line(f"{len(told):,} compared: ", *(parts or ["no event matches"])))


def _text(value: object) -> str:
    return "–" if value is None else repr(value) if isinstance(value, str) else str(value)


def _plan(told: PreviewDiff) -> None:
    plan = told.plan
    out.print(line("plan: ", str(plan)))
    if not plan.requests:
        return
    rows = [[limit.name, limit.allows, f"{limit.seconds:,.1f}"] for limit in plan.limits]
    out.print(Group(*grid(("limit", "allows", "seconds"), rows, right=2)))
    if plan.dop_hint:
        out.print(f"the service advises {counted(plan.dop_hint, 'request')} at once")
