"""A destination watched while a run is at work."""

from __future__ import annotations

import json
import subprocess
import threading
from itertools import pairwise
from pathlib import Path

import pytest

import fieldpost as fp
from fieldpost.monitor import glances
from fieldpost.report import Counts, Status
from recipe import FIELDPOST
from service import Service, events


@pytest.fixture
def service():
    with Service() as made:
        yield made


def test_a_run_is_watched_by_another_process_from_its_first_event_to_its_last(
    service: Service, tmp_path: Path
) -> None:
    go_on = threading.Event()
    service.answer = lambda _: 200 if len(service.bodies) <= 50 or go_on.wait(60) else 500
    file, source = service.destination(tmp_path), events(tmp_path, 200)
    run = threading.Thread(target=lambda: fp.Destination.from_file(file).deliver(source))
    command = [*FIELDPOST, "monitor", str(file), "--every", "0.1s", "-o", "json"]
    watch = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        run.start()
        assert watch.stdout is not None
        looks = []
        for line in watch.stdout:
            looks.append(json.loads(line))
            if looks[-1]["waiting"]:
                go_on.set()
            if looks[-1]["delivered"] == 200:
                break
    finally:
        go_on.set()
        watch.terminate()
        watch.communicate(timeout=20)
        run.join(60)
    assert looks[0]["per_second"] is None
    assert all(a["delivered"] <= b["delivered"] and a["at"] < b["at"] for a, b in pairwise(looks))
    assert max(look["per_second"] or 0 for look in looks) > 0


def test_it_ends_when_its_time_is_over_and_tells_what_fails(
    service: Service, tmp_path: Path
) -> None:
    service.answer = lambda _: 400
    file = service.destination(tmp_path)
    fp.Destination.from_file(file).deliver(events(tmp_path, 3))
    command = [*FIELDPOST, "monitor", str(file), "--for", "0.3s", "--every", "0.1s"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.count("3 rejected") >= 2, "a terminal would show the last one only"
    *_, last = fp.Destination.from_file(file).monitor(every_s=0.1, for_s=0.1)
    assert last.to_dict()["rejected"] == 3 and last.failures[0]["count"] == 3
    assert last.per_second == 0


def test_a_rate_is_of_what_got_an_outcome_since_the_look_before() -> None:
    now, delivered = [100.0], iter((0, 30, 30, 35))

    def status() -> Status:
        return Status("d", {"s": Counts({"delivered": next(delivered), "waiting": 7})})

    def wait(seconds: float) -> None:
        now[0] += seconds

    looks = list(glances(status, list, 2.0, 5.0, lambda: now[0], wait))
    assert [look.at for look in looks] == [100, 102, 104, 105]
    assert [look.per_second for look in looks] == [None, 15, 0, 5]
