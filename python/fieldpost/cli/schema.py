"""The schema verbs: what they print."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import fieldpost as fp
from fieldpost.terminal import line

from . import printing

_SHOWN_CHOICES = 6


def pull(destination: fp.Destination, tables: list[str], everything: bool, as_json: bool) -> None:
    """Pull, and tell what was written and what is to be added to the destination's file."""
    told = destination.saved_schema.pull(
        tables,
        everything=everything,
        told=lambda name: printing.err.print(line((f"reading {name}", "dim"))),
    )
    if as_json:
        printing.as_json(told.to_dict())
        return
    names = sorted(one.name for one in told.schema.full_tables)
    did = "wrote" if told.changed else "is up to date:"
    version = f", version {told.schema.version}" if told.schema.version else ""
    what = ", ".join(names) if len(names) <= 12 else f"{len(names)} tables"
    printing.out.print(line(f"{did} {told.path}: {what}{version}"))
    if told.add:
        name = destination.config.file
        printing.out.print(line(f"check uses it from now on; to require it, add to {name}:"))
        printing.out.print(told.add)


def show(name: str, where: Path | None, as_json: bool) -> None:
    """Show a table of the standard ones, of a destination's schema, or of a schema's file."""
    schema = _schema(where)
    table = schema.table(name) or schema.sets.get(name)
    if table is None or table.partial:
        told = f'the schema has no columns of a table "{name}"'
        raise fp.ConfigError([fp.Mistake("E119", told, hint=schema.meant(name))])
    if as_json:
        printing.as_json(_document(table))
    else:
        _print_table(table)


def _schema(where: Path | None) -> fp.Schema:
    if where is None:
        return fp.Schema.standard()
    if where.suffix == ".json":
        return fp.Schema.load(where)
    return fp.Destination.from_file(where).saved_schema.load()


def _document(table: Any) -> dict[str, Any]:
    """As `schema show --output json` prints it: lists of objects, each with its name."""
    document = dataclasses.asdict(table)
    for part in ("columns", "navigation", "keys"):
        document[part] = [document[part][name] for name in sorted(document[part])]
    for column in document["columns"]:
        column["edm"] = table.columns[column["name"]].edm
        choices = column["choices"].items()
        column["choices"] = [{"value": number, "label": label} for number, label in choices]
    return document


def _print_table(table: Any) -> None:
    base = f", based on {table.base}" if table.base else ""
    head = f"{table.name}: set {table.entity_set}, key {table.key}{base}"
    printing.out.print(line((head, "bold")))
    _grid(("column", "type", "", ""), [_column(table.columns[n]) for n in sorted(table.columns)])
    rows = [_navigation(table.navigation[name]) for name in sorted(table.navigation)]
    _grid(("navigation", "leads to", "and back by"), rows)
    for key in table.keys.values():
        status = "" if key.active else f" ({key.status})"
        printing.out.print(line(f"key {key.name}: {', '.join(key.columns)}{status}"))


def _grid(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Aligned lines that are never broken, so that names can be searched for."""
    widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]
    for index, row in enumerate([head, *rows]):
        text = "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()
        printing.out.print(line((text, "dim") if index == 0 else text), soft_wrap=True)


def _column(column: Any) -> tuple[str, ...]:
    notes = []
    if column.required:
        notes.append("required")
    if not column.creatable and not column.updatable:
        notes.append("only read")
    elif not column.updatable:
        notes.append("only on create")
    return column.name, column.type, _limits(column), ", ".join(notes)


def _limits(column: Any) -> str:
    if column.max_length is not None:
        return f"up to {column.max_length:,}"
    if column.low is not None:
        return f"{column.low:,.15g} to {column.high:,.15g}"
    if column.targets:
        return ", ".join(column.targets)
    options = [f"{number} {label}" for number, label in column.choices.items()]
    more = f", … ({len(options)})" if len(options) > _SHOWN_CHOICES else ""
    return ", ".join(options[:_SHOWN_CHOICES]) + more or column.behavior


def _navigation(one: Any) -> tuple[str, ...]:
    kind = "many of " if one.collection else "one of "
    return one.name, kind + one.target, one.partner


def diff(told: fp.SchemaDiff, as_json: bool) -> None:
    """What changed, and what that breaks."""
    if as_json:
        printing.as_json(told.to_dict())
        return
    for change in told.changes:
        printing.out.print(line(str(change)))
    if not told.changes:
        printing.out.print("nothing changed")
    for name, mistakes in told.broken.items():
        printing.out.print(line(("breaks", "red"), " ", name))
        for one in mistakes:
            place = f"{one.line}:{one.column}: " if one.line else ""
            printing.out.print(line("  ", place + str(one)))
