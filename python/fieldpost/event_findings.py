"""What a sample's events say against a destination: names, values and types that are not there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .errors import Mistake
from .event_profile import (
    TYPE_NAMES,
    EventProfile,
    PathCount,
    SeenValue,
    SubscriptionCount,
    ValueCount,
)
from .likely_path import last_there, likely_path, names_in, path_text
from .nearest_name import asked, spelled_wrong

_ADDRESS = re.compile(r"^\$\.subscriptions\[\d+\]\.(url|key|to\.key)\b")
_WITH_DEFAULT = re.compile(r"\.@(default|if|exclude_when_null)\b")
_VALUES_SHOWN = 5

# Of a path in a filter: the type that its place takes, and the words for that.
_FILTER_TYPES = {
    "number": ("number", "it is compared by size, which only numbers are"),
    "string": ("text", "the function takes texts"),
    "truth": ("boolean", "alone it is a condition that only true meets"),
}


def with_suggestions(profile: EventProfile) -> EventProfile:
    """The same, each path and value that is not there with the one that may be meant."""
    paths = [replace(one, suggestion=_likely(one)) for one in profile.paths]
    values = [replace(one, suggestion=_likely_value(one)) for one in profile.values]
    return replace(profile, paths=paths, values=values)


def findings(profile: EventProfile) -> list[Mistake]:
    """A warning for each; of a profile with suggestions."""
    found = [*profile.doubts, *_of_sample(profile)]
    if profile.events:
        for path in profile.paths:
            if not _may_be_absent(path, profile.paths):
                found += _of_path(path)
        found += _of_values([one for one in profile.values if not _is_told(one, profile.paths)])
        found += [one for some in map(_of_subscription, profile.subscriptions) for one in some]
    return found


def _of_sample(profile: EventProfile) -> Iterator[Mistake]:
    invalid = profile.received - profile.events
    if not profile.received:
        yield Mistake("E299", "there are no events in it", file=profile.source)
    elif invalid:
        told = f"{_share(invalid, profile.received, 'line')} are no events"
        hint = "`fieldpost transform` tells each of them with its place"
        yield Mistake("E299", told, file=profile.source, hint=hint)
    if profile.by_place:
        told = f"only their place in the source tells {_share(profile.by_place, profile.events)}"
        steps = likely_path(profile.tree, ("messageId",))
        example = path_text(steps) if steps else "$.order_id"
        hint = f'name what is unique, such as event_id: {{"@path": "{example}"}}'
        yield Mistake("E708", f"{told} apart", "$.event_id", hint=hint)


def _may_be_absent(one: PathCount, paths: list[PathCount]) -> bool:
    """True of one that a document has a second choice for, unless another name is likely."""
    if one.present or one.null or not _WITH_DEFAULT.search(one.place):
        return False
    choices = _WITH_DEFAULT.split(one.place)[0]
    return one.suggestion is None or any(
        other.path == one.suggestion and other.place.startswith(choices) for other in paths
    )


def _of_path(one: PathCount) -> Iterator[Mistake]:
    name, among = _quoted(one.path), _among(one)
    if one.absent_elsewhere:
        events = _counted(one.absent_elsewhere, one.per)
        yield _mistake(one, "E293", f"{name} is in none of all {events}", _instead(one))
    if not one.matching:
        return
    if not one.present:
        if one.null == one.matching:
            yield _mistake(one, "E294", f"{name} is null in all of {among}", "")
        else:
            null = f", and null in {one.null:,} of them" if one.null else ""
            yield _mistake(one, "E293", f"{name} is in none of {among}{null}", _instead(one))
        return
    yield from _of_types(one, name)
    lacking = one.missing + one.null
    if lacking and _ADDRESS.match(one.place) and not _WITH_DEFAULT.search(one.place):
        told = f"{name}, a part of the {_part(one)}, is not in {_share_of(lacking, one)}"
        hint = "leave those events out with the filter, or write a @default"
        yield _mistake(one, "E298", told, hint)


def _of_types(one: PathCount, name: str) -> Iterator[Mistake]:
    wanted = _FILTER_TYPES.get(one.wanted)
    if wanted and wanted[0] not in one.types:
        hint = ""
        if one.wanted == "number" and "text" in one.types:
            hint = f"write number({one.path}) to compare the number that the text holds"
        if one.wanted == "truth" and {"text", "number"} & set(one.types):
            hint = f"write bool({one.path})"
        told = f"{name} is never a {wanted[0]}, but {_types(one)}: {wanted[1]}"
        yield _mistake(one, "E297", told, hint)
    elif one.wanted == "text" and "object" in one.types:
        told = f"{name} is an object in {_share_of(one.types['object'], one)}"
        hint = "name a member of it, or write @json"
        yield _mistake(one, "E297", f'{told}, put in as "[object Object]"', hint)
    elif one.wanted == "list" and not {"list", "object"} & set(one.types):
        told = f"{name} is never a list, but {_types(one)}, which @arrayPath passes on as it is"
        yield _mistake(one, "E297", told, "")


def _is_told(one: ValueCount, paths: list[PathCount]) -> bool:
    """True of a condition whose field never has the type that it takes."""
    of_field = (path for path in paths if (path.place, path.path) == (one.place, one.field))
    return one.type is None and any(True for path in of_field for _ in _of_path(path))


def _of_values(values: list[ValueCount]) -> Iterator[Mistake]:
    """One for each; many of one field that nothing resembles are told together."""
    alike = Counter(_field_of(one) for one in values if _has_no_match(one))
    told = set[tuple[str, str | None]]()
    for one in values:
        key = _field_of(one)
        if not _has_no_match(one) or alike[key] <= _VALUES_SHOWN:
            yield from _of_value(one)
        elif key not in told:
            told.add(key)
            yield from _of_value(one, alike[key] - 1)


def _field_of(one: ValueCount) -> tuple[str, str | None]:
    return one.place, one.field


def _has_no_match(one: ValueCount) -> bool:
    return not (one.events or one.suggestion or one.is_negated or one.type in (None, "null"))


def _of_value(one: ValueCount, others: int = 0) -> Iterator[Mistake]:
    there = [seen for seen in one.seen if seen.type not in ("missing", "null")]
    if one.events or not there or one.type == "null":
        return
    if one.is_negated and not one.suggestion:
        return  # it guards against something that this sample does not have
    shown = ", ".join(f"{seen} ({seen.events:,})" for seen in there[:_VALUES_SHOWN])
    instead = f"there {'is' if len(there) == 1 else 'are'} {shown}"
    if one.type is None:
        told, hint = f"{_quoted(one.text)} holds for none of the events", instead
    else:
        more = f" or one of {others:,} other values" if others else ""
        told = f"none of the events has {one.text}{more} as {_quoted(one.field or '')}"
        hint = one.suggestion or instead
    yield Mistake("E295", told, one.place, one.line, one.column, hint)


def _of_subscription(one: SubscriptionCount) -> Iterator[Mistake]:
    if not one.events:
        told = f"{_quoted(one.name)} takes none of the events"
        yield Mistake("E296", told, one.place, one.line, one.column)


# -- what may be meant


def _likely(one: PathCount) -> str | None:
    looked_at = one.matching or one.absent_elsewhere
    if one.present or one.null or not looked_at or one.steps is None:
        return None
    steps = likely_path(one.tree, one.steps)
    return None if steps is None or steps == one.steps else _written(one, steps)


def _written(one: PathCount, steps: Sequence[str | None]) -> str:
    """A path as the place writes it: from the item where it is one's, without $. in a template."""
    own = one.steps or ()
    inside = max((at + 1 for at, step in enumerate(own) if step is None), default=0)
    if one.per == "item" and inside:
        if tuple(steps[:inside]) != own[:inside]:
            return f'{{"@root": "{path_text(steps)}"}}'
        steps = steps[inside:]
    text = path_text(steps)
    bare = text.removeprefix("$.") if not text.startswith("$.[") else text
    if one.wanted == "text":
        return f"{{{{{bare}}}}}"
    return bare if one.is_filters and not one.path.startswith("$") else text


def _instead(one: PathCount) -> str:
    if one.suggestion:
        told = asked(one.suggestion) if not one.suggestion.startswith("{") else ""
        told = told or f"did you mean {one.suggestion}?"
        if "[0]" in one.suggestion and "[0]" not in one.path and not one.is_filters:
            told += " There is a list on the way: @arrayPath takes each of its items"
        return told
    if one.steps is None:
        return ""
    there, below = last_there(one.tree, one.steps)
    if names := names_in(below):
        return f"there {'is' if len(names) == 1 else 'are'} {', '.join(map(_quoted, names))}"
    types = [_a(TYPE_NAMES[kind]) for kind in below["types"] if kind != "undefined"]
    return f"{_quoted(path_text(there))} is {' or '.join(types)}" if there and types else ""


def _likely_value(one: ValueCount) -> str | None:
    if one.events or one.type in (None, "null") or one.literal is None:
        return None
    alike = [seen for seen in one.seen if seen.text == one.literal and seen.type != one.type]
    if alike:
        seen = alike[0]
        return f"{_have(seen)} the {seen.type} {seen}"
    texts = [seen for seen in one.seen if seen.type == "text" and one.type == "text"]
    trimmed = [seen for seen in texts if seen.text.strip() == one.literal.strip()]
    near = spelled_wrong(one.literal, [seen.text for seen in texts])
    close = trimmed or [seen for seen in texts if near and seen.text == near]
    return f"{asked(close[0].text)} {_have(close[0])} it" if close else None


# -- words


def _mistake(one: PathCount, code: str, told: str, hint: str) -> Mistake:
    return Mistake(code, told, one.place, one.line, one.column, hint)


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text else text


def _among(one: PathCount) -> str:
    if one.per == "item":
        return f"the {_counted(one.matching, 'item')}"
    takes = "" if one.is_filters or one.subscription is None else " that its filter takes"
    return f"the {_counted(one.matching, 'event')}{takes}"


def _share_of(count: int, one: PathCount) -> str:
    return _share(count, one.matching, one.per)


def _share(count: int, of: int, noun: str = "event") -> str:
    return f"{count:,} of {_counted(of, noun)}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _have(seen: SeenValue) -> str:
    return _counted(seen.events, "event") + (" has" if seen.events == 1 else " have")


def _types(one: PathCount) -> str:
    return " or ".join(map(_a, one.types))


def _a(type_name: str) -> str:
    return {"object": "an object", "null": "null"}.get(type_name, f"a {type_name}")


def _part(one: PathCount) -> str:
    return "address" if ".url" in one.place else "key"
