"""The public face: an emulator that runs in a thread of this process while a block runs.

Owns its socket, its thread, its database and, with TLS, its certificate; `stop` gives them back.
`start` and `stop` belong to one thread; any number of clients may talk to it meanwhile.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict

import uvicorn

from .app import application, random_id
from .applications import Applications
from .certificate import Certificate
from .connection import protocol
from .model import environment
from .sign_in import Tenant
from .store import Database

TENANT = "861e4762-0000-4000-8000-00000000e001"
CLIENT_ID = "861e4762-0000-4000-8000-00000000e002"
# Needs form encoding in a body, so a client that forgets to encode is found out here.
CLIENT_SECRET = "local+only/~secret=1"

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 10.0


class Details(TypedDict):
    """All that a client needs to reach an emulator, in the order in which it is printed."""

    url: str
    token_url: str
    tenant: str
    client_id: str
    client_secret: str
    scope: str
    ca_file: str | None
    control_url: str


class Server(uvicorn.Server):
    """uvicorn, with an event instead of a flag for "the socket is being served"."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn."""
        await super().startup(sockets=sockets)
        self.serving.set()


class Emulator:
    """A local Dynamics 365 on the loopback interface.

    ``port`` 0 takes a free one. ``database`` is a file that keeps the rows between runs; without it
    they live in memory. ``clock`` (seconds since 1970) and ``new_id`` are there for tests that need
    time or ids to stand still.
    """

    def __init__(
        self,
        port: int = 0,
        tls: bool = False,
        database: str | Path | None = None,
        *,
        tenant: str = TENANT,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        with ExitStack() as held:
            schema = environment()
            self._database = Database(schema, database)
            held.callback(self._database.close)
            self._socket = held.enter_context(listening(port))
            self._certificate = Certificate() if tls else None
            if self._certificate:
                held.callback(self._certificate.close)
            self._held = held.pop_all()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"
        self.tenant = tenant
        self.client_id = client_id
        self.client_secret = client_secret
        self.scope = f"{self.url}/.default"
        self.token_url = f"{self.url}/{tenant}/oauth2/v2.0/token"
        self.control_url = f"{self.url}/_emulator"
        self.ca_file = str(self._certificate.ca_file) if self._certificate else None
        app = application(
            Tenant(tenant, self.url),
            Applications(client_id, client_secret),
            schema,
            self._database,
            clock,
            new_id,
        )
        self._server = Server(self._config(app))
        self._thread = threading.Thread(target=self._run, name="fieldpost-emulator", daemon=True)

    def _config(self, app: object) -> uvicorn.Config:
        certificate = self._certificate
        return uvicorn.Config(
            app,  # type: ignore[arg-type]  # uvicorn's ASGI types are stricter than Starlette's
            http=protocol(),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            # Longer than any test waits: a server that hangs up on its own would look like a fault.
            timeout_keep_alive=600,
            timeout_graceful_shutdown=1,
            ssl_certfile=certificate.certificate_file if certificate else None,
            ssl_keyfile=certificate.key_file if certificate else None,
        )

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def start(self) -> Self:
        """Returns when requests are answered."""
        self._thread.start()
        if not self._server.serving.wait(START_TIMEOUT_S):
            self.stop()
            raise RuntimeError(f"the emulator did not start within {START_TIMEOUT_S:g} s")
        return self

    def stop(self) -> None:
        """Returns when the thread is gone; requests in progress get one second."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)
        if self._thread.is_alive():
            # The database stays open: closing it under a running thread could crash the process.
            raise RuntimeError(f"the emulator did not stop within {STOP_TIMEOUT_S:g} s")
        self._held.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def details(self) -> Details:
        """What a client needs, in the order in which it is printed."""
        return Details(
            url=self.url,
            token_url=self.token_url,
            tenant=self.tenant,
            client_id=self.client_id,
            client_secret=self.client_secret,
            scope=self.scope,
            ca_file=self.ca_file,
            control_url=self.control_url,
        )


def listening(port: int) -> socket.socket:
    """A listening socket, so that the address is known and taken before the server runs."""
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it on, every answer
    # with a body waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener
