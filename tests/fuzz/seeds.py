"""Makes the fuzzers' first inputs from tests/cases: seeds.py FOLDER, one folder for each fuzzer."""

import hashlib
import json
import sys
from pathlib import Path

CASES = Path(__file__).parent.parent / "cases"
EVENT = {"type": "track", "a": {"b": [1, {"a": "é"}]}, "b": [{"a": 1}, None], "properties": {}}


def cases(kind):
    return [json.loads(path.read_text()) for path in sorted((CASES / kind).glob("*.json"))]


def lines(events):
    return "\n".join(json.dumps(event, ensure_ascii=False) for event in events).encode()


def events_of(case):
    if "event_json" in case:
        return case["event_json"].encode("utf-8", "surrogatepass")
    return lines([case.get("event", EVENT)])


def paths_in(document):
    """Every text of a mapping: its paths are among them."""
    if isinstance(document, dict):
        return [text for value in document.values() for text in paths_in(value)]
    if isinstance(document, list):
        return [text for value in document for text in paths_in(value)]
    return [document] if isinstance(document, str) else []


def inputs():
    for case in cases("filter"):
        seen = [*case.get("yes", []), *case.get("no", []), EVENT]
        yield "filter", case["filter"].encode() + b"\0" + lines(seen)
        yield "walker", lines(seen)
    for case in cases("mapping"):
        event = events_of(case)
        yield "walker", event
        text = json.dumps(case["mapping"], separators=(",", ":"), ensure_ascii=False)
        yield "mapping", text.encode() + b"\0" + event + b"\n" + lines([EVENT])
        for path in paths_in(case["mapping"]):
            yield "path", path.encode() + b"\0" + event + b"\n" + lines([EVENT])


def main(folder):
    for fuzzer, data in inputs():
        place = Path(folder) / fuzzer
        place.mkdir(parents=True, exist_ok=True)
        (place / hashlib.sha1(data).hexdigest()).write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1])
