"""The ledger in PostgreSQL: one connection for each process, opened again when it is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import psycopg

from pellucid.errors import UnavailableError
from pellucid.jobs.ledger import SCHEMA, VERSION, Cursor, Rows

_CONNECT_SECONDS = 10
_MIGRATION_LOCK = 0x70656C6C  # any number that all versions of this program share


class _Rows:
    """Writes parameters as PostgreSQL wants them."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        return self._connection.execute(sql.replace("?", "%s").encode(), parameters)


class PostgresStore:
    """`Store` in the database of a `postgresql://` address. UnavailableError if nobody answers there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._mutex = threading.RLock()
        self._connection: psycopg.Connection[Any] | None = None
        with self.write() as rows:
            _migrate(rows)

    @contextmanager
    def write(self) -> Iterator[Rows]:
        """See `Store.write`."""
        with self._mutex, self._told():
            connection = self._connected()
            with connection.transaction():
                yield _Rows(connection)

    @contextmanager
    def read(self) -> Iterator[Rows]:
        """See `Store.read`."""
        with self.write() as rows:
            yield rows

    def now(self) -> float:
        """See `Store.now`: the server's clock."""
        with self.read() as rows:
            return float(rows.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()[0])

    def close(self) -> None:
        """See `Store.close`."""
        with self._mutex:
            self._drop()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what failed without the address, which may hold a password."""
        try:
            yield
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
                self._drop()
            where = urlsplit(self._url).hostname or "PostgreSQL"
            what = f"the database of jobs does not answer: {type(error).__name__}"
            raise UnavailableError(what, where=where, remedy="start it, and see what its own log says") from error


def _migrate(rows: Rows) -> None:
    rows.execute("SELECT pg_advisory_xact_lock(?)", (_MIGRATION_LOCK,))
    rows.execute("CREATE TABLE IF NOT EXISTS pellucid_jobs_version (version INTEGER PRIMARY KEY)")
    row = rows.execute("SELECT max(version) FROM pellucid_jobs_version").fetchone()
    if row[0] is not None and row[0] > VERSION:
        raise UnavailableError(
            f"the jobs were written by a newer version of this program (format {row[0]}, known: {VERSION})",
            remedy="start the newer version",
        )
    if row[0] is None:
        for statement in SCHEMA.split(";"):
            rows.execute(statement)
        rows.execute("INSERT INTO pellucid_jobs_version (version) VALUES (?)", (VERSION,))
