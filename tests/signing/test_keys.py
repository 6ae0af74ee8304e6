"""Enrolling and retiring keys: whose key it is was shown, once, and no secret key was ever here."""

from __future__ import annotations

import time

import msgspec
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from tests.signing.desk import Desk, review
from tests.world import World

from pellucid.audit.events import EventType
from pellucid.outbox.portal.models import Message
from pellucid.people.portal.erasure import erase
from pellucid.signing.challenge import PAYLOAD_TYPE, answer
from pellucid.signing.portal import requests
from pellucid.signing.portal.enrolment import MOST_KEYS
from pellucid.signing.portal.models import KeyChallenge, PartyKey
from pellucid.statement.dsse import sign_payload
from pellucid.statement.keys import Role, generate_key


def test_a_key_is_enrolled_once_its_holder_answered_the_challenge(desk: Desk) -> None:
    key = desk.enrol()
    assert (key.account, key.custody, key.label) == (desk.account, "file", "laptop")
    page = desk.client.get("/account/keys").content.decode()
    assert desk.key.public.id in page
    assert "not accredited yet" in page
    assert f"party accredit {desk.key.public.spki_base64} --role reviewer --custody file" in page
    (event,) = desk.world.events(EventType.KEY_ENROLLED)
    assert (event.actor, event.target) == (desk.account.id, f"key:{desk.key.public.id}")
    assert dict(event.details) == {"key": desk.key.public.id, "custody": "file"}


def test_the_answer_may_be_a_file(desk: Desk) -> None:
    address, challenge = desk.challenge()
    proof = answer(challenge, desk.key, int(time.time()), where="test").to_bytes()
    answered = desk.client.post(address, {"text": "", "file": SimpleUploadedFile("challenge.dsse.json", proof)})
    assert answered["Location"] == "/account/keys"


def test_the_challenge_names_this_node_this_account_and_this_key(desk: Desk) -> None:
    _, challenge = desk.challenge(custody="token")
    assert challenge.node == desk.world.node.origin
    assert challenge.account == desk.account.id
    assert (challenge.key, challenge.custody.value) == (desk.key.public.id, "token")


def test_an_answer_is_taken_once(desk: Desk) -> None:
    address, challenge = desk.challenge()
    proof = answer(challenge, desk.key, int(time.time()), where="test").to_bytes()
    desk.answer(address, proof)
    assert desk.answer(address, proof).status_code == 404
    assert PartyKey.objects.count() == 1


def test_an_answer_of_yesterday_is_not_taken(desk: Desk) -> None:
    address, challenge = desk.challenge()
    proof = answer(challenge, desk.key, int(time.time()), where="test").to_bytes()
    desk.let_challenges_pass()
    assert desk.answer(address, proof).status_code == 404
    assert not PartyKey.objects.exists()


def test_without_the_secret_half_nobody_enrols_a_key(desk: Desk) -> None:
    thief = Desk(desk.world, "asif")
    address, challenge = thief.challenge(desk.key)
    other = msgspec.structs.replace(challenge, key=thief.key.public.id)
    answered = thief.answer(address, answer(other, thief.key, 0, where="test").to_bytes())
    assert answered.status_code == 400
    assert "answers another challenge" in answered.content.decode()
    answered = thief.answer(address, sign_payload(PAYLOAD_TYPE, challenge.payload(), thief.key).to_bytes())
    assert "no signature in it is by the key" in answered.content.decode()
    assert not PartyKey.objects.exists()


def test_somebody_elses_challenge_is_nobodys_business(desk: Desk) -> None:
    address, challenge = desk.challenge()
    other = Desk(desk.world, "asif")
    assert other.client.get(address).status_code == 404
    assert other.client.get(f"{address}/file").status_code == 404
    proof = answer(challenge, desk.key, int(time.time()), where="test").to_bytes()
    assert other.answer(address, proof).status_code == 404
    assert desk.client.get(address).status_code == 200


def test_a_stolen_session_enrols_nothing_without_a_fresh_sign_in(desk: Desk) -> None:
    session = desk.client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()
    answered = desk.begin()
    assert answered.status_code == 302
    assert "reauthenticate" in answered["Location"]
    assert not KeyChallenge.objects.exists()
    assert desk.client.get("/account/keys").status_code == 200


def test_a_key_belongs_to_one_person_for_ever(desk: Desk) -> None:
    key = desk.enrol()
    other = Desk(desk.world, "asif").begin(desk.key)
    assert "is or was enrolled here already" in other.content.decode()
    desk.client.post(f"/account/keys/{key.key_id}/retire")
    assert "is or was enrolled here already" in desk.begin().content.decode()


def test_the_keys_of_nodes_are_not_for_people(desk: Desk) -> None:
    for public in desk.world.home.keys.values():
        answered = desk.client.post("/account/keys", {"spki": public.spki_base64, "custody": "file"})
        assert answered.status_code == 400
        assert "a key of a node" in answered.content.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"spki": ""},
        {"spki": "MCowBQYDK2VwAyEA"},
        {"spki": "MCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"spki": "<script>alert(1)</script>"},
        {"custody": "drawer"},
        {"label": "x" * 61},
    ],
)
def test_what_is_no_key_is_refused_with_a_message(desk: Desk, changes: dict[str, str]) -> None:
    answered = desk.begin(changes=changes)
    assert answered.status_code == 400
    assert "errorlist" in answered.content.decode()
    assert not KeyChallenge.objects.exists()


def test_a_public_key_under_which_everything_is_signed_is_refused(desk: Desk) -> None:
    small = "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert "small order" in desk.begin(changes={"spki": small}).content.decode()


def test_open_challenges_and_keys_are_bounded(desk: Desk) -> None:
    for _ in range(8):
        desk.begin()
    assert KeyChallenge.objects.count() == 5
    keys = (generate_key(Role.PARTY, "rita").public for _ in range(MOST_KEYS))
    PartyKey.objects.bulk_create(
        PartyKey(account=desk.account, key_id=key.id, spki=key.spki_base64, custody="file") for key in keys
    )
    assert f"{MOST_KEYS} keys already" in desk.begin().content.decode()


def test_a_retired_key_stays_visible_and_signs_nothing_more(desk: Desk) -> None:
    key = desk.enrol()
    assert desk.client.post(f"/account/keys/{key.key_id}/retire").status_code == 302
    assert "retired here" in desk.client.get("/account/keys").content.decode()
    assert [event.type for event in desk.world.events(EventType.KEY_RETIRED)] == [EventType.KEY_RETIRED]


def test_nobody_retires_somebody_elses_key(desk: Desk) -> None:
    key = desk.enrol()
    assert Desk(desk.world, "asif").client.post(f"/account/keys/{key.key_id}/retire").status_code == 404
    key.refresh_from_db()
    assert key.retired_at is None


def test_the_page_shows_what_the_log_says_of_a_key(desk: Desk) -> None:
    desk.enrol()
    statement = desk.accredit("reviewer")
    page = desk.client.get("/account/keys").content.decode()
    assert "accredited as reviewer" in page
    assert f"/statements/{statement}" in page


def test_an_accreditation_with_another_custody_is_said_loudly(desk: Desk) -> None:
    desk.enrol()
    desk.accredit("reviewer", custody="token")
    assert "accredited as kept in another way" in desk.client.get("/account/keys").content.decode()


def test_a_strangers_accreditation_is_no_accreditation(desk: Desk) -> None:
    desk.enrol()
    mallory = generate_key(Role.PARTY, "mallory")
    desk.accredit("researcher", key=mallory)
    desk.accredit("reviewer", by=mallory, custody="token")
    assert "not accredited yet" in desk.client.get("/account/keys").content.decode()
    desk.accredit("reviewer")
    assert "accredited as reviewer" in desk.client.get("/account/keys").content.decode()


def test_operators_see_a_key_whose_holder_has_left(desk: Desk) -> None:
    key = desk.enrol()
    desk.accredit("reviewer")
    session = desk.world.operator_session("otto")
    assert "any more" not in session.get("/operator/keys").content.decode()
    desk.account.grants.update(ended_at=timezone.now())
    page = session.get("/operator/keys").content.decode()
    assert "Its holder has no role here any more" in page
    assert f"party revoke {key.key_id} --retired" in page


def test_an_accreditation_that_is_over_counts_no_more(desk: Desk) -> None:
    desk.enrol()
    desk.accredit("reviewer", expires="2020-01-01T00:00:00Z")
    assert "ended in the log" in desk.client.get("/account/keys").content.decode()


def test_operators_see_whose_key_waits_and_what_to_type(desk: Desk) -> None:
    desk.enrol()
    answered = desk.world.operator_session("otto").get("/operator/keys")
    page = answered.content.decode()
    assert "Rita Example" in page
    assert "party accredit" in page
    assert "<form" not in page.partition('<h2 id="all">')[2].partition("</main>")[0]


def test_only_operators_in_a_session_see_everybodys_keys(desk: Desk) -> None:
    assert desk.client.get("/operator/keys").status_code == 403
    assert desk.world.client("otto").get("/operator/keys").status_code == 302
    assert desk.world.client("mallory").get("/operator/keys").status_code == 403
    assert desk.world.client(None).get("/operator/keys").status_code == 302


@pytest.mark.parametrize("name", ["otto", "mallory"])
def test_who_signs_nothing_enrols_nothing(world: World, name: str) -> None:
    assert world.client(name).get("/account/keys").status_code == 403


def test_the_json_twin_says_the_same(desk: Desk) -> None:
    desk.enrol()
    (key,) = desk.client.get("/account/keys.json").json()["keys"]
    assert (key["key"], key["custody"]) == (desk.key.public.id, "file")
    assert "owner" not in key or key["owner"] == ""


def test_what_people_wrote_is_erased_with_them_and_what_is_logged_stays(desk: Desk) -> None:
    key = desk.enrol()
    desk.begin(generate_key(Role.PARTY, "rita"))
    otto = desk.world.account("otto")
    waiting = requests.ask(review(), of=desk.account, by=otto, why="You read it, Rita.")
    erase(desk.account, by=otto)
    key.refresh_from_db()
    waiting.refresh_from_db()
    assert (key.label, waiting.why, waiting.state) == ("", "", "taken-back")
    assert key.retired_at is not None
    assert not KeyChallenge.objects.exists()


def test_people_hear_of_each_change_to_their_keys(desk: Desk) -> None:
    key = desk.enrol()
    desk.client.post(f"/account/keys/{key.key_id}/retire")
    told = Message.objects.filter(told__account=desk.account).order_by("id")
    assert [message.words["change"] for message in told] == ["key-enrolled", "key-retired"]


def test_the_public_page_of_an_accreditation_says_how_the_key_is_kept(desk: Desk) -> None:
    kept_in_browser = desk.accredit("reviewer", custody="browser")
    kept_in_file = desk.accredit("reviewer", key=generate_key(Role.PARTY, "asif"))
    visitor = desk.world.client(None)
    assert "kept in a browser" in visitor.get(f"/statements/{kept_in_browser}").content.decode()
    assert "kept in" not in visitor.get(f"/statements/{kept_in_file}").content.decode()


def test_where_such_a_key_speaks_its_custody_stands_beside_it(desk: Desk) -> None:
    desk.accredit("reviewer", custody="browser")
    statement = desk.log(review(), desk.key)
    visitor = desk.world.client(None)
    assert "key kept in a browser" in visitor.get(f"/statements/{statement}").content.decode()
    plain = generate_key(Role.PARTY, "asif")
    desk.accredit("reviewer", key=plain)
    other = desk.log(review(result="pass-with-findings"), plain)
    assert "kept in a browser" not in visitor.get(f"/statements/{other}").content.decode()
