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


def batch_answers():
    """Answers to a batch, as the service and as careless ones between write them."""
    done = b"HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\n\r\n\r\n"
    failed = b'HTTP/1.1 400 Bad Request\r\n\r\n{"error":{"code":"0x80044331","message":""}}\r\n'
    head = b"--b\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n"
    nested = b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    nested += head.replace(b"--b", b"--c") + failed + b"--c--\r\n"
    for end in (b"--b--\r\n", b""):
        body = head + done + nested + head.replace(b"1", b"3") + failed + end
        yield b'multipart/mixed; boundary="b"\n' + body
        yield b"multipart/mixed; boundary=b\n" + body.replace(b"\r\n", b"\n")


def inputs():
    for answer in batch_answers():
        yield "multipart", answer
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
