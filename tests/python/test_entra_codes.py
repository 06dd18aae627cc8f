"""Refusals of Microsoft Entra ID: each number has a cause, a cure and who acts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from fieldpost.auth.entra import read_refusal
from fieldpost.auth.entra_codes import BY_NUMBER, CODES, Who
from fieldpost.auth.token_endpoint import no_answer_of_a_token, refused
from fieldpost.inquiry import Answer


def test_a_number_stands_once_and_tells_all() -> None:
    assert len(CODES) == len(BY_NUMBER) > 80
    for one in CODES:
        assert one.cause and one.cure, one.number
        assert one.hint.startswith(f"{one.who}: ")
        assert len(one.hint) < 200


@pytest.mark.parametrize(
    ("number", "status", "who", "word"),
    [
        (900382, 400, Who.AUTHOR, "cloud"),
        (900432, 400, Who.AUTHOR, "cloud"),
        (1000502, 401, Who.ENTRA, "certificate"),
        (7000112, 400, Who.ENTRA, "disabled"),
        (7000229, 401, Who.ENTRA, "service principal"),
        (500014, 400, Who.ENTRA, "service principal"),
        (50194, 400, Who.AUTHOR, "directory id"),
        (900023, 400, Who.AUTHOR, "directory id"),
        (901002, 400, Who.AUTHOR, "/.default"),
        (900144, 400, Who.AUTHOR, "scope"),
        (7000213, 401, Who.ENTRA, "certificate"),
        (53003, 400, Who.ENTRA, "Conditional Access"),
        (7000215, 401, Who.AUTHOR, "value"),
        (7000222, 401, Who.ENTRA, "expired"),
        (700024, 401, Who.OPERATOR, "clock"),
        (54005, 400, Who.PERSON, "fieldpost connect"),
    ],
)
def test_a_refusal_tells_who_acts(number: int, status: int, who: Who, word: str) -> None:
    body = {
        "error": "invalid_client",
        "error_description": f"AADSTS{number}: Words.\r\nTrace ID: 0",
        "error_codes": [number],
    }
    found = read_refusal(status, body, [])
    assert found.hint.startswith(f"{who}: ")
    assert word in found.hint
    assert f"AADSTS{number}" in found.message
    assert not found.passing


@pytest.mark.parametrize(("number", "status"), [(90036, 500), (90033, 400), (50196, 400)])
def test_what_passes_is_nobodys_to_do(number: int, status: int) -> None:
    answer = _answer(status)
    found = refused(answer, {"error": "invalid_request", "error_codes": [number]}, [])
    assert (found.code, found.passing) == ("E602", True)
    assert found.hint.startswith("nobody: ")
    assert (found.wait_s is not None) is (number == 50196), "a loop is not prolonged"


def _answer(status: int, content: bytes = b"", **headers: str) -> Any:
    told = CaseInsensitiveDict({name.replace("_", "-"): one for name, one in headers.items()})
    return SimpleNamespace(status_code=status, content=content, headers=told)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_answer(200, b"<!DOCTYPE html><title>x", Content_Type="text/html"), "web page"),
        (_answer(200, b"  \n<html>"), "web page"),
        (_answer(403, b"<html>", Content_Type="text/html"), "web page (HTTP 403)"),
        (_answer(302, Location="https://portal.example.com/login?x=1"), "portal.example.com"),
        (_answer(307), "redirect (HTTP 307)"),
        (_answer(204), "HTTP 204 without a token"),
    ],
)
def test_what_is_no_token_endpoints_answer_is_told_for_what_it_is(answer: Any, words: str) -> None:
    found = no_answer_of_a_token(answer)
    assert (found.code, found.passing) == ("E603", False)
    assert words in found.message
    assert "x=1" not in found.message


def test_a_gateways_page_before_the_endpoint_passes() -> None:
    page = _answer(503, b"<html>", Content_Type="text/html", Retry_After="7")
    found = no_answer_of_a_token(page)
    assert (found.code, found.passing, found.wait_s) == ("E602", True, 7.0)
    assert "web page (HTTP 503)" in found.message


@pytest.mark.parametrize(
    ("body", "error", "is_page"),
    [
        (
            rb'{"error":{"code":"0x1","message":"It\'s \x41 \\ so"}}',
            ("0x1", r"It\'s \x41 \ so"),
            False,
        ),
        (b'{"_error":{"code":"0x2","message":"m"}}', ("0x2", "m"), False),
        (b'{"Message":"M","ExceptionMessage":"E"}', ("", "E"), False),
        (b"<html>", ("", ""), True),
        (b"[]", ("", ""), False),
    ],
)
def test_the_environments_refusals_are_read_from_every_shape(
    body: bytes, error: tuple[str, str], is_page: bool
) -> None:
    answer = Answer(400, {}, body)
    assert (answer.error, answer.is_page) == (error, is_page)
