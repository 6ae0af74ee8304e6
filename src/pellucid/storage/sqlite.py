"""SQLite opened so that a commit that returned is on the disk, and one that failed ends the process."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pellucid.errors import UnavailableError
from pellucid.storage.failures import RESTART, StorageError, storage_error

_BUSY_SECONDS = 30.0
_ROOM = 1 << 20
_NOTHING_WRITTEN = ("SQLITE_BUSY", "SQLITE_LOCKED")


class Database:
    """One SQLite file in WAL mode with `synchronous=FULL`, its schema in `user_version`; safe to share between threads.

    `durable=False` opens a second way in whose commits may be lost by a power cut, never torn.
    """

    def __init__(self, path: Path, schema: str, *, version: int, durable: bool = True) -> None:
        self.path = path
        self._mutex = threading.Lock()
        with self._told("cannot open"):
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._connection.execute("PRAGMA wal_autocheckpoint=4000")
            self._migrate(schema, version)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run the block in one `BEGIN IMMEDIATE` transaction; it is durable when the block has been left.

        Nothing is stored if the block raises. A failed statement or commit raises `StorageError`.
        """
        with self._mutex, self._told("cannot write"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for queries."""
        with self._mutex, self._told("cannot read"):
            yield self._connection

    def close(self) -> None:
        """Close the file; nothing may be called afterwards."""
        with self._mutex:
            self._connection.close()

    def _migrate(self, schema: str, version: int) -> None:
        if self._version() == version:
            return
        self._connection.execute("BEGIN IMMEDIATE")
        found = self._version()
        if found > version:
            raise StorageError(
                f"was written by a newer version of this program (format {found}, known: {version})",
                where=str(self.path),
                remedy="start the newer version",
            )
        if found < version:
            for statement in schema.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version={version}")
        self._connection.execute("COMMIT")

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise storage_error(error, what, str(self.path)) from error
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.startswith(_NOTHING_WRITTEN):
                raise UnavailableError(
                    f"{what}: another process holds the database", where=str(self.path), remedy="try again"
                ) from error
            if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and self._disk_is_full()):
                raise StorageError(
                    f"{what}: the disk is full",
                    where=str(self.path),
                    remedy="free some space on that disk and start again; nothing acknowledged is lost",
                ) from error
            raise StorageError(f"{what}: {error}", where=str(self.path), remedy=RESTART) from error

    def _disk_is_full(self) -> bool:
        """Tell whether an I/O error has the plain cause that SQLite does not name."""
        with suppress(OSError):
            return shutil.disk_usage(self.path.parent).free < _ROOM
        return False
