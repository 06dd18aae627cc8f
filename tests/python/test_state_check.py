"""States and reasons that bodies give to rows, judged by `check` without asking anybody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import fieldpost as fp
from fieldpost.dynamics.schema import Schema
from fieldpost.dynamics.schema_change import changes

HEAD = """\
name: d
type: dynamics365
url: https://org.crm.dynamics.com
subscriptions:
  - name: s
    filter: all
"""
KEY = '    key: {"@path": "$.id"}\n'
EVENT = '{"@path": "$.state"}'


def told(tmp_path: Path, text: str) -> tuple[list[str], list[str]]:
    """The codes of the errors and of the warnings; those of the sign-in stay out."""
    file = tmp_path / "d.yaml"
    file.write_text(HEAD + text)
    found = fp.check_file(file)
    kept = [
        [one for one in some if one.code.startswith("E28")]
        for some in (found.errors, found.warnings)
    ]
    assert all(one.line and one.hint for some in kept for one in some)
    return [one.code for one in kept[0]], [one.code for one in kept[1]]


@pytest.mark.parametrize(
    ("action", "body", "errors", "warnings"),
    [
        ("create", "{statecode: 1, statuscode: 2}", ["E282"], []),
        ("create", "{statecode: Inactive}", ["E282"], []),
        ("create", "{statuscode: 2}", ["E282"], []),
        ("create", "{statecode: 0, statuscode: 1}", [], []),
        ("create", "{statecode: 0, statuscode: 2}", [], ["E284"]),
        ("create", f"{{statecode: {EVENT}}}", [], ["E282"]),
        ("create", f"{{statuscode: {EVENT}}}", [], []),
        ("create", "{Account_Tasks: [{subject: x, statecode: 1}]}", ["E282"], []),
        ("upsert", "{statecode: 1}", [], ["E282"]),
        ("upsert", f"{{statecode: {EVENT}}}", [], ["E282"]),
        ("upsert", "{Account_Tasks: [{subject: x, statecode: 1}]}", ["E282"], []),
        ("update", "{statecode: 1, statuscode: 2}", [], []),
        ("update", "{statecode: 1, statuscode: 1}", [], ["E284"]),
    ],
)
def test_a_state_of_an_account(
    tmp_path: Path, action: str, body: str, errors: list[str], warnings: list[str]
) -> None:
    key = "" if action == "create" else KEY
    text = f"    action: {action}\n    table: account\n{key}    body: {body}\n"
    assert told(tmp_path, text) == (errors, warnings)


def test_an_upsert_that_finds_its_row_may_change_the_state(tmp_path: Path) -> None:
    text = "    action: upsert\n    table: account\n" + KEY
    text += "    body: {statecode: 1}\n    if_match: '*'\n"
    assert told(tmp_path, text) == ([], [])


def test_a_state_for_the_creation_alone_is_told(tmp_path: Path) -> None:
    text = "    action: upsert\n    table: account\n" + KEY
    text += "    body: {name: x}\n    on_create: {statecode: 1}\n    order_by: {'@path': $.id}\n"
    assert told(tmp_path, text) == (["E282"], [])


@pytest.mark.parametrize("action", ["create", "upsert", "update"])
@pytest.mark.parametrize("body", ["{statecode: 1}", "{statecode: Lost}", "{statuscode: 3}"])
def test_no_column_closes_an_opportunity(tmp_path: Path, action: str, body: str) -> None:
    key = "" if action == "create" else KEY
    text = f"    action: {action}\n    table: opportunity\n{key}    body: {body}\n"
    assert told(tmp_path, text) == (["E283"], [])


def test_a_state_from_the_event_may_close_an_opportunity(tmp_path: Path) -> None:
    text = f"    action: update\n    table: opportunity\n{KEY}    body: {{statecode: {EVENT}}}\n"
    assert told(tmp_path, text) == ([], ["E283"])
    assert told(tmp_path, text.replace(EVENT, "0")) == ([], [])


def test_a_schema_of_an_earlier_version_knows_no_states_and_has_not_changed() -> None:
    schema = Schema.standard()
    table = schema.tables["account"]
    column = replace(table.columns["statuscode"], states={})
    older = replace(table, columns={**table.columns, "statuscode": column})
    assert list(changes(replace(schema, tables={"account": older}), schema.only(["account"]))) == []
