"""Where events come from: every byte once, in order, and what is wrong told at the end."""

import datetime
import gzip
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fieldpost._core import Batch, Plan
from fieldpost.errors import SourceError
from fieldpost.sources import Source, open_source

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PLAN = json.dumps(
    {
        "event_id": {"@path": "$.messageId"},
        "subscriptions": [{"filter": "all", "body": {"@path": "$."}, "body_required": True}],
    }
)


def ids_of(batch: Batch) -> list[str]:
    keys = batch.keys()
    return [row[1] for row in keys]


def read(source: Source) -> tuple[list[str], int]:
    """The ids of the events that a source gives, and how many lines it has in all."""
    plan, ids, received = Plan(PLAN), [], 0
    for chunk in source.chunks():
        assert chunk.has_place == source.has_place
        batch = plan.process(chunk)
        ids += ids_of(batch)
        received += batch.received
    return ids, received


def lines(first: int, last: int) -> bytes:
    return b"".join(b'{"messageId":"m%d"}\n' % number for number in range(first, last))


def names(first: int, last: int) -> list[str]:
    return [f"m{number}" for number in range(first, last)]


def broken(source: Source) -> tuple[list[str], SourceError]:
    """What a source gives before it breaks, and how it breaks."""
    plan, ids = Plan(PLAN), []
    with pytest.raises(SourceError) as caught:
        for chunk in source.chunks():
            ids += ids_of(plan.process(chunk))
    return ids, caught.value


def test_a_file_is_read_whole_with_its_last_line_unended(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(0, 3) + b'{"messageId":"last"}')
    source = open_source(path)
    assert read(source) == ([*names(0, 3), "last"], 4)
    assert source.has_place
    assert read(source)[1] == 4
    assert [chunk.source for chunk in source.chunks()] == [str(path)]


def test_a_file_larger_than_a_chunk_loses_and_doubles_nothing(tmp_path: Path) -> None:
    count = 300_000
    (tmp_path / "plain").write_bytes(lines(0, count))
    with gzip.open(tmp_path / "packed", "wb", compresslevel=1) as packed:
        packed.write(lines(0, count))
    for name in ("plain", "packed"):
        source = open_source(tmp_path / name)
        assert read(source) == (names(0, count), count)
        assert len(list(source.chunks())) > 1


def test_positions_count_lines_and_decompressed_bytes(tmp_path: Path) -> None:
    first, count = len(lines(0, 1)), 200_000
    (tmp_path / "a.gz").write_bytes(gzip.compress(lines(0, 1) * count))
    places = []
    for chunk in open_source(tmp_path / "a.gz").chunks():
        keys = Plan(PLAN).process(chunk).keys()
        places += [(row[3], row[4]) for row in keys]
    assert places == [(index + 1, index * first) for index in range(count)]


def test_a_pattern_is_read_in_order_each_file_from_its_line_one(tmp_path: Path) -> None:
    (tmp_path / "b.ndjson").write_bytes(lines(2, 4))
    (tmp_path / "a.ndjson").write_bytes(lines(0, 2).rstrip())
    (tmp_path / "c.ndjson.gz").write_bytes(gzip.compress(lines(4, 5)) + gzip.compress(lines(5, 6)))
    (tmp_path / "empty.ndjson.gz").write_bytes(b"")
    (tmp_path / "d.ndjson").mkdir()
    source = open_source(str(tmp_path / "*.ndjson*"))
    assert read(source) == (names(0, 6), 6)
    assert [chunk.source for chunk in source.chunks()] == [
        str(tmp_path / name) for name in ("a.ndjson", "b.ndjson", "c.ndjson.gz", "empty.ndjson.gz")
    ]


def test_a_list_of_paths_reads_each_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a[1].ndjson").write_bytes(lines(0, 1))
    (tmp_path / "b.ndjson").write_bytes(lines(1, 2))
    source = open_source(["b.ndjson", Path("a[1].ndjson"), str(tmp_path / "*.ndjson")])
    assert read(source) == (["m1", "m0"], 2)
    (chunk, *_rest) = source.chunks()
    assert chunk.source == str(tmp_path / "b.ndjson")


def test_the_content_tells_what_is_compressed_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "plain.gz").write_bytes(lines(0, 2))
    (tmp_path / "packed.ndjson").write_bytes(gzip.compress(lines(0, 2)))
    for name in ("plain.gz", "packed.ndjson"):
        assert read(open_source(tmp_path / name)) == (names(0, 2), 2)


class LazyFrame:
    """Stands for polars' own, which has no rows before it is collected."""


@pytest.mark.parametrize(
    ("given", "code", "hint"),
    [
        ("none.ndjson", "E801", "the path starts from"),
        ("*.none", "E801", "the path starts from"),
        (".", "E801", "name its files, such as"),
        (["none.ndjson"], "E801", "the path starts from"),
        ("memory://none.ndjson", "E801", ""),
        ("memory://none*.ndjson", "E801", ""),
        ("nothing://none.ndjson", "E806", ""),
        (["-", "a"], "E805", "on its own"),
        (["-", {"a": 1}], "E805", ""),
        ("{a,b}.ndjson", "E801", "no {a,b}"),
        ("{a,b}*.ndjson", "E801", "no {a,b}"),
        (LazyFrame(), "E805", "collect()"),
        ({"messageId": "1"}, "E805", "put it in a list"),
        (5, "E805", "give a path"),
    ],
)
def test_what_cannot_be_opened_is_told_before_anything_is_read(
    given: Any, code: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError) as caught:
        open_source(given)
    assert caught.value.code == code
    assert hint in caught.value.hint


def test_a_truncated_gzip_gives_its_whole_lines_then_says_so(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(60_000).hex().encode() + b"\n" + lines(0, 20_000))
    (tmp_path / "a.gz").write_bytes(packed[:-5000])
    (tmp_path / "b").write_bytes(lines(0, 2))
    (tmp_path / "c.gz").write_bytes(gzip.compress(lines(0, 1))[:-6])
    whole, error = broken(open_source([tmp_path / "a.gz"]))
    assert whole == names(0, len(whole))
    assert 1000 < len(whole) < 20_000
    assert (error.code, error.at) == ("E803", str(tmp_path / "a.gz"))
    assert error.position is not None
    assert error.position.source == str(tmp_path / "a.gz")
    assert (error.position.offset or 0) > 120_000
    all_of_it, error = broken(open_source(str(tmp_path / "*")))
    assert all_of_it == [*whole, "m0", "m1", "m0"]
    assert "1 more" in str(error)


def test_the_last_bytes_before_a_fault_are_not_lost(tmp_path: Path) -> None:
    """All lines decompress; only the trailer is missing or wrong."""
    packed = gzip.compress(lines(0, 50_000))
    for cut, code in ((packed[:-8], "E803"), (packed[:-8] + b"\0" * 8, "E804")):
        (tmp_path / "a.gz").write_bytes(cut)
        ids, error = broken(open_source(tmp_path / "a.gz"))
        assert (ids, error.code) == (names(0, 50_000), code)


def test_a_damaged_gzip_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8bnothing of the kind")
    assert broken(open_source(tmp_path / "a.gz"))[1].code == "E804"


@pytest.mark.parametrize("cut", [1, 6, 2000])
def test_a_truncated_zstandard_gives_its_whole_lines_then_says_so(cut: int, tmp_path: Path) -> None:
    noise = os.urandom(600_000).hex().encode()  # several blocks: what is whole can be read
    packed = zstd.compress(b"".join((lines(0, 1000), noise, b"\n", lines(1000, 2000))))
    (tmp_path / "a.ndjson.zst").write_bytes(packed[:-cut])
    ids, error = broken(open_source(tmp_path / "a.ndjson.zst"))
    assert error.code == "E803"
    assert ids == names(0, len(ids))
    assert len(ids) >= 1000


def test_zstandard_frames_are_read_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(zstd.compress(lines(0, 2)) + zstd.compress(lines(2, 4)))
    assert read(open_source(tmp_path / "a")) == (names(0, 4), 4)
    assert read(open_source(zstd.compress(lines(0, 2)))) == (names(0, 2), 2)


def test_a_damaged_zstandard_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.zst").write_bytes(b"\x28\xb5\x2f\xfd....")
    assert broken(open_source(tmp_path / "a.zst"))[1].code == "E804"


@pytest.mark.parametrize(("mark", "kind"), [(b"BZh91AY", "bzip2"), (b"PK\x03\x04..", "zip")])
def test_other_compressions_are_named_not_misread(mark: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(mark)
    error = broken(open_source(tmp_path / "a"))[1]
    assert (error.code, error.message) == ("E806", f"{kind} is not read")


def test_a_file_that_went_away_is_told_at_the_end(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(lines(0, 1))
    source = open_source(str(tmp_path / "*"))
    (tmp_path / "a").unlink()
    ids, error = broken(source)
    assert (ids, error.code, error.at) == (["m0"], "E802", str(tmp_path / "a"))


def test_bytes_are_lines() -> None:
    for content in (
        lines(0, 2),
        bytearray(lines(0, 2)),
        memoryview(lines(0, 4))[: len(lines(0, 2))],
    ):
        source = open_source(content)
        assert read(source) == (names(0, 2), 2)
        assert not source.has_place
    assert read(open_source(gzip.compress(lines(0, 2)))) == (names(0, 2), 2)
    assert read(open_source(b"")) == ([], 0)


def test_dicts_become_lines_exactly(tmp_path: Path) -> None:
    records = [
        {"messageId": "a\ud800", "n": 2**70, "t": "é"},
        {"messageId": "b", "at": datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC), "n": 1.5},
    ]
    (chunk,) = open_source(records).chunks()
    (chunk_again,) = open_source(iter(records)).chunks()
    for one in (chunk, chunk_again):
        batch = Plan(PLAN).process(one)
        assert (batch.received, len(batch)) == (2, 2)


def test_a_generator_of_dicts_is_read_lazily() -> None:
    taken = []

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(20_000):
            taken.append(number)
            yield {"messageId": f"m{number}", "long": "x" * 1000}

    source = open_source(rows())
    assert taken == [0]
    chunks = source.chunks()
    next(chunks)
    assert len(taken) < 10_000
    assert not source.has_place


def test_many_dicts_over_many_chunks() -> None:
    source = open_source({"messageId": f"m{number}"} for number in range(200_000))
    assert read(source) == (names(0, 200_000), 200_000)


def test_a_record_longer_than_a_chunk_is_one_line() -> None:
    source = open_source([{"messageId": "a", "long": "x" * 9_000_000}, {"messageId": "b"}])
    assert read(source) == (["a", "b"], 2)


def test_a_record_that_json_cannot_hold_ends_alone() -> None:
    records = [
        {"messageId": "a"},
        {"messageId": "b", "tags": {1, 2}},
        "text",
        5,
        {"messageId": "c"},
    ]
    assert read(open_source(records)) == (["a", "c"], 5)


def test_an_empty_list_has_no_events() -> None:
    assert read(open_source([])) == ([], 0)


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    content = gzip.compress(lines(0, 3)) if packed else lines(0, 3)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
    source = open_source("-")
    assert read(source) == (names(0, 3), 3)
    assert not source.has_place


def test_a_pipe_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, lines(0, 3))
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert read(open_source("-")) == (names(0, 3), 3)
    monkeypatch.setattr(sys, "stdin", None)
    assert broken(open_source("-"))[1].code == "E802"
