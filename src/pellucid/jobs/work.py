"""How a job is written: `@job` names it, `@step` marks what is done once, and `Work` is its way to speak.

    class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        release: str

    @step
    def compare(work: Work, path: str) -> dict[str, int]: ...

    @job("compare-release", Arguments, summary="compare a release with its rebuild")
    def compare_release(work: Work, asked: Arguments) -> Mapping[str, Any]:
        for done, path in enumerate(paths):
            work.progress(done, len(paths), unit="files", doing=path)
            work.say(f"{path}: {compare(work, path)['differences']} differences")

A job that was killed begins again from its top: a step that has ended gives what it gave before, the one that was
running runs again. So a step's effects are idempotent, everything outside of steps is quick and decides by arguments
and by what steps gave, and the order of steps is always the same. Lines are kept once, however often they are said.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

import msgspec

from pellucid.errors import InputError, UnavailableError
from pellucid.jobs.port import Offer

MAX_ID = 120
MAX_JSON = 1 << 20
_ID = re.compile(r"[a-z][a-z0-9.-]*", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)


class JobError(InputError):
    """A job cannot be started as it was asked for."""


class CancelledError(BaseException):
    """The job was told to stop; passes through whatever a job catches."""


class PartedError(BaseException):
    """The process stops: the job goes on elsewhere, or here after the next start."""


class Steps(Protocol):
    """Keeps what steps gave."""

    def run(self, name: str, body: Callable[[], Any]) -> Any:
        """Return what `body` gives, or gave when it ended before; JSON."""


class Voice(Protocol):
    """Where a job's progress and lines go."""

    def progress(self, done: int, total: int | None, unit: str, doing: str) -> None:
        """Keep how far it is; raises CancelledError or PartedError when the job has to stop."""

    def say(self, place: str, text: str) -> None:
        """Keep a line; the one at the same place is the same line."""

    def check(self) -> None:
        """Raise CancelledError or PartedError when the job has to stop."""


T = TypeVar("T")
A = TypeVar("A", bound=msgspec.Struct)
P = ParamSpec("P")


class Tools:
    """What the process offers to jobs, by type: `Tools(home, Reindexing(…))`."""

    def __init__(self, home: Path, *offered: object) -> None:
        self.home = home
        self._offered = {type(tool): tool for tool in offered}

    def get(self, kind: type[T]) -> T:
        """Return the tool of a type; UnavailableError where this process has none."""
        found = self._offered.get(kind)
        if found is None:
            remedy = "start it on a node that runs: `pellucid serve`"
            raise UnavailableError(f"this process has no {kind.__name__} to offer", remedy=remedy)
        return cast("T", found)


class Work:
    """A job at work: `id`, its home, and what it may say."""

    def __init__(self, job_id: str, tools: Tools, steps: Steps, voice: Voice) -> None:
        self.id = job_id
        self._tools = tools
        self._steps = steps
        self._voice = voice
        self._step = self._lines = 0
        self._inside = False

    @property
    def home(self) -> Path:
        """The node's home."""
        return self._tools.home

    def tool(self, kind: type[T]) -> T:
        """Return what the process offers of a type; see `Tools.get`."""
        return self._tools.get(kind)

    def progress(self, done: int, total: int | None = None, *, unit: str = "", doing: str = "") -> None:
        """Say how far the job is; kept a few times a second at most. The job stops here if it was cancelled."""
        self._voice.progress(done, total, unit, doing)

    def say(self, text: str) -> None:
        """Add a line to the job's log; no secrets, nothing private."""
        place = f"{'s' if self._inside else 'b'}{self._step}.{self._lines}"
        self._lines += 1
        self._voice.say(place, text)

    def step(self, name: str, body: Callable[[], T]) -> T:
        """Do something that is done once if it ends, and return what it gave: JSON, a megabyte at most."""
        if self._inside:
            return body()
        self._voice.check()
        self._step += 1
        self._lines = 0
        return cast("T", self._steps.run(name, lambda: self._within(body)))

    def _within(self, body: Callable[[], T]) -> T:
        self._inside = True
        try:
            return body()
        finally:
            self._inside, self._lines = False, 0


def step(function: Callable[Concatenate[Work, P], T]) -> Callable[Concatenate[Work, P], T]:
    """Make a function a step of whatever job calls it; its first argument is the Work."""

    @wraps(function)
    def stepped(work: Work, /, *args: P.args, **options: P.kwargs) -> T:
        return work.step(function.__name__, lambda: function(work, *args, **options))

    return stepped


class NoArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of a job that takes none."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job: `run` does it. Whoever may start jobs by hand may start those that are `offered`."""

    name: str
    arguments: type[msgspec.Struct]
    run: Callable[[Work, Any], Mapping[str, Any]]
    summary: str
    offered: bool

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return arguments as they are kept; JobError names the one that does not fit. Words become numbers."""
        try:
            found = msgspec.convert(dict(given), self.arguments, strict=False)
        except msgspec.ValidationError as error:
            wanted = ", ".join(field.name for field in msgspec.structs.fields(self.arguments)) or "none"
            raise JobError(str(error), where=f"arguments of {self.name}", remedy=f"it takes: {wanted}") from None
        return cast("dict[str, Any]", msgspec.to_builtins(found))

    def offer(self) -> Offer:
        """Return how it is shown to those who may start it."""
        fields = msgspec.structs.fields(self.arguments)
        needed = {field.name: "required" if field.required else "optional" for field in fields}
        return Offer(self.name, self.summary, needed)


Registry = Mapping[str, Kind]


def job(
    name: str, arguments: type[A], *, summary: str, offered: bool = False
) -> Callable[[Callable[[Work, A], Mapping[str, Any]]], Kind]:
    """Make a function a kind of job, to be listed in `capabilities.jobs`; `NoArguments` where it takes none."""

    def decorate(run: Callable[[Work, A], Mapping[str, Any]]) -> Kind:
        if _NAME.fullmatch(name) is None:
            raise ValueError(name)
        return Kind(name, arguments, run, summary, offered)

    return decorate


def registry_of(*kinds: Kind) -> Registry:
    """Return kinds by name; ValueError if a name stands twice."""
    found = {kind.name: kind for kind in kinds}
    if len(found) != len(kinds):
        raise ValueError([kind.name for kind in kinds])
    return found


def known(registry: Registry, name: str) -> Kind:
    """Return the kind of a name; JobError if there is none."""
    if name not in registry:
        remedy = f"there are: {', '.join(sorted(registry)) or 'none'}"
        raise JobError(f"there is no job {name[:60]!r}", remedy=remedy)
    return registry[name]


def checked_id(job_id: str) -> str:
    """Return a job's id if it is one: 1 to 120 of a-z, 0-9, dot and hyphen, a letter first."""
    if len(job_id) > MAX_ID or _ID.fullmatch(job_id) is None:
        raise JobError(
            f"{job_id[:60]!r} is no id of a job", remedy="begin with a letter, go on with a-z, 0-9, dots and hyphens"
        )
    return job_id


def natural_id(name: str, arguments: Mapping[str, Any], at: float | None = None) -> str:
    """Return the id of a job that is asked for by hand: the same question in the same minute (UTC) is one job."""
    minute = time.strftime("%Y%m%d-%H%M", time.gmtime(at))
    if not arguments:
        return f"{name}-{minute}"
    digest = hashlib.sha256(msgspec.json.encode(dict(arguments), order="sorted")).hexdigest()
    return f"{name}-{digest[:12]}-{minute}"
