"""What was asked, how far it is, and what came of it: tables that SQLite and PostgreSQL keep alike.

A job is in the ledger from the moment it was asked for; whatever runs it only moves it from state to state, each move
one statement that names the states it may leave, so that two processes never both make it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from pellucid.jobs.port import Failure, Job, JobState, LogLine, Progress
from pellucid.storage.failures import fatal_io
from pellucid.storage.sqlite import Database

VERSION = 1
MAX_LINES = 5_000
MAX_TEXT = 500
MAX_LISTED = 1_000
SCHEMA = """
CREATE TABLE pellucid_job (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, arguments TEXT NOT NULL, asked_by TEXT,
    state TEXT NOT NULL, cancelling INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
    done BIGINT NOT NULL DEFAULT 0, total BIGINT, unit TEXT NOT NULL DEFAULT '', doing TEXT NOT NULL DEFAULT '',
    said INTEGER NOT NULL DEFAULT 0, asked_at DOUBLE PRECISION NOT NULL, ended_at DOUBLE PRECISION,
    result TEXT, failure TEXT);
CREATE INDEX pellucid_job_by_time ON pellucid_job (asked_at);
CREATE INDEX pellucid_job_by_state ON pellucid_job (state);
CREATE TABLE pellucid_job_line (
    job TEXT NOT NULL, number INTEGER NOT NULL, place TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (job, number), UNIQUE (job, place));
CREATE TABLE pellucid_executor (
    id TEXT PRIMARY KEY, place TEXT NOT NULL, pid INTEGER NOT NULL, beat_at DOUBLE PRECISION NOT NULL)
"""
_SELECT = (
    "SELECT id, name, state, done, total, unit, doing, asked_at, ended_at, result, failure, arguments, asked_by, "
    "cancelling FROM pellucid_job "
)


class Cursor(Protocol):
    """The answer to a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:
        """Return the next row, None at the end."""

    def fetchall(self) -> list[Any]:
        """Return all rows."""


class Rows(Protocol):
    """A connection inside a transaction; parameters are written `?`."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor:
        """Run one statement."""


class Store(Protocol):
    """Where the ledger lies."""

    def write(self) -> AbstractContextManager[Rows]:
        """One transaction, durable at its end."""

    def read(self) -> AbstractContextManager[Rows]:
        """Queries."""

    def now(self) -> float:
        """Return the time that all who share the store agree on, in Unix seconds."""

    def close(self) -> None:
        """Give the connection back."""


class SqliteStore:
    """The ledger in a SQLite file that only its owner reads; None keeps it in memory."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            with fatal_io("cannot open", str(path)):
                path.touch(mode=0o600)  # what comes with it later has the same mode
        self._database = Database(path or Path(":memory:"), SCHEMA, version=VERSION)
        self.write: Any = self._database.write
        self.read: Any = self._database.read
        self.close = self._database.close

    def now(self) -> float:
        """See `Store.now`: this machine's clock, which all who open the file share."""
        return time.time()


@dataclass(frozen=True, slots=True)
class Begun:
    """A job that may run now: how often it has been begun and not come to an end."""

    job: Job
    attempts: int


class Ledger:
    """Reads and moves jobs; safe between threads and processes."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def ask(self, name: str, job_id: str, arguments: Mapping[str, Any], asked_by: str | None) -> bool:
        """Note a job that is wanted; False if it was there."""
        sql = (
            "INSERT INTO pellucid_job (id, name, arguments, asked_by, state, asked_at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO NOTHING"
        )
        values = (job_id, name, _text(arguments), asked_by, JobState.WAITING.value, self.store.now())
        with self.store.write() as rows:
            return rows.execute(sql, values).rowcount > 0

    def job(self, job_id: str) -> Job | None:
        """Return a job."""
        with self.store.read() as rows:
            row = rows.execute(_SELECT + "WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else _job(row)

    def recent(self, limit: int, name: str | None = None) -> list[Job]:
        """Return jobs, newest first."""
        where, values = ("WHERE name = ? ", (name,)) if name is not None else ("", ())
        sql = _SELECT + where + "ORDER BY asked_at DESC, id LIMIT ?"
        with self.store.read() as rows:
            found = rows.execute(sql, (*values, max(0, min(limit, MAX_LISTED)))).fetchall()
        return [_job(row) for row in found]

    def open_jobs(self) -> dict[str, JobState]:
        """Return the jobs that are not over, the oldest first."""
        with self.store.read() as rows:
            sql = "SELECT id, state FROM pellucid_job WHERE state IN ('waiting', 'running') ORDER BY asked_at, id"
            return {row[0]: JobState(row[1]) for row in rows.execute(sql).fetchall()}

    def begin(self, job_id: str) -> Begun | None:
        """Move a job to running; None if it is over."""
        sql = (
            "UPDATE pellucid_job SET state = 'running', attempts = attempts + 1 "
            "WHERE id = ? AND state IN ('waiting', 'running') RETURNING attempts"
        )
        with self.store.write() as rows:
            row = rows.execute(sql, (job_id,)).fetchone()
            if row is None:
                return None
            return Begun(_job(rows.execute(_SELECT + "WHERE id = ?", (job_id,)).fetchone()), row[0])

    def part(self, job_id: str) -> None:
        """Note that a job was left in good order by a process that stops: that attempt does not count."""
        with self.store.write() as rows:
            rows.execute("UPDATE pellucid_job SET attempts = attempts - 1 WHERE id = ? AND attempts > 0", (job_id,))

    def end(
        self, job_id: str, state: JobState, *, result: Mapping[str, Any] | None = None, failure: Failure | None = None
    ) -> bool:
        """Move a running job to its end; False if it was over."""
        kept = None if result is None else _text(result)
        why = None if failure is None else msgspec.json.encode(failure).decode()
        sql = (
            "UPDATE pellucid_job SET state = ?, ended_at = ?, result = ?, failure = ?, doing = '', cancelling = 0, "
            "done = CASE WHEN ? THEN COALESCE(total, done) ELSE done END "
            "WHERE id = ? AND state IN ('waiting', 'running')"
        )
        values = (state.value, self.store.now(), kept, why, state is JobState.DONE, job_id)
        with self.store.write() as rows:
            return rows.execute(sql, values).rowcount > 0

    def cancel(self, job_id: str) -> bool:
        """Cancel what waits, tell what runs to stop; False if it is over."""
        ended = "UPDATE pellucid_job SET state = ?, ended_at = ? WHERE id = ? AND state = 'waiting'"
        told = "UPDATE pellucid_job SET cancelling = 1 WHERE id = ? AND state = 'running'"
        now = self.store.now()
        with self.store.write() as rows:
            if rows.execute(ended, (JobState.CANCELLED.value, now, job_id)).rowcount:
                return True
            return rows.execute(told, (job_id,)).rowcount > 0

    def progress(self, job_id: str, progress: Progress) -> bool:
        """Keep how far a job is; return whether it was told to stop."""
        sql = (
            "UPDATE pellucid_job SET done = ?, total = ?, unit = ?, doing = ? WHERE id = ? AND state = 'running' "
            "RETURNING cancelling"
        )
        values = (progress.done, progress.total, _line(progress.unit, 40), _line(progress.doing, 200), job_id)
        with self.store.write() as rows:
            row = rows.execute(sql, values).fetchone()
        return row is not None and bool(row[0])

    def cancelling(self, job_id: str) -> bool:
        """Tell whether a job was told to stop."""
        with self.store.read() as rows:
            row = rows.execute("SELECT cancelling FROM pellucid_job WHERE id = ?", (job_id,)).fetchone()
        return row is not None and bool(row[0])

    def say(self, job_id: str, place: str, text: str) -> None:
        """Keep a line, once for each place; the last one there is room for says that no more are kept."""
        number = "UPDATE pellucid_job SET said = said + 1 WHERE id = ? AND said < ? RETURNING said"
        line = (
            "INSERT INTO pellucid_job_line (job, number, place, at, text) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (job, place) DO NOTHING"
        )
        now = self.store.now()
        with self.store.write() as rows:
            row = rows.execute(number, (job_id, MAX_LINES)).fetchone()
            if row is None:
                return
            text = _line(text, MAX_TEXT) if row[0] < MAX_LINES else "… (no more lines are kept)"
            if not rows.execute(line, (job_id, row[0], place, now, text)).rowcount:
                rows.execute("UPDATE pellucid_job SET said = said - 1 WHERE id = ?", (job_id,))

    def lines(self, job_id: str, after: int) -> list[LogLine]:
        """Return the lines with a number above `after`, a thousand at most."""
        sql = "SELECT number, at, text FROM pellucid_job_line WHERE job = ? AND number > ? ORDER BY number LIMIT ?"
        with self.store.read() as rows:
            return [LogLine(*row) for row in rows.execute(sql, (job_id, after, MAX_LISTED)).fetchall()]

    def forget(self, ended_before: float, limit: int = 500) -> list[str]:
        """Delete what ended before a moment, with its lines; return the ids."""
        ids = "SELECT id FROM pellucid_job WHERE ended_at < ? ORDER BY ended_at LIMIT ?"
        with self.store.write() as rows:
            found = [row[0] for row in rows.execute(ids, (ended_before, limit)).fetchall()]
            for job_id in found:
                rows.execute("DELETE FROM pellucid_job_line WHERE job = ?", (job_id,))
                rows.execute("DELETE FROM pellucid_job WHERE id = ?", (job_id,))
        return found


def _text(value: Mapping[str, Any]) -> str:
    return msgspec.json.encode(dict(value)).decode()


def _line(text: str, limit: int) -> str:
    """Return text as one line without anything that steers a terminal or that PostgreSQL refuses."""
    flat = "".join(char if char.isprintable() else " " for char in text[: limit + 1])
    flat = flat.encode("utf-8", "replace").decode()
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def _job(row: Sequence[Any]) -> Job:
    job_id, name, state, done, total, unit, doing, asked_at, ended_at, result, failure, arguments, by, cancelling = row
    return Job(
        id=job_id,
        name=name,
        state=JobState(state),
        progress=Progress(done, total, unit, doing),
        asked_at=asked_at,
        ended_at=ended_at,
        result=None if result is None else msgspec.json.decode(result),
        failure=None if failure is None else msgspec.json.decode(failure, type=Failure),
        arguments=msgspec.json.decode(arguments),
        asked_by=by,
        cancelling=bool(cancelling),
    )
