"""What a run does with a ledger, step by step: both stores have to pass."""

from __future__ import annotations

import itertools
import multiprocessing
import threading

import pytest
from book import Book, ended, letter

import fieldpost as fp
from fieldpost.ledger import (
    Claim,
    Settled,
    Takes,
    open_ledger,
)


def test_a_claim_is_given_once(book):
    first = book.claim("a", "b")
    assert [type(one) for one in first] == [Claim, Claim]
    assert book.claim("b", "c")[0] is None
    assert book.counts() == {"waiting": 3}


def test_a_claim_twice_in_one_step_is_given_once(book):
    a, again = book.claim("a", "a")
    assert (a is None) != (again is None)


def test_an_outcome_is_kept_whole(book):
    told = {
        "effect": "created",
        "attempts": 3,
        "http_status": 204,
        "code": "0x1",
        "message": "größe 🎉 \0 end",
        "action_needed": "look",
        "record_id": "r",
        "request_id": "q",
        "latency_ms": 12.5,
    }
    book.settle(book.claim("a"), "delivered", **told)
    row = book.rows()["a"]
    message = row.pop("message")
    assert message.replace("\0", "") == "größe 🎉  end"
    told.pop("message")
    assert {name: row[name] for name in told} == told
    assert (row["source"], row["line"], row["offset"]) == ("a.ndjson", 1, 10)
    assert (row["subscription"], row["outcome"], row["mapping"]) == ("s", "delivered", "v1")
    assert row["run"].count("-") == 1


def test_the_newest_latencies_are_of_deliveries_at_the_first_try(book):
    for number in range(4):
        book.settle(book.claim(f"a{number}"), latency_ms=float(number))
    book.settle(book.claim("retried"), latency_ms=9000.0, attempts=2)
    book.settle(book.claim("refused"), "rejected", latency_ms=7000.0)
    book.claim("waits")
    assert book.ledger.latencies_ms("d", 10) == [3.0, 2.0, 1.0]
    assert book.ledger.latencies_ms("d", 2) == [3.0, 2.0]
    assert book.ledger.latencies_ms("other", 2) == []


@pytest.mark.parametrize("outcome", ["delivered", "rejected", "expired", "unconfirmed"])
def test_what_stands_is_not_claimed_again(store, book, outcome):
    book.settle(book.claim("a"), outcome)
    assert book.claim("a") == [None]
    other = Book(store)
    assert other.claim("a") == [None]
    assert other.ledger.look_up(other.target, ["a"])["a"].outcome == outcome
    other.ledger.close()


@pytest.mark.parametrize("outcome", ["waiting", "invalid", "dropped"])
def test_what_is_open_is_claimed_again(store, book, outcome):
    [first] = book.claim("a")
    book.settle([first], outcome)
    other = Book(store)
    [again] = other.claim("a")
    assert (again.claim, again.attempts) == (first.claim, 1)
    other.ledger.close()


def test_a_replay_takes_what_stands_and_begins_anew(store, book):
    book.settle(book.claim("a"), "expired", attempts=9)
    other = Book(store)
    takes = Takes(("expired",), anew=True)
    [again] = other.claim("a", takes=takes)
    assert (again.attempts, again.elapsed_s) == (0, 0.0)
    other.ledger.close()


def test_again_takes_what_others_delivered_and_not_its_own(store, book):
    book.settle(book.claim("a"))
    other = Book(store)
    takes = Takes(("waiting", "delivered"), anew=True)
    [again] = other.claim("a", takes=takes)
    other.settle([again])
    assert other.claim("a", takes=takes) == [None]
    other.ledger.close()


def test_the_time_since_the_first_try_is_counted_over_runs(store):
    now = [1000.0]
    book = Book(store, _clock=lambda: now[0])
    book.settle(book.claim("a"), "waiting")
    now[0] = 1600.0
    assert book.claim("a")[0].elapsed_s == 600
    book.ledger.close()


def test_a_clock_that_jumps_loses_nothing(store):
    now = [5000.0]
    book = Book(store, _clock=lambda: now[0])
    book.settle(book.claim("a", "b"), "waiting")
    now[0] = -3e9
    [back] = book.claim("a")
    assert back.elapsed_s == 0
    now[0] = 4e12
    [forward] = book.claim("b")
    assert forward.elapsed_s > 1e12
    book.settle([back, forward])
    assert book.counts() == {"delivered": 2}
    book.ledger.close()


def _claim_and_die(location: str, told: object) -> None:
    book = Book(location)
    book.claim("a", "b")
    told.send(book.ledger.run)
    threading.Event().wait(60)


def a_killed_run(location: str) -> int:
    """The number of a run that was killed with the claims a and b undecided."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=_claim_and_die, args=(location, there))
    child.start()
    assert here.poll(60)
    run = here.recv()
    other = open_ledger(location)
    assert other.is_live(run)
    other.close()
    child.kill()
    child.join(10)
    return run


def test_a_killed_run_is_dead_at_once_and_its_claims_can_be_taken_over(store):
    run = a_killed_run(store)
    book = Book(store)
    assert book.ledger.dead_runs([book.target]) == {run}
    assert book.claim("a") == [None]
    [taken] = book.claim("a", dead=[run])
    book.settle([taken])
    assert book.counts() == {"delivered": 1, "waiting": 1}
    book.ledger.close()


def test_what_a_killed_run_may_have_sent_can_be_held(store):
    run = a_killed_run(store)
    book = Book(store)
    book.ledger.hold_unconfirmed([book.target], [run], "E503", "killed")
    assert book.counts() == {"unconfirmed": 2}
    assert all(row["action_needed"] for row in book.rows().values())
    assert book.claim("a", dead=[run]) == [None]
    book.ledger.close()


def test_an_outcome_that_comes_late_does_not_overwrite_the_next_run(store, book):
    [late] = book.claim("a")
    other = Book(store)
    [taken] = other.claim("a", dead=[book.ledger.run])
    book.settle([late], "rejected")
    assert book.counts() == {"waiting": 1}
    other.settle([taken])
    assert book.counts() == {"delivered": 1}
    other.ledger.close()


def test_an_outcome_that_comes_late_is_better_than_unconfirmed(store, book):
    [late] = book.claim("a")
    other = Book(store)
    other.ledger.hold_unconfirmed([other.target], [book.ledger.run], "E503", "seemed dead")
    book.settle([late])
    assert book.counts() == {"delivered": 1}
    other.ledger.close()


def test_what_was_claimed_together_stays_claimed_while_one_of_it_is_tried_again(store, book):
    first, other = book.claim("a", "b")
    book.settle([first], "waiting")
    [again] = book.claim("a")
    assert again.claim == first.claim
    book.settle([again])
    looker = Book(store)
    assert looker.ledger.look_up(looker.target, ["b"])["b"][:3] == (
        other.claim,
        None,
        book.ledger.run,
    )
    assert {row["event_id"]: row["outcome"] for row in looker.ledger.outcomes("d")} == {
        "a": "delivered",
        "b": "waiting",
    }
    assert [one is None for one in looker.claim("a", "b", "c")] == [True, True, False]
    book.settle([other])
    assert book.counts() == {"delivered": 2, "waiting": 1}
    looker.ledger.close()


def test_a_claim_is_read_as_a_row_that_waits(store, book):
    book.claim("a", "b")
    looker = Book(store)
    row = looker.rows("outcome = 'waiting' AND line = 2")["b"]
    assert (row["source"], row["offset"], row["mapping"]) == ("a.ndjson", 20, "v1")
    assert (row["attempts"], row["effect"], row["latency_ms"]) == (0, "", 0)
    [group] = looker.ledger.failures("d")
    assert (group["outcome"], group["count"], group["sample"]["line"]) == ("waiting", 2, 2)
    [kept] = looker.ledger.kept(looker.ledger.choose("d", "event_id = 'b'"))
    assert (kept.outcome, kept.key) == (None, book.key("b", 2))
    assert looker.ledger.knows(looker.target)
    looker.ledger.close()


def test_what_ends_while_others_are_claimed_takes_no_number_of_theirs(store, book):
    claims = book.claim("a", "b")
    other = Book(store)
    other.ledger.note_ended([ended(other, "c"), ended(other, "b")], (), (), Takes())
    book.ledger.note_ended([ended(book, "d")], (), (), Takes())
    more = book.claim("e")
    book.settle([*claims, *more])
    outcomes = {name: row["outcome"] for name, row in book.rows().items()}
    assert outcomes == dict.fromkeys("abe", "delivered") | dict.fromkeys("cd", "invalid")
    other.ledger.close()


def test_what_was_pruned_does_not_come_back_with_what_was_claimed_beside_it(store):
    now = [1000.0]
    book = Book(store, _clock=lambda: now[0])
    gone, flying = book.claim("gone", "flying")
    book.settle([gone])
    now[0] = 9000.0
    assert book.ledger.prune("d", 5000.0)["delivered"] == 1
    assert book.counts() == {"waiting": 1}
    other = Book(store)
    assert other.claim("flying") == [None]
    assert set(other.rows()) == {"flying"}
    book.settle([flying])
    assert book.counts() == {"delivered": 1}
    for one in (book, other):
        one.ledger.close()


def test_a_pack_of_claims_goes_when_the_last_of_it_is_decided(tmp_path):
    book = Book(str(tmp_path / "ledger.db"))
    claims = book.claim("a", "b", "c")
    rows = [book.ledger._rows(f"SELECT count(*) FROM {name}") for name in ("claims", "outcomes")]
    assert rows == [[(1,)], [(0,)]]
    book.settle(claims[:2])
    assert book.ledger._rows("SELECT event_id FROM open_claims") == [("c",)]
    book.settle(claims[2:])
    assert book.ledger._rows("SELECT count(*) FROM claims") == [(0,)]
    assert book.counts() == {"delivered": 3}
    book.ledger.close()


def test_a_step_that_fails_changes_nothing_that_is_known_of_claims(tmp_path):
    book = Book(str(tmp_path / "ledger.db"))
    claims = book.claim("a", "b")
    put = book.ledger._put_letters

    def fail(*_):
        raise fp.LedgerError("E723", "full")

    book.ledger._put_letters = fail
    with pytest.raises(fp.LedgerError, match="E723"):
        book.settle(claims, "rejected", [letter(book, "a")])
    book.ledger._put_letters = put
    assert book.counts() == {"waiting": 2}
    assert book.claim("a") == [None]
    book.settle(claims)
    assert book.counts() == {"delivered": 2}
    book.ledger.close()


def test_many_runs_at_once_get_each_claim_once(store):
    books = [Book(store) for _ in range(4)]
    ids = [f"e{i}" for i in range(400)]
    given: list[list[str]] = [[] for _ in books]

    def work(n: int) -> None:
        order = ids if n % 2 else ids[::-1]
        for begin in range(0, len(order), 16):
            part = order[begin : begin + 16]
            claims = books[n].claim(*part)
            mine = [one for one, claim in zip(part, claims, strict=True) if claim]
            books[n].settle([claim for claim in claims if claim])
            given[n] += mine

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(books))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(itertools.chain(*given)) == sorted(ids)
    assert books[0].counts() == {"delivered": 400}
    for one in books:
        one.ledger.close()


def test_a_step_writes_its_outcomes_where_some_of_its_keys_are_known(book):
    first = book.claim("a", "b")
    rows = [
        Settled("delivered", "", 1, 204, "", "", "", "", "", 1.5, 0, one.claim) for one in first
    ]
    keys = [book.key(one) for one in ("a", "c", "c", "d")]
    for number in range(2):
        given = book.ledger.advance(rows, (), keys, (), Takes())
        assert [one is None for one in given] == ([True, False, True, False], [True] * 4)[number]
        assert book.counts() == {"delivered": 2, "waiting": 2}


def test_outcomes_of_one_step_may_differ_in_everything(book):
    claims = book.claim("a", "b", "c")
    told = [
        Settled("delivered", "created", 1, 201, "", "", "", "r1", "q1", 1.5, 0, claims[0].claim),
        Settled(
            "rejected", "", 2, 400, "0x1", 'größe, "\\ 🎉', "ask", "", "q2", 2.5, 0, claims[1].claim
        ),
        Settled("waiting", "", 3, 503, "E5", "", "", "", "", 3.5, 1, claims[2].claim),
    ]
    book.ledger.advance(told[::-1], (), (), (), Takes())
    rows = book.rows()
    for event_id, one in zip("abc", told, strict=True):
        expected = one._asdict()
        del expected["claim"], expected["in_doubt"]
        assert {name: rows[event_id][name] for name in expected} == expected
    assert book.ledger.look_up(book.target, "abc")["c"].in_doubt == 1


def test_claims_that_nobody_had_are_numbered_one_behind_the_other(book):
    claims = book.claim(*(f"e{i}" for i in range(3000)))
    numbers = [one.claim for one in claims]
    assert numbers == list(range(numbers[0], numbers[0] + 3000))
    [back] = book.ledger.kept([numbers[2999]])
    assert (back.key.event_id, back.key.line) == ("e2999", 3000)
