"""Generated filters and events: the compiled filter says what the plain interpreter says."""

import json

import filter_interpreter as interpreter
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import fieldpost as fp

KEYS = ["a", "b", "type", "in", "é", "a.b", "x y", "0", "1", "length", 'q"', "and"]
TEXTS = ["", "a", "b", "A b", "ab", "true", "false", "0", "-1.5e1", "01", "aXb", "straße", "ΑΣ"]
TEXTS += ["True", " yes ", "NO", "9007199254740993", "12345678901234567890.0", "1e-400"]
TEXTS += ["😀", "\ud83d", "a*b", "[a]", "x\ny", "Łódź", 'a"\\/b', "ŉ", "ǆ", "null"]
NUMBERS = [0, 1, -1, 2.5, 100, 1e21, -0.0, 12345678901234567890, 9007199254740993, 0.1, 1e-7]
NUMBERS += [9007199254740992, 9007199254740993.0, 1.0, 12345678901234567891, -9007199254740993]
PATTERNS = ["*", "a*", "*b", "?", "??", "a?b", "[a-c]*", "[^a]", "\\*", "a\\*b", "*a*b*", "[]", "["]
PATTERNS += ["[a-]", "[\\]]", "[b-a]", "[^b-a]", "\\", "[é-ź]*", "*[X-Zx-z]?", "**", "", "[a\\-z]*"]

keys = st.sampled_from(KEYS)
texts = st.sampled_from(TEXTS) | st.text(alphabet="ab *[]\\é😀", max_size=5)
scalars = st.none() | st.booleans() | st.sampled_from(NUMBERS) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
events = st.dictionaries(keys, values, max_size=8)


def storable(text):
    return not any(0xD800 <= ord(c) < 0xE000 for c in text)


whole_texts = texts.filter(storable)
literals = st.none() | st.booleans() | st.sampled_from(NUMBERS) | whole_texts
paths = st.lists(keys, min_size=1, max_size=3).map(lambda path: ("path", path))
fields = st.lists(keys, min_size=1, max_size=2).map(lambda path: ("path", path))


def value(strategy):
    return strategy.map(lambda one: ("value", one))


def call(name, *arguments):
    return st.tuples(st.just(name), *arguments)


text_terms = st.recursive(
    fields,
    lambda inner: st.one_of(
        *(call(name, inner) for name in ("lowercase", "uppercase", "snakecase", "kebabcase")),
        call("titlecase", inner),
        call("string", inner),
        call("typeof", paths),
    ),
    max_leaves=2,
)
number_terms = st.one_of(
    paths, call("length", paths), call("number", paths), call("length", text_terms)
)
numbers = value(st.sampled_from(NUMBERS))
types = value(st.sampled_from(["string", "number", "list", "bool", "null", "object"]))
patterns = value(st.sampled_from(PATTERNS))
lists = st.lists(literals, min_size=1, max_size=3).map(lambda one: ("list", one))
orders = st.sampled_from(["<", "<=", ">", ">="])
equals = st.sampled_from(["=", "!="])

conditions = st.one_of(
    st.tuples(equals, paths, value(literals)),
    st.tuples(equals, value(literals), paths),
    st.tuples(equals, paths, paths),
    st.tuples(equals, call("typeof", paths), types),
    st.tuples(equals, text_terms, value(whole_texts)),
    st.tuples(equals, number_terms, numbers),
    st.tuples(orders, number_terms, number_terms | numbers),
    st.tuples(orders, numbers, number_terms),
    st.tuples(st.just("in"), paths, lists),
    st.tuples(st.just("in"), value(literals), paths),
    st.tuples(st.just("in"), paths, paths),
    *(
        st.tuples(st.just("true"), term)
        for term in (
            paths,
            call("bool", paths),
            call("contains", text_terms, value(whole_texts) | text_terms),
            call("match", text_terms, patterns | text_terms),
        )
    ),
)
filters = st.recursive(
    conditions | st.just(("all",)),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=4,
)

# What could never hold, or is the same for every event, is refused before any event comes.
REFUSED = {"E305", "E306", "E307", "E309", "E310"}


def compiled(node):
    try:
        return fp.Filter(interpreter.text_of(node))
    except fp.FilterError as error:
        assert error.code in REFUSED, (interpreter.text_of(node), error)
        return None


@settings(max_examples=settings().max_examples * 8)
@given(node=filters, event=events)
@example(("true", ("match", ("path", ["a"]), ("value", "a*b"))), {"a": "a\nb"})
def test_a_filter_says_what_the_interpreter_says(node, event):
    wanted = compiled(node)
    assume(wanted is not None)
    text = interpreter.text_of(node)
    verdict = interpreter.holds(node, event)
    line = json.dumps(event)
    assert wanted.matches(line) is verdict, (text, line)
    assert bool(wanted.explain(line)) is verdict, (text, line)
    assert wanted.matches_lines(f"{line}\nx\n{line}".encode()) == bytes([verdict, 2, verdict])
    lines = fp.Mapping({"a": 1}).apply_lines(line.encode(), filter=wanted)
    assert len(lines) == verdict, (text, line)
