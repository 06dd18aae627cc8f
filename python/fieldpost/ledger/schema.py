"""The tables of a ledger, as numbered steps. docs/ledger.md explains each column.

A step is never changed once released: a new need is a new step. The words in braces are what the
stores spell differently. A row of `outcomes` is one (target, event): while `outcome` is null, run
`run` has claimed it and may have sent it. A row of `filtered` is a pack: one native 64-bit hash of
the event id for each event that a filter refused, so that an event counts once however often it
was read.
Where a store has packs of claims (`claims`), `open_claims` shows each of them that has no row of
`outcomes` yet, as the undecided row that it stands for.
"""

from __future__ import annotations

from ..errors import LedgerError

STEPS: dict[int, str] = {
    1: """
CREATE TABLE runs (
  number {key},
  run TEXT NOT NULL UNIQUE,
  destination TEXT NOT NULL,
  document_hash TEXT NOT NULL,
  version TEXT NOT NULL,
  host TEXT NOT NULL,
  "user" TEXT NOT NULL,
  started {real} NOT NULL,
  ended {real},
  counts TEXT
);
CREATE TABLE targets (
  target {key},
  destination TEXT NOT NULL,
  subscription TEXT NOT NULL,
  url TEXT NOT NULL,
  UNIQUE (destination, subscription, url)
);
CREATE TABLE outcomes (
  claim {key},
  target {whole} NOT NULL,
  event_id TEXT NOT NULL,
  hash {whole} NOT NULL,
  source TEXT NOT NULL,
  line {whole} NOT NULL,
  "offset" {whole} NOT NULL,
  outcome TEXT,
  effect TEXT NOT NULL DEFAULT '',
  attempts {whole} NOT NULL DEFAULT 0,
  http_status {whole} NOT NULL DEFAULT 0,
  code TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',
  action_needed TEXT NOT NULL DEFAULT '',
  record_id TEXT NOT NULL DEFAULT '',
  request_id TEXT NOT NULL DEFAULT '',
  latency_ms {real} NOT NULL DEFAULT 0,
  first_try {real},
  run {whole} NOT NULL,
  UNIQUE (target, event_id)
);
CREATE TABLE filtered (
  target {whole} NOT NULL,
  run {whole} NOT NULL,
  hashes {bytes} NOT NULL
);
""",
    # Who ran it, what made a body, when it was decided; dead letters; packs that can be merged.
    2: """
ALTER TABLE runs ADD COLUMN verb TEXT NOT NULL DEFAULT 'deliver';
ALTER TABLE runs ADD COLUMN airflow TEXT NOT NULL DEFAULT '';
ALTER TABLE outcomes ADD COLUMN mapping TEXT NOT NULL DEFAULT '';
ALTER TABLE outcomes ADD COLUMN decided {real};
ALTER TABLE outcomes ADD COLUMN in_doubt {whole} NOT NULL DEFAULT 0;
UPDATE outcomes SET record_id = '' WHERE outcome NOT IN ('delivered', 'unconfirmed');
CREATE INDEX outcomes_not_delivered ON outcomes (target, outcome)
  WHERE outcome IS NULL OR outcome <> 'delivered';
CREATE TABLE letters (
  claim {whole} PRIMARY KEY,
  event {bytes},
  body {bytes},
  url TEXT NOT NULL DEFAULT '',
  headers TEXT NOT NULL DEFAULT '',
  redacted {whole} NOT NULL DEFAULT 0,
  identity {bytes}
);
CREATE TABLE packs (
  pack {key},
  target {whole} NOT NULL,
  hashes {bytes} NOT NULL
);
INSERT INTO packs (target, hashes) SELECT target, hashes FROM filtered;
DROP TABLE filtered;
ALTER TABLE packs RENAME TO filtered;
""",
    # What destinations count of each of their users.
    3: """
CREATE TABLE operations (
  "user" TEXT NOT NULL,
  day TEXT NOT NULL,
  number {whole} NOT NULL,
  PRIMARY KEY ("user", day)
);
""",
    # What environments take, asked once.
    4: """
CREATE TABLE bulk_messages (
  environment TEXT NOT NULL,
  entity TEXT NOT NULL,
  message TEXT NOT NULL,
  taken {whole} NOT NULL,
  noted {real} NOT NULL,
  PRIMARY KEY (environment, entity, message)
);
""",
    # What is claimed and not decided, where a store keeps it apart.
    5: """
{claims}
""",
    # Texts that are keys are told apart by their bytes, whatever a server's locale makes of them.
    6: """
{by_bytes}
""",
}
VERSION = max(STEPS)


def statements(words: dict[str, str], after: int = 0) -> list[tuple[int, list[str]]]:
    """(number, statements) of the steps behind `after`, in one store's words."""
    todo = []
    for number in range(after + 1, VERSION + 1):
        text = STEPS[number]
        for word, spelling in words.items():
            text = text.replace(f"{{{word}}}", spelling)
        todo.append((number, [one.strip() for one in text.split(";") if one.strip()]))
    return todo


# Looking at a ledger changes nothing, so an older one is read through views of this session
# that show it as it would be once migrated: (schema before which it is needed, view, columns).
_STAND_INS = (
    (2, "runs", "o.*, 'deliver' AS verb, '' AS airflow"),
    (2, "outcomes", "o.*, '' AS mapping, NULL AS decided, 0 AS in_doubt"),
)
_EMPTY = (
    (2, "letters", "claim, event, body, url, headers, redacted, identity"),
    (3, "operations", '"user", day, number'),
    (4, "bulk_messages", "environment, entity, message, taken, noted"),
)


def stand_ins(version: int, schema: str) -> list[str]:
    """Statements that make an older ledger of that schema's number readable as one of today."""
    if not 0 < version < 5:
        return []
    made = [
        f"CREATE TEMP VIEW {name} AS SELECT {columns} FROM {schema}.{name} AS o"
        for before, name, columns in _STAND_INS
        if version < before
    ]
    for before, name, columns in _EMPTY:
        nothing = ", ".join(f"NULL AS {one}" for one in columns.split(", "))
        if version < before:
            made.append(f"CREATE TEMP VIEW {name} AS SELECT {nothing} WHERE 1 = 0")
    if version < 5:
        made.append("CREATE TEMP VIEW open_claims AS SELECT * FROM outcomes WHERE 1 = 0")
    return made


def refuse_newer(ledger: str, version: int) -> None:
    """Raise LedgerError where the schema of the ledger so named is none that is known here."""
    if version > VERSION:
        raise LedgerError(
            "E702",
            f"the ledger was written by a newer fieldpost (schema {version}, known {VERSION})",
            ledger,
            "update fieldpost, or name another ledger",
        )
