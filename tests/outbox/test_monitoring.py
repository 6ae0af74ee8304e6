"""`pellucid monitor --notify`, jobs that end, and what `/healthz` says of the outbox."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from django.db import connection
from tests.outbox.conftest import Mailbox
from tests.outbox.posting import DIGEST, job_ended
from tests.world import World

from pellucid.errors import UnavailableError
from pellucid.jobs.inline import InlineJobs
from pellucid.jobs.portal import door as jobs_door
from pellucid.jobs.work import Tools, Work, job, registry_of
from pellucid.outbox.portal import monitoring, worker
from pellucid.outbox.portal.door import post
from pellucid.outbox.portal.models import Told
from pellucid.outbox.portal.worker import Worker
from pellucid.record.monitor import Kind, Notice

STALE = Notice(Kind.STALE, "log.center.example/1", "too few operators", alarming=True)
DOUBLED = Notice(Kind.DOUBLED, "log.center.example/1", "one of 2", alarming=True, statement=DIGEST)


def told() -> list[dict[str, str | int]]:
    return [item.message.words for item in Told.objects.order_by("pk").select_related("message")]


def test_operators_hear_of_each_alarm_of_a_monitor_once_while_it_lasts(world: World) -> None:
    world.account("otto"), world.account("rita")
    assert monitoring.tell("state.json", [STALE]) == 1
    assert monitoring.tell("state.json", [STALE, DOUBLED]) == 1
    assert monitoring.tell("other.json", []) == 0
    assert monitoring.tell("state.json", [STALE]) == 0
    stale = {"alarm": "stale", "log": "log.center.example/1"}
    assert told() == [stale, {"alarm": "doubled", "log": "log.center.example/1", "statement": DIGEST}]
    assert monitoring.tell("state.json", []) == 0
    assert monitoring.tell("state.json", [STALE]) == 1
    assert told()[2:] == [stale]
    assert {item.account.email for item in Told.objects.select_related("account")} == {"otto@people.example"}


@pytest.mark.django_db(transaction=True)
def test_a_monitor_whose_home_cannot_be_written_says_so(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
    with pytest.raises(UnavailableError):
        monitoring.tell("state.json", [STALE])
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = OFF")
    assert monitoring.tell("state.json", [STALE]) == 1


@pytest.mark.full
def test_a_monitor_posts_into_the_home_that_it_is_given(made_home: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; home = Path(sys.argv[1])\n"
        "from pellucid.commands.monitor import _outbox\n"
        "from pellucid.record.monitor import Kind, Notice\n"
        "told = _outbox(home, home / 'monitor.json')\n"
        "alarm = Notice(Kind.STALE, 'log.example/1', 'why', alarming=True)\n"
        "print(told([alarm]), told([alarm]))\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(made_home)], capture_output=True, text=True, check=True)
    assert run.stdout == "1 0\n"
    assert (made_home / "site.db").stat().st_mode & 0o077 == 0


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fails: bool = False


@job("try-it", Arguments, summary="try it")
def try_it(work: Work, asked: Arguments) -> dict[str, bool]:
    return {"ok": not asked.fails}


def test_who_asked_for_a_job_hears_of_its_end_and_operators_of_the_nodes_own_failures(
    world: World, outbox: Worker
) -> None:
    rita, _otto = world.account("rita"), world.account("otto")
    jobs = InlineJobs(registry_of(try_it), Tools(world.home.path))
    jobs_door.serve(jobs)
    jobs.start("try-it", "asked", {}, asked_by=rita.id)
    jobs.start("try-it", "fine", {})
    jobs.start("try-it", "broken", {"fails": True})
    outbox.turn()
    found = Told.objects.select_related("message", "account").order_by("account__email")
    assert [(item.account.email.partition("@")[0], item.message.path) for item in found] == [
        ("otto", "/jobs/broken"),
        ("rita", "/jobs/asked"),
    ]


def test_healthz_says_how_the_outbox_stands(world: World, outbox: Worker, mailbox: Mailbox) -> None:
    mailbox.answers = ["451 later"]
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    problem, standing = worker.healthz()
    assert problem is None
    assert (standing["mail"], standing["waiting"], standing["failed"]) == ("asked-to-try-later", 1, 0)
    assert isinstance(standing["oldest"], int)


@pytest.mark.django_db(transaction=True)
def test_the_thread_of_a_node_that_cannot_work_makes_it_unhealthy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_PATIENCE", 0.0)
    running = worker.serve(world.node, start=False)
    monkeypatch.setattr(running, "turn", lambda: (_ for _ in ()).throw(OSError("no disk")))
    running.start()
    deadline = time.monotonic() + 5
    while worker.healthz()[0] is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert worker.healthz()[0] == "the outbox does not work: OSError"
    worker.stop()
