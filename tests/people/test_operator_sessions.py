"""Operator sessions: a reason, an end, one browser, and every request on record."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from django.utils import timezone
from tests.world import World, sign_in

from pellucid.audit.events import EventType
from pellucid.people.portal import sessions
from pellucid.people.portal.models import OperatorSession
from pellucid.statement.commitment import Opening, commit

REASON = "the reviewer lost her phone"
ELSEWHERE = ("https://mallory.example/", "//mallory.example", "/\\mallory.example", "javascript:x")


def test_a_session_opens_with_a_reason_and_leads_back(world: World) -> None:
    answer = world.client("otto").post(
        "/operator/session", {"reason": REASON, "minutes": "30", "next": "/people?from=0"}
    )
    assert answer.headers["Location"] == "/people?from=0"
    session = OperatorSession.objects.get()
    assert timedelta(minutes=29) < session.ends_at - timezone.now() <= timedelta(minutes=30)
    assert sessions.reason(session) == REASON


@pytest.mark.parametrize("onward", ELSEWHERE)
def test_a_session_leads_nowhere_else(world: World, onward: str) -> None:
    asked = {"reason": REASON, "minutes": "30", "next": onward}
    assert world.client("otto").post("/operator/session", asked).headers["Location"] == "/operator/session"


@pytest.mark.parametrize(
    "asked",
    [
        {"reason": "too short", "minutes": "60"},
        {"reason": "x" * 501, "minutes": "60"},
        {"reason": "          .", "minutes": "60"},
        {"reason": REASON, "minutes": "241"},
        {"reason": REASON, "minutes": "-60"},
        {"reason": REASON},
        {},
    ],
    ids=["short", "long", "blank", "too many minutes", "no time", "no minutes", "nothing"],
)
def test_a_session_without_a_reason_or_an_end_does_not_open(world: World, asked: dict[str, str]) -> None:
    answer = world.client("otto").post("/operator/session", asked)
    assert answer.status_code == 200
    assert "could not be taken" in answer.text
    assert not OperatorSession.objects.exists()


def test_the_log_holds_a_salted_digest_of_the_reason_and_nothing_else_of_it(world: World) -> None:
    world.client("otto").post("/operator/session", {"reason": REASON, "minutes": "15"})
    (event,) = world.events(EventType.SESSION_OPENED)
    opening = msgspec.json.decode(OperatorSession.objects.get().opening, type=Opening)
    assert event.details["reason"] == opening.root
    assert commit({"reason": REASON})[0] != opening.root  # another salt, another digest
    assert REASON.encode() not in b"".join(file.read_bytes() for file in world.home.path.rglob("*") if file.is_file())


def test_a_session_is_of_one_browser(world: World) -> None:
    world.operator_session("otto")
    assert world.client("otto").get("/people").status_code == 302


def test_the_session_of_somebody_else_is_of_no_use(world: World) -> None:
    world.operator_session("otto")
    browser = world.client("olga")
    session = browser.session
    session["operator_session"] = OperatorSession.objects.get().id
    session.save()
    assert browser.get("/people").status_code == 302


def test_a_session_ends_by_itself_and_the_log_tells(world: World) -> None:
    browser = world.operator_session("otto")
    OperatorSession.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert browser.get("/people").status_code == 302
    (event,) = world.events(EventType.SESSION_CLOSED)
    assert event.details["reason"] == "expired"


def test_a_session_is_ended_by_hand_with_the_number_of_its_requests(world: World) -> None:
    browser = world.operator_session("otto")
    browser.get("/people")
    browser.get("/people")
    browser.post("/operator/session/end")
    assert browser.get("/people").status_code == 302
    (event,) = world.events(EventType.SESSION_CLOSED)
    assert (event.details["reason"], event.details["requests"]) == ("asked", 3)  # and the request that ended it


def test_a_new_session_replaces_the_old_one(world: World) -> None:
    browser = world.operator_session("otto")
    browser.post("/operator/session", {"reason": REASON, "minutes": "15"})
    assert OperatorSession.objects.filter(closed_at=None).count() == 1
    assert [event.details["reason"] for event in world.events(EventType.SESSION_CLOSED)] == ["replaced"]


def test_signing_out_ends_the_session(world: World) -> None:
    browser = world.operator_session("otto")
    browser.post("/account/logout/")
    assert OperatorSession.objects.get().closed_at is not None


def test_losing_the_role_ends_what_a_session_opened(world: World) -> None:
    browser = world.operator_session("otto")
    world.account("otto").grants.update(ended_at=timezone.now())
    assert browser.get("/people").status_code == 403


def test_operators_read_each_other_s_reasons(world: World) -> None:
    browser = world.client("otto")
    browser.post("/operator/session", {"reason": REASON, "minutes": "15"})
    other = world.operator_session("olga")
    assert REASON in other.get("/operator/sessions").text
    assert other.get("/operator/sessions.json").json()["sessions"][1]["reason"] == REASON
    sign_in(other, world.account("rita"))
    assert other.get("/operator/sessions").status_code == 403
