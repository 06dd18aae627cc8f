"""The tables of docs/ are what the core's lists say, and every example in them runs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

import fieldpost as fp
from fieldpost import _core
from fieldpost.ledger.schema import VERSION

DOCS = Path(__file__).parent.parent.parent / "docs"
sys.path.insert(0, str(DOCS))

import reference  # noqa: E402

DIRECTIVES = [pytest.param(*row[3:], id=row[0]) for row in _core.directive_help() if row[3]]
FILTERS = [pytest.param(*row[3:], id=row[1]) for row in _core.filter_help()]


@pytest.mark.parametrize(("example", "event", "body"), DIRECTIVES)
def test_the_example_of_a_directive_gives_what_it_says(example, event, body):
    mapping = fp.Mapping(json.loads(example))
    assert mapping.apply_json(event).decode() == body
    assert mapping.warnings == []


@pytest.mark.parametrize(("example", "yes", "no"), FILTERS)
def test_the_example_of_a_filter_takes_what_it_says(example, yes, no):
    wanted = fp.Filter(example)
    assert wanted.matches(yes)
    assert not (no and wanted.matches(no))


def test_every_directive_and_operator_has_its_help():
    directives = _core.directive_help()
    assert len(directives) >= 21
    assert all(
        help_ and (example or name == "@liquid") for name, _, help_, example, *_ in directives
    )
    named = {name for _, name, *_ in _core.filter_help()}
    assert named >= {"=", "!=", "<", "<=", ">", ">=", "in", "and", "or", "!", "contains", "typeof"}
    with pytest.raises(fp.FilterError) as error:
        fp.Filter("nothing_like_it(a)")
    assert set(error.value.hint.removeprefix("known: ").split(", ")) <= named


def test_the_page_of_the_ledger_tells_its_schema_s_number():
    told = re.search(r"The schema's number is (\d+)", (DOCS / "ledger.md").read_text())
    assert told is not None
    assert int(told[1]) == VERSION


def test_the_pages_are_up_to_date():
    pages = reference.pages()
    names = {"mapping.md", "filters.md", "schema.md", "sources.md", "dynamics.md"}
    assert {page.name for page in pages} == names
    assert [page.name for page in pages if page.read_text() != reference.rewritten(page)] == []


def test_a_page_that_drifts_is_told(tmp_path, monkeypatch, capsys):
    text = (DOCS / "filters.md").read_text()
    (tmp_path / "filters.md").write_text(text.replace("at most; both sides", "at most; no side"))
    monkeypatch.setattr(reference, "DOCS", tmp_path)
    assert reference.main(["--check"]) == 1
    assert "filters.md is out of date" in capsys.readouterr().err
    assert reference.main([]) == 0 and reference.main(["--check"]) == 0
    assert (tmp_path / "filters.md").read_text() == text


def test_what_the_page_on_mappings_shows_is_so():
    import re

    from ruamel.yaml import YAML

    page = (DOCS / "mapping.md").read_text()
    body = YAML(typ="safe").load(re.search(r"```yaml\n(body:.*?)```", page, re.S)[1])["body"]
    event = re.search(r"^Of `(\{.*?\})` this makes", page, re.M)[1]
    shown = re.search(r"```json\n(.*?)```", page, re.S)[1]
    assert fp.Mapping(body).apply(json.loads(event)) == json.loads(shown)
