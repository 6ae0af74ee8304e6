"""The dress of all pages in a real browser: the keyboard's path, zoom, targets, forced colours, paper, local time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.full

SMALL_TARGETS = """() => {
    const boxes = [...document.querySelectorAll("a, button, summary, input, select, textarea")]
        .filter((it) => it.checkVisibility({ visibilityProperty: true }) && !it.closest(".unseen"))
        .filter((it) => it.type !== "hidden")
        .map((it) => ({ it, box: it.getBoundingClientRect(), inline: getComputedStyle(it).display === "inline" }))
        .filter(({ box }) => box.width > 1);
    const small = boxes.filter(({ box, inline }) => !inline && Math.min(box.width, box.height) < 24);
    return small.map(({ it, box }) => `${it.outerHTML.slice(0, 80)} ${box.width}x${box.height}`);
}"""
BEYOND = "document.documentElement.scrollWidth - innerWidth"
CUT = """[...document.querySelectorAll("button, .badge, .tag, h1, h2, summary")]
    .filter((it) => it.checkVisibility() && !it.closest(".unseen") && getComputedStyle(it).display !== "inline")
    .filter((it) => it.scrollWidth > it.clientWidth + 1).map((it) => it.outerHTML.slice(0, 90))"""
HIDDEN_FOCUS = """() => {
    const it = document.activeElement, box = it.getBoundingClientRect();
    if (it === document.body) return null;
    const x = box.left + Math.min(box.width, 40) / 2, y = box.top + box.height / 2;
    const top = document.elementFromPoint(x, y);
    const seen = top && (it.contains(top) || top.contains(it) || it.labels?.length);
    return { name: (it.innerText || it.id).slice(0, 60), seen: Boolean(seen), y, x };
}"""


def open_page(browser: Browser, address: str, *, width: int = 1280, **options: Any) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 800}, **options).new_page()
    page.goto(address, wait_until="load")
    return page


@pytest.mark.parametrize("width", [320, 1280])
def test_the_focus_is_never_hidden_on_its_way_through_a_page(browser: Browser, base: str, width: int) -> None:
    for address in ("/", "/reviews", "/open", "/design"):
        page = open_page(browser, base + address, width=width, reduced_motion="reduce")
        names = []
        for _step in range(60):
            page.keyboard.press("Tab")
            found = page.evaluate(HIDDEN_FOCUS)
            if found is None:
                break
            assert found["seen"], (address, found)
            names.append(found["name"])
        assert len(names) > 12, (address, names)
        page.context.close()


def test_targets_are_24_pixels_wide_and_high_unless_they_stand_in_a_sentence(
    browser: Browser, base: str, addresses: list[str]
) -> None:
    page = open_page(browser, base)
    small: dict[tuple[str, int], list[str]] = {}
    for address in addresses:
        page.goto(base + address)
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            found = page.evaluate(SMALL_TARGETS)
            if found:
                small[address, width] = found
    page.context.close()
    assert small == {}


def test_a_small_target_would_be_found(browser: Browser, base: str) -> None:
    page = open_page(browser, base + "/")
    page.evaluate("document.querySelector('.search button').style.cssText = 'min-height: 0; height: 20px; padding: 0'")
    assert len(page.evaluate(SMALL_TARGETS)) == 1
    page.context.close()


def test_at_twice_the_size_of_letters_nothing_is_cut_or_hidden(
    browser: Browser, base: str, addresses: list[str]
) -> None:
    page = open_page(browser, base)
    for address in addresses[::2]:
        page.goto(base + address)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate(BEYOND) <= 0, address
        assert page.evaluate(CUT) == [], address
    page.context.close()


def test_long_german_words_break_no_page(browser: Browser, base: str, addresses: list[str]) -> None:
    page = open_page(browser, base, locale="de")
    for address in addresses:
        page.goto(base + address)
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(BEYOND) <= 0, (address, width)
    page.context.close()


def test_in_forced_colours_states_keep_their_icons_and_controls_their_edges(browser: Browser, base: str) -> None:
    page = open_page(browser, base + "/design", forced_colors="active")
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    icon = page.locator(".icon-good circle").first
    assert icon.evaluate("it => getComputedStyle(it).fill") != "none"
    for control in (".primary", ".field input", "table", ".card"):
        edge = page.locator(control).first.evaluate("it => getComputedStyle(it).borderTopStyle + it.offsetHeight")
        assert edge.startswith("solid") or control == "table"
    page.context.close()


def test_on_paper_the_evidence_stands_without_what_wants_a_pointer(browser: Browser, base: str, world: Any) -> None:
    page = open_page(browser, f"{base}/releases/{world.marks['debt'].id}")
    assert page.locator(".nav").is_visible()
    page.emulate_media(media="print")
    for gone in (".nav", ".search", ".copy", ".languages"):
        assert not page.locator(gone).first.is_visible(), gone
    for kept in ("h1", ".hash", ".badge", ".not-proven", ".node-line"):
        assert page.locator(kept).first.is_visible(), kept
    assert page.locator("body").evaluate("it => getComputedStyle(it.parentElement).colorScheme") == "light"
    assert len(page.pdf(format="A4")) > 10_000
    page.context.close()


def test_the_readers_own_time_stands_beside_utc(browser: Browser, base: str, world: Any) -> None:
    address = f"{base}/releases/{world.marks['debt'].id}"
    page = open_page(browser, address, timezone_id="Asia/Tokyo", locale="en")
    words = page.locator("dd time").first.inner_text()
    assert "UTC" in words
    assert "GMT+9" in words
    page.context.close()
    page = open_page(browser, address, timezone_id="UTC")
    assert "·" not in page.locator("dd time").first.inner_text()
    page.context.close()


def test_nothing_moves_for_who_wants_no_motion(browser: Browser, base: str) -> None:
    moving = "document.getAnimations().length"
    still = open_page(browser, base + "/design", reduced_motion="reduce")
    lively = open_page(browser, base + "/design", reduced_motion="no-preference")
    assert still.evaluate(moving) == 0
    assert lively.evaluate(moving) > 0
    still.context.close()
    lively.context.close()


def test_a_form_with_problems_leads_from_the_summary_to_the_field(browser: Browser, base: str) -> None:
    page = open_page(browser, base + "/design")
    assert page.evaluate("document.activeElement.classList.contains('problems')")
    page.get_by_role("link", name="E-mail address").click()
    assert page.evaluate("document.activeElement.id || location.hash") in {"id_wrong-email", "#id_wrong-email"}
    described = page.locator("#id_wrong-email").get_attribute("aria-describedby")
    assert described == "id_wrong-email_helptext id_wrong-email_error"
    page.context.close()
