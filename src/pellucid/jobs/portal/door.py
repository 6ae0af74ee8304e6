"""The jobs that this process serves; set once at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from pellucid.errors import PellucidError
from pellucid.jobs.durable import DurableJobs, OnFatal
from pellucid.jobs.port import Jobs
from pellucid.jobs.work import Registry, Tools

_served: list[Jobs] = []


def serve(jobs: Jobs) -> None:
    """Make `jobs` what the pages of this process start and watch."""
    _served[:] = [jobs]


def jobs() -> Jobs:
    """Return the jobs; raises ImproperlyConfigured before `serve` was called."""
    if not _served:
        raise ImproperlyConfigured("no jobs run here: start the portal with `pellucid serve`")
    return _served[0]


def run(where: Path | str, registry: Registry, tools: Tools, *, on_fatal: OnFatal) -> None:
    """Run the jobs of a store in this process, and serve them."""
    serve(DurableJobs.open(where, registry, tools, on_fatal=on_fatal))


def stop() -> None:
    """End what `run` began; what runs is left to the next process."""
    for served in _served:
        if isinstance(served, DurableJobs):
            served.close()
    _served.clear()


def healthz() -> tuple[str | None, dict[str, Any]]:
    """Return why jobs do not run, if they do not, and how many of the newest hundred are not over."""
    if not _served:
        return "jobs do not run: nobody started them", {}
    try:
        recent = _served[0].recent(100)
    except PellucidError as error:
        return f"jobs do not run: {error.what}", {}
    return _served[0].problem(), {"open": sum(not job.state.over for job in recent)}
