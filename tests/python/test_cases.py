"""The shared cases of tests/cases, run through the compiled module."""

import json
import re
from pathlib import Path

import pytest

from fieldpost import _core

CASES = Path(__file__).parent.parent / "cases"


def load(kind):
    return [
        pytest.param(json.loads(path.read_text()), id=path.stem)
        for path in sorted((CASES / kind).glob("*.json"))
    ]


def plan(subscription):
    return _core.Plan(json.dumps({"event_id": "content", "subscriptions": [subscription]}))


def told(error, own_path):
    texts = []
    for code, message, path, hint, _begin, _end in error.args[1]:
        place = f" at {path}" if path != own_path else ""
        text = f"{code} {message}{place}" + (f"; {hint}" if hint else "")
        texts.append(text.replace("$.subscriptions[0].body", "$", 1))
    return texts


@pytest.mark.parametrize("case", load("filter"))
def test_filter(case):
    dialect = case.get("dialect", "fieldpost")
    if "errors" in case:
        with pytest.raises(_core.DocumentError) as error:
            plan({"filter": case["filter"], "dialect": dialect, "body": 1})
        assert told(error.value, "$.subscriptions[0].filter") == case["errors"]
        return
    compiled = plan({"filter": case["filter"], "dialect": dialect, "body": 1})
    assert case.get("yes") or case.get("no")
    for event in case.get("yes", []):
        assert len(compiled.process_event(json.dumps(event).encode())) == 1, event
    for event in case.get("no", []):
        batch = compiled.process_event(json.dumps(event).encode())
        assert len(batch.filtered_hashes(0)) == 8, event


def test_the_examples_of_the_docs_are_cases():
    page = (CASES.parent.parent / "docs/filters.md").read_text()
    blocks = re.findall(r"^```filter\n(.*?)^```", page, re.M | re.S)
    examples = [line for block in blocks for line in block.splitlines()]
    known = {json.loads(path.read_text())["filter"] for path in (CASES / "filter").glob("*.json")}
    assert len(examples) > 10
    assert [one for one in examples if one not in known] == []


@pytest.mark.parametrize("case", load("mapping"))
def test_mapping(case):
    if "errors" in case:
        with pytest.raises(_core.DocumentError) as error:
            plan({"body": case["mapping"]})
        assert told(error.value, "") == case["errors"]
        return
    event = case.get("event_json") or json.dumps(case["event"])
    batch = plan({"body": case["mapping"]}).process_event(event.encode())
    if case.get("undefined"):
        assert [row[6] for row in batch.ended()] == ["E403"]
        return
    assert len(batch) == 1, batch.ended()
    if "body_json" in case:
        assert batch.body(0).decode() == case["body_json"]
    else:
        assert json.loads(batch.body(0)) == case["body"]
