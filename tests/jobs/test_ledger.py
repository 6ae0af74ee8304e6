"""The ledger: whatever is asked of it in whatever order, a job ends once and stays ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pellucid.jobs.executors import Executors
from pellucid.jobs.ledger import MAX_LINES, Ledger, SqliteStore
from pellucid.jobs.port import Failure, Job, JobState, Progress

_IDS = st.sampled_from(["job-a", "job-b"])
_ENDS = st.sampled_from([JobState.DONE, JobState.FAILED, JobState.CANCELLED])


class Jobs(RuleBasedStateMachine):
    """Two jobs, and all that can happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(SqliteStore(None))
        self.ended: dict[str, Job] = {}
        self.lines: dict[str, set[str]] = {}

    def teardown(self) -> None:
        self.ledger.store.close()

    @rule(job=_IDS)
    def ask(self, job: str) -> None:
        was_there = self.ledger.job(job) is not None
        assert self.ledger.ask("kind", job, {"n": 1}, None) is not was_there

    @rule(job=_IDS)
    def begin(self, job: str) -> None:
        before = self.ledger.job(job)
        begun = self.ledger.begin(job)
        assert (begun is not None) == (before is not None and not before.state.over)
        if begun is not None:
            assert begun.job.state is JobState.RUNNING
            assert begun.attempts >= 1

    @rule(job=_IDS)
    def part(self, job: str) -> None:
        self.ledger.part(job)

    @rule(job=_IDS, state=_ENDS)
    def end(self, job: str, state: JobState) -> None:
        before = self.ledger.job(job)
        failure = Failure("it broke") if state is JobState.FAILED else None
        moved = self.ledger.end(job, state, result={} if state is JobState.DONE else None, failure=failure)
        assert moved == (before is not None and not before.state.over)
        self._note(job)

    @rule(job=_IDS)
    def cancel(self, job: str) -> None:
        before = self.ledger.job(job)
        assert self.ledger.cancel(job) == (before is not None and not before.state.over)
        after = self.ledger.job(job)
        if before is not None and after is not None and not before.state.over:
            waited = before.state is JobState.WAITING
            assert (after.state is JobState.CANCELLED, after.cancelling) == (waited, not waited)
        self._note(job)

    @rule(job=_IDS, done=st.integers(0, 5), total=st.none() | st.integers(1, 5))
    def progress(self, job: str, done: int, total: int | None) -> None:
        before = self.ledger.job(job)
        told = self.ledger.progress(job, Progress(done, total, "files", "x"))
        assert told == (before is not None and before.cancelling)

    @rule(job=_IDS, place=st.sampled_from(["b0.0", "s1.0", "s1.1"]))
    def say(self, job: str, place: str) -> None:
        self.ledger.say(job, place, place)
        if self.ledger.job(job) is not None:
            self.lines.setdefault(job, set()).add(place)

    @invariant()
    def what_ended_stays_as_it_is(self) -> None:
        for job, kept in self.ended.items():
            assert self.ledger.job(job) == kept
        assert not set(self.ledger.open_jobs()) & set(self.ended)

    @invariant()
    def lines_are_numbered_from_one_without_gaps_and_stand_once(self) -> None:
        for job, places in self.lines.items():
            found = self.ledger.lines(job, 0)
            assert [line.number for line in found] == list(range(1, len(places) + 1))
            assert {line.text for line in found} == places

    def _note(self, job: str) -> None:
        found = self.ledger.job(job)
        if found is not None and found.state.over and job not in self.ended:
            assert found.ended_at is not None
            self.ended[job] = found


TestLedger = Jobs.TestCase
TestLedger.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_a_log_has_a_last_line_that_says_so(tmp_path: Path) -> None:
    ledger = Ledger(SqliteStore(None))
    ledger.ask("kind", "long", {}, None)
    for number in range(MAX_LINES + 3):
        ledger.say("long", f"b0.{number}", f"line {number}")
    assert ledger.lines("long", MAX_LINES - 2)[0].text == f"line {MAX_LINES - 2}"
    assert [line.text for line in ledger.lines("long", MAX_LINES - 1)] == ["… (no more lines are kept)"]


def test_what_ended_long_ago_is_forgotten_with_its_lines() -> None:
    ledger = Ledger(SqliteStore(None))
    for job in ("old", "open"):
        ledger.ask("kind", job, {}, None)
        ledger.say(job, "b0.0", "x")
    ledger.begin("old")
    ledger.end("old", JobState.DONE, result={})
    assert ledger.forget(0.0) == []
    assert ledger.forget(ledger.store.now() + 1) == ["old"]
    assert (ledger.job("old"), ledger.lines("old", 0)) == (None, [])
    assert ledger.job("open") is not None
    assert len(ledger.lines("open", 0)) == 1


def test_of_two_threads_that_end_a_job_one_does(tmp_path: Path) -> None:
    ledgers = [Ledger(SqliteStore(tmp_path / "jobs.db")) for _ in range(4)]
    won: list[int] = []
    for round_ in range(10):
        ledgers[0].ask("kind", f"race-{round_}", {}, None)
        ledgers[0].begin(f"race-{round_}")

    def end(number: int) -> None:
        won.extend(number for r in range(10) if ledgers[number].end(f"race-{r}", JobState.DONE, result={"by": number}))

    threads = [threading.Thread(target=end, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 10


def test_a_process_that_died_is_known_at_once_and_one_that_is_silent_after_a_while(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "jobs.db")
    mine, impatient = Executors(store, dead_after=60.0), Executors(store, dead_after=0.0)
    mine.beat()
    program = (
        "import sys; from pathlib import Path; from pellucid.jobs.executors import Executors; "
        "from pellucid.jobs.ledger import SqliteStore; e = Executors(SqliteStore(Path(sys.argv[1])), 60.0); "
        "e.beat(); print(e.id, flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "jobs.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None
    theirs = other.stdout.readline().decode().strip()
    assert mine.alive() == {mine.id, theirs}
    assert impatient.alive() == {impatient.id}
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # dead, and not reaped yet
    assert mine.alive() == {mine.id}
    other.wait()
    assert mine.alive() == {mine.id}
    mine.leave()
    assert Executors(store, dead_after=60.0).alive().isdisjoint({mine.id, theirs})
    for stream in (other.stdin, other.stdout):
        stream.close()
    store.close()
