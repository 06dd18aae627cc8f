"""What a token endpoint says when it refuses, and what to do about it.

The error's form is RFC 6749, section 5.2; the AADSTS numbers are those of Microsoft Entra ID
(https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..secrets import redact

_AADSTS = re.compile(r"AADSTS(\d{4,9})")
_RENEW = "sign in again: the grant is used up"
_PERSON = "an administrator has to allow this application first"
_APP_ID = "compare client_id and the tenant in token_url with the app registration"

HINTS: dict[int, str] = {
    7000215: "the client secret is wrong; give its value, not its id",
    7000222: "the client secret has expired; make a new one in the app registration",
    7000218: "no secret arrived; look at client_secret and client_auth",
    700027: "the certificate is not registered for this app, or its key does not fit",
    700021: "the signed assertion names another client",
    700023: "the signed assertion is meant for another token endpoint",
    700024: "the assertion's time does not fit; set the clock of this machine",
    700016: "this tenant has no such application; " + _APP_ID,
    90002: "there is no such tenant; correct the tenant in token_url",
    500011: "this tenant has no such environment; scope is the environment's address + /.default",
    70011: "the scope is malformed; write the environment's address followed by /.default",
    1002012: "client credentials need a scope that ends in /.default",
    65001: _PERSON,
    50011: "register this redirect address with the application",
    50076: "the account needs a second factor; sign in with an application instead",
    50079: "the account needs a second factor; sign in with an application instead",
    53003: "a Conditional Access policy forbids it; " + _PERSON,
    54005: _RENEW,
    70008: _RENEW,
    700082: _RENEW,
    70000: _RENEW,
    9002313: "the request is malformed; look at token_url, client_id and scope",
    50196: "the same request came too often; wait a few minutes",
}
PLAIN_HINTS = {
    "invalid_client": "look at client_id, client_secret and client_auth",
    "unauthorized_client": "the client may not use client credentials here",
    "invalid_scope": "look at scope",
    "invalid_grant": "look at the grant and at what the client is allowed",
    "invalid_request": "look at token_url and scope; perhaps client_auth: basic is wanted",
    "unsupported_grant_type": "the endpoint does not offer client credentials",
}


@dataclass(frozen=True)
class Refusal:
    """A refused token request: the message for people, what to do, and whether to try again."""

    message: str
    hint: str
    passing: bool = False


def read_refusal(status: int, body: Any, secrets: Iterable[str]) -> Refusal:
    """Make sense of an answer that is not a token; body: its JSON, or None."""
    answer = body if isinstance(body, dict) else {}
    error = _word(answer.get("error"))
    numbers = _numbers(answer)
    words = [f"HTTP {status}", error, *(f"AADSTS{number}" for number in numbers[:1])]
    said = _first_line(answer.get("error_description"), secrets)
    told = "the token endpoint refused: " + " ".join(word for word in words if word)
    hint = next((HINTS[number] for number in numbers if number in HINTS), "")
    return Refusal(
        message=redact(told, secrets) + (f" ({said})" if said else ""),
        hint=hint or PLAIN_HINTS.get(error, "look at auth: in the destination file"),
        passing=status == 429 or status >= 500 or error == "temporarily_unavailable",
    )


def _numbers(answer: dict[str, Any]) -> list[int]:
    listed = answer.get("error_codes")
    found = [one for one in listed if isinstance(one, int)] if isinstance(listed, list) else []
    return found or [int(one) for one in _AADSTS.findall(str(answer.get("error_description")))]


def _word(value: Any) -> str:
    return value if isinstance(value, str) and re.fullmatch(r"[\w.-]{1,64}", value) else ""


def _first_line(value: Any, secrets: Iterable[str]) -> str:
    if not isinstance(value, str):
        return ""
    line = redact(value, secrets).strip().split("\n")[0].strip()
    return "".join(mark for mark in line if mark.isprintable())[:300]
