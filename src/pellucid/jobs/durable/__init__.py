"""Jobs that survive: in the ledger once asked for, their steps kept by DBOS, adopted when a process dies.

The library costs memory and start-up time, so it is loaded when the first job waits, and rests when none does.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pellucid.errors import PellucidError, UnavailableError
from pellucid.jobs.executors import Executors
from pellucid.jobs.inline import LedgerJobs
from pellucid.jobs.ledger import Ledger, SqliteStore, Store
from pellucid.jobs.performing import Performer
from pellucid.jobs.port import Failure, JobState
from pellucid.jobs.work import Registry, Tools
from pellucid.terminal import say

if TYPE_CHECKING:
    from pellucid.jobs.durable.engine import Engine

DATABASE = "jobs.db"
_KEPT_SECONDS = 90 * 24 * 3600.0
_STUCK_AFTER = 60.0
_STOP_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how much, in seconds: look for work, say that this process lives, believe another one dead, rest.

    `at_once` jobs run in this process at the same time.
    """

    poll: float = 1.0
    beat: float = 5.0
    dead_after: float = 20.0
    rest_after: float = 30.0
    at_once: int = 2


OnFatal = Callable[[BaseException], object]


class DurableJobs(LedgerJobs):
    """`Jobs` that a kill does not end; `open` them, `close` them. Processes that open the same store share the work."""

    def __init__(self, store: Store, url: str, performer: Performer, registry: Registry, pace: Pace) -> None:
        """See `open`."""
        super().__init__(Ledger(store), registry)
        self._url = url
        self._pace = pace
        self._performer = performer
        self._executors = Executors(store, pace.dead_after)
        self._engine: Engine | None = None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._trouble: str | None = None
        self._beaten = self._busy = self._waited_since = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True, name="jobs")

    @classmethod
    def open(
        cls,
        where: Path | str,
        registry: Registry,
        tools: Tools,
        *,
        pace: Pace | None = None,
        on_fatal: OnFatal | None = None,
    ) -> Self:
        """Open the store (a SQLite file, or a `postgresql://` address) and run its jobs until `close`.

        `on_fatal` hears of what a process must not survive. One for each process at a time. UnavailableError if the
        store or the library is not there.
        """
        store, url = _store(where)
        performer = Performer(Ledger(store), registry, tools, on_fatal=on_fatal)
        jobs = cls(store, url, performer, registry, pace or Pace())
        jobs._thread.start()
        return jobs

    def problem(self) -> str | None:
        """See `Jobs.problem`."""
        if not self._thread.is_alive():
            return "jobs do not run: their thread has ended"
        if self._trouble is not None:
            return f"jobs do not run: {self._trouble}"
        if self._waited_since and time.monotonic() - self._waited_since > _STUCK_AFTER:
            return f"jobs do not run: one waits for over {_STUCK_AFTER:.0f} s while none runs"
        return None

    def close(self) -> None:
        """Leave what runs to the next process and stop; steps that take longer than a few seconds are cut."""
        self._performer.stopping = True
        self._stop.set()
        self._wake.set()
        self._thread.join(_STOP_WITHIN + 10.0)
        super().close()

    def _asked(self, job_id: str) -> None:  # noqa: ARG002 - the loop finds it in the ledger
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._turn()
                self._trouble = None
            except Exception as error:  # noqa: BLE001 - the node's health tells it, and the next turn tries again
                self._complain(error)
            self._wake.wait(self._pace.poll)
            self._wake.clear()
        try:
            self._rest()
        except Exception as error:  # noqa: BLE001 - the process ends; the others take over what it leaves
            self._complain(error)

    def _turn(self) -> None:
        """Do what is due now."""
        found, now = self.ledger.open_jobs(), time.monotonic()
        if found:
            self._busy = now
            self._work_on(found, now)
        elif self._engine is not None and now - self._busy > self._pace.rest_after:
            self._rest()
        waits = JobState.WAITING in found.values() and JobState.RUNNING not in found.values()
        self._waited_since = (self._waited_since or now) if waits else 0.0

    def _work_on(self, found: Mapping[str, JobState], now: float) -> None:
        if self._engine is None:
            self._engine = self._engaged()
        self._engine.enqueue(found)
        if now - self._beaten < self._pace.beat:
            return
        self._executors.beat()
        self._beaten = now
        for job_id in self._engine.look_after(found, self._executors.alive()):
            failure = Failure("it ended without a word", remedy="see what the node printed, then start it again")
            self.ledger.end(job_id, JobState.FAILED, failure=failure)

    def _engaged(self) -> Engine:
        """Load the library and start it; what it must find of this process is written first."""
        try:
            from pellucid.jobs.durable.engine import Engine  # noqa: PLC0415 - half a second and 60 MB, not before
        except ModuleNotFoundError as error:
            remedy = "install the whole program: pip install 'pellucid[node]'"
            raise UnavailableError(f"the package {error.name!r} is not installed", remedy=remedy) from error
        self._executors.beat()
        self._beaten = 0.0
        engine = Engine(self._url, self._executors.id, self._performer, self._pace.poll, self._pace.at_once)
        engine.forget(self.ledger.forget(self.ledger.store.now() - _KEPT_SECONDS))
        return engine

    def _rest(self) -> None:
        if self._engine is not None:
            engine, self._engine = self._engine, None
            engine.close(_STOP_WITHIN)
            self._executors.leave()

    def _complain(self, error: Exception) -> None:
        text = str(error) if isinstance(error, PellucidError) else f"unexpected {type(error).__name__}"
        if text != self._trouble and not self._stop.is_set():
            say(f"pellucid: jobs do not run: {text}")
            if not isinstance(error, PellucidError):
                traceback.print_exception(error)
        self._trouble = text


def _store(where: Path | str) -> tuple[Store, str]:
    if isinstance(where, str):
        from pellucid.jobs.durable.postgres import PostgresStore  # noqa: PLC0415 - only where it is used

        return PostgresStore(where), where
    return SqliteStore(where), f"sqlite:///{where.absolute()}"
