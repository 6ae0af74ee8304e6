"""What is kept in memory for everybody is never somebody's."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory
from tests.security.walk import addresses, browser_of, things_of
from tests.world import World

from pellucid.site import kept
from pellucid.site.kept import KeptPages


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[KeptPages]:
    """Every store of pages that a browser's requests go through."""
    found: list[KeptPages] = []
    made = KeptPages.__init__

    def remembered(self: KeptPages, *given: Any) -> None:
        made(self, *given)
        found.append(self)

    monkeypatch.setattr(KeptPages, "__init__", remembered)
    monkeypatch.setattr(kept, "KEPT_FOR", 3600.0)
    return found


def bodies(pages: list[KeptPages]) -> list[bytes]:
    return [page.body for store in pages for page in store._pages.values()]


def test_nothing_that_somebody_signed_in_was_shown_is_kept(world: World, pages: list[KeptPages]) -> None:
    things = things_of(world)
    rita, visitor = browser_of(world, "rita"), browser_of(world, "a visitor")
    for address in addresses(things):
        rita.get(address)
    assert bodies(pages) == []
    visitor.get("/")
    assert len(bodies(pages)) == 1, "the control: what everybody gets is kept"


def test_a_private_page_never_comes_out_of_it(world: World, pages: list[KeptPages]) -> None:
    """One store before all, as in the node: a visitor asks right after the person whose pages they are."""
    things = things_of(world)
    browser = browser_of(world, "rita")
    own = {address: browser.get(address) for address in addresses(things) if address.startswith(("/account", "/sign"))}
    shown = [address for address, answer in own.items() if answer.status_code == 200]
    assert len(shown) > 20
    del browser.cookies[settings.SESSION_COOKIE_NAME]
    for address in shown:
        answer = browser.get(address)
        assert answer.status_code != 200 or bool(answer.templates), address
        assert b"Rita Example" not in answer.content, address
        assert b"rita@people.example" not in answer.content, address


@pytest.mark.parametrize("rule", ["no-store", "private", "max-age=0", "no-cache"])
def test_whatever_asks_not_to_be_kept_is_not(rule: str) -> None:
    made: list[int] = []

    def view(_request: Any) -> HttpResponse:
        made.append(1)
        return HttpResponse(b"x", headers={"Cache-Control": rule} if rule else {})

    store = KeptPages(view)
    for _ in range(2):
        store(RequestFactory(SERVER_NAME="localhost").get("/"))
    assert len(made) == 2


@pytest.mark.parametrize(("status", "kind"), [(404, "text/html"), (200, "application/json"), (500, "text/html")])
def test_only_good_public_pages_are_kept(status: int, kind: str) -> None:
    store = KeptPages(lambda _request: HttpResponse(b"x", status=status, content_type=kind))
    store(RequestFactory(SERVER_NAME="localhost").get("/"))
    assert not store._pages


def test_an_answer_that_sets_a_cookie_is_not_kept() -> None:
    def view(_request: Any) -> HttpResponse:
        answer = HttpResponse(b"x")
        answer.set_cookie("anything", "x")
        return answer

    store = KeptPages(view)
    store(RequestFactory(SERVER_NAME="localhost").get("/"))
    assert not store._pages


def test_pages_of_one_host_are_not_given_to_visitors_of_another(world: World) -> None:
    first = Client(SERVER_NAME="localhost").get("/")
    second = Client(SERVER_NAME="127.0.0.1").get("/")
    assert (first.status_code, second.status_code) == (200, 200)
    assert bool(second.templates)


def test_signing_out_has_the_browser_forget_what_it_kept(world: World) -> None:
    """Of pages; not of its storage, where a signing key may lie that exists nowhere else."""
    assert world.client("rita").post("/account/logout/").headers["Clear-Site-Data"] == '"cache"'
