"""Made-up events of a hotel in Segment's shape, about 1.4 kB each: python events.py 1000.

The same number gives the same events.
"""

from __future__ import annotations

import json
import random
import sys
import uuid
from collections.abc import Iterator
from typing import Any

GIVEN = [
    "Amina",
    "Björn",
    "Chloé",
    "Dmitri",
    "Eun-ji",
    "Łucja",
    "Mateo",
    "Nils",
    "Öykü",
    "Прасковья",
]
FAMILY = ["Ågren", "D'Souza", "García", "Horvath", "Nakamura", "O'Brien", "Weiß", "Young-Lee"]
AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
NAMES = ["Booking Confirmed"] * 6 + ["Room Viewed"] * 3 + ["Guest Registered"]


def events(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """The events as values."""
    chance = random.Random(seed)
    for number in range(count):
        yield _event(chance, number)


def ndjson(count: int, seed: int = 1) -> bytes:
    """The events as lines of compact JSON in UTF-8."""
    return b"".join(
        json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        for event in events(count, seed)
    )


def _event(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "anonymousId": _uuid(chance),
        "channel": "browser",
        "context": _context(chance, number),
        "event": chance.choice(NAMES),
        "integrations": {"All": True},
        "messageId": "ajs-next-" + _uuid(chance),
        "originalTimestamp": f"2026-05-{1 + number % 28:02}T09:{chance.randrange(60):02}:17.204Z",
        "properties": {
            "booking_id": f"B{number:07}",
            "total": round(chance.uniform(20, 900), 2),
            "currency": "EUR",
            "voucher": None,
            "stays": [_stay(chance) for _ in range(chance.randrange(1, 4))],
        },
        "receivedAt": "2026-05-04T09:30:02.511Z",
        "sentAt": "2026-05-04T09:30:02.017Z",
        "timestamp": "2026-05-04T09:30:01.882Z",
        "type": "track",
        "userId": f"guest-{chance.randrange(400_000):06}",
        "version": 2,
    }


def _context(chance: random.Random, number: int) -> dict[str, Any]:
    page = f"https://rooms.example/stay/?room={chance.randrange(900)}"
    return {
        "active": True,
        "app": {"name": "Rooms", "version": f"3.1.{chance.randrange(40)}", "build": "2204"},
        "campaign": {
            "name": "Early summer",
            "source": "Newsletter",
            "medium": "email",
            "term": "sea view",
            "content": "top banner",
        },
        "ip": ".".join(str(chance.randrange(256)) for _ in range(4)),
        "library": {"name": "analytics.js", "version": "next-1.81.0"},
        "locale": "de-AT",
        "page": {
            "path": "/stay/",
            "referrer": "https://rooms.example/",
            "search": page.partition("/stay/")[2],
            "title": 'Your "sea view" – Rooms',
            "url": page,
        },
        "traits": _traits(chance, number),
        "timezone": "Europe/Vienna",
        "userAgent": AGENT,
    }


def _traits(chance: random.Random, number: int) -> dict[str, Any]:
    family = chance.choice(FAMILY)
    return {
        "email": f"Guest.{family[0].encode().hex()}{number}@Example.ORG",
        "given_name": chance.choice(GIVEN),
        "family_name": family,
        "phone": f"+43660{chance.randrange(10**7):07}",
        "address": {
            "street": f"{chance.randrange(1, 180)} Hafenstraße",
            "city": "Linz",
            "postal_code": f"40{chance.randrange(10, 40)}",
            "country": "AT",
        },
    }


def _stay(chance: random.Random) -> dict[str, Any]:
    return {
        "room": f"R{chance.randrange(900):03}",
        "kind": f"Double, floor {chance.randrange(9)}",
        "rate": round(chance.uniform(45, 240), 2),
        "nights": chance.randrange(1, 8),
    }


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128)))


if __name__ == "__main__":
    sys.stdout.buffer.write(ndjson(int(sys.argv[1])))
