"""A session belongs to one browser, ends when it should, and is no key to the account for whoever steals it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator as Factor
from allauth.usersessions.models import UserSession
from django.conf import settings as site
from django.contrib.sessions.models import Session
from django.test import Client
from tests.signin.visits import FACTORS, LOGIN, come_in, give_code, give_password, is_in, totp_code
from tests.world import PASSWORD, World

from pellucid.audit.events import EventType
from pellucid.outbox.portal.models import Delivery
from pellucid.people.portal.models import Account

SESSIONS = "/account/sessions/"
NEW = "nine lanterns over a quiet canal"


def browser(**environ: Any) -> Client:
    return Client(SERVER_NAME="localhost", **environ)


def thief_of(victim: Client) -> Client:
    """Return a browser with the session of another one, and nothing else of it."""
    thief = browser()
    thief.cookies[site.SESSION_COOKIE_NAME] = victim.cookies[site.SESSION_COOKIE_NAME].value
    return thief


def grow_old(victim: Client, **ages: int) -> None:
    """Make a session older by so many seconds."""
    session = victim.session
    for name, seconds in ages.items():
        session[name] = int(time.time()) - seconds
    for record in session.get("account_authentication_methods", []):
        record["at"] -= max(ages.values())
    session.save()


def test_the_key_of_the_session_changes_at_sign_in(world: World) -> None:
    """Fixation: whoever planted a session before is not signed in by it."""
    world.account("rita")
    victim = browser()
    victim.post("/account/2fa/webauthn/login/")
    planted = thief_of(victim)
    come_in(victim, "rita")
    assert is_in(victim)
    assert not is_in(planted)


def test_the_key_of_a_half_signed_in_session_is_of_no_use_later(world: World) -> None:
    world.account("rita")
    victim = browser()
    give_password(victim, "rita")
    planted = thief_of(victim)
    give_code(victim, totp_code())
    assert is_in(victim)
    assert not is_in(planted)


def test_a_made_up_session_is_nobodys(world: World) -> None:
    visitor = browser()
    visitor.cookies[site.SESSION_COOKIE_NAME] = "a" * 32
    assert not is_in(visitor)


def test_signing_out_ends_the_session_for_the_thief_too(world: World) -> None:
    rita = world.client("rita")
    thief = thief_of(rita)
    assert is_in(thief)
    assert rita.post("/account/logout/").headers["Location"] == "/"
    assert not is_in(thief)
    assert world.events(EventType.ACCOUNT_SIGNED_OUT)[-1].details["why"] == "asked"


def test_looking_at_the_page_signs_nobody_out(world: World) -> None:
    rita = world.client("rita")
    assert rita.get("/account/logout/").status_code == 200
    assert is_in(rita)


def test_a_session_ends_when_idle(world: World) -> None:
    rita = world.client("rita")
    grow_old(rita, seen_at=site.SESSION_IDLE - 5)
    assert is_in(rita)
    grow_old(rita, seen_at=site.SESSION_IDLE + 5)
    assert not is_in(rita)
    assert world.events(EventType.ACCOUNT_SIGNED_OUT)[-1].details["why"] == "idle"
    assert "Your session has ended" in rita.get(LOGIN).content.decode()


def test_a_session_ends_however_busy_it_is(world: World) -> None:
    rita = world.client("rita")
    grow_old(rita, signed_in_at=site.SESSION_COOKIE_AGE - 5, seen_at=0)
    assert is_in(rita)
    grow_old(rita, signed_in_at=site.SESSION_COOKIE_AGE + 5, seen_at=0)
    assert not is_in(rita)
    assert world.events(EventType.ACCOUNT_SIGNED_OUT)[-1].details["why"] == "age"


def test_somebody_sees_and_ends_the_sessions_elsewhere(world: World) -> None:
    rita = world.account("rita")
    here, there, third = browser(), browser(HTTP_USER_AGENT="<b>Old Browser</b>"), browser(HTTP_USER_AGENT="Third")
    for number, visitor in enumerate((here, there, third)):
        give_password(visitor, "rita")
        give_code(visitor, totp_code(ahead=number - 1))
    page = here.get(SESSIONS)
    assert [line.this_one for line in page.context["page"].sessions] == [True, False, False]
    assert "&lt;b&gt;Old Browser&lt;/b&gt;" in page.content.decode()
    here.post(SESSIONS, {"session": page.context["page"].sessions[1].number})
    assert [is_in(visitor) for visitor in (here, there, third)] == [True, False, True]
    here.post(SESSIONS)
    assert [is_in(visitor) for visitor in (here, there, third)] == [True, False, False]
    event = world.events(EventType.ACCOUNT_SIGNED_OUT)[-1]
    assert (event.actor, event.details) == (rita.id, {"why": "elsewhere", "sessions": 1})


@pytest.mark.parametrize("number", ["999999", "-1", "1e3", "x", "9" * 40])
def test_the_sessions_of_others_are_not_there(world: World, number: str) -> None:
    rita, mallory = browser(), world.client("mallory")
    world.account("rita")
    come_in(rita, "rita")
    theirs = UserSession.objects.get(user__email="rita@people.example").pk
    mallory.post(SESSIONS, {"session": theirs})
    mallory.post(SESSIONS, {"session": number})
    assert is_in(rita)


def test_a_new_password_ends_every_other_session(world: World) -> None:
    rita, other = world.client("rita"), world.client("rita")
    sent = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert rita.post("/account/password/change/", sent).status_code == 302
    assert is_in(rita)
    assert not is_in(other)
    assert len(world.events(EventType.ACCOUNT_PASSWORD_CHANGED)) == 1


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/account/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}),
        ("/account/email/", {"email": "mallory@attacker.example"}),
        ("/account/2fa/totp/activate/", {"code": "000000"}),
        ("/account/2fa/totp/deactivate/", {}),
        ("/account/2fa/webauthn/add/", {"credential": "{}"}),
        ("/account/2fa/recovery-codes/generate/", {}),
    ],
)
def test_a_stolen_session_cannot_change_how_one_signs_in(world: World, address: str, form: dict[str, str]) -> None:
    """Not even for who knows the password: where there is a second factor, it is asked for."""
    rita = world.client("rita")
    grow_old(rita, signed_in_at=600, seen_at=0)
    thief = thief_of(rita)
    before = Account.objects.values("email", "password").get(email="rita@people.example")
    answer = thief.post(address, form)
    assert answer.headers["Location"].startswith("/account/2fa/reauthenticate/?next=")
    thief.post("/account/reauthenticate/", {"password": PASSWORD})
    assert thief.post(address, form).status_code == 302
    assert Account.objects.values("email", "password").get(email="rita@people.example") == before
    assert list(Factor.objects.values_list("type", flat=True)) == ["totp"]


def test_who_shows_the_factor_again_may_change_it(world: World) -> None:
    rita = world.client("rita")
    grow_old(rita, signed_in_at=600, seen_at=0)
    way = rita.get("/account/email/").headers["Location"]
    assert rita.post(way, {"code": "000000"}).status_code == 200
    assert rita.post(way, {"code": totp_code()}).headers["Location"] == "/account/email/"
    assert rita.post("/account/email/", {"email": "Rita@New.Example"}).status_code == 302
    assert Account.objects.get(email="rita@new.example").name
    assert len(world.events(EventType.ACCOUNT_ADDRESS_CHANGED)) == 1
    told = set(Delivery.objects.filter(channel="mail").values_list("account__email", "address"))
    assert told == {("rita@new.example", ""), (None, "rita@people.example")}


def test_what_was_typed_is_not_kept_while_one_is_asked_again(world: World) -> None:
    rita = world.client("rita")
    grow_old(rita, signed_in_at=600, seen_at=0)
    rita.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    kept = str([session.get_decoded() for session in Session.objects.all()])
    assert PASSWORD not in kept
    assert NEW not in kept


def test_a_second_factor_lies_encrypted_in_the_database(world: World) -> None:
    from tests.world import TOTP_SECRET

    world.account("rita")
    data = str(list(Factor.objects.values("data")))
    assert TOTP_SECRET not in data


def test_recovery_codes_are_shown_once(world: World) -> None:
    rita = world.client("rita")
    assert rita.post(f"{FACTORS}recovery-codes/generate/").status_code == 302
    first, again = rita.get(f"{FACTORS}recovery-codes/"), rita.get(f"{FACTORS}recovery-codes/")
    codes = first.context["unused_codes"]
    assert len(codes) == 10
    assert all(code in first.content.decode() for code in codes)
    assert not any(code in again.content.decode() for code in codes)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 12"),
        ("password123456", "too common"),
        ("rita@people.example", "similar"),
        ("x" * 201, "at most 200"),
    ],
)
def test_bad_passwords_are_refused_with_the_reason(world: World, password: str, why: str) -> None:
    sent = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    page = world.client("rita").post("/account/password/change/", sent)
    assert page.status_code == 200
    assert why in page.content.decode()


def test_the_old_address_signs_nobody_in_any_more(world: World) -> None:
    rita = world.account("rita")
    EmailAddress.objects.create(user=rita, email=rita.email, verified=True, primary=True)
    assert give_password(browser(), "rita").status_code == 302
    assert world.client("rita").post("/account/email/", {"email": "rita@new.example"}).status_code == 302
    assert give_password(browser(), "rita").status_code == 200
    sent = {"login": "rita@new.example", "password": PASSWORD}
    assert browser().post(LOGIN, sent).status_code == 302


def test_a_taken_address_is_refused(world: World) -> None:
    world.account("otto")
    page = world.client("rita").post("/account/email/", {"email": "OTTO@people.example"})
    assert "This address cannot be used here." in page.content.decode()
