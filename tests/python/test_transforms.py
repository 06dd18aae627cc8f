"""Transforms and the integrations object on the whole way: check, preview, functions, delivery."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import fieldpost as fp

FUNCTION = """
def on_track(event, settings):
    event["seen"] = sorted(event)
    return event
"""


class Receiver(BaseHTTPRequestHandler):
    bodies: list

    def do_POST(self):
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args):
        pass


@pytest.fixture
def receiver():
    handler = type("One", (Receiver,), {"bodies": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def destination(folder, receiver, *subscriptions, **more):
    listed = [
        {"name": f"s{i}", "filter": "type = 'track'", **one} for i, one in enumerate(subscriptions)
    ]
    document = {
        "name": "Hook",
        "type": "webhook",
        "url": f"http://127.0.0.1:{receiver.server_port}/in",
        "subscriptions": listed,
        **more,
    }
    file = folder / "hook.yaml"
    file.write_text(json.dumps(document))
    return fp.Destination.from_file(file)


def events(folder, count=6, **more):
    file = folder / "events.ndjson"
    rows = [
        {"type": "track", "messageId": f"m{i}", "properties": {"n": i, "email": "a@b"}, **more}
        for i in range(count)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_what_is_delivered_has_been_transformed(tmp_path, receiver):
    transforms = [
        {"drop_properties": {"properties": ["email"]}},
        {"map_properties": {"id": {"copy": "messageId"}}},
    ]
    hook = destination(tmp_path, receiver, {"transforms": transforms}, {"body": {"plain": 1}})
    assert hook.check()
    report = hook.deliver(events(tmp_path))
    assert report["delivered"] == 12
    changed = [body for body in receiver.RequestHandlerClass.bodies if "plain" not in body]
    assert sorted(body["id"] for body in changed) == [f"m{i}" for i in range(6)]
    assert [sorted(body["properties"]) for body in changed] == [["n"]] * 6


def test_a_function_gets_what_the_transforms_left(tmp_path, receiver):
    (tmp_path / "f.py").write_text(FUNCTION)
    only = [{"allow_properties": {"": ["type", "messageId"]}}]
    hook = destination(tmp_path, receiver, {"transforms": only}, {}, functions="f.py")
    rows = list(hook.preview(events(tmp_path, 1)))
    assert [json.loads(row.body)["seen"] for row in rows] == [
        ["messageId", "type"],
        ["messageId", "properties", "type"],
    ]
    assert hook.deliver(events(tmp_path))["delivered"] == 12


def test_a_second_run_samples_the_same_events(tmp_path, receiver):
    hook = destination(tmp_path, receiver, {"transforms": [{"sample_event": {"percent": 0.5}}]})
    file = events(tmp_path, 40)
    first, second = hook.deliver(file), hook.deliver(file)
    assert 5 < first["delivered"] < 35
    assert first["delivered"] + first["dropped"] == 40
    assert (second["already_delivered"], second["dropped"]) == (
        first["delivered"],
        first["dropped"],
    )
    assert len(receiver.RequestHandlerClass.bodies) == first["delivered"]
    assert {row["code"] for row in hook.outcomes("outcome = 'dropped'")} == {"E245"}


def test_an_event_that_excludes_the_destination_is_dropped(tmp_path, receiver):
    hook = destination(tmp_path, receiver, {}, {"filter": "type = 'page'"}, integrations="Webhooks")
    file = events(tmp_path, 2, integrations={"All": True, "Webhooks": False})
    report = hook.deliver(file)
    assert (report["dropped"], report["filtered"], report["delivered"]) == (2, 2, 0)
    assert [row["code"] for row in hook.outcomes()] == ["E247", "E247"]
    kept = events(tmp_path, 2, integrations={"All": False, "Webhooks": {"x": 1}})
    assert destination(tmp_path, receiver, {}, integrations="Webhooks").deliver(kept)["delivered"]


def test_a_mistake_is_told_with_its_line():
    text = """\
name: x
type: webhook
url: https://h.example/
integrations: All
subscriptions:
  - name: s
    transforms:
      - drop_properties: {properties: [email]}
      - drop_proprties: {properties: [email]}
      - sample_event:
          percent: 25
"""
    with pytest.raises(fp.ConfigError) as told:
        fp.Destination.from_text(text)
    assert [(one.code, one.line) for one in told.value.errors] == [("E140", 4)]
    found = fp.Destination.from_text(text.replace(": All", ": Webhooks")).check()
    assert [(one.code, one.line, one.column) for one in found.errors] == [
        ("E240", 9, 9),
        ("E241", 11, 20),
    ]


def test_the_examples_of_the_docs_are_right():
    page = (Path(__file__).parents[2] / "docs/transforms.md").read_text()
    head = "name: x\ntype: webhook\nurl: https://h.example/\n"
    whole, part = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    event = {"type": "track", "event": "Order Completed", "userId": "u", "messageId": "m"}
    event |= {"properties": {"email": "a@b", "total": 5}, "context": {"ip": "192.0.2.1"}}
    for text in (whole.replace("0.25", "1"), "subscriptions:\n  - name: x\n" + part):
        hook = fp.Destination.from_text(head + text)
        assert hook.check()
        (row,) = hook.preview([event | {"anonymousId": "z"}])
        assert "email" not in json.loads(row.body)["properties"]
    hook = fp.Destination.from_text(head + whole.replace("0.25", "1"))
    (row,) = hook.preview([event])
    assert json.loads(row.body)["properties"] == {"channel": "web", "customer": "u", "amount": "5"}
