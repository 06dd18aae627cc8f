"""The shared cases of tests/cases, run through the compiled module."""

import json
import re
from pathlib import Path

import pytest

import fieldpost
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
        texts.append(f"{code} {message}{place}" + (f"; {hint}" if hint else ""))
    return texts


def events(case, verdict):
    """Those of a verdict: as JSON, or under "yes_json" and "no_json" as texts, digits and all."""
    return [*map(json.dumps, case.get(verdict, [])), *case.get(f"{verdict}_json", [])]


@pytest.mark.parametrize("case", load("filter"))
def test_filter(case):
    dialect = case.get("dialect", "fieldpost")
    if "errors" in case:
        with pytest.raises(_core.DocumentError) as error:
            plan({"filter": case["filter"], "dialect": dialect, "body": 1})
        assert told(error.value, "$.subscriptions[0].filter") == case["errors"]
        return
    compiled = plan({"filter": case["filter"], "dialect": dialect, "body": 1})
    assert events(case, "yes") or events(case, "no")
    for event in events(case, "yes"):
        assert len(compiled.process_event(event.encode())) == 1, event
    for event in events(case, "no"):
        batch = compiled.process_event(event.encode())
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
        with pytest.raises(fieldpost.MappingError) as error:
            fieldpost.Mapping(case["mapping"])
        assert [str(one) for one in error.value.errors] == case["errors"]
        return
    mapping = fieldpost.Mapping(case["mapping"])
    if "warnings" in case:
        assert [str(one) for one in mapping.warnings] == case["warnings"]
    event = case.get("event_json") or json.dumps(case["event"])
    if "fault" in case:
        with pytest.raises(fieldpost.EventError) as fault:
            mapping.apply_json(event)
        assert str(fault.value) == case["fault"]
        return
    body = mapping.apply_json(event)
    if case.get("undefined"):
        assert body == b""
    elif "body_json" in case:
        assert body.decode() == case["body_json"]
    else:
        assert json.loads(body) == case["body"]


@pytest.mark.parametrize("case", load("transform"))
def test_transform(case):
    if "errors" in case:
        with pytest.raises(_core.DocumentError) as error:
            plan({"transforms": case["transforms"]})
        assert told(error.value, "") == case["errors"]
        return
    path = "$.subscriptions[0].transforms"
    mistakes, warnings = _core.check_transforms(json.dumps(case["transforms"]), path)
    assert mistakes == []
    assert [f"{c} {m} at {p}; {h}" for c, m, p, h in warnings] == case.get("warnings", [])
    compiled = plan({"transforms": case["transforms"]})
    event = case.get("event_json") or json.dumps(case["event"])
    batch = compiled.process_event(event.encode())
    if "ended" in case:
        assert [" ".join(row[5:]) for row in batch.ended()] == [case["ended"]]
    elif "result_json" in case:
        assert batch.body(0).decode() == case["result_json"]
    else:
        assert json.loads(batch.body(0)) == case["result"]
