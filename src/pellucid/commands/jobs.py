"""Start, watch and cancel long work: what is begun survives a kill, and goes on with the step that was cut.

Beside a running node the node does it, and Ctrl-C only ends the watching; else it is done here, and what is cut goes on
with the next `serve` or `jobs start`. Exit 0: done, and the answer is yes. 1: done, and the answer is no. 2 and 3: it
failed, was cancelled, or is not over.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from pellucid.capabilities import jobs as kinds
from pellucid.desk import Outcome
from pellucid.errors import InputError, UnavailableError
from pellucid.jobs.inline import LedgerJobs
from pellucid.jobs.ledger import MAX_LISTED, Ledger, SqliteStore
from pellucid.jobs.port import Job, LogLine
from pellucid.jobs.work import natural_id
from pellucid.record.home import Home
from pellucid.statement.moment import format_time
from pellucid.terminal import Progress, progress, say

EXAMPLES = """
  pellucid jobs start check-logs
  pellucid jobs start evidence-pack digest=9f86…64 hex digits…
  pellucid jobs list
  pellucid jobs follow check-logs-20270311-0905
  pellucid jobs cancel check-logs-20270311-0905
"""
_POLL = 0.25
_DATABASE = "jobs.db"
_STARTED_WITHIN = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="start|list|show|follow|cancel")
    start = actions.add_parser("start", help="have a job done, and follow it to its end")
    start.add_argument("name", metavar="NAME", help="which job; a wrong name lists them")
    start.add_argument("arguments", metavar="NAME=VALUE", nargs="*", help="its arguments")
    start.add_argument("--id", metavar="ID", help="its natural key (default: name, arguments and minute)")
    start.add_argument("--detach", action="store_true", help="beside a running node: do not wait for the end")
    listing = actions.add_parser("list", help="jobs, newest first")
    listing.add_argument("--limit", type=int, default=20, metavar="N", help="how many at most (default 20)")
    for name, text in (("show", "how a job stands, and all it said"), ("follow", "watch a job to its end")):
        actions.add_parser(name, help=text).add_argument("id", metavar="ID", help="the job")
    actions.add_parser("cancel", help="stop a job before its next step").add_argument("id", metavar="ID")


def run(args: argparse.Namespace) -> Outcome:
    """Ask the home's jobs."""
    home = Home.find(args.home)
    if args.action == "start":
        return _start(home, args)
    if not (home.path / _DATABASE).exists() and args.action != "list":
        raise _unknown(args.id)
    with LedgerJobs(Ledger(SqliteStore(home.path / _DATABASE)), kinds()) as jobs:
        if args.action == "list":
            return _list(jobs, args.limit)
        job = jobs.status(args.id)
        if job is None:
            raise _unknown(args.id)
        if args.action == "cancel":
            return _cancel(jobs, job)
        if args.action == "follow":
            return _shown(jobs, _followed(jobs, job.id), said=True)
        return _shown(jobs, job)


def _start(home: Home, args: argparse.Namespace) -> Outcome:
    arguments: dict[str, Any] = dict(_argument(word) for word in args.arguments)
    job_id = args.id or natural_id(args.name, arguments)
    with _at_work(home) as (jobs, is_served):
        job = jobs.start(args.name, job_id, arguments)
        if args.detach and is_served:
            return Outcome(_described(job), f"{job.id}: the running node does it; `pellucid jobs follow {job.id}`")
        return _shown(jobs, _followed(jobs, job.id), said=True)


@contextmanager
def _at_work(home: Home) -> Iterator[tuple[LedgerJobs, bool]]:
    """Lend the jobs of a home, and tell whether a running node does them; else they are done in this process."""
    if home.holder() is not None:
        with LedgerJobs(Ledger(SqliteStore(home.path / _DATABASE)), kinds()) as asked:
            yield asked, True
        return
    from pellucid.jobs.durable import DurableJobs, Pace  # noqa: PLC0415 - only where the jobs are done here
    from pellucid.node.job_tools import tools_of  # noqa: PLC0415

    with DurableJobs.open(home.path / _DATABASE, kinds(), tools_of(home), pace=Pace(poll=0.2)) as done_here:
        yield done_here, False


def _followed(jobs: LedgerJobs, job_id: str) -> Job:
    """Wait for the end of a job and show how far it is; Ctrl-C ends the watching."""
    begun, after = time.monotonic(), 0
    with progress(job_id, unit="") as bar:
        while True:
            job = _present(jobs, job_id)
            lines = jobs.log(job_id, after)
            for line in lines:
                say(f"  {line.text}")
            after = lines[-1].number if lines else after
            if job.state.over:
                return job
            _draw(bar, job)
            problem = jobs.problem()
            if problem is not None and time.monotonic() - begun > _STARTED_WITHIN:
                raise UnavailableError(problem, where=job_id, remedy="it is kept, and goes on once they run")
            time.sleep(_POLL)


def _draw(bar: Progress, job: Job) -> None:
    if job.progress.total:
        bar.reach(job.progress.done, job.progress.total)
    else:
        bar.advance(0)


def _list(jobs: LedgerJobs, limit: int) -> Outcome:
    if not 0 < limit <= MAX_LISTED:
        raise InputError(f"{limit} is no number of jobs", where="--limit", remedy=f"give 1 to {MAX_LISTED}")
    found = jobs.recent(limit)
    lines = [f"{job.id:<40}  {job.state.value:<9}  {format_time(int(job.asked_at))}  {_far(job)}" for job in found]
    offers = [f"  {offer.name:<16}{offer.summary}" for offer in jobs.offers()]
    text = "\n".join([*(lines or ["no job was started yet"]), "", "jobs to start:", *offers])
    return Outcome({"jobs": [_described(job) for job in found]}, text)


def _cancel(jobs: LedgerJobs, job: Job) -> Outcome:
    if not jobs.cancel(job.id):
        text = f"{job.id} is over: {job.state.value}; nothing was cancelled"
        return Outcome(_described(job) | {"told": False}, text, 1)
    now = _present(jobs, job.id)
    text = f"{job.id}: cancelled" if now.state.over else f"{job.id}: it stops before its next step"
    return Outcome(_described(now) | {"told": True}, text)


def _shown(jobs: LedgerJobs, job: Job, *, said: bool = False) -> Outcome:
    """Return a job with its log, which is not shown again where it was `said` on the way."""
    lines = _all_lines(jobs, job.id)
    json = _described(job) | {"log": [{"number": line.number, "at": line.at, "text": line.text} for line in lines]}
    text = [f"{job.id}: {job.state.value}", *([f"  {_far(job)}"] if not job.state.over else [])]
    if job.failure is not None:
        where = f" ({job.failure.where})" if job.failure.where else ""
        text.append(f"  {job.failure.what}{where}")
        text += [f"  remedy: {job.failure.remedy}"] if job.failure.remedy else []
    if not said:
        text += [f"  {format_time(int(line.at))}  {line.text}" for line in lines]
    return Outcome(json, "\n".join(text), job.exit_code if job.state.over else 0)


def _described(job: Job) -> dict[str, Any]:
    """Return a job as JSON: times in Unix seconds, the account that asked by its pseudonym."""
    return {**asdict(job), "state": job.state.value, "exit_code": job.exit_code if job.state.over else None}


def _far(job: Job) -> str:
    done = f"{job.progress.done:,}" + (f" of {job.progress.total:,}" if job.progress.total else "")
    told = f"{done} {job.progress.unit}".strip() if job.progress.done or job.progress.total else ""
    return " ".join(part for part in (told, job.progress.doing, "(told to stop)" if job.cancelling else "") if part)


def _all_lines(jobs: LedgerJobs, job_id: str) -> list[LogLine]:
    lines: list[LogLine] = []
    while more := jobs.log(job_id, lines[-1].number if lines else 0):
        lines += more
    return lines


def _present(jobs: LedgerJobs, job_id: str) -> Job:
    job = jobs.status(job_id)
    if job is None:
        raise _unknown(job_id)
    return job


def _argument(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise InputError(f"{word[:60]!r} is no argument of a job", remedy="write NAME=VALUE")
    return name, value


def _unknown(job_id: str) -> InputError:
    return InputError(f"there is no job {job_id[:120]!r}", remedy="`pellucid jobs list` shows them")
