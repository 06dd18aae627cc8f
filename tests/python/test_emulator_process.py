"""The emulator's own life: starting, stopping, TLS, files, signals, the foreground."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from emulator_client import Api, fixture_api, fixture_emulator  # noqa: F401
from fieldpost.emulator import Emulator

KEYS = [
    "url",
    "token_url",
    "tenant",
    "client_id",
    "client_secret",
    "scope",
    "ca_file",
    "control_url",
]

SERVE = """
import json, sys
from fieldpost.emulator import serve
serve(tls="tls" in sys.argv, announce=lambda details: print(json.dumps(details), flush=True))
print("stopped", flush=True)
"""


def test_details_are_all_that_a_client_needs(emulator: Emulator) -> None:
    details = emulator.details()
    assert list(details) == KEYS
    assert not details["url"].endswith("/")
    assert details["scope"] == details["url"] + "/.default"
    assert details["ca_file"] is None


def test_it_stops_and_frees_its_port() -> None:
    with Emulator() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        names = {thread.name for thread in threading.enumerate()}
        assert "fieldpost-emulator" in names
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    with Emulator(port=port) as again:
        assert again.url == emulator.url


def test_it_stops_in_time_while_a_request_waits() -> None:
    emulator = Emulator().start()
    with Api(emulator) as api, ThreadPoolExecutor(1) as pool:
        api.faults({"match": {"path": "/WhoAmI$"}, "delay_s": 60})
        waiting = pool.submit(api.get, "WhoAmI")
        while not api.control("GET", "faults")["faults"][0]["hits"]:
            pass
        start = time.monotonic()
        emulator.stop()
        assert time.monotonic() - start < 30
        assert waiting.result(60).status_code == 500


def test_an_answer_with_a_body_is_not_held_back(api: Api) -> None:
    """One of many is quick: a machine may be slow, a delayed acknowledgement is always 40 ms."""

    def took_s() -> float:
        start = time.monotonic()
        assert api.get("WhoAmI").status_code == 200
        return time.monotonic() - start

    assert any(took_s() < 0.035 for _ in range(100))


def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError):
        Emulator(port=taken.getsockname()[1])


def test_tls_is_trusted_by_its_ca_file_only() -> None:
    with Emulator(tls=True) as emulator:
        assert emulator.url.startswith("https://127.0.0.1:")
        assert emulator.ca_file is not None
        trust = ssl.create_default_context(cafile=emulator.ca_file)
        trust.verify_flags |= ssl.VERIFY_X509_STRICT
        with httpx.Client(verify=trust) as client:
            assert client.get(f"{emulator.url}/api/data/v9.2/").status_code == 401
            by_name = emulator.url.replace("127.0.0.1", "localhost")
            assert client.get(f"{by_name}/api/data/v9.2/").status_code == 401
        with pytest.raises(httpx.ConnectError):
            httpx.get(emulator.url)
        folder = Path(emulator.ca_file).parent
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_a_file_keeps_rows_and_ledger_between_runs(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    with Emulator(database=path) as emulator, Api(emulator) as api:
        account = api.created("accounts", {"name": "A"})
        version = api.get(f"accounts({account})").headers["ETag"]
    with Emulator(database=path) as emulator, Api(emulator) as api:
        assert api.get(f"accounts({account})").headers["ETag"] == version
        assert [commit["id"] for commit in api.commits()] == [account]
        api.patch(f"accounts({account})", {"name": "B"})
        assert api.get(f"accounts({account})").headers["ETag"] != version


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_announces_when_it_listens_and_stops_at_a_signal(number: int) -> None:
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        details = json.loads(process.stdout.readline())
        assert list(details) == KEYS
        assert httpx.get(details["url"] + "/api/data/v9.2/WhoAmI").status_code == 401
        process.send_signal(number)
        assert process.stdout.readline() == "stopped\n"
        assert process.wait(60) == 0


def test_serve_with_tls_removes_its_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVE, "tls"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        ca_file = Path(json.loads(process.stdout.readline())["ca_file"])
        assert ca_file.read_text().startswith("-----BEGIN CERTIFICATE-----")
        process.terminate()
        assert process.wait(60) == 0
    assert not ca_file.parent.exists()


def test_a_file_keeps_columns_that_were_added(tmp_path: Path) -> None:
    added = {"table": "account", "column": "new_grade", "add": {"type": "text"}}
    for _ in range(2):
        with Emulator(database=tmp_path / "rows.db") as emulator, Api(emulator) as api:
            api.control("POST", "schema", added)
            assert api.post("accounts", {"new_grade": "A"}).status_code == 204
    with Emulator(database=tmp_path / "rows.db") as emulator, Api(emulator) as api:
        api.control("POST", "schema", added)
        assert [row["new_grade"] for row in api.row("accounts")["value"]] == ["A", "A"]


def test_the_command_line_tells_how_to_point_a_client_at_it() -> None:
    command = [sys.executable, "-m", "fieldpost", "emulator", "--tls"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as served:  # type: ignore[call-overload]
        details = json.loads(served.stdout.readline())
        served.send_signal(signal.SIGTERM)
        out, told = served.communicate(timeout=60)
    assert list(details) == KEYS
    assert out == ""
    for key in ("url", "client_id", "client_secret", "scope", "ca_file", "control_url"):
        assert details[key] in told, key
    assert f"curl --cacert {details['ca_file']} " in told
    assert f"NODE_EXTRA_CA_CERTS={details['ca_file']}" in told


def test_the_command_line_tells_scripts_nothing_but_the_line() -> None:
    command = [sys.executable, "-m", "fieldpost", "emulator", "--output", "json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as served:  # type: ignore[call-overload]
        served.stdout.readline()
        served.send_signal(signal.SIGTERM)
        assert served.communicate(timeout=60) == ("", "")


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "fieldpost", "emulator", "--port", str(taken.getsockname()[1])],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert "E738" in done.stderr
    assert "Traceback" not in done.stderr
