"""The control channel, `/_emulator/...`: what tests ask and order. No real service has it.

It needs no token and is outside of the API's path, so nothing that a client depends on can leak in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .fault import FaultError, Faults, fault_of
from .records import Writer
from .sign_in import Tokens
from .store import Database, Ledger, Rows
from .traffic import Traffic

PATH = "/_emulator"

Endpoint = Callable[[Request], Awaitable[Response]]


class ControlError(Exception):
    """An order that cannot be carried out."""


class Control:
    """The orders, over the parts they are about."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        ledger: Ledger,
        writer: Writer,
        tokens: Tokens,
        faults: Faults,
        traffic: Traffic,
    ) -> None:
        self._database = database
        self._rows = rows
        self._ledger = ledger
        self._writer = writer
        self._tokens = tokens
        self._faults = faults
        self._traffic = traffic

    def routes(self) -> list[Route]:
        """The endpoints, for Starlette."""
        return [
            Route(f"{PATH}/commits", _answering(self.commits), methods=["GET"]),
            Route(f"{PATH}/requests", _answering(self.requests), methods=["GET"]),
            Route(f"{PATH}/reset", _answering(self.reset), methods=["POST"]),
            Route(f"{PATH}/tokens", _answering(self.tokens), methods=["POST"]),
            Route(f"{PATH}/faults", _answering(self.list_faults), methods=["GET"]),
            Route(f"{PATH}/faults", _answering(self.add_faults), methods=["POST"]),
            Route(f"{PATH}/faults", _answering(self.clear_faults), methods=["DELETE"]),
        ]

    async def commits(self, request: Request) -> Any:
        """Per row, how often it was created, updated and deleted, and by which requests."""
        return {"commits": self._ledger.commits(request.query_params.get("table"))}

    async def requests(self, request: Request) -> Any:
        """How many requests came and how many tokens were issued."""
        counts = self._traffic.counts()
        issued = self._tokens.issued
        return {"requests": counts, "total": sum(counts.values()), "tokens_issued": issued}

    async def reset(self, request: Request) -> Any:
        """Empty everything; tokens that are out stay good."""
        with self._database.transaction():
            self._rows.clear()
            self._ledger.clear()
            self._writer.seed()
        self._faults.clear()
        self._traffic.clear()
        self._tokens.reset()
        return {}

    async def tokens(self, request: Request) -> Any:
        """Set the lifetime of tokens to come, or make those that are out unknown."""
        order = await _ordered(request)
        if not isinstance(order, dict) or order.keys() - {"lifetime_s", "revoke"}:
            raise ControlError("tokens takes lifetime_s and revoke")
        lifetime = order.get("lifetime_s", self._tokens.lifetime_s)
        if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or lifetime < 0:
            raise ControlError("lifetime_s is a number of seconds")
        self._tokens.lifetime_s = lifetime
        if order.get("revoke"):
            self._tokens.revoke()
        return {"lifetime_s": lifetime}

    async def list_faults(self, request: Request) -> Any:
        """The faults in force, with their hits."""
        return {"faults": self._faults.described()}

    async def add_faults(self, request: Request) -> Any:
        """Put one or more faults behind those in force."""
        order = await _ordered(request)
        wishes = order if isinstance(order, list) else [order]
        self._faults.add([fault_of(wish) for wish in wishes])
        return {"faults": self._faults.described()}

    async def clear_faults(self, request: Request) -> Any:
        """End every fault."""
        self._faults.clear()
        return {"faults": []}


async def _ordered(request: Request) -> Any:
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise ControlError(f"the order is not JSON: {error}") from None


def _answering(work: Callable[[Request], Awaitable[Any]]) -> Endpoint:
    """An endpoint that says in JSON what the work returned, or why it was refused."""

    async def endpoint(request: Request) -> Response:
        try:
            status, content = 200, await work(request)
        except (ControlError, FaultError) as error:
            status, content = 400, {"error": str(error)}
        return Response(orjson.dumps(content), status, media_type="application/json")

    return endpoint
