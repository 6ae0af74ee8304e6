"""What people see of the audit log: their own record, and operators in a session the whole."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stdout
from pathlib import Path
from typing import Any

from tests.world import PASSPHRASE, World

from pellucid.audit.events import Event, EventType
from pellucid.cli import main
from pellucid.errors import FatalError
from pellucid.node import Node
from pellucid.site.front import Environ, Front, StartResponse


def cli(*words: str) -> tuple[int, Any]:
    """Run a command; return its exit code and what it said."""
    out = io.StringIO()
    with redirect_stdout(out):
        code = main([*words, "--json"])
    return code, json.loads(out.getvalue())


def test_people_see_what_is_recorded_about_them(world: World) -> None:
    rita = world.account("rita")
    answer = world.client("rita").get("/account/record")
    assert answer.status_code == 200
    body = answer.content.decode()
    assert rita.id in body
    assert "access.granted" in body, "that they looked is recorded first, and so shown"


def test_a_visitor_is_asked_to_sign_in_first(world: World) -> None:
    assert world.client(None).get("/account/record").status_code == 302
    assert world.client(None).get("/account/record.json").status_code == 401
    assert world.events(EventType.ACCESS_GRANTED) == ()


def test_nobody_sees_the_record_of_somebody_else(world: World) -> None:
    world.client("rita").get("/account/record")
    page = json.loads(world.client("rosa").get("/account/record.json").content)
    assert page["account"] == world.account("rosa").id
    assert [line["actor"] for line in page["events"]] == [page["account"]]


def test_only_operators_in_a_session_see_the_log(world: World) -> None:
    assert world.client("rita").get("/audit").status_code == 403
    assert world.client("otto").get("/audit").status_code == 302, "an operator session first"
    assert world.operator_session("otto").get("/audit").status_code == 200


def test_the_page_gives_a_proof_that_the_command_line_accepts(world: World, tmp_path: Path) -> None:
    browser = world.client("rita")
    browser.get("/account/record")
    world.node.publish()
    answer = browser.get("/account/record/proof")
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    file = tmp_path / "record.json"
    file.write_bytes(answer.content)
    page = json.loads(browser.get("/account/record.json").content)
    outcome, said = cli("audit", "check", str(file), "--key", page["head"]["vkey"])
    assert outcome == 0
    assert said["account"] == world.account("rita").id
    assert len(said["events"]) == 1


def test_before_a_head_is_published_there_is_no_proof_and_the_page_says_so(world: World) -> None:
    browser = world.client("rita")
    assert "No head is published yet" in browser.get("/account/record").content.decode()
    assert browser.get("/account/record/proof").status_code == 503


def test_a_long_record_comes_in_pages(world: World) -> None:
    rita = world.account("rita")
    for number in range(120):
        world.node.trail.record(Event(EventType.ACCOUNT_SIGNED_OUT, number, rita.id))
    browser, seen, address = world.client("rita"), [], "/account/record"
    while address is not None:
        page = json.loads(browser.get(address.replace("record", "record.json")).content)
        seen += [line["index"] for line in page["events"]]
        address = page["older"]
    assert seen == sorted(seen, reverse=True)
    assert set(range(120)) <= set(seen)


def test_whoever_is_looked_at_finds_that_they_were(world: World) -> None:
    rita, otto = world.account("rita"), world.account("otto")
    assert world.operator_session("otto").get(f"/audit/{rita.id}").status_code == 200
    page = json.loads(world.client("rita").get("/account/record.json").content)
    assert (otto.id, f"page:/audit/{rita.id}") in [(line["actor"], line["target"]) for line in page["events"]]


def test_operators_find_events_by_type(world: World) -> None:
    browser = world.operator_session("otto")
    page = json.loads(browser.get("/audit.json?type=operator-session.opened").content)
    assert [line["type"] for line in page["events"]] == ["operator-session.opened"]
    assert browser.get("/audit?type=no.such").status_code == 404
    assert browser.get("/audit?before=x").status_code == 200
    assert browser.get("/audit/zz").status_code == 404


def test_what_cannot_be_recorded_is_not_shown(
    world: World, full_disk: Callable[[Path], AbstractContextManager[None]]
) -> None:
    """The disk takes no more: a real write of the audit log fails, and so does every private page, in every shape."""
    browser, operator = world.client("rita"), world.operator_session("otto")
    assert browser.get("/account/record").status_code == 200
    before = world.node.trail.size
    with full_disk(world.home.path / "audit.db-wal"):
        refused = browser.get("/account/record")
        assert refused.status_code == 503
        assert world.account("rita").id not in refused.content.decode()
        assert browser.get("/account/record.json").status_code == 503
        assert browser.get("/api/me/record").status_code == 503
        assert operator.get("/audit").status_code == 503
        assert browser.get("/products").status_code == 200, "what is public is shown all the same"
    assert browser.get("/account/record").status_code == 503, "until the node was started again"
    assert world.node.trail.problem is not None
    assert world.node.trail.size == before


def test_a_home_from_before_there_were_audit_logs_opens(world: World) -> None:
    world.node.stop()
    for file in world.home.path.glob("audit*"):
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    with Node.open(world.home, PASSPHRASE) as node:
        assert node.trail.size == 0
        node.publish()
        assert node.doors.audit_checkpoint().status == 200


def test_healthz_tells_that_nothing_can_be_recorded(world: World) -> None:
    def nothing(environ: Environ, start_response: StartResponse) -> list[bytes]:
        raise AssertionError("the front answers this itself")

    def health() -> tuple[str, Any]:
        said: list[str] = []
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/healthz"}
        body = b"".join(Front(world.node, nothing)(environ, lambda *told: said.append(told[0])))
        return said[0][:3], json.loads(body)["problems"]

    assert health() == ("200", [])
    world.node.trail.log.fail(FatalError("the disk is gone"))
    assert health() == ("503", ["the audit log: the disk is gone"])
