"""The port of long work: what a caller may ask, and what a job may say of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class JobState(StrEnum):
    """How a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: `done` of `total` (None while nobody knows) in `unit`, and what it does now."""

    done: int = 0
    total: int | None = None
    unit: str = ""
    doing: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: what, where, remedy."""

    what: str
    where: str | None = None
    remedy: str | None = None
    exit_code: int = 3


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work; times are Unix seconds. `result` is JSON and None until it is done.

    `asked_by` is the account that started it (None: the node itself, or its command line). `cancelling` tells that it
    was told to stop and has not stopped yet. A result whose `ok` is False is an answer, and the answer is no.
    """

    id: str
    name: str
    state: JobState
    progress: Progress
    asked_at: float
    ended_at: float | None = None
    result: Mapping[str, Any] | None = None
    failure: Failure | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    asked_by: str | None = None
    cancelling: bool = False

    @property
    def exit_code(self) -> int:
        """0 done and the answer is yes, 1 done and it is no, else as the failure says; 3 while it is not over."""
        if self.state is JobState.DONE:
            return 1 if self.result is not None and self.result.get("ok") is False else 0
        return self.failure.exit_code if self.failure is not None else 3


@dataclass(frozen=True, slots=True)
class Offer:
    """A job that can be started here by hand: its name, what it does in a line, and its arguments by name."""

    name: str
    summary: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a job said; `number` counts from 1, `at` is in Unix seconds."""

    number: int
    at: float
    text: str


class Jobs(Protocol):
    """Starts, watches and cancels work. Safe between threads and processes."""

    def start(self, name: str, job_id: str, arguments: Mapping[str, Any], *, asked_by: str | None = None) -> Job:
        """Have the job `name` done under `job_id`, its natural key; starting it again finds the one that is there.

        Durable when it returns. InputError for an unknown name, an unusable id or arguments that do not fit.
        """

    def check(self, name: str, job_id: str, arguments: Mapping[str, Any]) -> None:
        """Raise the InputError that `start` would; nothing is started."""

    def status(self, job_id: str) -> Job | None:
        """Return how a job stands, None if there is none."""

    def recent(self, limit: int, *, name: str | None = None) -> Sequence[Job]:
        """Return jobs, newest first."""

    def log(self, job_id: str, after: int = 0) -> Sequence[LogLine]:
        """Return the lines with a number above `after`."""

    def cancel(self, job_id: str) -> bool:
        """Stop a job before its next step; False if it was over."""

    def problem(self) -> str | None:
        """Say why jobs do not run here, None while they do."""

    def offers(self) -> Sequence[Offer]:
        """Return what may be started by hand, by name."""
