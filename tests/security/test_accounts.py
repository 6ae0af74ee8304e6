"""Passwords that are guessed first are refused; every event of the list is written by something and tried by a test."""

from __future__ import annotations

import ast
import base64
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.conf import settings as site
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings
from tests.security.walk import Seen
from tests.signin.visits import SECOND, give_code, give_password, is_in, totp_code
from tests.world import PASSWORD, World

from pellucid.audit.events import EventType
from pellucid.people.portal.models import Account
from pellucid.site.accounts.passwords import words_of_this_place

ROOT = Path(__file__).parents[2]
GOOD = "nine lanterns over a quiet canal"


@pytest.mark.parametrize("password", ["pellucid-pellucid", "Pellucid2026!", "ReviewerReviewer1", "PasswordPassword12",
                                      "operator-vendor-1", "welcome account 1"])  # fmt: skip
def test_a_password_of_words_that_everybody_here_knows_is_refused(password: str) -> None:
    with pytest.raises(ValidationError, match="more than the names"):
        validate_password(password)


def test_the_names_of_the_node_are_among_those_words(world: World, settings: Settings) -> None:
    settings.NODE_HOME = None
    validate_password("Europe.EuropeEurope")
    settings.NODE_HOME = world.home.path
    assert {"vendor", "europe", "example"} <= words_of_this_place()
    with pytest.raises(ValidationError, match="more than the names"):
        validate_password("Europe.EuropeEurope")


ODD = ("Zq7-" * 16, "ü" * 70 + "rest of it", "x" * 100 + "y" * 100, "4815 1623 4215 9731", "  spaces at both ends  ")


@pytest.mark.parametrize("password", [GOOD, *ODD, "pellucid is what nobody else calls it"])
def test_any_other_password_of_any_signs_and_length_is_taken(password: str) -> None:
    validate_password(password)


@pytest.mark.parametrize("password", ["  spaces at both ends  ", "Groß und klein, wörtlich", "ﬁne ligatures in a row"])
def test_a_password_is_taken_to_the_letter(world: World, password: str) -> None:
    sent = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    assert world.client("rita").post("/account/password/change/", sent).status_code == 302
    rita = Account.objects.get(email="rita@people.example")
    assert rita.check_password(password)
    other = unicodedata.normalize("NFKC", password).strip().casefold()
    assert other != password
    assert not rita.check_password(other)


def test_a_wrong_present_password_changes_nothing(world: World) -> None:
    rita = world.client("rita")
    for old in ("", "wrong", GOOD):
        assert (
            rita.post(
                "/account/password/change/", {"oldpassword": old, "password1": GOOD, "password2": GOOD}
            ).status_code
            == 200
        )
    assert Account.objects.get(email="rita@people.example").check_password(PASSWORD)


def test_password_fields_hide_what_is_typed_and_let_programs_fill_them(world: World) -> None:
    for page in (world.client(None).get("/account/login/"), world.client("rita").get("/account/password/change/")):
        text = page.content.decode()
        fields = re.findall(r"<input[^>]*type=\"password\"[^>]*>", text)
        assert fields
        for field in fields:
            assert re.search(r'autocomplete="(current|new)-password"', field), field
            assert "onpaste" not in field
            assert "readonly" not in field
            assert int(re.findall(r'maxlength="(\d+)"', field)[0]) >= 64 if "maxlength" in field else True
    scripts = "".join(path.read_text() for path in (ROOT / "src/pellucid").rglob("*.js") if "vendor" not in path.parts)
    assert not re.search(r"""["']paste["']|onpaste""", scripts)


def test_an_old_password_stays_good(world: World) -> None:
    """No rule ends a password for its age: there is no date of it to end it by."""
    assert not [
        field.name for field in Account._meta.get_fields() if "password" in field.name and field.name != "password"
    ]


def test_there_is_no_account_that_nobody_made(world: World) -> None:
    assert not Account.objects.exists()


def test_a_visitor_is_given_an_account_by_no_address(world: World) -> None:
    visitor = world.client(None)
    for address in (
        "/account/signup/",
        "/account/social/signup/",
        "/account/2fa/webauthn/signup/",
        "/people",
        "/people/invite",
    ):
        visitor.post(
            address, {"email": "new@people.example", "password1": GOOD, "password2": GOOD, "roles": "operator"}
        )
    assert not Account.objects.exists()


def test_codes_are_judged_by_the_nodes_own_clock(world: World) -> None:
    """A code of half an hour ago or ahead opens nothing, whatever time a request says it is."""
    world.account("rita")
    for ahead in (-60, -4, 4, 60):
        late = format_datetime(datetime.now(UTC) + timedelta(seconds=30 * ahead), usegmt=False)
        visitor = world.client(None)
        give_password(visitor, "rita")
        visitor.post(SECOND, {"code": totp_code(ahead=ahead)}, headers={"Date": late})
        assert not is_in(visitor)
        cache.clear()
    visitor = world.client(None)
    give_password(visitor, "rita")
    give_code(visitor, totp_code())
    assert is_in(visitor)


def test_what_opens_an_account_for_a_moment_cannot_be_guessed(world: World) -> None:
    codes = RecoveryCodes.activate(world.account("rita")).generate_codes()
    assert len(set(codes)) == 10
    assert {len(code) for code in codes} == {10}, "33 bits each, and five tries"
    challenges = set()
    for _ in range(20):
        said = world.client(None).post("/account/2fa/webauthn/login/").json()
        challenges.add(said["publicKey"]["challenge"])
    assert len(challenges) == 20
    assert min(len(base64.urlsafe_b64decode(text + "==")) for text in challenges) >= 16
    keys = {str(world.client("rita").session.session_key) for _ in range(20)}
    assert len(keys) == 20
    assert min(map(len, keys)) >= 32, "of 36 letters: 165 bits"


def grow_old(browser: Client) -> None:
    """Let ten minutes pass since somebody showed a factor."""
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session.save()


def test_who_confirms_goes_on_under_a_new_key(world: World) -> None:
    """A key that was read before is nobody's afterwards."""
    rita = world.client("rita")
    grow_old(rita)
    thief = Client(SERVER_NAME="localhost")
    thief.cookies[site.SESSION_COOKIE_NAME] = rita.cookies[site.SESSION_COOKIE_NAME].value
    assert is_in(thief)
    way = rita.get("/account/email/").headers["Location"]
    assert rita.post(way, {"code": totp_code()}).headers["Location"] == "/account/email/"
    assert is_in(rita)
    assert not is_in(thief)
    assert rita.get("/account/email/").status_code == 200
    assert len(rita.get("/account/sessions/").context["page"].sessions) == 1


def test_ending_sessions_takes_a_factor_that_was_shown_lately(world: World) -> None:
    rita, other = world.client("rita"), world.client("rita")
    grow_old(rita)
    for answer in (rita.get("/account/sessions/"), rita.post("/account/sessions/")):
        assert answer.headers["Location"].startswith("/account/2fa/reauthenticate/")
    assert is_in(other)


def test_every_page_of_who_is_signed_in_offers_to_sign_out(answers: tuple[Seen, ...]) -> None:
    pages = [seen for seen in answers if seen.who != "a visitor" and seen.answer.status_code == 200
             and seen.answer.headers["Content-Type"].startswith("text/html")]  # fmt: skip
    assert len(pages) > 20
    lacking = [str(seen) for seen in pages if b'action="/account/logout/"' not in seen.answer.content
               and not seen.address.endswith("/standing")]  # fmt: skip
    assert lacking == []


def recorded_in(folder: str) -> set[str]:
    """Return the names of EventType that code in a folder speaks of."""
    names: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        if path.name != "events.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "EventType"
                ):
                    names.add(node.attr)
    return names


def test_every_event_is_written_by_something_and_looked_for_by_a_test() -> None:
    every = {item.name for item in EventType}
    assert every - recorded_in("src/pellucid") == set()
    assert every - recorded_in("tests") == set()
