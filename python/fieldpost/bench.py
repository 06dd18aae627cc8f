"""A destination on the bench: what it makes of single events, with nothing at the other end."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import documents, json_text
from ._core import Batch, CallFault, Dispatcher
from .config import DestinationConfig, Subscription
from .difference import MISSING
from .functions import Functions, functions_with
from .sources.stream import chunks_of

_SOURCE = "bench"


@dataclass(frozen=True)
class Got:
    """What one subscription made of one event.

    outcome: "mapped", "filtered", "dropped", "invalid" or "rejected". event: the JSON that was
    mapped (a function may have changed it), None where it did not come to that. body: a JSON
    value or MISSING; request: as it would be sent, None unless mapped.
    """

    subscription: Subscription
    outcome: str
    code: str = ""
    message: str = ""
    event: bytes | None = None
    body: Any = MISSING
    request: dict[str, Any] | None = None

    def __str__(self) -> str:
        told = f"{self.outcome} {self.code} {self.message}".strip()
        return f"{told} by {self.subscription.name}"


class Bench:
    """The plan of a destination and its protocol; nothing is opened. Raises ConfigError."""

    def __init__(self, config: DestinationConfig) -> None:
        self.config = config
        self.subscriptions = documents.active(config)
        self._plan = documents.compile_plan(config)
        self._dispatcher = Dispatcher(json.dumps(documents.dispatcher_document(config)))

    def functions(self, settings: Mapping[str, Any]) -> Functions | None:
        """The destination's functions, with more settings laid over its own; None without any."""
        return functions_with(self.config, settings)

    def outcomes(self, event: bytes, functions: Functions | None) -> list[Got]:
        """What each subscription makes of one event, given as a line of JSON."""
        (chunk,) = chunks_of(io.BytesIO(event), _SOURCE, True, _refuse)
        chosen = self._plan.select(chunk)
        results = [one if functions is None else functions.result(one) for one in chosen.events()]
        batch = self._plan.render(chosen, results)
        mapped: dict[int, bytes] = {}
        for result, wanted in zip(results, chosen.wanted_by(), strict=True):
            if isinstance(result, bytes):
                mapped |= dict.fromkeys(wanted, result)
        told: dict[int, Got] = {}
        for index, (at, *_rest) in enumerate(batch.keys()):
            told[at] = self._got(batch, index, self.subscriptions[at], mapped.get(at))
        for at, _id, _hash, _line, _offset, outcome, code, message in batch.ended():
            told[at] = Got(self.subscriptions[at], outcome, code, message, mapped.get(at))
        return [told.get(at) or Got(one, "filtered") for at, one in enumerate(self.subscriptions)]

    def _got(self, batch: Batch, index: int, one: Subscription, event: bytes | None) -> Got:
        text = batch.body(index)
        body = json_text.read_exact(text) if text else MISSING
        try:
            request = self._dispatcher.preview(batch, index)
        except CallFault as fault:
            code, message, _action = fault.args
            return Got(one, "rejected", code, message, event, body)
        return Got(one, "mapped", event=event, body=body, request=request)


def _refuse(fault: Exception) -> None:
    raise fault
