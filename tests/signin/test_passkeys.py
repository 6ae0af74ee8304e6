"""A passkey signs its owner in by itself; no other, replayed, foreign or half-made one does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator as Factor
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.signin.authenticator import Authenticator
from tests.signin.visits import FACTORS, LOGIN, SECOND, give_password, is_in
from tests.world import World

from pellucid.audit.events import EventType

ADD = "/account/2fa/webauthn/add/"
ENTER = "/account/2fa/webauthn/login/"


def browser() -> Client:
    return Client(SERVER_NAME="localhost")


def options_of(page: Any, kind: str = "options") -> dict[str, Any]:
    found = page.context[kind] if kind == "options" else page.context["js_data"]["request_options"]
    return dict(json.loads(json.dumps(found, default=dict)))


def add_passkey(signed_in: Client, key: Authenticator, **how: Any) -> Any:
    return signed_in.post(ADD, {"name": "blue key", "credential": key.make(options_of(signed_in.get(ADD)), **how)})


@pytest.fixture
def ritas(world: World) -> Authenticator:
    """A passkey of Rita's."""
    key = Authenticator()
    assert add_passkey(world.client("rita"), key).status_code == 302
    return key


def challenge(visitor: Client) -> dict[str, Any]:
    return dict(visitor.post(ENTER).json())


def enter(visitor: Client, credential: str, **more: str) -> Any:
    return visitor.post(ENTER, {"credential": credential, **more})


def test_a_passkey_signs_in_by_itself(world: World, ritas: Authenticator) -> None:
    visitor = browser()
    assert enter(visitor, ritas.show(challenge(visitor))).status_code == 302
    assert is_in(visitor)
    event = world.events(EventType.ACCOUNT_SIGNED_IN)[-1]
    assert event.actor == world.account("rita").id
    assert event.details == {"by": "passkey", "factor": "passkey"}
    added = world.events(EventType.ACCOUNT_FACTOR_ADDED)
    assert [event.details["kind"] for event in added] == ["passkey", "recovery-codes"]


def test_a_passkey_leads_on_to_where_one_was_going(world: World, ritas: Authenticator) -> None:
    visitor = browser()
    answer = enter(visitor, ritas.show(challenge(visitor)), next="/account/sessions/")
    assert answer.headers["Location"] == "/account/sessions/"


def test_a_passkey_is_a_second_factor_too(world: World, ritas: Authenticator) -> None:
    visitor = browser()
    give_password(visitor, "rita")
    options = options_of(visitor.get(SECOND), "js_data")
    assert visitor.post(SECOND, {"credential": ritas.show(options)}).status_code == 302
    assert is_in(visitor)


def test_an_assertion_that_was_seen_opens_nothing(world: World, ritas: Authenticator) -> None:
    """Replayed: in the same browser, in another one, and in another one that has a challenge of its own."""
    visitor = browser()
    seen = ritas.show(challenge(visitor))
    enter(visitor, seen)
    assert is_in(visitor)
    visitor.post("/account/logout/")
    fresh = browser()
    challenge(fresh)
    for other in (visitor, browser(), fresh):
        enter(other, seen)
        assert not is_in(other)


@pytest.mark.parametrize(
    ("change", "how"),
    [
        ({"origin": "https://log.vendor.example.attacker.example"}, {}),
        ({"origin": "http://localhost.attacker.example"}, {}),
        ({"rp": "attacker.example"}, {}),
        ({"key": Authenticator().key}, {}),
        ({"id": b"another id"}, {}),
        ({"person": b"0" * 32}, {}),
        ({}, {"checked": False}),
    ],
    ids=["of-another-site", "of-a-name-like-ours", "for-another-site", "other-key", "other-id", "nobody", "unchecked"],
)
def test_a_passkey_that_does_not_fit_opens_nothing(
    world: World, ritas: Authenticator, change: dict[str, Any], how: dict[str, Any]
) -> None:
    forged = Authenticator(**{**vars(ritas), **change})
    visitor = browser()
    answer = enter(visitor, forged.show(challenge(visitor), **how))
    assert answer.headers["Location"] == LOGIN
    assert not is_in(visitor)
    assert world.events(EventType.ACCOUNT_SIGN_IN_REFUSED)[-1].details == {"by": "passkey"}


def test_rotten_signatures_open_nothing(world: World, ritas: Authenticator) -> None:
    visitor = browser()
    sent = json.loads(ritas.show(challenge(visitor)))
    sent["response"]["signature"] = sent["response"]["signature"][:-4] + "AAAA"
    enter(visitor, json.dumps(sent))
    assert not is_in(visitor)


def test_one_passkey_is_not_another_ones_second_factor(world: World, ritas: Authenticator) -> None:
    mallory = Authenticator()
    world.join("guest")
    add_passkey(world.client("mallory"), mallory)
    visitor = browser()
    give_password(visitor, "rita")
    options = options_of(visitor.get(SECOND), "js_data")
    assert visitor.post(SECOND, {"credential": mallory.show(options)}).status_code == 200
    assert not is_in(visitor)


def test_a_key_that_does_not_ask_who_uses_it_is_not_added(world: World) -> None:
    rita = world.client("rita")
    assert add_passkey(rita, Authenticator(), checked=False).status_code == 200
    assert not Factor.objects.filter(type="webauthn").exists()


def test_a_passkey_is_not_added_for_an_old_challenge(world: World) -> None:
    rita, key = world.client("rita"), Authenticator()
    old = key.make(options_of(rita.get(ADD)))
    rita.get(ADD)
    assert rita.post(ADD, {"name": "x", "credential": old}).status_code == 200
    assert not Factor.objects.filter(type="webauthn").exists()


def test_a_passkey_gets_another_name_and_goes(world: World, ritas: Authenticator) -> None:
    rita = world.client("rita")
    number = Factor.objects.get(type="webauthn").pk
    assert rita.post(f"{FACTORS}webauthn/keys/{number}/edit/", {"name": "grey <b>key"}).status_code == 302
    assert "grey &lt;b&gt;key" in rita.get(FACTORS).content.decode()
    assert rita.post(f"{FACTORS}webauthn/keys/{number}/remove/").status_code == 302
    assert not Factor.objects.filter(type="webauthn").exists()
    assert world.events(EventType.ACCOUNT_FACTOR_REMOVED)[-1].details == {"kind": "passkey"}


def test_the_passkeys_of_others_are_not_there(world: World, ritas: Authenticator) -> None:
    number = Factor.objects.get(type="webauthn").pk
    for page in ("edit", "remove"):
        assert world.client("mallory").post(f"{FACTORS}webauthn/keys/{number}/{page}/").status_code == 404
    assert Factor.objects.filter(pk=number).exists()


def test_the_only_factor_stays(world: World, ritas: Authenticator) -> None:
    rita = world.client("rita")
    number = Factor.objects.get(type="webauthn").pk
    assert rita.post(f"{FACTORS}totp/deactivate/").status_code == 302
    assert rita.post(f"{FACTORS}webauthn/keys/{number}/remove/").status_code == 409
    assert Factor.objects.filter(pk=number).exists()


@pytest.mark.parametrize(
    ("host", "works"),
    [("localhost", True), ("localhost:8400", True), ("127.0.0.1", False), ("127.0.0.1:8400", False),
     ("[::1]", False), ("[::1]:8400", False)],
)  # fmt: skip
def test_the_page_says_where_browsers_make_no_passkeys(world: World, host: str, works: bool) -> None:
    page = browser().get(LOGIN, headers={"host": host})
    assert page.context["passkeys_here"] is works
    assert ("not for numeric addresses" in page.content.decode()) is not works


def test_an_account_has_room_for_twenty(world: World) -> None:
    rita = world.client("rita")
    said = [add_passkey(rita, Authenticator()).status_code for _ in range(21)]
    assert said == [302] * 20 + [200]
    assert Factor.objects.filter(type="webauthn").count() == 20


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "userHandle", "signature"]),
                    inner,
                    max_size=7,
                )
            ),
            max_leaves=12,
        ).map(json.dumps),
    )
)
def test_whatever_is_sent_in_place_of_a_passkey_is_one_refusal(world: World, sent: str) -> None:
    from django.core.cache import cache

    cache.clear()
    visitor = browser()
    visitor.post(ENTER)
    answer = enter(visitor, sent)
    assert answer.headers["Location"] == LOGIN


@pytest.mark.parametrize("sent", ["[" * 30_000, "{" * 40_000, '{"a":' * 6_000, '"\\ud800"', "NaN", "1e999999"])
def test_hostile_json_is_refused(world: World, sent: str) -> None:
    visitor = browser()
    visitor.post(ENTER)
    assert enter(visitor, sent).headers["Location"] == LOGIN
    rita = world.client("rita")
    rita.get(ADD)
    assert rita.post(ADD, {"name": "x", "credential": sent}).status_code == 200
