"""The emulator as one ASGI application: its parts, put together. Owns the database it is given."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from .control import Control
from .fault import Faults
from .gate import Gate
from .model import SCHEMA
from .query import Reader
from .records import Writer
from .sign_in import Application, SignIn, Tokens
from .store import Database, Ledger, Rows
from .traffic import Traffic
from .web_api import PATH, WebApi


def random_id() -> str:
    """An id as the service would make one."""
    return str(uuid.uuid4())


def application(
    known: Application,
    database: Database,
    clock: Callable[[], float],
    new_id: Callable[[], str] = random_id,
) -> ASGIApp:
    """The whole emulator, empty or with what the database holds."""
    rows, ledger = Rows(database, SCHEMA), Ledger(database)
    tokens, faults, traffic = Tokens(known, clock), Faults(), Traffic()
    writer = Writer(SCHEMA, rows, ledger, new_id)
    with database.transaction():
        writer.seed()
    reader = Reader(rows, known.url + PATH)
    web_api = WebApi(SCHEMA, database, reader, writer, tokens, known.url, clock)
    control = Control(database, rows, ledger, writer, tokens, faults, traffic)
    sign_in = SignIn(known, tokens, clock)
    routes = [
        Mount(PATH, app=web_api),
        Route("/{tenant}/oauth2/v2.0/token", sign_in.token, methods=["POST"]),
        *control.routes(),
    ]
    return Gate(Starlette(routes=routes), faults, traffic)
