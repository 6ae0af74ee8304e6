"""Runs two commands in turn, takes the medians and says whether the goal is met.

The two are started alternately (ours, peer, peer, ours, …), so that a machine that slows down or speeds up in
the course of a run does so for both. One start of each comes before the clock: it fills the page cache and
writes the bytecode. Every timed start must end with the exit code expected of it; a fast wrong answer is none.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any

from pellucid.errors import EvidenceError, UnavailableError

COMMAND_TIMEOUT = 120.0
OUTPUT_SHOWN = 2000
# Whatever of these the caller has set would slow one side or both, and not evenly.
PYTHON_SWITCHES = (
    "PYTHONDEVMODE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "PYTHONPROFILEIMPORTTIME",
    "PYTHONTRACEMALLOC",
    "PYTHONVERBOSE",
)


class WrongAnswerError(EvidenceError):
    """Our command did not give the answer the bench expects, so its time means nothing."""


class PeerError(UnavailableError):
    """The peer cannot be had, or does not do here what it is measured for."""


class Better(StrEnum):
    """Which way a figure is good."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked for: a scratch folder, the number of timed pairs, a demo home to reuse."""

    scratch: Path
    pairs: int = 15
    home: Path | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: `ours` and `peer` are medians in `unit`, `goal` is a bound on their ratio."""

    name: str
    ours: float
    peer: float
    unit: str
    better: Better
    goal: float

    @property
    def ratio(self) -> float:
        """Ours divided by the peer's raw figure."""
        return self.ours / self.peer

    @property
    def met(self) -> bool:
        """Whether the ratio is on the good side of the goal; the goal itself is on it."""
        return self.ratio <= self.goal if self.better is Better.LOWER else self.ratio >= self.goal

    def as_json(self) -> dict[str, Any]:
        """Return the row with exactly the fields of the printed document."""
        return {
            "name": self.name,
            "ours": self.ours,
            "peer": self.peer,
            "unit": self.unit,
            "ratio": self.ratio,
            "better": self.better.value,
            "goal": self.goal,
            "met": self.met,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of one run and the versions of the peers they were measured against."""

    rows: tuple[Row, ...]
    peers: Mapping[str, str]

    @property
    def met(self) -> bool:
        """Whether every row meets its goal."""
        return all(row.met for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return `{"rows": […], "peers": {name: version}}`."""
        return {"rows": [row.as_json() for row in self.rows], "peers": dict(self.peers)}


@dataclass(frozen=True, slots=True)
class Bench:
    """A named comparison; `run` prepares both sides, measures them and returns the report."""

    name: str
    about: str
    run: Callable[[Options], Report]


@dataclass(frozen=True, slots=True)
class Command:
    """A command to be timed: who it is, how it is started, and the exit codes that mean it did its work."""

    name: str
    arguments: tuple[str, ...]
    expected: frozenset[int] = frozenset({0})
    failure: type[WrongAnswerError | PeerError] = WrongAnswerError

    def time(self) -> float:
        """Run once and return the wall time in seconds; raises `failure` on another exit code."""
        code, elapsed = _timed(self.arguments)
        if code not in self.expected:
            raise self.failure(
                self.explain(code),
                where=self.name,
                remedy=f"run it alone: {' '.join(self.arguments)}",
            )
        return elapsed

    def explain(self, code: int) -> str:
        """Return what was wrong with an end of `code`, with the end of what the command prints when run again."""
        if code == -signal.SIGKILL:
            return f"did not end within {COMMAND_TIMEOUT:g} s"
        done = capture(self.arguments)
        printed = (done.stderr.strip() or done.stdout.strip() or "it printed nothing")[-OUTPUT_SHOWN:]
        return f"ended with {code} where {_one_of(self.expected)} was expected: {printed}"


def _timed(arguments: Sequence[str]) -> tuple[int, float]:
    """Run a command with its output thrown away; return exit code and seconds, (-1, 0.0) if it cannot start.

    A timer ends a command that hangs: waiting with a timeout polls, and would round the time up by up to 50 ms.
    """
    environment = _environment()
    start = time.perf_counter()
    try:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
    except OSError:
        return -1, 0.0
    watchdog = threading.Timer(COMMAND_TIMEOUT, process.kill)
    watchdog.start()
    try:
        code = process.wait()
        return code, time.perf_counter() - start
    finally:
        watchdog.cancel()


def capture(
    arguments: Sequence[str], *, cwd: Path | None = None, timeout: float = COMMAND_TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it printed; exit code 127 and the reason when it cannot be started."""
    try:
        return subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=cwd,
            env=_environment(),
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(arguments, 127, "", str(error))


def interleave(commands: Sequence[Command], pairs: int) -> list[float]:
    """Time the commands in turn, `pairs` times, each round in the reverse order of the last.

    Returns the median wall time of each in seconds, in the order given.
    """
    times: dict[str, list[float]] = {command.name: [] for command in commands}
    for command in commands:
        command.time()
    order = list(commands)
    for done in range(pairs):
        for command in order:
            times[command.name].append(command.time())
        order.reverse()
        progress(f"round {done + 1} of {pairs}", end="\r" if sys.stderr.isatty() else "\n")
    for name, taken in times.items():
        progress(f"{name}: {min(taken):.4f} to {max(taken):.4f} s, median {median(taken):.4f} s, n = {pairs}")
    return [median(times[command.name]) for command in commands]


def progress(text: str, end: str = "\n") -> None:
    """Tell the person who waits; on stderr, since stdout belongs to the result."""
    print(text, file=sys.stderr, end=end, flush=True)


def as_table(report: Report) -> str:
    """Return the report as a Markdown table with the peers' versions under it."""
    head = ("measure", "ours", "peer", "unit", "ratio", "goal", "met")
    lines = [head, *(_cells(row) for row in report.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = tuple("-" * width for width in widths)
    table = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in (head, rule, *lines[1:])
    ]
    peers = ", ".join(f"{name} {version}" for name, version in report.peers.items())
    return "\n".join([*table, "", f"Peers: {peers}"])


def _cells(row: Row) -> tuple[str, ...]:
    sign = "≤" if row.better is Better.LOWER else "≥"
    return (
        row.name,
        f"{row.ours:.4g}",
        f"{row.peer:.4g}",
        row.unit,
        f"{row.ratio:.3f}",
        f"{sign} {row.goal:g}",
        "yes" if row.met else "no",
    )


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in PYTHON_SWITCHES}


def _one_of(codes: frozenset[int]) -> str:
    return " or ".join(str(code) for code in sorted(codes))
