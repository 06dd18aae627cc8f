"""Tables of @lookup that lie in files beside the document: read once, before it is compiled."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from .errors import MappingError, Mistake
from .nearest_name import asked, named
from .yaml_text import Path as Place
from .yaml_text import path_text


def fill(document: Any, folder: Path) -> Any:
    """The document with each {"@lookup": {"file": …}} replaced by its table.

    A .json file holds one object. A .csv file has a header; "key" and "column" name two of its
    columns (the first two unless given). Raises MappingError with every file that cannot be read.
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
    try:
        file = folder / str(options["file"])
        if file.suffix == ".csv":
            table = _csv_table(file, options.get("key"), options.get("column"))
        else:
            table = _json_table(file)
    except (OSError, ValueError) as error:
        name = str(options["file"])
        reason, hint = str(error), ""
        if isinstance(error, OSError):
            reason = (error.strerror or "it is no file").lower()
            hint = _similar(name, folder) or f"the path starts at {folder.absolute()}"
        text = f'the table "{name}" cannot be read: {reason}'
        mistakes.append(Mistake("E209", text, path_text((*place, "file")), hint=hint))
        return own | {"table": {}}
    return own | {"table": table}


def _similar(name: str, folder: Path) -> str:
    beside = (folder / name).parent
    names = [one.name for one in beside.iterdir()] if beside.is_dir() else []
    near = named(Path(name).name, names)
    return asked(str(Path(name).parent / near)) if near else ""


def _json_table(file: Path) -> dict[str, Any]:
    table = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(table, dict):
        raise ValueError("it holds no object")
    return {key: {"@literal": one} if isinstance(one, dict) else one for key, one in table.items()}


def _csv_table(file: Path, key: Any, column: Any) -> dict[str, Any]:
    with file.open(encoding="utf-8-sig", newline="") as rows:
        reader = csv.DictReader(rows)
        names = list(reader.fieldnames or [])
        if len(names) < 2:
            raise ValueError("it needs a header with two columns")
        key, column = key or names[0], column or names[1]
        for name in (key, column):
            if name not in names:
                raise ValueError(f"it has no column {name!r}, but {', '.join(map(repr, names))}")
        return {row[key]: row[column] for row in reader}
