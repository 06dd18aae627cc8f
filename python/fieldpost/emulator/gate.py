"""The outermost door: counts requests, and lets faults happen before or after the work."""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .fault import Fault, Faults
from .request import whole_body
from .traffic import Traffic

CONTROL = "/_emulator/"


class Gate:
    """ASGI. A body is read whole before its fault, so a client that leaves undoes nothing."""

    def __init__(self, app: ASGIApp, faults: Faults, traffic: Traffic) -> None:
        self._app = app
        self._faults = faults
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or through its fault."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        self._traffic.enter(scope["method"], scope["path"])
        fault = self._faults.take(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
            return
        body = await whole_body(receive)
        if body is not None:
            await self._suffer(fault, scope, body, receive, send)

    async def _suffer(
        self, fault: Fault, scope: Scope, body: bytes, receive: Receive, send: Send
    ) -> None:
        answer = Recorded()
        if fault.when == "after":
            await self._app(scope, replayed(body), answer)
        await asyncio.sleep(fault.delay_s)
        if fault.close == "middle":
            if fault.when == "before":
                await self._app(scope, replayed(body), answer)
            await cut(scope, receive, reset=False, first=answer.half())
        elif fault.close:
            await cut(scope, receive, reset=fault.close == "reset")
        elif fault.status is not None:
            await fault.answer(scope["path"]).send(send)
        elif fault.when == "after":
            await answer.play(send)
        else:
            await self._app(scope, replayed(body), send)


class Recorded:
    """Stands in for `send` and keeps what was said."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        """Keep one message."""
        self._messages.append(message)

    def half(self) -> bytes:
        """The first half of what would have been written."""
        start = self._messages[0]
        lines = [f"HTTP/1.1 {start['status']} {HTTPStatus(start['status']).phrase}".encode()]
        lines += [name + b": " + value for name, value in start["headers"]]
        body = b"".join(message.get("body", b"") for message in self._messages[1:])
        whole = b"\r\n".join([*lines, b"", body])
        return whole[: len(whole) // 2]

    async def play(self, send: Send) -> None:
        """Say it all again to the real one."""
        for message in self._messages:
            await send(message)


def replayed(body: bytes) -> Receive:
    """A `receive` that has the whole body at once."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def cut(scope: Scope, receive: Receive, *, reset: bool, first: bytes = b"") -> None:
    """Close the socket, after these bytes or none: the client sees its end, or a reset."""
    transport: asyncio.Transport = scope["state"]["transport"]
    if first:
        transport.write(first)
        transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    if reset:
        # Lingering for no time makes the kernel send RST instead of FIN.
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    # uvicorn would write an error page for an application that returns before it knows of the end.
    while (await receive())["type"] != "http.disconnect":
        pass
