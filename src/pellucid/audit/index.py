"""Who stands in which entry: a projection of the audit log into SQLite, made again whenever it is not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from pellucid.audit.events import Event, EventType
from pellucid.errors import UnavailableError
from pellucid.storage.failures import StorageError
from pellucid.storage.sqlite import Database

_SCHEMA = """
CREATE TABLE progress (only INTEGER PRIMARY KEY CHECK (only = 1), size INTEGER NOT NULL);
INSERT INTO progress VALUES (1, 0);
CREATE TABLE event (entry INTEGER PRIMARY KEY, type TEXT NOT NULL);
CREATE INDEX event_by_type ON event (type, entry);
CREATE TABLE concerns (account TEXT NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (account, entry)) WITHOUT ROWID
"""
_VERSION = 1

Read = Callable[[int], Sequence[Event]]


class EventIndex:
    """The entries of an audit log by account and by type; safe between threads. It holds nothing that the log lacks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mutex = Lock()
        self._database = _open(path)

    def update(self, size: int, read: Read) -> None:
        """Take in the events up to `size`; `read` gives some of those that begin at an index, at least one.

        An index that knows more than the log has is of another log, and is made anew.
        """
        with self._mutex:
            if self._size() > size:
                self._clear()
            while (start := self._size()) < size:
                events = list(read(start))[: size - start]
                with self._database.write() as connection:
                    _insert(connection, start, events)

    def entries(self, *, account: str | None, types: Sequence[EventType], before: int, limit: int) -> list[int]:
        """Return the newest entries below `before`, of one account and of these types (none given: of all)."""
        source, wanted, values = "event", ["entry < ?"], [before]
        parameters: list[str | int] = [*values]
        if account is not None:
            source = "concerns CROSS JOIN event USING (entry)"
            wanted.append("account = ?")
            parameters.append(account)
        if types:
            wanted.append(f"type IN ({','.join('?' * len(types))})")
            parameters += [item.value for item in types]
        query = f"SELECT entry FROM {source} WHERE {' AND '.join(wanted)} ORDER BY entry DESC LIMIT ?"  # noqa: S608 - own names
        with self._database.read() as connection:
            return [int(row[0]) for row in connection.execute(query, (*parameters, limit))]

    def count(self, account: str) -> int:
        """Return in how many entries an account stands."""
        with self._database.read() as connection:
            row = connection.execute("SELECT COUNT(*) FROM concerns WHERE account = ?", (account,)).fetchone()
        return int(row[0])

    def close(self) -> None:
        """Close the file."""
        with self._mutex:
            self._database.close()

    def _size(self) -> int:
        with self._database.read() as connection:
            return int(connection.execute("SELECT size FROM progress").fetchone()[0])

    def _clear(self) -> None:
        with self._database.write() as connection:
            connection.execute("DELETE FROM event")
            connection.execute("DELETE FROM concerns")
            connection.execute("UPDATE progress SET size = 0")


def _insert(connection: sqlite3.Connection, start: int, events: Iterable[Event]) -> None:
    places = list(enumerate(events, start))
    connection.executemany("INSERT INTO event VALUES (?, ?)", [(index, event.type.value) for index, event in places])
    rows = [(account, index) for index, event in places for account in event.concerns]
    connection.executemany("INSERT INTO concerns VALUES (?, ?)", rows)
    connection.execute("UPDATE progress SET size = size + ?", (len(places),))


def _open(path: Path) -> Database:
    """Open the file; one that cannot be read is thrown away, as the log tells it all again."""
    try:
        return Database(path, _SCHEMA, version=_VERSION, durable=False)
    except UnavailableError:
        raise
    except StorageError:
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).unlink()
        return Database(path, _SCHEMA, version=_VERSION, durable=False)
