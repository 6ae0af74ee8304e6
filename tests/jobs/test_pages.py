"""The jobs pages and `/api/jobs`: who sees which, starting, watching, cancelling, and what is recorded of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.jobs.sample_jobs import REGISTRY
from tests.world import World

from pellucid import capabilities
from pellucid.audit.events import EventType
from pellucid.errors import UnavailableError
from pellucid.jobs.inline import InlineJobs, LedgerJobs
from pellucid.jobs.ledger import Ledger, SqliteStore
from pellucid.jobs.portal import door
from pellucid.jobs.work import Tools
from pellucid.node.job_tools import tools_of


@pytest.fixture
def jobs(world: World) -> InlineJobs:
    """The node's own jobs, done inside of the request that starts them."""
    found = InlineJobs(capabilities.jobs(), tools_of(world.home, world.node))
    door.serve(found)
    return found


@pytest.fixture
def asked(world: World) -> LedgerJobs:
    """Jobs that nobody does: they wait."""
    found = LedgerJobs(Ledger(SqliteStore(None)), REGISTRY)
    door.serve(found)
    return found


def test_an_operator_starts_a_job_and_sees_what_it_found(world: World, jobs: InlineJobs) -> None:
    otto = world.client("otto")
    page = otto.get("/jobs")
    assert b"No job was started yet" in page.content
    assert b'value="check-logs"' in page.content
    answer = otto.post("/jobs/new", {"name": "check-logs"})
    assert answer.status_code == 302
    assert re.fullmatch(r"/jobs/check-logs-\d{8}-\d{4}", answer["Location"])
    page = otto.get(answer["Location"])
    assert b"log.vendor.example/1: 0 entries" in page.content
    assert b"hx-get" not in page.content  # it is over: nothing is asked again
    twin = otto.get(answer["Location"] + ".json").json()
    assert twin["job"]["state"] == "done"
    (event,) = world.events(EventType.JOB_STARTED)
    assert (event.actor, event.target) == (world.account("otto").id, f"job:{twin['job']['id']}")
    assert dict(event.details) == {"job": "check-logs"}


def test_a_waiting_job_is_asked_for_again_without_scripts_of_its_own(world: World, asked: LedgerJobs) -> None:
    asked.start("counting", "count-1", {"steps": 4, "folder": "/"})
    asked.ledger.begin("count-1")
    asked.ledger.say("count-1", "b0.0", "<script>alert(1)</script>")
    otto = world.client("otto")
    page = otto.get("/jobs/count-1").content.decode()
    assert 'hx-get="/jobs/count-1/standing?after=1&amp;told=running"' in page
    assert "&lt;script&gt;alert(1)" in page
    assert '<noscript><p><a href="/jobs/count-1">' in page
    assert '"allowEval": false' in page
    assert "<progress" in page
    assert not re.search(r"<script(?![^>]*src=)", page)


def test_what_changed_is_told_once_and_announced_by_quarters(world: World, asked: LedgerJobs) -> None:
    from pellucid.jobs.port import JobState, Progress

    asked.start("counting", "count-1", {"steps": 4, "folder": "/"})
    asked.ledger.begin("count-1")
    otto = world.client("otto")

    def standing(after: int, told: str) -> str:
        return otto.get(f"/jobs/count-1/standing?after={after}&told={told}").content.decode()

    assert "job-told" not in standing(0, "running")
    asked.ledger.progress("count-1", Progress(1, 4, "files", "first"))
    asked.ledger.say("count-1", "s1.0", "one")
    changed = standing(0, "running")
    assert "running, 25 %" in changed
    assert " one\n" in changed
    again = standing(1, "running-25")
    assert "running, 25 %" not in again
    assert " one\n" not in again
    assert 'hx-trigger="every 2s"' in again
    asked.ledger.end("count-1", JobState.DONE, result={"ok": False})
    over = standing(1, "running-25")
    assert "hx-trigger" not in over
    assert "done, and the answer is no" in over
    assert '<div hx-swap-oob="innerHTML:#job-ways"></div>' in over


def test_an_operator_cancels_a_job_and_it_is_recorded(world: World, asked: LedgerJobs) -> None:
    asked.start("counting", "count-1", {"steps": 4, "folder": "/"})
    otto = world.client("otto")
    assert otto.get("/jobs/count-1/cancel").status_code == 405
    assert otto.post("/jobs/count-1/cancel").status_code == 302
    page = otto.get("/jobs/count-1").content.decode()
    assert "cancelled" in page
    assert "Cancel this job" not in page
    (event,) = world.events(EventType.JOB_CANCELLED)
    assert event.target == "job:count-1"


@pytest.mark.parametrize("name", ["vera", "rita", "asif", "rosa", "mallory"])
def test_who_has_no_permission_sees_nothing(world: World, asked: LedgerJobs, name: str) -> None:
    asked.start("counting", "count-1", {"steps": 4, "folder": "/"}, asked_by=world.account("otto").id)
    client = world.client(name)
    for path in ("/jobs", "/jobs/count-1", "/jobs/count-1.json", "/jobs/count-1/standing", "/jobs/no-such-job"):
        assert client.get(path).status_code == 403, path
    for path in ("/api/jobs", "/api/jobs/count-1", "/api/jobs/count-1/log", "/api/jobs/no-such-job"):
        assert client.get(path).status_code == 403, path
    assert client.post("/jobs/new", {"name": "counting"}).status_code == 403
    assert client.post("/jobs/count-1/cancel").status_code == 403
    job = asked.status("count-1")
    assert job is not None
    assert not job.state.over


def test_a_visitor_is_asked_to_sign_in(world: World, asked: LedgerJobs) -> None:
    visitor = world.client(None)
    assert visitor.get("/jobs").status_code == 302
    assert visitor.get("/jobs/count-1").status_code == 302
    assert visitor.get("/api/jobs").status_code == 401
    assert visitor.get("/api/jobs/count-1").status_code == 401


def test_who_started_a_job_watches_and_cancels_it(world: World, asked: LedgerJobs) -> None:
    asked.start("counting", "own", {"steps": 4, "folder": "/"}, asked_by=world.account("rita").id)
    asked.start("counting", "other", {"steps": 4, "folder": "/"}, asked_by=world.account("asif").id)
    rita = world.client("rita")
    assert rita.get("/jobs/own").status_code == 200
    assert rita.get("/api/jobs/own").status_code == 200
    assert rita.get("/jobs/other").status_code == 403
    assert rita.post("/jobs/other/cancel").status_code == 403
    assert rita.post("/jobs/own/cancel").status_code == 302
    assert rita.get("/api/jobs/own").json()["state"] == "cancelled"


def test_only_what_is_offered_can_be_started_by_hand(world: World, asked: LedgerJobs) -> None:
    otto = world.client("otto")
    assert otto.post("/jobs/new", {"name": "killing"}).status_code == 404
    assert otto.post("/jobs/new", {"name": "no-such"}).status_code == 404
    wrong = otto.post("/jobs/new", {"name": "counting", "counting-steps": "many", "counting-folder": "/"})
    assert wrong.status_code == 400
    assert b"Expected `int`" in wrong.content
    assert otto.post("/jobs/new", {"name": "counting"}).status_code == 400
    assert asked.recent(10) == []
    assert world.events(EventType.JOB_STARTED) == ()


def test_the_api_starts_watches_and_cancels(world: World, asked: LedgerJobs) -> None:
    otto = world.client("otto")
    body = json.dumps({"name": "counting", "arguments": {"steps": 2, "folder": "/"}})
    answer = otto.post("/api/jobs", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    job = answer.json()
    assert (job["state"], job["asked_by"], job["ok"]) == ("waiting", world.account("otto").id, None)
    assert [item["id"] for item in otto.get("/api/jobs").json()["jobs"]] == [job["id"]]
    asked.ledger.say(job["id"], "b0.0", "begins")
    lines = otto.get(f"/api/jobs/{job['id']}/log").json()["lines"]
    assert [(line["number"], line["text"]) for line in lines] == [(1, "begins")]
    assert otto.post(f"/api/jobs/{job['id']}/cancel").json() == {"told": True}
    assert otto.post(f"/api/jobs/{job['id']}/cancel").json() == {"told": False}
    for wrong in ({"name": "killing"}, {"name": "no-such"}):
        assert otto.post("/api/jobs", wrong, content_type="application/json").status_code == 404
    unfit: tuple[dict[str, object], ...] = (
        {"name": "counting"},
        {"name": "counting", "arguments": {"steps": "x" * 201}},
        {"more": 1},
    )
    for values in unfit:
        assert otto.post("/api/jobs", values, content_type="application/json").status_code == 400
    assert otto.get("/api/jobs/no-such").status_code == 404


def test_starting_needs_the_token_of_the_form(world: World, asked: LedgerJobs) -> None:
    otto = world.client("otto", enforce_csrf_checks=True)
    assert otto.post("/jobs/new", {"name": "counting"}).status_code == 403
    assert otto.post("/api/jobs", {"name": "counting"}, content_type="application/json").status_code == 403


def test_damage_is_the_answer_no_and_each_file_is_named(world: World, jobs: InlineJobs) -> None:
    world.node.publish()
    jobs.start("check-logs", "before", {})
    before = jobs.status("before")
    assert before is not None
    assert before.exit_code == 0, before
    (world.home.log_folder / "tile").mkdir(exist_ok=True)
    (world.home.log_folder / "tile" / "stray").write_text("x")
    jobs.start("check-logs", "after", {})
    after = jobs.status("after")
    assert after is not None
    assert after.exit_code == 1
    assert any("stray" in line.text for line in jobs.log("after"))


def test_a_node_makes_its_index_again_by_a_job(world: World, jobs: InlineJobs) -> None:
    jobs.start("reindex", "again", {})
    job = jobs.status("again")
    assert job is not None
    assert job.result == {"ok": True, "logs": {"log.vendor.example/1": None}}


def test_a_pack_without_a_policy_says_how_to_write_one(world: World, jobs: InlineJobs) -> None:
    jobs.start("evidence-pack", "pack", {"digest": "ab" * 32})
    job = jobs.status("pack")
    assert job is not None
    assert job.failure is not None
    assert job.exit_code == 2
    assert "pellucid policy init" in (job.failure.remedy or "")


def test_a_job_cannot_have_what_its_process_does_not_offer(tmp_path: Path) -> None:
    jobs = InlineJobs(capabilities.jobs(), Tools(tmp_path))
    jobs.start("reindex", "again", {})
    job = jobs.status("again")
    assert job is not None
    assert job.failure is not None
    assert job.failure.what == "this process has no Reindexing to offer"
    with pytest.raises(UnavailableError):
        Tools(tmp_path).get(World)


def test_the_page_says_why_no_jobs_run(world: World, asked: LedgerJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    assert b"Jobs do not run" not in world.client("otto").get("/jobs").content
    monkeypatch.setattr(asked, "problem", lambda: "jobs do not run: the disk is full")
    assert b"the disk is full" in world.client("otto").get("/jobs").content
    assert door.healthz()[0] == "jobs do not run: the disk is full"


def test_the_script_is_the_one_that_was_published() -> None:
    from hashlib import sha256

    import pellucid.site

    vendor = Path(next(iter(pellucid.site.__path__))) / "static" / "site" / "vendor"
    notice = (vendor / "NOTICE.txt").read_text()
    for script in vendor.glob("*.js"):
        assert script.name in notice
        assert sha256(script.read_bytes()).hexdigest() in notice
