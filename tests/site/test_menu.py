"""What the frame offers to whom: signing in to visitors, their rooms to people, a banner while a session runs."""

from __future__ import annotations

import re

from django.test import Client
from tests.world import World, made_home, world  # noqa: F401 - fixtures


def rooms(client: Client, address: str = "/account") -> dict[str, str]:
    page = client.get(address).content.decode()
    menu = re.search(r'(?s)<details class="account">.*?</details>', page)
    assert menu is not None
    return {name: href for href, name in re.findall(r'<li><a href="([^"]+)"[^>]*>([^<]+)</a>', menu[0])}


def test_visitors_are_offered_to_sign_in_and_nothing_else(world: World) -> None:  # noqa: F811 - a fixture
    page = world.client(None).get("/").content.decode()
    assert 'href="/account/login/"' in page
    assert "Sign out" not in page
    assert "Operator session" not in page


def test_people_find_their_own_rooms_and_no_others(world: World) -> None:  # noqa: F811 - a fixture
    found = rooms(world.client("rita"))
    assert {"Account", "Signing", "Recorded about you"} <= set(found)
    assert not {"People", "Audit log", "Jobs", "Operator session"} & set(found)
    assert set(rooms(world.client("mallory"))).isdisjoint({"Signing", "Jobs", "People"})


def test_every_room_of_the_menu_opens_for_whom_it_is_offered(world: World) -> None:  # noqa: F811 - a fixture
    for name, client in (("rita", world.client("rita")), ("otto", world.operator_session("otto"))):
        for room, href in rooms(client).items():
            if room != "Jobs":
                assert client.get(href).status_code == 200, (name, room, href)


def test_the_room_that_one_is_in_is_marked_once(world: World) -> None:  # noqa: F811 - a fixture
    client = world.operator_session("otto")
    for address, name in (("/people", "People"), ("/organisations", "People"), ("/operator/sessions", "Operator")):
        side = re.search(r'(?s)<nav class="side".*?</nav>', client.get(address).content.decode())
        assert side is not None
        assert re.findall(r'aria-current="page">(\w+)', side[0]) == [name]


def test_a_running_operator_session_shows_on_every_page_and_can_be_ended_there(world: World) -> None:  # noqa: F811 - a fixture
    client = world.operator_session("otto")
    for address in ("/", "/open", "/account"):
        page = client.get(address).content.decode()
        assert 'class="session-line"' in page
        assert re.search(r"ends \d\d:\d\d UTC", page)
    assert client.post("/operator/session/end").status_code == 302
    assert 'class="session-line"' not in client.get("/").content.decode()
    assert 'class="session-line"' not in world.client("olga").get("/").content.decode()


def test_a_message_is_shown_once(world: World) -> None:  # noqa: F811 - a fixture
    client = world.operator_session("otto")
    first, second = (client.get("/account").content.decode() for _ in range(2))
    assert 'role="status"' in first
    assert 'role="status"' not in second


def test_the_twin_of_a_private_page_says_no_name_that_the_frame_shows(world: World) -> None:  # noqa: F811 - a fixture
    twin = world.client("rita").get("/index.json").content.decode()
    assert "Rita" not in twin
    assert "menu" not in twin


def test_a_page_that_is_not_there_knows_who_is_signed_in(world: World) -> None:  # noqa: F811 - a fixture
    page = world.client("rita").get("/nope").content.decode()
    assert "Sign out" in page
    assert "csrfmiddlewaretoken" in page
    assert 'href="/account/login/"' in world.client(None).get("/nope").content.decode()
