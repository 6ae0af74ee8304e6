"""What a witness has cosigned, per origin: read, checked and written in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from pellucid.storage.sqlite import Database

_SCHEMA = """
CREATE TABLE witnessed (
    origin TEXT PRIMARY KEY, origin_hash TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, root BLOB NOT NULL,
    timestamp INTEGER NOT NULL, note BLOB NOT NULL
) WITHOUT ROWID
"""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The newest checkpoint cosigned of one log: size, 32-byte root, Unix time of cosigning, the cosigned note."""

    size: int
    root: bytes
    timestamp: int
    note: bytes


class WitnessState(Protocol):
    """The witness's memory. If it is lost or restored from a backup, the witness's key must be retired."""

    def advance(self, origin: str, step: Callable[[Witnessed | None], Witnessed]) -> Witnessed:
        """Give `step` what is known of `origin`, store what it returns, and return that, durable.

        No other thread or process reads or writes in between. Nothing changes if `step` raises.
        """

    def known(self, origin: str) -> Witnessed | None:
        """Return what is known of `origin`."""

    def known_by_hash(self, origin_hash: str) -> Witnessed | None:
        """Return what is known of the log whose origin has this SHA-256 in hex."""


class SqliteWitnessState:
    """`WitnessState` in one SQLite file; safe between threads and processes by `BEGIN IMMEDIATE`."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, version=_VERSION)

    def advance(self, origin: str, step: Callable[[Witnessed | None], Witnessed]) -> Witnessed:
        """See `WitnessState.advance`."""
        with self._database.write() as connection:
            new = step(_row(connection, "origin", origin))
            connection.execute(
                "INSERT OR REPLACE INTO witnessed VALUES (?, ?, ?, ?, ?, ?)",
                (
                    origin,
                    sha256(origin.encode()).hexdigest(),
                    new.size,
                    new.root,
                    new.timestamp,
                    new.note,
                ),
            )
        return new

    def known(self, origin: str) -> Witnessed | None:
        """See `WitnessState.known`."""
        with self._database.read() as connection:
            return _row(connection, "origin", origin)

    def known_by_hash(self, origin_hash: str) -> Witnessed | None:
        """See `WitnessState.known_by_hash`."""
        with self._database.read() as connection:
            return _row(connection, "origin_hash", origin_hash)

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _row(connection: sqlite3.Connection, column: str, value: str) -> Witnessed | None:
    query = f"SELECT size, root, timestamp, note FROM witnessed WHERE {column} = ?"  # noqa: S608 - our own names
    row = connection.execute(query, (value,)).fetchone()
    return None if row is None else Witnessed(*row)
