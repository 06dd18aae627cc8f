"""A ledger in use by one run, in few words."""

from __future__ import annotations

from fieldpost.ledger import About, Claim, Ended, Key, Ledger, Letter, Settled, Takes, open_ledger

ABOUT = About("deliver", "d", "hash", "0", "host", "user", "")


class Book:
    """A ledger in use by one run, in few words."""

    def __init__(self, location: str, **options: object) -> None:
        self.ledger: Ledger = open_ledger(location)
        for name, value in options.items():
            setattr(self.ledger, name, value)
        self.ledger.begin_run(ABOUT)
        self.target = self.ledger.target("d", "s", "https://x")

    def key(self, event_id: str, number: int = 1) -> Key:
        return Key(self.target, event_id, hash(event_id), "a.ndjson", number, number * 10, "v1")

    def claim(self, *ids: str, dead=(), takes: Takes | None = None) -> list[Claim | None]:
        keys = [self.key(one, i + 1) for i, one in enumerate(ids)]
        return self.ledger.advance((), (), keys, dead, takes or Takes())

    def settle(self, claims, outcome: str = "delivered", letters=(), **told: object) -> None:
        row = Settled(outcome, "", 1, 201, "", "", "", "", "", 1.5, 0, 0)._replace(**told)
        rows = [row._replace(claim=one.claim) for one in claims]
        self.ledger.advance(rows, letters, (), (), Takes())

    def rows(self, where: str = "", **options: object) -> dict[str, dict]:
        return {row["event_id"]: row for row in self.ledger.outcomes("d", where, **options)}

    def counts(self) -> dict[str, int]:
        counts = self.ledger.counts("d", "s", "https://x")
        return {name: events for name, events in counts.items() if events}


def letter(book, event_id, **more):
    return Letter(book.target, event_id, b'{"e":1}', b'{"b":\xff}', **more)


def ended(book, event_id, code="E403"):
    return Ended(book.key(event_id), "invalid", code, "no body", "author")
