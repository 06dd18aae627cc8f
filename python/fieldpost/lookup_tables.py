"""Tables of @lookup that lie in files beside the document: read once, before it is compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import strict_json
from .delimited_text import DelimitedText, Dialect
from .errors import MappingError, Mistake
from .nearest_name import asked, named
from .strict_json import JsonFault
from .yaml_text import Path as Place
from .yaml_text import path_text

_DELIMITED = (".csv", ".tsv")


def fill(document: Any, folder: Path) -> Any:
    """The document with each {"@lookup": {"file": …}} replaced by its table.

    A .csv or .tsv file has a header; "key" and "column" name two of its columns (the first two
    unless given). Any other file holds one JSON object. Both are held to what events in such files
    are held to: a table is whole, or it is refused. Raises MappingError with every file that cannot
    be read.
    """
    filled, mistakes = filled_and_mistakes(document, folder)
    if mistakes:
        raise MappingError(mistakes)
    return filled


def filled_and_mistakes(
    document: Any, folder: Path, place: Place = ()
) -> tuple[Any, list[Mistake]]:
    """As `fill`, for a document at a place of a larger one; a bad file is an empty table."""
    mistakes: list[Mistake] = []
    return _fill(document, folder, place, mistakes, 0), mistakes


def _fill(part: Any, folder: Path, place: Place, mistakes: list[Mistake], depth: int) -> Any:
    if depth > 300:  # the core refuses what is nested so deeply
        return part
    if isinstance(part, list | tuple):
        return [
            _fill(one, folder, (*place, index), mistakes, depth + 1)
            for index, one in enumerate(part)
        ]
    if not isinstance(part, dict):
        return part
    filled = {
        key: _fill(one, folder, (*place, str(key)), mistakes, depth + 1)
        for key, one in part.items()
    }
    options = filled.get("@lookup")
    if isinstance(options, dict) and "file" in options and "table" not in options:
        filled["@lookup"] = _with_table(options, folder, (*place, "@lookup"), mistakes)
    return filled


def _with_table(
    options: dict[str, Any], folder: Path, place: Place, mistakes: list[Mistake]
) -> dict[str, Any]:
    own = {key: one for key, one in options.items() if key not in ("file", "key", "column")}
    name = str(options["file"])
    try:
        return own | {"table": _table(folder / name, options.get("key"), options.get("column"))}
    except OSError as error:
        reason = (error.strerror or "it is no file").lower()
        hint = _similar(name, folder) or f"the path starts at {folder.absolute()}"
    except JsonFault as fault:
        reason, hint = f"line {fault.line}: {fault.why}", ""
    except ValueError as error:
        reason, hint = str(error), ""
    text = f'the table "{name}" cannot be read: {reason}'
    mistakes.append(Mistake("E209", text, path_text((*place, "file")), hint=hint))
    return own | {"table": {}}


def _similar(name: str, folder: Path) -> str:
    beside = (folder / name).parent
    names = [one.name for one in beside.iterdir()] if beside.is_dir() else []
    near = named(Path(name).name, names)
    return asked(str(Path(name).parent / near)) if near else ""


def _table(file: Path, key: Any, column: Any) -> dict[str, Any]:
    if file.suffix.lower() not in _DELIMITED:
        return _json_table(strict_json.parse(file.read_bytes()))
    dialect = Dialect(delimiter="\t" if file.suffix.lower() == ".tsv" else "")
    with file.open("rb") as opened, DelimitedText(opened, dialect) as text:
        return _delimited_table(text, key, column)


def _json_table(table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ValueError("it holds no object")
    try:
        return {key: _quoted(one) for key, one in table.items()}
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _quoted(part: Any) -> Any:
    """Data, and no directives: a key that begins with @ is written with two."""
    if isinstance(part, list):
        return [_quoted(one) for one in part]
    if isinstance(part, dict):
        return {f"@{key}" if key[:1] == "@" else key: _quoted(one) for key, one in part.items()}
    return part


def _delimited_table(text: DelimitedText, key: Any, column: Any) -> dict[str, str]:
    at, of = _places(text, key, column)
    table: dict[str, str] = {}
    lines: dict[str, int] = {}
    for row in text:
        if row.fault:
            raise ValueError(f"line {row.begin}: {row.fault}")
        if not row.cells:
            continue
        name, value = row.cells[at], row.cells[of]
        if table.setdefault(name, value) != value:
            raise ValueError(f"line {row.begin}: the key of line {lines[name]}, with another value")
        lines.setdefault(name, row.begin)
    return table


def _places(text: DelimitedText, key: Any, column: Any) -> tuple[int, int]:
    """Where in a row the key and the value stand."""
    names = text.names
    if text.fault:
        raise ValueError(f"line 1: {text.fault}")
    if len(names) < 2:
        raise ValueError("it needs a header with two columns")
    if len(set(names)) < len(names):
        raise ValueError("line 1: two columns have one name")
    wanted = (key or names[0], column or names[1])
    for name in wanted:
        if name not in names:
            raise ValueError(f"it has no column {name!r}, but {', '.join(map(repr, names))}")
    return names.index(wanted[0]), names.index(wanted[1])
