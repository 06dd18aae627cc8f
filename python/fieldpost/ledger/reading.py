"""What is read of a ledger: how many, which, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .._core import count_distinct
from . import question
from .former_target import IsOlder, never
from .rows import Kept, Key, known_as
from .store import Store

NOT_DELIVERED = "(o.outcome IS NULL OR o.outcome <> 'delivered')"  # as the index of SQLite says it
_FAILED = "o.outcome NOT IN ('dropped', 'ignored')"
_COLUMNS = (
    'o.event_id, o.source, o.line, o."offset", t.subscription,'
    " coalesce(o.outcome, 'waiting') AS outcome, o.effect, o.attempts, o.http_status, o.code,"
    " o.message, o.action_needed, o.record_id, o.request_id, o.latency_ms, r.run, o.mapping"
)
_PAGE = 500  # rows with letters held at once


class Reading(Store):
    """Questions about rows. Claims that are kept elsewhere count as rows that wait."""

    def counts(
        self, destination: str, subscription: str, url: str, is_older: IsOlder = never
    ) -> dict[str, int]:
        """How many events of a target stand at each outcome; undecided ones are `waiting`.

        is_older: whether an address is this one's former, see `target`.
        """
        target = self._known_target(destination, subscription, url, is_older)
        if target is None:
            return {}
        packs = self._rows("SELECT hashes FROM filtered WHERE target = ?", (target,))
        counts, hashes = self._tally(target, bool(packs))
        filtered = count_distinct([bytes(row[0]) for row in packs], hashes) if packs else 0
        return counts | {"filtered": filtered}

    def _known_target(
        self, destination: str, subscription: str, url: str, is_older: IsOlder = never
    ) -> int | None:
        """The number of a target, also under a name that its address had before."""
        target = self._find_target((destination, subscription, url))
        if target is None:
            older = self._older_targets(destination, subscription, is_older)
            target = next(iter(older), None)
        return target

    def _tally(self, target: int, with_hashes: bool) -> tuple[dict[str, int], bytes]:
        """How many of a target's rows stand at each outcome, and the hashes of all of them."""
        # One statement, so that a run at work meanwhile does not make the numbers disagree.
        rows = self._rows(
            "SELECT coalesce(o.outcome, 'waiting'), count(*) FROM outcomes AS o"
            f" WHERE o.target = ? AND {NOT_DELIVERED} GROUP BY 1"
            " UNION ALL SELECT 'all', count(*) FROM outcomes AS o WHERE o.target = ?"
            " UNION ALL SELECT 'claimed', count(*) FROM open_claims AS o WHERE o.target = ?",
            (target, target, target),
        )
        counts = {outcome: int(events) for outcome, events in rows}
        in_all, claimed = counts.pop("all"), counts.pop("claimed")
        counts["delivered"] = in_all - sum(counts.values())
        counts["waiting"] = counts.get("waiting", 0) + claimed
        return counts, self._hashes_of_outcomes(target) if with_hashes else b""

    def outcomes(
        self,
        destination: str,
        where: str = "",
        event_ids: Sequence[str] | None = None,
        claims: Sequence[int] | None = None,
        failed_in: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The current outcomes of a destination; `where` is SQL over their columns.

        event_ids, claims: of these only. failed_in: what that run decided and somebody has to look
        at.
        """
        for row in self._outcomes(destination, where, event_ids, claims, failed_in):
            del row["claim_"]
            yield row

    def outcomes_with_letters(
        self, destination: str, where: str = "", event_ids: Sequence[str] | None = None
    ) -> Iterator[tuple[dict[str, Any], Kept]]:
        """The same, each with what was kept of it; the rows are read before the first is given."""
        rows = list(self._outcomes(destination, where, event_ids))
        for begin in range(0, len(rows), _PAGE):
            page = rows[begin : begin + _PAGE]
            found = {one.claim: one for one in self.kept([int(row["claim_"]) for row in page])}
            for row in page:
                letter = found.get(int(row.pop("claim_")))
                if letter is not None:
                    yield row, letter

    def _outcomes(
        self,
        destination: str,
        where: str,
        event_ids: Sequence[str] | None = None,
        claims: Sequence[int] | None = None,
        failed_in: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        if claims is not None and not claims:
            return
        conditions, values = "t.destination = ?", [destination]
        if failed_in is not None:
            conditions += f" AND {NOT_DELIVERED} AND {_FAILED} AND o.run = {failed_in}"
        if event_ids is not None:
            conditions += f" AND o.event_id IN ({', '.join('?' * len(event_ids)) or 'NULL'})"
            values += map(known_as, event_ids)
        if claims is not None:
            conditions += f" AND o.claim IN ({', '.join(str(int(one)) for one in claims)})"
        sql = (
            f"SELECT {_COLUMNS}, o.claim AS claim_ FROM {{rows}} AS o"
            " JOIN targets AS t ON t.target = o.target"
            f" JOIN runs AS r ON r.number = o.run WHERE {conditions}"
        )
        yield from self._asked(sql, values, where)

    def latencies_ms(self, destination: str, most: int) -> list[float]:
        """How long the newest deliveries took that needed one try, which holds no waiting."""
        rows = self._rows(
            "SELECT o.latency_ms FROM outcomes AS o JOIN targets AS t ON t.target = o.target"
            " WHERE t.destination = ? AND o.outcome = 'delivered' AND o.attempts = 1"
            " AND o.latency_ms > 0 ORDER BY o.claim DESC LIMIT ?",
            (destination, most),
        )
        return [float(latency_ms) for (latency_ms,) in rows]

    def failures(
        self,
        destination: str,
        limit: int = 1000,
        run: int | None = None,
        standing: Sequence[int] = (),
        targets: Sequence[tuple[str, str, IsOlder]] | None = None,
    ) -> list[dict[str, Any]]:
        """Outcomes that somebody has to look at, by reason; each with its newest row.

        run: of this run only, and of the claims that `standing` names. targets: (subscription,
        address, whether one is its former) of these only.
        """
        of_run = ""
        if targets is not None:
            found = [self._known_target(destination, *one) for one in targets]
            numbers = ", ".join(str(one) for one in found if one is not None) or "0"
            of_run = f" AND o.target IN ({numbers})"
        if run is not None:
            named = ", ".join(str(int(one)) for one in standing) or "0"
            of_run = f" AND (o.run = {int(run)} OR o.claim IN ({named}))"
        rows = self._rows(
            "SELECT t.subscription, coalesce(o.outcome, 'waiting'), o.http_status, o.code,"
            " o.action_needed, count(*), max(o.claim), min(o.claim)"
            f" FROM (SELECT * FROM outcomes AS o WHERE {NOT_DELIVERED}"
            "  UNION ALL SELECT * FROM open_claims) AS o"
            " JOIN targets AS t ON t.target = o.target"
            f" WHERE t.destination = ? AND (o.outcome IS NULL OR {_FAILED}){of_run}"
            " GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC, 7 LIMIT ?",
            (destination, limit),
        )
        names = ("subscription", "outcome", "http_status", "code", "action_needed", "count")
        told = self._rows_of([int(claim) for row in rows for claim in row[6:8]])
        groups = []
        for row in rows:
            newest, oldest = (told.get(int(claim), {}) for claim in row[6:8])
            samples = [one["sample"] for one in (newest, oldest) if one]
            more = {"samples": samples[: 1 if row[6] == row[7] else 2]}
            groups.append(dict(zip(names, row, strict=False)) | newest | more)
        return groups

    def last_run(self, destination: str) -> dict[str, Any] | None:
        """The newest run: run, verb, started, ended (Unix seconds, None where it did not end),
        is_live, and counts, its report as JSON text."""
        rows = self._rows(
            "SELECT number, run, verb, started, ended, counts FROM runs WHERE destination = ?"
            " ORDER BY number DESC LIMIT 1",
            (destination,),
        )
        names = ("number", "run", "verb", "started", "ended", "counts")
        if not rows:
            return None
        told = dict(zip(names, rows[0], strict=True))
        number = int(told.pop("number"))
        return told | {"is_live": told["ended"] is None and self.is_live(number)}

    def _rows_of(self, claims: list[int]) -> dict[int, dict[str, Any]]:
        if not claims:
            return {}
        rows = self._rows(
            "SELECT o.claim, o.message, o.event_id, o.source, o.line"
            f" FROM {_rows_or_claims(claims)} AS o"
        )
        return {
            int(claim): {
                "message": message,
                "sample": {"event_id": event_id, "source": source, "line": line},
            }
            for claim, message, event_id, source, line in rows
        }

    def choose(self, destination: str, where: str) -> list[int]:
        """The claims whose rows fit a condition, in the order in which they were made.

        An empty condition is refused (E703): who means all writes 1=1.
        """
        question.checked(where)
        sql = (
            f"SELECT {_COLUMNS}, o.claim AS claim_ FROM {{rows}} AS o"
            " JOIN targets AS t ON t.target = o.target"
            " JOIN runs AS r ON r.number = o.run WHERE t.destination = ?"
        )
        return [int(row["claim_"]) for row in self._asked(sql, [destination], where)]

    def kept(self, claims: Sequence[int]) -> Iterator[Kept]:
        """The rows of some claims, with their letters."""
        for begin in range(0, len(claims), _PAGE):
            page = _rows_or_claims(claims[begin : begin + _PAGE])
            rows = self._rows(
                "SELECT o.claim, o.outcome, o.run, o.target, o.event_id, o.hash, o.source, o.line,"
                ' o."offset", o.mapping, l.event, l.body, l.url, l.headers, l.redacted, l.identity'
                f" FROM {page} AS o LEFT JOIN letters AS l ON l.claim = o.claim ORDER BY o.claim"
            )
            yield from (_kept(row) for row in rows)


def _kept(row: Sequence[Any]) -> Kept:
    texts = [bytes(one) if one is not None else None for one in (row[10], row[11], row[15])]
    key = Key(*row[3:10])
    return Kept(
        row[0], row[1], row[2], key, texts[0], texts[1], row[12], row[13], row[14], texts[2]
    )


def _rows_or_claims(claims: Iterable[int]) -> str:
    """SQL for some rows, whether they are of `outcomes` or of claims that are kept elsewhere."""
    these = f"WHERE claim IN ({', '.join(str(int(one)) for one in claims)})"
    return f"(SELECT * FROM outcomes {these} UNION ALL SELECT * FROM open_claims {these})"
