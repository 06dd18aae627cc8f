"""The emulator as one ASGI application: its parts, put together. Owns the database it is given."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from .applications import Applications
from .control import Control
from .delivery import Delivery
from .drift import Drift
from .fault import Faults
from .gate import Gate
from .model import Schema
from .plugin import PlugIns
from .query import Reader
from .race import Races
from .records import Seeder, Writer
from .same_machine import SameMachine
from .service import Service
from .sign_in import SignIn, Tenant
from .store import Database, Ledger, Rows
from .switches import Switches
from .throttle import Throttle
from .tokens import Tokens
from .traffic import Traffic
from .web_api import PATH, VERSIONS, WebApi


def random_id() -> str:
    """An id as the service would make one."""
    return str(uuid.uuid4())


def application(
    tenant: Tenant,
    applications: Applications,
    schema: Schema,
    database: Database,
    clock: Callable[[], float],
    new_id: Callable[[], str] = random_id,
) -> ASGIApp:
    """The whole emulator, empty or with what the database holds."""
    switches, plug_ins, faults, races = Switches(), PlugIns(), Faults(), Races()
    rows, ledger = Rows(database, schema), Ledger(database)
    tokens, traffic = Tokens(tenant.id, tenant.url, clock), Traffic()
    base = tenant.url + PATH
    writer = Writer(schema, rows, ledger, plug_ins, switches, new_id)
    reader = Reader(rows, schema, base)
    service = Service(
        schema, database, rows, ledger, reader, writer, plug_ins, switches, base, clock, new_id
    )
    throttle, delivery = Throttle(clock), Delivery()
    drift, seeder = Drift(schema, database), Seeder(schema, rows)
    with database.transaction():
        seeder.seed(applications.first_id)
    web_api = WebApi(service, applications, tokens, throttle, faults, races, delivery)
    sign_in = SignIn(tenant, applications, tokens, clock)
    control = Control(
        service, seeder, drift, applications, tokens, faults, races, throttle, delivery, traffic
    )
    others = Starlette(routes=[*sign_in.routes(), *control.routes()])
    return SameMachine(Gate(Doors(web_api, others), faults, traffic))


class Doors:
    """The API has a door of its own: a router in front of it would cost each request its time."""

    def __init__(self, web_api: ASGIApp, others: ASGIApp) -> None:
        self._web_api = web_api
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in where it belongs."""
        api = scope["type"] == "http" and VERSIONS.match(scope["path"])
        await (self._web_api if api else self._others)(scope, receive, send)
