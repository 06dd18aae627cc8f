"""A strict local Dynamics 365: the Dataverse Web API over HTTP, kept in SQLite.

It refuses what the service refuses, keeps a ledger of every commit, and misbehaves on demand, so
that a client's promises can be tested on one machine. ``docs/emulator.md`` says what it does and
what it does not. Tests refer to behaviours by ids such as "E18": those are ids of this emulator's
own reference, the list that its test names make up.

Needs the extra ``fieldpost[emulator]`` (Starlette, uvicorn, orjson; ``cryptography`` for TLS).
"""

from .emulator import Details, Emulator
from .foreground import serve

__all__ = ["Details", "Emulator", "serve"]
