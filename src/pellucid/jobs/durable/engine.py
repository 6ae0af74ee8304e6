"""DBOS behind our port: it keeps what steps gave, and deals jobs out to the processes that share a database.

Its traps, and what is done about each: values are JSON, never pickles; the application version is a constant, so that
an upgrade finds what was begun before it; executor ids are used once, and what a dead executor left is adopted here;
the ledger says what is wanted, and whatever of it is missing here is enqueued again; it logs warnings only.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos._serialization import DBOSPortableJSON  # its JSON serializer is public by configuration only

from pellucid.jobs.performing import Performer
from pellucid.jobs.work import PartedError

VERSION = "jobs-1"  # changed by hand, when steps that were begun before can no longer be replayed
QUEUE = "pellucid-jobs"
_WORKFLOW = "pellucid-job"
_APPLICATION = "pellucid"
_WAIT = 0.2
_POOL = 4


class DbosSteps:
    """Steps whose results are kept in the database of DBOS."""

    def run(self, name: str, body: Callable[[], Any]) -> Any:
        """See `Steps.run`."""
        return DBOS.run_step({"name": name}, body)


class Engine:
    """DBOS, launched; one for each process."""

    def __init__(self, url: str, executor: str, performer: Performer, poll: float, at_once: int) -> None:
        self._executor = executor
        self._performer = performer
        self._poll = poll
        self._enqueued: set[str] = set()
        self._suspects: set[str] = set()
        self._active: set[str] = set()
        self._lock = threading.Lock()
        self._cut = threading.Event()
        _log_to_stderr()
        DBOS(config=_config(url, executor, poll))
        _running[:] = [self]
        try:
            DBOS.launch()
            DBOS.register_queue(
                QUEUE, worker_concurrency=at_once, polling_interval_sec=poll, on_conflict="always_update"
            )
        except BaseException:
            DBOS.destroy()
            raise

    def enqueue(self, wanted: Iterable[str]) -> None:
        """Have jobs done that are not known yet; twice is once."""
        for job_id in wanted:
            if job_id not in self._enqueued:
                with SetWorkflowID(job_id):
                    DBOS.enqueue_workflow(QUEUE, _work, job_id)
                self._enqueued.add(job_id)

    def look_after(self, wanted: Collection[str], alive: Collection[str]) -> list[str]:
        """Adopt what the dead left and what this process lost; return wanted jobs that ended without a word."""
        found = DBOS.list_workflows(workflow_ids=list(wanted), load_input=False, load_output=False)
        pending = {item.workflow_id: item.executor_id for item in found if item.status == "PENDING"}
        dead = {executor for executor in pending.values() if executor is not None} - set(alive)
        if dead:
            # Moves only what still belongs to the dead, so that two processes may do it at the same time.
            DBOS._recover_pending_workflows(sorted(dead))  # noqa: SLF001 - resuming is public, but no compare-and-set
        with self._lock:
            lost = {job for job, executor in pending.items() if executor == self._executor and job not in self._active}
        silent = {item.workflow_id for item in found if item.status not in {"PENDING", "ENQUEUED", "DELAYED"}}
        strange, self._suspects = (lost | silent) & self._suspects, lost | silent
        cancelled = {item.workflow_id for item in found if item.status == "CANCELLED"}
        again = sorted(strange & (lost | cancelled))
        if again:
            DBOS.resume_workflows(again, queue_name=QUEUE)
        return sorted(strange & silent - cancelled)

    def forget(self, ended: list[str]) -> None:
        """Delete what is kept of jobs that ended long ago."""
        if ended:
            DBOS.delete_workflows(ended)

    def close(self, within: float) -> None:
        """Stop taking jobs, give those that run `within` seconds to leave off after a step, and end."""
        self._performer.stopping, before = True, self._performer.stopping
        end = time.monotonic() + within
        while self._active and time.monotonic() < end:
            time.sleep(0.02)
        self._cut.set()
        DBOS.destroy()
        _running.clear()
        self._performer.stopping = before

    def perform(self, job_id: str) -> None:
        """Do a job in a thread that does not keep the process; PartedError leaves it to whoever comes next."""
        ended: list[BaseException | None] = []

        def body() -> None:
            try:
                self._performer.perform(job_id, DbosSteps())
                ended.append(None)
            except BaseException as error:  # noqa: BLE001 - it is raised again where DBOS waits
                ended.append(error)

        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(body,), daemon=True, name=f"job {job_id}")
        with self._lock:
            self._active.add(job_id)
        try:
            thread.start()
            while thread.is_alive() and not self._cut.is_set():
                thread.join(_WAIT)
        finally:
            with self._lock:
                self._active.discard(job_id)
        if not ended or ended[0] is not None:
            # No Exception: DBOS would take it for the outcome. So the job stays pending, and is adopted.
            raise PartedError from (ended[0] if ended else None)


_running: list[Engine] = []


@DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)
def _work(job_id: str) -> None:
    """Do the job; all that DBOS knows of it is its id and its steps."""
    if not _running:
        raise PartedError
    _running[0].perform(job_id)


def _log_to_stderr() -> None:
    """Give the library's logger a handler before it makes one that keeps today's stderr for ever."""
    logger = logging.getLogger("dbos")
    if not logger.handlers and logging.lastResort is not None:
        logger.addHandler(logging.lastResort)
        logger.propagate = False


def _config(url: str, executor: str, poll: float) -> DBOSConfig:
    return {
        "name": _APPLICATION,
        "system_database_url": url,
        "sys_db_pool_size": _POOL,
        "serializer": DBOSPortableJSON,
        "application_version": VERSION,
        "executor_id": executor,
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": max(1.0, poll),
        "use_listen_notify": False,
    }
