"""Rows of the ledger are found under former spellings of an environment's address."""

from __future__ import annotations

from array import array
from contextlib import closing
from pathlib import Path

import pytest
from book import Book, letter

import fieldpost as fp
from fieldpost.documents import dispatcher_document, target_address
from fieldpost.environment_address import is_same
from fieldpost.ledger import Takes, open_ledger

TODAY = "https://org.crm4.dynamics.com"
FORMER = "https://org.api.crm4.dynamics.com"
OTHER = "https://Org.crm4.dynamics.com:443"


def older(url: str) -> bool:
    return url != TODAY and is_same(TODAY, url)


def target(book: Book, *, url: str = TODAY) -> int:
    return book.ledger.target("d", "s", url, older, keeps_older=True)


@pytest.fixture(name="moved")
def _moved(book: Book) -> Book:
    """A ledger that knows events under two former spellings."""
    for url, name in ((FORMER, "a"), (OTHER, "b")):
        book.target = book.ledger.target("d", "s", url)
        book.settle(book.claim(name, "both"))
        pack = array("q", [hash(name)]).tobytes()
        book.ledger.note_ended((), (), [(book.target, pack)], Takes())
    return book


def test_what_was_known_under_former_spellings_is_known_under_todays(store, moved):
    moved.target = target(moved)
    found = moved.ledger.look_up(moved.target, ["a", "b", "both", "c"])
    assert {name: one.outcome for name, one in found.items()} == dict.fromkeys(
        ("a", "b", "both"), "delivered"
    )
    assert moved.ledger.counts("d", "s", TODAY, older)["delivered"] == 3
    assert target(moved) == moved.target, "once more changes nothing"


def test_the_former_spellings_stay_known(store, moved):
    target(moved)
    assert {TODAY, FORMER, OTHER} <= set(moved.ledger.addresses())


def test_who_only_looks_changes_nothing(tmp_path: Path):
    with closing(open_ledger(tmp_path / "l.db")) as ledger:
        number = ledger.target("d", "s", FORMER)
    with closing(open_ledger(tmp_path / "l.db", looking=True)) as ledger:
        assert ledger.target("d", "s", TODAY, older, keeps_older=True) == number
        assert ledger.addresses() == [FORMER]


def test_of_an_event_under_two_spellings_the_delivered_one_stands(store, book):
    book.target = book.ledger.target("d", "s", FORMER)
    book.settle(book.claim("x", "y"))
    book.target = book.ledger.target("d", "s", TODAY)
    x, y = book.claim("x", "y")
    book.settle([x], "rejected", [letter(book, "x")])
    book.settle([y], "delivered")
    book.target = target(book)
    found = book.ledger.look_up(book.target, ["x", "y"])
    assert {name: one.outcome for name, one in found.items()} == {
        "x": "delivered",
        "y": "delivered",
    }
    assert found["y"].claim == y.claim
    assert book.ledger._rows("SELECT count(*) FROM letters")[0][0] == 0


def test_what_another_run_is_about_to_send_stays_where_it_is(store, book):
    book.target = book.ledger.target("d", "s", FORMER)
    book.claim("on its way")
    book.ledger.target("d", "s", TODAY)
    book.target = target(book)
    assert book.ledger.look_up(book.target, ["on its way"]) == {}
    assert FORMER in book.ledger.addresses()


FILE = """\
id: d
name: Companies
type: dynamics365
url: {url}
auth: {{type: none}}
{more}subscriptions:
  - {{name: s, action: upsert, table: account, key: {{"@path": "$.id"}}, body: {{name: x}}}}
"""


def _config(tmp_path: Path, url: str, more: str = ""):
    path = tmp_path / "d.yaml"
    path.write_text(FILE.format(url=url, more=more))
    return fp.Destination.from_file(path).config


@pytest.mark.parametrize(
    ("url", "more", "known", "expected"),
    [
        (TODAY, "", [], []),
        (TODAY, "", [FORMER, "https://x.crm.dynamics.com"], [FORMER]),
        (FORMER, "", [], [FORMER]),
        (OTHER, "", [FORMER], ["https://org.crm4.dynamics.com:443", FORMER]),
        (FORMER, "former_urls: []\n", [FORMER], []),
        (
            TODAY,
            "former_urls: https://old.api.crm4.dynamics.com\n",
            [FORMER],
            ["https://old.crm4.dynamics.com", "https://old.api.crm4.dynamics.com"],
        ),
    ],
)
def test_the_core_is_told_under_which_spellings_rows_may_be(
    tmp_path: Path, url: str, more: str, known: list[str], expected: list[str]
):
    config = _config(tmp_path, url, more)
    told = dispatcher_document(config, known=known)["protocol"]
    assert (told["environment"], told["former_environments"]) == (TODAY, expected)


def test_a_renamed_environment_is_the_same_target(tmp_path: Path):
    config = _config(tmp_path, TODAY, "former_urls: [https://old.crm4.dynamics.com/]\n")
    address = target_address(config, config.subscriptions[0])
    assert address.url == TODAY
    assert address.is_older("https://old.crm4.dynamics.com")
    assert not address.is_older(TODAY)


def test_a_webhook_has_no_former_urls(tmp_path: Path):
    path = tmp_path / "w.yaml"
    path.write_text(
        "name: w\ntype: webhook\nurl: https://example.com\nformer_urls: []\n"
        "subscriptions: [{name: s, body: {a: 1}}]\n"
    )
    with pytest.raises(fp.ConfigError) as caught:
        fp.Destination.from_file(path)
    assert [one.code for one in caught.value.mistakes] == ["E115"]
