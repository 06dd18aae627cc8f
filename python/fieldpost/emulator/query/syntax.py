"""`$filter` as text → a tree. Grammar: OData 4.0 URL Conventions, as far as Dataverse takes it.

Knows nothing of tables: names are checked by whoever reads the tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from ..refusal import bad_query

TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>(?:Microsoft\.Dynamics\.CRM\.\w+)?'(?:[^']|'')*')
    |(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
    |(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)
    |(?P<day>\d{4}-\d\d-\d\d)
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<alias>@[A-Za-z_]\w*)
    |(?P<list>\[[^\]]*\])
    |(?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    |(?P<mark>[(),/:=])""",
    re.VERBOSE | re.ASCII,
)
OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le")
FUNCTIONS = ("contains", "startswith", "endswith")
# Functions of OData that the service knows and refuses; the names are from OData 4.0, 5.1.1.4.
UNSUPPORTED = re.compile(
    "length|indexof|substring|tolower|toupper|trim|concat|year|month|day|hour|minute|second|date|"
    "time|now|round|floor|ceiling|isof|cast|totaloffsetminutes|fractionalseconds"
)
NAMESPACE = "Microsoft.Dynamics.CRM."


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a filter, its kind, and where it begins."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: text, guid, moment, day, number, bool, list or null."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Path:
    """A column, possibly behind navigation properties."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands and what is between them."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Logic:
    """Conditions joined by `and` or `or`."""

    word: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The opposite of a condition."""

    part: Condition


@dataclass(frozen=True, slots=True)
class TextFunction:
    """contains, startswith or endswith."""

    name: str
    path: Path
    wanted: Literal


@dataclass(frozen=True, slots=True)
class Quantified:
    """`any` or `all` over a collection."""

    word: str
    path: Path
    variable: str
    condition: Condition | None


@dataclass(frozen=True, slots=True)
class QueryFunction:
    """A function of the service itself, by name and arguments."""

    name: str
    arguments: Mapping[str, Literal]


Operand = Path | Literal
Condition = Comparison | Logic | Negation | TextFunction | Quantified | QueryFunction | Path


def condition_of(text: str, aliases: Mapping[str, str] | None = None) -> Condition:
    """The tree of a filter; raises `Refusal`."""
    return Parser(text, aliases or {}).parse()


class Parser:
    """Recursive descent over one filter: or, and, not, brackets, comparison."""

    def __init__(self, text: str, aliases: Mapping[str, str]) -> None:
        self._text = text
        self._aliases = aliases
        self._tokens = self._lexed()
        self._next = 0

    def _lexed(self) -> list[Token]:
        tokens, at = [], 0
        while at < len(self._text):
            match = TOKEN.match(self._text, at)
            if match is None:
                self._fail(at)
            if match.lastgroup != "space":
                tokens.append(Token(str(match.lastgroup), match[0], at))
            at = match.end()
        return tokens

    def _fail(self, at: int) -> NoReturn:
        raise bad_query(f"Syntax error at position {at} in '{self._text}'.")

    def _peek(self, ahead: int = 0) -> Token:
        if self._next + ahead < len(self._tokens):
            return self._tokens[self._next + ahead]
        return Token("end", "", len(self._text))

    def _take(self, kind: str, text: str | None = None) -> Token | None:
        token = self._peek()
        if token.kind != kind or text not in (None, token.text):
            return None
        self._next += 1
        return token

    def _need(self, kind: str, text: str | None = None) -> Token:
        return self._take(kind, text) or self._fail(self._peek().at)

    def parse(self) -> Condition:
        """The whole filter as one condition."""
        condition = self._any()
        self._need("end")
        return condition

    def literal(self) -> Literal:
        """The whole text as one value."""
        literal = self._literal()
        self._need("end")
        return literal

    def _any(self) -> Condition:
        return self._joined("or", lambda: self._joined("and", self._negation))

    def _joined(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self._take("word", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Logic(word, tuple(parts))

    def _negation(self) -> Condition:
        if self._take("word", "not"):
            return Negation(self._negation())
        if self._take("mark", "("):
            condition = self._any()
            self._need("mark", ")")
            return condition
        return self._primary()

    def _primary(self) -> Condition:
        token = self._peek()
        if token.kind == "word" and self._peek(1).text == "(":
            return self._called(token)
        left = self._operand()
        if isinstance(left, Quantified):
            return left
        operator = self._take("word")
        if operator is None and isinstance(left, Path):
            return left
        if operator is None or operator.text not in OPERATORS:
            self._fail(operator.at if operator else self._peek().at)
        right = self._operand()
        if isinstance(right, Quantified):
            self._fail(operator.at)
        return Comparison(operator.text, left, right)

    def _called(self, token: Token) -> Condition:
        if token.text in FUNCTIONS:
            return self._text_function()
        if token.text.startswith(NAMESPACE):
            return self._query_function()
        if UNSUPPORTED.fullmatch(token.text):
            raise bad_query(f"The function '{token.text}' is not supported.")
        raise bad_query(
            f"An unknown function with name '{token.text}' was found. This may also be a function "
            "import or a key lookup on a navigation property, which is not allowed."
        )

    def _text_function(self) -> TextFunction:
        name = self._need("word").text
        self._need("mark", "(")
        path = self._operand()
        if not isinstance(path, Path):
            self._fail(self._peek().at)
        self._need("mark", ",")
        wanted = self._literal()
        self._need("mark", ")")
        if wanted.kind != "text":
            raise bad_query(f"No function signature for the function with name '{name}' matches.")
        return TextFunction(name, path, wanted)

    def _query_function(self) -> QueryFunction:
        name = self._need("word").text.removeprefix(NAMESPACE)
        self._need("mark", "(")
        arguments = {}
        while not self._take("mark", ")"):
            argument = self._need("word").text
            self._need("mark", "=")
            arguments[argument] = self._literal()
            if self._peek().text != ")":
                self._need("mark", ",")
        return QueryFunction(name, arguments)

    def _operand(self) -> Path | Literal | Quantified:
        token = self._peek()
        if token.kind != "word" or token.text in ("true", "false", "null"):
            return self._literal()
        names = [self._need("word").text]
        while self._take("mark", "/"):
            word = self._need("word")
            if word.text in ("any", "all") and self._peek().text == "(":
                return self._quantified(word.text, Path(tuple(names)))
            names.append(word.text)
        return Path(tuple(names))

    def _quantified(self, word: str, path: Path) -> Quantified:
        self._need("mark", "(")
        if word == "any" and self._take("mark", ")"):
            return Quantified(word, path, "", None)
        variable = self._need("word").text
        self._need("mark", ":")
        condition = self._any()
        self._need("mark", ")")
        return Quantified(word, path, variable, condition)

    def _literal(self) -> Literal:
        token = self._peek()
        self._next += 1
        if token.kind == "alias":
            given = self._aliases.get(token.text)
            if given is None:
                return Literal("null", "null")
            if given.startswith(("{", "[")):
                return Literal("list", given)
            return Parser(given, {}).literal()
        if token.kind == "word" and token.text in ("true", "false"):
            return Literal("bool", token.text)
        if token.text == "null":
            return Literal("null", "null")
        if token.kind not in ("text", "guid", "moment", "day", "number", "list"):
            self._fail(token.at)
        if token.kind == "text":
            quoted = token.text[token.text.index("'") :]  # an enumeration's type stands before it
            return Literal("text", quoted[1:-1].replace("''", "'"))
        return Literal(token.kind, token.text)
