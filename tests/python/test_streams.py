"""Printing never changes what a verb does, or its exit code; results are alone on their stream."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from held_server import destination, events

from recording_server import RecordingServer

FIELDPOST = shlex.join([sys.executable, "-m", "fieldpost"])


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[RecordingServer]:
    """A server that rejects each of ten events: exit code 4."""
    with RecordingServer(lambda _: (422, {}, b"no")) as server:
        write(tmp_path, server.url)
        yield server


def write(folder: Path, url: str, more: str = "") -> None:
    (folder / "hook.yaml").write_text(destination(url, more=more), encoding="utf-8")
    lines = "".join(json.dumps(event) + "\n" for event in events(10))
    (folder / "events.ndjson").write_text(lines)


def shell(
    folder: Path, line: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{FIELDPOST} {line}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | (environment or {}),
    )


@pytest.mark.parametrize(
    "how",
    [
        *("", "| true", "-o json | true", "-o json | head -c 1", "> /dev/full"),
        *("-o json > /dev/full", "-o json >&-", "2>&-", "2> /dev/full", "<&- >&- 2>&-"),
    ],
)
def test_a_run_ends_as_it_went_wherever_it_is_printed(
    refusing: RecordingServer, tmp_path: Path, how: str
) -> None:
    done = shell(tmp_path, f"deliver hook.yaml events.ndjson {how}")
    assert done.returncode == 4, done.stderr
    assert len(refusing.requests) == 10
    assert "Traceback" not in done.stderr
    if "> /dev/full" in how and "2>" not in how:
        assert "E737" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        *("outcomes hook.yaml | head -1", "outcomes hook.yaml -o json | head -c 1"),
        *("status hook.yaml | true", "failures hook.yaml --output json >&-"),
        "monitor hook.yaml --every 0.1s -o json | head -1",
        *("monitor hook.yaml --every 0.1s | head -1", "preview hook.yaml events.ndjson | true"),
        *("transform hook.yaml events.ndjson | head -2", "schema show account | true"),
        *("check hook.yaml | true", "--help | true", "--version >&-"),
    ],
)
def test_a_verb_that_looks_ends_when_its_reader_has_left(
    refusing: RecordingServer, tmp_path: Path, line: str
) -> None:
    shell(tmp_path, "deliver hook.yaml events.ndjson")
    done = shell(tmp_path, line)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_verb_that_looks_says_that_the_disk_is_full(
    refusing: RecordingServer, tmp_path: Path
) -> None:
    done = shell(tmp_path, "status hook.yaml > /dev/full")
    assert done.returncode == 2
    assert "E737" in done.stderr
    assert "No space left" in done.stderr


@pytest.mark.parametrize("name", ["ascii", "latin-1", "utf-8"])
def test_every_encoding_of_the_streams_will_do(
    refusing: RecordingServer, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "hook.yaml"
    text = file.read_text().replace("{name: all}", '{name: "Größe – 1 😀"}')
    file.write_text(text, encoding="utf-8")
    environment = {"PYTHONIOENCODING": name}
    done = shell(tmp_path, "deliver hook.yaml events.ndjson 2>&1 | cat -v", environment)
    assert done.returncode == 4, done.stdout
    assert "Traceback" not in done.stdout
    done = subprocess.run(
        [*shlex.split(FIELDPOST), "status", "hook.yaml", "-o", "json"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=True,
        env=os.environ | environment,
    )
    told = json.loads(done.stdout.decode("utf-8" if name == "utf-8" else "ascii"))
    assert list(told["subscriptions"]) == ["Größe – 1 😀"]


FUNCTION = """
import os, subprocess, sys

def on_track(event, settings):
    print("printed", event["messageId"])
    sys.stdout.write("written\\n")
    sys.stdout.flush()
    os.write(1, b"from C\\n")
    subprocess.run(["echo", "from a child"], check=True)
    return event
"""


@pytest.mark.parametrize("verb", ["deliver", "transform", "preview", "explain"])
def test_results_are_alone_on_standard_output(tmp_path: Path, verb: str) -> None:
    (tmp_path / "fn.py").write_text(FUNCTION)
    with RecordingServer() as server:
        write(tmp_path, server.url, more="functions: fn.py\n")
        done = shell(tmp_path, f"{verb} hook.yaml events.ndjson -o json")
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        json.loads(line)
    for told in ("printed m0", "written", "from C", "from a child"):
        assert told in done.stderr
