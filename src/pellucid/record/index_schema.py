"""The tables of `index.db`: digests, enums, numbers and public identifiers out of logs, never a person's data."""

from __future__ import annotations

VERSION = 2

SUBJECT, CONCERN, LEADS_TO = 0, 1, 2
UNFIT = 3

# reference.how: SUBJECT a digest of a subject; CONCERN what the statement is found under beside it; LEADS_TO what its
# predicate names; UNFIT a subject of a statement that does not fit its own type: shown on pages, never in look-ups.
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE log (
    id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, kept INTEGER NOT NULL, basis TEXT NOT NULL
);
CREATE TABLE checkpoint (log INTEGER NOT NULL, size INTEGER NOT NULL, time INTEGER, PRIMARY KEY (log, size))
    WITHOUT ROWID;
CREATE TABLE statement (
    id INTEGER PRIMARY KEY, sid TEXT NOT NULL UNIQUE, type TEXT NOT NULL, kind TEXT, problem TEXT,
    first INTEGER NOT NULL, logged INTEGER
);
CREATE INDEX statement_kind ON statement (kind, logged DESC, first DESC, sid);
CREATE TABLE place (log INTEGER NOT NULL, entry INTEGER NOT NULL, statement INTEGER NOT NULL, PRIMARY KEY (log, entry))
    WITHOUT ROWID;
CREATE INDEX place_statement ON place (statement);
CREATE TABLE reference (
    ref TEXT NOT NULL, how INTEGER NOT NULL, statement INTEGER NOT NULL, PRIMARY KEY (ref, how, statement)
) WITHOUT ROWID;
CREATE TABLE signer (key TEXT NOT NULL, statement INTEGER NOT NULL, PRIMARY KEY (key, statement)) WITHOUT ROWID;
CREATE INDEX signer_statement ON signer (statement);
CREATE TABLE unresolved (log INTEGER NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (log, entry)) WITHOUT ROWID;
CREATE TABLE key (id TEXT PRIMARY KEY, public BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE party (
    statement INTEGER PRIMARY KEY, key TEXT NOT NULL, action TEXT NOT NULL, since INTEGER, expires INTEGER
);
CREATE INDEX party_key ON party (key);
CREATE TABLE release (statement INTEGER PRIMARY KEY, product TEXT NOT NULL, version TEXT NOT NULL);
CREATE INDEX release_product ON release (product);
CREATE TABLE artifact (
    ref TEXT NOT NULL, sha256 TEXT NOT NULL, statement INTEGER NOT NULL, PRIMARY KEY (ref, sha256, statement)
) WITHOUT ROWID
"""

TABLES = (
    "log",
    "checkpoint",
    "statement",
    "place",
    "reference",
    "signer",
    "unresolved",
    "key",
    "party",
    "release",
    "artifact",
)
