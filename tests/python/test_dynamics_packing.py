"""Records of Dynamics 365 in fewer requests, against the emulator: what is sent, what one refusal
does to the others, and that every row is created exactly once whatever is lost."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fieldpost as fp
from fieldpost.emulator import Emulator
from recipe import Recipe

FLAT = "      name: {'@path': '$.properties.company'}\n"
TREE = (
    FLAT + "      primarycontactid: {lastname: {'@path': '$.properties.company'}}\n"
    "      opportunity_customer_accounts:\n"
    "        - name: Deal\n          Opportunity_Tasks: [{subject: Call}]\n"
)
ASKED = "sdkmessagefilters"
LOST = {"when": "after", "close": True}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def control(emulator: Emulator, verb: str, order: Any = None, method: str = "POST") -> Any:
    data = None if order is None else json.dumps(order).encode()
    request = urllib.request.Request(f"{emulator.control_url}/{verb}", data, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


class Sender:
    """Delivers accounts to the emulator and looks at what came of them."""

    def __init__(self, emulator: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.emulator, self.folder = emulator, folder
        monkeypatch.setenv("CID", emulator.client_id)
        monkeypatch.setenv("SECRET", emulator.client_secret)

    def destination(self, batching: str, body: str = FLAT, more: str = "") -> fp.Destination:
        text = Recipe(self.folder, self.emulator).head("dynamics365") + (
            f"url: {self.emulator.url}\nevent_id: {{'@path': '$.messageId'}}\n"
            "subscriptions:\n  - name: New account\n"
            f"    action: create\n    table: account\n    body:\n{body}"
            f"delivery: {{batching: {batching}, max_in_flight: 8,"
            f" retry: {{wait_initial_s: 0.02}}{more}}}\n"
        )
        return fp.Destination.from_text(text, str(self.folder / "packing.yaml"))

    def deliver(
        self, batching: str, rows: list[dict[str, Any]], body: str = FLAT, more: str = ""
    ) -> fp.Report:
        return self.destination(batching, body, more).deliver(rows, progress=False)

    def requests(self) -> dict[str, int]:
        """Of the Web API, but for what is asked once."""
        seen = control(self.emulator, "requests", method="GET")["requests"]
        return {name: n for name, n in seen.items() if "/api/data/" in name and ASKED not in name}

    def asked(self) -> int:
        """How often it was asked which bulk messages a table takes."""
        seen = control(self.emulator, "requests", method="GET")["requests"]
        return sum(n for name, n in seen.items() if ASKED in name)

    def created(self, rows: int) -> None:
        """Every row exists, and was created exactly once."""
        commits = control(self.emulator, "commits", method="GET")["commits"]
        assert len(commits) == rows
        assert {(one["created"], one["updated"], one["deleted"]) for one in commits} == {(1, 0, 0)}


@pytest.fixture
def sender(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sender:
    return Sender(emulator, tmp_path, monkeypatch)


def accounts(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"messageId": f"m-{n}", "type": "track", "properties": {"company": f"Company {n}"} | more}
        for n in range(count)
    ]


def ending(requests: dict[str, int], name: str) -> int:
    return sum(n for address, n in requests.items() if address.endswith(name))


@pytest.mark.parametrize("mode", ["bulk", "auto"])
def test_flat_rows_go_by_bulk_message(sender: Sender, mode: str) -> None:
    report = sender.deliver(mode, accounts(1500))
    assert report["delivered"] == 1500
    sender.created(1500)
    assert set(sender.requests()) == {
        "POST /api/data/v9.2/accounts/Microsoft.Dynamics.CRM.CreateMultiple"
    }
    assert sum(sender.requests().values()) <= 15
    again = sender.deliver(mode, accounts(1500))
    assert again["already_delivered"] == 1500


@pytest.mark.parametrize("mode", ["batch", "auto", "bulk"])
def test_trees_go_by_batch(sender: Sender, mode: str) -> None:
    report = sender.deliver(mode, accounts(300), TREE)
    assert report["delivered"] == 300
    sender.created(1200)
    assert set(sender.requests()) == {"POST /api/data/v9.2/$batch"}
    assert sum(sender.requests().values()) <= 4


def test_off_sends_one_by_one(sender: Sender) -> None:
    assert sender.deliver("off", accounts(20))["delivered"] == 20
    assert sender.requests() == {"POST /api/data/v9.2/accounts": 20}


@pytest.mark.parametrize("mode", ["bulk", "auto"])
def test_one_bad_record_among_a_thousand_is_found(sender: Sender, mode: str) -> None:
    rows = accounts(1000)
    rows[617]["properties"]["company"] = "x" * 200
    destination = sender.destination(mode)
    report = destination.deliver(rows, progress=False)
    assert (report["delivered"], report["rejected"]) == (999, 1)
    (refused,) = list(destination.outcomes("outcome = 'rejected'"))
    assert refused["event_id"] == "m-617"
    assert refused["code"] == "0x80044331"
    assert "name" in refused["message"] and refused["action_needed"]
    sender.created(999)
    assert sum(sender.requests().values()) <= 25


def test_a_conflict_among_a_thousand_is_found(sender: Sender, emulator: Emulator) -> None:
    """Its refusal looks like that of rows which exist already."""
    refusal = {"table": "account", "refuse": "No.", "where": {"name": "Company 321"}}
    taken = {"status": 412, "code": "0x80040237"}
    control(emulator, "plugins", refusal | taken)
    report = sender.deliver("auto", accounts(1000))
    assert (report["delivered"], report["rejected"]) == (999, 1)
    sender.created(999)
    assert sum(sender.requests().values()) <= 30


@pytest.mark.parametrize("mode", ["batch", "bulk", "auto"])
@pytest.mark.parametrize("body", [FLAT, TREE], ids=["flat", "tree"])
@pytest.mark.parametrize("cut", [LOST, LOST | {"close": "middle"}], ids=["cut", "half"])
def test_a_lost_answer_creates_nothing_twice(
    sender: Sender, emulator: Emulator, mode: str, body: str, cut: dict[str, Any]
) -> None:
    control(emulator, "faults", [cut | {"match": {"method": "POST", "path": "/api/"}, "times": 3}])
    report = sender.deliver(mode, accounts(400), body)
    assert report["delivered"] == 400
    sender.created(400 if body is FLAT else 1600)
    asked = sum(n for name, n in sender.requests().items() if name.startswith("GET"))
    assert sum(sender.requests().values()) <= 40, "packs stay packs when they are sent again"
    assert asked <= 12, "whether rows exist is asked for many at once"


def test_a_batch_without_some_answers_is_asked_again(sender: Sender, emulator: Emulator) -> None:
    part = {"match": {"method": "POST", "part": True}, "status": 500, "times": 40}
    control(emulator, "faults", [part])
    assert sender.deliver("batch", accounts(200))["delivered"] == 200
    sender.created(200)


def test_a_busy_part_makes_all_wait_and_the_others_stand(
    sender: Sender, emulator: Emulator
) -> None:
    busy = {"status": 429, "code": "0x80072322", "message": "Busy.", "retry_after_s": 1}
    control(emulator, "faults", [busy | {"match": {"part": True}, "times": 30}])
    report = sender.deliver("batch", accounts(300))
    assert report["delivered"] == 300
    assert report.duration_s >= 0.9
    sender.created(300)
    assert sum(sender.requests().values()) <= 8


@pytest.mark.parametrize("mode", ["batch", "bulk"])
def test_a_token_that_ends_in_mid_run_is_renewed(
    sender: Sender, emulator: Emulator, mode: str
) -> None:
    control(emulator, "tokens", {"lifetime_s": 1})
    control(emulator, "limits", {"bulk_row_ms": 5, "request_ms": 5})
    assert sender.deliver(mode, accounts(1200))["delivered"] == 1200
    sender.created(1200)
    assert control(emulator, "requests", method="GET")["tokens_issued"] > 1


def test_a_table_without_bulk_messages_is_asked_about_once(
    sender: Sender, emulator: Emulator
) -> None:
    control(emulator, "schema", {"table": "account", "bulk": False})
    for some in (accounts(1000)[:500], accounts(1000)[500:]):
        assert sender.deliver("auto", some)["delivered"] == 500
    sender.created(1000)
    requests = sender.requests()
    assert set(requests) == {"POST /api/data/v9.2/$batch"}, "nothing had to be refused"
    assert sum(requests.values()) <= 12
    assert sender.asked() == 1


def test_a_table_with_bulk_messages_is_asked_about_once(sender: Sender) -> None:
    for some in (accounts(400)[:200], accounts(400)[200:]):
        assert sender.deliver("auto", some)["delivered"] == 200
    assert ending(sender.requests(), "CreateMultiple") == sum(sender.requests().values())
    assert sender.asked() == 1


@pytest.mark.parametrize(("mode", "body"), [("batch", FLAT), ("off", FLAT), ("auto", TREE)])
def test_where_no_bulk_message_could_go_nothing_is_asked(
    sender: Sender, mode: str, body: str
) -> None:
    assert sender.deliver(mode, accounts(20), body)["delivered"] == 20
    assert sender.asked() == 0


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_where_the_question_is_refused_the_table_is_noticed_and_remembered(
    sender: Sender, emulator: Emulator, status: int
) -> None:
    refusal = {"match": {"path": ASKED}, "status": status, "code": "0x80040220", "times": None}
    control(emulator, "faults", refusal)
    control(emulator, "schema", {"table": "account", "bulk": False})
    assert sender.deliver("auto", accounts(500))["delivered"] == 500
    refused = ending(sender.requests(), "CreateMultiple")
    assert 1 <= refused <= 4, "as many as began together"
    assert sender.asked() == 1
    assert sender.deliver("auto", accounts(1000)[500:])["delivered"] == 500
    assert ending(sender.requests(), "CreateMultiple") == refused
    assert sender.asked() == 1, "the refusal is remembered, so there is nothing to ask"
    sender.created(1000)


def test_a_wait_that_answers_the_question_is_kept(sender: Sender, emulator: Emulator) -> None:
    wait = {"match": {"path": ASKED}, "status": 429, "code": "0x80072322", "retry_after_s": 1}
    control(emulator, "faults", wait | {"times": 1})
    report = sender.deliver("auto", accounts(200))
    assert report["delivered"] == 200
    assert report.throttled_s > 0.5


def test_a_smaller_cap_of_parts_is_learned(sender: Sender, emulator: Emulator) -> None:
    control(emulator, "limits", {"batch_parts": 40})
    assert sender.deliver("batch", accounts(800))["delivered"] == 800
    sender.created(800)
    assert ending(sender.requests(), "$batch") <= 4 + 8 + 20


def test_slow_plug_ins_make_packs_smaller(sender: Sender, emulator: Emulator) -> None:
    """All plug-ins of one message have 300 ms: thirty rows."""
    control(emulator, "limits", {"plug_in_ms": 300})
    control(emulator, "plugins", {"table": "account", "delay_ms": 10})
    assert sender.deliver("auto", accounts(300))["delivered"] == 300
    sender.created(300)
    assert sum(sender.requests().values()) <= 80


def test_the_service_is_never_asked_for_more_than_it_gives(
    sender: Sender, emulator: Emulator
) -> None:
    # Its window is shorter than the one that is kept to: a busy machine notes requests late.
    limits = {"requests": 12, "execution_s": 12, "concurrency": 8, "window_s": 2.5}
    control(emulator, "limits", limits | {"bulk_request_ms": 20, "bulk_row_ms": 0.5})
    more = ", rate: {requests: 12, window_s: 3}, execution: {seconds: 12, window_s: 3}"
    report = sender.deliver("auto", accounts(9000), more=more)
    assert report["delivered"] == 9000
    sender.created(9000)
    told = control(emulator, "limits", method="GET")
    assert (told["refused"], told["impatient"]) == (0, 0)


def test_a_service_that_gives_less_than_believed_is_obeyed(
    sender: Sender, emulator: Emulator
) -> None:
    # 500 rows fill a window: a slow machine sends more of them in that time, too.
    limits = {"execution_s": 1, "window_s": 3, "bulk_request_ms": 20, "bulk_row_ms": 2}
    control(emulator, "limits", limits | {"grace_s": 1.5})  # for what is on its way
    report = sender.deliver("auto", accounts(3000))
    assert report["delivered"] == 3000
    sender.created(3000)
    told = control(emulator, "limits", method="GET")
    assert told["refused"] > 0
    assert told["impatient"] == 0


def test_the_day_s_operations_are_counted_and_capped(sender: Sender) -> None:
    report = sender.deliver("auto", accounts(500), more=", requests_per_day: 300")
    assert (report["delivered"], report["waiting"]) == (300, 200)
    assert report.stopped is not None and report.stopped.code == "E734"
    sender.created(300)
    still = sender.deliver("auto", accounts(500), more=", requests_per_day: 300")
    assert (still["already_delivered"], still["waiting"]) == (300, 200)
    rest = sender.deliver("auto", accounts(500))
    assert rest["delivered"] == 200
    sender.created(500)


def test_status_tells_the_day_s_operations(sender: Sender) -> None:
    assert sender.destination("auto").status().to_dict()["operations_today"] == 0
    sender.deliver("auto", accounts(30))
    sender.deliver("off", accounts(33))
    assert sender.destination("off").status().to_dict()["operations_today"] == 33
    ledger = sender.folder / "packing.ledger.db"
    with sqlite3.connect(ledger) as db:
        db.execute("INSERT INTO operations SELECT \"user\", '2001-01-01', 7 FROM operations")
        db.execute("INSERT INTO operations SELECT 'somebody', day, 7 FROM operations")
    assert sender.destination("off").status().operations_today == 33


class Actions:
    """Destinations of any subscription, to the same emulator."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender

    def deliver(self, batching: str, subscription: str, rows: list[dict[str, Any]]) -> fp.Report:
        return self.destination(batching, subscription).deliver(rows, progress=False)

    def pull(self, table: str) -> str:
        """The schema of a table that is no standard one; the line that names it."""
        file = self.sender.folder / "actions.yaml"
        file.write_text(self.text("off", UPSERT))
        recipe = Recipe(self.sender.folder, self.sender.emulator)
        pulled = recipe.run("schema", "pull", file, "--table", table)
        assert pulled.returncode == 0, pulled.stderr
        return "schema: actions.schema.json\n"

    def destination(self, batching: str, subscription: str, more: str = "") -> fp.Destination:
        text = self.text(batching, subscription, more)
        return fp.Destination.from_text(text, str(self.sender.folder / "actions.yaml"))

    def text(self, batching: str, subscription: str, more: str = "") -> str:
        return Recipe(self.sender.folder, self.sender.emulator).head("dynamics365") + (
            f"url: {self.sender.emulator.url}\nevent_id: {{'@path': '$.messageId'}}\n{more}"
            f"subscriptions:\n  - {{name: One, {subscription}}}\n"
            f"delivery: {{batching: {batching}, max_in_flight: 8,"
            " retry: {wait_initial_s: 0.02}}\n"
        )

    def commits(self, table: str) -> list[tuple[int, int]]:
        told = control(self.sender.emulator, f"commits?table={table}", method="GET")
        return [(one["created"], one["updated"]) for one in told["commits"]]


@pytest.fixture
def actions(sender: Sender) -> Actions:
    return Actions(sender)


UPSERT = (
    "action: upsert, table: account, key: {'@path': $.userId},"
    " body: {name: {'@path': $.properties.company}}"
)
TICKET = (
    "action: upsert, table: new_ticket, key: {new_key: {'@path': $.userId}},"
    " body: {new_name: {'@path': $.properties.company}}"
)
WITH_TASK = (
    "action: upsert, table: account, key: {'@path': $.userId},"
    " body: {name: {'@path': $.properties.company}, Account_Tasks: [{subject: Call}]}"
)


def people(events: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Each event is of one of so many users."""
    return [one | {"userId": f"u'{n % count}, &"} for n, one in enumerate(events)]


def test_upserts_of_one_row_never_share_a_bulk_message(actions: Actions) -> None:
    report = actions.deliver("auto", UPSERT, people(accounts(600), 200))
    assert report["delivered"] == 600
    assert sorted(actions.commits("account")) == [(1, 2)] * 200
    assert {name.rpartition(".")[2] for name in actions.sender.requests()} == {"UpsertMultiple"}


@pytest.mark.parametrize("mode", ["batch", "auto"])
def test_upserts_by_an_alternate_key_leave_it_out_of_the_body(actions: Actions, mode: str) -> None:
    events = [one | {"userId": f"k-{n}"} for n, one in enumerate(accounts(300))]
    destination = actions.destination(mode, TICKET, actions.pull("new_ticket"))
    before = sum(actions.sender.requests().values())
    assert destination.deliver(events, progress=False)["delivered"] == 300
    assert actions.commits("new_ticket") == [(1, 0)] * 300
    again = destination.deliver(
        [one | {"messageId": "again-" + one["messageId"]} for one in events], progress=False
    )
    assert again["delivered"] == 300
    assert actions.commits("new_ticket") == [(1, 1)] * 300
    assert sum(actions.sender.requests().values()) - before <= 8


def test_updates_go_by_bulk_message_and_a_missing_row_is_named(actions: Actions) -> None:
    events = people(accounts(200), 200)
    actions.deliver("auto", UPSERT, events)
    update = UPSERT.replace("upsert", "update")
    changed = [one | {"messageId": "u-" + one["messageId"]} for one in events]
    changed.append(changed[0] | {"messageId": "lost", "userId": "nobody"})
    destination = actions.destination("auto", update)
    report = destination.deliver(changed, progress=False)
    assert (report["delivered"], report["rejected"]) == (200, 1)
    (refused,) = list(destination.outcomes("outcome = 'rejected'"))
    assert refused["event_id"] == "lost"
    assert sorted(actions.commits("account")) == [(1, 1)] * 200


@pytest.mark.parametrize("lost", [0, 2])
def test_change_sets_travel_together_and_stay_whole(
    actions: Actions, emulator: Emulator, lost: int
) -> None:
    if lost:
        control(emulator, "faults", [LOST | {"match": {"path": "batch"}, "times": lost}])
    events = [one | {"userId": f"u-{n}"} for n, one in enumerate(accounts(150))]
    assert actions.deliver("auto", WITH_TASK, events)["delivered"] == 150
    assert [created for created, _ in actions.commits("task")] == [1] * 150
    assert actions.commits("account") == [(1, 0)] * 150
    assert sum(actions.sender.requests().values()) <= 12


def test_a_change_set_that_is_refused_takes_no_other_with_it(actions: Actions) -> None:
    events = [one | {"userId": f"u-{n}"} for n, one in enumerate(accounts(90))]
    events[40]["properties"]["company"] = "x" * 200
    destination = actions.destination("batch", WITH_TASK)
    report = destination.deliver(events, progress=False)
    assert (report["delivered"], report["rejected"]) == (89, 1)
    (refused,) = list(destination.outcomes("outcome = 'rejected'"))
    assert (refused["event_id"], refused["code"]) == ("m-40", "0x80044331")
    assert len(actions.commits("task")) == len(actions.commits("account")) == 89


@pytest.mark.parametrize("mode", ["batch", "bulk"])
def test_the_doubtful_codes_of_a_taken_id_are_understood(
    sender: Sender, emulator: Emulator, mode: str
) -> None:
    """V3: CreateMultiple may say it with 500; V4, V14: batches that stop or count differently."""
    control(emulator, "switches", {"V3": False, "V4": False, "V14": False})
    control(emulator, "faults", [LOST | {"match": {"method": "POST", "path": "/api/"}}])
    assert sender.deliver(mode, accounts(250))["delivered"] == 250
    sender.created(250)
