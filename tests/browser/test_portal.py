"""The portal in a real browser: accessibility, narrow screens, the keyboard, and a file hashed where it lies."""

from __future__ import annotations

import hashlib
import re
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


def visit(page: Page, address: str) -> None:
    page.goto(address, wait_until="load")
    open_all_details(page)


def test_axe_finds_nothing_in_either_scheme_and_no_page_breaks_its_own_policy(
    browser: Browser, base: str, addresses: list[str]
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    page, said = new_page(browser), []
    page.on("console", lambda message: said.append((page.url, message.text)))
    page.on("pageerror", lambda error: said.append((page.url, str(error))))
    for address in addresses:
        visit(page, base + address)
        page.emulate_media(color_scheme="light")
        found = Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
        page.emulate_media(color_scheme="dark")  # where nothing but the colours differs
        dark = page.evaluate("axe.run({ runOnly: ['color-contrast'], resultTypes: ['violations'] })")
        assert _found(found.response) + _found(dark) == [], address
    page.context.close()
    assert [words for words in said if "404" not in words[1]] == []


def _found(result: Any) -> list[tuple[str, str]]:
    return [(item["id"], node["html"]) for item in result["violations"] for node in item["nodes"]]


def test_axe_would_find_a_faint_word_in_the_dark(browser: Browser, base: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = new_page(browser, scheme="dark")
    page.goto(base + "/nodes")
    page.evaluate("document.querySelector('h1').style.color = '#555'")
    result = Axe().run(page, options={"runOnly": ["color-contrast"]})
    page.context.close()
    assert [item["id"] for item in result.response["violations"]] == ["color-contrast"]


def test_no_page_scrolls_sideways_from_320_pixels_on(browser: Browser, base: str, addresses: list[str]) -> None:
    page = new_page(browser, width=320)
    for address in addresses:
        visit(page, base + address)
        for width in (320, 640, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert beyond <= 0, (address, width, beyond)
    page.context.close()


def test_a_wide_thing_would_be_found(browser: Browser, base: str) -> None:
    page = new_page(browser, width=320)
    page.goto(base + "/nodes")
    page.evaluate("document.querySelector('h1').style.minWidth = '400px'")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0
    page.context.close()


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


def test_without_scripts_every_page_says_the_same_and_only_the_drop_is_gone(
    browser: Browser, base: str, addresses: list[str], world: Sample
) -> None:
    plain, scripted = new_page(browser, java_script_enabled=False), new_page(browser)
    for address in [item for item in addresses if item not in ("/check", "/nope")][::3]:
        words = []
        for page in (plain, scripted):
            page.goto(base + address)
            words.append(re.sub(r"\(.*? ago\)|just now|\d+ min ago|\d\d:\d\d", "", page.inner_text("main")).split())
        assert words[0] == words[1], address
    scripted.context.close()
    plain.goto(base + "/check")
    assert not plain.locator("#drop").is_visible()
    assert "Scripts are off" in plain.inner_text("main")
    plain.get_by_label("Its SHA-256").fill("ab" * 32)
    plain.get_by_role("button", name="Look it up").click()
    assert "Nothing is logged here about it" in plain.inner_text("h1")
    plain.get_by_role("searchbox").first.fill(world.marks["debt"].id)
    plain.get_by_role("searchbox").first.press("Enter")
    plain.get_by_role("link", name="The release and its chain").click()
    assert plain.inner_text("h1") == "Example Scanner 4.2.0"
    plain.get_by_text("Check this file").first.click()
    assert plain.get_by_text("Its evidence").first.is_visible()
    plain.goto(base + "/log")
    plain.get_by_role("link", name="Older").click()
    assert "28 to 0" in plain.inner_text("main")
    plain.context.close()


def focused(page: Page) -> str:
    """Return what has the focus; it has to be in view and ringed."""
    seen = page.evaluate(
        """() => {
            const it = document.activeElement, box = it.getBoundingClientRect(), style = getComputedStyle(it);
            const inView = box.bottom > 0 && box.top < innerHeight && box.width > 0;
            return { name: it.innerText || it.ariaLabel || it.id, inView, ring: style.outlineStyle };
        }"""
    )
    assert seen["inView"], seen
    assert seen["ring"] != "none", seen
    return str(seen["name"]).strip()


def tab_to(page: Page, name: str, most: int = 60) -> list[str]:
    """Press Tab until something with that name has the focus; return all that had it."""
    passed: list[str] = []
    while not passed or passed[-1] != name:
        page.keyboard.press("Tab")
        passed.append(focused(page))
        assert len(passed) < most, passed
    return passed


def test_a_release_is_walked_by_keyboard_alone(browser: Browser, base: str, world: Sample) -> None:
    page = new_page(browser)
    page.goto(f"{base}/releases/{world.marks['debt'].id}")
    first = tab_to(page, "Source")
    assert first[:3] == ["Skip to the content", "pellucid", "What did they ship?"]
    page.keyboard.press("Enter")
    assert page.url.endswith("#source")
    page.goto(f"{base}/releases/{world.marks['debt'].id}")
    passed = tab_to(page, "Check this file")
    assert [name for name in passed if name in ("Source", "Review", "Log", "Centers")] == [
        "Source", "Review", "Log", "Centers"
    ]  # fmt: skip
    page.keyboard.press("Enter")
    assert page.get_by_text("The verdict, offline").first.is_visible()
    tab_to(page, "Digests")
    page.keyboard.press("Space")
    assert page.get_by_text("Signed by key").first.is_visible()
    rest = tab_to(page, "This page as JSON")
    assert "The statement to the byte, and its proof" in rest
    page.keyboard.press("Enter")
    page.wait_for_url("**/*.json")
    page.context.close()


def test_a_file_is_checked_by_keyboard_alone(browser: Browser, base: str, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"by keyboard")
    page = new_page(browser)
    page.on("filechooser", lambda chooser: chooser.set_files(path))
    page.goto(base + "/check", wait_until="networkidle")
    tab_to(page, "file")
    page.keyboard.press("Enter")
    page.wait_for_url("**/digest/*")
    assert page.url.endswith(hashlib.sha256(b"by keyboard").hexdigest())
    page.goto(base + "/check")
    tab_to(page, "Copy sha256sum FILE")
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
