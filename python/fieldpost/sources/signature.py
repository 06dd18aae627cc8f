"""The kind of a content as its first bytes tell it: compressed, a table, or none that is read."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

LOOKED_AT = 1024  # bytes
PARQUET = b"PAR1"
GZIP = b"\x1f\x8b"

_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # a frame that pzstd writes before each other
_TAR = slice(257, 262)
_WORKBOOK = (b"[Content_Types].xml", b"xl/", b"application/vnd.oasis")

_UNPACK = "gzip and Zstandard are; or decompress and pipe it in"
_AS_TABLE = "read it with {}, and give the table to fieldpost in Python"


class Unread(NamedTuple):
    """A kind of content that is not read, and what to do instead."""

    kind: str
    hint: str


_OTHERS = {
    b"BZh": Unread("bzip2", _UNPACK),
    b"\xfd7zXZ": Unread("xz", _UNPACK),
    b"\x04\x22\x4d\x18": Unread("LZ4", _UNPACK),
    b"\xff\x06\x00\x00sNaPpY": Unread("Snappy", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": Unread("7-Zip", _UNPACK),
    b"Rar!\x1a": Unread("RAR", _UNPACK),
    b"PK\x03\x04": Unread("zip", _UNPACK),
    b"Obj\x01": Unread("Avro", "write it as NDJSON or Parquet"),
    b"ORC": Unread("ORC", _AS_TABLE.format("pyarrow.orc.read_table")),
    b"ARROW1": Unread("an Arrow file (Feather)", _AS_TABLE.format("pyarrow.feather.read_table")),
    b"FEA1": Unread("an Arrow file (Feather)", _AS_TABLE.format("pyarrow.feather.read_table")),
    b"PARE": Unread("encrypted Parquet", _AS_TABLE.format("pyarrow.parquet.read_table")),
    b"SQLite format 3\0": Unread("an SQLite database", "write the rows of a query as NDJSON"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": Unread("an Excel workbook", "save the sheet as CSV"),
    b"%PDF-": Unread("PDF", "export the data as CSV or NDJSON"),
}
_MARKUP = {
    re.compile(rb"\s*<!doctype html|\s*<html", re.I): Unread(
        "an HTML page", "the download gave a page, perhaps of a sign-in, in place of the data"
    ),
    re.compile(rb"\s*<\?xml"): Unread("XML", "export the data as CSV or NDJSON"),
}


def is_zstandard(first: bytes) -> bool:
    """True for the magic number of a frame, or of one that may be skipped."""
    return first.startswith(_ZSTANDARD) or _SKIPPABLE.match(first) is not None


def unread(first: bytes) -> Unread | None:
    """Which kind that is not read the content has; None for text and for all that is read."""
    for mark, kind in _OTHERS.items():
        if first.startswith(mark):
            is_workbook = kind.kind == "zip" and any(one in first for one in _WORKBOOK)
            return Unread("an Excel workbook", "save the sheet as CSV") if is_workbook else kind
    if first[_TAR] == b"ustar":
        return Unread("a tar archive", "unpack it, and give the paths of its files")
    text = first.removeprefix(b"\xef\xbb\xbf")
    return next((kind for pattern, kind in _MARKUP.items() if pattern.match(text)), None)


def utf16(first: bytes) -> str:
    """utf-16-le or utf-16-be for a text of two bytes a character, by its many NULs; else "".

    A byte order mark makes fewer of them enough: a text may hold little of ASCII.
    """
    marked = first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    text = first[2:] if marked else first
    pairs = len(text) // 2
    odd, even = text[1 : 2 * pairs : 2].count(0), text[: 2 * pairs : 2].count(0)
    enough = pairs // (10 if marked else 2)
    if pairs < (1 if marked else 2) or min(odd, even) * 10 >= pairs:
        return ""
    if odd > enough:
        return "utf-16-le"
    return "utf-16-be" if even > enough else ""
