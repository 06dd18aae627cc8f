"""What may stand at a place of a body, as far as its document tells without an event.

A directive's value is unknown, but often not its type: @template gives a text whatever it is made
of. Where branches differ (@if, @default, @lookup) each is a part of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..yaml_text import Path

Kind = Literal[
    "literal",  # written out: value is a text, a number, a boolean or None
    "row",  # an object whose members are documents
    "list",  # a list of documents
    "bind",  # {"@bind": value}
    "text",
    "number",
    "boolean",
    "moment",
    "date",
    "uuid",
    "unknown",
]
_TYPED: dict[str, Kind] = {
    "@template": "text",
    "@string": "text",
    "@replace": "text",
    "@number": "number",
    "@boolean": "boolean",
    "@uuid": "uuid",
}
_DEEPEST = 64  # a level is several calls, and the core refuses 256


@dataclass(frozen=True)
class Part:
    """One of the things that may stand at a place. path: where it is written.

    whole: of a row, whether no other object adds members to it. directive: what it comes from.
    """

    kind: Kind
    path: Path
    value: Any = None
    directive: str = ""
    whole: bool = True

    @property
    def is_null(self) -> bool:
        """Whether it is null, written out."""
        return self.kind == "literal" and self.value is None


def parts(document: Any, path: Path) -> Iterator[Part]:
    """What a document may give, each with its place."""
    name = directive_of(document)
    if len(path) > _DEEPEST:
        yield Part("unknown", path)
    elif name:
        yield from _of_directive(name, document[name], (*path, name))
    elif isinstance(document, dict):
        yield Part("row", path, document)
    elif isinstance(document, list):
        yield Part("list", path, document)
    else:
        yield Part("literal", path, document)


def directive_of(document: Any) -> str:
    """The directive that an object is: its first key with one @; "" where it is none."""
    if not isinstance(document, dict):
        return ""
    return next((k for k in document if k.startswith("@") and not k.startswith("@@")), "")


def body_key(written: str) -> str:
    """The member that a key of a document makes: `@@odata.type` makes `@odata.type`."""
    return written[1:] if written.startswith("@@") else written


def _of_directive(name: str, argument: Any, path: Path) -> Iterator[Part]:
    if name in _TYPED:
        yield Part(_TYPED[name], path, argument, name)
    elif name == "@bind":
        yield Part("bind", path, argument, name)
    elif name in ("@literal", "@excludeWhenNull"):
        yield from parts(argument, path)
    elif name == "@default" and isinstance(argument, list):
        for index, one in enumerate(argument):
            yield from parts(one, (*path, index))
    elif name == "@arrayPath" and isinstance(argument, list) and len(argument) > 1:
        yield Part("list", path, _Shape(argument[1]), name)
    elif name == "@json" and isinstance(argument, dict) and argument.get("mode") == "encode":
        yield Part("text", path, None, name)
    elif isinstance(argument, dict):
        yield from _of_options(name, argument, path)
    else:
        yield Part("unknown", path, None, name)


class _Shape(list[Any]):
    """The items of an @arrayPath: one document for all of them, second of its arguments."""

    def __init__(self, document: Any) -> None:
        super().__init__([document])


def items(part: Part) -> Iterator[tuple[Any, Path]]:
    """The documents of a list, each with its place."""
    first = 1 if isinstance(part.value, _Shape) else 0
    for index, one in enumerate(part.value):
        yield one, (*part.path, index + first)


def _of_options(name: str, options: dict[str, Any], path: Path) -> Iterator[Part]:
    branches = {"@if": ("then", "else"), "@transform": ("mapping",)}.get(name, ())
    if branches:
        for key in branches:
            if key in options:
                yield from parts(options[key], (*path, key))
    elif name == "@lookup" and isinstance(options.get("table"), dict):
        for key, one in options["table"].items():
            yield from parts(one, (*path, "table", key))
        if "default" in options:
            yield from parts(options["default"], (*path, "default"))
    elif name == "@merge" and isinstance(options.get("objects"), list):
        for index, one in enumerate(options["objects"]):
            for part in parts(one, (*path, "objects", index)):
                yield Part(part.kind, part.path, part.value, part.directive, whole=False)
    elif name == "@date":
        yield Part("date" if options.get("to") == "date" else "moment", path, options, name)
    else:
        yield Part("unknown", path, None, name)
