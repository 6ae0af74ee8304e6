"""What the forms of people do with what nobody should send."""

from __future__ import annotations

import pytest
from django.test import Client
from tests.world import World, sign_in

from pellucid.people.portal.models import Account, Invitation, OperatorSession


def test_no_form_is_taken_from_another_site(world: World) -> None:
    browser = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    sign_in(browser, world.account("otto"))
    rita = world.account("rita")
    for path in ("/operator/session", "/operator/session/end", "/people/invite", f"/people/{rita.id}/erase"):
        assert browser.post(path, {"reason": "a reason that is long enough", "minutes": "60"}).status_code == 403
    assert not OperatorSession.objects.exists()


def test_a_form_with_its_token_is_taken(world: World) -> None:
    browser = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    sign_in(browser, world.account("otto"))
    page = browser.get("/operator/session")
    token = str(page.context["csrf_token"])
    asked = {"reason": "a reason that is long enough", "minutes": "60", "csrfmiddlewaretoken": token}
    assert browser.post("/operator/session", asked).status_code == 302


@pytest.mark.parametrize(
    "asked",
    [
        {"email": "x" * 250 + "@lab.example"},
        {"email": "ruth@lab.example\nBcc: mallory@people.example"},
        {"email": "ruth@lab.example", "organisation": "x" * 201},
        {"email": "ruth@lab.example", "roles": ["superuser"]},
        {"email": "ruth@lab.example", "until": "yesterday"},
        {"email": "ruth@lab.example\x00"},
    ],
    ids=["long", "header", "long name", "no role", "no day", "null"],
)
def test_an_invitation_that_does_not_fit_is_refused_with_its_place(world: World, asked: dict[str, object]) -> None:
    answer = world.operator_session("otto").post("/people/invite", asked)
    assert answer.status_code == 200
    assert "could not be taken" in answer.text
    assert not Invitation.objects.exists()


def test_a_name_is_printed_as_text(world: World) -> None:
    account = world.account("rita")
    account.name = '<script>alert(1)</script>"><img src=x>'
    account.save()
    browser = world.operator_session("otto")
    for path in ("/people", f"/people/{account.id}"):
        text = browser.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text


def test_pages_of_people_are_kept_by_no_cache(world: World) -> None:
    browser = world.operator_session("otto")
    for path in ("/people", "/people.json", "/operator/session", "/account", "/api/me", "/signing", "/", "/nothing"):
        assert "no-store" in browser.get(path).headers["Cache-Control"], path
    assert "Cache-Control" not in world.client(None).get("/").headers


def test_the_list_starts_somewhere_whatever_is_asked(world: World) -> None:
    browser = world.operator_session("otto")
    for start in ("-1", "9999999999", "x", "1e3", "20"):
        assert browser.get("/people", {"from": start}).status_code == 200


def test_a_long_list_is_paged_and_each_page_says_about_whom_it_is(world: World) -> None:
    Account.objects.bulk_create(Account(email=f"p{n}@people.example", name=f"Person {n:02}") for n in range(45))
    browser = world.operator_session("otto")
    first = browser.get("/people.json").json()
    assert (len(first["people"]), first["after"], first["before"]) == (20, "/people?from=20", None)
    last = browser.get("/people.json?from=40").json()
    assert (len(last["people"]), last["after"]) == (6, None)
    assert len(world.events()[-1].about) == 6
