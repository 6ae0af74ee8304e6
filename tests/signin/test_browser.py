"""Sign-in in a real browser: a passkey is made, signs in and confirms; each page is for everybody and keeps our CSP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from tests.signin.provider import CLIENT, SECRET, running
from tests.signin.visits import totp_code
from tests.world import PASSWORD, World

from pellucid.audit.events import EventType
from pellucid.people.portal.models import Account
from pellucid.record.settings import OpenId

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.full

CHROMIUM = Path("/usr/bin/chromium")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TOUCH = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")  # the library runs one loop in a thread: it ends before another module asks for its own
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium here: apt-get install chromium libatomic1")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the loop in this thread is Playwright's, and it waits
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A browser window; `said` is what it complained of, above all whatever the policy kept it from."""

    def __init__(self, browser: Browser, base: str, **options: Any) -> None:
        from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

        self.page: Page = browser.new_context(reduced_motion="reduce", **options).new_page()
        self.base, self.said, self._axe, self.looked = base, list[str](), Axe(), list[str]()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _heard(self, message: Any) -> None:
        if message.type != "info":  # as which the browser tells that signing out had it clear its cache
            self.said.append(message.text)

    def authenticator(self, **change: Any) -> tuple[Any, str]:
        """Give the browser an authenticator in software; return what speaks to it."""
        line = self.page.context.new_cdp_session(self.page)
        line.send("WebAuthn.enable")
        made = line.send("WebAuthn.addVirtualAuthenticator", {"options": {**TOUCH, **change}})
        return line, str(made["authenticatorId"])

    def open(self, address: str) -> None:
        self.page.goto(self.base + address)
        self.look()

    def press(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("link", name=name).first.click()

    def title(self) -> str:
        return self.page.inner_text("h1")

    def arrived(self, title: str) -> None:
        """Wait for a page, and look at it."""
        self.page.wait_for_function("title => document.querySelector('h1')?.innerText === title", arg=title)
        self.look()

    def look(self) -> None:
        """Hold the page against the rules in both schemes, and see that nothing is lost when it is narrow."""
        self.page.evaluate("document.querySelectorAll('main details').forEach((item) => (item.open = true))")
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            found = self._axe.run(self.page, options={"runOnly": WCAG, "resultTypes": ["violations"]}).response
            wrong = [(item["id"], node["html"]) for item in found["violations"] for node in item["nodes"]]
            assert wrong == [], (self.page.url, scheme)
        for width in (320, 1280):
            self.page.set_viewport_size({"width": width, "height": 900})
            assert self.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (self.page.url, width)
        self.looked.append(self.title())


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer, world: World) -> Iterator[Visit]:
    one = Visit(browser, live_server.url)
    yield one
    one.page.context.close()
    assert one.said == []


def enter_password(visit: Visit, name: str) -> None:
    visit.page.get_by_label("E-mail address").fill(f"{name}@people.example")
    visit.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visit.press("Sign in")


def forget_recent(visit: Visit) -> None:
    """Let minutes pass since somebody last showed who they are."""
    from django.contrib.sessions.backends.db import SessionStore

    cookie = next(item for item in visit.page.context.cookies() if item["name"] == "session")
    session = SessionStore(cookie["value"])
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session.save()


def test_a_passkey_is_made_signs_in_and_confirms(visit: Visit, world: World) -> None:
    world.join("newcomer", factor=False)
    visit.authenticator()
    visit.open("/account/login/?next=/account/2fa/")
    enter_password(visit, "newcomer")
    visit.arrived("Ways to sign in")
    visit.follow("Add a passkey")
    visit.arrived("Add a passkey")
    visit.page.get_by_role("main").get_by_role("textbox", name="Name").fill("blue key")
    visit.press("Make a passkey")
    visit.arrived("Recovery codes")
    assert len(re.findall(r"\d{10}", visit.page.inner_text(".codes"))) == 10
    visit.follow("I have kept them")
    visit.arrived("Ways to sign in")
    assert "blue key" in visit.page.inner_text("main")
    visit.open("/account/logout/")
    visit.press("Sign out")
    visit.page.wait_for_url(f"{visit.base}/")

    visit.page.goto(f"{visit.base}/account/login/?next=/account/sessions/")
    visit.press("Sign in with a passkey")
    visit.arrived("Where you are signed in")
    signed_in = world.events(EventType.ACCOUNT_SIGNED_IN)[-1]
    assert signed_in.details == {"by": "passkey", "factor": "passkey"}

    forget_recent(visit)
    visit.page.goto(f"{visit.base}/account/password/change/")
    visit.arrived("Confirm that it is you")
    visit.press("Use a passkey")
    visit.arrived("Change the password")


def test_a_passkey_is_the_second_factor(visit: Visit, world: World) -> None:
    world.join("newcomer", factor=False)
    visit.authenticator()
    visit.page.goto(f"{visit.base}/account/login/?next=/account/2fa/webauthn/add/")
    enter_password(visit, "newcomer")
    visit.page.wait_for_url("**/webauthn/add/")
    visit.press("Make a passkey")
    visit.arrived("Recovery codes")
    visit.page.context.clear_cookies()
    visit.page.goto(f"{visit.base}/account/login/?next=/account/2fa/")
    enter_password(visit, "newcomer")
    visit.arrived("Second factor")
    visit.press("Use a passkey")
    visit.arrived("Ways to sign in")
    visit.follow("Rename")
    visit.arrived("Rename a passkey")
    visit.page.get_by_role("main").get_by_role("textbox", name="Name").fill("grey key")
    visit.press("Save the name")
    visit.arrived("Ways to sign in")
    visit.follow("Remove")
    visit.arrived("Remove a passkey")
    assert "only second factor" in visit.page.inner_text("main")
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_an_app_is_set_up_from_the_picture(visit: Visit, world: World) -> None:
    world.join("newcomer", factor=False)
    visit.page.goto(f"{visit.base}/account/login/?next=/account/2fa/totp/activate/")
    enter_password(visit, "newcomer")
    visit.arrived("Add an authenticator app")
    box = visit.page.locator("svg.qr").bounding_box()
    assert box is not None
    assert box["width"] > 150
    assert visit.page.evaluate("getComputedStyle(document.querySelector('.qr-ink')).fill") == "rgb(0, 0, 0)"
    visit.page.get_by_label("Code", exact=True).fill("000000")
    visit.press("Add the app")
    visit.arrived("Add an authenticator app")
    assert "did not fit" in visit.page.inner_text("main")
    visit.page.get_by_label("Code", exact=True).fill(totp_code(visit.page.inner_text("output.secret").split()[0]))
    visit.press("Add the app")
    visit.arrived("Recovery codes")
    for address in ("/account/2fa/totp/deactivate/", "/account/2fa/recovery-codes/generate/", "/account/email/"):
        visit.open(address)
    visit.open("/account/sessions/")


def test_a_passkey_of_somebody_else_is_told_to_be_none(visit: Visit, world: World) -> None:
    """The browser has no passkey for this address: the page says so, and the person is not signed in."""
    visit.authenticator()
    visit.page.goto(f"{visit.base}/account/login/")
    visit.press("Sign in with a passkey")
    visit.page.get_by_text("No passkey was used").wait_for()
    visit.look()
    visit.page.goto(f"{visit.base}/account/2fa/")
    visit.arrived("Sign in")


def test_a_key_that_cannot_check_its_user_makes_no_passkey(visit: Visit, world: World) -> None:
    world.join("newcomer", factor=False)
    visit.authenticator(hasUserVerification=False, isUserVerified=False)
    visit.page.goto(f"{visit.base}/account/login/?next=/account/2fa/webauthn/add/")
    enter_password(visit, "newcomer")
    visit.press("Make a passkey")
    visit.page.get_by_text("No passkey was used").wait_for()
    assert not Authenticator.objects.exists()


def test_without_scripts_one_signs_in_all_the_same(browser: Browser, live_server: LiveServer, world: World) -> None:
    world.account("rita")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{live_server.url}/account/login/?next=/account/2fa/")
    assert "Passkeys need scripts" in page.inner_text("main")
    assert not page.get_by_role("button", name="Sign in with a passkey").is_visible()
    page.get_by_label("E-mail address").fill("rita@people.example")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Code", exact=True).fill(totp_code())
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/2fa/")
    assert page.inner_text("h1") == "Ways to sign in"
    page.context.close()
    assert Account.objects.count() == 1


def test_refusals_are_pages_too(visit: Visit, world: World) -> None:
    world.account("rita")
    visit.open("/account/login/")
    for _ in range(2):
        visit.page.get_by_label("E-mail address").fill("rita@people.example")
        visit.page.get_by_label("Password", exact=True).fill("not the pass phrase")
        visit.press("Sign in")
    visit.arrived("Sign in")
    assert "That could not be taken as it is" in visit.page.inner_text("main")


def test_an_account_elsewhere_leads_away_and_back(
    visit: Visit, world: World, settings: Settings, tmp_path: Path
) -> None:
    """The policy of our own pages lets no form lead off this origin, and still the browser goes there."""
    rita = world.account("rita")
    SocialAccount.objects.create(user=rita, provider="elsewhere", uid="rita-there")
    (tmp_path / "secret").write_text(SECRET)
    with running() as provider:
        settings.OPENID = (OpenId("elsewhere", "Elsewhere", provider.issuer, CLIENT, str(tmp_path / "secret")),)
        visit.open("/account/login/?next=/account/2fa/")
        visit.press("Go to Elsewhere")
        visit.arrived("Second factor")
        visit.page.get_by_label("Code", exact=True).fill(totp_code())
        visit.press("Sign in")
        visit.arrived("Ways to sign in")
        visit.page.get_by_role("button", name=re.compile("^Disconnect")).click()
        visit.page.get_by_role("button", name=re.compile("^Connect")).wait_for()
        assert not SocialAccount.objects.exists()
        visit.open("/account/oidc/elsewhere/login/")
        provider.claims = {"nonce": "another"}
        visit.press("Go to Elsewhere")
        visit.arrived("That sign-in does not hold")
        visit.said[:] = [words for words in visit.said if "401" not in words]


def test_a_page_that_breaks_the_policy_would_be_heard_of(visit: Visit) -> None:
    visit.page.goto(f"{visit.base}/account/login/")
    visit.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    visit.page.wait_for_timeout(50)
    assert any("Content Security Policy" in words for words in visit.said)
    visit.said.clear()
