"""Unit cases run: what a destination makes of given events, beside what its author expects.

Nothing is sent, no secret is read, and the environment does not matter (stand_ins.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from . import json_text
from .bench import Bench, Got
from .config import Subscription, examine, read_text
from .difference import MISSING, Difference, differences, shown
from .errors import ConfigError
from .filter import Filter
from .html_table import html_table
from .stand_ins import StandInReading
from .unit_case import Expectation, WrittenCase, written_cases


@dataclass(frozen=True)
class CaseResult:
    """What became of one case; truthy unless something differs.

    ok: None where the case's subscription is not enabled, so nothing ran.
    """

    name: str
    ok: bool | None
    difference: list[Difference]

    def __bool__(self) -> bool:
        return self.ok is not False

    def __str__(self) -> str:
        head = {True: "ok", False: "FAILED", None: "not run"}[self.ok]
        return "\n".join([f"{head}: {self.name}", *(f"  {one}" for one in self.difference)])

    def to_dict(self) -> dict[str, Any]:
        """The case as `test --output json` prints it."""
        told = [one.to_dict() for one in self.difference]
        return {"name": self.name, "ok": self.ok, "difference": told}


class UnitCase:
    """One case of a destination file; `run()` gives its result. `str()` is its name."""

    def __init__(self, bench: Bench, written: WrittenCase) -> None:
        self._bench, self._written = bench, written
        self.name = written.name

    def run(self) -> CaseResult:
        """Map the case's events and compare; sends nothing."""
        return _run(self._bench, self._written)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<UnitCase {self.name!r}>"


class TestReport(Sequence[CaseResult]):
    """The results of all unit cases; truthy unless one of them failed."""

    __test__ = False  # pytest takes no class of ours for one of its own

    def __init__(self, results: list[CaseResult]) -> None:
        self.results = results

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, index: Any) -> Any:
        return self.results[index]

    def __bool__(self) -> bool:
        return all(self.results)

    def __repr__(self) -> str:
        failed = sum(1 for one in self.results if not one)
        return f"<TestReport: {len(self)} cases, {failed} failed>"

    def _repr_html_(self) -> str:
        words = {True: "ok", False: "FAILED", None: "not run"}
        rows = []
        for one in self.results:
            rows += [[one.name, words[one.ok], *_cells(each)] for each in one.difference]
            rows += [] if one.difference else [[one.name, words[one.ok], "", "", ""]]
        return html_table(("case", "", "where", "expected", "got"), rows, limit=1000)


def _cells(one: Difference) -> list[str]:
    got = shown(one.got) + (f" ({one.why})" if one.why else "")
    return [one.path, shown(one.expected), got]


def unit_cases(path: str | os.PathLike[str]) -> list[UnitCase]:
    """The unit cases of a destination file, to run one by one; raises ConfigError.

    For pytest: @pytest.mark.parametrize("case", fieldpost.unit_cases("dynamics.yaml"), ids=str)
    """
    name = os.fspath(path)
    return cases_of(read_text(name), name)


def cases_of(text: str, name: str) -> list[UnitCase]:
    """The same of a file's text."""
    examined = examine(text, name, {}, StandInReading)
    mistakes = examined.mistakes
    written: list[WrittenCase] = []
    if examined.reading is not None:
        written, wrong = written_cases(examined.reading)
        mistakes = [*mistakes, *wrong]
    if examined.config is None or mistakes:
        raise ConfigError(mistakes, name)
    bench = Bench(examined.config)
    return [UnitCase(bench, one) for one in written]


def _run(bench: Bench, case: WrittenCase) -> CaseResult:
    names = [one.name for one in bench.subscriptions]
    if case.subscription is not None and case.subscription not in names:
        return CaseResult(case.name, None, [])
    functions = bench.functions(case.settings)
    found: list[Difference] = []
    pairs = zip(case.events, case.expectations, strict=True)
    for number, (event, wanted) in enumerate(pairs, start=1):
        lead = f"event {number}: " if len(case.events) > 1 else ""
        got = [
            one
            for one in bench.outcomes(event, functions)
            if case.subscription in (None, one.subscription.name)
        ]
        for one in _compared(wanted, got, event):
            found.append(Difference(lead + one.path, one.expected, one.got, one.why))
    return CaseResult(case.name, not found, found)


def _compared(wanted: Expectation, got: list[Got], event: bytes) -> Iterator[Difference]:
    passed = [one for one in got if one.outcome != "filtered"]
    if wanted.kind == "filtered":
        for one in passed:
            yield Difference("outcome", "filtered", str(one))
    elif not passed:
        why = "; ".join(_refusal(one.subscription, event) for one in got)
        yield Difference("outcome", wanted.kind, "filtered", why)
    elif len(passed) > 1:
        names = ", ".join(one.subscription.name for one in passed)
        why = "name one of them with subscription:"
        yield Difference("outcome", f"{wanted.kind} of one subscription", names, why)
    else:
        yield from _compared_with(wanted, passed[0])


def _compared_with(wanted: Expectation, got: Got) -> Iterator[Difference]:
    mapped = wanted.kind in ("body", "request")
    if (got.outcome == "mapped") != mapped or (not mapped and got.outcome != wanted.kind):
        yield Difference("outcome", wanted.kind, str(got))
    elif wanted.kind == "body":
        yield from differences(wanted.value, got.body)
    elif wanted.kind == "request":
        yield from _request_differences(wanted.value, got.request or {})
    elif wanted.value is not True and wanted.value != got.code:
        yield Difference("code", wanted.value, got.code, got.message)


def _request_differences(wanted: dict[str, Any], got: dict[str, Any]) -> Iterator[Difference]:
    for part in ("method", "url"):
        if part in wanted and wanted[part] != got[part]:
            yield Difference(part, wanted[part], got[part])
    headers = {name.lower(): value for name, value in got["headers"]}
    for name, value in wanted.get("headers", {}).items():
        there = headers.get(name.lower(), MISSING)
        if there != value:
            yield Difference(f"headers.{name}", value, there)
    if "body" in wanted:
        body = json_text.read_exact(bytes(got["body"])) if got["body"] else MISSING
        yield from differences(wanted["body"], body, start="body")


def _refusal(subscription: Subscription, event: bytes) -> str:
    """The conditions of a filter that the event does not meet."""
    why = Filter(subscription.filter.text, subscription.filter.dialect).explain(event)
    return f"{subscription.name}: {why.refusal()}"
