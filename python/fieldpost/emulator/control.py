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

from .applications import ApplicationError, Applications
from .delivery import Delivery, DeliveryError
from .drift import Drift, DriftError
from .fault import FaultError, Faults, fault_of
from .model.moment import written
from .plugin import PlugInError, plug_in_of
from .race import Races
from .records import BUSINESS_UNIT, Commit, Condition, RowKey, Seeder, User
from .records.seed import USER
from .refusal import Refusal
from .request import Request as ApiRequest
from .service import Call, Service
from .switches import SwitchError
from .throttle import LimitError, Throttle
from .tokens import Tokens
from .traffic import Traffic

PATH = "/_emulator"

Endpoint = Callable[[Request], Awaitable[Response]]


class ControlError(Exception):
    """An order that cannot be carried out."""


MISTAKES = (
    ControlError,
    FaultError,
    PlugInError,
    DriftError,
    SwitchError,
    LimitError,
    ApplicationError,
    DeliveryError,
)


class Control:
    """The orders, over the parts they are about."""

    def __init__(
        self,
        service: Service,
        seeder: Seeder,
        drift: Drift,
        applications: Applications,
        tokens: Tokens,
        faults: Faults,
        races: Races,
        throttle: Throttle,
        delivery: Delivery,
        traffic: Traffic,
    ) -> None:
        self._service = service
        self._seeder = seeder
        self._drift = drift
        self._applications = applications
        self._tokens = tokens
        self._faults = faults
        self._races = races
        self._throttle = throttle
        self._delivery = delivery
        self._traffic = traffic

    def routes(self) -> list[Route]:
        """The endpoints, for Starlette."""
        orders: dict[str, dict[str, Callable[[Request], Awaitable[Any]]]] = {
            "commits": {"GET": self.commits},
            "requests": {"GET": self.requests},
            "reset": {"POST": self.reset},
            "tokens": {"POST": self.tokens},
            "faults": {
                "GET": self.list_faults,
                "POST": self.add_faults,
                "DELETE": self.clear_faults,
            },
            "limits": {
                "GET": self.list_limits,
                "POST": self.set_limits,
                "DELETE": self.clear_limits,
            },
            "switches": {"GET": self.list_switches, "POST": self.set_switches},
            "plugins": {
                "GET": self.list_plug_ins,
                "POST": self.add_plug_ins,
                "DELETE": self.clear_plug_ins,
            },
            "schema": {"POST": self.change_schema, "DELETE": self.reset_schema},
            "applications": {"GET": self.list_applications, "POST": self.register},
            "duplicate_rules": {"POST": self.add_rules, "DELETE": self.clear_rules},
            "races": {"POST": self.add_races},
            "rows": {"POST": self.change_rows},
            "answers": {"GET": self.list_answers, "POST": self.set_answers},
        }
        return [
            Route(f"{PATH}/{name}", _answering(work), methods=[method])
            for name, works in orders.items()
            for method, work in works.items()
        ]

    async def commits(self, request: Request) -> Any:
        """Per row, how often it was created, updated and deleted, and by which requests."""
        return {"commits": self._service.ledger.commits(request.query_params.get("table"))}

    async def requests(self, request: Request) -> Any:
        """How many requests came and how many tokens were issued."""
        counts = self._traffic.counts()
        issued = self._tokens.issued
        return {"requests": counts, "total": sum(counts.values()), "tokens_issued": issued}

    async def reset(self, request: Request) -> Any:
        """Empty everything and undo every order; tokens that are out stay good."""
        self._drift.reset()
        self._applications.reset()
        with self._service.database.transaction():
            self._service.rows.clear()
            self._service.ledger.clear()
            self._seeder.seed(self._applications.first_id)
        self._service.switches.reset()
        self._service.plug_ins.clear()
        self._service.writer.duplicate_rules.clear()
        for part in (self._faults, self._races, self._traffic):
            part.clear()
        for resettable in (self._tokens, self._throttle, self._delivery):
            resettable.reset()
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

    # Faults, limits, switches, answers ----------------------------------------------------------

    async def list_faults(self, request: Request) -> Any:
        """The faults in force, with their hits."""
        return {"faults": self._faults.described()}

    async def add_faults(self, request: Request) -> Any:
        """Put one or more faults behind those in force."""
        self._faults.add([fault_of(wish) for wish in _several(await _ordered(request))])
        return {"faults": self._faults.described()}

    async def clear_faults(self, request: Request) -> Any:
        """End every fault."""
        self._faults.clear()
        return {"faults": []}

    async def list_limits(self, request: Request) -> Any:
        """The limits and costs in force, and what came of them."""
        return self._throttle.described()

    async def set_limits(self, request: Request) -> Any:
        """Change limits and costs, and count from nothing."""
        self._throttle.limits.change(await _ordered(request))
        self._throttle.forget()
        return self._throttle.described()

    async def clear_limits(self, request: Request) -> Any:
        """Enforce nothing, cost nothing."""
        self._throttle.reset()
        return self._throttle.described()

    async def list_switches(self, request: Request) -> Any:
        """The uncertain behaviours and their positions."""
        return self._service.switches.described()

    async def set_switches(self, request: Request) -> Any:
        """Put switches into a position."""
        self._service.switches.turn(await _ordered(request))
        return self._service.switches.described()

    async def list_answers(self, request: Request) -> Any:
        """How answers travel."""
        return self._delivery.described()

    async def set_answers(self, request: Request) -> Any:
        """Change how answers travel."""
        self._delivery.change(await _ordered(request))
        return self._delivery.described()

    # What an administrator does -----------------------------------------------------------------

    async def list_plug_ins(self, request: Request) -> Any:
        """The plug-ins and how often they ran."""
        return {"plugins": self._service.plug_ins.described()}

    async def add_plug_ins(self, request: Request) -> Any:
        """Register one or more plug-ins."""
        orders = _several(await _ordered(request))
        self._service.plug_ins.add([plug_in_of(order) for order in orders])
        return {"plugins": self._service.plug_ins.described()}

    async def clear_plug_ins(self, request: Request) -> Any:
        """Remove every plug-in."""
        self._service.plug_ins.clear()
        return {"plugins": []}

    async def change_schema(self, request: Request) -> Any:
        """Change the schema."""
        for order in _several(await _ordered(request)):
            self._drift.change(order)
        return {"version": self._service.schema.version}

    async def reset_schema(self, request: Request) -> Any:
        """Undo every change of the schema."""
        self._drift.reset()
        return {"version": self._service.schema.version}

    async def list_applications(self, request: Request) -> Any:
        """The applications and their users."""
        known = self._applications.known.values()
        return {"applications": [application.described() for application in known]}

    async def register(self, request: Request) -> Any:
        """Register an application or change one."""
        application = self._applications.register(await _ordered(request))
        users = self._service.schema.tables["systemuser"]
        with self._service.database.transaction():
            if not self._service.rows.exists(users, application.user_id):
                self._seeder.user(
                    application.user_id, f"# {application.client_id}", application.client_id
                )
        return application.described()

    async def add_rules(self, request: Request) -> Any:
        """Publish duplicate detection rules: rows of a table that agree in some columns."""
        for order in _several(await _ordered(request)):
            if not isinstance(order, dict) or order.keys() != {"table", "columns"}:
                raise ControlError("a duplicate rule has table and columns")
            table = self._service.schema.tables.get(order["table"])
            if table is None or not set(order["columns"]) <= table.columns.keys():
                raise ControlError("a duplicate rule names a table and columns that there are")
            self._service.writer.duplicate_rules.append((table.name, tuple(order["columns"])))
        return {"rules": len(self._service.writer.duplicate_rules)}

    async def clear_rules(self, request: Request) -> Any:
        """Unpublish all of them."""
        self._service.writer.duplicate_rules.clear()
        return {"rules": 0}

    async def add_races(self, request: Request) -> Any:
        """Let the next two upserts of a missing row of a table race."""
        order = await _ordered(request)
        if not isinstance(order, dict) or order.get("table") not in self._service.schema.tables:
            raise ControlError("a race has a table, and times")
        self._races.add(order["table"], int(order.get("times", 1)))
        return {}

    async def change_rows(self, request: Request) -> Any:
        """Do what a user does meanwhile: `table`, `id`, and `delete` or `values` to write."""
        done = 0
        for order in _several(await _ordered(request)):
            if not isinstance(order, dict) or order.get("table") not in self._service.schema.tables:
                raise ControlError("a change of a row has table, id, and delete or values")
            try:
                with self._service.database.transaction():
                    self._change_row(order)
            except Refusal as refusal:
                raise ControlError(refusal.message) from None
            done += 1
        return {"done": done}

    def _change_row(self, order: dict[str, Any]) -> None:
        service = self._service
        table = service.schema.tables[order["table"]]
        key = RowKey(table, str(order.get("id", service.new_id())).lower())
        user = User(USER, BUSINESS_UNIT)
        commit = Commit("user", written(service.now()), user)
        none = Condition(None, None)
        if order.get("delete"):
            service.writer.delete(table, key, none, commit)
            return
        request = ApiRequest("PATCH", "", "", {}, b"")
        node = Call(service, request, user, commit).node(
            table, dict(order.get("values", {})), deep=False
        )
        service.writer.upsert(node, key, none, commit)


async def _ordered(request: Request) -> Any:
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise ControlError(f"the order is not JSON: {error}") from None


def _several(order: Any) -> list[Any]:
    return order if isinstance(order, list) else [order]


def _answering(work: Callable[[Request], Awaitable[Any]]) -> Endpoint:
    """An endpoint that says in JSON what the work returned, or why it was refused."""

    async def endpoint(request: Request) -> Response:
        try:
            status, content = 200, await work(request)
        except MISTAKES as error:
            status, content = 400, {"error": str(error)}
        except (ValueError, TypeError, KeyError) as error:
            status, content = 400, {"error": f"the order has a value of a wrong kind: {error}"}
        return Response(orjson.dumps(content), status, media_type="application/json")

    return endpoint
