"""A token endpoint's refusal, read: the words, and what to do about it.

The error's form is RFC 6749, section 5.2; the AADSTS numbers are those of Microsoft Entra ID
(entra_codes.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..secrets import redact
from .entra_codes import BY_NUMBER

_AADSTS = re.compile(r"AADSTS(\d{4,9})")
PLAIN_HINTS = {
    "invalid_client": "look at client_id, client_secret and client_auth",
    "unauthorized_client": "the client may not use client credentials here",
    "invalid_scope": "look at scope",
    "invalid_grant": "look at the grant and at what the client is allowed",
    "invalid_request": "look at token_url and scope; perhaps client_auth: basic is wanted",
    "unsupported_grant_type": "the endpoint does not offer client credentials",
}
PLAIN_HINT = "look at auth: in the destination file"


@dataclass(frozen=True)
class Refusal:
    """A refused token request: the message for people, what to do, and whether to try again.

    number: of Entra's table, 0 for none of it.
    """

    message: str
    hint: str
    passing: bool = False
    number: int = 0


def read_refusal(status: int, body: Any, secrets: Iterable[str]) -> Refusal:
    """Make sense of an answer that is not a token; body: its JSON, or None."""
    answer = body if isinstance(body, dict) else {}
    error = _word(answer.get("error"))
    numbers = _numbers(answer)
    words = [f"HTTP {status}", error, *(f"AADSTS{number}" for number in numbers[:1])]
    said = _first_line(answer.get("error_description"), secrets)
    for number in numbers[:1]:
        said = said.removeprefix(f"AADSTS{number}: ")  # it is told already
    told = "the token endpoint refused: " + " ".join(word for word in words if word)
    known = next((BY_NUMBER[number] for number in numbers if number in BY_NUMBER), None)
    hint = known.hint if known is not None else PLAIN_HINTS.get(error, PLAIN_HINT)
    ill = status == 429 or status >= 500 or error == "temporarily_unavailable"
    return Refusal(
        message=redact(told, secrets) + (f" ({said})" if said else ""),
        hint=hint,
        passing=ill or (known is not None and known.passes),
        number=known.number if known is not None else 0,
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
