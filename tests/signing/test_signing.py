"""Signing: a person sees all of it, signs it with their own key, and the node takes exactly that and logs it."""

from __future__ import annotations

import json

import pytest
from tests.signing.desk import TREE, Desk, delta, review, signed
from tests.world import World

from pellucid.audit.events import EventType
from pellucid.audit.portal import door as audit
from pellucid.capabilities import PREDICATES
from pellucid.cli import main
from pellucid.errors import UnavailableError
from pellucid.outbox.portal.models import Message
from pellucid.signing.checks import PAYLOAD_LIMIT, NotFitError
from pellucid.signing.portal import requests
from pellucid.signing.portal.door import ground
from pellucid.signing.portal.models import SigningRequest
from pellucid.signing.states import DeclineReason, NotNowError, State
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement, Subject
from pellucid.statement.keys import Role, generate_key
from pellucid.statement.predicate import make_statement
from pellucid.statement.types import WITHDRAWAL
from pellucid.trust.predicate import Withdrawal, WithdrawalReason, statement_subject


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """Rita with an enrolled key that the log accredits as a reviewer's."""
    desk.enrol()
    desk.accredit("reviewer")
    return desk


def test_what_is_signed_is_logged_exactly(ready: Desk) -> None:
    request = ready.bring(review())
    sent = signed(review(), ready.key)
    assert ready.send(request, sent)["Location"] == f"/signing/{request.id}"
    ready.world.node.publish()
    record = ready.world.node.views.statement(request.statement_id)
    assert record is not None
    assert record.authors == (ready.key.public.id,)
    entry = ready.world.node.views.entry(record.places[0].log, record.places[0].index)
    assert entry is not None
    assert entry.payload == review().payload()
    assert ready.state(request) == "logged"


def test_everything_that_is_signed_is_on_the_page(ready: Desk) -> None:
    request = ready.bring(review())
    page = ready.client.get(f"/signing/{request.id}").content.decode()
    assert "The log would not take it yet" not in page
    assert TREE in page
    assert "1,204" in page
    assert "no-hidden-channel" in page
    assert request.statement_id in page
    assert "reviewed all of source tree" in page
    twin = ready.client.get(f"/signing/{request.id}.json").json()
    assert twin["bytes"]["payload"].encode() == review().payload()
    assert twin["bytes"]["statement"] == Envelope(IN_TOTO, review().payload(), ()).id


def test_the_download_is_to_the_byte_and_never_rendered(ready: Desk) -> None:
    request = ready.bring(review())
    answered = ready.client.get(f"/signing/{request.id}/statement")
    assert answered.content == review().payload()
    assert answered["Content-Disposition"].startswith("attachment;")
    assert answered["X-Content-Type-Options"] == "nosniff"


def test_each_look_and_each_signature_is_recorded_before_it_happens(ready: Desk) -> None:
    request = ready.bring(review())
    ready.client.get(f"/signing/{request.id}")
    ready.send(request, signed(review(), ready.key))
    target = f"statement:{request.statement_id}"
    kinds = (EventType.SIGNING_REQUESTED, EventType.SIGNING_SHOWN, EventType.SIGNING_SIGNED)
    events = ready.world.events(*kinds)
    assert [event.type for event in events] == list(kinds)
    assert {(event.actor, event.target) for event in events} == {(ready.account.id, target)}
    assert events[-1].details["custody"] == "file"


def test_what_cannot_be_recorded_does_not_happen(ready: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ready.bring(review())

    def full(*_: object, **__: object) -> int:
        raise UnavailableError("the disk is full")

    monkeypatch.setattr(audit, "record", full)
    with pytest.raises(UnavailableError):
        requests.sign(request, signed(review(), ready.key))
    with pytest.raises(UnavailableError):
        requests.decline(request, DeclineReason.OTHER, "")
    with pytest.raises(UnavailableError):
        requests.ask(delta(), of=ready.account)
    assert ready.state(request) == "open"
    assert SigningRequest.objects.count() == 1
    ready.world.node.publish()
    assert ready.world.node.views.statement(request.statement_id) is None


def test_another_statement_in_its_place_is_not_taken(ready: Desk) -> None:
    request = ready.bring(review())
    answered = ready.send(request, signed(review(result="fail"), ready.key))
    assert answered.status_code == 400
    assert "another statement than the one shown" in answered.content.decode()
    assert ready.state(request) == "open"


def test_the_same_statement_in_another_spelling_is_another_one(ready: Desk) -> None:
    request = ready.bring(review())
    spelled = json.dumps(review().as_json(), indent=1).encode()
    assert ready.send(request, signed(spelled, ready.key)).status_code == 400


def test_a_strangers_signature_is_not_taken(ready: Desk) -> None:
    request = ready.bring(review())
    mallory = generate_key(Role.PARTY, "mallory")
    assert "no signature in it is by a key" in ready.send(request, signed(review(), mallory)).content.decode()
    both = ready.send(request, signed(review(), ready.key, mallory))
    assert "by none of your enrolled keys" in both.content.decode()
    assert ready.state(request) == "open"


def test_a_signature_that_only_names_the_key_is_not_taken(ready: Desk) -> None:
    request = ready.bring(review())
    envelope = json.loads(signed(review(), generate_key(Role.PARTY, "mallory")))
    envelope["signatures"][0]["keyid"] = ready.key.public.id
    assert ready.send(request, json.dumps(envelope).encode()).status_code == 400


def test_a_retired_key_signs_nothing(ready: Desk) -> None:
    request = ready.bring(review())
    ready.client.post(f"/account/keys/{ready.key.public.id}/retire")
    assert "no signature in it is by a key" in ready.send(request, signed(review(), ready.key)).content.decode()


def test_the_challenge_of_a_key_is_no_signature(ready: Desk) -> None:
    request = ready.bring(review())
    envelope = sign_payload("application/vnd.pellucid.key-challenge+json", review().payload(), ready.key)
    assert "its payload type is not" in ready.send(request, envelope.to_bytes()).content.decode()


def test_a_key_accredited_for_something_else_does_not_review(desk: Desk) -> None:
    desk.enrol()
    desk.accredit("researcher")
    request = desk.bring(review())
    answered = desk.send(request, signed(review(), desk.key))
    assert answered.status_code == 400
    assert (
        "accredited as researcher, and such a statement counts by center or reviewer only" in answered.content.decode()
    )
    assert desk.state(request) == "open"
    strange = Statement((Subject({"sha256": "0" * 64}, "x"),), "https://example.com/thing/v1", {"n": 1})
    assert desk.send(desk.bring(strange), signed(strange, desk.key)).status_code == 302


def test_a_key_that_the_log_takes_for_a_better_one_signs_nothing(desk: Desk) -> None:
    desk.enrol()
    statement = desk.accredit("reviewer", custody="token")
    request = desk.bring(review())
    answered = desk.send(request, signed(review(), desk.key))
    assert "kept otherwise than in custody" in answered.content.decode()
    assert desk.state(request) == "open"
    withdrawal = Withdrawal(reason=WithdrawalReason.MISTAKE)
    desk.log(make_statement((statement_subject(statement),), PREDICATES[WITHDRAWAL], withdrawal), desk.node_key())
    desk.accredit("reviewer")
    assert desk.send(request, signed(review(), desk.key)).status_code == 302
    assert desk.state(request) == "logged"


def test_the_log_refuses_who_is_not_accredited_and_says_so_signed(desk: Desk) -> None:
    desk.enrol()
    request = desk.bring(review())
    assert "The log would not take it yet" in desk.client.get(f"/signing/{request.id}").content.decode()
    assert desk.send(request, signed(review(), desk.key)).status_code == 302
    assert desk.state(request) == "refused"
    page = desk.client.get(f"/signing/{request.id}").content.decode()
    assert "unknown-party" in page
    receipt = Envelope.parse(desk.client.get(f"/signing/{request.id}/receipt").content)
    assert receipt.verified_by(desk.world.home.keys[Role.NODE])


def test_what_was_refused_is_logged_once_the_key_is_accredited(desk: Desk) -> None:
    desk.enrol()
    request = desk.bring(review())
    desk.send(request, signed(review(), desk.key))
    desk.accredit("reviewer")
    assert desk.client.post(f"/signing/{request.id}/submit").status_code == 302
    assert desk.state(request) == "logged"


def test_a_signature_is_kept_while_the_log_takes_nothing(ready: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ready.bring(review())

    def unavailable(_data: bytes) -> Envelope:
        raise UnavailableError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(ground(), "submit", unavailable)
        answered = ready.send(request, signed(review(), ready.key))
        assert answered["Location"] == f"/signing/{request.id}"
        assert "the disk is full" in ready.client.get(f"/signing/{request.id}").content.decode()
    assert ready.state(request) == "signed"
    ready.let_pass(request)
    assert requests.expire_overdue() == 0
    ready.client.post(f"/signing/{request.id}/submit")
    assert ready.state(request) == "logged"


def test_what_went_to_the_log_by_another_way_is_seen_there(ready: Desk) -> None:
    request = ready.bring(review())
    ready.log(review(), ready.key)
    assert "Over" in ready.client.get("/signing").content.decode()
    assert ready.state(request) == "logged"


def test_what_somebody_else_said_in_the_same_words_does_not_end_it(ready: Desk) -> None:
    request = ready.bring(review())
    ready.log(review(), ready.node_key())
    ready.client.get("/signing")
    assert ready.state(request) == "open"


def test_a_person_declines_with_a_reason(ready: Desk) -> None:
    request = ready.bring(review())
    sent = {"d-reason": "conflict", "d-note": "I wrote a part of it."}
    assert ready.client.post(f"/signing/{request.id}/decline", sent).status_code == 302
    found = SigningRequest.objects.get(id=request.id)
    assert (found.state, found.reason, found.note) == ("declined", "conflict", "I wrote a part of it.")
    (event,) = ready.world.events(EventType.SIGNING_DECLINED)
    assert dict(event.details) == {"request": request.id, "reason": "conflict"}
    assert ready.send(request, signed(review(), ready.key)).status_code == 400
    assert ready.state(request) == "declined"


@pytest.mark.parametrize("sent", [{"d-reason": "because"}, {}, {"d-reason": "other", "d-note": "x" * 501}])
def test_a_decline_without_a_reason_or_out_of_bounds_is_none(ready: Desk, sent: dict[str, str]) -> None:
    request = ready.bring(review())
    assert ready.client.post(f"/signing/{request.id}/decline", sent).status_code == 400
    assert ready.state(request) == "open"


def test_a_request_ends_with_its_time(ready: Desk) -> None:
    request = ready.bring(review())
    other = ready.bring(delta())
    ready.let_pass(request)
    assert requests.expire_overdue() == 1
    assert (ready.state(request), ready.state(other)) == ("expired", "open")
    assert "the request is expired" in ready.send(request, signed(review(), ready.key)).content.decode()


def test_a_room_asks_once_however_often_it_asks(ready: Desk) -> None:
    otto = ready.world.account("otto")
    asked = [requests.ask(review(), of=ready.account, by=otto, why="You read it.", ref="review:17") for _ in range(3)]
    assert len({request.id for request in asked}) == 1
    page = ready.client.get(f"/signing/{asked[0].id}").content.decode()
    assert "You read it." in page
    assert "Otto Example" in page
    (event,) = ready.world.events(EventType.SIGNING_REQUESTED)
    assert (event.actor, event.about) == (otto.id, (ready.account.id,))
    (notice,) = Message.objects.filter(told__account=ready.account, kind="signature-wanted")
    assert notice.path == f"/signing/{asked[0].id}"
    assert "You read it." not in str(notice.words)


def test_who_asked_can_take_it_back_until_it_is_signed(ready: Desk) -> None:
    request = requests.ask(review(), of=ready.account, by=ready.world.account("otto"))
    requests.take_back(request)
    assert ready.state(request) == "taken-back"
    with pytest.raises(NotNowError):
        requests.sign(request, signed(review(), ready.key))
    request = requests.ask(delta(), of=ready.account)
    ready.send(request, signed(delta(), ready.key))
    with pytest.raises(NotNowError):
        requests.take_back(request)


def test_of_two_things_at_once_one_happens(ready: Desk) -> None:
    request = ready.bring(review())
    stale = SigningRequest.objects.get(id=request.id)
    requests.take_back(request)
    with pytest.raises(NotNowError, match="meanwhile"):
        requests.take_back(stale)
    assert ready.state(request) == State.TAKEN_BACK.value


def test_somebody_elses_request_is_nobodys_business(ready: Desk) -> None:
    request = ready.bring(review())
    other = Desk(ready.world, "asif")
    for path in ("", "/statement", "/receipt", ".json"):
        assert other.client.get(f"/signing/{request.id}{path}").status_code == 404
    for path in ("", "/decline", "/submit"):
        assert other.client.post(f"/signing/{request.id}{path}", {"text": "x"}).status_code == 404
    assert other.client.get("/signing").content.decode().count(request.id) == 0
    assert ready.state(request) == "open"


@pytest.mark.parametrize("name", ["otto", "mallory"])
def test_who_signs_nothing_is_shown_nothing(world: World, name: str) -> None:
    for path in ("/signing", "/signing/new", "/signing/withdraw"):
        assert world.client(name).get(path).status_code == 403


def test_a_visitor_is_asked_to_sign_in(world: World) -> None:
    assert world.client(None).get("/signing").status_code == 302


def test_no_signature_comes_in_from_another_site(ready: Desk) -> None:
    request = ready.bring(review())
    hostile = ready.world.client("rita")
    hostile.handler.enforce_csrf_checks = True
    for path in ("", "/decline", "/submit"):
        assert hostile.post(f"/signing/{request.id}{path}", {"text": "x"}).status_code == 403


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[" * 40_000,
        b'{"_type": "https://in-toto.io/Statement/v0.1"}',
        b'{"a": 1, "a": 2}',
        b"\xff\xfe",
        json.dumps({**review().as_json(), "subject": []}).encode(),
        json.dumps({**review().as_json(), "predicate": {"of": "source"}}).encode(),
        json.dumps({**review().as_json(), "predicateType": "https://x.example", "predicate": {"x": "\ud800"}}).encode(),
        json.dumps({**review().as_json(), "predicateType": "https://x.example", "predicate": {"x": 1.5}}).encode(),
    ],
    ids=["empty", "text", "deep", "old", "double", "bytes", "nothing", "unfit", "surrogate", "float"],
)
def test_what_no_log_could_take_is_refused_with_a_message(ready: Desk, data: bytes) -> None:
    answered = ready.client.post("/signing/new", {"text": data.decode("utf-8", "replace")})
    assert answered.status_code == 400
    assert "problems-form" in answered.content.decode()
    assert not SigningRequest.objects.exists()


def test_a_statement_has_a_bound(ready: Desk) -> None:
    large = Statement((Subject({"sha256": "0" * 64}, "x"),), "https://x.example/v1", {"x": "y" * PAYLOAD_LIMIT})
    with pytest.raises(NotFitError, match="are allowed"):
        requests.ask(large, of=ready.account)
    small = Statement((Subject({"sha256": "0" * 64}, "x"),), "https://x.example/v1", {"x": "y" * (PAYLOAD_LIMIT - 300)})
    request = requests.ask(small, of=ready.account)
    assert ready.send(request, signed(small, ready.key)).status_code == 302
    assert ready.state(request) == "logged"


def test_what_others_wrote_is_signed_to_the_byte_and_shown_as_text(ready: Desk) -> None:
    value = {
        **review().as_json(),
        "predicateType": "https://x.example/v1",
        "predicate": {"z": "<script>alert(1)</script>"},
    }
    strange = json.dumps(value, indent=3).encode()
    request = ready.bring(strange)
    page = ready.client.get(f"/signing/{request.id}").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert ready.client.get(f"/signing/{request.id}/statement").content == strange
    assert ready.send(request, signed(strange, ready.key)).status_code == 302
    assert ready.state(request) == "logged"


def test_a_person_withdraws_what_one_of_their_keys_signed(ready: Desk) -> None:
    request = ready.bring(review())
    ready.send(request, signed(review(), ready.key))
    ready.world.node.publish()
    asked = {"statement": request.statement_id, "reason": "mistake"}
    answered = ready.client.post("/signing/withdraw", asked)
    assert answered.status_code == 302, answered.content.decode()
    address = answered["Location"]
    payload = ready.client.get(f"{address}/statement").content
    assert json.loads(payload)["predicateType"] == WITHDRAWAL
    assert "takes back" in ready.client.get(address).content.decode()
    ready.client.post(address, {"text": signed(payload, ready.key).decode()})
    ready.world.node.publish()
    record = ready.world.node.views.statement(request.statement_id)
    assert record is not None
    assert record.withdrawn is not None


def test_nobody_withdraws_for_others_by_the_page(ready: Desk) -> None:
    other = ready.log(review(), ready.node_key())
    for statement in (other, "0" * 64):
        answered = ready.client.post("/signing/withdraw", {"statement": statement, "reason": "mistake"})
        assert answered.status_code == 400
        assert "no statement of yours" in answered.content.decode()
    assert ready.client.post("/signing/withdraw", {"statement": "x", "reason": "mistake"}).status_code == 400


def test_the_logs_fit_together_afterwards(ready: Desk) -> None:
    for statement in (review(), delta()):
        ready.send(ready.bring(statement), signed(statement, ready.key))
    ready.world.node.publish()
    head = ready.world.node.views.logs()[0].head
    assert head is not None
    assert head.size == 3
    assert main(["fsck", str(ready.world.home.path)]) == 0
