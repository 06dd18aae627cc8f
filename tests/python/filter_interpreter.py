"""The filter language once more, in plain Python: the compiled filters are held to it.

A filter is a tree of tuples, which `text_of` writes down and `holds` answers for an event:
("all",)  ("not", x)  ("and", [x, …])  ("or", [x, …])  ("true", term)  (operator, term, term)
with terms ("path", [key, …])  ("value", literal)  ("list", [literal, …])  (function, term, …).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal

from mapping_interpreter import WHITE, WIDE, laid_out, number_text, units

MISSING = None
ORDER = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def holds(node, event):
    kind, *parts = node
    if kind == "all":
        return True
    if kind == "not":
        return not holds(parts[0], event)
    if kind == "and":
        return all(holds(one, event) for one in parts[0])
    if kind == "or":
        return any(holds(one, event) for one in parts[0])
    if kind == "true":
        return value_of(parts[0], event) is True
    return compared(kind, value_of(parts[0], event), value_of(parts[1], event))


def compared(operator, left, right):
    if operator == "in":
        return isinstance(right, list) and any(equal(left, one) for one in right)
    if operator in ("=", "!="):
        return equal(left, right) == (operator == "=")
    return is_number(left) and is_number(right) and ORDER[operator](exact(left), exact(right))


def is_number(value):
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def exact(number):
    """A number with every digit that its JSON has."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def equal(left, right):
    if is_number(left) and is_number(right):
        return exact(left) == exact(right)
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(equal(left[key], right[key]) for key in left)
    return left == right


def value_of(term, event):
    kind, *parts = term
    if kind == "path":
        return at_path(parts[0], event)
    if kind in ("value", "list"):
        return parts[0]
    return FUNCTIONS[kind](*(value_of(one, event) for one in parts))


def at_path(path, value):
    for key in path:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key in map(str, range(len(value))):
            value = value[int(key)]
        else:
            return MISSING
    return value


# --- functions: what is not named gives null


def of_text(change):
    return lambda value: change(value) if isinstance(value, str) else None


def contains(text, part):
    return isinstance(text, str) and isinstance(part, str) and part in text


def match(text, pattern):
    if not isinstance(text, str) or not isinstance(pattern, str):
        return False
    expression = glob_expression(pattern)
    return expression is not None and re.fullmatch(expression, text, re.DOTALL) is not None


def glob_expression(pattern):
    """The pattern as a regular expression, None where its brackets or escapes are broken."""
    out, at = "", 0
    while at < len(pattern):
        c = pattern[at]
        if c == "[":
            one = re.compile(r"\[\^?((\\.|[^\]\\-])(-(\\.|[^\]\\-]))?)+\]", re.DOTALL)
            found = one.match(pattern, at)
            if not found:
                return None
            out, at = out + class_expression(found[0]), found.end()
        elif c == "\\":
            if at + 1 == len(pattern):
                return None
            out, at = out + re.escape(pattern[at + 1]), at + 2
        else:
            out, at = out + {"*": ".*", "?": "."}.get(c, re.escape(c)), at + 1
    return out


def class_expression(text):
    negated = text.startswith("[^")
    inside = text[2 if negated else 1 : -1]
    parts = re.findall(r"(\\.|[^\\])(?:-(\\.|[^\\]))?", inside, re.DOTALL)
    ranges = [(low[-1], (high or low)[-1]) for low, high in parts]
    hits = "|".join(f"[{re.escape(a)}-{re.escape(b)}]" for a, b in ranges if a <= b) or "(?!)"
    return f"(?:(?!{hits}).)" if negated else f"(?:{hits})"


def length(value):
    if value is None:
        return 0
    if isinstance(value, str):
        return len(units(value))
    return len(value) if isinstance(value, list) else None


def type_name(value):
    names = {bool: "bool", str: "string", list: "list", dict: "object", int: "number"}
    return "null" if value is None else names.get(type(value), "number")


TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def to_bool(value):
    if isinstance(value, bool):
        return value
    if is_number(value):
        return value != 0
    return TRUTHS.get(value.strip(WHITE).lower()) if isinstance(value, str) else None


def to_string(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        text = number_text(float(value))
        return text if text[-1] in "0123456789" and Decimal(text) == exact(value) else plain(value)
    return value if isinstance(value, str) else None


def plain(number):
    """All digits: of a whole number as they are, of another in JavaScript's layout."""
    number = WIDE.normalize(exact(number))
    return f"{number:f}" if number.as_tuple().exponent >= 0 else laid_out(number)


def to_number(value):
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return Decimal(value) if JSON_NUMBER.fullmatch(value) else None
    return value if is_number(value) else None


def titles(text):
    def raised(word):
        return word[0][0].title() + word[0][1:]

    return re.sub(r"[^ \t\n\r]+", raised, text)


FUNCTIONS = {
    "contains": contains,
    "match": match,
    "length": length,
    "lowercase": of_text(str.lower),
    "uppercase": of_text(str.upper),
    "titlecase": of_text(titles),
    "snakecase": of_text(lambda text: text.replace(" ", "_")),
    "kebabcase": of_text(lambda text: text.replace(" ", "-")),
    "typeof": type_name,
    "bool": to_bool,
    "string": to_string,
    "number": to_number,
}


# --- as text


def text_of(node):
    kind, *parts = node
    if kind == "all":
        return "all"
    if kind == "not":
        return "!" + grouped(parts[0])
    if kind in ("and", "or"):
        return f" {kind} ".join(map(grouped, parts[0]))
    if kind == "true":
        return term_text(parts[0])
    return f"{term_text(parts[0])} {kind} {term_text(parts[1])}"


def grouped(node):
    return f"({text_of(node)})"


def term_text(term):
    kind, *parts = term
    if kind == "path":
        return path_text(parts[0])
    if kind in ("value", "list"):
        return json.dumps(parts[0])
    return f"{kind}({', '.join(map(term_text, parts))})"


def path_text(path):
    return "$" + "".join(
        f".{key}" if re.fullmatch("[a-z]+", key) else f"[{json.dumps(key)}]" for key in path
    )
