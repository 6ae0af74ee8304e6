"""Watching a job in a real browser: the bar and the lines move, one sentence is announced, and it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.jobs.sample_jobs import REGISTRY
from tests.world import World

from pellucid.jobs.inline import LedgerJobs
from pellucid.jobs.ledger import Ledger, SqliteStore
from pellucid.jobs.port import JobState, Progress
from pellucid.jobs.portal import door

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [pytest.mark.full, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium here: apt-get install chromium libatomic1")
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the browser's library runs a loop in this thread
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def ledger(world: World) -> Ledger:
    """A job that runs as the test says."""
    found = LedgerJobs(Ledger(SqliteStore(None)), REGISTRY)
    door.serve(found)
    found.start("counting", "watched", {"steps": 4, "folder": "/"}, asked_by=world.account("otto").id)
    found.ledger.begin("watched")
    found.ledger.progress("watched", Progress(1, 4, "effects", "effect 1"))
    found.ledger.say("watched", "s1.0", "the first line")
    return found.ledger


def opened(browser: Browser, base: str, world: World, path: str, *, scripts: bool = True) -> Page:
    """Open a page as otto, and remember what its console says against it."""
    context = browser.new_context(
        viewport={"width": 320, "height": 800}, reduced_motion="reduce", java_script_enabled=scripts
    )
    cookies: Any = [
        {"name": name, "value": item.value, "url": base} for name, item in world.client("otto").cookies.items()
    ]
    context.add_cookies(cookies)
    page = context.new_page()
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    problems.clear()
    answer = page.goto(base + path)
    assert answer is not None
    assert answer.status == 200
    return page


problems: list[str] = []


def test_a_job_is_watched_to_its_end(browser: Browser, live_server: Any, world: World, ledger: Ledger) -> None:
    page = opened(browser, live_server.url, world, "/jobs/watched")
    bar = page.locator("#job-standing progress")
    assert bar.get_attribute("value") == "1"
    page.locator("#job-lines").evaluate("node => node.dataset.mine = 'kept'")
    ledger.progress("watched", Progress(3, 4, "effects", "effect 3"))
    ledger.say("watched", "s2.0", "<b>the second line</b>")
    page.get_by_text("<b>the second line</b>").wait_for(timeout=10_000)
    assert bar.get_attribute("value") == "3"
    lines = page.locator("#job-lines").inner_text().splitlines()
    assert [line[9:] for line in lines if line] == ["the first line", "<b>the second line</b>"]
    assert page.locator("#job-lines").get_attribute("data-mine") == "kept"  # lines are added, the log is not replaced
    assert page.locator("#job-told").inner_text() == "running, 75 %"
    ledger.end("watched", JobState.DONE, result={"ok": True})
    page.locator("#job-standing .badge[data-state=good]").wait_for(timeout=10_000)
    assert page.locator("#job-told").inner_text() == "done"
    assert page.get_by_role("button", name="Cancel this job").count() == 0
    assert problems == []


def test_a_job_is_cancelled_by_keyboard(browser: Browser, live_server: Any, world: World, ledger: Ledger) -> None:
    page = opened(browser, live_server.url, world, "/jobs/watched")
    page.get_by_role("button", name="Cancel this job").focus()
    page.wait_for_timeout(2500)  # the focus outlasts what changes by itself
    page.keyboard.press("Enter")
    page.get_by_text("stops before its next step").first.wait_for(timeout=10_000)
    assert ledger.cancelling("watched")


def test_without_scripts_there_is_a_way_to_look_again(
    browser: Browser, live_server: Any, world: World, ledger: Ledger
) -> None:
    page = opened(browser, live_server.url, world, "/jobs/watched", scripts=False)
    ledger.say("watched", "s3.0", "the third line")
    page.get_by_role("link", name="Load this page again").click()
    assert "the third line" in page.locator("#job-lines").inner_text()


@pytest.mark.parametrize("path", ["/jobs", "/jobs/watched"])
def test_axe_finds_nothing_and_the_page_fits_a_narrow_screen(
    browser: Browser, live_server: Any, world: World, ledger: Ledger, path: str, tmp_path: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    page = opened(browser, live_server.url, world, path)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
        found = Axe().run(page)
        wrong = [(item["id"], node["html"]) for item in found.response["violations"] for node in item["nodes"]]
        assert wrong == [], scheme
    page.set_viewport_size({"width": 1280, "height": 900})
    page.screenshot(path=tmp_path / "wide.png", full_page=True)
