"""Signed-in reads of a Dynamics 365 environment, one at a time, that write nothing.

Owns no connection; a token is asked for where the first read needs it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from . import auth
from ._core import exchange
from .config import DestinationConfig
from .documents import transport_document
from .dynamics.environment import NotThere
from .errors import AuthError, FieldpostError

_TRIES = 5
_LATER = (429, 502, 503, 504)
_LONGEST_WAIT_S = 300.0
_FAULTS = {"untrusted": "E502", "unreachable": "E501"}


class WebApiReader:
    """Calls give the body of `/api/data/v9.2/` + path; waits where the service asks to."""

    def __init__(
        self, config: DestinationConfig, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.address = (config.url or "").rstrip("/")
        self._credentials = auth.open_credentials(config)
        self._transport = json.dumps(transport_document(config))
        self._sleep = sleep

    def __call__(self, path: str, *, accept: str = "application/json", prefer: str = "") -> bytes:
        """The body of a read; raises AuthError, or FieldpostError where it does not succeed."""
        header = self._credentials.header()
        answer: dict[str, Any] = {}
        for attempt in range(_TRIES):
            answer = self._once(path, accept, prefer, header)
            if answer["status"] == 200:
                return bytes(answer["body"])
            if answer["status"] == 401 and attempt == 0:
                header = self._credentials.refresh(header)
            elif answer["status"] in _LATER and attempt < _TRIES - 1:
                self._sleep(_wait(answer["headers"], attempt))
            else:
                break
        raise _refusal(answer, path.partition("?")[0])

    def _once(self, path: str, accept: str, prefer: str, header: str) -> dict[str, Any]:
        headers = [("Accept", accept), ("OData-Version", "4.0"), ("OData-MaxVersion", "4.0")]
        if header:
            headers.append((self._credentials.header_name, header))
        if prefer:
            headers.append(("Prefer", prefer))
        url = f"{self.address}/api/data/v9.2/{path}"
        request = {"method": "GET", "url": url, "headers": headers, "body": None}
        return exchange(request, self._transport)


def _wait(headers: list[tuple[str, str]], attempt: int) -> float:
    told = next((value for name, value in headers if name.lower() == "retry-after"), "")
    return min(float(told), _LONGEST_WAIT_S) if told.isdigit() else float(2**attempt)


def _refusal(answer: dict[str, Any], path: str) -> FieldpostError:
    status = answer["status"]
    if status == 0:
        code = _FAULTS.get(answer["fault"], "E503")
        hint = "look at the address and the network; nothing was written"
        return FieldpostError(code, answer["fault_text"], path, hint)
    told = f"HTTP {status} {_service_words(answer['body'])}".strip()
    if status in (401, 403):
        hint = "give the application user a security role that reads these tables' definitions"
        return AuthError("E605", told, path, hint)
    hint = "look at the url: it is the environment's address"
    return (NotThere if status == 404 else FieldpostError)("E505", told, path, hint)


def _service_words(body: bytes) -> str:
    try:
        error = json.loads(body)["error"]
        return f"{error['code']} {error['message']}"
    except (ValueError, KeyError, TypeError):
        return ""
