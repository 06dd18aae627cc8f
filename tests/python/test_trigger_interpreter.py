"""Generated triggers and events: `dialect: trigger` says what Segment's reader says, or refuses.

Recorded results of Segment's engine hold the reader itself, where FIELDPOST_VECTORS names their
folder.
"""

import json
import os
from pathlib import Path

import pytest
import trigger_interpreter as segment
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mapping_interpreter import parse

import fieldpost as fp

FOLDER = os.environ.get("FIELDPOST_VECTORS", "")

VALUES = ["a", "ab", "", "null", "true", "7", 7, 7.5, 0, True, False, None, [1, "a"], {"k": "a"}]
PLACES = ["type", "event", "name", "userId", "properties.n", "traits.k", "context.page.url"]
WORDS = ["and", "or", "AND", "And", "OR", "not", "NOT", "!", ",", "(", ")", "x", "in", "is"]

values = st.sampled_from(VALUES)
nested = st.dictionaries(st.sampled_from(["n", "k", "page"]), values, max_size=3)
events = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("type", "event", "name", "userId"), values),
        **dict.fromkeys(("properties", "traits", "context"), nested),
    },
)
fields = st.sampled_from([*PLACES, "anonymousId", "properties", "event.sub", "properties.n.k"])
written = st.sampled_from(['"a"', '"ab"', '""', '"7"', "'a'", "7", "7.5", "true", "null", "word"])
patterns = st.sampled_from(['"a*"', '"*b"', '"a"', '"*"', "'a*'"])
operators = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "==", "is", "exists"])
conditions = st.one_of(
    st.builds("{} {} {}".format, fields, operators, written),
    st.builds(
        "{}{}({}, {})".format,
        st.sampled_from(["", "!"]),
        *[st.sampled_from(["contains"]), fields, written],
    ),
    st.builds("{}match({}, {})".format, st.sampled_from(["", "!"]), fields, patterns),
)
joiners = st.sampled_from([" and ", " or ", " AND ", " And ", " OR ", ", ", " and ", " or "])
triggers = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.builds("{}{}{}".format, inner, joiners, inner),
        st.builds("({})".format, inner),
        st.builds("!({})".format, inner),
        st.builds("{} {}".format, inner, st.sampled_from(WORDS)),
        st.builds("{} {}".format, st.sampled_from(WORDS), inner),
    ),
    max_leaves=4,
)


@settings(max_examples=settings().max_examples * 8)
@given(text=triggers, event=events)
@example('type = "a" AND event = "b" or name = "c"', {"name": "c"})
@example('type = "a" AND (event = "b" or name = "c") And userId = "u"', {"type": "a", "name": "c"})
def test_a_trigger_says_what_segment_says_or_is_refused(text, event):
    try:
        trigger = fp.Filter(text, dialect="trigger")
    except fp.FilterError:
        return
    line = json.dumps(event)
    assert trigger.matches(line) is segment.verdict(text, parse(line)), (text, line)


def recorded():
    file = Path(FOLDER) / "fql.jsonl"
    if not FOLDER or not file.exists():
        return []
    rows = (json.loads(line) for line in file.read_text().splitlines())
    return [
        row
        for row in rows
        if row["kind"] == "fql.eval" and isinstance(row.get("payload"), dict) and "error" not in row
    ]


@pytest.mark.skipif(not FOLDER, reason="FIELDPOST_VECTORS names no folder of recorded results")
def test_the_reader_says_what_segment_s_engine_said():
    rows = recorded()
    assert len(rows) > 100
    for row in rows:
        event = parse(row.get("payload_json") or json.dumps(row["payload"]))
        assert segment.verdict(row.get("fql", ""), event) is row["expected"], row["id"]
