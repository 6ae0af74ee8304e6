"""`pellucid jobs`, beside a node that runs and without one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pellucid import capabilities
from pellucid.cli import main
from pellucid.jobs.inline import LedgerJobs
from pellucid.jobs.ledger import Ledger, SqliteStore
from pellucid.jobs.port import JobState
from pellucid.storage.home_lock import HomeLock

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    """A home that no process holds."""
    return Path(shutil.copytree(made_home, tmp_path / "vendor"))


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `pellucid jobs` on the home; returns exit code, stdout and stderr."""

    def run_it(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["--home", str(home), "jobs", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_it


@pytest.mark.full
def test_without_a_node_a_job_is_done_in_the_foreground_and_stays_to_be_read(run: Run, home: Path) -> None:
    code, out, _ = run("start", "check-logs", "--id", "mine", "--json")
    assert code == 0, out
    found = json.loads(out)
    assert (found["id"], found["state"], found["exit_code"], found["result"]["ok"]) == ("mine", "done", 0, True)
    assert (home / "jobs.db").stat().st_mode & 0o777 == 0o600
    code, out, _ = run("show", "mine")
    assert code == 0
    assert out.startswith("mine: done\n")
    assert run("cancel", "mine")[0] == 1
    (home / "log").mkdir(exist_ok=True)
    (home / "log" / "stray").write_text("x")
    code, out, _ = run("start", "check-logs", "--id", "again")
    assert code == 1, out
    assert "again: done" in out
    assert run("show", "again")[0] == 1
    code, out, _ = run("list", "--json")
    assert code == 0
    assert [job["id"] for job in json.loads(out)["jobs"]] == ["again", "mine"]


def test_beside_a_node_a_job_is_only_asked_for(run: Run, home: Path) -> None:
    with HomeLock(home / "lock"):
        code, out, _ = run("start", "check-logs", "--id", "asked", "--detach")
        assert code == 0
        assert "the running node does it" in out
        code, out, _ = run("show", "asked", "--json")
        assert (code, json.loads(out)["state"]) == (0, "waiting")
        code, out, _ = run("cancel", "asked")
        assert (code, out) == (0, "asked: cancelled\n")
        code, out, _ = run("follow", "asked")
        assert code == 3
        assert out.startswith("asked: cancelled")


def test_following_shows_what_is_said_and_ends_with_the_job(run: Run, home: Path) -> None:
    with LedgerJobs(Ledger(SqliteStore(home / "jobs.db")), capabilities.jobs()) as jobs:
        jobs.start("check-logs", "watched", {})
        jobs.ledger.begin("watched")
        jobs.ledger.say("watched", "b0.0", "a line\x1b[2J of it")
        jobs.ledger.end("watched", JobState.DONE, result={"ok": False})
    code, out, err = run("follow", "watched")
    assert code == 1
    assert "a line [2J of it" in err
    assert out == "watched: done\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("start", "no-such"), "there are: check-logs, evidence-pack, reindex"),
        (("start", "check-logs", "more"), "write NAME=VALUE"),
        (("start", "check-logs", "more=1"), "it takes: none"),
        (("start", "evidence-pack"), "it takes: digest"),
        (("start", "evidence-pack", "digest=xyz"), "digest"),
        (("start", "check-logs", "--id", "../x"), "begin with a letter"),
        (("show", "no-such"), "`pellucid jobs list` shows them"),
        (("follow", "no-such"), "`pellucid jobs list` shows them"),
        (("cancel", "no-such"), "`pellucid jobs list` shows them"),
        (("list", "--limit", "0"), "give 1 to 1000"),
    ],
)
def test_what_cannot_be_done_says_how(run: Run, home: Path, words: tuple[str, ...], said: str) -> None:
    with HomeLock(home / "lock"):
        code, _, err = run(*words)
    assert code == 2
    assert said in err


def test_a_home_without_jobs_lists_what_can_be_started(run: Run) -> None:
    code, out, _ = run("list")
    assert code == 0
    assert "no job was started yet" in out
    assert "reindex" in out
