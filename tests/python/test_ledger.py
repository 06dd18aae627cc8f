"""The ledger: one suite, which both stores have to pass."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from array import array
from pathlib import Path

import pytest

import fieldpost as fp
from fieldpost.ledger import (
    About,
    Claim,
    Ended,
    Key,
    Ledger,
    Letter,
    Settled,
    Takes,
    Writer,
    open_ledger,
)

ABOUT = About("deliver", "d", "hash", "0", "host", "user", "")


class Book:
    """A ledger in use by one run, in few words."""

    def __init__(self, location: str, **options: object) -> None:
        self.ledger: Ledger = open_ledger(location)
        for name, value in options.items():
            setattr(self.ledger, name, value)
        self.ledger.begin_run(ABOUT)
        self.target = self.ledger.target("d", "s", "https://x")

    def key(self, event_id: str, number: int = 1) -> Key:
        return Key(self.target, event_id, hash(event_id), "a.ndjson", number, number * 10, "v1")

    def claim(self, *ids: str, dead=(), takes: Takes | None = None) -> list[Claim | None]:
        keys = [self.key(one, i + 1) for i, one in enumerate(ids)]
        return self.ledger.advance((), (), keys, dead, takes or Takes())

    def settle(self, claims, outcome: str = "delivered", letters=(), **told: object) -> None:
        row = Settled(outcome, "", 1, 201, "", "", "", "", "", 1.5, 0, 0)._replace(**told)
        rows = [row._replace(claim=one.claim) for one in claims]
        self.ledger.advance(rows, letters, (), (), Takes())

    def rows(self, where: str = "", **options: object) -> dict[str, dict]:
        return {row["event_id"]: row for row in self.ledger.outcomes("d", where, **options)}

    def counts(self) -> dict[str, int]:
        counts = self.ledger.counts("d", "s", "https://x")
        return {name: events for name, events in counts.items() if events}


@pytest.fixture
def book(store):
    made = Book(store)
    yield made
    made.ledger.close()


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


def test_a_filtered_event_counts_once_and_not_beside_an_outcome(store, book):
    packs = [array("q", [1, 2, 3, -4]), array("q", [3, 2, hash("a")])]
    for pack in packs:
        book.ledger.note_ended((), (), [(book.target, pack.tobytes())], Takes())
    book.claim("a")
    assert book.counts() == {"filtered": 4, "waiting": 1}
    book.ledger.merge_filtered([book.target])
    assert book.counts() == {"filtered": 4, "waiting": 1}
    assert len(book.ledger._rows("SELECT hashes FROM filtered")) == 1


def test_reading_a_source_again_does_not_make_the_ledger_grow(book):
    hashes = array("q", range(1000)).tobytes()
    for _ in range(5):
        book.ledger.note_ended((), (), [(book.target, hashes)], Takes())
        book.ledger.merge_filtered([book.target])
    sizes = [len(row[0]) for row in book.ledger._rows("SELECT hashes FROM filtered")]
    assert sizes == [8000]


def ended(book, event_id, code="E403"):
    return Ended(book.key(event_id), "invalid", code, "no body", "author")


def test_what_ended_before_delivery_is_noted_but_never_over_what_was_sent(store, book):
    book.settle(book.claim("sent"))
    book.settle(book.claim("held"), "unconfirmed")
    rows = [ended(book, one) for one in ("new", "sent", "held")]
    takes = Takes(("waiting", "invalid", "delivered", "unconfirmed"))
    book.ledger.note_ended(rows, (), (), takes)
    outcomes = {name: row["outcome"] for name, row in book.rows().items()}
    assert outcomes == {"new": "invalid", "sent": "delivered", "held": "unconfirmed"}
    assert book.rows()["new"]["action_needed"] == "author"


def letter(book, event_id, **more):
    return Letter(book.target, event_id, b'{"e":1}', b'{"b":\xff}', **more)


def test_a_dead_letter_is_kept_until_its_record_arrives(book):
    claims = book.claim("a", "b")
    book.settle(claims, "rejected", [letter(book, "a", url="u", identity=b"\0a")])
    [a, b] = book.ledger.kept([one.claim for one in claims])
    assert (a.event, a.body, a.url, a.identity) == (b'{"e":1}', b'{"b":\xff}', "u", b"\0a")
    assert (a.key.event_id, a.outcome, b.event) == ("a", "rejected", None)
    again = book.ledger.advance((), (), [book.key("a")], (), Takes(("rejected",)))
    assert again == [None]  # its own rejection stands within a run
    book.settle(claims[:1], "delivered")
    assert next(book.ledger.kept([claims[0].claim])).event is None


def test_where_everything_is_kept_a_delivered_record_has_its_letter(book):
    claims = book.claim("a")
    book.settle(claims, "delivered", [letter(book, "a")])
    assert next(book.ledger.kept([claims[0].claim])).body == b'{"b":\xff}'


def test_odd_identities_are_found_again(book):
    odd = ["x" * 100_000, "a\0b", "'", '"', "%s", "ü" * 700, "\\x00", "?"]
    claims = book.claim(*odd)
    assert None not in claims
    assert set(book.ledger.look_up(book.target, odd)) == set(odd)
    for one in odd:
        assert len(list(book.ledger.outcomes("d", event_id=one))) == 1


def test_questions_choose_rows(book):
    claims = book.claim("a", "b", "100%")
    book.settle(claims[:1], "rejected", code="0x8", message="it's bad")
    assert set(book.rows("outcome = 'rejected' AND code = '0x8'")) == {"a"}
    assert set(book.rows("message LIKE 'it''s%'")) == {"a"}
    assert set(book.rows("event_id LIKE '%0%'")) == {"100%"}
    assert set(book.rows("outcome = 'waiting' and lower(event_id) in ('b')")) == {"b"}
    assert set(book.rows("line > 1")) == {"b", "100%"}
    assert len(book.ledger.choose("d", "1 = 1")) == 3
    assert book.ledger.choose("other", "1 = 1") == []


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("outcom = 'x'", "E703"),
        ("outcome = ", "E703"),
        ("outcome = 'x", "E703"),
        ("1 = 1) OR (1 = 1", "E703"),
        ("1 = 1; DROP TABLE outcomes", "E703"),
        ("1 = 1 -- x", "E703"),
        ("1 = 1 /* x", "E703"),
        ("(1 = 1", "E703"),
        ("pg_sleep(60) IS NULL", "E726"),
        ('"pg_sleep" (60) IS NULL', "E726"),
        ("pg_catalog.pg_sleep(60) IS NULL", "E726"),
        ("load_extension('x') = 1", "E726"),
        ("writefile('x', 'y') > 0", "E726"),
        ("randomblob(1000000000) = 1", "E726"),
        ("message = E'\\' OR pg_sleep(60) IS NULL --'", "E703"),
        ("message = $$x$$", "E703"),
        ("source = U&'x'", "E703"),
    ],
)
def test_a_question_with_a_mistake_or_a_threat_is_refused(book, where, code):
    book.claim("a")
    for ask in (lambda: book.rows(where), lambda: book.ledger.choose("d", where)):
        with pytest.raises(fp.LedgerError) as told:
            ask()
        assert told.value.code == code
        assert told.value.hint
    assert book.counts() == {"waiting": 1}


def test_a_misspelt_column_is_told(book):
    with pytest.raises(fp.LedgerError) as told:
        book.rows("outcom = 'x'")
    assert "outcome" in told.value.hint


def test_a_question_about_one_destination_sees_no_other(book):
    book.claim("a")
    other = book.ledger.target("e", "s", "https://x")
    book.ledger.advance((), (), [book.key("z")._replace(target=other)], (), Takes())
    assert set(book.rows("1 = 1 OR 1 = 1")) == {"a"}


def test_outcomes_are_streamed(book):
    for begin in range(0, 5000, 500):
        book.claim(*[f"{begin + i}" for i in range(500)])
    rows = book.ledger.outcomes("d")
    assert next(rows)["event_id"] == "0"
    book.settle(book.claim("more"))  # a reader stops nobody
    assert sum(1 for _ in rows) in (4999, 5000)


def test_failures_are_grouped_by_reason(book):
    many, [one] = book.claim("a", "b", "c"), book.claim("d")
    book.settle(many, "rejected", code="0x8", message="too long", action_needed="owner")
    book.settle([one], "expired", code="E501")
    first, second = book.ledger.failures("d")
    assert (first["count"], first["code"], first["message"]) == (3, "0x8", "too long")
    assert (first["outcome"], first["subscription"]) == ("rejected", "s")
    assert first["action_needed"] == "owner"
    assert first["sample"]["event_id"] in "abc"
    assert (second["count"], second["outcome"]) == (1, "expired")


def test_somebody_settles_what_nobody_is_sending(store, book):
    held, rejected, delivered = book.claim("held", "rejected", "delivered")
    book.settle([held], "unconfirmed", [letter(book, "held")], code="E503")
    book.settle([rejected], "rejected")
    book.settle([delivered])
    book.claim("flying")
    other = Book(store)
    claims = other.ledger.choose("d", "1 = 1")
    may_be = ("waiting", "unconfirmed", "rejected")
    assert other.ledger.settle_by_hand(claims, "delivered", "settled", may_be) == 2
    rows = other.rows()
    assert rows["held"]["outcome"] == rows["rejected"]["outcome"] == "delivered"
    assert rows["flying"]["outcome"] == "waiting"
    assert rows["held"]["message"] == "settled"
    assert next(other.ledger.kept([held.claim])).event is None
    other.ledger.close()


def test_what_is_released_is_taken_up_by_the_next_run(store, book):
    claims = book.claim("a", "b")
    book.settle(claims[:1], "rejected")
    book.settle(claims[1:])
    book.ledger.release([one.claim for one in claims], "E735", "not kept", "deliver")
    assert book.counts() == {"waiting": 1, "delivered": 1}
    other = Book(store)
    assert [one is None for one in other.claim("a", "b")] == [False, True]
    other.ledger.close()


def test_pruning_forgets_what_is_old_and_says_how_much(store):
    now = [1000.0]
    book = Book(store, _clock=lambda: now[0])
    book.settle(book.claim("old"), "rejected", [letter(book, "old")])
    book.settle(book.claim("older"))
    book.settle(book.claim("open"), "waiting")
    book.claim("flying")
    book.ledger.end_run({})
    now[0] = 9000.0
    book.settle(book.claim("new"))
    told = {"rejected": 1, "delivered": 1, "letters": 1}
    for dry_run in (True, False):
        found = book.ledger.prune("d", 5000.0, dry_run)
        assert {name: found[name] for name in told} == told
        assert len(book.rows()) == (5 if dry_run else 3)
    assert set(book.rows()) == {"open", "flying", "new"}
    assert book.ledger.prune("other", 1e12)["runs"] == 0
    book.ledger.close()


def test_runs_keep_who_and_where(book):
    about = About("replay", "d", "abc", "1.2", "h1", "ada", '{"dag_id": "x"}')
    book.ledger.begin_run(about)
    book.ledger.end_run({"received": 1})
    row = book.ledger._rows(
        'SELECT verb, destination, document_hash, version, host, "user", airflow, counts,'
        " ended >= started FROM runs WHERE number = ?",
        (book.ledger.run,),
    )[0]
    assert tuple(row[:7]) == about
    assert row[7] == '{"received": 1}'
    assert row[8]


def test_a_writer_hands_back_claims_and_outcomes(book):
    writer = Writer(book.ledger, Takes())
    writer.put(
        (), (), [([book.key("a"), book.key("b")], 1), ([book.key("b"), book.key("c")], 2)], ()
    )
    claimed = []
    while writer.busy:
        for done in writer.take(1):
            claimed += done.claimed
    assert [(item, [bool(one) for one in claims]) for item, claims in claimed] == [
        (1, [True, True]),
        (2, [False, True]),
    ]
    row = Settled("delivered", "", 1, 200, "", "", "", "", "", 1.0, 0, claimed[0][1][0].claim)
    writer.put([row], (), (), ())
    writer.close()
    assert [done.settled for done in writer.take()] == [[row]]
    assert book.counts() == {"delivered": 1, "waiting": 2}


def test_a_writer_gives_back_what_could_not_be_written(book):
    writer = Writer(book.ledger, Takes())
    book.ledger._write = lambda work: (_ for _ in ()).throw(fp.LedgerError("E723", "full"))
    row = Settled("delivered", "", 1, 200, "", "", "", "", "", 1.0, 0, 1)
    writer.put([row], (), (), ())
    writer.close()
    with pytest.raises(fp.LedgerError, match="E723"):
        writer.take()
    assert writer.unwritten() == ([row], [])
    assert not writer.busy


def test_reading_makes_no_ledger(tmp_path):
    ledger = open_ledger(tmp_path / "none.db")
    assert not ledger.exists()
    assert not Path(tmp_path / "none.db").exists()


def test_a_large_ledger_answers_at_once(store):
    """Plans that look at every row for every question would take minutes here."""
    book = Book(store)
    ids = [f"e{i}" for i in range(30_000)]
    claims = book.claim(*ids)
    book.settle([one for one in claims if one])
    began = time.monotonic()
    assert len(book.ledger.look_up(book.target, ids[:5000])) == 5000
    assert book.claim("e1", "new")[0] is None
    assert book.ledger.dead_runs([book.target]) == set()
    assert book.counts() == {"delivered": 30_000, "waiting": 1}
    assert len(book.ledger.failures("d")) == 1
    assert time.monotonic() - began < 30
    book.ledger.close()
