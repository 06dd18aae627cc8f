"""Behaviours of the service that no document settles: true is the position believed right.

A client's tests should pass with each of them in either position.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


class SwitchError(Exception):
    """A switch that there is not, or a position that is none."""


@dataclass(slots=True)
class Switches:
    """What each says when true; `docs/emulator.md` says what false does."""

    V1: bool = True  # ids in nested rows of a deep insert are honoured
    V2: bool = True  # a bind to a missing row is 404 0x80040217
    V3: bool = True  # a duplicate id in CreateMultiple is 412 0x80040237
    V4: bool = True  # a batch that stops lists the successes before the failure
    V5: bool = True  # a part of a change set needs no Content-ID
    V6: bool = True  # read-only columns in a body are ignored
    V7: bool = True  # a body may have 32 MiB, and a longer one is 413
    V8: bool = True  # a token for one name of the environment opens the other
    V9: bool = True  # rows can be nested in many-to-many collections
    V10: bool = True  # any number of rows may be nested in one request
    V11: bool = True  # a bind finds rows created earlier in the same change set
    V12: bool = True  # If-None-Match: * counts inside a change set
    V13: bool = True  # an unknown column is 0x80048d19, an unknown set 0x80060888
    V14: bool = True  # a batch is one request for the request limit
    V15: bool = True  # the id of a deleted row can be used again
    V16: bool = True  # strict values, but digits in a text are a whole number
    V17: bool = True  # 400 for an untyped target and a GET in a change set, 415 for text/plain
    V18: bool = True  # a read of an elastic row shows it without the token of its session

    def turn(self, order: Any) -> None:
        """Set the switches that the order names."""
        names = {field.name for field in fields(self)}
        if not isinstance(order, dict) or order.keys() - names:
            raise SwitchError("switches are V1 to V18")
        if not all(isinstance(position, bool) for position in order.values()):
            raise SwitchError("a switch is true or false")
        for name, position in order.items():
            setattr(self, name, position)

    def reset(self) -> None:
        """All to true."""
        for field in fields(self):
            setattr(self, field.name, True)

    def described(self) -> dict[str, bool]:
        """Every switch and its position."""
        return asdict(self)
