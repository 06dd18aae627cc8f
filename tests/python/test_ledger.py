"""The ledger: one suite, which both stores have to pass."""

from __future__ import annotations

import time
from array import array
from pathlib import Path

import pytest
from book import Book, ended, letter

import fieldpost as fp
from fieldpost.ledger import (
    About,
    Settled,
    Takes,
    Writer,
    open_ledger,
)


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


def test_what_ended_before_delivery_is_noted_but_never_over_what_was_sent(store, book):
    book.settle(book.claim("sent"))
    book.settle(book.claim("held"), "unconfirmed")
    rows = [ended(book, one) for one in ("new", "sent", "held")]
    takes = Takes(("waiting", "invalid", "delivered", "unconfirmed"))
    book.ledger.note_ended(rows, (), (), takes)
    outcomes = {name: row["outcome"] for name, row in book.rows().items()}
    assert outcomes == {"new": "invalid", "sent": "delivered", "held": "unconfirmed"}
    assert book.rows()["new"]["action_needed"] == "author"


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
        assert len(list(book.ledger.outcomes("d", event_ids=[one]))) == 1


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
        ("\"otcome\" <> 'delivered'", "E703"),
        ('event_id = "a"', "E703"),
        ("'outcome' <> 'delivered'", "E703"),
        ("'a' = 'a'", "E703"),
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


@pytest.mark.parametrize("where", ["", " ", "\n\t"])
def test_an_empty_condition_chooses_nothing_and_is_refused(book, where):
    book.settle(book.claim("a"), "rejected")
    with pytest.raises(fp.LedgerError) as told:
        book.ledger.choose("d", where)
    assert (told.value.code, "1=1" in told.value.hint) == ("E703", True)
    assert len(book.ledger.choose("d", "1=1")) == 1


def test_a_column_in_double_quotes_is_a_column_in_both_stores(book):
    book.settle(book.claim("a", "b")[:1], "rejected")
    assert set(book.rows('"outcome" = \'rejected\' AND "offset" > 0')) == {"a"}
    with pytest.raises(fp.LedgerError) as told:
        book.rows("\"otcome\" = 'rejected'")
    assert "outcome" in told.value.hint


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


def test_pruning_forgets_runs_that_were_killed_and_leaves_those_at_work(store):
    now = [1000.0]
    killed = Book(store, _clock=lambda: now[0])
    killed.ledger.close()
    book = Book(store, _clock=lambda: now[0])
    now[0] = 9000.0
    assert book.ledger.prune("d", 5000.0)["runs"] == 1
    assert book.ledger._rows("SELECT number FROM runs") == [(book.ledger.run,)]
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
    book.ledger.advance = lambda *_: (_ for _ in ()).throw(fp.LedgerError("E723", "full"))
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
