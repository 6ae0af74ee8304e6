"""What is asked in an odd way, from another site, or by an address of somebody else changes and shows nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from tests.people.test_access_table import TABLE
from tests.security.walk import addresses, browser_of, filled, things_of, views
from tests.world import World

from pellucid.people.roles import Role

ELSEWHERE = "//attacker.example/"
HOUSEKEEPING = {"Session", "UserSession", "OperatorSession"}
OTTO = pytest.param("otto", marks=pytest.mark.full)
WITHOUT_TOKEN = {"/language"}  # it looks at the origin of the form instead, and changes a cookie only


def rows() -> dict[str, list[Any]]:
    """Return everything in the database but what merely notes that somebody was here."""
    models = [model for model in apps.get_models() if model.__name__ not in HOUSEKEEPING]
    return {model.__name__: sorted(map(repr, model._default_manager.values_list())) for model in models}


@pytest.mark.parametrize("who", ["rita", OTTO])
def test_no_form_is_taken_without_its_token(world: World, who: str) -> None:
    """Every address there is, posted to from another site with the cookies of somebody who may do it."""
    things, victim = things_of(world), browser_of(world, who)
    before = rows()
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="localhost", HTTP_ORIGIN="https://attacker.example")
    strict.cookies = victim.cookies
    for pattern, view in views():
        answer = strict.post(filled(pattern, things), {"email": "mallory@attacker.example", "language": "de"})
        assert answer.status_code == (400 if pattern in WITHOUT_TOKEN else 403), pattern
        assert getattr(view, "csrf_exempt", False) == (pattern in WITHOUT_TOKEN), pattern
    assert rows() == before


@pytest.mark.parametrize("path", ["jobs", "jobs/check-logs-1/cancel"])
def test_no_operation_of_the_api_is_done_without_the_token(world: World, path: str) -> None:
    things_of(world)
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    strict.cookies = world.client("otto").cookies
    sent: dict[str, Any] = {"data": {"name": "check-logs"}, "content_type": "application/json"}
    assert strict.post(f"/api/{path}", **sent).status_code == 403
    strict.get("/account")
    token = strict.cookies[settings.CSRF_COOKIE_NAME].value
    assert strict.post(f"/api/{path}", **sent, headers={"X-CSRFToken": token}).status_code in {200, 201}


@pytest.mark.parametrize("who", ["rita", OTTO])
def test_looking_changes_nothing(world: World, who: str) -> None:
    things, browser = things_of(world), browser_of(world, who)
    before = rows()
    for address in addresses(things):
        browser.get(address)
        browser.head(address)
    assert rows() == before
    browser.post("/account", {"name": "Another Name"})
    assert rows() != before


def test_the_key_of_a_session_stands_in_no_answer(world: World) -> None:
    things, browser = things_of(world), browser_of(world, "rita")
    key = str(browser.session.session_key)
    for address in addresses(things):
        answer = browser.get(address)
        assert key.encode() not in answer.content, address
        assert key not in str(answer.headers), address


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "TRACK", "CONNECT", "DEBUG"])
def test_odd_methods_are_refused_and_nothing_is_sent_back(world: World, method: str) -> None:
    things, browser = things_of(world), browser_of(world, "rita")
    before = rows()
    for pattern, _view in views():
        answer = browser.generic(method, filled(pattern, things), headers={"X-Echo": "tell me"})
        assert answer.status_code in {302, 403, 404, 405}, pattern
        assert b"tell me" not in answer.content, pattern
    assert rows() == before


def test_a_method_is_not_put_on_by_a_header(world: World) -> None:
    things_of(world)
    headers = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST", "X-HTTP-Method": "POST"}
    rita = browser_of(world, "rita")
    assert rita.get("/account/logout/?_method=POST", headers=headers).status_code == 200
    assert rita.get("/account").status_code == 200


def leads_away(answer: Any) -> bool:
    """Tell whether an answer sends its reader to another host."""
    places = [answer.headers.get("Location", ""), answer.headers.get("Refresh", "").partition("url=")[2]]
    return any("attacker" in place.partition("?")[0] for place in places)


@pytest.mark.parametrize("who", ["a visitor", "rita", OTTO])
def test_no_address_leads_anybody_elsewhere(world: World, who: str) -> None:
    """`next`, and whatever else libraries call it, of every address."""
    things = things_of(world)
    sent = dict.fromkeys(("next", "url", "redirect", "return_to", "continue", "REDIRECT_FIELD_NAME"), ELSEWHERE)
    browser, found = browser_of(world, who), []
    for pattern, _view in views():
        if pattern == "/account/logout/" and who != "a visitor":
            continue
        address = filled(pattern, things)
        found += [pattern for answer in (browser.get(address, sent), browser.post(address, sent)) if leads_away(answer)]
    if who != "a visitor":
        found += ["/account/logout/"] if leads_away(browser.post("/account/logout/", sent)) else []
    assert found == []


@pytest.mark.parametrize(
    "host", ["attacker.example", "localhost:80@attacker.example", "localhost.", "x\r\nX-Injected: 1"]
)
def test_what_a_request_says_of_the_host_is_believed_by_nobody(world: World, host: str) -> None:
    for address in ("/", "/account/login/", "/people", "/api/card", "/feed.atom", "/nowhere"):
        headers = {"X-Forwarded-Host": "attacker.example", "Forwarded": "host=attacker.example"}
        for answer in (
            world.client(None).get(address, headers={"host": host}),
            world.client(None).get(address, headers=headers),
        ):
            assert b"attacker" not in answer.content, address
            assert "attacker" not in str(answer.headers), address
            assert "X-Injected" not in answer.headers, address


IDENTIFIERS = {
    "person", "grant", "organisation", "account", "address", "key", "challenge_id", "request_id", "webhook", "delivery",
    "token", "job_id", "pk", "provider_id",
}  # fmt: skip
OF_THE_LOG = {"log_id", "index", "statement", "digest", "product"}  # public, as is everything in a log


def test_every_kind_of_identifier_is_known_here() -> None:
    """The control of the next test: a new kind has to be looked at, and made one of in `things_of`."""
    found = {part.rpartition(":")[2] for path, _view in views() for part in path.replace(">", "<").split("<")[1::2]}
    assert found == IDENTIFIERS | OF_THE_LOG


def test_what_is_somebodys_is_nobody_elses_by_its_address(world: World) -> None:
    """Ruth is a reviewer as rita is, and knows the address of everything of rita's."""
    things = things_of(world)
    world.join("ruth", Role.REVIEWER)
    ruth, before = browser_of(world, "ruth"), rows()
    for pattern, _view in views():
        if "<" not in pattern or pattern in TABLE["pages"]["public"]:
            continue
        address = filled(pattern, things)
        for answer in (ruth.get(address), ruth.get(f"{address}.json"), ruth.post(address, {"sure": "on"})):
            assert answer.status_code in {403, 404, 405}, pattern
            assert b"Rita" not in answer.content, pattern
            assert b"hooks.example" not in answer.content, pattern
    for path in ("", "/log"):
        assert ruth.get(f"/api/jobs/{things['job_id']}{path}").status_code == 403
    assert ruth.post(f"/api/jobs/{things['job_id']}/cancel").status_code == 403
    assert rows() == before
    assert world.client("rita").get(filled("/signing/<str:request_id>", things)).status_code == 200, "the control"


def test_what_leads_in_by_its_address_alone_cannot_be_guessed(world: World) -> None:
    """A feed and an invitation: 128 random bits or more, and another one every time."""
    first, second = things_of(world), world.client(None)
    assert len(first["address"]) == 32
    assert len(first["token"]) >= 43
    assert second.get(f"/feed/{first['token']}.atom").status_code == 200
    for name, path in (("token", "/feed/%s.atom"), ("address", "/join/%s")):
        other = ("0" if first[name][0] != "0" else "1") + first[name][1:]
        assert second.get(path % other).status_code == 404


def test_unknown_fields_of_a_form_change_nothing(world: World) -> None:
    rita = world.account("rita")
    sent = {"name": "Rita the Reader", "email": "mallory@attacker.example", "is_active": "", "roles": "operator",
            "id": "0" * 32, "password": "x", "joined_at": "", "erased_at": "2026-01-01"}  # fmt: skip
    assert world.client("rita").post("/account", sent).status_code == 302
    before = (rita.id, rita.email, rita.password, rita.is_active, rita.erased_at)
    rita.refresh_from_db()
    assert (rita.id, rita.email, rita.password, rita.is_active, rita.erased_at) == before
    assert rita.name == "Rita the Reader"
    assert [grant.role for grant in rita.grants.all()] == [Role.REVIEWER.value]
