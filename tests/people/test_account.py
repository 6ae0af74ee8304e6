"""A person's own account."""

from __future__ import annotations

from tests.world import World

from pellucid.people.portal.models import Account


def test_people_see_their_own_account(world: World) -> None:
    told = world.client("rita").get("/account.json").json()
    assert (told["name"], told["email"], told["second_factor"]) == ("Rita Example", "rita@people.example", "used")
    assert [line["role"] for line in told["roles"]] == ["reviewer"]


def test_people_correct_their_name(world: World) -> None:
    assert world.client("rita").post("/account", {"name": "Rita Reader"}).status_code == 302
    assert world.account("rita").name == "Rita Reader"


def test_a_name_has_a_bound_and_is_not_empty(world: World) -> None:
    browser = world.client("rita")
    for name in ("", "   ", "x" * 201, "Rita\x00"):
        assert "could not be taken" in browser.post("/account", {"name": name}).text
    assert world.account("rita").name == "Rita Example"


def test_a_session_that_showed_no_second_factor_changes_nothing(world: World) -> None:
    browser = world.client("rita")
    session = browser.session
    session["account_authentication_methods"] = session["account_authentication_methods"][:1]
    session.save()
    assert browser.post("/account", {"name": "Mallory"}).status_code == 403
    assert world.account("rita").name == "Rita Example"


def test_there_is_no_superuser_to_be(world: World) -> None:
    assert not hasattr(Account.objects, "create_superuser")
    assert not hasattr(world.account("otto"), "is_superuser")
