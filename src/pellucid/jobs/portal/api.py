"""`/api/jobs`: long work, started, watched and cancelled by programs. Times are RFC 3339, UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Path as InPath
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field, StringConstraints

from pellucid.jobs.port import Job, JobState
from pellucid.jobs.portal import door
from pellucid.jobs.portal.seeing import seen
from pellucid.jobs.portal.views import cancelled, started
from pellucid.people.permissions import Permission
from pellucid.people.portal.api import REFUSALS_OF_INPUT, ErrorBody, needs

_MOST_JOBS = 200
_NO_JOB: dict[int, type[Schema]] = {404: ErrorBody, **REFUSALS_OF_INPUT}

JobId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.-]{0,119}$", max_length=120)]
Value = Annotated[str, StringConstraints(max_length=200)] | int | bool
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$", max_length=40)]


class ProgressBody(Schema):
    """How far a job is: `done` of `total` (null while nobody knows) in `unit`, and what it is `doing`."""

    done: int
    total: int | None
    unit: str
    doing: str


class FailureBody(Schema):
    """Why a job failed."""

    what: str
    where: str | None
    remedy: str | None


class JobBody(Schema):
    """A job. `ok` tells whether its answer is yes (null until it is done); `asked_by` is an account's pseudonym."""

    id: str
    name: str
    state: JobState
    cancelling: bool
    progress: ProgressBody
    arguments: dict[str, Any]
    asked_by: str | None
    asked_at: str
    ended_at: str | None
    ok: bool | None
    result: dict[str, Any] | None
    failure: FailureBody | None


class JobsBody(Schema):
    """Jobs, newest first."""

    jobs: list[JobBody]


class StartBody(Schema):
    """Which job to start, by `name`, with its `arguments`."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    arguments: dict[str, Value] = Field(default_factory=dict, max_length=20)


class LineBody(Schema):
    """A line that a job said; `number` counts from 1."""

    number: int
    at: str
    text: str


class LinesBody(Schema):
    """Lines of a job's log, oldest first, a thousand at most; ask again after the last `number`."""

    lines: list[LineBody]


class CancelBody(Schema):
    """Whether the job was told to stop; it was over otherwise."""

    told: bool


router = Router()


@router.get(
    "/jobs",
    response={200: JobsBody, **REFUSALS_OF_INPUT},
    auth=needs(Permission.SEE_JOBS, private=False),
    summary="The newest jobs",
)
def jobs(
    request: HttpRequest,  # noqa: ARG001 - every operation of the framework takes the request
    name: Annotated[Name | None, Query(description="only jobs of this name")] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_JOBS)] = 50,
) -> dict[str, Any]:
    """List jobs."""
    return {"jobs": [_body(job) for job in door.jobs().recent(limit, name=name)]}


@router.post(
    "/jobs",
    response={201: JobBody, 404: ErrorBody, 415: ErrorBody, **REFUSALS_OF_INPUT},
    auth=needs(Permission.RUN_JOBS, private=False),
    summary="Start a job",
)
def start(request: HttpRequest, body: StartBody) -> Status[dict[str, Any]]:
    """Start one of the jobs that are offered; the same question in the same minute gives the same job."""
    if body.name not in {offer.name for offer in door.jobs().offers()}:
        raise Http404("no such job may be started by hand")
    return Status(201, _body(started(request, body.name, dict(body.arguments))))


_OWN_OR_SEEN, _OWN_OR_RUN = (needs(None, unless_own=item) for item in (Permission.SEE_JOBS, Permission.RUN_JOBS))


@router.get("/jobs/{job_id}", response={200: JobBody, **_NO_JOB}, auth=_OWN_OR_SEEN, summary="One job")
def job(request: HttpRequest, job_id: Annotated[JobId, InPath()]) -> dict[str, Any]:
    """Give a job to who started it, or may see all."""
    return _body(seen(request, job_id))


@router.get("/jobs/{job_id}/log", response={200: LinesBody, **_NO_JOB}, auth=_OWN_OR_SEEN, summary="What a job said")
def log(
    request: HttpRequest,
    job_id: Annotated[JobId, InPath()],
    after: Annotated[int, Query(ge=0, le=10**9, description="only lines with a number above this")] = 0,
) -> dict[str, Any]:
    """Give the lines of a job's log."""
    found = door.jobs().log(seen(request, job_id).id, after)
    return {"lines": [{"number": line.number, "at": _time(line.at), "text": line.text} for line in found]}


@router.post("/jobs/{job_id}/cancel", response={200: CancelBody, **_NO_JOB}, auth=_OWN_OR_RUN, summary="Cancel a job")
def cancel(request: HttpRequest, job_id: Annotated[JobId, InPath()]) -> dict[str, Any]:
    """Stop a job before its next step; for who started it, or may run jobs."""
    return {"told": cancelled(request, seen(request, job_id, Permission.RUN_JOBS))}


def _body(job: Job) -> dict[str, Any]:
    progress, failure = job.progress, job.failure
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "cancelling": job.cancelling,
        "progress": {"done": progress.done, "total": progress.total, "unit": progress.unit, "doing": progress.doing},
        "arguments": dict(job.arguments),
        "asked_by": job.asked_by,
        "asked_at": _time(job.asked_at),
        "ended_at": None if job.ended_at is None else _time(job.ended_at),
        "ok": None if job.state is not JobState.DONE else job.exit_code == 0,
        "result": None if job.result is None else dict(job.result),
        "failure": failure and {"what": failure.what, "where": failure.where, "remedy": failure.remedy},
    }


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
