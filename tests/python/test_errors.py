"""Exceptions say what is wrong, where, and what to do."""

import pickle
import re

import pytest

from fieldpost.errors import (
    CODES,
    AuthError,
    ConfigError,
    EventError,
    FieldpostError,
    FilterError,
    LedgerError,
    MappingError,
    Mistake,
    Position,
    SourceError,
)

TWO = [
    Mistake("E201", 'unknown directive "@pth"', "$.email", 3, 10, 'did you mean "@path"?'),
    Mistake("E110", "unknown key", "$.x", 7, 1),
]


def test_a_message_has_code_place_and_hint() -> None:
    error = FieldpostError("E801", "no such file", "a.ndjson", "look at the path")
    assert str(error) == "E801 no such file at a.ndjson; look at the path"
    assert str(FieldpostError("E801", "no such file")) == "E801 no such file"


def test_a_config_error_lists_every_mistake_with_its_place() -> None:
    error = ConfigError(TWO, "d.yaml")
    assert str(error).splitlines() == [
        'd.yaml:3:10: E201 unknown directive "@pth" at $.email; did you mean "@path"?',
        "d.yaml:7:1: E110 unknown key at $.x",
    ]
    assert error.errors is error.mistakes
    assert (error.code, error.path, error.line, error.column) == ("E201", "$.email", 3, 10)
    assert error.hint == 'did you mean "@path"?'


def test_a_config_error_without_a_file_has_no_lead() -> None:
    assert str(ConfigError([Mistake("E203", "wrong", "$.a")])) == "E203 wrong at $.a"


def test_a_config_error_needs_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ConfigError([])


def test_a_filter_error_knows_the_span() -> None:
    error = FilterError([Mistake("E301", "an empty filter", span=(4, 9))])
    assert error.span == (4, 9)
    assert isinstance(error, ConfigError)


@pytest.mark.parametrize(
    "error",
    [
        FieldpostError("E101", "a", "b", "c"),
        ConfigError(TWO, "d.yaml"),
        FilterError(TWO),
        MappingError(TWO),
        SourceError("E802", "a", "b", "c", Position("f", 3, 70)),
        EventError("E401", "a", position=Position("f", 3, 70)),
        AuthError("E602", "a", unreachable=True),
        LedgerError("E701", "a"),
    ],
)
def test_errors_survive_a_pickle(error: FieldpostError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert (str(back), vars(back)) == (str(error), vars(error))


def test_an_auth_error_tells_ill_from_refused() -> None:
    assert AuthError("E602", "down", unreachable=True).unreachable
    assert not AuthError("E601", "wrong secret").unreachable


def test_codes_are_numbers_of_three_digits_with_a_meaning() -> None:
    assert all(re.fullmatch(r"E[1-8]\d\d", code) and text for code, text in CODES.items())
    assert list(CODES) == sorted(CODES)
