"""Events for the demo: the six types of Segment's spec, some broken, always the same ones."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_COMPANIES = (
    "Nordlicht",
    "Blue Heron",
    "Café Ñandú",
    "Okapi",
    "Zeta",
    "Harbour",
    "Straße 9",
    "Kestrel",
)
_FORMS = ("GmbH", "Ltd", "Inc", "AB", "S.A.", "BV", "K.K.")
_FIRST = ("Ada", "Jörg", "Mei", "Tariq", "Zoë", "Ingrid", "Paulo", "Ngozi")
_LAST = ("Lovelace", "Müller", "Chen", "Haddad", "O'Brien", "Lindqvist", "Sousa", "Okafor")
_PAGES = ("Home", "Pricing", "Docs", "Blog")
_OTHER_EVENTS = ("Button Clicked", "Order Completed", "Invite Sent", "Plan Changed")

_BROKEN_EVERY = 211  # one line of so many is cut off
_ACCOUNT_EVERY = 25  # one event of so many is a sign-up


def write_events(path: Path, count: int) -> None:
    """Write `count` lines of NDJSON; the same ones each time."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines(count))


def lines(count: int, seed: int = 7) -> Iterator[str]:
    """The lines, broken ones among them."""
    chance = random.Random(seed)
    for number in range(count):
        line = json.dumps(_event(number, chance), ensure_ascii=False)
        if number % _BROKEN_EVERY == _BROKEN_EVERY - 1:
            line = line[: len(line) * 2 // 3]
        yield line


def _event(number: int, chance: random.Random) -> dict[str, Any]:
    user = f"user-{chance.randrange(3000)}"
    event: dict[str, Any] = {"messageId": f"demo-{number:06}", "userId": user}
    event["timestamp"] = f"2026-03-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:00.000Z"
    event["context"] = {
        "ip": f"203.0.113.{chance.randrange(256)}",
        "locale": chance.choice(("de-DE", "en-GB", "pt-BR", "ja-JP")),
        "library": {"name": "analytics.js", "version": "2.1.0"},
    }
    if number % _ACCOUNT_EVERY == 0:
        return event | _sign_up(number, chance)
    return event | _other(chance)


def _sign_up(number: int, chance: random.Random) -> dict[str, Any]:
    company = f"{chance.choice(_COMPANIES)} {number} {chance.choice(_FORMS)}"
    properties = {
        "company": company,
        "first_name": chance.choice(_FIRST),
        "last_name": chance.choice(_LAST),
        "plan": chance.choice(("free", "team", "enterprise")),
    }
    return {"type": "track", "event": "Account Created", "properties": properties}


def _other(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(("track", "identify", "page", "screen", "group", "alias"))
    if kind == "track":
        properties = {"value": round(chance.uniform(1, 500), 2), "currency": "EUR"}
        return {"type": kind, "event": chance.choice(_OTHER_EVENTS), "properties": properties}
    if kind in ("page", "screen"):
        name = chance.choice(_PAGES)
        return {"type": kind, "name": name, "properties": {"url": f"https://example.com/{name}"}}
    if kind == "alias":
        return {"type": kind, "previousId": f"anonymous-{chance.randrange(9999)}"}
    traits = {"name": f"{chance.choice(_FIRST)} {chance.choice(_LAST)}", "plan": "team"}
    if kind == "group":
        return {"type": kind, "groupId": f"group-{chance.randrange(400)}", "traits": traits}
    return {"type": kind, "traits": traits | {"email": f"a{chance.randrange(9999)}@example.com"}}
