"""How answers travel: in one piece or byte by byte, of known length or in chunks, compressed."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import Send

from .answer import Answer

FIELDS = {"chunked", "gzip", "byte_delay_s", "piece_bytes"}


class DeliveryError(Exception):
    """A way of delivery that there is not."""


@dataclass(slots=True)
class Delivery:
    """The way in force: plain, until the control channel says otherwise."""

    chunked: bool = False
    gzip: bool = False
    byte_delay_s: float = 0.0
    piece_bytes: int = 1

    def change(self, order: Any) -> None:
        """Set what the order names."""
        if not isinstance(order, dict) or order.keys() - FIELDS:
            raise DeliveryError(f"answers take {sorted(FIELDS)}")
        self.chunked = bool(order.get("chunked", self.chunked))
        self.gzip = bool(order.get("gzip", self.gzip))
        self.byte_delay_s = float(order.get("byte_delay_s", self.byte_delay_s))
        self.piece_bytes = max(int(order.get("piece_bytes", self.piece_bytes)), 1)

    def reset(self) -> None:
        """Plain again."""
        self.chunked, self.gzip, self.byte_delay_s, self.piece_bytes = False, False, 0.0, 1

    def described(self) -> dict[str, Any]:
        """The way in force."""
        return {name: getattr(self, name) for name in sorted(FIELDS)}

    async def send(self, answer: Answer, asked: Mapping[str, str], send: Send) -> None:
        """Write the answer in the way in force."""
        if self.gzip and answer.body and "gzip" in asked.get("accept-encoding", ""):
            answer.body = gzip.compress(answer.body, 1)
            answer.headers = [*answer.headers, (b"content-encoding", b"gzip")]
        if not (self.chunked or self.byte_delay_s) or not answer.body:
            await answer.send(send)
            return
        headers = answer.headers
        if not self.chunked:
            headers = [*headers, (b"content-length", str(len(answer.body)).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        for start in range(0, len(answer.body), self.piece_bytes):
            piece = answer.body[start : start + self.piece_bytes]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if self.byte_delay_s:
                await asyncio.sleep(self.byte_delay_s)
        await send({"type": "http.response.body", "body": b""})
