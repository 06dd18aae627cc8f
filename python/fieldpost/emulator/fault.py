"""Faults on demand: what the next requests shall suffer, and how a fault answers."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from .answer import Answer, document, header, refusal_answer
from .refusal import Refusal

FIELDS = {
    "match",
    "times",
    "status",
    "retry_after_s",
    "code",
    "message",
    "when",
    "close",
    "delay_s",
}
GATEWAY = {502, 503, 504}
UNEXPECTED = ("0x80040216", "An unexpected error occurred.")
TOO_MANY = (
    "0x80072322",
    "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
)


class FaultError(Exception):
    """A fault that cannot be understood; the text says what is wrong with it."""


@dataclass
class Fault:
    """Hits matching requests `times` times (None: until cleared).

    `when` says whether the request is carried out first. Then, after the delay, the connection is
    cut, or the status is answered; with neither, the true answer leaves, only later. With `part`,
    it hits parts of batches instead of requests, and only answers.
    """

    method: str | None = None
    path: re.Pattern[str] = field(default_factory=lambda: re.compile(""))
    times: int | None = 1
    part: bool = False
    when: str = "before"
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after_s: float | None = None
    close: bool | str = False
    delay_s: float = 0.0
    hits: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Whether this request is hit."""
        if self.times is not None and self.hits >= self.times:
            return False
        return self.method in (None, method) and self.path.search(path) is not None

    def answer(self, path: str) -> Answer:
        """What is sent instead of the true answer."""
        status = self.status or 500
        answer = self._worded(status, path)
        if self.retry_after_s is not None:
            answer.headers.append(header(b"retry-after", f"{self.retry_after_s:g}"))
        return answer

    def _worded(self, status: int, path: str) -> Answer:
        if path.endswith("/oauth2/v2.0/token"):
            text = self.message or "AADSTS90033: A transient error has occurred. Please try again."
            return document(status, {"error": "temporarily_unavailable", "error_description": text})
        if status in GATEWAY and self.code is None and self.message is None:
            return _gateway_page(status)
        code, message = TOO_MANY if status == 429 else UNEXPECTED
        return refusal_answer(Refusal(status, self.code or code, self.message or message))

    def described(self) -> dict[str, Any]:
        """The fault in the form it was ordered in, and its hits."""
        return {
            "match": {"method": self.method, "path": self.path.pattern, "part": self.part},
            "times": self.times,
            "hits": self.hits,
            "when": self.when,
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "retry_after_s": self.retry_after_s,
            "close": self.close,
            "delay_s": self.delay_s,
        }


def _gateway_page(status: int) -> Answer:
    """The page that a proxy in front of the service sends: HTML, not JSON."""
    title = html.escape(f"{status} {HTTPStatus(status).phrase}")
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Answer(status, [(b"content-type", b"text/html")], page.encode())


def fault_of(wish: Any) -> Fault:
    """A fault from its JSON form; everything that is not understood is refused."""
    if not isinstance(wish, dict):
        raise FaultError("a fault is an object")
    unknown = wish.keys() - FIELDS
    if unknown:
        raise FaultError(f"a fault has no {', '.join(sorted(unknown))}; it has {sorted(FIELDS)}")
    match = wish.get("match") or {}
    method, path = _matcher(match)
    return Fault(
        method=method,
        path=path,
        part=_one_of(match.get("part", False), (True, False), "match.part"),
        times=_optional(wish, "times", int, 1),
        when=_one_of(wish.get("when", "before"), ("before", "after"), "when"),
        status=_status_of(wish),
        code=_optional(wish, "code", str),
        message=_optional(wish, "message", str),
        retry_after_s=_optional(wish, "retry_after_s", (int, float)),
        close=_one_of(wish.get("close", False), (True, False, "reset", "middle"), "close"),
        delay_s=_optional(wish, "delay_s", (int, float)) or 0.0,
    )


def _matcher(match: Any) -> tuple[str | None, re.Pattern[str]]:
    if not isinstance(match, dict) or match.keys() - {"method", "path", "part"}:
        raise FaultError("match has method, path and part")
    method = _optional(match, "method", str)
    try:
        return method and method.upper(), re.compile(_optional(match, "path", str) or "")
    except re.error as error:
        raise FaultError(f"match.path is not a regular expression: {error}") from None


def _status_of(wish: dict[str, Any]) -> int | None:
    status: int | None = _optional(wish, "status", int)
    if status is not None and not 400 <= status <= 599:
        raise FaultError("status is 400 to 599")
    worded = {"code", "message", "retry_after_s"} & wish.keys()
    if status is None and worded:
        raise FaultError(f"{', '.join(sorted(worded))} needs a status")
    return status


def _optional(wish: dict[str, Any], name: str, kind: Any, default: Any = None) -> Any:
    value = wish.get(name, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
        raise FaultError(f"{name} is of the wrong type")
    return value


def _one_of(value: Any, allowed: tuple[Any, ...], name: str) -> Any:
    if value not in allowed or (isinstance(value, int) and not isinstance(value, bool)):
        raise FaultError(f"{name} is one of {', '.join(map(str, allowed))}")
    return value


class Faults:
    """The list of faults in force. The first one that matches takes the request."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        """Put these behind the ones in force."""
        self._faults += faults

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request; the hit is counted."""
        return self._take(method, path, part=False)

    def take_part(self, method: str, path: str) -> Fault | None:
        """The fault that hits this part of a batch; the hit is counted."""
        return self._take(method, path, part=True)

    def _take(self, method: str, path: str, *, part: bool) -> Fault | None:
        for fault in self._faults:
            if fault.part == part and fault.matches(method, path):
                fault.hits += 1
                return fault
        return None

    def described(self) -> list[dict[str, Any]]:
        """All faults, used up or not."""
        return [fault.described() for fault in self._faults]

    def clear(self) -> None:
        """End every fault."""
        self._faults.clear()
