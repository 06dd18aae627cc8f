"""All that a ledger knows of single events, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fieldpost.terminal import line

from . import printing


def show(rows: Iterable[dict[str, Any]], asked: Sequence[str]) -> None:
    """Each row with its event, its request and the answer; and the ids that no row has."""
    seen, never = set(), ""
    for row in rows:
        seen.add(row["event_id"])
        *lacks, never = row["kept"]["not_kept"]
        _show(row, lacks)
    if never:
        printing.out.print(line((f"never kept: {never}", "dim")))
    for one in asked:
        if one not in seen:
            told = ": the ledger does not know it; it was filtered, or not read by any run"
            printing.out.print(line(one, told))


def _show(row: dict[str, Any], lacks: list[str]) -> None:
    head = f" {row['subscription']}: "
    printing.out.print(line((row["event_id"], "bold"), head, (row["outcome"], "bold")))
    for name, told in _facts(row):
        if told:
            printing.out.print(line(f"  {name:<9} ", told))
    kept = row["kept"]
    if kept["event"] is not None:
        printing.out.print("  event")
        printing.value(kept["event"])
    if kept["request"] is not None:
        _request(kept["request"])
    for one in lacks:
        printing.out.print(line("  ", (f"not kept: {one}", "dim")))


def _facts(row: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and texts of what a row says."""
    answer = f"HTTP {row['http_status']}" if row["http_status"] else ""
    said_so = row["code"] == f"http_{row['http_status']}"
    words = printing.reason("" if said_so else row["code"], row["message"])
    asked = f"request id {row['request_id']}" if row["request_id"] else ""
    tries = f"{row['attempts']}, decided after {row['latency_ms']:,.0f} ms"
    return [
        ("source", f"{row['source']}:{row['line']} (byte {row['offset']})"),
        ("run", row["run"]),
        ("tries", tries if row["attempts"] else "none"),
        ("answer", ", ".join(part for part in (answer, words, asked) if part)),
        ("effect", " ".join(part for part in (row["effect"], row["record_id"]) if part)),
        ("to do", row["action_needed"]),
    ]


def _request(request: dict[str, Any]) -> None:
    how = request["method"] or f"{request['action']} {request['table']} at".strip()
    printing.out.print(line(f"  request   {how} {request['url']}".rstrip()))
    for name, value in request["headers"].items():
        printing.out.print(line("  ", (f"{name}: {value}", "dim")))
    printing.value(request["body"])
