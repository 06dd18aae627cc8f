"""Service protection: requests, execution time and concurrency per user and web server.

"Service protection API limits". Nothing is enforced until the control channel says so; headers tell
what is left in any case. Executing a request can be given a cost, which is waited for and counted.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .answer import Answer, Header, header, refusal_answer
from .refusal import Refusal

DECREASE = (
    " Decrease number of concurrent requests or reduce the duration of requests and try again "
    "later."
)


class LimitError(Exception):
    """Limits that make no sense."""


@dataclass(slots=True)
class Limits:
    """What is enforced; None: not enforced. Times in the units of their names.

    While a user waits, each further request after `grace_s` makes the wait `penalty_s` longer.
    """

    requests: int | None = None
    execution_s: float | None = None
    concurrency: int | None = None
    window_s: float = 300.0
    grace_s: float = 0.25
    penalty_s: float = 1.0
    servers: int = 1
    dop_hint: int = 4
    request_ms: float = 0.0
    row_ms: float = 0.0
    read_ms: float = 0.0
    bulk_request_ms: float = 0.0
    bulk_row_ms: float = 0.0
    batch_parts: int = 1000
    plug_in_ms: float = 140_000.0

    def change(self, order: Any) -> None:
        """Set what the order names; null ends a limit."""
        if not isinstance(order, dict):
            raise LimitError("limits are an object")
        unknown = order.keys() - set(Limits.__dataclass_fields__)
        if unknown:
            known = ", ".join(sorted(Limits.__dataclass_fields__))
            raise LimitError(f"limits have no {', '.join(sorted(unknown))}; they have {known}")
        for name, value in order.items():
            optional = name in ("requests", "execution_s", "concurrency")
            if value is None and optional:
                setattr(self, name, None)
            elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise LimitError(f"{name} is a number")
            else:
                setattr(self, name, value)

    def described(self) -> dict[str, Any]:
        """All of them."""
        return {name: getattr(self, name) for name in Limits.__dataclass_fields__}


@dataclass(slots=True)
class Meter:
    """What one user did on one web server."""

    entered: deque[tuple[float, int]] = field(default_factory=deque)
    spent: deque[tuple[float, float]] = field(default_factory=deque)
    requests: int = 0
    spent_s: float = 0.0
    in_flight: int = 0
    most_in_flight: int = 0
    blocked_since: float = 0.0
    blocked_until: float = 0.0
    blocked_by: tuple[str, str] = ("", "")

    def forget(self, before: float) -> None:
        """Drop what has left the window."""
        while self.entered and self.entered[0][0] <= before:
            self.requests -= self.entered.popleft()[1]
        while self.spent and self.spent[0][0] <= before:
            self.spent_s -= self.spent.popleft()[1]


class Throttle:
    """The meters of all users on all servers."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.limits = Limits()
        self._meters: dict[tuple[str, int], Meter] = {}
        self._turn = 0
        self._accepted = self._refused = self._impatient = 0

    def server_for(self, cookie: str | None) -> int:
        """The web server of a request: that of its cookie, else the next in turn."""
        name = (cookie or "").partition("ARRAffinity=")[2].partition(";")[0].strip()
        if name.startswith("server-") and name[7:].isdigit():
            return int(name[7:]) % self.limits.servers
        self._turn += 1
        return self._turn % self.limits.servers

    def meter(self, user: str, server: int) -> Meter:
        """The meter of a user on a server."""
        return self._meters.setdefault((user, server), Meter())

    def enter(self, meter: Meter, requests: int = 1) -> Answer | None:
        """Count a request in; the refusal where it is one too many."""
        now, limits = self._clock(), self.limits
        meter.forget(now - limits.window_s)
        if now < meter.blocked_until:
            return self._still_blocked(meter, now)
        if limits.requests is not None and meter.requests + requests > limits.requests:
            wait = _wait(meter.entered, meter.requests + requests - limits.requests)
            text = (
                f"Number of requests exceeded the limit of {limits.requests} over time window of "
                f"{limits.window_s:g} seconds."
            )
            return self._block(meter, now, wait, "0x80072322", text)
        if limits.execution_s is not None and meter.spent_s >= limits.execution_s:
            wait = _wait(meter.spent, meter.spent_s - limits.execution_s)
            text = (
                "Combined execution time of incoming requests exceeded limit of "
                f"{limits.execution_s * 1000:,.0f} milliseconds over time window of "
                f"{limits.window_s:g} seconds."
            )
            return self._block(meter, now, wait, "0x80072321", text + DECREASE)
        if limits.concurrency is not None and meter.in_flight >= limits.concurrency:
            text = f"Number of concurrent requests exceeded the limit of {limits.concurrency}."
            return self._refuse("0x80072326", text, 1)
        self._accepted += 1
        meter.entered.append((now, requests))
        meter.requests += requests
        meter.in_flight += 1
        meter.most_in_flight = max(meter.most_in_flight, meter.in_flight)
        return None

    def leave(self, meter: Meter, spent_s: float) -> None:
        """Count a request out, with its execution time."""
        meter.in_flight -= 1
        meter.spent.append((self._clock(), spent_s))
        meter.spent_s += spent_s

    def _block(
        self, meter: Meter, now: float, leaves: float | None, code: str, text: str
    ) -> Answer:
        window = self.limits.window_s
        until = (leaves if leaves is not None else now) + window
        meter.blocked_since, meter.blocked_until = now, max(until, now + 0.001)
        meter.blocked_by = (code, text)
        return self._refuse(code, text, math.ceil(meter.blocked_until - now))

    def _still_blocked(self, meter: Meter, now: float) -> Answer:
        if now > meter.blocked_since + self.limits.grace_s:
            self._impatient += 1
            meter.blocked_until += self.limits.penalty_s
        code, text = meter.blocked_by
        return self._refuse(code, text, math.ceil(meter.blocked_until - now))

    def _refuse(self, code: str, text: str, wait_s: int) -> Answer:
        self._refused += 1
        answer = refusal_answer(Refusal(429, code, text))
        answer.headers.append(header(b"retry-after", str(max(wait_s, 1))))
        return answer

    def headers(self, meter: Meter, server: int) -> list[Header]:
        """What every answer tells about what is left."""
        limits = self.limits
        requests = limits.requests or 6000
        execution = limits.execution_s or 1200.0
        left = max(execution - meter.spent_s, 0)
        return [
            header(
                b"x-ms-ratelimit-burst-remaining-xrm-requests",
                str(max(requests - meter.requests, 0)),
            ),
            header(b"x-ms-ratelimit-time-remaining-xrm-requests", f"{left:,.2f}"),
            header(b"x-ms-dop-hint", str(limits.dop_hint)),
            header(b"set-cookie", f"ARRAffinity=server-{server}; Path=/; HttpOnly"),
        ]

    def described(self) -> dict[str, Any]:
        """The limits, and what came of them."""
        meters = self._meters.values()
        return {
            "limits": self.limits.described(),
            "accepted": self._accepted,
            "refused": self._refused,
            "impatient": self._impatient,
            "most_in_flight": max((m.most_in_flight for m in meters), default=0),
            "servers_used": len({server for _, server in self._meters}),
        }

    def forget(self) -> None:
        """Count from nothing; the limits stay. Requests in progress are let go."""
        self._meters.clear()
        self._accepted = self._refused = self._impatient = 0

    def reset(self) -> None:
        """Count from nothing and enforce nothing."""
        self.limits = Limits()
        self.forget()


def _wait(events: deque[tuple[float, Any]], excess: float) -> float | None:
    """The time of the event whose leaving the window brings the sum below its limit."""
    for moment, amount in events:
        excess -= amount
        if excess <= 0:
            return moment
    return events[-1][0] if events else None
