"""Doing a job: from what the ledger says of it to what the ledger says came of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pellucid.errors import EvidenceError, FatalError, PellucidError
from pellucid.jobs.ledger import Begun, Ledger
from pellucid.jobs.port import Failure, JobState, Progress
from pellucid.jobs.work import MAX_JSON, CancelledError, PartedError, Registry, Steps, Tools, Work, known

MOST_ATTEMPTS = 5
_PROGRESS_EVERY = 0.4
_START_AGAIN = "start it again; if it fails again, report what the node printed"


class StepFailedError(PellucidError):
    """A step ended in an error, now or before this process took the job over."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.what, where=failure.where, remedy=failure.remedy)
        self.failure = failure


class LedgerVoice:
    """A job's voice into the ledger; progress is written a few times a second at most."""

    def __init__(self, ledger: Ledger, job_id: str, stopping: Callable[[], bool]) -> None:
        self._ledger = ledger
        self._job_id = job_id
        self._stopping = stopping
        self._written = 0.0
        self._unwritten: Progress | None = None

    def progress(self, done: int, total: int | None, unit: str, doing: str) -> None:
        """See `Voice.progress`."""
        self._unwritten = Progress(max(0, done), total, unit, doing)
        if time.monotonic() - self._written >= _PROGRESS_EVERY:
            self._write()

    def say(self, place: str, text: str) -> None:
        """See `Voice.say`."""
        self._ledger.say(self._job_id, place, text)

    def check(self) -> None:
        """See `Voice.check`."""
        self.flush()
        self._stop_if(cancelled=self._ledger.cancelling(self._job_id))

    def flush(self) -> None:
        """Write the progress that was held back."""
        if self._unwritten is not None:
            self._write()

    def _write(self) -> None:
        progress, self._unwritten = self._unwritten or Progress(), None
        self._written = time.monotonic()
        self._stop_if(cancelled=self._ledger.progress(self._job_id, progress))

    def _stop_if(self, *, cancelled: bool) -> None:
        if cancelled:
            raise CancelledError
        if self._stopping():
            raise PartedError


class Performer:
    """Does the jobs of a registry with the tools of this process."""

    def __init__(
        self, ledger: Ledger, registry: Registry, tools: Tools, *, on_fatal: Callable[[BaseException], object] | None
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._tools = tools
        self._on_fatal = on_fatal
        self.stopping = False

    def perform(self, job_id: str, steps: Steps) -> None:
        """Do a job to its end, and note it; PartedError if this process stops first, a StorageError if it must."""
        begun = self._ledger.begin(job_id)
        if begun is None:
            return
        if begun.attempts > MOST_ATTEMPTS:
            what = f"it was begun {MOST_ATTEMPTS} times and the process died each time"
            self._ledger.end(job_id, JobState.FAILED, failure=Failure(what, remedy=_START_AGAIN))
            return
        try:
            self._attempt(begun, steps)
        except PartedError:
            self._ledger.part(job_id)
            raise

    def _attempt(self, begun: Begun, steps: Steps) -> None:
        job_id = begun.job.id
        voice = LedgerVoice(self._ledger, job_id, lambda: self.stopping)
        try:
            result = self._run(begun, Recorded(steps), voice)
        except CancelledError:
            self._ledger.end(job_id, JobState.CANCELLED)
        except FatalError as error:
            if self._on_fatal is not None and not self.stopping:
                self._on_fatal(error)
            raise
        except Exception as error:
            if self.stopping:  # what it needs may have been closed under it
                raise PartedError from error
            state, failure = self._ended_by(job_id, error)
            self._ledger.end(job_id, state, failure=failure)
        else:
            self._ledger.end(job_id, JobState.DONE, result=result)

    def _ended_by(self, job_id: str, error: Exception) -> tuple[JobState, Failure | None]:
        """Return how a job ends that broke; one that was told to stop ends as it was told."""
        if self._ledger.cancelling(job_id):
            return JobState.CANCELLED, None
        return JobState.FAILED, failure_of(error)

    def _run(self, begun: Begun, steps: Steps, voice: LedgerVoice) -> Mapping[str, Any]:
        voice.check()
        kind = known(self._registry, begun.job.name)
        work = Work(begun.job.id, self._tools, steps, voice)
        result = kind.run(work, msgspec.convert(begun.job.arguments, kind.arguments))
        voice.flush()
        found: dict[str, Any] = _as_json(dict(result))
        return found


class Recorded:
    """Steps whose errors are kept as data, so that nothing but JSON is ever stored."""

    def __init__(self, inner: Steps) -> None:
        self._inner = inner

    def run(self, name: str, body: Callable[[], Any]) -> Any:
        """See `Steps.run`; raises StepFailedError if it fails, and if it failed before."""
        kept = self._inner.run(name, lambda: _outcome(body))
        if "failure" in kept:
            raise StepFailedError(msgspec.convert(kept["failure"], Failure))
        return kept["value"]


class DirectSteps:
    """Steps that nobody remembers."""

    def run(self, name: str, body: Callable[[], Any]) -> Any:  # noqa: ARG002 - as in Steps
        """See `Steps.run`."""
        return body()


def failure_of(error: Exception) -> Failure:
    """Return an error as it is kept; of a mistake in the program only its kind, since its text may quote anything."""
    if isinstance(error, StepFailedError):
        return error.failure
    if isinstance(error, PellucidError):
        return Failure(error.what, error.where, error.remedy, error.exit_code)
    if isinstance(error, OSError) and error.strerror:
        return Failure(
            error.strerror, str(error.filename) if error.filename else None, "mend the cause, start it again"
        )
    traceback.print_exception(error)
    return Failure(f"unexpected {type(error).__name__}; this is a mistake in the program", remedy=_START_AGAIN)


def _outcome(body: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"value": _as_json(body())}
    except FatalError:
        raise
    except Exception as error:  # noqa: BLE001 - kept with the step, and raised from there
        return {"failure": msgspec.to_builtins(failure_of(error))}


def _as_json(value: Any) -> Any:
    """Return what is left of a value once it was written as JSON; EvidenceError above a megabyte."""
    data = msgspec.json.encode(value)
    if len(data) > MAX_JSON:
        remedy = "keep large results in files, and return their digests"
        raise EvidenceError(f"a result of {len(data):,} bytes is too large to keep", remedy=remedy)
    return msgspec.json.decode(data)
