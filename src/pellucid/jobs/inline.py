"""Jobs without a library: written down by whoever asks, done by a process that runs jobs, or at once by this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pellucid.jobs.ledger import Ledger, SqliteStore
from pellucid.jobs.performing import DirectSteps, Performer
from pellucid.jobs.port import Job, LogLine, Offer
from pellucid.jobs.work import JobError, Registry, Tools, checked_id, known


class LedgerJobs:
    """`Jobs` that are only asked for here: what runs them reads the same ledger."""

    def __init__(self, ledger: Ledger, registry: Registry) -> None:
        self.ledger = ledger
        self._registry = registry

    def start(self, name: str, job_id: str, arguments: Mapping[str, Any], *, asked_by: str | None = None) -> Job:
        """See `Jobs.start`."""
        kept = self._checked(name, job_id, arguments)
        if self.ledger.ask(name, job_id, kept, asked_by):
            self._asked(job_id)
        found = self.ledger.job(job_id)
        if found is None or found.name != name:
            raise JobError(f"the id {job_id!r} is taken by a job of another kind", remedy="give another id")
        return found

    def check(self, name: str, job_id: str, arguments: Mapping[str, Any]) -> None:
        """See `Jobs.check`."""
        self._checked(name, job_id, arguments)

    def status(self, job_id: str) -> Job | None:
        """See `Jobs.status`."""
        return self.ledger.job(job_id)

    def recent(self, limit: int, *, name: str | None = None) -> Sequence[Job]:
        """See `Jobs.recent`."""
        return self.ledger.recent(limit, name)

    def log(self, job_id: str, after: int = 0) -> Sequence[LogLine]:
        """See `Jobs.log`; a thousand lines at once."""
        return self.ledger.lines(job_id, after)

    def cancel(self, job_id: str) -> bool:
        """See `Jobs.cancel`."""
        return self.ledger.cancel(job_id)

    def problem(self) -> str | None:
        """See `Jobs.problem`."""
        return None

    def offers(self) -> Sequence[Offer]:
        """See `Jobs.offers`."""
        return [kind.offer() for _, kind in sorted(self._registry.items()) if kind.offered]

    def close(self) -> None:
        """Give the ledger back."""
        self.ledger.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _checked(self, name: str, job_id: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        checked_id(job_id)
        return known(self._registry, name).read(arguments)

    def _asked(self, job_id: str) -> None:
        """Do what is to be done at once about a new job."""


class InlineJobs(LedgerJobs):
    """`Jobs` that are done inside of `start`, in memory: for tests."""

    def __init__(self, registry: Registry, tools: Tools) -> None:
        ledger = Ledger(SqliteStore(None))
        super().__init__(ledger, registry)
        self._performer = Performer(ledger, registry, tools, on_fatal=None)

    def _asked(self, job_id: str) -> None:
        self._performer.perform(job_id, DirectSteps())
