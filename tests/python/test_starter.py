"""The first files: they pass what `init` says comes next, as they stand."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import fieldpost as fp
from fieldpost.cli.app import app
from recording_server import RecordingServer


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    for name in ("DYNAMICS_CLIENT_ID", "DYNAMICS_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.mark.parametrize("url", [None, "https://org.example/a?b={c}&d=%20,e"])
@pytest.mark.parametrize("kind", ["dynamics365", "webhook"])
def test_a_new_init_passes_its_own_next_step(kind, url):
    if kind == "dynamics365" and url:
        url = "https://contoso.crm4.dynamics.com"
    more = ["--url", url] if url else []
    step = run("init", kind, ".", *more).splitlines()[-1].removeprefix("next: fieldpost ")
    assert ": no mistakes" in run(*step.split())
    told = json.loads(run(*step.split(), "--output", "json"))
    assert told["errors"] == [] and {one["code"] for one in told["warnings"]} <= {"E121", "E188"}
    config = fp.Destination.from_file(step.split()[-1]).config
    assert config.type == kind and (url is None or config.url == url)


def test_a_webhook_starter_warns_of_nothing_and_knows_no_dynamics(tmp_path):
    run("init", "webhook")
    assert fp.check_file("webhook.yaml") == fp.CheckResult([], [])
    assert sorted(one.name for one in tmp_path.iterdir()) == ["functions.py", "webhook.yaml"]
    written = "".join(one.read_text() for one in tmp_path.iterdir())
    assert "ynamics" not in written


def test_its_unit_cases_run_and_its_events_arrive():
    with RecordingServer() as server:
        run("init", "webhook", "--url", server.url + "/in")
        assert run("test", "webhook.yaml").endswith("2 cases, 0 failed\n")
        event = {"type": "track", "event": "A", "messageId": "1", "properties": {"email": "A@B"}}
        report = fp.Destination.from_file("webhook.yaml").deliver([event], progress=False)
        assert report["delivered"] == 1
        (received,) = server.requests
    assert json.loads(received.body)["properties"] == {"email": "a@b"}
    assert received.headers["x-event-id"] == "1"


def test_nothing_is_replaced(tmp_path):
    (tmp_path / "webhook.yaml").write_text("mine")
    run("init", "webhook", code=2)
    assert (tmp_path / "webhook.yaml").read_text() == "mine"
