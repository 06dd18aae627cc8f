"""What stands is closed or mended: ignored, sent again as the source has it now, told by place."""

from __future__ import annotations

import json
import logging
import subprocess
from pathlib import Path

import pytest

import fieldpost as fp
from recipe import FIELDPOST, OUTCOMES
from service import Service


@pytest.fixture
def service():
    with Service(lambda body: 422 if body["n"] == "bad" else 200) as made:
        yield made


def write(path: Path, rows) -> Path:
    path.write_text(
        "".join(
            json.dumps({"type": "track", "messageId": one} | ({} if n is None else {"n": n})) + "\n"
            for one, n in rows
        )
    )
    return path


def run(*arguments, expect=0):
    told = subprocess.run(
        [*FIELDPOST, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == expect, told.stderr
    return told


def as_json(*arguments, expect=0):
    return json.loads(run(*arguments, "-o", "json", expect=expect).stdout)


BAD = [("m0", "ok"), ("m1", "bad"), ("m2", "bad"), ("m3", "ok")]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_an_ignored_event_is_closed_and_counted_in_every_sum(service, tmp_path, request, kind):
    ledger = []
    if kind == "postgres":
        ledger = ["--ledger", request.getfixturevalue("postgres").create("ignored")]
    file, source = service.destination(tmp_path), write(tmp_path / "e.ndjson", BAD)
    assert as_json("deliver", file, source, *ledger, expect=4)["rejected"] == 2
    where = ["--where", "outcome = 'rejected'", "--as", "ignored"]
    assert as_json("settle", file, *where, "--dry-run", *ledger)["settled"] == 2
    assert as_json("status", file, *ledger)["ignored"] == 0
    assert as_json("settle", file, *where, *ledger) == {
        "settled": 2,
        "as": "ignored",
        "dry_run": False,
    }
    assert as_json("failures", file, *ledger) == []
    status = as_json("status", file, *ledger)
    again = as_json("deliver", file, source, *ledger)
    look = json.loads(run("monitor", file, "--for", "0s", "-o", "json", *ledger).stdout)
    for told in (status, again, again["subscriptions"]["all"], look):
        assert told["ignored"] == 2
        assert told["received"] == 4 == sum(told[one] for one in OUTCOMES)
    assert len(service.bodies) == 4
    reopened = ["--where", "outcome = 'ignored'", "--as", "rejected"]
    assert as_json("settle", file, *reopened, *ledger)["settled"] == 2


def test_ignored_is_shown_to_people(service, tmp_path):
    file, source = service.destination(tmp_path), write(tmp_path / "e.ndjson", BAD)
    destination = fp.Destination.from_file(file)
    destination.deliver(source)
    assert destination.settle("outcome = 'rejected'", "ignored") == 2
    assert "ignored" in run("status", file).stdout
    assert "<td>2</td>" in destination.status()._repr_html_()
    assert "ignored" in destination.status()._repr_html_()
    metrics = tmp_path / "m.prom"
    destination.deliver(source, observers=[fp.PrometheusMetrics(metrics)])
    assert 'outcome="ignored"' in metrics.read_text()


def test_corrected_data_of_what_stands_is_sent_and_nothing_else(service, tmp_path):
    rows = [*BAD, ("m4", "bad"), ("m5", None)]
    file = service.destination(tmp_path, body='{n: {"@path": "$.n"}}')
    file.write_text(file.read_text().replace("body: {n", "body: {x: 1, n"))
    source = write(tmp_path / "e.ndjson", rows)
    destination = fp.Destination.from_file(file)
    destination.deliver(source, limit=5)
    sent = len(service.bodies)
    mended = [("new", "ok"), ("m1", "good"), ("m0", "changed"), ("m2", "bad")]
    corrected = write(tmp_path / "corrected.ndjson", mended)
    told = as_json("replay", file, "--from", corrected, "--dry-run")
    assert (told["received"], told["waiting"], told["dry_run"]) == (2, 2, True)
    assert len(service.bodies) == sent
    told = as_json("replay", file, "--from", corrected, expect=4)
    assert (told["received"], told["delivered"], told["rejected"]) == (2, 1, 1)
    assert sorted(body["n"] for body in service.bodies[sent:]) == ["bad", "good"]
    again = as_json("replay", file, "--from", corrected, expect=4)
    assert (again["received"], again["rejected"]) == (1, 1)
    last = as_json("replay", file, "--from", corrected, "--where", "event_id = 'm4'")
    assert (last["received"], last["requests"]) == (0, 0)
    assert as_json("status", file)["delivered"] == 3


def test_a_replay_from_a_source_goes_through_todays_filter(service, tmp_path):
    file, source = service.destination(tmp_path), write(tmp_path / "e.ndjson", BAD)
    destination = fp.Destination.from_file(file)
    destination.deliver(source)
    file.write_text(file.read_text().replace('type = "track"', 'type = "track" and n = "ok"'))
    mended = write(tmp_path / "mended.ndjson", [("m1", "ok"), ("m2", "bad")])
    report = fp.Destination.from_file(file).replay(source=mended)
    assert (report.received, report["delivered"], report["filtered"]) == (2, 1, 1)
    assert report.received == sum(report[one] for one in OUTCOMES)


def test_an_invalid_event_is_mended_from_its_source(service, tmp_path):
    file = service.destination(tmp_path, body='{"@path": "$.properties"}')
    source = tmp_path / "e.ndjson"
    source.write_text('{"type":"track","messageId":"a"}\n')
    destination = fp.Destination.from_file(file)
    assert destination.deliver(source)["invalid"] == 1
    source.write_text('{"type":"track","messageId":"a","properties":{"n":1}}\n')
    assert destination.replay("code = 'E403'", source=source)["delivered"] == 1
    assert destination.failures() == []


def test_a_replay_from_a_source_takes_its_condition_whole(service, tmp_path):
    file, source = service.destination(tmp_path), write(tmp_path / "e.ndjson", BAD)
    fp.Destination.from_file(file).deliver(source)
    for where in ("", "1=1) OR (1=1", "outcom = 'x'"):
        with pytest.raises(fp.LedgerError, match="E703"):
            fp.Destination.from_file(file).replay(where, source=source)
    assert run("replay", file, "--from", source, "--recorded", expect=2).stderr.count("E729") == 1


def test_failures_and_status_count_the_same_after_an_address_was_mended(service, tmp_path):
    file, source = service.destination(tmp_path), write(tmp_path / "e.ndjson", BAD)
    fp.Destination.from_file(file).deliver(source)
    file.write_text(file.read_text().replace("/in", "/mended"))
    service.answer = lambda _body: 200
    destination = fp.Destination.from_file(file)
    assert destination.deliver(source)["delivered"] == 4
    assert destination.failures() == []
    assert destination.status().to_dict()["rejected"] == 0


# -- told apart by place


CSV = "type,n\ntrack,1\ntrack,2\npage,3\n"


def test_events_told_apart_by_place_are_counted_and_told(service, tmp_path, caplog):
    file, source = service.destination(tmp_path, body='{n: {"@path": "$.n"}}'), tmp_path / "e.csv"
    source.write_text(CSV)
    destination = fp.Destination.from_file(file)
    assert destination.deliver(source, dry_run=True).by_place == 3
    with caplog.at_level(logging.WARNING):
        report = destination.deliver(source)
    assert report.by_place == report.to_dict()["by_place"] == 3
    assert "event_id" in caplog.text
    told = run("deliver", file, source)
    assert "E708" in told.stderr
    assert "event_id: content" in told.stderr


def test_what_a_source_warns_of_is_in_the_report_and_told(service, tmp_path, caplog):
    file, source = service.destination(tmp_path, body='{n: {"@path": "$.n"}}'), tmp_path / "e.csv"
    source.write_text("type,n;m\ntrack,1;2\ntrack,2;3\n")
    destination = fp.Destination.from_file(file)
    foretold = destination.deliver(source, dry_run=True).to_dict()["warnings"]
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        report = destination.deliver(source).to_dict()
    assert report["warnings"] == foretold
    [warning] = foretold
    told = (warning["code"], warning["source"], warning["line"])
    assert told == ("E819", str(source), 1)
    assert caplog.text.count("E819") == 1


def test_events_with_an_id_are_told_apart_by_it(service, tmp_path, caplog):
    file = service.destination(tmp_path)
    report = fp.Destination.from_file(file).deliver(write(tmp_path / "e.ndjson", BAD))
    assert report.by_place == 0
    assert "E708" not in caplog.text
    with_content = service.destination(tmp_path, "event_id: content\n", name="c.yaml")
    (tmp_path / "e.csv").write_text(CSV)
    destination = fp.Destination.from_file(with_content)
    assert destination.deliver(tmp_path / "e.csv").by_place == 0


@pytest.mark.parametrize(
    ("extra", "content", "warned"),
    [
        ("source: e.csv\n", CSV, True),
        ("source: e.csv\nevent_id: content\n", CSV, False),
        ('source: e.csv\nevent_id: {"@path": "$.n"}\n', CSV, False),
        ('source: e.csv\nevent_id: {"@path": "$.nothing"}\n', CSV, True),
        ("source: e.csv\n", "messageId,type\na,track\n", False),
        ("source: gone.csv\n", CSV, False),
        ("source: e.csv\n", "", False),
        ("", CSV, False),
    ],
)
def test_check_warns_where_the_files_own_source_has_no_ids(
    service, tmp_path, extra, content, warned
):
    (tmp_path / "e.csv").write_text(content)
    file = service.destination(tmp_path, extra)
    result = fp.check_file(file)
    told = [one for one in result.warnings if one.code == "E708"]
    assert bool(told) == warned
    assert result
    for one in told:
        assert "event_id: content" in one.hint and "column" in one.hint
