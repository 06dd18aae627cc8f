"""Writes the tables of docs/ from the core's own lists, and from what tests hold the sources to.

`python docs/reference.py` rewrites the pages; `--check` only tells whether they are up to date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fieldpost import _core
from fieldpost.auth import entra_codes
from fieldpost.errors import CODES

DOCS = Path(__file__).parent
_BLOCK = re.compile(r"(<!-- table: ([a-z' ]+) -->\n).*?(<!-- end of table -->)", re.S)
_SURPRISES = [*range(221, 240), *range(165, 170)]
_SCHEMA = range(260, 290)


def main(arguments: list[str]) -> int:
    """0, or 1 where --check finds a page that has to be written anew."""
    stale = [page for page in pages() if page.read_text() != rewritten(page)]
    if "--check" not in arguments:
        for page in stale:
            page.write_text(rewritten(page))
            print(f"wrote {page.name}")
        return 0
    for page in stale:
        print(f"{page.name} is out of date: ./dev docs", file=sys.stderr)
    return 1 if stale else 0


def pages() -> list[Path]:
    """The pages that have tables of ours."""
    return [page for page in sorted(DOCS.glob("*.md")) if _BLOCK.search(page.read_text())]


def rewritten(page: Path) -> str:
    """A page's text with its tables made anew."""
    return _BLOCK.sub(lambda block: block[1] + TABLES[block[2]]() + block[3], page.read_text())


def _directives(segments: bool) -> str:
    rows = [row for row in _core.directive_help() if row[1] is segments]
    return _table(("directive", "gives", "for example"), map(_directive_row, rows))


def _directive_row(row: tuple[str, bool, str, str, str, str]) -> Iterator[str]:
    name, _segments, told, example, event, body = row
    yield f"`{name}`"
    yield told
    yield f"`{_spaced(example)}` of `{_spaced(event)}`: `{_spaced(body)}`" if example else ""


def _conditions(kind: str) -> str:
    rows = [row for row in _core.filter_help() if row[0] == kind]
    return _table(("", "is true where", "takes", "does not take"), map(_filter_row, rows))


def _functions() -> str:
    rows = [row for row in _core.filter_help() if row[0] == "function"]
    return _table(("function", "gives", "takes", "does not take"), map(_filter_row, rows))


def _filter_row(row: tuple[str, str, str, str, str, str]) -> Iterator[str]:
    _kind, name, told, example, yes, no = row
    yield name if re.search("[a-z] ", name) else f"`{name}`"
    yield f"{told}: `{example}`"
    yield f"`{_spaced(yes)}`"
    yield f"`{_spaced(no)}`" if no else ""


def _codes(numbers: Iterable[int]) -> str:
    codes = [f"E{number}" for number in numbers]
    return _table(("code", "what"), ((one, CODES[one]) for one in codes if one in CODES))


def _types() -> str:
    sys.path.insert(0, str(DOCS.parent / "tests" / "python"))
    from source_types import KINDS

    head = ("", "Arrow, Parquet", "polars", "DuckDB", "pandas, dicts", "in the event")
    return _table(head, map(_type_row, KINDS))


def _type_row(kind: Any) -> Iterator[str]:
    yield kind.name
    for engine in (kind.arrow, kind.polars, kind.duckdb, kind.pandas):
        yield engine[0] if engine else ""
    if kind.told:
        yield "none (`E815`)"
    else:
        yield f"`{kind.json}`" + (", counted (`E817`)" if kind.lost else "")


def _entra() -> str:
    """Numbers with one cause and one cure share a row."""
    shared: dict[tuple[str, str, str], list[int]] = {}
    for one in entra_codes.CODES:
        shared.setdefault((one.cause, one.cure, one.who), []).append(one.number)
    rows = (
        (", ".join(f"`AADSTS{number}`" for number in numbers), *told)
        for told, numbers in shared.items()
    )
    return _table(("number", "why", "cure", "who"), rows)


def _spaced(json_text: str) -> str:
    """Compact JSON with blanks behind its colons and commas, digits and all."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', json_text)
    parts[::2] = [re.sub("([:,])", r"\1 ", part) for part in parts[::2]]
    return "".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *(list(row) for row in rows)]
    return "".join("| " + " | ".join(c.replace("|", "\\|") for c in one) + " |\n" for one in lines)


TABLES = {
    "directives of segment": lambda: _directives(True),
    "directives of fieldpost": lambda: _directives(False),
    "conditions": lambda: _conditions("condition"),
    "functions": _functions,
    "surprises": lambda: _codes(_SURPRISES),
    "schema": lambda: _codes(_SCHEMA),
    "types": _types,
    "sign in": _entra,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
