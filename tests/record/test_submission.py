"""What a node logs and what it refuses, each with a signed receipt."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from tests.record.conftest import (
    PASSPHRASE,
    START,
    World,
    accreditation,
    card_of,
    ending,
    foreign,
    log,
    party_key,
    receipt_of,
    release,
    review,
    unfit,
    withdrawal,
)

from pellucid.node import Node
from pellucid.record.predicate import Outcome, Refusal
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import Role, SecretKey

Person = Callable[[str], SecretKey]


def refusal(node: Node, data: bytes) -> Refusal | None:
    return receipt_of(node.submit(data), node).reason


def test_an_accepted_statement_has_a_receipt_that_says_where_and_by_when(node: Node) -> None:
    envelope = release(party_key(node))
    answer = node.submit(envelope.to_bytes())
    receipt = receipt_of(answer, node)
    assert (receipt.outcome, receipt.log, receipt.index) == (Outcome.ACCEPTED, "center.example", 0)
    assert (receipt.received, receipt.due) == ("2026-09-21T14:13:20Z", "2026-09-21T14:14:20Z")
    assert Statement.parse(answer.payload).subjects[0].digest == {"sha256": envelope.id}


def test_the_same_statement_again_keeps_its_index_and_gets_a_fresh_receipt(node: Node, world: World) -> None:
    first, other = release(party_key(node)), release(party_key(node), "2.0", "ef" * 32)
    assert [receipt_of(node.submit(e.to_bytes()), node).index for e in (first, other)] == [0, 1]
    world.clock.now += 100
    respelled = json.dumps(first.as_json(), indent=3).encode()
    again = receipt_of(node.submit(respelled), node)
    assert (again.index, again.received) == (0, "2026-09-21T14:15:00Z")
    node.publish()
    assert receipt_of(node.submit(first.to_bytes()), node).index == 0
    assert node.publication.published_size == 2


def test_what_is_acknowledged_is_there_after_the_process_is_gone(node: Node, world: World) -> None:
    envelope = release(party_key(node))
    assert receipt_of(node.submit(envelope.to_bytes()), node).index == 0
    world.close(node)
    again = world.open(node.home)
    again.publish()
    assert again.views.statement(envelope.id) is not None
    assert receipt_of(again.submit(envelope.to_bytes()), again).index == 0


def test_a_stranger_is_refused_until_somebody_known_here_accredits_them(node: Node, person: Person) -> None:
    reviewer = person("reviewer")
    envelope = review(reviewer)
    assert refusal(node, envelope.to_bytes()) is Refusal.UNKNOWN_PARTY
    node.submit(accreditation(reviewer.public, party_key(node)).to_bytes())
    assert refusal(node, envelope.to_bytes()) is None, "an accreditation counts as soon as it is accepted"


def test_an_accreditation_by_a_stranger_accredits_nobody(node: Node, person: Person) -> None:
    reviewer, stranger = person("reviewer"), person("stranger")
    both = sign_payload(IN_TOTO, accreditation(reviewer.public, stranger).payload, stranger, party_key(node))
    assert refusal(node, accreditation(reviewer.public, stranger).to_bytes()) is Refusal.UNKNOWN_PARTY
    node.submit(both.to_bytes())
    assert refusal(node, review(reviewer).to_bytes()) is None, "signed by the node's party too, it counts"


def test_chains_are_one_step_deep(node: Node, person: Person) -> None:
    reviewer, friend = person("reviewer"), person("friend")
    log(node, accreditation(reviewer.public, party_key(node)), accreditation(friend.public, reviewer))
    assert refusal(node, review(friend).to_bytes()) is Refusal.UNKNOWN_PARTY


@pytest.mark.parametrize("published", [True, False])
def test_an_accreditor_ends_what_it_granted(node: Node, person: Person, published: bool) -> None:
    reviewer = person("reviewer")
    log(node, accreditation(reviewer.public, party_key(node)))
    node.submit(ending(reviewer.public, party_key(node)).to_bytes())
    if published:
        node.publish()
    assert refusal(node, review(reviewer).to_bytes()) is Refusal.REVOKED_PARTY


def test_a_party_ends_its_own_key(node: Node, person: Person) -> None:
    reviewer = person("reviewer")
    log(node, accreditation(reviewer.public, party_key(node)), ending(reviewer.public, reviewer))
    assert refusal(node, review(reviewer).to_bytes()) is Refusal.REVOKED_PARTY


def test_nobody_silences_a_party_that_somebody_else_vouches_for(node: Node, world: World, person: Person) -> None:
    vendor = world.open(world.home("vendor.example", role="vendor"))
    reviewer = person("reviewer")
    node.home.add_peer(card_of(vendor))
    node._configure(node.logs.now())
    log(
        node,
        accreditation(reviewer.public, party_key(node)),
        accreditation(reviewer.public, party_key(vendor)),
        ending(reviewer.public, party_key(vendor), "2020-01-01T00:00:00Z"),
        ending(party_key(node).public, party_key(vendor)),
    )
    assert refusal(node, review(reviewer).to_bytes()) is None
    assert refusal(node, release(party_key(node)).to_bytes()) is None


def test_an_accreditation_ends_at_its_expiry_or_withdrawal(node: Node, world: World, person: Person) -> None:
    early, late = person("early"), person("late")
    granted = accreditation(late.public, party_key(node))
    log(node, accreditation(early.public, party_key(node), "2026-09-21T14:13:30Z"), granted)
    assert refusal(node, review(early).to_bytes()) is None
    world.clock.now += 60
    assert refusal(node, review(early, minutes=2).to_bytes()) is Refusal.REVOKED_PARTY
    assert refusal(node, review(late, minutes=2).to_bytes()) is None
    log(node, withdrawal(granted, party_key(node)))
    assert refusal(node, review(late, minutes=3).to_bytes()) is Refusal.UNKNOWN_PARTY


def test_a_peers_party_may_log_here_and_no_longer_once_parted_from(node: Node, world: World) -> None:
    vendor = world.open(world.home("vendor.example", role="vendor"))
    envelope = release(party_key(vendor))
    assert refusal(node, envelope.to_bytes()) is Refusal.UNKNOWN_PARTY
    node.home.add_peer(card_of(vendor))
    node._configure(node.logs.now())
    assert refusal(node, envelope.to_bytes()) is None
    node.home.remove_peer("vendor.example")
    node._configure(node.logs.now())
    assert refusal(node, release(party_key(vendor), "2.0").to_bytes()) is Refusal.UNKNOWN_PARTY


@pytest.mark.parametrize("role", [Role.NODE, Role.LOOKUP, Role.WITNESS, Role.LOG])
def test_a_key_of_another_role_speaks_for_nobody(node: Node, role: Role) -> None:
    key = node.home.secret(role, PASSPHRASE)
    assert refusal(node, release(key).to_bytes()) is Refusal.WRONG_ROLE


def test_a_false_hint_and_a_damaged_signature_do_not_pass(node: Node, person: Person) -> None:
    envelope = release(party_key(node)).as_json()
    damaged = json.loads(json.dumps(envelope))
    signature = bytearray(base64.b64decode(damaged["signatures"][0]["sig"]))
    signature[3] ^= 1
    damaged["signatures"][0]["sig"] = base64.b64encode(bytes(signature)).decode()
    assert refusal(node, json.dumps(damaged).encode()) is Refusal.UNSIGNED
    stranger = release(person("stranger")).as_json()
    stranger["signatures"][0]["keyid"] = party_key(node).public.id
    assert refusal(node, json.dumps(stranger).encode()) is Refusal.UNSIGNED
    hintless = json.loads(json.dumps(envelope))
    del hintless["signatures"][0]["keyid"]
    assert refusal(node, json.dumps(hintless).encode()) is None, "hints are not needed"


def test_signatures_of_strangers_beside_a_known_one_do_no_harm(node: Node, person: Person) -> None:
    payload = release(party_key(node)).payload
    envelope = sign_payload(IN_TOTO, payload, person("stranger"), party_key(node))
    [index] = log(node, envelope)
    record = node.views.statement(envelope.id)
    assert record is not None
    assert record.authors == (party_key(node).public.id,)
    assert node.views.entry(record.places[0].log, index).data == envelope.to_bytes()  # type: ignore[union-attr]


def test_whoever_logs_anothers_words_first_does_not_keep_the_author_out(node: Node, person: Person) -> None:
    reviewer = person("reviewer")
    log(node, accreditation(reviewer.public, party_key(node)))
    payload = review(reviewer).payload
    [first] = log(node, sign_payload(IN_TOTO, payload, party_key(node)))
    [second] = log(node, sign_payload(IN_TOTO, payload, reviewer))
    assert first != second
    record = node.views.statement(review(reviewer).id)
    assert record is not None
    assert set(record.authors) == {reviewer.public.id, party_key(node).public.id}
    assert [place.index for place in record.places] == [first, second]


def test_statements_that_others_make_are_logged_as_they_are(node: Node) -> None:
    envelope = foreign(party_key(node), "12" * 32)
    log(node, envelope)
    [record] = node.views.about("sha256:" + "12" * 32)
    assert (record.id, record.kind, record.predicate) == (envelope.id, None, {"anything": [1, "two"]})


def test_a_statement_that_does_not_fit_its_own_type_is_malformed(node: Node) -> None:
    envelope = unfit(party_key(node), "12" * 32)
    answer = node.submit(envelope.to_bytes())
    assert receipt_of(answer, node).reason is Refusal.MALFORMED
    assert Statement.parse(answer.payload).subjects[0].digest == {"sha256": envelope.id}


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"payloadType": 1}', b"[" * 60_000])
def test_bytes_that_are_no_envelope_are_refused_with_a_receipt(node: Node, data: bytes) -> None:
    assert refusal(node, data) is Refusal.MALFORMED


def test_an_entry_above_the_limit_is_refused_as_such(node: Node) -> None:
    assert refusal(node, b" " * 65_536) is Refusal.TOO_LARGE
    large = foreign(party_key(node), "12" * 32)
    padded = Envelope(large.payload_type, large.payload + b" " * 60_000, large.signatures)
    assert refusal(node, padded.to_bytes()) is Refusal.TOO_LARGE


def test_refusals_log_nothing(node: Node, person: Person) -> None:
    node.submit(review(person("stranger")).to_bytes())
    assert node.publish().signed_size == 0
    log(node, release(party_key(node)))
    assert node.publication.signed_size == 1
    assert int(node._clock()) == START
