"""What the core makes of keys and of settled rows, which a ledger then writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fieldpost._core import are_plain, claims_text, settled_values
from fieldpost.ledger import Key, Settled

KEYS = [Key(1, f"e-{n}", n * 7919, "a.ndjson", n, n * 500, "m") for n in range(4)]


def row(claim: int, outcome: str = "delivered", record_id: str = "") -> Settled:
    return Settled(outcome, "", 1, 204, "", "", "", record_id, "", claim + 0.5, 0, claim)


def pack(first: int, keys: list[Any], opened: bytes = b"\1\1\1\1") -> tuple[Any, ...]:
    return (first, keys, first + 0.25, opened)


def test_the_text_of_claims_is_json_of_their_keys_and_the_moment() -> None:
    odd = Key(2, 'a"\\\n\x1f ü 😀', -(2**63), "s", 2**40, 0, "")
    keys = [*KEYS, odd]
    assert json.loads(claims_text(keys, "1.5")) == [[*key, 1.5] for key in keys]
    assert claims_text([], "1.5") == "[]"


def test_rows_that_are_alike_share_what_they_have_in_common() -> None:
    groups, others, opens = settled_values([row(12), row(10)], [pack(10, KEYS)])
    shared = ["delivered", "", 1, 204, "", "", "", 0, 1, "a.ndjson", "m", "", ""]
    own = ["e-2", 2 * 7919, 2, 1000, 10.25, 12.5, 12, "e-0", 0, 0, 0, 10.25, 10.5, 10]
    assert groups == [(True, shared, own)]
    assert (others, opens) == ([], [b"\0\1\0\1"])


def test_rows_keep_their_own_ids() -> None:
    rows = [row(10, record_id="r-0"), row(11, record_id="r-1")]
    [(same, shared, own)], _, _ = settled_values(rows, [pack(10, KEYS)])
    assert not same and len(shared) == 11
    assert [own[7:9], own[16:18]] == [["r-0", ""], ["r-1", ""]]


def test_rows_of_different_outcomes_and_targets_are_in_groups_of_their_own() -> None:
    others = [key._replace(target=2) for key in KEYS]
    rows = [row(10), row(20), row(11, "rejected"), row(12), row(21)]
    groups, _, _ = settled_values(rows, [pack(10, KEYS), pack(20, others)])
    assert [own[6::7] for _, _, own in groups] == [[10, 12], [20, 21], [11]]


def test_what_is_in_no_pack_or_decided_there_is_left_to_its_row() -> None:
    rows = [row(9), row(10), row(13), row(14)]
    groups, others, opens = settled_values(rows, [pack(10, KEYS, b"\0\1\1\1")])
    assert [one.claim for one in others] == [9, 10, 14]
    assert [own[6] for _, _, own in groups] == [13]
    assert opens == [b"\0\1\1\0"]


def test_a_pack_has_a_byte_for_each_key() -> None:
    with pytest.raises(TypeError):
        settled_values([row(10)], [pack(10, KEYS, b"\1")])


def test_plain_ids_are_short_and_without_nul() -> None:
    assert are_plain(KEYS, 3)
    assert not are_plain(KEYS, 2)
    assert not are_plain([*KEYS, KEYS[0]._replace(event_id="a\0")], 3)
