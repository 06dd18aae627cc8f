"""Segment's own verdicts, recorded: an extra that runs where FIELDPOST_VECTORS names their folder.

`fql.jsonl` are trigger filters, `destfilter.jsonl` destination filters: one JSON object a line with
"fql", "payload" and "expected", or an "error" where Segment cannot read the text.
"""

import json
import os
from pathlib import Path

import pytest

import fieldpost as fp

FOLDER = os.environ.get("FIELDPOST_VECTORS", "")


def rows(name, kind):
    file = Path(FOLDER) / name
    if not FOLDER or not file.exists():
        pytest.skip(f"no recorded verdicts: FIELDPOST_VECTORS names no folder with {name}")
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return [r for r in found if r["kind"] == kind and "fql" in r and isinstance(r["payload"], dict)]


def verdict(row, dialect):
    """True or False, or the code of the refusal."""
    try:
        return fp.Filter(row["fql"], dialect=dialect).matches(row["payload"])
    except fp.FilterError as error:
        return error.code


def test_a_trigger_says_what_segment_says_or_is_refused():
    given = rows("fql.jsonl", "fql.eval")
    unreadable = [r for r in given if "error" in r or "error" in (r.get("ast") or {})]
    readable = [r for r in given if r not in unreadable]
    assert [r["fql"] for r in unreadable if not isinstance(verdict(r, "trigger"), str)] == []
    verdicts = [(r, verdict(r, "trigger")) for r in readable]
    wrong = [r["fql"] for r, v in verdicts if not isinstance(v, str) and v is not r["expected"]]
    assert wrong == []
    assert sum(v is r["expected"] for r, v in verdicts) >= 0.7 * len(readable)


def test_a_destination_filter_differs_where_a_missing_value_is_null_only():
    given = [r for r in rows("destfilter.jsonl", "destfilter.match") if "expected" in r]
    verdicts = [(r, verdict(r, "destination")) for r in given]
    wrong = [r["fql"] for r, v in verdicts if not isinstance(v, str) and v is not r["expected"]]
    assert [text for text in wrong if "missing" not in text] == []
    assert sum(v is r["expected"] for r, v in verdicts) >= 0.8 * len(given)
