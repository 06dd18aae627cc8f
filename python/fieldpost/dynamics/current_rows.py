"""The rows that operations touch, as they are now and as the operations before leave them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from .operation import BIND, Operation, bound_paths, plain_path
from .schema import Table
from .web_api import Found, WebApi, unreadable


class CurrentRows:
    """Reads rows in few requests and remembers them, by their plain paths."""

    def __init__(self, api: WebApi, tables: Mapping[str, Table]) -> None:
        self._api = api
        self._sets = {table.entity_set: table for table in tables.values() if table.entity_set}
        self._found: dict[str, Found] = {}
        self._seen: dict[str, set[str]] = {}  # by path, what was asked of it
        self._whole: set[str] = set()  # paths of which all is known: nothing was there, or is left
        self._expected: set[str] = set()  # rows that operations make sooner or later

    def load(self, operations: Iterable[Operation]) -> None:
        """Read what is not known yet; raises FieldpostError where it is not told, AuthError where
        the rows that would be written may not be read.
        """
        own: set[str] = set()
        wanted: dict[str, dict[str, None]] = {}
        address: dict[str, str] = {}  # as it is asked for
        for path, asked, is_own in self._questions(operations):
            plain = plain_path(path)
            own.update([plain] if is_own else [])
            seen = self._seen.get(plain)
            new = [part for part in asked if seen is None or part not in seen]
            if plain not in self._whole and (new or seen is None):
                address.setdefault(plain, quote(path, safe="%()=',-_.~@"))
                wanted.setdefault(plain, {}).update(dict.fromkeys(new))
        paths = {plain: address[plain] + _query(list(parts)) for plain, parts in wanted.items()}
        answers = self._api.rows(list(paths.values()))
        for plain, query in paths.items():
            self._seen.setdefault(plain, set()).update(wanted[plain])
            if plain in own and answers[query].status in (401, 403):
                raise unreadable(answers[query], plain)
            self._learn(plain, answers[query])

    def found(self, path: str) -> Found | None:
        """What stands at a path; None where it was not asked for."""
        return self._found.get(plain_path(path))

    def keep(self, changed: Mapping[str, Found]) -> None:
        """What was written meanwhile, by plain path."""
        self._found.update(changed)
        self._whole.update(path for path, found in changed.items() if found.status == 404)

    def expects(self, path: str) -> bool:
        """Whether one of the operations, perhaps a later one, makes the row."""
        return plain_path(path) in self._expected

    def tables(self) -> Iterable[Table]:
        """All that have rows."""
        return self._sets.values()

    def table_of(self, path: str) -> Table | None:
        """The table of a row's path, where it is known."""
        return self._sets.get(path.partition("(")[0])

    def _questions(self, operations: Iterable[Operation]) -> Iterator[tuple[str, list[str], bool]]:
        """(path, what to ask of it, written or else only bound) of rows that operations name."""
        for one in operations:
            if one.path:
                if one.kind in ("create", "upsert"):
                    self._expected.add(plain_path(one.path))
                yield one.path, self._asked(one), True
            for name, value in one.values.items():
                for path in bound_paths(value) if name.endswith(BIND) else ():
                    table = self.table_of(path)
                    if table is not None:
                        yield path, [table.key], False

    def _learn(self, path: str, told: Found) -> None:
        """More columns of a row; what operations wrote since stays as they left it."""
        before = self._found.get(path)
        if before is not None and before.status == told.status == 200:
            told = Found(200, {**told.row, **before.row})
        if told.status == 404:
            self._whole.add(path)
        self._found[path] = told

    def _asked(self, one: Operation) -> list[str]:
        """The columns that an operation writes, and `*name(key)` for each lookup."""
        asked = []
        for name, value in one.values.items():
            if isinstance(value, list):
                continue  # rows that are tied to this one, or parties: not columns of it
            if name.endswith(BIND):
                paths = bound_paths(value)
                table = self.table_of(paths[0]) if paths else None
                inside = f"($select={table.key})" if table else ""
                asked.append(f"*{name.removesuffix(BIND)}{inside}")
            elif "@" not in name:
                asked.append(name)
        return asked


def _query(parts: list[str]) -> str:
    columns = [part for part in parts if not part.startswith("*")]
    lookups = [part[1:] for part in parts if part.startswith("*")]
    options = []
    if columns:
        options.append("$select=" + ",".join(quote(name, safe="") for name in columns))
    if lookups:
        options.append("$expand=" + ",".join(quote(name, safe="($=)") for name in lookups))
    return "?" + "&".join(options) if options else ""
