"""The pages of the outbox in a real browser: contrast, names, and no page wider than a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.outbox.conftest import Mailbox
from tests.outbox.posting import job_ended, sample
from tests.world import World, now

from pellucid.outbox.notice import NoticeKind
from pellucid.outbox.portal.door import post
from pellucid.outbox.portal.models import Webhook
from pellucid.outbox.portal.worker import Worker

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [pytest.mark.full, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium here: apt-get install chromium libatomic1")
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the browser's library runs a loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def filled(world: World, outbox: Worker, mailbox: Mailbox) -> World:
    """A node with every kind of notice, a mail that was given up and one that waits, and two webhooks."""
    rita = world.account("rita")
    for kind in NoticeKind:
        post(sample(kind), [rita.id])
    mailbox.answers = ["550 no"]
    outbox.turn()
    post(job_ended("job:later"), [rita.id])
    for number in range(2):
        url = f"https://receiver.example/{'a-long-path/' * 5}{number}"
        Webhook.objects.create(account=rita, url=url, made_at=now(), stopped_at=now() if number else None)
    return world


def opened(browser: Browser, base: str, world: World, who: str, path: str) -> Page:
    """Open a page as one of the world's people."""
    client = world.operator_session(who) if who == "otto" else world.client(who)
    context = browser.new_context(viewport={"width": 320, "height": 800}, reduced_motion="reduce")
    cookies: list[Any] = [{"name": name, "value": item.value, "url": base} for name, item in client.cookies.items()]
    context.add_cookies(cookies)
    page = context.new_page()
    answer = page.goto(base + path)
    assert answer is not None
    assert answer.status == 200
    return page


@pytest.mark.parametrize(("who", "path"), [("rita", "/account/notices"), ("otto", "/outbox")])
def test_axe_finds_nothing_and_the_page_fits_a_narrow_screen(
    browser: Browser, live_server: Any, filled: World, who: str, path: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    page = opened(browser, live_server.url, filled, who, path)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        wrong = [(item["id"], node["html"]) for item in found.response["violations"] for node in item["nodes"]]
        assert wrong == [], scheme


def test_wishes_are_kept_by_keyboard_alone(browser: Browser, live_server: Any, filled: World) -> None:
    page = opened(browser, live_server.url, filled, "rita", "/account/notices")
    page.focus("#id_job-ended")
    page.keyboard.type("One")
    page.focus("text=Keep these wishes")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Your wishes are kept.")
    assert page.input_value("#id_job-ended") == "daily"
