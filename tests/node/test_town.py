"""A vendor and centers over loopback: cosigned, mirrored, looked up, and none of them able to keep a statement out."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.node.conftest import PASSPHRASE, Town, read_receipt, until
from tests.record.conftest import TREE, accreditation, release, review

from pellucid.errors import UnavailableError
from pellucid.node import Node, submit
from pellucid.record.client import NodeClient, NodeError
from pellucid.record.predicate import COMPLETENESS, Completeness, Outcome, Refusal
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import Role, SecretKey, generate_key
from pellucid.statement.predicate import read_predicate
from pellucid.statement.reference import tree_ref
from pellucid.tlog.checkpoint import open_checkpoint
from pellucid.tlog.cosignature import cosignatures


@pytest.fixture
def three(town: Town) -> Town:
    for name in ("vendor", "asia", "europe"):
        town.build(name, quorum=1 if name != "vendor" else 2)
    town.join("vendor", "asia", "europe")
    town.start("vendor", "asia", "europe")
    return town


def party(node: Node) -> SecretKey:
    return node.home.secret(Role.PARTY, PASSPHRASE)


def client(town: Town, name: str) -> NodeClient:
    return NodeClient(f"http://{town.servers[name].listen}")


def held(node: Node, origin: str) -> int:
    """Return how much of a log a node has mirrored or published."""
    log = node.logs.by_origin(origin)
    return log.reader.checkpoint().checkpoint.size if log is not None and log.published else 0


def test_a_statement_is_cosigned_by_the_others_mirrored_by_them_and_dated(three: Town) -> None:
    vendor, asia = three.nodes["vendor"], three.nodes["asia"]
    envelope = release(party(vendor))
    receipt = read_receipt(client(three, "vendor").submit(envelope.to_bytes()))
    assert receipt.outcome is Outcome.ACCEPTED
    assert receipt.index is not None
    assert vendor.wait_published(receipt.index, 15)
    until(lambda: held(asia, "vendor.example") == 1)
    until(lambda: asia.views.statement(envelope.id) is not None)
    record = vendor.views.statement(envelope.id)
    assert record is not None
    assert record.logged_at is not None
    head = vendor.views.logs()[0].head
    assert head is not None
    assert {item.cosigner.name for item in head.cosignatures} == {"asia.example", "europe.example"}
    assert (head.required, head.size) == (2, 1)
    [mirrored] = [fact for fact in asia.views.logs() if fact.origin == "vendor.example"]
    assert mirrored.head is not None
    assert {item.cosigner.role for item in mirrored.head.cosignatures} == {"witness", "mirror"}
    at_asia = asia.views.statement(envelope.id)
    assert at_asia is not None
    until(lambda: asia.views.statement(envelope.id).logged_at is not None)  # type: ignore[union-attr]


def test_mirrors_sign_what_a_log_says_about_a_reference(three: Town) -> None:
    vendor, asia = three.nodes["vendor"], three.nodes["asia"]
    reviewer = generate_key(Role.PARTY, "reviewer")
    for envelope in (accreditation(reviewer.public, party(asia)), review(reviewer)):
        receipt = read_receipt(client(three, "asia").submit(envelope.to_bytes()))
        assert receipt.outcome is Outcome.ACCEPTED
    assert asia.wait_published(1, 15)
    until(lambda: held(vendor, "asia.example") == 2)
    found = client(three, "vendor").lookup("asia.example", 2, [tree_ref(TREE)])
    assert found.completeness.verified_by(vendor.home.keys[Role.LOOKUP])
    answer: Completeness = read_predicate(Statement.parse(found.completeness.payload), COMPLETENESS)
    assert [(item.index, item.id) for item in answer.statements] == [(1, review(reviewer).id)]
    assert [(index, envelope.id) for index, envelope in found.entries] == [(1, review(reviewer).id)]
    signed = open_checkpoint(found.checkpoint, asia.home.verifier(Role.LOG))
    assert (signed.checkpoint.size, signed.checkpoint.root.hex()) == (2, answer.root)
    assert cosignatures(signed.note, [vendor.home.verifier(Role.MIRROR)])
    own = client(three, "asia").lookup("asia.example", 2, [tree_ref(TREE)])
    assert own.completeness.payload == found.completeness.payload


def test_a_vendor_cannot_keep_a_bad_review_out(three: Town) -> None:
    """Accredited by one center, logged by every node that knows of it - the vendor's as well."""
    vendor, asia, europe = (three.nodes[name] for name in ("vendor", "asia", "europe"))
    reviewer = generate_key(Role.PARTY, "reviewer")
    refused = read_receipt(client(three, "vendor").submit(review(reviewer).to_bytes()))
    assert (refused.outcome, refused.reason) == (Outcome.REFUSED, Refusal.UNKNOWN_PARTY)
    client(three, "asia").submit(accreditation(reviewer.public, party(asia)).to_bytes())
    until(lambda: vendor.views.party(reviewer.public.id) and europe.views.party(reviewer.public.id))
    for name, node in three.nodes.items():
        receipt = read_receipt(client(three, name).submit(review(reviewer).to_bytes()))
        assert receipt.outcome is Outcome.ACCEPTED
        assert receipt.index is not None
        assert node.wait_published(receipt.index, 15)
    until(lambda: len(europe.views.statement(review(reviewer).id).places) == 3)  # type: ignore[union-attr]


def test_below_the_quorum_nothing_is_published_and_the_missing_are_named(three: Town) -> None:
    vendor = three.nodes["vendor"]
    until(lambda: vendor.publication.published_size == 0)
    three.stop("asia")
    receipt = read_receipt(vendor.submit(release(party(vendor)).to_bytes()))
    assert receipt.outcome is Outcome.ACCEPTED, "logging does not wait for others"
    until(lambda: vendor.publication.wanting)
    assert [absent.name for absent in vendor.publication.missing] == ["asia.example"]
    assert vendor.views.logs()[0].pending == 1
    assert held(vendor, "vendor.example") == 0
    three.start("asia")
    assert vendor.wait_published(0, 20)
    assert vendor.publication.missing == ()


def test_a_center_publishes_without_the_vendor(three: Town) -> None:
    three.stop("vendor")
    asia = three.nodes["asia"]
    asia.submit(release(party(asia)).to_bytes())
    assert asia.wait_published(0, 15)
    [absent] = [peer for peer in asia.views.peers() if peer.name == "vendor.example"]
    until(lambda: next(p for p in asia.views.peers() if p.name == "vendor.example").problem is not None)
    assert absent.log is not None


def test_peers_and_mirrors_are_told_as_they_are(three: Town) -> None:
    vendor = three.nodes["vendor"]
    vendor.submit(release(party(vendor)).to_bytes())
    assert vendor.wait_published(0, 15)
    until(lambda: all(peer.witnesses_us and peer.mirrors_us and peer.last_answer for peer in vendor.views.peers()))
    until(lambda: [m.size for m in vendor.views.mirrors() if m.origin == "vendor.example"] == [1, 1])
    assert {m.kept_by for m in vendor.views.mirrors()} == {"vendor.example", "asia.example", "europe.example"}
    assert all(peer.problem is None for peer in vendor.views.peers())


def test_a_node_joined_while_both_run_is_asked_and_mirrored_at_once(town: Town) -> None:
    for name in ("vendor", "asia"):
        town.build(name)
        town.start(name)
    vendor = town.nodes["vendor"]
    until(lambda: vendor.publication.published_size == 0)
    assert vendor.views.peers() == ()
    town.join("vendor", "asia")
    vendor.submit(release(party(vendor)).to_bytes())
    until(lambda: held(town.nodes["asia"], "vendor.example") == 1)
    until(lambda: [peer.witnesses_us for peer in vendor.views.peers()] == [True])
    town.homes["asia"].remove_peer("vendor.example")
    until(lambda: town.nodes["asia"].views.peers() == ())
    assert held(town.nodes["asia"], "vendor.example") == 1, "what was mirrored stays"


def test_a_log_can_be_had_from_a_mirror_when_its_node_is_gone(three: Town) -> None:
    vendor, asia = three.nodes["vendor"], three.nodes["asia"]
    vendor.submit(release(party(vendor)).to_bytes())
    assert vendor.wait_published(0, 15)
    tiles = client(three, "asia").tiles("vendor.example", mirrored=True)
    until(lambda: tiles.kept(0, 10) == [1])
    three.stop("vendor")
    assert tiles.fetch("checkpoint") is not None
    assert tiles.fetch("checkpoints/001") is not None
    covering = client(three, "asia").covering("vendor.example", 0)
    assert covering is not None
    assert covering[0] == 1
    assert client(three, "asia").covering("vendor.example", 1) is None
    assert client(three, "asia").key(party(asia).public.id) == party(asia).public
    assert client(three, "asia").card().name == "asia.example"


def test_submitting_goes_through_the_node_that_runs_and_else_takes_the_lock(town: Town) -> None:
    home = town.build("asia")
    first, second = (release(home.secret(Role.PARTY, PASSPHRASE), version) for version in ("1.0", "2.0"))
    alone = submit(home, first.to_bytes(), lambda: PASSPHRASE)
    assert (read_receipt(alone.receipt).index, alone.through, alone.wanting) == (0, None, ())
    town.start("asia")

    def unneeded() -> bytes:
        raise AssertionError("a running node needs no passphrase")

    served = submit(home.path, second.to_bytes(), unneeded)
    assert (read_receipt(served.receipt).index, served.through) == (1, f"http://{town.servers['asia'].listen}")


def test_a_statement_submitted_below_the_quorum_stays_durable(town: Town) -> None:
    home = town.build("vendor", quorum=1)
    envelope = release(home.secret(Role.PARTY, PASSPHRASE))
    found = submit(home, envelope.to_bytes(), lambda: PASSPHRASE)
    assert read_receipt(found.receipt).outcome is Outcome.ACCEPTED
    assert "0 of 1" in found.wanting[0]
    again = submit(home, envelope.to_bytes(), lambda: PASSPHRASE)
    assert read_receipt(again.receipt).index == 0


def test_a_node_that_does_not_answer_is_named(town: Town) -> None:
    town.build("asia")
    with pytest.raises(UnavailableError) as caught:
        client(town, "asia").card()
    assert isinstance(caught.value, NodeError)
    assert town.servers["asia"].listen in str(caught.value.where)


def test_only_the_files_of_a_log_are_served(three: Town, tmp_path: Path) -> None:
    doors = three.nodes["asia"].doors
    until(lambda: doors.log_file("checkpoint").status == 200)
    for path in ("../node.toml", "/etc/passwd", ".incoming", "tile", "tile/0/000/", "checkpoints/", "tile/0/0", ""):
        assert doors.log_file(path).status == 404, path
    [log_id] = [f.id for f in three.nodes["asia"].views.logs() if f.own]
    assert doors.mirror_file(log_id, "checkpoint").status == 404, "one's own log is not a mirror"
    assert doors.mirror_file("0" * 64, "checkpoint").status == 404
    assert doors.witness_checkpoint("nonsense").status == 404
    until(lambda: "vendor.example" in {f.origin for f in three.nodes["asia"].views.logs()})
    [mirrored] = [f.id for f in three.nodes["asia"].views.logs() if f.origin == "vendor.example"]
    until(lambda: doors.mirror_file(mirrored, "checkpoint").status == 200)
    assert doors.mirror_file(mirrored, "origin.json").status == 404
    assert doors.add_checkpoint(b"nonsense").status == 400
