"""What people with bad intent try at the doors of sign-in, each beside the same thing done rightly."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.conf import settings as site
from django.test import Client
from pytest_django import Settings
from tests.signin.visits import LOGIN, SECOND, come_in, give_code, give_password, is_in, problems, totp_code
from tests.world import PASSWORD, World

from pellucid.audit.events import EventType
from pellucid.site.accounts.middleware import too_many

TOO_OFTEN = "Too many failed login attempts. Try again later."


def browser(**environ: Any) -> Client:
    return Client(SERVER_NAME="localhost", **environ)


def test_guessing_one_account_stops_after_five(world: World) -> None:
    """From ever new addresses; the right password does not help then, and whoever is asked for learns nothing."""
    world.account("rita")
    for name in ("rita", "nobody"):
        tries = [
            give_password(browser(REMOTE_ADDR=f"192.0.2.{number}"), name, f"guess {number}") for number in range(6)
        ]
        assert TOO_OFTEN not in problems(tries[4])
        assert TOO_OFTEN in problems(tries[5])
    late = browser(REMOTE_ADDR="192.0.2.99")
    assert TOO_OFTEN in problems(give_password(late, "rita"))
    assert len(world.events(EventType.ACCOUNT_SIGN_IN_REFUSED)) == 10


def test_one_address_tries_no_more_than_ten_accounts_a_minute(world: World) -> None:
    """Stuffing: one known password, many people."""
    world.account("rita")
    stuffer = browser(REMOTE_ADDR="192.0.2.7")
    for number in range(10):
        give_password(stuffer, f"nobody{number}")
    assert TOO_OFTEN in problems(give_password(stuffer, "rita"))
    assert not is_in(stuffer)
    assert give_password(browser(REMOTE_ADDR="192.0.2.8"), "rita").headers["Location"] == SECOND


def test_guessing_codes_stops_after_five(world: World) -> None:
    world.account("rita")
    for number in range(6):
        guesser = browser(REMOTE_ADDR=f"192.0.2.{number}")
        give_password(guesser, "rita")
        page = give_code(guesser, f"00000{number}")
    assert TOO_OFTEN in problems(page)
    assert give_code(guesser, totp_code()).status_code == 200
    assert not is_in(guesser)


def test_a_right_password_in_between_does_not_reset_the_count(world: World) -> None:
    world.account("mallory")
    stuffer = browser(REMOTE_ADDR="192.0.2.7")
    for number in range(10):
        give_password(browser(REMOTE_ADDR="192.0.2.7"), "mallory" if number % 3 == 2 else f"nobody{number}")
    for number in range(10, 14):
        page = give_password(stuffer, f"nobody{number}")
    assert TOO_OFTEN in problems(page)


def test_guesses_at_asking_again_count_too(world: World) -> None:
    newcomer = browser()
    world.join("newcomer", factor=False)
    give_password(newcomer, "newcomer")
    session = newcomer.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session.save()
    way = newcomer.get("/account/email/").headers["Location"]
    for number in range(6):
        page = newcomer.post(way, {"password": f"guess {number}"})
    assert "Too many failed" in page.content.decode()
    assert newcomer.post(way, {"password": PASSWORD}).status_code == 200


def test_an_address_cannot_be_put_on_by_a_header(world: World) -> None:
    """Without a proxy in front, what a visitor says about whence they come is not believed."""
    for number in range(11):
        page = give_password(
            browser(HTTP_X_FORWARDED_FOR=f"192.0.2.{number}", REMOTE_ADDR="198.51.100.1"), f"n{number}"
        )
    assert TOO_OFTEN in problems(page)


def test_behind_a_proxy_the_address_that_it_saw_counts(world: World, settings: Settings) -> None:
    """What a visitor wrote in front of it does not."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(11):
        page = give_password(browser(HTTP_X_FORWARDED_FOR=f"192.0.2.{number}, 198.51.100.1"), f"n{number}")
    assert TOO_OFTEN in problems(page)
    assert TOO_OFTEN not in problems(give_password(browser(HTTP_X_FORWARDED_FOR="198.51.100.1, 192.0.2.1"), "n12"))


def test_nobody_asks_at_length_which_addresses_are_taken(world: World) -> None:
    rita = world.client("rita")
    said = [rita.post("/account/email/", {"email": "otto@people.example."}).status_code for _ in range(6)]
    assert said == [200] * 5 + [429]


def test_writing_has_a_pace(world: World, settings: Settings) -> None:
    settings.WRITES_BY_ACCOUNT = settings.WRITES_BY_ADDRESS = 3
    rita, visitor, here = world.client("rita"), browser(REMOTE_ADDR="192.0.2.7"), browser()
    for asker in (rita, visitor):
        said = [asker.post("/account/2fa/webauthn/login/").status_code for _ in range(4)]
        assert 429 not in said[:3]
        assert said[3] == 429
    assert asker.get("/").status_code == 200
    answer = visitor.post("/api/statements", b"{}", content_type="application/json")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert answer.json()["error"]["remedy"] == "wait a minute, then go on"
    assert [here.post("/api/lookup", {}).status_code for _ in range(5)].count(429) == 0
    assert callable(too_many)


ELSEWHERE = (
    "https://attacker.example/",
    "//attacker.example/",
    "/\\attacker.example",
    "\\\\attacker.example",
    "///attacker.example",
    "javascript:alert(1)",
    "http:attacker.example",
    "\t//attacker.example",
    "/\t/attacker.example",
    "localhost.attacker.example",
    "https://localhost@attacker.example/",
)


def test_sign_in_leads_off_this_node_for_nobody(world: World) -> None:
    world.account("rita")
    codes = RecoveryCodes.activate(world.account("rita")).generate_codes()
    for number, where in enumerate(ELSEWHERE):
        visitor = browser(REMOTE_ADDR=f"192.0.2.{number}")
        assert f'name="next" value="{where}' not in visitor.get(LOGIN, {"next": where}).content.decode()
        if number < len(codes):
            give_password(visitor, "rita", next=where)
            assert give_code(visitor, codes[number]).headers["Location"].startswith("/account")
        assert visitor.post("/account/logout/", {"next": where}).headers["Location"] == "/"


def test_sign_in_leads_on_within_this_node(world: World) -> None:
    world.account("rita")
    visitor = browser()
    give_password(visitor, "rita", next="/account/sessions/")
    assert give_code(visitor, totp_code()).headers["Location"] == "/account/sessions/"


@pytest.mark.parametrize("address", [LOGIN, "/account/logout/", "/account/email/", "/account/sessions/"])
def test_forms_of_other_sites_are_not_taken(world: World, address: str) -> None:
    rita = world.client("rita")
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    strict.cookies = rita.cookies
    page = strict.post(address, {"email": "mallory@attacker.example"})
    assert page.status_code == 403
    assert "Forms are taken only from this node" in page.content.decode()
    assert is_in(rita)


def test_the_same_form_from_here_is_taken(world: World) -> None:
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    world.account("rita")
    strict.get(LOGIN)
    token = strict.cookies[site.CSRF_COOKIE_NAME].value
    sent = {"login": "rita@people.example", "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert strict.post(LOGIN, sent).headers["Location"] == SECOND


def test_a_form_from_another_origin_is_not_taken_even_with_its_token(world: World) -> None:
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="localhost", HTTP_ORIGIN="https://attacker.example")
    strict.get(LOGIN)
    token = strict.cookies[site.CSRF_COOKIE_NAME].value
    assert strict.post(LOGIN, {"csrfmiddlewaretoken": token}).status_code == 403


@pytest.mark.parametrize("address", [LOGIN, "/account/2fa/", "/account/2fa/webauthn/add/", "/account/email/"])
def test_no_page_is_put_into_a_frame(world: World, address: str) -> None:
    headers = (browser() if address == LOGIN else world.client("rita")).get(address).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "host", ["attacker.example", "localhost.attacker.example", "localhost\r\nX-Injected: 1", "a b"]
)
def test_other_hosts_are_not_answered_for(world: World, host: str) -> None:
    page = Client(SERVER_NAME="localhost").get(LOGIN, headers={"host": host})
    assert page.status_code == 400
    assert "attacker" not in page.content.decode()


@pytest.mark.parametrize(
    "text", ["/account\r\nX-Injected: 1", "/account%0d%0aX-Injected:%201", "/\nSet-Cookie: session=1"]
)
def test_no_header_is_put_into_an_answer(world: World, text: str) -> None:
    world.account("rita")
    visitor = browser()
    give_password(visitor, "rita", next=text)
    answer = give_code(visitor, totp_code())
    assert "X-Injected" not in answer.headers
    assert "\n" not in answer.headers["Location"]
    assert "\r" not in answer.headers["Location"]


def test_no_line_is_put_into_a_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is typed, no log of the program holds it, and the audit log takes words only."""
    forged = "rita@people.example\n2026-01-01 CRITICAL pellucid: everything is fine"
    with caplog.at_level(logging.DEBUG):
        browser(HTTP_USER_AGENT=forged, HTTP_REFERER=forged).post(LOGIN, {"login": forged, "password": forged})
        browser().get("/account/nope%0aCRITICAL")
    assert "everything is fine" not in caplog.text
    assert not any(line.startswith("CRITICAL") for line in caplog.text.splitlines())
    assert "everything" not in repr(world.events())


def test_names_and_browsers_are_text_on_pages(world: World) -> None:
    rita = world.account("rita")
    rita.name = "<script>alert(1)</script>"
    rita.save()
    visitor = browser(HTTP_USER_AGENT="<img src=x onerror=alert(1)>")
    come_in(visitor, "rita")
    for address in ("/account/2fa/", "/account/sessions/"):
        text = visitor.get(address).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_programs_get_no_other_sign_in_than_people(world: World, accept: str) -> None:
    world.account("rita")
    sent = {"login": "rita@people.example", "password": PASSWORD}
    answer = browser(HTTP_ACCEPT=accept, HTTP_X_REQUESTED_WITH="XMLHttpRequest").post(LOGIN, sent)
    assert (answer.status_code, answer.headers["Location"]) == (302, SECOND)
