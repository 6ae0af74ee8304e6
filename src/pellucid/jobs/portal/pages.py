"""The models of the jobs pages, and of the part of any page that shows a job at work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from pellucid.jobs.port import Job, Jobs, JobState, LogLine

MAX_LISTED = 50
MAX_LINES = 500
WORDS = {
    JobState.WAITING: gettext_noop("waiting"),
    JobState.RUNNING: gettext_noop("running"),
    JobState.DONE: gettext_noop("done"),
    JobState.FAILED: gettext_noop("failed"),
    JobState.CANCELLED: gettext_noop("cancelled"),
}
_LOOKS = {
    JobState.WAITING: "",
    JobState.RUNNING: "",
    JobState.DONE: "good",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "",
}
SUMMARIES = {
    "check-logs": gettext_noop("derive every log of this node again from its files"),
    "reindex": gettext_noop("make the index again from the logs"),
    "evidence-pack": gettext_noop("collect everything said about a digest in one file"),
}


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step of the way to a page."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A line that a job said, with its time of day in UTC."""

    number: int
    at: datetime
    text: str

    @property
    def clock(self) -> str:
        """The time of day."""
        return self.at.strftime("%H:%M:%S")


@dataclass(frozen=True, slots=True)
class JobView:
    """A job at work or over; `looks` is the state that its badge shows, empty for a plain word.

    `milestone` changes when there is something worth announcing: a state, a quarter of the work.
    """

    id: str
    name: str
    state: JobState
    words: str
    looks: str
    label: str
    done: int
    total: int | None
    asked_at: datetime
    ended_at: datetime | None
    cancelling: bool
    failure: str | None
    where: str | None
    remedy: str | None
    result: str | None
    lines: tuple[Said, ...]
    after: int
    milestone: str
    announced: str

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state.over

    @property
    def href(self) -> str:
        """Its page."""
        return f"/jobs/{self.id}"


@dataclass(frozen=True, slots=True)
class JobPage:
    """One job."""

    as_of: datetime
    title: str
    crumbs: tuple[Crumb, ...]
    job: JobView


@dataclass(frozen=True, slots=True)
class JobsPage:
    """The newest jobs, and why none run, if none do."""

    as_of: datetime
    title: str
    jobs: tuple[JobView, ...]
    problem: str | None


def job_view(job: Job, lines: Sequence[LogLine] = (), after: int = 0) -> JobView:
    """Return a job as pages show it, with the lines above `after`."""
    answered_no = job.state is JobState.DONE and job.exit_code == 1
    words = _("done, and the answer is no") if answered_no else _(WORDS[job.state])
    failure = job.failure
    return JobView(
        id=job.id,
        name=job.name,
        state=job.state,
        words=words,
        looks="failed" if answered_no else _LOOKS[job.state],
        label=_label(job),
        done=min(job.progress.done, job.progress.total or job.progress.done),
        total=job.progress.total,
        asked_at=datetime.fromtimestamp(job.asked_at, UTC),
        ended_at=None if job.ended_at is None else datetime.fromtimestamp(job.ended_at, UTC),
        cancelling=job.cancelling,
        failure=failure.what if failure else None,
        where=failure.where if failure else None,
        remedy=failure.remedy if failure else None,
        result=json.dumps(job.result, indent=2, ensure_ascii=False) if job.result else None,
        lines=tuple(Said(line.number, datetime.fromtimestamp(line.at, UTC), line.text) for line in lines),
        after=lines[-1].number if lines else after,
        milestone=_milestone(job),
        announced=_announced(job, words),
    )


def job_page(jobs: Jobs, job: Job) -> JobPage:
    """Build the page of a job, with the newest of its lines."""
    found: list[LogLine] = []
    while more := jobs.log(job.id, found[-1].number if found else 0):
        found = [*found, *more][-MAX_LINES:]
    crumbs = (Crumb(_("Jobs"), "/jobs"), Crumb(job.id))
    return JobPage(timezone.now(), job.id, crumbs, job_view(job, found))


def jobs_page(jobs: Jobs) -> JobsPage:
    """Build the page of all jobs."""
    listed = tuple(job_view(job) for job in jobs.recent(MAX_LISTED))
    return JobsPage(timezone.now(), _("Jobs"), listed, jobs.problem())


def _label(job: Job) -> str:
    if job.cancelling:
        return _("stops before its next step")
    if job.state is JobState.WAITING:
        return _("waits for its turn")
    return job.progress.doing or _(WORDS[job.state])


def _percent(job: Job) -> int | None:
    """Return how far a job is in steps of 25: what is worth being read out."""
    total = job.progress.total
    return None if not total else min(100, 25 * (4 * job.progress.done // total))


def _milestone(job: Job) -> str:
    far = None if job.state.over else _percent(job)
    return f"{job.state.value}{'-stops' if job.cancelling else ''}{'' if far is None else f'-{far}'}"


def _announced(job: Job, words: str) -> str:
    far = None if job.state.over else _percent(job)
    if job.cancelling:
        return _label(job)
    return words if far is None else _("%(state)s, %(percent)d %%") % {"state": words, "percent": far}
