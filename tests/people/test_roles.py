"""Roles given and taken on the pages; nobody helps themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.world import World

from pellucid.audit.events import EventType
from pellucid.people.portal import grants
from pellucid.people.portal.access import roles_of
from pellucid.people.portal.grants import GrantError
from pellucid.people.portal.models import Account, RoleGrant
from pellucid.people.roles import Role


def roles(account: Account) -> frozenset[Role]:
    return roles_of(Account.objects.get(id=account.id))


def test_an_operator_grants_a_role_and_ends_it(world: World) -> None:
    rita, browser = world.account("rita"), world.operator_session("otto")
    browser.post(f"/people/{rita.id}/roles", {"role": "assessor"})
    assert roles(rita) == {Role.REVIEWER, Role.ASSESSOR}
    given = RoleGrant.objects.get(account=rita, role="assessor")
    browser.post(f"/people/{rita.id}/roles/{given.pk}/end")
    assert roles(rita) == {Role.REVIEWER}
    events = world.events(EventType.ROLE_GRANTED, EventType.ROLE_ENDED)
    told = [(event.type, event.details["role"], event.actor) for event in events if event.about == (rita.id,)]
    otto = world.account("otto").id
    assert (EventType.ROLE_GRANTED, "assessor", otto) in told
    assert (EventType.ROLE_ENDED, "assessor", otto) in told


def test_a_role_ends_on_its_day(world: World) -> None:
    rita, browser = world.account("rita"), world.operator_session("otto")
    tomorrow = timezone.now() + timedelta(days=1)
    browser.post(f"/people/{rita.id}/roles", {"role": "attestor", "until": tomorrow.strftime("%Y-%m-%d")})
    assert Role.ATTESTOR in roles(rita)
    RoleGrant.objects.filter(role="attestor").update(expires_at=timezone.now())
    assert Role.ATTESTOR not in roles(rita)


@pytest.mark.parametrize("until", ["2020-01-01", "9999-12-31", "tomorrow", "2026-02-30"])
def test_a_day_that_is_over_or_none_is_refused(world: World, until: str) -> None:
    rita = world.account("rita")
    answer = world.operator_session("otto").post(f"/people/{rita.id}/roles", {"role": "attestor", "until": until})
    assert "could not be taken" in answer.text
    assert roles(rita) == {Role.REVIEWER}


def test_an_operator_grants_itself_nothing(world: World) -> None:
    otto, browser = world.account("otto"), world.operator_session("otto")
    answer = browser.post(f"/people/{otto.id}/roles", {"role": "reviewer"}, follow=True)
    assert "nobody changes their own roles" in answer.text
    assert roles(otto) == {Role.OPERATOR}
    world.operator_session("olga").post(f"/people/{otto.id}/roles", {"role": "reviewer"})
    assert roles(otto) == {Role.OPERATOR, Role.REVIEWER}


def test_nobody_ends_a_role_through_the_address_of_somebody_else(world: World) -> None:
    rita, vera = world.account("rita"), world.account("vera")
    given = rita.grants.get()
    answer = world.operator_session("otto").post(f"/people/{vera.id}/roles/{given.pk}/end")
    assert answer.status_code == 404
    assert roles(rita) == {Role.REVIEWER}


@pytest.mark.parametrize("name", ["rita", "vera", "mallory"])
def test_only_operators_change_roles(world: World, name: str) -> None:
    asif = world.account("asif")
    assert world.client(name).post(f"/people/{asif.id}/roles", {"role": "operator"}).status_code == 403
    assert world.client(None).post(f"/people/{asif.id}/roles", {"role": "operator"}).status_code == 401
    assert world.client("otto").post(f"/people/{asif.id}/roles", {"role": "operator"}).status_code == 403  # no session
    assert roles(asif) == {Role.ASSESSOR}


def test_an_unknown_role_is_refused(world: World) -> None:
    rita = world.account("rita")
    answer = world.operator_session("otto").post(f"/people/{rita.id}/roles", {"role": "superuser"})
    assert "could not be taken" in answer.text


def test_a_role_granted_again_stands_once(world: World) -> None:
    rita = world.account("rita")
    grants.grant(rita, Role.REVIEWER, by=None)
    assert rita.grants.filter(ended_at=None).count() == 1


def test_nobody_makes_an_operator_on_a_page(world: World) -> None:
    """Whoever could would invite a second self, and then change their own roles through it."""
    rita, olga = world.account("rita"), world.account("olga")
    browser = world.operator_session("otto")
    browser.post(f"/people/{rita.id}/roles", {"role": "operator"})
    asked = {"email": "second.self@vendor.example", "roles": ["operator"], "organisation": ""}
    assert "invitation-code" not in browser.post("/people/invite", asked).text
    assert "invitation-code" not in browser.post(f"/people/{olga.id}/invite", follow=True).text
    assert roles(rita) == {Role.REVIEWER}
    assert not Account.objects.filter(email="second.self@vendor.example").exists()
    with pytest.raises(GrantError, match="at the node's home"):
        grants.grant(rita, Role.OPERATOR, by=world.account("otto"))
    grants.grant(rita, Role.OPERATOR, by=None)
    assert roles(rita) == {Role.REVIEWER, Role.OPERATOR}


def test_an_operator_signs_somebody_out_everywhere(world: World) -> None:
    rita, vera = world.account("rita"), world.client("vera")
    browsers = [world.client("rita"), world.client("rita")]
    assert [browser.get("/account").status_code for browser in browsers] == [200, 200]
    answer = world.operator_session("otto").post(f"/people/{rita.id}/sessions/end", follow=True)
    assert "Signed out of 2 browsers." in answer.text
    assert [browser.get("/account").status_code for browser in browsers] == [302, 302]
    assert vera.get("/account").status_code == 200
    event = next(event for event in world.events(EventType.ACCOUNT_SIGNED_OUT) if event.about == (rita.id,))
    assert (event.actor, event.details["sessions"]) == (world.account("otto").id, 2)
    assert world.client("vera").post(f"/people/{rita.id}/sessions/end").status_code == 403
