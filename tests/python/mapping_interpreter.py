"""The mapping language once more, as plainly as it can be said: the compiled engine is held to it.

Values are what JSON holds, as Python has it: None, bool, float (every number is a double), str
(UTF-16 units count; half a pair may stand alone), list and dict (keys in JavaScript's order when it
matters), and UNDEFINED, no value at all. Nothing here is fast, and nothing is shared with the core.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Context, Decimal


class Refused(Exception):
    """The mapping is not one, or cannot handle this event."""


class Undefined:
    def __repr__(self):
        return "UNDEFINED"


UNDEFINED = Undefined()
WHITE = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
WIDE = Context(prec=1000)
ROOT_DIRECTIVE = "__segment_internal_directive"


# --- values


def parse(text):
    """JSON text as a value; ValueError where it is none."""

    def refuse(word):
        raise ValueError(word)

    return json.loads(text, parse_int=float, parse_float=float, parse_constant=refuse)


def type_of(value):
    if value is UNDEFINED:
        return "undefined"
    if value is None:
        return "null"
    names = {bool: "boolean", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def is_nothing(value):
    return value is UNDEFINED or value is None


def falsy(value):
    if isinstance(value, float):
        return value == 0 or math.isnan(value)
    return is_nothing(value) or value is False or value == ""


def units(text):
    """The UTF-16 units of a text, each as a text of its own."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return [raw[i : i + 2].decode("utf-16-le", "surrogatepass") for i in range(0, len(raw), 2)]


def joined(parts):
    """The text that these make; halves of a pair that meet become the pair."""
    raw = "".join(parts).encode("utf-16-le", "surrogatepass")
    return raw.decode("utf-16-le", "surrogatepass")


def is_index(key):
    return re.fullmatch(r"0|[1-9][0-9]*", key) is not None and int(key) < 2**32 - 1


def members(value):
    """An object's keys and values: array indexes first, in ascending order."""
    indexes = sorted((key for key in value if is_index(key)), key=int)
    return [(key, value[key]) for key in [*indexes, *(k for k in value if not is_index(k))]]


def number_text(number):
    if math.isnan(number) or math.isinf(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    return laid_out(Decimal(repr(number)))


def laid_out(number):
    """A decimal as JavaScript lays its digits out."""
    if number == 0:
        return "0"
    sign, digits, exponent = WIDE.normalize(number).as_tuple()
    text = "".join(map(str, digits))
    count, point = len(text), len(text) + exponent
    if count <= point <= 21:
        text += "0" * (point - count)
    elif 0 < point <= 21:
        text = text[:point] + "." + text[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        text = text[0] + ("." + text[1:] if count > 1 else "") + f"e{point - 1:+d}"
    return "-" * sign + text


def text_of(value):
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join("" if is_nothing(one) else text_of(one) for one in value)
    return "[object Object]" if isinstance(value, dict) else ""


def string_json(text):
    short = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    out = ['"']
    for c in joined([text]):
        if c in '"\\':
            out.append("\\" + c)
        elif ord(c) < 0x20:
            out.append(short.get(c, f"\\u{ord(c):04x}"))
        else:
            out.append(f"\\u{ord(c):04x}" if 0xD800 <= ord(c) < 0xE000 else c)
    return "".join(out) + '"'


def json_text(value):
    """What JSON.stringify writes; UNDEFINED where it writes nothing."""
    if value is UNDEFINED:
        return UNDEFINED
    if isinstance(value, str):
        return string_json(value)
    if isinstance(value, float):
        return number_text(value) if math.isfinite(value) else "null"
    if isinstance(value, list):
        return "[" + ",".join("null" if v is UNDEFINED else json_text(v) for v in value) + "]"
    if isinstance(value, dict):
        shown = [(k, v) for k, v in members(value) if v is not UNDEFINED]
        return "{" + ",".join(string_json(k) + ":" + json_text(v) for k, v in shown) + "}"
    return "null" if value is None else text_of(value)


# --- paths


def keys_of(path):
    """The keys of a path; a dot within quoted brackets belongs to its key, which is our own."""
    if path in ("", "."):
        return []
    pieces, piece, at = [], "", 0
    while at < len(path):
        quoted = re.compile(r"\[(?:'[^']*'|\"[^\"]*\")(?=\])").match(path, at)
        if path[at] == ".":
            pieces, piece, at = [*pieces, piece], "", at + 1
        elif quoted:
            pieces, piece, at = [*pieces, piece], quoted[0][1:], quoted.end()
        elif path[at] == "[" and re.match("['\"0-9]", path[at + 1 : at + 2]):
            pieces, piece, at = [*pieces, piece], "", at + 1
        elif path[at] == "]" and at > 0 and re.match("['\"0-9]", path[at - 1]):
            end = at + len(re.match(r"\]+", path[at:])[0])
            pieces, piece, at = [*pieces, piece], "", end
        else:
            piece, at = piece + path[at], at + 1
    return [re.sub("['\"]", "", one) for one in [*pieces, piece] if one]


def property_of(value, key):
    if isinstance(value, dict):
        return value.get(key, UNDEFINED)
    if isinstance(value, list | str):
        elements = units(value) if isinstance(value, str) else value
        if key == "length":
            return float(len(elements))
        if is_index(key) and int(key) < len(elements):
            return elements[int(key)]
    return UNDEFINED


def found(path, value):
    for key in keys_of(path):
        if not falsy(value):
            value = property_of(value, key)
    return value


# --- evaluation


def transform(mapping, data):
    """The body of an event, or UNDEFINED. Raises Refused."""
    data = {} if data is UNDEFINED else data
    if not isinstance(data, dict):
        raise Refused(f"data must be an object, got {type_of(data)}")
    mapping = with_root_directive(spread(mapping))
    check(mapping)
    return without_undefined(resolve(mapping, data))


def spread(mapping):
    if isinstance(mapping, dict):
        return mapping
    listed = units(mapping) if isinstance(mapping, str) else mapping
    return {str(i): one for i, one in enumerate(listed)} if isinstance(listed, list) else {}


def with_root_directive(mapping):
    if ROOT_DIRECTIVE not in mapping:
        return mapping
    directive = mapping[ROOT_DIRECTIVE]
    if not isinstance(directive, dict) or len(directive) != 1:
        raise Refused("the root mapping must have a single directive object")
    (name, argument), *_ = directive.items()
    if not isinstance(argument, dict):
        raise Refused("the root directive must be an object")
    rest = {key: value for key, value in mapping.items() if key != ROOT_DIRECTIVE}
    return {name: {**argument, "mapping": rest}}


def is_directive_key(key):
    return key.startswith("@") and not key.startswith("@@")


def is_directive(value):
    """Directive keys, and nothing else beside them."""
    if not isinstance(value, dict):
        return False
    rest = [key for key in value if not is_directive_key(key)]
    return len(rest) < len(value) and all(key == "_metadata" for key in rest)


def has_directive_key(value):
    return isinstance(value, dict) and any(map(is_directive_key, value))


def resolve(mapping, data):
    if is_directive(mapping):
        name = next(key for key in mapping if is_directive_key(key))
        if name not in DIRECTIVES:
            raise Refused(f"{name} is not a valid directive")
        return DIRECTIVES[name](mapping[name], data)
    if isinstance(mapping, list):
        return [resolve(one, data) for one in mapping]
    if isinstance(mapping, dict):
        return {output_key(key): resolve(value, data) for key, value in members(mapping)}
    return mapping


def output_key(key):
    return key[1:] if key.startswith("@@") else key


def without_undefined(value):
    if isinstance(value, list):
        return [without_undefined(one) for one in value]
    if isinstance(value, dict):
        kept = [(key, one) for key, one in value.items() if one is not UNDEFINED]
        return {key: without_undefined(one) for key, one in kept}
    return value


def option(options, name):
    """An option as it is written; UNDEFINED where it is absent."""
    return options.get(name, UNDEFINED)


def options_of(argument, *needed):
    if not isinstance(argument, dict):
        raise Refused("expected an object")
    for name in needed:
        if falsy(option(argument, name)):
            raise Refused(f'needs "{name}"')
    return argument


def text_argument(argument, data):
    text = argument
    if not isinstance(argument, str):
        if not is_directive(argument):
            raise Refused("expected a string")
        text = resolve(argument, data)
    if not isinstance(text, str):
        raise Refused(f"expected string, got {type_of(text)}")
    return text


def path_value(path, data):
    return found(path.replace("$.", "", 1), data)


def do_path(argument, data):
    return path_value(text_argument(argument, data), data)


def do_template(argument, data):
    root = {} if is_nothing(data) else data

    def put(match):
        value = found(match[1].strip(WHITE), root)
        return "" if is_nothing(value) else text_of(value)

    once = joined([re.sub(r"\{\{\{([^}]+)\}\}\}", put, text_argument(argument, data))])
    return joined([re.sub(r"\{\{([^}]+)\}\}", put, once)])


def do_literal(argument, data):
    return resolve(argument, data)


def do_if(argument, data):
    options = options_of(argument)
    exists, blank = option(options, "exists"), option(options, "blank")
    if falsy(exists) and falsy(blank):
        raise Refused('@if requires an "exists" key or a "blank" key')
    value = resolve(blank if exists is UNDEFINED else exists, data)
    holds = not is_nothing(value) and (exists is not UNDEFINED or not loosely_empty(value))
    if holds:
        return resolve(option(options, "then"), data)
    otherwise = option(options, "else")
    return UNDEFINED if falsy(otherwise) else resolve(otherwise, data)


def loosely_empty(value):
    if isinstance(value, list):
        return text_of(value) == ""
    return value is False or value == "" or (isinstance(value, float) and value == 0)


def do_case(argument, data):
    options = options_of(argument, "operator")
    if falsy(option(options, "value")):
        return UNDEFINED
    value = resolve(options["value"], data)
    if not isinstance(value, str):
        return value
    if options["operator"] == "lower":
        return value.lower()
    if options["operator"] == "upper":
        return value.upper()
    raise Refused('operator key should have a value of "lower" or "upper"')


def do_replace(argument, data):
    options = options_of(argument, "pattern")
    if falsy(option(options, "value")):
        return UNDEFINED
    value = resolve(options["value"], data)
    if isinstance(value, bool | float):
        value = text_of(value)
    if not isinstance(value, str):
        return ""
    once = replaced(value, options["pattern"], options.get("replacement", ""), options)
    pattern2, replacement2 = option(options, "pattern2"), options.get("replacement2", "")
    if isinstance(pattern2, str) and pattern2 and isinstance(replacement2, str):
        return replaced(once, pattern2, replacement2, options)
    return once


def folded(unit):
    upper = unit.upper()
    if len(units(upper)) != 1 or (ord(unit) >= 128 and ord(upper) < 128):
        return unit
    return upper


def replaced(text, pattern, replacement, options):
    if len(units(pattern)) > 10 or len(units(replacement)) > 10:
        raise Refused("patterns and replacements have at most 10 characters")
    text, pattern = units(text), units(pattern)
    fold = folded if not falsy(option(options, "ignorecase")) else str
    wanted = [fold(unit) for unit in pattern]
    everywhere = "global" not in options or not falsy(options["global"])
    out, at, done = [], 0, False
    while at < len(text):
        end = at + len(pattern)
        if done or [fold(unit) for unit in text[at:end]] != wanted:
            out.append(text[at])
            at += 1
            continue
        special = {"$": "$", "&": "".join(text[at:end]), "`": "".join(text[:at])}
        special["'"] = "".join(text[end:])
        out.append(re.sub(r"\$([$&`'])", lambda match, s=special: s[match[1]], replacement))
        at, done = end, not everywhere
    return joined(out)


def do_array_path(argument, data):
    if not isinstance(argument, list):
        raise Refused("@arrayPath expected array")
    first = argument[0] if argument else UNDEFINED
    value = path_value(first, data) if isinstance(first, str) else resolve(first, data)
    shape = argument[1] if len(argument) > 1 else UNDEFINED
    if not isinstance(value, dict | list) or not isinstance(shape, dict) or not shape:
        return value
    return [resolve(shape, item) for item in (value if isinstance(value, list) else [value])]


def do_flatten(argument, data):
    options = options_of(argument, "separator")
    separator, keeps_lists = options["separator"], not falsy(option(options, "omitArrays"))
    if not isinstance(separator, str):
        raise Refused("@flatten requires a string separator")
    flat = {}

    def enter(prefix, value):
        if isinstance(value, dict) or (isinstance(value, list) and not keeps_lists):
            inside = members(value) if isinstance(value, dict) else enumerate(value)
            for key, one in inside:
                enter(f"{prefix}{separator}{key}" if prefix else str(key), one)
        else:
            flat[prefix] = value

    enter("", resolve(option(options, "value"), data))
    return flat


def do_json(argument, data):
    options = options_of(argument, "mode", "value")
    value = resolve(options["value"], data)
    if options["mode"] == "encode":
        return json_text(value)
    if options["mode"] != "decode":
        return UNDEFINED
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except ValueError:
        return value


def do_merge(argument, data):
    options = options_of(argument, "direction", "objects")
    if not isinstance(options["objects"], list):
        raise Refused("@merge: expected array")
    sources = [resolve(one, data) for one in options["objects"]]
    merged = {}
    for source in reversed(sources) if options["direction"] == "left" else sources:
        if isinstance(source, dict):
            merged.update(members(source))
        elif isinstance(source, list | str):
            listed = units(source) if isinstance(source, str) else source
            merged.update((str(i), one) for i, one in enumerate(listed))
    return merged


def do_transform(argument, data):
    options = options_of(argument, "mapping", "apply")
    if not isinstance(options["apply"], dict):
        raise Refused('@transform "apply" key should be an object')
    return resolve(options["mapping"], transform(options["apply"], data))


def do_exclude_when_null(argument, data):
    def clean(value):
        if not isinstance(value, dict):
            return value
        return {key: clean(one) for key, one in value.items() if one is not None}

    value = resolve(argument, data)
    return UNDEFINED if value is None else clean(value)


DIRECTIVES = {
    "@path": do_path,
    "@template": do_template,
    "@literal": do_literal,
    "@if": do_if,
    "@case": do_case,
    "@replace": do_replace,
    "@arrayPath": do_array_path,
    "@flatten": do_flatten,
    "@json": do_json,
    "@merge": do_merge,
    "@transform": do_transform,
    "@excludeWhenNull": do_exclude_when_null,
}


# --- what is looked at before any event comes


def check(value):
    """Raises Refused where the mapping is not one. Lists are taken as they are."""
    if has_directive_key(value):
        check_directive(value)
    elif isinstance(value, dict):
        for one in value.values():
            check(one)


def check_directive(value):
    names = [key for key in value if is_directive_key(key)]
    if len(names) > 1 or any(key != "_metadata" for key in value if key not in names):
        raise Refused("a directive stands alone")
    name, argument = names[0], value[names[0]]
    if name not in DIRECTIVES:
        raise Refused(f"has an invalid directive: {name}")
    if name in ("@path", "@template"):
        expect(isinstance(argument, str) or check_if_directive(argument))
    elif name in ("@literal", "@excludeWhenNull"):
        check_if_directive(argument)
    elif name == "@arrayPath":
        expect(isinstance(argument, list) and argument)
        expect(isinstance(argument[0], str) or check_if_directive(argument[0]))
        check(argument[1] if len(argument) > 1 else None)
    else:
        expect(isinstance(argument, dict) and not has_directive_key(argument))
        for one in argument.values():
            check(one)
        OPTION_CHECKS[name](argument)


def expect(holds):
    if not holds:
        raise Refused("an option has the wrong type")


def check_if_directive(value):
    if has_directive_key(value):
        check_directive(value)
        return True
    return False


def text_or_directive(value):
    return isinstance(value, str) or has_directive_key(value)


def check_case(options):
    expect(isinstance(options.get("operator", ""), str))
    expect(text_or_directive(options.get("value", "")))


def check_replace(options):
    pattern, replacement = options.get("pattern"), options.get("replacement", "")
    expect(isinstance(pattern, str) and 1 <= len(units(pattern)) <= 10)
    expect(isinstance(replacement, str) and len(units(replacement)) <= 10)
    expect(text_or_directive(options.get("value")))
    expect(all(isinstance(options.get(key, True), bool) for key in ("ignorecase", "global")))


def check_flatten(options):
    expect(isinstance(options.get("separator", ""), str) and "value" in options)


def check_json(options):
    mode = options.get("mode")
    expect("value" in options and isinstance(mode, str) and mode.lower() in ("encode", "decode"))


def check_merge(options):
    direction = options.get("direction", "left")
    expect(isinstance(direction, str) and direction.lower() in ("left", "right"))
    expect(isinstance(options.get("objects"), list))
    for one in options["objects"]:
        expect(check_if_directive(one) or isinstance(one, dict))


def check_transform(options):
    for key in ("apply", "mapping"):
        one = options.get(key)
        expect(check_if_directive(one) or isinstance(one, dict))


OPTION_CHECKS = {
    "@if": lambda options: None,
    "@case": check_case,
    "@replace": check_replace,
    "@flatten": check_flatten,
    "@json": check_json,
    "@merge": check_merge,
    "@transform": check_transform,
}
