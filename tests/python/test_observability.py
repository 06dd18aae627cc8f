"""What a run tells to those who look on: its report, logs, metrics and spans."""

from __future__ import annotations

import json
import logging
import os
import random
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fieldpost as fp
from fieldpost.latencies import Latencies, bound_ms, middle_ms
from recording_server import RecordingServer

COUNT = 12


def answers() -> Any:
    """The first request has to wait for a second, the third is a bad body."""
    told = iter([(429, {"Retry-After": "1"}, b""), (204, {}, b""), (400, {}, b'{"error": "no"}')])
    return lambda _received: next(told, (204, {}, b""))


@pytest.fixture
def service() -> Any:
    with RecordingServer(answers()) as server:
        yield server


def write(folder: Path, url: str, more: str = "") -> Path:
    path = folder / "hook.yaml"
    path.write_text(
        "name: Hook\nid: hook\ntype: webhook\n"
        f"url: {url}/in\nsubscriptions:\n  - {{name: all}}\n"
        f"delivery: {{max_in_flight: 1, retry: {{wait_initial_s: 0.01}}{more}}}\n"
    )
    lines = [json.dumps({"messageId": f"m{n}"}) for n in range(COUNT)]
    (folder / "events.ndjson").write_text("\n".join(lines))
    return path


def deliver(path: Path, **options: Any) -> fp.Report:
    destination = fp.Destination.from_file(path)
    return destination.deliver(path.parent / "events.ndjson", progress=False, **options)


def test_a_report_tells_how_long_how_often_and_why(service: Any, tmp_path: Path) -> None:
    told = deliver(write(tmp_path, service.url)).to_dict()
    assert (told["requests"], told["attempts"]) == (COUNT + 1, COUNT + 1)
    assert told["throttled_s"] == pytest.approx(1, abs=0.1)
    latency = told["latency_ms"]
    assert 0 < latency["p50"] < 900 < latency["p95"] <= latency["p99"] < 1500
    (group,) = told["failures"]
    assert (group["outcome"], group["code"], group["count"]) == ("rejected", "http_400", 1)
    assert group["sample"]["event_id"] == "m1" and group["message"] and group["action_needed"]
    again = deliver(tmp_path / "hook.yaml").to_dict()
    assert again["failures"] == [group], "what stands from an earlier run is told again"
    assert again["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert (again["requests"], again["throttled_s"]) == (0, 0)


def test_a_report_of_nothing_wrong_has_no_groups(tmp_path: Path) -> None:
    with RecordingServer() as server:
        assert deliver(write(tmp_path, server.url)).to_dict()["failures"] == []


def test_quantiles_are_right_to_five_percent() -> None:
    chance = random.Random(1)
    values = sorted(0.1 + chance.lognormvariate(3, 2) for _ in range(10_000))
    counts = [0] * 232
    for value in values:
        counts[next(i for i in range(232) if value <= bound_ms(i))] += 1
    latencies = Latencies(counts)
    for share in (0.001, 0.5, 0.95, 0.99, 1.0):
        exact = values[max(0, round(share * 10_000) - 1)]
        assert latencies.quantile_ms(share) == pytest.approx(exact, rel=0.05)
    more = Latencies.sum([latencies, Latencies([5]), Latencies()])
    assert len(more) == 10_005
    assert list(more.since(latencies)) == [(middle_ms(0), 5)]


def test_the_log_has_begin_wait_and_end(
    service: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fieldpost")
    report = deliver(write(tmp_path, service.url))
    lines = [(one.levelname, one.getMessage()) for one in caplog.records]
    assert lines[0] == ("INFO", f"run {report.run} of hook began: deliver")
    level, message = lines[1]
    assert level == "WARNING" and "the destination asked for a wait" in message
    assert lines[-1][0] == "INFO" and f"{COUNT - 1} delivered" in lines[-1][1]
    assert len(lines) == 3
    assert "m1" not in caplog.text


def test_the_log_says_why_a_run_stopped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with RecordingServer(lambda _: (403, {}, b"")) as server:
        deliver(write(tmp_path, server.url))
    (warning,) = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert "stopped: http_403 the destination refused the last 5 records" in warning


class Onlooker:
    def __init__(self) -> None:
        self.told: list[str] = []

    def began(self, report: fp.Report, verb: str) -> None:
        self.told.append(verb)

    def advanced(self, report: fp.Report) -> None:
        raise RuntimeError("no")

    def ended(self, report: fp.Report, error: BaseException | None) -> None:
        self.told.append("ended")


def test_an_observer_that_fails_takes_no_run_with_it(
    service: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    onlooker = Onlooker()
    report = deliver(write(tmp_path, service.url), observers=[onlooker])
    assert report["delivered"] == COUNT - 1
    assert onlooker.told == ["deliver"]
    assert "Onlooker failed with RuntimeError" in caplog.text


# -- Prometheus


def samples(text: str) -> dict[tuple[str, str], float]:
    """(name, outcome or le) -> value."""
    from prometheus_client.parser import text_string_to_metric_families

    found = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found[one.name, one.labels.get("outcome", one.labels.get("le", ""))] = one.value
    return found


def test_a_run_keeps_a_file_of_metrics(service: Any, tmp_path: Path) -> None:
    path, file = write(tmp_path, service.url), tmp_path / "fieldpost.prom"
    command = [sys.executable, "-m", "fieldpost", "deliver", path, tmp_path / "events.ndjson"]
    done = subprocess.run(
        [*map(str, command), "--metrics-file", str(file), "--output", "json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    found = samples(file.read_text())
    assert found["fieldpost_outcomes_total", "delivered"] == COUNT - 1
    assert found["fieldpost_outcomes_total", "rejected"] == 1
    assert found["fieldpost_attempts_total", ""] == COUNT + 1
    assert found["fieldpost_requests_total", ""] == COUNT + 1
    assert found["fieldpost_throttled_seconds_total", ""] == pytest.approx(1, abs=0.1)
    assert found["fieldpost_latency_seconds_count", ""] == COUNT
    assert found["fieldpost_latency_seconds_bucket", "+Inf"] == COUNT
    assert found["fieldpost_last_run_success", ""] == 0
    assert found["fieldpost_last_run_duration_seconds", ""] >= 1


@pytest.mark.parametrize("place", ["none/fieldpost.prom", "."])
def test_a_file_of_metrics_that_cannot_be_written_is_told_before_the_run(
    service: Any, tmp_path: Path, place: str
) -> None:
    path = write(tmp_path, service.url)
    command = [sys.executable, "-m", "fieldpost", "deliver", path, tmp_path / "events.ndjson"]
    done = subprocess.run(
        [*map(str, command), "--metrics-file", str(tmp_path / place)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "E741" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(fp.Destination.from_file(path).outcomes()) == []


def run_metrics(path: Path, *more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fieldpost", "deliver", path, *more]
    return subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("kind", ["pipe", "link", "device", "another file"])
def test_metrics_take_the_place_of_nothing_but_metrics(
    service: Any, tmp_path: Path, kind: str
) -> None:
    path, file = write(tmp_path, service.url), tmp_path / "there"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "link":
        file.symlink_to(tmp_path / "fieldpost.prom")
    elif kind == "another file":
        file.write_text('{"messageId": "m-1"}\n')
    elif os.geteuid() == 0:
        os.mknod(file, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    else:
        pytest.skip("only root makes devices")
    before = file.lstat()
    done = run_metrics(path, tmp_path / "events.ndjson", "--metrics-file", file)
    assert done.returncode == 2 and "E741" in done.stderr, done.stderr
    assert file.lstat().st_mtime_ns == before.st_mtime_ns
    assert file.lstat().st_mode == before.st_mode
    assert service.requests == []


def test_a_file_of_metrics_keeps_owner_and_mode(service: Any, tmp_path: Path) -> None:
    path, file = write(tmp_path, service.url), tmp_path / "fieldpost.prom"
    run_metrics(path, tmp_path / "events.ndjson", "--metrics-file", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 12345, 12345)
    before, text = file.stat(), file.read_text()
    run_metrics(path, tmp_path / "events.ndjson", "--metrics-file", file)
    after = file.stat()
    assert file.read_text() != text, "it was written anew"
    assert (after.st_uid, after.st_gid, after.st_mode) == (
        before.st_uid,
        before.st_gid,
        before.st_mode,
    )


@pytest.mark.parametrize("obstacle", ["source", "ledger", "mistake", "sign-in"])
def test_a_run_that_cannot_begin_is_no_success(tmp_path: Path, obstacle: str) -> None:
    file, events = tmp_path / "fieldpost.prom", tmp_path / "events.ndjson"
    with RecordingServer() as server:
        path = write(tmp_path, server.url)
        run_metrics(path, events, "--metrics-file", file)
    before = samples(file.read_text())
    assert before["fieldpost_last_run_success", ""] == 1
    if obstacle == "source":
        events = tmp_path / "missing.ndjson"
    elif obstacle == "ledger":
        next(tmp_path.glob("*.ledger.db")).write_bytes(b"x" * 5000)
    elif obstacle == "mistake":
        path.write_text(path.read_text() + "oops: 1\n")
    else:
        path.write_text(path.read_text() + "auth: {type: bearer, token: {env: NO_SUCH_TOKEN}}\n")
    done = run_metrics(path, events, "--metrics-file", file)
    assert done.returncode == 2, done.stderr
    found = samples(file.read_text())
    assert found["fieldpost_last_run_success", ""] == 0
    at = "fieldpost_last_run_timestamp_seconds", ""
    assert found[at] > before[at]
    kept = "fieldpost_outcomes_total", "delivered"
    assert obstacle == "sign-in" or found[kept] == before[kept], "of the run before"
    assert len(re.findall("^fieldpost_last_run_success{", file.read_text(), re.M)) == 1


def test_a_first_run_that_cannot_begin_is_told_too(service: Any, tmp_path: Path) -> None:
    path, file = write(tmp_path, service.url), tmp_path / "fieldpost.prom"
    run_metrics(path, tmp_path / "missing.ndjson", "--metrics-file", file)
    assert samples(file.read_text())["fieldpost_last_run_success", ""] == 0


def test_observers_hear_of_a_run_that_could_not_begin(service: Any, tmp_path: Path) -> None:
    told: list[object] = []

    class Onlooker:
        def began(self, report: fp.Report, verb: str) -> None:
            told.append((verb, report.run, report.received))

        def advanced(self, report: fp.Report) -> None:
            told.append("advanced")

        def ended(self, report: fp.Report, error: BaseException | None) -> None:
            told.append(getattr(error, "code", None))

    destination = fp.Destination.from_file(write(tmp_path, service.url))
    with pytest.raises(fp.SourceError):
        destination.deliver(tmp_path / "missing.ndjson", observers=[Onlooker()])
    assert told == [("deliver", "", 0), "E801"]


def test_a_process_that_stays_adds_its_runs_up(service: Any, tmp_path: Path) -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    metrics, registry = fp.PrometheusMetrics(), CollectorRegistry()
    registry.register(metrics)
    path = write(tmp_path, service.url)
    deliver(path, observers=[metrics])
    first = samples(generate_latest(registry).decode())
    assert deliver(path, observers=[metrics])["already_delivered"] == COUNT - 1
    both = samples(generate_latest(registry).decode())
    assert both["fieldpost_outcomes_total", "already_delivered"] == COUNT - 1
    assert both["fieldpost_requests_total", ""] == first["fieldpost_requests_total", ""]
    assert both["fieldpost_latency_seconds_count", ""] == COUNT
    assert both["fieldpost_runs_at_work", ""] == 0


# -- OpenTelemetry, whose providers are the process's: so in one of its own

_WITH_SDK = """
import json, sys
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import fieldpost as fp

reader, spans = InMemoryMetricReader(), InMemorySpanExporter()
metrics.set_meter_provider(MeterProvider([reader]))
tracing = TracerProvider()
tracing.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(tracing)
with trace.get_tracer("caller").start_as_current_span("task"):
    fp.Destination.from_file(sys.argv[1]).deliver(sys.argv[2], progress=False)
points = {}
for resource in json.loads(reader.get_metrics_data().to_json())["resource_metrics"]:
    for scope in resource["scope_metrics"]:
        for one in scope["metrics"]:
            points[one["name"]] = one["data"]["data_points"]
print(json.dumps([points, [json.loads(one.to_json()) for one in spans.get_finished_spans()]]))
"""


def with_sdk(path: Path) -> Any:
    events = str(path.parent / "events.ndjson")
    done = subprocess.run(
        [sys.executable, "-c", _WITH_SDK, str(path), events],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


_WHETHER_IMPORTED = """
import sys
import fieldpost as fp
fp.Destination.from_file(sys.argv[1]).deliver(sys.argv[2], progress=False)
print("opentelemetry" in sys.modules)
"""


@pytest.mark.parametrize(
    ("environment", "imported"),
    [({}, "False"), ({"OTEL_PYTHON_METER_PROVIDER": "sdk_meter_provider"}, "True")],
)
def test_the_api_is_imported_where_a_provider_can_be(
    service: Any, tmp_path: Path, environment: dict[str, str], imported: str
) -> None:
    events = str(tmp_path / "events.ndjson")
    done = subprocess.run(
        [sys.executable, "-c", _WHETHER_IMPORTED, str(write(tmp_path, service.url)), events],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.stdout.strip() == imported, done.stderr


def test_metrics_and_a_span_reach_the_sdk(service: Any, tmp_path: Path) -> None:
    points, spans = with_sdk(write(tmp_path, service.url))
    outcomes = {
        p["attributes"]["fieldpost.outcome"]: p["value"] for p in points["fieldpost.outcomes"]
    }
    assert outcomes == {"delivered": COUNT - 1, "rejected": 1}
    (attempts,) = points["fieldpost.attempts"]
    assert attempts["value"] == COUNT + 1
    assert attempts["attributes"] == {
        "fieldpost.destination": "hook",
        "fieldpost.subscription": "all",
    }
    (duration,) = points["fieldpost.delivery.duration"]
    assert duration["count"] == COUNT and 0.9 < duration["max"] < 1.5
    (throttled,) = points["fieldpost.throttled"]
    assert throttled["value"] == pytest.approx(1, abs=0.1)
    run, task = spans
    assert run["name"] == "fieldpost deliver" and run["parent_id"] == task["context"]["span_id"]
    assert run["attributes"]["fieldpost.delivered"] == COUNT - 1
    assert run["attributes"]["fieldpost.received"] == COUNT
    assert run["status"] == {"status_code": "UNSET"}


def test_a_run_that_stops_is_a_span_in_error(tmp_path: Path) -> None:
    with RecordingServer(lambda _: (403, {}, b"")) as server:
        _points, (run, _task) = with_sdk(write(tmp_path, server.url))
    assert run["status"] == {"status_code": "ERROR", "description": "http_403"}
    assert run["attributes"]["fieldpost.stopped"] == "http_403"
