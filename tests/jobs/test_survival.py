"""Two processes on one store, and kill -9 in mid-job: the work is finished, and finished once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.jobs.sample_jobs import REGISTRY
from tests.jobs.worker import QUICK
from tests.postgres import postgres

from pellucid.errors import UnavailableError
from pellucid.jobs.durable import DurableJobs
from pellucid.jobs.inline import LedgerJobs
from pellucid.jobs.ledger import Ledger, SqliteStore, Store
from pellucid.jobs.performing import MOST_ATTEMPTS
from pellucid.jobs.port import Job, JobState
from pellucid.jobs.work import Tools

WORKER = Path(__file__).with_name("worker.py")
Start = Callable[[], "subprocess.Popen[bytes]"]


class Town:
    """A store, the processes that run its jobs, and this process, which only asks."""

    def __init__(self, where: Path | str) -> None:
        self._where = where
        self.jobs = LedgerJobs(Ledger(_opened(where)), REGISTRY)
        self.processes: list[subprocess.Popen[bytes]] = []

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a process that runs jobs."""
        command = [sys.executable, str(WORKER), str(self._where)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    def end(self) -> None:
        """Kill what is left."""
        for process in self.processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        self.jobs.close()

    def ended(self, job_id: str, seconds: float = 60.0) -> Job:
        """Wait until a job is over."""
        _until(lambda: (found := self.jobs.status(job_id)) is not None and found.state.over, seconds)
        found = self.jobs.status(job_id)
        assert found is not None
        return found


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """A town on each store."""
    found = Town(tmp_path / "jobs.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    try:
        yield found
    finally:
        found.end()


@pytest.mark.full
def test_a_job_whose_process_is_killed_is_finished_once_by_another(town: Town, tmp_path: Path) -> None:
    """The effects are files and the tries are lines of another file, so that neither can stand in for the other."""
    job_id, folder, gate = f"killed-{tmp_path.name.replace('_', '-').lower()}"[:120], tmp_path, tmp_path / "gate"
    first = town.worker()
    arguments = {"steps": 6, "folder": str(folder), "wait_for": str(gate)}
    town.jobs.start("counting", job_id, arguments)
    _until(lambda: "2 " in _tries(folder))
    second = town.worker()
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    _until(lambda: _tries(folder).count("2 ") == 2)
    gate.touch()
    found = town.ended(job_id)
    assert found.state is JobState.DONE, found.failure
    assert sorted(path.name for path in folder.glob("effect-*")) == [f"effect-{number}" for number in range(6)]
    tries = [line.split() for line in _tries(folder).splitlines()]
    assert [int(number) for number, _ in tries] == [0, 1, 2, 2, 3, 4, 5]  # only the step that was cut ran twice
    assert [int(pid) for _, pid in tries] == [first.pid] * 3 + [second.pid] * 4
    assert found.result is not None
    assert found.result["by"] == [first.pid] * 2 + [second.pid] * 4  # what the first steps gave was not done again
    texts = [line.text for line in town.jobs.log(job_id)]
    assert texts == ["begins", *(f"effect {number}" for number in range(6)), "ends"]


@pytest.mark.full
def test_a_killed_process_that_starts_again_goes_on_with_its_work(town: Town, tmp_path: Path) -> None:
    gate, job_id = tmp_path / "gate", f"again-{time.time_ns()}"
    first = town.worker()
    town.jobs.start("counting", job_id, {"steps": 4, "folder": str(tmp_path), "wait_for": str(gate)})
    _until(lambda: "2 " in _tries(tmp_path))
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    gate.touch()
    time.sleep(0.5)
    found = town.jobs.status(job_id)
    assert found is not None  # nobody runs it: what follows is the second process's doing
    assert found.state is JobState.RUNNING
    town.worker()
    assert town.ended(job_id).state is JobState.DONE
    assert [line.split()[0] for line in _tries(tmp_path).splitlines()] == ["0", "1", "2", "2", "3"]


@pytest.mark.full
def test_two_processes_share_the_work_and_do_none_twice(town: Town, tmp_path: Path) -> None:
    """Each process takes two jobs at once and waits in them, so four are begun: two by each."""
    workers = {town.worker().pid, town.worker().pid}
    run, gate = f"share-{time.time_ns()}", tmp_path / "gate"
    folders = [tmp_path / str(number) for number in range(12)]
    for folder in folders:
        folder.mkdir()
        arguments = {"steps": 3, "folder": str(folder), "wait_for": str(gate)}
        town.jobs.start("counting", f"{run}-{folder.name}", arguments)
    _until(lambda: len([folder for folder in folders if "2 " in _tries(folder)]) == 4)
    begun = {pid for folder in folders for pid in _tries(folder).split()[1::2]}
    gate.touch()
    done = [town.ended(f"{run}-{folder.name}") for folder in folders]
    assert {job.state for job in done} == {JobState.DONE}
    assert {int(pid) for pid in begun} == workers
    assert [_tries(folder).split()[::2] for folder in folders] == [["0", "1", "2"]] * 12


@pytest.mark.full
def test_a_process_that_stops_leaves_its_job_to_the_next_at_once(town: Town, tmp_path: Path) -> None:
    gate, job_id = tmp_path / "gate", f"left-{time.time_ns()}"
    first = town.worker()
    town.jobs.start("counting", job_id, {"steps": 4, "folder": str(tmp_path), "wait_for": str(gate)})
    _until(lambda: "2 " in _tries(tmp_path))
    assert first.stdin is not None
    begun = time.monotonic()
    first.stdin.close()
    assert first.wait(20) == 0
    assert time.monotonic() - begun < 10
    gate.touch()
    town.worker()
    assert town.ended(job_id).state is JobState.DONE


@pytest.mark.full
def test_a_job_that_kills_each_process_is_given_up(town: Town) -> None:
    job_id = f"killer-{time.time_ns()}"
    town.jobs.start("killing", job_id, {})
    for _ in range(MOST_ATTEMPTS - 1):
        town.jobs.ledger.begin(job_id)  # as many processes began it and died
    assert town.worker().wait(20) == 9
    town.worker()
    found = town.ended(job_id)
    assert found.state is JobState.FAILED
    assert found.failure is not None
    assert f"begun {MOST_ATTEMPTS} times" in found.failure.what


@pytest.mark.full
def test_what_was_asked_while_nobody_ran_is_found_and_done(town: Town, tmp_path: Path) -> None:
    job_id = f"asked-{time.time_ns()}"
    town.jobs.start("counting", job_id, {"steps": 2, "folder": str(tmp_path)})
    time.sleep(0.3)
    assert _tries(tmp_path) == ""
    town.worker()
    assert town.ended(job_id).state is JobState.DONE


@pytest.mark.full
def test_a_database_that_goes_away_is_told_as_the_reason_and_nothing_is_lost(tmp_path: Path) -> None:
    with ExitStack() as server:
        url = server.enter_context(postgres())
        with DurableJobs.open(url, REGISTRY, Tools(tmp_path), pace=QUICK) as jobs:
            assert jobs.problem() is None
            server.close()
            _until(lambda: jobs.problem() is not None)
            problem = jobs.problem() or ""
            assert problem.startswith("jobs do not run: ")
            assert "does not answer" in problem
            with pytest.raises(UnavailableError):
                jobs.start("counting", "lost", {"steps": 1, "folder": str(tmp_path)})


def test_what_was_closed_says_that_it_runs_no_more(tmp_path: Path) -> None:
    jobs = DurableJobs.open(tmp_path / "jobs.db", REGISTRY, Tools(tmp_path), pace=QUICK)
    assert jobs.problem() is None
    jobs.close()
    assert jobs.problem() == "jobs do not run: their thread has ended"


def _opened(where: Path | str) -> Store:
    if isinstance(where, Path):
        return SqliteStore(where)
    from pellucid.jobs.durable.postgres import PostgresStore

    return PostgresStore(where)


def _tries(folder: Path) -> str:
    path = folder / "tries"
    return path.read_text() if path.exists() else ""


def _until(true: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
