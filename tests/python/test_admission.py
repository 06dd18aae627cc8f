"""A dry run foretells a run: both admit events by one rule, whatever the ledger knows of them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from book import Book

import fieldpost as fp
from fieldpost.admission import Admission
from fieldpost.ledger import About, Ended, Key, Settled, Standing, Takes, open_ledger
from recipe import OUTCOMES
from service import Service

STATES = (
    "unknown",
    "delivered",
    "rejected",
    "expired",
    "unconfirmed",
    "waiting",
    "invalid",
    "dropped",
    "ignored",
    "claimed by the dead",
    "claimed by the living",
)


@pytest.fixture
def service():
    with Service() as made:
        yield made


class History:
    """A ledger in which each event stands as it is told, by runs that ended, died or live on."""

    def __init__(self, location, url: str, states: dict[str, str]) -> None:
        self.ended, self.dead, self.alive = (open_ledger(location) for _ in range(3))
        self._url, self._states = url, states
        for ledger in (self.ended, self.dead, self.alive):
            ledger.begin_run(About("deliver", "hook", "h", "0", "host", "u", ""))
        self._target = self.ended.target("hook", "all", url)
        for event_id, state in states.items():
            self._stand(event_id, state)
        self.ended.end_run({})
        self.ended.close()
        self.dead.close()

    def _stand(self, event_id: str, state: str) -> None:
        key = Key(self._target, event_id, 1, "old", 1, 0)
        if state in ("claimed by the dead", "claimed by the living"):
            ledger = self.dead if state.endswith("dead") else self.alive
            assert ledger.advance((), (), [key], (), Takes())[0] is not None
        elif state in ("invalid", "dropped"):
            self.ended.note_ended([Ended(key, state, "E403", "", "")], (), (), Takes())
        elif state != "unknown":
            [claim] = self.ended.advance((), (), [key], (), Takes())
            assert claim is not None
            row = Settled(state, "", 1, 400, "E1", "", "", "", "", 1.0, 0, claim.claim)
            self.ended.advance([row], (), (), (), Takes())


def source_of(folder: Path, states: dict[str, str], chance: random.Random) -> Path:
    """Each event once or twice; some have no body, some are refused by the filter."""
    lines = []
    for event_id in states:
        kind = chance.choice(["track", "track", "track", "page"])
        event = {"type": kind, "messageId": event_id}
        if chance.random() < 0.75:
            event["n"] = 1
        lines += [event] * chance.choice([1, 1, 2])
    chance.shuffle(lines)
    path = folder / "events.ndjson"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "broken\n")
    return path


def what(counts, dry: bool) -> dict[str, int]:
    """Counts of a report; what a dry run would send was sent by the run."""
    told = {name: counts[name] for name in OUTCOMES}
    if not dry:
        told["waiting"] += told.pop("delivered")
    else:
        assert told.pop("delivered") == 0
    return told | {"by_place": counts["by_place"]}


@pytest.mark.parametrize("unconfirmed", ["hold", "resend"])
@pytest.mark.parametrize("seed", range(6))
def test_a_dry_run_foretells_what_a_run_does(service, tmp_path, store, seed, unconfirmed):
    chance = random.Random(seed)
    states = {f"m{i}": chance.choice(STATES) for i in range(40)}
    file = service.destination(
        tmp_path, delivery=f"on_unconfirmed: {unconfirmed}", body='{"@path": "$.n"}'
    )
    history = History(store, f"{service.url}/in", states)
    destination = fp.Destination.from_file(file, ledger=store)
    source = source_of(tmp_path, states, chance)
    foretold = destination.deliver(source, dry_run=True).to_dict()
    done = destination.deliver(source).to_dict()
    assert what(foretold, dry=True) == what(done, dry=False)
    for counts in (foretold, done):
        assert counts["received"] == sum(counts[name] for name in OUTCOMES)
    assert sum(counts["ignored"] for counts in (foretold, done)) % 2 == 0
    history.alive.close()


@pytest.mark.parametrize("where", [None, "line > 0", "outcome = 'rejected'"])
@pytest.mark.parametrize("seed", range(3))
def test_a_dry_run_foretells_what_a_replay_from_a_source_does(
    service, tmp_path, store, seed, where
):
    chance = random.Random(seed)
    states = {f"m{i}": chance.choice(STATES) for i in range(40)}
    file = service.destination(tmp_path, body='{"@path": "$.n"}')
    history = History(store, f"{service.url}/in", states)
    destination = fp.Destination.from_file(file, ledger=store)
    source = source_of(tmp_path, states, chance)
    foretold = destination.replay(where, source=source, dry_run=True).to_dict()
    done = destination.replay(where, source=source).to_dict()
    assert what(foretold, dry=True) == what(done, dry=False)
    assert done["received"] == sum(done[name] for name in OUTCOMES)
    history.alive.close()


def test_a_record_that_died_on_its_way_is_unconfirmed_in_both(service, tmp_path):
    file = service.destination(tmp_path)
    states = {"m0": "claimed by the dead", "m1": "claimed by the living"}
    history = History(tmp_path / "hook.ledger.db", f"{service.url}/in", states)
    source = tmp_path / "e.ndjson"
    rows = [{"type": "track", "messageId": one, "n": 1} for one in states]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    destination = fp.Destination.from_file(file)
    for dry_run in (True, False):
        counts = destination.deliver(source, dry_run=dry_run)
        assert (counts["unconfirmed"], counts["waiting"]) == (1, 1)
    history.alive.close()


def test_one_record_of_a_dead_run_that_cannot_be_made_any_more_holds_no_other(tmp_path, service):
    """Sent again where that is safe: each record of a dead run is looked at alone."""
    states = {"m0": "claimed by the dead", "m1": "claimed by the dead"}
    file = service.destination(tmp_path, delivery="on_unconfirmed: resend", body='{"@path": "$.n"}')
    history = History(tmp_path / "hook.ledger.db", f"{service.url}/in", states)
    source = tmp_path / "e.ndjson"
    rows = [{"type": "track", "messageId": "m0"}, {"type": "track", "messageId": "m1", "n": 1}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    destination = fp.Destination.from_file(file)
    counts = destination.deliver(source)
    assert (counts["unconfirmed"], counts["delivered"]) == (1, 1)
    history.alive.close()


@pytest.mark.parametrize("ended", [True, False])
def test_the_rule_takes_what_is_open_and_leaves_what_stands(ended):
    rule = Admission(Takes(), resend=False, run=5, is_live=lambda run: run == 3)
    for outcome in ("waiting", "invalid", "dropped"):
        assert rule.of(Standing(1, outcome, 2), ended).taken
    for outcome in ("delivered", "rejected", "expired", "unconfirmed", "ignored"):
        assert rule.of(Standing(1, outcome, 2), ended).stands == outcome
    assert rule.of(Standing(1, None, 3), ended) == rule.of(Standing(1, None, 5), ended)
    assert rule.of(Standing(1, None, 2), ended).dead == 2
    assert rule.of(None, ended).taken


def test_a_book_knows_what_is_ignored(book: Book):
    [claim] = book.claim("a")
    book.settle([claim], "rejected")
    assert book.ledger.settle_by_hand([claim.claim], "ignored", "seen", ("rejected",)) == 1
    assert book.counts() == {"ignored": 1}
    assert book.ledger.failures("d") == []
    assert book.claim("a") == [None]
