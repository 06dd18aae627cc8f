"""A server that keeps count of what took effect, and breaks connections on purpose.

It speaks HTTP/1.1 over plain sockets, because it has to stop in the middle of things. The effect of
a POST is counted by the `id` in its body, at one moment: what is cut before that did not happen,
what is cut after it did. An `Idempotency-Key` that was seen before changes nothing. `GET /_counts`
tells everything, `POST /_faults` sets how often what goes wrong; the first line on standard output
is the port.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

# What goes wrong: the connection is cut ("truncate" cuts the answer), the answer is "late" or never
# comes ("silent"), it is "status_500" or its like ("acted_502": although it acted), begins a
# "storm_503" of many, or is a 429 that asks for a second in digits ("busy_s") or as a date.
CUTS = ("cut_before", "cut_in_body", "cut_after", "truncate")
UNHEARD = (*CUTS, "silent")
_SILENCE_S = 60
_STORM = 25  # requests


class Cut(Exception):
    """End the connection here and now."""


@dataclass
class Recorder:
    """What was asked, what took effect, what was broken."""

    chances: dict[str, float] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    effects: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    faults: Counter[str] = field(default_factory=Counter)
    storm: int = 0  # requests that it still hits
    requests: int = 0
    in_flight: int = 0
    most_in_flight: int = 0

    def counts(self) -> dict[str, Any]:
        return {
            "effects": self.effects,
            "faults": self.faults,
            "requests": self.requests,
            "most_in_flight": self.most_in_flight,
        }

    def next_fault(self) -> str:
        if self.storm > 0:
            self.storm -= 1
            return "status_503"
        dice = self.chance.random()
        for name, share in self.chances.items():
            dice -= share
            if dice < 0:
                self.faults[name] += 1
                return name
        return ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (Cut, ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return False
        lines = head.split("\r\n")
        length = int(_header(lines, "content-length") or 0)
        if lines[0].split(" ")[1].startswith("/_"):
            await self._control(lines[0], await reader.readexactly(length), writer)
            return True
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._post(length, _header(lines, "idempotency-key"), reader, writer)
        finally:
            self.in_flight -= 1
        return True

    async def _post(
        self, length: int, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.requests += 1
        fault = self.next_fault()
        if fault == "cut_before":
            raise Cut
        if fault == "cut_in_body":
            await reader.readexactly(length // 2)
            raise Cut
        body = await reader.readexactly(length)
        if fault.startswith(("status", "busy", "storm")):
            await self._refuse(fault, writer)
            return
        self._act(json.loads(body)["id"], key)
        if fault == "cut_after":
            raise Cut
        if fault == "late":
            await _wait_for_leaving(reader, self.chance.uniform(0.05, 0.4))
        if fault == "silent":
            await _wait_for_leaving(reader, _SILENCE_S)
        if fault.startswith("acted"):
            await _answer(writer, int(fault[-3:]))
            return
        if fault == "truncate":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nhalf of an answer")
            await writer.drain()
            raise Cut
        await _answer(writer, 200)

    def _act(self, event_id: str, key: str) -> None:
        if key and key in self.keys:
            return
        self.keys.add(key)
        self.effects[event_id] += 1

    async def _refuse(self, fault: str, writer: asyncio.StreamWriter) -> None:
        if fault == "busy_s":
            await _answer(writer, 429, "Retry-After: 1\r\n")
        elif fault == "busy_date":
            at = formatdate(time.time() + 1, usegmt=True)
            await _answer(writer, 429, f"Retry-After: {at}\r\n")
        else:
            if fault.startswith("storm"):
                self.storm = _STORM
            await _answer(writer, int(fault[-3:]))

    async def _control(self, line: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        if line.startswith("POST"):
            order = json.loads(body)
            self.chance = random.Random(order["seed"])
            self.chances = order["chances"]
            if order["anew"]:
                self.effects.clear()
                self.keys.clear()
        await _answer(writer, 200, body=json.dumps(self.counts()).encode())


def _header(lines: list[str], name: str) -> str:
    found = (line.partition(":")[2] for line in lines if line.lower().startswith(name + ":"))
    return next(found, "").strip()


async def _wait_for_leaving(reader: asyncio.StreamReader, seconds: float) -> None:
    """Take so long, but not for a client that died: its call is in flight no more."""
    with contextlib.suppress(TimeoutError):
        if not await asyncio.wait_for(reader.read(1), seconds):
            raise Cut


async def _answer(
    writer: asyncio.StreamWriter, status: int, headers: str = "", body: bytes = b"{}"
) -> None:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\n{headers}"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


async def _main() -> None:
    server = await asyncio.start_server(Recorder().serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(_main())
    except KeyboardInterrupt:
        sys.exit(0)
