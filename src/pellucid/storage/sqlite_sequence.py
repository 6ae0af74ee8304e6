"""The sequence and the checkpoint lock in one SQLite file, `log.db`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from pellucid.storage.failures import ConflictError, StorageError
from pellucid.storage.sequence import Locked, NewEntry, Sequenced
from pellucid.storage.sqlite import Database

_SCHEMA = """
CREATE TABLE sequence (only INTEGER PRIMARY KEY CHECK (only = 1), next INTEGER NOT NULL);
INSERT INTO sequence VALUES (1, 0);
CREATE TABLE batch (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, bundle BLOB NOT NULL);
CREATE TABLE digest (value BLOB PRIMARY KEY, entry INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE alias (value BLOB PRIMARY KEY, entry INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE lock (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL, frozen TEXT
) WITHOUT ROWID
"""
_VERSION = 1
_LOOKUP = 500
_LOST = "make sure that one process only runs this log; then start it again, never from an older copy of this file"


class SqliteSequence:
    """`SequenceStore` and `CheckpointLock` on one SQLite file in WAL mode with `synchronous=FULL`.

    A batch is one row, framed as in an entry bundle. Any number of threads; one process should write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = Database(path, _SCHEMA, version=_VERSION)
        self._lazy: Database | None = None

    def append(self, entries: Sequence[NewEntry]) -> list[Sequenced]:
        """See `SequenceStore.append`."""
        digests = [sha256(entry.data).digest() for entry in entries]
        with self._database.write() as connection:
            first = _next(connection)
            places = _Places(
                first,
                _known(connection, "digest", digests),
                _known(connection, "alias", [entry.key for entry in entries if entry.key is not None]),
            )
            answers = [places.of(entry, digest) for entry, digest in zip(entries, digests, strict=True)]
            if places.following > first:
                row = (first, places.following - first, b"".join(places.bundle))
                connection.execute("INSERT INTO batch VALUES (?, ?, ?)", row)
                connection.execute("UPDATE sequence SET next = ?", (places.following,))
            connection.executemany("INSERT INTO digest VALUES (?, ?)", sorted(places.new_digests))
            connection.executemany("INSERT INTO alias VALUES (?, ?)", sorted(places.new_aliases))
        return answers

    def next_index(self) -> int:
        """See `SequenceStore.next_index`."""
        with self._database.read() as connection:
            return _next(connection)

    def find(self, digest: bytes) -> int | None:
        """See `SequenceStore.find`."""
        with self._database.read() as connection:
            return _known(connection, "digest", [digest]).get(digest)

    def find_key(self, key: bytes) -> int | None:
        """See `SequenceStore.find_key`."""
        with self._database.read() as connection:
            return _known(connection, "alias", [key]).get(key)

    def pending(self, start: int, limit: int) -> Iterator[list[bytes]]:
        """See `SequenceStore.pending`; `StorageError` if a batch is missing or damaged."""
        given = 0
        while given < limit and start < self.next_index():
            with self._database.read() as connection:
                query = "SELECT first, count, bundle FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1"
                first, count, bundle = connection.execute(query, (start,)).fetchone() or (0, 0, b"")
            entries = _split(bundle)
            if first + count <= start or len(entries) != count:
                raise StorageError(
                    f"the entries from {start} on are missing or damaged though they were acknowledged",
                    where=str(self.path),
                    remedy=_LOST,
                )
            yield entries[start - first :]
            given += first + count - start
            start = first + count

    def integrated(self, size: int) -> None:
        """See `SequenceStore.integrated`; this commit does not wait for the disk."""
        if self._lazy is None:
            self._lazy = Database(self.path, _SCHEMA, version=_VERSION, durable=False)
        with self._lazy.write() as connection:
            connection.execute("DELETE FROM batch WHERE first < ? AND first + count <= ?", (size, size))

    def load(self, origin: str) -> Locked | None:
        """See `CheckpointLock.load`."""
        with self._database.read() as connection:
            return _lock(connection, origin)

    def create(self, origin: str, first: Locked) -> None:
        """See `CheckpointLock.create`."""
        with self._database.write() as connection:
            if _lock(connection, origin) is not None:
                raise ConflictError("this log already has a signed checkpoint", where=str(self.path))
            connection.execute(
                "INSERT INTO lock VALUES (?, ?, ?, ?, NULL)", (origin, first.size, first.root, first.note)
            )

    def swap(self, origin: str, old: Locked, new: Locked) -> None:
        """See `CheckpointLock.swap`."""
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE lock SET size = ?, root = ?, note = ?"
                " WHERE origin = ? AND size = ? AND root = ? AND frozen IS NULL",
                (new.size, new.root, new.note, origin, old.size, old.root),
            ).rowcount
            if changed != 1:
                raise ConflictError(
                    f"the signed checkpoint is no longer the one of size {old.size} that this process knew",
                    where=str(self.path),
                    remedy="make sure that one process only runs this log, then start it again",
                )

    def freeze(self, origin: str, reason: str) -> None:
        """See `CheckpointLock.freeze`; the first reason stays."""
        with self._database.write() as connection:
            connection.execute("UPDATE lock SET frozen = ? WHERE origin = ? AND frozen IS NULL", (reason, origin))

    def frozen(self, origin: str) -> str | None:
        """See `CheckpointLock.frozen`."""
        with self._database.read() as connection:
            row = connection.execute("SELECT frozen FROM lock WHERE origin = ?", (origin,)).fetchone()
        return None if row is None or row[0] is None else str(row[0])

    def close(self) -> None:
        """Close the file."""
        self._database.close()
        if self._lazy is not None:
            self._lazy.close()


class _Places:
    """Gives the entries of one batch their indices, knowing those of earlier ones."""

    def __init__(self, following: int, digests: dict[bytes, int], aliases: dict[bytes, int]) -> None:
        self.following = following
        self.bundle: list[bytes] = []
        self.new_digests: list[tuple[bytes, int]] = []
        self.new_aliases: list[tuple[bytes, int]] = []
        self._digests = digests
        self._aliases = aliases

    def of(self, entry: NewEntry, digest: bytes) -> Sequenced:
        index = self._digests.get(digest)
        if index is None and entry.key is not None:
            index = self._aliases.get(entry.key)
        duplicate = index is not None
        if index is None:
            index, self.following = self.following, self.following + 1
            self.bundle += (len(entry.data).to_bytes(2, "big"), entry.data)
            self._digests[digest] = index
            self.new_digests.append((digest, index))
        if entry.key is not None and entry.key not in self._aliases:
            self._aliases[entry.key] = index
            self.new_aliases.append((entry.key, index))
        return Sequenced(index, duplicate)


def read_lock(path: Path, origin: str) -> Locked | None:
    """Return the lock in a `log.db` without changing anything, beside a running log or on read-only media.

    None if the file or the lock is not there; StorageError if the file is damaged.
    """
    if not path.exists():
        return None
    for mode in ("mode=ro", "immutable=1"):
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as connection:
                return _lock(connection, origin)
        except sqlite3.OperationalError as error:
            if mode == "immutable=1" or "unable to open" not in str(error):
                raise StorageError(f"cannot read: {error}", where=str(path), remedy=_LOST) from error
        except sqlite3.Error as error:
            raise StorageError(f"is damaged: {error}", where=str(path), remedy=_LOST) from error
    return None


def _next(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT next FROM sequence").fetchone()[0])


def _known(connection: sqlite3.Connection, table: str, values: Iterable[bytes]) -> dict[bytes, int]:
    wanted = list(values)
    found: dict[bytes, int] = {}
    for start in range(0, len(wanted), _LOOKUP):
        chunk = wanted[start : start + _LOOKUP]
        marks = ",".join("?" * len(chunk))
        query = f"SELECT value, entry FROM {table} WHERE value IN ({marks})"  # noqa: S608 - names are our own
        found.update(connection.execute(query, chunk))
    return found


def _lock(connection: sqlite3.Connection, origin: str) -> Locked | None:
    row = connection.execute("SELECT size, root, note FROM lock WHERE origin = ?", (origin,)).fetchone()
    return None if row is None else Locked(*row)


def _split(bundle: bytes) -> list[bytes]:
    entries: list[bytes] = []
    start = 0
    while start < len(bundle):
        end = start + 2 + int.from_bytes(bundle[start : start + 2], "big")
        entries.append(bundle[start + 2 : end])
        start = end
    return entries
