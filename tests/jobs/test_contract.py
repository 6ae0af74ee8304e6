"""What every adapter promises: one class of tests, run on each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.sample_jobs import REGISTRY
from tests.jobs.worker import QUICK

from pellucid.errors import UnavailableError
from pellucid.jobs.durable import DurableJobs
from pellucid.jobs.inline import InlineJobs
from pellucid.jobs.port import Job, Jobs, JobState
from pellucid.jobs.work import JobError, NoArguments, Tools, Work, job, natural_id, registry_of

_PERSON = "ab" * 16


@pytest.fixture(scope="module", params=["inline", "sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def jobs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """One adapter for all tests of this file."""
    tools = Tools(tmp_path_factory.mktemp("home"))
    if request.param == "inline":
        with InlineJobs(REGISTRY, tools) as inline:
            yield inline
        return
    where = tools.home / "jobs.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with DurableJobs.open(where, REGISTRY, tools, pace=QUICK) as durable:
        yield durable


def ended(jobs: Jobs, job_id: str, seconds: float = 20.0) -> Job:
    """Wait until a job is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = jobs.status(job_id)
        if found is not None and found.state.over:
            return found
        time.sleep(0.02)
    raise AssertionError(jobs.status(job_id), jobs.problem())


class TestJobs:
    """The port."""

    def test_a_job_is_done_and_says_how(self, jobs: Jobs, tmp_path: Path) -> None:
        jobs.start("counting", "count-1", {"steps": 3, "folder": str(tmp_path)}, asked_by=_PERSON)
        found = ended(jobs, "count-1")
        assert (found.state, found.exit_code, found.asked_by) == (JobState.DONE, 0, _PERSON)
        assert found.result is not None
        assert found.result["numbers"] == [0, 1, 2]
        assert (found.progress.done, found.progress.total, found.progress.unit) == (3, 3, "effects")
        assert found.ended_at is not None
        assert found.asked_at <= found.ended_at
        lines = jobs.log("count-1")
        assert [line.text for line in lines] == ["begins", "effect 0", "effect 1", "effect 2", "ends"]
        assert [line.number for line in lines] == [1, 2, 3, 4, 5]
        assert [line.text for line in jobs.log("count-1", after=3)] == ["effect 2", "ends"]
        assert jobs.problem() is None

    def test_starting_again_finds_the_one_that_is_there(self, jobs: Jobs, tmp_path: Path) -> None:
        arguments = {"steps": 1, "folder": str(tmp_path)}
        for _ in range(3):
            jobs.start("counting", "count-2", arguments)
        ended(jobs, "count-2")
        assert jobs.start("counting", "count-2", arguments).state is JobState.DONE
        time.sleep(0.3)
        assert (tmp_path / "tries").read_text().count("\n") == 1
        with pytest.raises(JobError, match="another kind"):
            jobs.start("talking", "count-2", {})

    @pytest.mark.parametrize(
        ("how", "state", "exit_code", "what"),
        [
            ("no", JobState.DONE, 1, None),
            ("unavailable", JobState.FAILED, 3, "the peer is down"),
            ("evidence", JobState.FAILED, 1, "the log is broken"),
            ("bug", JobState.FAILED, 3, "unexpected KeyError; this is a mistake in the program"),
            ("large", JobState.FAILED, 1, "a result of 2,097,163 bytes is too large to keep"),
        ],
    )
    def test_a_failure_says_what_where_and_how_to_mend(
        self, jobs: Jobs, how: str, state: JobState, exit_code: int, what: str | None
    ) -> None:
        jobs.start("trouble", f"trouble-{how}", {"how": how})
        found = ended(jobs, f"trouble-{how}")
        assert (found.state, found.exit_code) == (state, exit_code)
        assert (found.failure.what if found.failure else None) == what
        if how == "unavailable":
            assert found.failure is not None
            assert (found.failure.where, found.failure.remedy) == ("center.example", "wait")
        assert "passphrase-of-the-node" not in repr(found)

    def test_cancel_stops_a_job_before_its_next_step(self, jobs: Jobs, tmp_path: Path) -> None:
        arguments = {"steps": 5, "folder": str(tmp_path), "wait_for": str(tmp_path / "never")}
        starting = threading.Thread(target=jobs.start, args=("counting", "count-3", arguments), daemon=True)
        starting.start()
        _until(lambda: "2 " in _read(tmp_path / "tries"))
        assert jobs.cancel("count-3")
        assert ended(jobs, "count-3").state is JobState.CANCELLED
        starting.join(5)
        assert not (tmp_path / "effect-2").exists()
        assert (tmp_path / "effect-1").exists()
        assert not jobs.cancel("count-3")
        assert not jobs.cancel("there-is-none")

    def test_lines_steer_no_terminal_and_have_a_bound(self, jobs: Jobs) -> None:
        jobs.start("talking", "talk", {})
        ended(jobs, "talk")
        first, second = jobs.log("talk")
        assert first.text == " [2Jcleared and   more"
        assert len(second.text) == 500

    def test_the_newest_come_first(self, jobs: Jobs) -> None:
        jobs.start("talking", "order-1", {})
        jobs.start("talking", "order-2", {})
        ended(jobs, "order-2")
        ended(jobs, "order-1")
        assert [item.id for item in jobs.recent(2)] == ["order-2", "order-1"]
        assert {item.name for item in jobs.recent(50, name="talking")} == {"talking"}
        assert jobs.recent(0) == []

    @pytest.mark.parametrize(
        ("name", "job_id", "arguments", "said"),
        [
            ("no-such", "x", {}, "no job 'no-such'"),
            ("talking", "../x", {}, "is no id"),
            ("talking", "x" * 121, {}, "is no id"),
            ("talking", "X", {}, "is no id"),
            ("talking", "x\n", {}, "is no id"),
            ("talking", "x", {"more": 1}, "unknown field"),
            ("counting", "x", {"steps": "many", "folder": "/"}, "int"),
            ("counting", "x", {}, "missing required field"),
        ],
    )
    def test_what_cannot_be_started_is_refused(
        self, jobs: Jobs, name: str, job_id: str, arguments: dict[str, object], said: str
    ) -> None:
        with pytest.raises(JobError, match=said):
            jobs.start(name, job_id, arguments)
        assert jobs.status("x") is None

    def test_only_what_is_offered_is_shown_for_starting(self, jobs: Jobs) -> None:
        (offer,) = jobs.offers()
        assert offer.name == "counting"
        assert offer.arguments == {"steps": "required", "folder": "required", "wait_for": "optional"}


def test_the_same_question_in_the_same_minute_is_one_job() -> None:
    assert natural_id("check-logs", {}, at=0) == natural_id("check-logs", {}, at=59) == "check-logs-19700101-0000"
    assert natural_id("check-logs", {}, at=60) != natural_id("check-logs", {}, at=0)
    asked = natural_id("pack", {"b": 1, "a": 2}, at=0)
    assert asked == natural_id("pack", {"a": 2, "b": 1}, at=0)
    assert asked != natural_id("pack", {"a": 2, "b": 2}, at=0)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _until(true: object, seconds: float = 20.0) -> None:
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(("is_told", "state"), [(True, JobState.CANCELLED), (False, JobState.FAILED)])
def test_a_job_that_was_told_to_stop_and_breaks_is_cancelled(tmp_path: Path, is_told: bool, state: JobState) -> None:
    @job("stubborn", NoArguments, summary="go on until it breaks")
    def stubborn(work: Work, asked: NoArguments) -> Mapping[str, Any]:
        if is_told:
            running.cancel(work.id)
        raise UnavailableError("the peer is down")

    with InlineJobs(registry_of(stubborn), Tools(tmp_path)) as running:
        running.start("stubborn", "once", {})
        found = ended(running, "once")
        assert (found.state, found.failure is None) == (state, is_told)
