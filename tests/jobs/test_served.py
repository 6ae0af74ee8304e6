"""Jobs of a node that is served: beside it, through a kill of it, and in what it says of its health."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from tests.server.conftest import Served, start

from pellucid import capabilities
from pellucid.jobs.inline import LedgerJobs
from pellucid.jobs.ledger import Ledger, SqliteStore
from pellucid.jobs.port import JobState

pytestmark = pytest.mark.full


@pytest.fixture
def served(made_home: Path, tmp_path: Path) -> Iterator[Served]:
    """A node that runs."""
    home = Path(shutil.copytree(made_home, tmp_path / "vendor"))
    (tmp_path / "pass").write_text("correct horse")
    node = start(home, "--passphrase-file", str(tmp_path / "pass"))
    yield node
    node.stop()


def _pellucid(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pellucid.cli", "--home", str(home), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_running_node_does_what_the_command_line_asks(served: Served) -> None:
    ran = _pellucid(served.home, "jobs", "start", "reindex", "--id", "first")
    assert ran.returncode == 0, ran.stderr
    assert "log.vendor.example/1: indexed" in ran.stderr
    health = served.get("/healthz").json
    assert (health["ok"], health["jobs"]) == (True, {"open": 0})
    assert _pellucid(served.home, "fsck", str(served.home)).returncode == 0


def test_what_was_begun_is_done_by_the_next_one_after_a_kill(served: Served, tmp_path: Path) -> None:
    with closing(LedgerJobs(Ledger(SqliteStore(served.home / "jobs.db")), capabilities.jobs())) as jobs:
        jobs.start("check-logs", "cut", {})
        served.process.kill()
        served.process.wait(20)
        again = start(served.home, "--passphrase-file", str(tmp_path / "pass"))
        try:
            again.until(lambda: (job := jobs.status("cut")) is not None and job.state is JobState.DONE, 40)
            jobs.start("reindex", "after", {})
            again.until(lambda: (job := jobs.status("after")) is not None and job.state.over)
        finally:
            assert again.stop() == 0
        texts = [line.text for line in jobs.log("cut")]
    assert len(texts) == len(set(texts)) == 2  # each log is told of once


def test_a_node_collects_an_evidence_pack_that_holds(served: Served, tmp_path: Path) -> None:
    home, digest = served.home, "ab" * 32
    options = ("--passphrase-file", str(tmp_path / "pass"))
    key = tmp_path / "rita.key"
    assert _pellucid(home, "key", "new", str(key), "--name", "rita", *options).returncode == 0
    accredited = _pellucid(home, "party", "accredit", str(key), "--role", "reviewer", *options)
    assert accredited.returncode == 0, accredited.stderr
    served.until(lambda: served.get("/checkpoint").status == 200 and served.size() > 0)
    policy = home / "policy.toml"
    assert _pellucid(home, "policy", "init", "--node", served.url, "-o", str(policy)).returncode == 0
    table = "[[node]]\n"
    policy.write_text(policy.read_text().replace(table, f'{table}url = "{served.url}"\n'))
    ran = _pellucid(home, "jobs", "start", "evidence-pack", f"digest={digest}", "--json")
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)["result"]
    data = (home / result["pack"]).read_bytes()
    assert (len(data), sha256(data).hexdigest()) == (result["bytes"], result["sha256"])
    assert json.loads(data)["subject"]["sha256"] == digest
