"""Runs looked at afterwards: one event whole, failures by reason, a destination at one look."""

from __future__ import annotations

import json
import logging

import pytest
from typer.testing import CliRunner

import fieldpost as fp
from fieldpost.cli.app import app
from recording_server import RecordingServer

FILE = """\
name: Orders
type: webhook
url: {url}/in?key=secret-query
{more}
subscriptions:
  - {{name: All, body: {{n: {{"@path": $.n}}, price: {{"@path": $.price}}}}}}
  - {{name: Off, enabled: false, body: {{}}}}
delivery: {{max_in_flight: 1, keep: {keep}, breaker: {{failures: 0, refusals: 0}}}}
"""
DEEP = "one/very/long/way/down/to/where/exports/are/put/by/the/nightly/job/of/the/other/team"


def answer(received):
    number = json.loads(received.body)["n"]
    if "auth" in received.path:
        return 401, {}, b"no token"
    if number == 0:
        return 200, {}, b"{}"
    if number < 0:
        return 400, {}, b"nope"
    return 422, {"Content-Type": "text/plain"}, b"http_422 is what it is: number %d" % number


@pytest.fixture(name="folder")
def fixture_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEEP).mkdir(parents=True)
    numbers = [0, 1, 2, 3, -1]
    rows = [f'{{"messageId": "m{n}", "n": {n}, "price": 19.90}}' for n in numbers]
    (tmp_path / DEEP / "e.ndjson").write_text("\n".join(rows))
    with RecordingServer(answer) as server:
        (tmp_path / "d.yaml").write_text(FILE.format(url=server.url, more="", keep="failed"))
        (tmp_path / "all.yaml").write_text(FILE.format(url=server.url, more="", keep="all"))
        (tmp_path / "none.yaml").write_text(FILE.format(url=server.url, more="", keep="none"))
        refusing = FILE.format(url=server.url + "/auth", more="", keep="failed")
        (tmp_path / "auth.yaml").write_text(refusing)
        yield tmp_path


def run(*arguments, code=0):
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout, result.stderr


def delivered(file):
    return run("deliver", file, f"{DEEP}/e.ndjson", code=4)


def test_one_event_is_shown_whole(folder):
    delivered("d.yaml")
    told, _ = run("outcomes", "d.yaml", "--event-id", "m1")
    assert told.startswith("m1 All: rejected\n") and f"{DEEP}/e.ndjson:2 (byte " in told
    assert "  tries     1, decided after" in told
    assert "  answer    HTTP 422, http_422 is what it is: number 1\n" in told
    assert '  event\n{\n  "messageId": "m1",\n  "n": 1,\n  "price": 19.90\n}\n' in told
    assert '/in\n{\n  "n": 1,\n  "price": 19.90\n}\n' in told and "  request   POST http://" in told
    assert "secret-query" not in told
    assert told.splitlines()[-1].startswith("never kept: the headers and the body of answers")


def test_several_events_and_one_that_nobody_knows(folder):
    delivered("d.yaml")
    told, _ = run("outcomes", "d.yaml", "--event-id", "m2", "--event-id", "m0", "--event-id", "x")
    assert told.count(" All: ") == 2
    assert "{keep: all}` keeps them from then on" in told
    assert "x: the ledger does not know it" in told
    lines, _ = run("outcomes", "d.yaml", "--event-id", "m2", "--event-id", "m0", "-o", "json")
    kept = {row["event_id"]: row["kept"] for row in map(json.loads, lines.splitlines())}
    assert kept["m2"]["event"] == {"messageId": "m2", "n": 2, "price": 19.9}
    assert kept["m2"]["request"]["body"] == {"n": 2, "price": 19.9}
    assert kept["m2"]["request"]["method"] == "POST" and len(kept["m2"]["not_kept"]) == 1
    assert (kept["m0"]["event"], kept["m0"]["request"]) == (None, None)
    assert len(kept["m0"]["not_kept"]) == 2


@pytest.mark.parametrize(
    ("file", "event", "why"),
    [("all.yaml", "m0", ""), ("none.yaml", "m1", "keep: none"), ("auth.yaml", "m0", "not decided")],
)
def test_missing_parts_are_told_with_the_way_to_keep_it(folder, file, event, why):
    delivered(file) if file != "auth.yaml" else run("deliver", file, f"{DEEP}/e.ndjson", code=3)
    told, _ = run("outcomes", file, "--event-id", event)
    assert (why in told) if why else ('"price": 19.90' in told and "not kept" not in told)


def test_outcomes_without_an_id_have_the_keys_that_they_had(folder):
    delivered("d.yaml")
    lines, _ = run("outcomes", "d.yaml", "--limit", "2", "-o", "json")
    rows = [json.loads(one) for one in lines.splitlines()]
    assert len(rows) == 2 and "kept" not in rows[0]
    assert len(list(fp.Destination.from_file("d.yaml").outcomes(limit=3))) == 3
    assert len(list(fp.Destination.from_file("d.yaml").outcomes(event_id=["m1", "m2"]))) == 2


def test_the_same_failure_is_told_once_with_a_count_and_examples(folder):
    _, told = delivered("d.yaml")
    assert told.count("3 rejected  All  http_422 is what it is: number 3\n") == 1
    assert "http_422 http_422" not in told
    assert "such as m3 (…/by/the/nightly/job/of/the/other/team/e.ndjson:4), m1 (" in told
    assert max(map(len, told.splitlines())) < 140
    listed, _ = run("failures", "d.yaml")
    assert listed.startswith(told.removesuffix("\n")[:200])
    assert listed.splitlines()[-1].endswith("fieldpost outcomes d.yaml --event-id ID")
    groups, _ = run("failures", "d.yaml", "--limit", "1", "-o", "json")
    (group,) = json.loads(groups)
    assert (group["count"], group["sample"]) == (3, group["samples"][0])
    assert [one["event_id"] for one in group["samples"]] == ["m3", "m1"]


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_stop_is_told_once_with_one_code(folder, output):
    for name in ("fieldpost", "fieldpost.progress"):  # as in a process of its own
        logging.getLogger(name).handlers.clear()
    result = CliRunner().invoke(app, ["deliver", "auth.yaml", f"{DEEP}/e.ndjson", "-o", output])
    assert result.exit_code == 3
    assert result.stderr.count("E605") == 1
    if output == "json":
        stopped = json.loads(result.stdout)["stopped"]
        assert stopped["code"] == "E605" and "E605" not in stopped["message"]


def test_one_look_at_status_tells_all(folder):
    before, _ = run("status", "d.yaml")
    assert "not there yet" in before and "last run  none" in before
    delivered("d.yaml")
    told, _ = run("status", "d.yaml")
    for part in ("Orders (webhook)", "state     enabled; off: Off", "address   http://127.0.0.1:",
                 "d.ledger.db", "(deliver) began ", "5 received, 1 delivered, 4 rejected",
                 "4 to look at: fieldpost failures d.yaml"):  # fmt: skip
        assert part in told, part
    assert "secret-query" not in told
    stands = json.loads(run("status", "d.yaml", "-o", "json")[0])
    assert stands["addresses"][0].endswith("/in") and stands["enabled"] is True
    assert stands["ledger"].endswith("d.ledger.db") and stands["type"] == "webhook"
    run_ = stands["last_run"]
    assert (run_["verb"], run_["at_work"], run_["counts"]["rejected"]) == ("deliver", False, 4)
    run("disable", "d.yaml")
    assert "state     disabled" in run("status", "d.yaml")[0]
    page = fp.Destination.from_file("d.yaml").status()._repr_html_()
    assert "last run" in page and "d.ledger.db" in page


def test_status_tells_why_the_last_run_stopped(folder):
    run("deliver", "auth.yaml", f"{DEEP}/e.ndjson", code=3)
    assert (
        "; stopped: E605 the destination refuses the credentials" in run("status", "auth.yaml")[0]
    )
    assert (
        json.loads(run("status", "auth.yaml", "-o", "json")[0])["last_run"]["stopped"]["code"]
        == "E605"
    )
