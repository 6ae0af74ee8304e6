"""Who is let in where, what the others are told, and what is recorded of either."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.world import PEOPLE, World, sign_in

from pellucid.audit.events import EventType
from pellucid.audit.portal import door
from pellucid.people import refusals
from pellucid.people.permissions import Permission
from pellucid.people.roles import Role

PUBLIC = ("/", "/log", "/nodes", "/check", "/products", "/search?q=x", "/index.json", "/api/logs", "/nothing-here")


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_only_operators_reach_people_and_only_in_a_session(world: World, name: str) -> None:
    browser = world.client(name)
    if Role.OPERATOR in PEOPLE[name]:
        assert browser.get("/people").headers["Location"] == "/operator/session?next=%2Fpeople"
        assert world.operator_session(name).get("/people").status_code == 200
    else:
        assert browser.get("/people").status_code == 403
        assert browser.post("/operator/session", {"reason": "let me in please", "minutes": "60"}).status_code == 403


def test_visitors_are_asked_to_sign_in_and_led_back(world: World) -> None:
    answer = world.client(None).get("/people?from=20")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/account/login/?next=/people%3Ffrom%3D20"


def test_what_was_written_is_shown_once_more_to_who_is_signed_out_meanwhile(world: World) -> None:
    """Text is not lost with a session, and nothing that is secret is shown."""
    sent = {"reason": "a long & careful text", "minutes": "60", "password": "a secret that is long enough"}
    late = world.client(None).post("/operator/session", sent)
    assert late.status_code == 401
    assert "Nothing was changed." in late.text
    assert "a long &amp; careful text" in late.text
    assert "a secret" not in late.text
    assert "a long" not in world.client("rita").post("/operator/session", sent).text


@pytest.mark.parametrize(("site", "is_given_back"), [("same-origin", True), ("cross-site", False), (None, False)])
def test_a_form_of_our_own_that_is_too_old_gives_its_text_back(
    world: World, site: str | None, is_given_back: bool
) -> None:
    otto = world.client("otto", enforce_csrf_checks=True)
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    late = otto.post("/operator/session", {"reason": "a text that is long to type"}, headers=headers)
    assert late.status_code == 403
    assert "Nothing was changed." in late.text
    assert ("a text that is long to type" in late.text) == is_given_back


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/people.json", {}),
        ("/people", {"HX-Request": "true"}),
        ("/people", {"Accept": "application/json"}),
        ("/api/me", {}),
    ],
)
def test_programs_are_told_as_json(world: World, path: str, headers: dict[str, str]) -> None:
    answer = world.client(None).get(path, headers=headers)
    assert answer.status_code == 401
    assert set(answer.json()["error"]) == {"what", "where", "remedy"}


def test_a_role_without_a_second_factor_reaches_nothing(world: World) -> None:
    browser = Client(SERVER_NAME="localhost")
    sign_in(browser, world.join("nora", Role.OPERATOR, factor=False))
    answer = browser.get("/operator/session")
    assert answer.status_code == 403
    assert "/account/2fa/" in answer.text
    assert [event.details["reason"] for event in world.events(EventType.ACCESS_REFUSED)] == ["second-factor"]


def test_a_factor_that_was_not_used_here_is_asked_for(world: World) -> None:
    browser = world.client("otto")
    session = browser.session
    session["account_authentication_methods"] = session["account_authentication_methods"][:1]
    session.save()
    assert browser.get("/operator/session").headers["Location"].startswith("/account/2fa/reauthenticate/?next=")
    assert browser.get("/operator/session.json").status_code == 403


def test_a_factor_used_by_another_account_does_not_count(world: World) -> None:
    browser = world.client("otto")
    session = browser.session
    session["account_authentication_methods_user"] = world.account("olga").pk
    session.save()
    assert browser.get("/operator/session").status_code == 302


def test_an_account_that_is_closed_is_a_visitor(world: World) -> None:
    browser = world.operator_session("otto")
    account = world.account("otto")
    account.is_active = False
    account.save()
    assert browser.get("/people").headers["Location"].startswith("/account/login/")


def test_access_is_recorded_before_anything_is_shown(world: World) -> None:
    browser = world.operator_session("otto")
    rita = world.account("rita")
    assert browser.get(f"/people/{rita.id}").status_code == 200
    event = world.events(EventType.SESSION_REQUEST)[-1]
    assert event.actor == world.account("otto").id
    assert event.about == (rita.id,)
    assert event.target == f"page:/people/{rita.id}"
    assert event.details["permission"] == Permission.SEE_PEOPLE.value
    door._served.clear()
    with pytest.raises(ImproperlyConfigured):
        browser.get(f"/people/{rita.id}")


def test_the_list_says_about_whom_it_is(world: World) -> None:
    rita = world.account("rita")
    browser = world.operator_session("otto")
    browser.get("/people")
    assert rita.id in world.events(EventType.SESSION_REQUEST)[-1].about


def test_refusals_of_somebody_known_are_recorded(world: World) -> None:
    browser = world.client("mallory")
    browser.get("/people")
    (event,) = world.events(EventType.ACCESS_REFUSED)
    assert event.actor == world.account("mallory").id
    assert dict(event.details) == {"permission": "see-people", "method": "get", "reason": "permission"}


def test_nobody_fills_the_log_with_refusals(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST_RECORDED", 3)
    browser = world.client("mallory")
    assert [browser.get("/people").status_code for _ in range(5)] == [403, 403, 403, 429, 429]
    assert len(world.events(EventType.ACCESS_REFUSED)) == 3


def test_the_budget_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(refusals, "MOST_RECORDED", 1)
    budget = refusals.RefusalBudget(lambda: now[0])
    assert (budget.spend("a"), budget.spend("a"), budget.spend("b")) == (True, False, True)
    now[0] = refusals.WITHIN
    assert budget.spend("a")


def test_visitors_cost_the_database_nothing(world: World) -> None:
    browser = world.client(None)
    with CaptureQueriesContext(connection) as queries:
        for path in PUBLIC:
            browser.get(path)
    assert queries.captured_queries == []


def test_a_guarded_page_reads_who_asks_once(world: World) -> None:
    browser = world.operator_session("otto")
    with CaptureQueriesContext(connection) as queries:
        browser.get("/operator/session")
    asked = [query["sql"] for query in queries.captured_queries]
    for table in (
        "people_portal_account",
        "people_portal_rolegrant",
        "people_portal_operatorsession",
        "django_session",
    ):
        reads = [sql for sql in asked if sql.startswith("SELECT") and f'FROM "{table}"' in sql]
        assert len(reads) <= 1, reads
    assert len(asked) <= 10, asked
