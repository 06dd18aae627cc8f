"""The `transform` verb: events in, bodies out, in a shell pipe."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import fieldpost as fp
from fieldpost.terminal import line

from . import exit_code, options, printing, streams

_ERRORS_SHOWN = 20
_WHOLE_EVENT = {"@path": "$."}


class Errors:
    """Invalid rows: the first ones to standard error, all of them to a file if asked."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self.count = 0

    def __call__(self, row: fp.Row) -> None:
        """Tell one."""
        if self._file is not None:
            self._file.write(_line(row))
        self.count += 1
        if self.count <= _ERRORS_SHOWN:
            of = "" if row.subscription == "mapping" else f" ({row.subscription})"
            told = f"{row.source}:{row.line}: {row.code} {row.error}{of}"
            printing.err.print(line(told))

    def close(self) -> None:
        """Tell how many were not shown."""
        more = self.count - _ERRORS_SHOWN
        if more > 0:
            hint = "" if self._file else "; --errors FILE keeps all"
            printing.err.print(f"... and {more:,} more invalid{hint}")


def transformation(
    arguments: list[str],
    mapping: Path | None,
    filter: str | None,
    dialect: str,
    subscription: str | None,
    csv: list[str] | None,
) -> fp.Transformation:
    """What the arguments ask for. Raises fieldpost's errors."""
    bare = mapping is not None or filter is not None
    if not bare and not arguments:
        raise fp.ConfigError([fp.Mistake("E152", "nothing says how", hint=_HOW)])
    sources: Any = arguments if bare else arguments[1:]
    if bare:
        document = fp.Mapping.from_file(mapping) if mapping else fp.Mapping(_WHOLE_EVENT)
        wanted = None if filter is None else fp.Filter(filter, dialect)  # type: ignore[arg-type]
        return fp.transform(options.sources(sources or ["-"], csv), document, wanted)
    destination = fp.Destination.from_file(arguments[0])
    own = sys.stdin is not None and sys.stdin.isatty() and bool(destination.config.sources)
    read = options.sources(sources, csv) if sources or own else "-"
    return destination.transform(read, subscription=subscription)


_HOW = "name a destination's file, or give --mapping or --filter"


def write(asked: fp.Transformation, as_rows: bool, errors: Path | None) -> int:
    """Bodies, or rows with their positions, to standard output."""
    out = streams.results().buffer
    with ExitStack() as stack:
        file = stack.enter_context(errors.open("wb")) if errors else None
        told = Errors(file)
        stack.callback(told.close)
        if not as_rows:
            asked.write(out, told)
        else:
            for row in asked.rows():
                out.write(_line(row))
                if row.outcome == "invalid":
                    told(row)
        out.flush()
    return exit_code.EVENTS if told.count else exit_code.DONE


def _line(row: fp.Row) -> bytes:
    """One row as a line of JSON; its body as it was made, digit for digit."""
    told = row._asdict()
    body = told.pop("body")
    head = json.dumps(told, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return head[:-1] + b', "body": ' + (body or b"null") + b"}\n"


def against(asked: fp.Transformation, old: Path, bare: bool, shown: int, as_json: bool) -> int:
    """What another file makes otherwise of the same events."""
    before: Any = fp.Mapping.from_file(old) if bare else fp.Destination.from_file(old)
    told = asked.against(before, shown)
    if as_json:
        printing.as_json(told.to_dict())
    else:
        printing.comparison(told)
    if told.error is not None:
        raise told.error
    return exit_code.EVENTS if told["newly_invalid"] else exit_code.DONE
