"""Segment's reader of triggers in plain Python, oddities and all: `dialect: trigger` is held to it.

`verdict` says what Segment does with a text and an event: it skips what it does not know, groups by
the last "and" or "or" of a level and never fires where it cannot read. Recorded cases hold this
reader itself, see test_trigger_interpreter.py.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from mapping_interpreter import falsy, is_nothing, number_text, property_of

FIELDS = ("type", "event", "name", "userId", "properties", "traits", "context")
NESTED = ("properties", "traits", "context")
ORDER = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class Unreadable(Exception):
    """Segment's lexer or parser gives up: the trigger never fires."""


class Token(NamedTuple):
    kind: str  # name, joiner, null, number, string, op, mark
    text: str  # of a string with its quotes


class Condition(NamedTuple):
    path: list[str]
    operator: str
    value: Any


class Group(NamedTuple):
    joiner: str
    children: list[Any]


def verdict(text: str, event: Any) -> bool:
    """Whether Segment's trigger takes an event (JSON whose numbers are floats)."""
    try:
        return holds(parsed(text), event)
    except Unreadable:
        return False


def parsed(text: str) -> Any:
    tree = group_of(folded(Lexer(text).run()))
    if tree is None:
        raise Unreadable("no condition")
    return tree


# --- words


class Lexer:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.tokens: list[Token] = []

    def run(self) -> list[Token]:
        while self.at < len(self.text):
            self.next()
        return self.tokens

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def ends(self) -> bool:
        return self.peek() == "" or self.peek() in " \t\n,])"

    def add(self, kind: str, text: str) -> None:
        self.tokens.append(Token(kind, text))

    def accept(self, rest: str) -> bool:
        before, ended = self.at, False
        while self.at < before + len(rest) and not ended:
            if self.peek() == "":
                return False  # what was read stays read
            ended = self.ends()
            self.at += 1
        if self.text[before : self.at] == rest and self.ends():
            return True
        self.at = before
        return False

    def next(self) -> None:
        c = self.peek()
        self.at += 1
        if c in " \t\n":
            return
        if c == "!" and re.match("[A-Za-z(]", self.peek()):
            self.add("op", "!")
        elif re.match(r"[A-Za-z!=<>\\_]", c):
            self.word(c)
        elif re.match("[0-9+-]", c):
            self.number(c)
        elif c in "'\"":
            self.string(c)
        elif c in ".[](),":
            self.add("mark", c)
        else:
            raise Unreadable(c)

    def word(self, c: str) -> None:
        if c == "=":
            self.add("op", "=")
        elif c == "!":
            if not self.accept("="):
                raise Unreadable("!")
            self.add("op", "!=")
        elif c in "<>":
            self.add("op", c + "=" if self.accept("=") else c)
        elif c == "a" and self.accept("nd"):
            self.add("joiner", "and")
        elif c == "o" and self.accept("r"):
            self.add("joiner", "or")
        elif c == "n" and self.accept("ull"):
            self.add("null", "null")
        else:
            self.name(c)

    def name(self, c: str) -> None:
        name = ""
        while True:
            if c == "\\":
                c = self.peek()
                self.at += 1
                if c == "":
                    raise Unreadable("nothing after a backslash")
            name += c
            c = self.peek()
            if not re.match(r"[A-Za-z0-9_\\-]", c):
                break
            self.at += 1
        if not self.ends() and c not in ".(=!":
            raise Unreadable(c)
        self.add("name", name)

    def number(self, c: str) -> None:
        number = c
        while re.match("[0-9.]", self.peek()):
            c = self.peek()
            self.at += 1
            if c == "." and ("." in number or self.ends()):
                raise Unreadable(number)
            number += c
        self.add("number", number)

    def string(self, quote: str) -> None:
        close = self.text.find(quote, self.at)
        if close < 0:
            raise Unreadable(quote)
        self.add("string", self.text[self.at - 1 : close + 1])
        self.at = close + 1
        if not self.ends():
            self.at = close


def folded(tokens: list[Token]) -> list[Token]:
    """Names joined by dots are one."""
    out: list[Token] = []
    for token in tokens:
        joins = token.kind == "name" and len(out) > 1 and out[-1] == ("mark", ".")
        if joins and out[-2].kind == "name":
            out.pop()
            out[-1] = Token("name", f"{out[-1].text}.{token.text}")
        else:
            out.append(token)
    return out


# --- grouping


def group_of(tokens: list[Token]) -> Any:
    tokens, joiner, children, negated = list(tokens), "and", [], False
    while tokens:
        token = tokens.pop(0)
        word = token.text.split(".")[0] if token.kind == "name" else ""
        if word in FIELDS:
            if len(tokens) < 2:
                raise Unreadable("an operator or a value is missing")
            children.append(condition(token.text, tokens.pop(0).text, tokens.pop(0)))
        elif token.kind == "name" and token.text in ("contains", "match"):
            if len(tokens) < 4:
                raise Unreadable("an argument is missing")
            _open, field, _comma, value = (tokens.pop(0) for _ in range(4))
            del tokens[:1]
            children += function(token.text, negated, field.text, value)
        elif token == ("mark", "("):
            if ("mark", ")") not in tokens:
                raise Unreadable("(")
            close = tokens.index(Token("mark", ")"))
            children.append(group_of(tokens[:close]))
            del tokens[: close + 1]
        elif token.kind == "joiner":
            joiner = token.text
        negated = token == ("op", "!")
    if len(children) > 1:
        return Group(joiner, children)
    return children[0] if children else None


def text_of(value: Token) -> str:
    if value.kind == "number":
        return number_text(to_number(value.text))
    return value.text.removeprefix('"').removesuffix('"') if value.kind == "string" else value.text


def typed(value: Token) -> Any:
    if value.kind == "number":
        return to_number(value.text)
    if value.kind == "name" and value.text in ("true", "false"):
        return value.text == "true"
    return text_of(value)


def condition(field: str, operator: str, value: Token) -> Condition:
    word, _, rest = field.partition(".")
    path = [word, *keys(rest or word)] if word in NESTED else [word]
    equals = operator in ("=", "!=")
    if equals and value.kind == "null" and word not in ("type", "event"):
        return Condition(path, "exists" if operator == "!=" else "not_exists", None)
    if operator == "=" and isinstance(typed(value), bool) and word in ("userId", *NESTED):
        return Condition(path, "is", typed(value))
    if equals and value.kind == "number" and word in NESTED:
        return Condition(path, operator + "number", typed(value))
    return Condition(path, operator, typed(value) if word in NESTED else text_of(value))


def function(name: str, negated: bool, field: str, value: Token) -> list[Condition]:
    word, _, rest = field.partition(".")
    if word not in FIELDS or word == "type":
        return []
    path = [word, *keys(rest or word)] if word in NESTED else [word]
    text = text_of(value)
    if name == "contains":
        return [Condition(path, "contains", (negated, text))]
    if value.text.endswith('*"'):
        return [Condition(path, "startswith", (negated, text[:-1]))]
    return [Condition(path, "endswith", (negated, text[1:]))]


def keys(path: str) -> list[str]:
    return [key for key in re.split(r"[\[.\]]", path) if key]


# --- events


def holds(node: Any, event: Any) -> bool:
    if node is None:
        raise Unreadable("parentheses without a condition")
    if isinstance(node, Group):
        verdicts = [holds(child, event) for child in node.children]
        return all(verdicts) if node.joiner == "and" else any(verdicts)
    return compared(found(node.path, event), node.operator, node.value)


def found(path: list[str], value: Any) -> Any:
    for key in path:
        if not falsy(value):
            value = property_of(value, key)
    return value


def compared(actual: Any, operator: str, expected: Any) -> bool:
    is_number = isinstance(actual, float)
    if operator in ("exists", "not_exists"):
        return is_nothing(actual) == (operator == "not_exists")
    if operator == "is":
        return actual is expected
    if operator in ("=", "!="):
        return (actual == plain(expected) and isinstance(actual, str)) == (operator == "=")
    if operator in ("=number", "!=number"):
        return is_number and (actual == expected) == (operator == "=number")
    if operator in ORDER:
        return is_number and ORDER[operator](actual, to_number(expected))
    if operator in ("contains", "startswith", "endswith") and isinstance(actual, str):
        negated, text = expected
        part = text in actual if operator == "contains" else getattr(actual, operator)(text)
        return bool(part) != negated
    return False


def plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, float) else str(value)


def to_number(value: Any) -> float:
    """As JavaScript's Number() of a text, a number or a truth."""
    if isinstance(value, bool | float):
        return float(value)
    text = value.strip(" \t\n\r")
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
        return float(text)
    return 0.0 if text == "" else math.nan
