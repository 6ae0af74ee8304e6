"""The index: a projection of the own log and the mirrored ones into SQLite, made by one writer, read by anybody.

It holds nothing that the logs do not hold: deleted and made again, it gives the same answers.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from pellucid.errors import EvidenceError
from pellucid.record.index_schema import SCHEMA, TABLES, VERSION
from pellucid.record.logs import KnownLog, Situation
from pellucid.record.projection import Projected, project
from pellucid.record.signers import find_signers
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import PublicKey, Role
from pellucid.statement.predicate import Registry
from pellucid.storage.failures import StorageError
from pellucid.storage.sqlite import Database
from pellucid.tlog.checkpoint import open_checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.listing import kept_path
from pellucid.tlog.note import MAX_NOTE

_ENTRIES = 1024
_CHECKPOINTS = 1000

_DATE = """
UPDATE statement SET logged = (
    SELECT MIN(c.time) FROM place p JOIN checkpoint c ON c.log = p.log AND c.size = (
        SELECT MIN(size) FROM checkpoint WHERE log = p.log AND size > p.entry
    ) WHERE p.statement = statement.id
) WHERE id IN (SELECT statement FROM place WHERE log = ? AND entry >= ? AND entry < ?)
"""


class Index:
    """The writer of `index.db`: one process, any thread. Readers use `IndexReader` on the same file."""

    def __init__(self, path: Path, registry: Registry) -> None:
        self.path = path
        self._registry = registry
        self._mutex = threading.Lock()
        self._database = _open(path)
        self._keys: dict[str, PublicKey] | None = None

    def update(self, situation: Situation) -> Mapping[str, str]:
        """Take in what the logs have published since the last time; return what is wrong, by log id.

        Entries, the times of their checkpoints, and signatures of keys that have become known since. It starts anew
        when a peer was parted from or the known predicate types have changed.
        """
        with self._mutex:
            if self._is_outdated(situation):
                return self._rebuild(situation)
            problems: dict[str, str] = {}
            heads = _heads(situation, problems)
            try:
                while True:
                    with self._database.write() as connection:
                        self._remember_basis(connection, situation)
                        if not self._step(connection, situation, heads, problems):
                            return problems
            except BaseException:
                self._keys = None
                raise

    def rebuild(self, situation: Situation) -> Mapping[str, str]:
        """Make everything anew in one transaction; readers see the old state until it is done."""
        with self._mutex:
            return self._rebuild(situation)

    def close(self) -> None:
        """Close the file."""
        with self._mutex:
            self._database.close()

    def _rebuild(self, situation: Situation) -> Mapping[str, str]:
        problems: dict[str, str] = {}
        heads = _heads(situation, problems)
        self._keys = None
        try:
            with self._database.write() as connection:
                for table in TABLES:
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
                self._remember_basis(connection, situation)
                while self._step(connection, situation, heads, problems):
                    pass
        finally:
            self._keys = None
        return problems

    def _is_outdated(self, situation: Situation) -> bool:
        with self._database.read() as connection:
            known = dict(connection.execute("SELECT name, value FROM meta"))
        cards = set(known.get("cards", "").split())
        return known.get("registry") != self._kinds() or not cards <= set(_party_keys(situation))

    def _kinds(self) -> str:
        return " ".join(sorted(self._registry))

    def _remember_basis(self, connection: sqlite3.Connection, situation: Situation) -> None:
        cards = " ".join(sorted(_party_keys(situation)))
        rows = [("registry", self._kinds()), ("cards", cards)]
        if set(rows) - set(connection.execute("SELECT name, value FROM meta")):
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    def _step(
        self,
        connection: sqlite3.Connection,
        situation: Situation,
        heads: Mapping[str, int],
        problems: dict[str, str],
    ) -> bool:
        """Do one bounded piece of work in a transaction; tell whether there may be more."""
        keys = self._load_keys(connection)
        before = len(keys)
        self._learn_cards(connection, situation)
        more = False
        for log in situation.logs.values():
            if log.id in heads and log.id not in problems:
                try:
                    more = self._advance(connection, log, heads[log.id]) or more
                except EvidenceError as error:
                    problems[log.id] = str(error)
        if len(keys) > before:
            self._resolve(connection, situation)
        return more

    def _load_keys(self, connection: sqlite3.Connection) -> dict[str, PublicKey]:
        if self._keys is None:
            self._keys = {key: PublicKey(raw) for key, raw in connection.execute("SELECT id, public FROM key")}
        return self._keys

    def _learn_cards(self, connection: sqlite3.Connection, situation: Situation) -> None:
        for key_id, key in _party_keys(situation).items():
            if key_id not in self._load_keys(connection):
                self._learn(connection, key)

    def _learn(self, connection: sqlite3.Connection, key: PublicKey) -> None:
        self._load_keys(connection)[key.id] = key
        connection.execute("INSERT OR IGNORE INTO key VALUES (?, ?)", (key.id, key.raw))

    def _advance(self, connection: sqlite3.Connection, log: KnownLog, head: int) -> bool:
        row, size, kept, basis = _log_row(connection, log)
        if head < size:
            raise EvidenceError(
                f"has {head} entries, but had {size} before",
                where=log.origin,
                remedy="find out why it is shorter; `pellucid reindex` makes the index anew",
            )
        stop = min(head, size + _ENTRIES)
        for number, entry in enumerate(log.reader.entries(size, stop), size):
            self._insert(connection, row, number, entry)
        if stop > size:
            connection.execute("UPDATE log SET size = ? WHERE id = ?", (stop, row))
        if basis != _basis(log):
            _redate(connection, log, row)
        _date_new(connection, log, row, kept, stop)
        return stop < head

    def _insert(self, connection: sqlite3.Connection, log: int, number: int, entry: bytes) -> None:
        projected = project(entry, self._registry)
        if projected is None:
            return
        row = _statement_row(connection, projected, number)
        connection.execute("INSERT INTO place VALUES (?, ?, ?)", (log, number, row))
        if projected.party is not None and projected.party.public is not None:
            self._learn(connection, projected.party.public)
        self._sign(connection, (log, number), row, projected.envelope)

    def _sign(self, connection: sqlite3.Connection, place: tuple[int, int], statement: int, envelope: Envelope) -> None:
        signers = find_signers(envelope, self._load_keys(connection))
        rows = [(key, statement) for key in signers.keys]
        connection.executemany("INSERT OR IGNORE INTO signer VALUES (?, ?)", rows)
        change = "DELETE FROM unresolved WHERE log = ? AND entry = ?"
        if not signers.complete:
            change = "INSERT OR IGNORE INTO unresolved VALUES (?, ?)"
        connection.execute(change, place)

    def _resolve(self, connection: sqlite3.Connection, situation: Situation) -> None:
        """Look again at entries with signatures of unknown keys, now that more keys are known."""
        query = """
            SELECT u.log, u.entry, p.statement, l.hash FROM unresolved u JOIN log l ON l.id = u.log
            JOIN place p ON p.log = u.log AND p.entry = u.entry
        """
        for log, number, statement, log_id in connection.execute(query).fetchall():
            known = situation.logs.get(log_id)
            if known is not None:
                entry = known.reader.entry(number)
                self._sign(connection, (log, number), statement, Envelope.parse(entry, where="entry"))


def _open(path: Path) -> Database:
    try:
        return Database(path, SCHEMA, version=VERSION, durable=False)
    except StorageError:
        # Nothing is lost with it: what cannot be opened is made anew from the logs.
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        return Database(path, SCHEMA, version=VERSION, durable=False)


def _heads(situation: Situation, problems: dict[str, str]) -> dict[str, int]:
    heads: dict[str, int] = {}
    for log in situation.logs.values():
        try:
            if log.published:
                heads[log.id] = log.reader.checkpoint().checkpoint.size
        except EvidenceError as error:
            problems[log.id] = str(error)
    return heads


def _party_keys(situation: Situation) -> dict[str, PublicKey]:
    keys = [situation.party, *(peer.keys[Role.PARTY] for peer in situation.peers)]
    return {key.id: key for key in keys}


def _log_row(connection: sqlite3.Connection, log: KnownLog) -> tuple[int, int, int, str]:
    query = "SELECT id, size, kept, basis FROM log WHERE hash = ?"
    connection.execute("INSERT OR IGNORE INTO log (hash, size, kept, basis) VALUES (?, 0, 0, '')", (log.id,))
    found: tuple[int, int, int, str] = connection.execute(query, (log.id,)).fetchone()
    return found


def _statement_row(connection: sqlite3.Connection, projected: Projected, number: int) -> int:
    sid = projected.envelope.id
    found = connection.execute("SELECT id FROM statement WHERE sid = ?", (sid,)).fetchone()
    if found is not None:
        connection.execute("UPDATE statement SET first = MIN(first, ?) WHERE id = ?", (number, found[0]))
        return int(found[0])
    row = connection.execute(
        "INSERT INTO statement (sid, type, kind, problem, first) VALUES (?, ?, ?, ?, ?)",
        (sid, projected.statement.predicate_type, projected.kind, projected.problem, number),
    ).lastrowid
    assert row is not None  # noqa: S101 - SQLite gives one for every insert
    references = [(ref, how, row) for ref, how in sorted(projected.references)]
    connection.executemany("INSERT INTO reference VALUES (?, ?, ?)", references)
    _insert_details(connection, projected, row)
    return row


def _insert_details(connection: sqlite3.Connection, projected: Projected, row: int) -> None:
    if (word := projected.party) is not None:
        connection.execute(
            "INSERT INTO party VALUES (?, ?, ?, ?, ?)", (row, word.key, word.action.value, word.since, word.expires)
        )
    if (shipped := projected.shipped) is not None:
        connection.execute("INSERT INTO release VALUES (?, ?, ?)", (row, shipped.product, shipped.version))
        artifacts = [(ref, digest, row) for ref, digest in shipped.artifacts]
        connection.executemany("INSERT OR IGNORE INTO artifact VALUES (?, ?, ?)", artifacts)


def _basis(log: KnownLog) -> str:
    """Return a value that differs once the log's checkpoints have to be dated anew."""
    cosigners = sorted((item.operator, item.verifier.vkey) for item in log.quorum.eligible)
    return sha256(repr((log.quorum.required, cosigners)).encode()).hexdigest()


def _redate(connection: sqlite3.Connection, log: KnownLog, row: int) -> None:
    sizes = [size for (size,) in connection.execute("SELECT size FROM checkpoint WHERE log = ?", (row,)).fetchall()]
    times = [(_time(log, size), row, size) for size in sizes]
    connection.executemany("UPDATE checkpoint SET time = ? WHERE log = ? AND size = ?", times)
    connection.execute("UPDATE log SET basis = ? WHERE id = ?", (_basis(log), row))
    connection.execute(_DATE, (row, 0, max(sizes, default=0)))


def _date_new(connection: sqlite3.Connection, log: KnownLog, row: int, kept: int, size: int) -> None:
    """Date the entries that checkpoints kept since the last time, up to `size`, cover."""
    last = kept
    for new in _kept_sizes(log, kept, size):
        connection.execute("INSERT OR IGNORE INTO checkpoint VALUES (?, ?, ?)", (row, new, _time(log, new)))
        last = new
    if last > kept:
        connection.execute("UPDATE log SET kept = ? WHERE id = ?", (last, row))
        connection.execute(_DATE, (row, kept, last))


def _kept_sizes(log: KnownLog, after: int, most: int) -> Iterator[int]:
    while True:
        sizes = log.tiles.kept(after, _CHECKPOINTS)
        for size in sizes:
            if size > most:
                return
            yield size
        if len(sizes) < _CHECKPOINTS:
            return
        after = sizes[-1]


def _time(log: KnownLog, size: int) -> int | None:
    data = log.tiles.fetch(kept_path(size), MAX_NOTE)
    if data is None:
        return None
    try:
        note = open_checkpoint(data, log.verifier).note
        return log.quorum.logged_time(cosignatures(note, log.quorum.verifiers))
    except EvidenceError:
        return None
