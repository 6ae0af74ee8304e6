"""The portal in a real browser: accessibility, narrow screens, the keyboard, and a file hashed where it lies."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from tests.site.sample import Sample

pytestmark = pytest.mark.full

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def new_page(browser: Browser, *, scheme: Any = "light", width: int = 1280, **options: Any) -> Page:
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce", **options
    )
    return context.new_page()


def open_all_details(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((item) => (item.open = true))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing(browser: Browser, base: str, addresses: list[str], scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    page, problems = new_page(browser, scheme=scheme, width=width), []
    for address in addresses:
        page.goto(base + address)
        open_all_details(page)
        result = Axe().run(page, options={"runOnly": WCAG})
        problems += [
            (address, item["id"], node["html"], node["failureSummary"])
            for item in result.response["violations"]
            for node in item["nodes"]
        ]
    page.context.close()
    assert problems == []


def test_axe_would_find_a_faint_word(browser: Browser, base: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = new_page(browser)
    page.goto(base + "/nodes")
    page.evaluate("document.querySelector('h1').style.color = '#bbb'")
    result = Axe().run(page, options={"runOnly": WCAG})
    page.context.close()
    assert [item["id"] for item in result.response["violations"]] == ["color-contrast"]


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_no_page_scrolls_sideways(browser: Browser, base: str, addresses: list[str], width: int) -> None:
    page = new_page(browser, width=width)
    for address in addresses:
        page.goto(base + address)
        open_all_details(page)
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, (address, beyond)
    page.context.close()


def test_no_page_breaks_its_own_policy_or_a_script(browser: Browser, base: str, addresses: list[str]) -> None:
    page, said = new_page(browser), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for address in addresses[:-1]:
        page.goto(base + address, wait_until="networkidle")
    page.context.close()
    assert said == []


@pytest.mark.parametrize("size", [0, 1, 64, 3_000_017])
def test_a_chosen_file_is_hashed_here_and_only_its_digest_leaves(
    browser: Browser, base: str, tmp_path: Path, size: int
) -> None:
    data = bytes(place * 31 % 251 for place in range(size))
    path = tmp_path / "file.bin"
    path.write_bytes(data)
    page, sent = new_page(browser), []
    page.on("request", lambda request: sent.append((request.method, len(request.post_data_buffer or b""))))
    page.goto(base + "/check")
    page.get_by_label("File", exact=True).set_input_files(path)
    page.wait_for_url("**/digest/*")
    assert page.url == f"{base}/digest/{hashlib.sha256(data).hexdigest()}"
    assert "Nothing is logged here about it" in page.inner_text("h1")
    page.context.close()
    assert set(sent) == {("GET", 0)}


def test_a_dropped_file_is_hashed_too(browser: Browser, base: str) -> None:
    page = new_page(browser)
    page.goto(base + "/check")
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["hello"], "hello.txt"));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    page.wait_for_url("**/digest/*")
    assert page.url.endswith(hashlib.sha256(b"hello").hexdigest())
    page.context.close()


def test_without_scripts_everything_but_the_drop_works(browser: Browser, base: str, world: Sample) -> None:
    page = new_page(browser, java_script_enabled=False)
    page.goto(base + "/check")
    assert not page.locator("#drop").is_visible()
    assert "Scripts are off" in page.inner_text("main")
    page.get_by_label("Its SHA-256").fill("ab" * 32)
    page.get_by_role("button", name="Look it up").click()
    assert "Nothing is logged here about it" in page.inner_text("h1")
    page.get_by_role("searchbox").first.fill(world.marks["debt"].id)
    page.get_by_role("searchbox").first.press("Enter")
    page.get_by_role("link", name="The release and its chain").click()
    assert page.inner_text("h1") == "Example Scanner 4.2.0"
    page.get_by_text("Check this file").first.click()
    assert page.get_by_text("Its evidence").first.is_visible()
    page.context.close()


def test_the_keyboard_skips_to_the_content_and_focus_is_seen(browser: Browser, base: str) -> None:
    page = new_page(browser)
    page.goto(base + "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["height"] > 24  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"
    page.context.close()


def test_a_digest_is_copied_with_a_button_that_says_so(browser: Browser, base: str, world: Sample) -> None:
    page = new_page(browser, permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{base}/statements/{world.marks['debt'].id}")
    button = page.get_by_role("button", name=f"Copy {world.marks['debt'].id[:20]}…").first
    button.click()
    page.get_by_text("Copied.").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == world.marks["debt"].id
    box = button.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24
    page.context.close()
