"""The way in: an address and a code by two ways, a few tries, a password, then a second factor."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import check_password
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.world import PASSWORD, World

from pellucid.audit.events import EventType
from pellucid.outbox.portal.models import Delivery, Message
from pellucid.people import codes
from pellucid.people.portal import invitations
from pellucid.people.portal.access import roles_of
from pellucid.people.portal.models import Account, Invitation
from pellucid.people.roles import Role

NEW = "ruth@lab.example"
WEAK = {"password": "short", "again": "short"}
MINE = "seven herons over the weir 4"


def invite(world: World, by: str = "otto", **changes: object) -> Any:
    asked = {"email": NEW, "roles": ["reviewer"], "organisation": "Example Lab", **changes}
    return world.operator_session(by).post("/people/invite", asked)


def code_in(answer: Any) -> str:
    found = re.search(r'id="invitation-code">([0-9 ]+)<', answer.text)
    assert found is not None, answer.text
    return found[1]


def come_in(browser: Client, code: str, **changes: str) -> Any:
    form = {"code": code, "name": "Ruth Reader", "password": MINE, "again": MINE, **changes}
    return browser.post(f"/join/{Invitation.objects.order_by('-made_at')[0].address}", form)


def test_an_invited_reviewer_comes_in_and_goes_on_to_a_second_factor(world: World) -> None:
    code = code_in(invite(world))
    browser = world.client(None)
    answer = come_in(browser, code)
    assert answer.headers["Location"] == "/account/2fa/"
    ruth = Account.objects.get(email=NEW)
    assert (ruth.name, set(roles_of(ruth))) == ("Ruth Reader", {Role.REVIEWER})
    assert ruth.organisation is not None
    assert ruth.organisation.name == "Example Lab"
    told = browser.get("/api/me").json()
    assert (told["name"], told["second_factor"]) == ("Ruth Reader", "none")
    types = [event.type for event in world.events() if ruth.id in event.about]
    assert types[:3] == [EventType.ACCOUNT_INVITED, EventType.ACCOUNT_JOINED, EventType.ROLE_GRANTED]


def test_the_mail_has_the_address_and_nobody_keeps_the_code(world: World) -> None:
    code = code_in(invite(world))
    invitation, message = Invitation.objects.get(), Message.objects.get()
    assert message.path == f"/join/{invitation.address}"
    assert Delivery.objects.get().address == NEW
    assert check_password(code.replace(" ", ""), invitation.code_hash)
    assert invitation.code_hash.startswith("argon2")
    kept = str([list(model.objects.values()) for model in (Invitation, Message, Delivery, Account)])
    assert code not in kept
    assert code.replace(" ", "") not in kept


def test_the_way_in_is_used_once(world: World) -> None:
    code = code_in(invite(world))
    assert come_in(world.client(None), code).status_code == 302
    assert come_in(world.client(None), code).status_code == 404


def test_the_fifth_wrong_code_ends_it(world: World) -> None:
    code = code_in(invite(world))
    browser = world.client(None)
    for left in (4, 3, 2, 1):
        assert f"tries left: {left}" in come_in(browser, "1" * 40).text
    assert "last try" in come_in(browser, "1" * 40).text
    assert come_in(browser, code).status_code == 404
    assert len(world.events(EventType.ACCOUNT_SIGN_IN_REFUSED)) == 5


def test_a_password_that_is_too_weak_costs_no_try(world: World) -> None:
    code = code_in(invite(world))
    browser = world.client(None)
    assert "too short" in come_in(browser, "1" * 40, **WEAK).text
    assert "differ" in come_in(browser, "1" * 40, again="something else altogether").text
    assert Invitation.objects.get().tries == 0
    assert come_in(browser, code).status_code == 302


def test_the_time_of_an_invitation_ends(world: World) -> None:
    code = code_in(invite(world))
    Invitation.objects.update(expires_at=timezone.now())
    assert come_in(world.client(None), code).status_code == 404


def test_a_new_invitation_ends_the_earlier_one(world: World) -> None:
    first = code_in(invite(world))
    address = Invitation.objects.get().address
    second = code_in(invite(world))
    form = {"code": first, "name": "Ruth", "password": MINE, "again": MINE}
    assert world.client(None).post(f"/join/{address}", form).status_code == 404
    assert come_in(world.client(None), first).status_code == 200
    assert come_in(world.client(None), second).status_code == 302


def test_an_operator_ends_an_invitation(world: World) -> None:
    code = code_in(invite(world))
    world.operator_session("olga").post(f"/people/{Account.objects.get(email=NEW).id}/invite/end")
    assert come_in(world.client(None), code).status_code == 404


def test_an_invitation_falls_with_the_role_of_who_made_it(world: World) -> None:
    code = code_in(invite(world))
    world.account("otto").grants.update(ended_at=timezone.now())
    assert come_in(world.client(None), code).status_code == 404


@pytest.mark.parametrize("email", ["otto@people.example", "OTTO@people.example", "rita@people.example"])
def test_nobody_who_is_here_is_invited_as_somebody_new(world: World, email: str) -> None:
    world.account("rita")
    assert "could not be taken" in invite(world, email=email).text
    assert not Invitation.objects.exists()


def test_who_lost_every_way_in_comes_back_and_everything_old_ends(world: World) -> None:
    rita = world.account("rita")
    before = world.client("rita")
    code = code_in(world.operator_session("otto").post(f"/people/{rita.id}/invite"))
    assert before.get("/account").status_code == 200  # until the invitation is accepted, nothing ends
    browser = world.client(None)
    assert come_in(browser, code).status_code == 302
    assert before.get("/account").status_code == 302
    assert not Authenticator.objects.filter(user=rita).exists()
    rita.refresh_from_db()
    assert rita.check_password(MINE)
    assert not rita.check_password(PASSWORD)
    assert roles_of(rita) == {Role.REVIEWER}
    assert world.events(EventType.ACCOUNT_JOINED)[-1].details["again"] is True


def test_an_operator_does_not_invite_itself_back(world: World) -> None:
    otto = world.account("otto")
    world.operator_session("otto").post(f"/people/{otto.id}/invite")
    assert not Invitation.objects.exists()


def test_an_account_that_has_not_joined_cannot_sign_in(world: World) -> None:
    invite(world)
    browser = world.client(None)
    browser.post("/account/login/", {"login": NEW, "password": ""})
    browser.post("/account/login/", {"login": NEW, "password": "!"})
    assert browser.get("/account").status_code == 302


def test_an_unknown_address_is_not_found(world: World) -> None:
    assert world.client(None).get(f"/join/{'0' * 32}").status_code == 404
    assert world.client(None).get("/join/x").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_are_no_more_than_one_after_the_other(world: World) -> None:
    invitation = invitations.invite(NEW, [Role.REVIEWER], by=None).invitation
    outcomes: list[type[Exception]] = []

    def guess() -> None:
        """Try once; a database in memory, unlike a node's, does not wait for whoever writes, so that waits here."""
        outcome: type[Exception] = OperationalError
        for _ in range(1000):
            try:
                invitations.accept(invitation, "2" * 40, "Mallory", MINE)
            except Exception as error:  # noqa: BLE001 - which one is what the test looks at
                outcome = type(error)
            if outcome is not OperationalError:
                break
            time.sleep(0.005)
        outcomes.append(outcome)
        connection.close()

    threads = [Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes) <= {invitations.InvitationError, invitations.WrongCodeError}
    assert len(outcomes) == 8
    assert len(world.events(EventType.ACCOUNT_SIGN_IN_REFUSED)) == 5  # so many codes were looked at


@given(st.text(max_size=80))
def test_only_forty_digits_are_a_code(text: str) -> None:
    typed = codes.typed_code(text)
    assert typed is None or re.fullmatch("[0-9]{40}", typed)


def test_a_code_is_read_however_it_is_written() -> None:
    code = codes.new_code()
    digits = code.replace(" ", "")
    assert [codes.typed_code(text) for text in (code, digits, code.replace(" ", " - "), f"  {code}\n")] == [digits] * 4
    assert codes.typed_code(digits[:-1]) is None
    assert codes.typed_code("٣" * 40) is None  # digits, but of another script
    assert timedelta(days=invitations.MOST_DAYS) > timedelta(days=invitations.DAYS)
