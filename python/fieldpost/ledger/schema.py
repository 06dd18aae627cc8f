"""The tables of a ledger. docs/ledger.md explains each column.

A row of `outcomes` is one (target, event): while `outcome` is null, run `run` has claimed it and
may have sent it. `filtered` holds one 64-bit hash of the event id for each event that a filter
refused, packed, so that an event counts once however often it was read.
"""

VERSION = 1

TABLES = """
CREATE TABLE runs (
  number INTEGER PRIMARY KEY,
  run TEXT NOT NULL UNIQUE,
  destination TEXT NOT NULL,
  document_hash TEXT NOT NULL,
  version TEXT NOT NULL,
  host TEXT NOT NULL,
  user TEXT NOT NULL,
  started REAL NOT NULL,
  ended REAL,
  counts TEXT
);
CREATE TABLE targets (
  target INTEGER PRIMARY KEY,
  destination TEXT NOT NULL,
  subscription TEXT NOT NULL,
  url TEXT NOT NULL,
  UNIQUE (destination, subscription, url)
);
CREATE TABLE outcomes (
  claim INTEGER PRIMARY KEY,
  target INTEGER NOT NULL REFERENCES targets,
  event_id TEXT NOT NULL,
  hash INTEGER NOT NULL,
  source TEXT NOT NULL,
  line INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  outcome TEXT,
  effect TEXT NOT NULL DEFAULT '',
  attempts INTEGER NOT NULL DEFAULT 0,
  http_status INTEGER NOT NULL DEFAULT 0,
  code TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',
  action_needed TEXT NOT NULL DEFAULT '',
  record_id TEXT NOT NULL DEFAULT '',
  request_id TEXT NOT NULL DEFAULT '',
  latency_ms REAL NOT NULL DEFAULT 0,
  first_try REAL,
  run INTEGER NOT NULL REFERENCES runs,
  UNIQUE (target, event_id)
);
CREATE TABLE filtered (
  target INTEGER NOT NULL REFERENCES targets,
  run INTEGER NOT NULL REFERENCES runs,
  hashes BLOB NOT NULL
);
"""
