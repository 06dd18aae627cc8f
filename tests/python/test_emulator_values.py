"""Column values: what is refused, how it is read back. E ids as in the emulator's own reference."""

from __future__ import annotations

from typing import Any

import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused  # noqa: F401


def test_E63_a_text_that_is_too_long_is_400(api: Api) -> None:
    words = (
        "A validation error occurred.  The length of the 'subject' attribute of the 'task' entity "
        "exceeded the maximum allowed length of '200'."
    )
    refused(api.post("tasks", {"subject": "x" * 201}), 400, "0x80044331", words)
    assert api.post("tasks", {"subject": "x" * 200}).status_code == 204


def test_E63_length_counts_utf16_units(api: Api) -> None:
    assert api.post("tasks", {"subject": "😀" * 100}).status_code == 204
    refused(api.post("tasks", {"subject": "😀" * 101}), 400, "0x80044331")
    assert api.post("tasks", {"subject": "ä" * 200}).status_code == 204


def test_E64_an_unknown_choice_is_400_with_the_known_ones(api: Api) -> None:
    accepted = ",".join(str(option) for option in range(1, 34))
    words = (
        "The value 999 of 'industrycode' on record of type 'account' is outside the valid range. "
        f"Accepted Values: {accepted}"
    )
    refused(api.post("accounts", {"industrycode": 999}), 400, "0x8004431a", words)


def test_E65_a_label_is_not_a_choice(api: Api) -> None:
    words = "Cannot convert the literal 'Accounting' to the expected type 'Edm.Int32'."
    refused(api.post("accounts", {"industrycode": "Accounting"}), 400, "0x80048d19", words)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("numberofemployees", -1, "0x8004432f"),
        ("numberofemployees", 1_000_000_001, "0x8004432f"),
        ("revenue", 1e20, "0x80044330"),
        ("revenue", -0.01, "0x80044330"),
        ("address1_latitude", 90.5, "0x80044330"),
    ],
)
def test_E66_a_number_out_of_range_is_400(api: Api, column: str, value: float, code: str) -> None:
    refused(api.post("accounts", {column: value}), 400, code, f"'{column}'", "'account'")
    assert api.commits() == []


@pytest.mark.parametrize(
    ("entity_set", "column", "value", "edm"),
    [
        ("accounts", "numberofemployees", 1.5, "Edm.Int32"),
        ("accounts", "numberofemployees", True, "Edm.Int32"),
        ("accounts", "revenue", True, "Edm.Decimal"),
        ("accounts", "numberofemployees", 2**31, "Edm.Int32"),
        ("accounts", "creditonhold", "true", "Edm.Boolean"),
        ("accounts", "creditonhold", 1, "Edm.Boolean"),
        ("accounts", "name", 5, "Edm.String"),
        ("accounts", "accountid", "{00000000-0000-0000-0000-000000000001}", "Edm.Guid"),
        ("accounts", "accountid", "1", "Edm.Guid"),
        ("contacts", "birthdate", "2024-01-01T00:00:00Z", "Edm.Date"),
        ("contacts", "birthdate", "2024-02-30", "Edm.Date"),
        ("tasks", "scheduledend", "2024-05-01", "Edm.DateTimeOffset"),
        ("tasks", "scheduledend", "2024-05-01T25:00:00Z", "Edm.DateTimeOffset"),
        ("leads", "estimatedvalue", "5", "Edm.Double"),
    ],
)
def test_E67_a_value_of_another_type_is_400(
    api: Api, entity_set: str, column: str, value: Any, edm: str
) -> None:
    words = f"to the expected type '{edm}'."
    refused(api.post(entity_set, {column: value}), 400, "0x80048d19", words)
    assert api.commits() == []


def test_E67_digits_in_a_text_are_a_whole_number(api: Api) -> None:
    account = api.created("accounts", {"numberofemployees": "200"})
    assert api.row(f"accounts({account})")["numberofemployees"] == 200


def test_E67_a_fault_of_form_wins_over_a_fault_of_value(api: Api) -> None:
    body = {"name": "x" * 161, "Account_Tasks": [{"Subject": "S"}]}
    refused(api.post("accounts", body), 400, "0x80048d19", "'Subject'")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00Z"),
        ("2024-05-01T12:00:00", "2024-05-01T12:00:00Z"),
        ("2024-05-01T12:00:00.9999999Z", "2024-05-01T12:00:00Z"),
        ("2024-05-01T12:00Z", "2024-05-01T12:00:00Z"),
    ],
)
def test_E68_a_moment_is_read_back_in_utc(api: Api, sent: str, read: str) -> None:
    task = api.created("tasks", {"scheduledend": sent})
    assert api.row(f"tasks({task})")["scheduledend"] == read


@pytest.mark.parametrize("moment", ["1752-12-31T23:59:59Z", "9999-12-31T00:00:00Z"])
def test_E68_a_moment_out_of_range_is_400(api: Api, moment: str) -> None:
    refused(api.post("tasks", {"scheduledend": moment}), 400, "0x80040239")


def test_E69_money_has_four_decimals_a_base_and_a_currency(api: Api) -> None:
    deal = api.created("opportunities", {"estimatedvalue": 12.346})
    answer = api.get(f"opportunities({deal})?$select=estimatedvalue,estimatedvalue_base")
    assert '"estimatedvalue":12.3500' in answer.text
    assert '"estimatedvalue_base":12.3500' in answer.text
    currency = api.row(f"opportunities({deal})?$expand=transactioncurrencyid")
    assert currency["transactioncurrencyid"]["isocurrencycode"] == "USD"


def test_E69_money_keeps_every_digit(api: Api) -> None:
    account = api.created("accounts", '{"revenue": 99999999999999.99}')
    assert '"revenue":99999999999999.9900' in api.get(f"accounts({account})?$select=revenue").text


def test_E70_what_the_service_fills_is_ignored_in_a_body(api: Api) -> None:
    body = {"createdon": "2001-01-01T00:00:00Z", "fullname": "X", "lastname": "S"}
    contact = api.created("contacts", body)
    row = api.row(f"contacts({contact})")
    assert not row["createdon"].startswith("2001")
    assert row["fullname"] == "S"


def test_E70_overriddencreatedon_sets_createdon_on_create_only(api: Api) -> None:
    moment = "2001-01-01T00:00:00Z"
    contact = api.created("contacts", {"overriddencreatedon": moment})
    api.patch(f"contacts({contact})", {"overriddencreatedon": "2002-01-01T00:00:00Z"})
    row = api.row(f"contacts({contact})")
    assert (row["createdon"], row["overriddencreatedon"]) == (moment, moment)


def test_a_new_row_has_its_defaults(api: Api) -> None:
    row = api.row(f"tasks({api.created('tasks', {'subject': ''})})")
    expected = {"statecode": 0, "statuscode": 2, "prioritycode": 1, "subject": None}
    assert {name: row[name] for name in expected} == expected
    assert row["isbilled"] is False
    assert row["activitytypecode"] == "task"
    assert row["_ownerid_value"] == api.row("WhoAmI")["UserId"]
