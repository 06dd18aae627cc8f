"""What is known of a target under a former name of its address goes on under today's.

The former address may stay in the ledger, as a target of no destination (`kept`, else ""), where
ids of rows are made of it. Steps of one transaction; each may be done twice without harm.
"""

from __future__ import annotations

from collections.abc import Callable

from .transaction import Transaction

IsOlder = Callable[[str], bool]

_BOTH = (
    "SELECT {one}.claim FROM outcomes AS f JOIN outcomes AS t"
    " ON t.target = ? AND t.event_id = f.event_id WHERE f.target = ?"
)
_ONLY_FORMER = " AND f.outcome = 'delivered' AND coalesce(t.outcome, '') <> 'delivered'"


def never(_url: str) -> bool:
    """Of an address that was never called otherwise."""
    return False


def rename(transaction: Transaction, target: int, url: str, kept: str) -> None:
    """Give a target today's address."""
    transaction.run("UPDATE targets SET url = ? WHERE target = ?", (url, target))
    _keep(transaction, kept)


def join(transaction: Transaction, target: int, former: int, kept: str) -> None:
    """Move all of a former target to today's, which has rows of its own; of an event that both
    know, what was delivered stands, else today's row. REQUIRES: every claim is a row."""
    values = (target, former)
    for losers in (_BOTH.format(one="t") + _ONLY_FORMER, _BOTH.format(one="f")):
        transaction.run(f"DELETE FROM letters WHERE claim IN ({losers})", values)
        transaction.run(f"DELETE FROM outcomes WHERE claim IN ({losers})", values)
    for table in ("outcomes", "filtered"):
        transaction.run(f"UPDATE {table} SET target = ? WHERE target = ?", values)
    transaction.run("DELETE FROM targets WHERE target = ?", (former,))
    _keep(transaction, kept)


def _keep(transaction: Transaction, url: str) -> None:
    if not url:
        return
    transaction.run(
        "INSERT INTO targets (destination, subscription, url) VALUES ('', '', ?)"
        " ON CONFLICT DO NOTHING",
        (url,),
    )
