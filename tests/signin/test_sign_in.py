"""People sign in with a password and a second factor; nobody else does, and no page tells who has an account."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.test import Client
from tests.signin.visits import LOGIN, SECOND, come_in, give_code, give_password, is_in, problems, totp_code
from tests.world import PASSWORD, World

from pellucid.audit.events import EventType
from pellucid.people.portal.models import Account
from pellucid.site.accounts.passwords import NodeArgon2
from pellucid.site.accounts.recorded import WORDS


def browser() -> Client:
    return Client(SERVER_NAME="localhost")


def test_password_and_code_open_the_account(world: World) -> None:
    rita = world.account("rita")
    visitor = browser()
    assert give_password(visitor, "rita").headers["Location"] == SECOND
    assert not is_in(visitor)
    assert give_code(visitor, totp_code()).status_code == 302
    assert is_in(visitor)
    event = world.events(EventType.ACCOUNT_SIGNED_IN)[-1]
    assert (event.actor, event.details) == (rita.id, {"by": "password", "factor": "totp"})


def test_the_address_is_taken_in_any_case(world: World) -> None:
    world.account("rita")
    answer = browser().post(LOGIN, {"login": "RITA@People.Example", "password": PASSWORD})
    assert answer.headers["Location"] == SECOND


@pytest.mark.parametrize(
    "code", ["000000", "", "12345678901234567890123456789012345678901", "\uff10\uff11\uff12", "' OR 1=1"]
)
def test_a_wrong_code_opens_nothing(world: World, code: str) -> None:
    world.account("rita")
    visitor = browser()
    give_password(visitor, "rita")
    assert give_code(visitor, code).status_code == 200
    assert not is_in(visitor)


def test_a_code_opens_once(world: World) -> None:
    world.account("rita")
    code = totp_code()
    first, second = browser(), browser()
    for visitor in (first, second):
        give_password(visitor, "rita")
        give_code(visitor, code)
    assert is_in(first)
    assert not is_in(second)


def test_a_recovery_code_opens_once(world: World) -> None:
    codes = RecoveryCodes.activate(world.account("rita")).generate_codes()
    first, second, third = browser(), browser(), browser()
    for visitor, code in ((first, codes[0]), (second, codes[0]), (third, codes[1])):
        give_password(visitor, "rita")
        give_code(visitor, code)
    assert [is_in(first), is_in(second), is_in(third)] == [True, False, True]
    assert world.events(EventType.ACCOUNT_SIGNED_IN)[-1].details["factor"] == "recovery-codes"


def test_the_second_page_is_for_nobody_who_did_not_pass_the_first(world: World) -> None:
    world.account("rita")
    visitor = browser()
    answer = give_code(visitor, totp_code())
    assert answer.headers["Location"] == LOGIN
    assert not is_in(visitor)


def test_what_is_refused_is_recorded_without_what_was_typed(world: World) -> None:
    rita = world.account("rita")
    give_password(browser(), "rita", "hunter2 hunter2")
    give_password(browser(), "nobody", "hunter2 hunter2")
    known, unknown = world.events(EventType.ACCOUNT_SIGN_IN_REFUSED)
    assert (known.actor, known.about, known.details) == (None, (rita.id,), {"by": "password"})
    assert (unknown.actor, unknown.about) == (None, ())
    assert not any(word in repr(world.events()) for word in ("hunter2", "people.example"))


def test_the_answer_does_not_tell_who_has_an_account(world: World) -> None:
    closed = world.account("asif")
    Account.objects.filter(pk=closed.pk).update(is_active=False)
    world.account("rita")
    said = [problems(give_password(browser(), name, "not the pass phrase")) for name in ("rita", "nobody", "asif")]
    assert said[0]
    assert said[0] == said[1] == said[2]


def test_the_answer_takes_as_long_for_who_has_no_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roughly: the hash is computed either way, and costs most of the time."""
    monkeypatch.setattr(NodeArgon2, "time_cost", 3)
    monkeypatch.setattr(NodeArgon2, "memory_cost", 19_456)
    rita, visitor = world.account("rita"), browser()
    rita.set_password(PASSWORD)
    rita.save()

    def taken(name: str) -> float:
        began = time.perf_counter()
        give_password(visitor, name, "not the pass phrase")
        return time.perf_counter() - began

    known, unknown = [taken("rita") for _ in range(4)], [taken("nobody") for _ in range(4)]
    assert 0.3 < min(known) / min(unknown) < 3.0


def test_a_closed_account_stays_closed_and_says_no_more(world: World) -> None:
    asif = world.account("asif")
    Account.objects.filter(pk=asif.pk).update(is_active=False)
    visitor = browser()
    answer = visitor.post(LOGIN, {"login": asif.email, "password": PASSWORD}, follow=True)
    assert answer.redirect_chain == [(LOGIN, 302)]
    assert "Nobody could be signed in with that." in answer.content.decode()
    assert not is_in(visitor)


def test_nothing_is_mailed(world: World) -> None:
    world.account("rita")
    come_in(browser(), "rita")
    assert not getattr(mail, "outbox", [])


@pytest.mark.parametrize(("field", "value"), [("login", "x" * 255 + "@people.example"), ("password", "p" * 201)])
def test_fields_have_bounds(world: World, field: str, value: str) -> None:
    given = {"login": "rita@people.example", "password": PASSWORD, field: value}
    assert "at most" in problems(browser().post(LOGIN, given))


def test_an_account_without_second_factor_is_led_to_add_one(world: World) -> None:
    world.join("newcomer", factor=False)
    visitor = browser()
    give_password(visitor, "newcomer")
    page = visitor.get("/account/2fa/")
    assert not page.context["page"].guarded
    assert "Only a password guards your account" in page.content.decode()


def test_every_kind_of_factor_has_its_word() -> None:
    assert set(WORDS) == set(Authenticator.Type)
