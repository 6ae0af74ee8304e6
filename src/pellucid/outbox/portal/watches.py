"""What every node watches of itself: cosignatures that are missing, alarms, jobs that ended."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from hashlib import sha256

from django.core.exceptions import ImproperlyConfigured

from pellucid.jobs.port import Job
from pellucid.jobs.portal import door as jobs_door
from pellucid.outbox.clock import Clock, Due, Watch, Wrong
from pellucid.outbox.notice import Notice, NoticeKind, is_path, spoken
from pellucid.outbox.portal.expiries import EXPIRIES
from pellucid.outbox.speaker import Speaker
from pellucid.people.permissions import Permission
from pellucid.record.facts import Alarm

OPERATORS = Permission.SEE_OUTBOX
_JOBS_SEEN = 100
_JOBS_TOLD_WITHIN = 86_400


def watch_node(speaker: Speaker) -> tuple[Clock | Watch, ...]:
    """Return the clocks and watches of a node that is being served."""
    return (
        Watch("cosignatures", partial(missing_cosignatures, speaker)),
        Clock("alarms", partial(alarms, speaker), every=30.0),
        Clock("jobs", ended_jobs, every=10.0),
        *EXPIRIES,
    )


def missing_cosignatures(speaker: Speaker, _now: int) -> list[Wrong] | None:
    """Return each cosigner that was asked at the last publication, or should have been, and did not cosign."""
    status = speaker.publication
    if not status.tried_at:
        return None
    log = spoken(speaker.home.settings.name)
    nodes = (spoken(absent.name.removesuffix("/witness")) for absent in status.missing)
    return [Wrong(node, partial(_lost, log, node)) for node in nodes]


def alarms(speaker: Speaker, _now: int) -> Iterator[Due]:
    """Yield a notice for each alarm that the node's own pages show."""
    origins = {log.id: log.origin for log in speaker.views.logs()}
    for alarm in speaker.views.alarms():
        words: dict[str, str | int] = {"alarm": alarm.kind}
        if alarm.log in origins:
            words["log"] = spoken(origins[alarm.log])
        if alarm.statements:
            words["statement"] = alarm.statements[0]
        yield Due(Notice(NoticeKind.ALARM, f"alarm:{alarm_id(alarm)}", "/", words), holders=OPERATORS)


def alarm_id(alarm: Alarm) -> str:
    """Return a name that stays the same for the same alarm: SHA-256 over what it is about, in hexadecimal."""
    at = alarm.at.isoformat() if alarm.at else ""
    parts = (alarm.kind, alarm.what, alarm.log or "", at, *sorted(alarm.statements))
    return sha256("\0".join(parts).encode()).hexdigest()


def ended_jobs(now: int) -> Iterator[Due]:
    """Yield a notice for each job that ended within a day and that somebody asked for, or that failed."""
    try:
        jobs = jobs_door.jobs()
    except ImproperlyConfigured:  # none run here
        return
    for job in jobs.recent(_JOBS_SEEN):
        if job.state.over and job.ended_at is not None and now - job.ended_at < _JOBS_TOLD_WITHIN:
            failed = job.exit_code != 0
            if job.asked_by is not None or failed:
                asked = frozenset({job.asked_by} if job.asked_by else ())
                yield Due(_job_ended(job), asked, None if asked else Permission.RUN_JOBS)


def _job_ended(job: Job) -> Notice:
    page = f"/jobs/{job.id}"
    words: dict[str, str | int] = {"job": job.name, "state": job.state.value}
    named = sha256(job.id.encode()).hexdigest()
    return Notice(NoticeKind.JOB_ENDED, f"job:{named}", page if is_path(page) else "/jobs", words)


def _lost(log: str, node: str, since: int) -> Due:
    words: dict[str, str | int] = {"log": log, "node": node, "since": since}
    named = sha256(f"{log}\0{node}".encode()).hexdigest()
    return Due(Notice(NoticeKind.COSIGNATURE_LOST, f"cosignature:{named}:{since}", "/nodes", words), holders=OPERATORS)
